"""Budget alerts: which budgets run out. Each is told once when it is above 80 % used, and once when it is depleted.

A look goes through some of the budgets, so that it costs about a millisecond however many there are; those of a usual run are
all seen with every look. What was so when the watch began is not told: the run was taken up with it, and its screen shows it.
"""

from collections.abc import Callable
from time import monotonic
from typing import Final, Literal, NamedTuple

from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.engine.budget_count import Level, level_of
from orderbook_tui.engine.budget_list import all_budgets
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import name

AT_ONCE: Final = 5_000
"""Budgets that one look goes through."""
QUIET_S: Final = 2.0
"""Seconds from one telling to the next: what runs out meanwhile is told together."""
_NAMED: Final = 3


class Notice(NamedTuple):
    """Something to say."""

    text: str
    severity: Literal["information", "warning", "error"] = "warning"


class BudgetAlerts:
    """Watches the budgets of one simulation."""

    def __init__(self, simulation: Simulation, clock: Callable[[], float] = monotonic) -> None:
        self._simulation, self._clock = simulation, clock
        self._budgets = all_budgets(simulation.budgets)
        self._levels = bytearray(len(self._budgets))
        """The highest level of each budget that was told, or that it had when the watch began."""
        self._place = 0
        self._began_at = len(simulation.state.journal)
        self._taking_stock = self._began_at > 0
        self._clean_at = -1
        self._passed_at = self._began_at
        self._news: dict[Level, list[AccountBudget]] = {Level.HIGH: [], Level.DEPLETED: []}
        self._quiet_until = 0.0

    def look(self) -> list[Notice]:
        """Return what is new since the last look, as far as this one got."""
        events = len(self._simulation.state.journal)
        if self._taking_stock:
            # A run that goes on does not wait until all budgets have been looked at: the rest of them is, now.
            self._pass(AT_ONCE if events == self._began_at else len(self._budgets))
            self._taking_stock = self._place > 0
        elif events != self._clean_at:
            if not self._place:
                self._passed_at = events
            self._pass(AT_ONCE)
            if not self._place:
                self._clean_at = self._passed_at
        # Of a large store, what one pass finds is told when it is through.
        return self._told() if not self._place and self._clock() >= self._quiet_until else []

    def _pass(self, most: int) -> None:
        """Go on through the budgets; at the end, begin again."""
        levels, start = self._levels, self._place
        some = self._budgets[start : start + most]
        for place, budget in enumerate(some, start):
            if 5 * budget.available < budget.initial:
                level = level_of(budget.initial, budget.available, budget.locked)
                if level > levels[place]:
                    levels[place] = level
                    if not self._taking_stock:
                        self._news[level].append(budget)
        self._place = start + most if start + most < len(self._budgets) else 0

    def _told(self) -> list[Notice]:
        depleted, high = self._news[Level.DEPLETED], self._news[Level.HIGH]
        if not depleted and not high:
            return []
        self._news = {Level.HIGH: [], Level.DEPLETED: []}
        self._quiet_until = self._clock() + QUIET_S
        # One that went all the way is told of once.
        gone = set(map(id, depleted))
        high = [budget for budget in high if id(budget) not in gone]
        notices = []
        if len(depleted) == 1:
            notices.append(Notice(f"{_account(depleted[0])} has no {_asset(depleted[0])} left", "error"))
        elif depleted:
            notices.append(Notice(f"{len(depleted):,} budgets are depleted: {_named(depleted)}", "error"))
        if len(high) == 1:
            notices.append(Notice(f"{_account(high[0])} has used more than 80 % of its {_asset(high[0])}"))
        elif high:
            notices.append(Notice(f"{len(high):,} budgets are above 80 %: {_named(high)}"))
        return notices


def _named(budgets: list[AccountBudget]) -> str:
    """Return some budgets by name, the first ones, and how many more there are."""
    named = ", ".join(f"{_account(budget)} {_asset(budget)}" for budget in budgets[:_NAMED])
    return f"{named} and {len(budgets) - _NAMED:,} more" if len(budgets) > _NAMED else named


def _account(budget: AccountBudget) -> str:
    return name(budget.account.name, 40)


def _asset(budget: AccountBudget) -> str:
    return name(budget.asset.symbol, 20)
