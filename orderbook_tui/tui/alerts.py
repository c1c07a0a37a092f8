"""Budget alerts: which budgets run out. Each is news once when it is above 80 % used, and once when it is depleted.

A look goes through some of the budgets, so that it costs about a millisecond however many there are; those of a usual run are
all seen with every look. One budget is told by name, of several how many there are in all now; then there is quiet for a
while. What was so when the watch began is no news: the run was taken up with it, and its screen shows it.
"""

from collections.abc import Callable
from time import monotonic
from typing import Final, Literal, NamedTuple

from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.engine.budget_level import Level, level_of
from orderbook_tui.engine.budget_list import all_budgets
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import name

AT_ONCE: Final = 5_000
"""Budgets that one look goes through."""
QUIET_S: Final = 15.0
"""Seconds from one telling to the next: what runs out meanwhile is told together."""


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
        """The level of each budget, as it was last seen."""
        self._counts = [len(self._budgets), 0, 0]
        """How many budgets are on each level, by what was last seen."""
        self._known = bytearray(len(self._budgets))
        """The highest level of each budget that was told, or that it had when the watch began."""
        self._news: dict[int, None] = {}
        """The places of budgets that may have to be told, the last to come last."""
        self._place = 0
        self._began_at = len(simulation.state.journal)
        self._taking_stock = self._began_at > 0
        self._clean_at = -1
        self._passed_at = self._began_at
        self._quiet_until = 0.0

    def look(self) -> Notice | None:
        """Return what there is to tell now."""
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
        if self._place or not self._news or self._clock() < self._quiet_until:
            return None
        return self._tell()

    def _pass(self, most: int) -> None:
        """Go on through the budgets; at the end, begin again."""
        levels, start = self._levels, self._place
        for place, budget in enumerate(self._budgets[start : start + most], start):
            level = level_of(budget.initial, budget.available, budget.locked) if 5 * budget.available < budget.initial else 0
            if level != levels[place]:
                self._counts[levels[place]] -= 1
                self._counts[level] += 1
                levels[place] = level
                if self._taking_stock:
                    self._known[place] = level
                elif level > self._known[place]:
                    self._news.pop(place, None)
                    self._news[place] = None
        self._place = start + most if start + most < len(self._budgets) else 0

    def _tell(self) -> Notice | None:
        # What was given back while there was quiet is not so any more.
        new = [place for place in self._news if self._levels[place] > self._known[place]]
        self._news = {}
        if not new:
            return None
        self._quiet_until = self._clock() + QUIET_S
        for place in new:
            self._known[place] = self._levels[place]
        worst = Level(max(self._levels[place] for place in new))
        last = self._budgets[next(place for place in reversed(new) if self._levels[place] == worst)]
        return Notice(self._words(last, worst, alone=len(new) == 1), "error" if worst is Level.DEPLETED else "warning")

    def _words(self, last: AccountBudget, level: Level, *, alone: bool) -> str:
        account, asset = name(last.account.name, 40), name(last.asset.symbol, 20)
        if alone:
            return (
                f"{account} has no {asset} left" if level is Level.DEPLETED else f"{account} has used over 80 % of its {asset}"
            )
        _, high, depleted = self._counts
        # Of more budgets than one look goes through, the first were seen a while before the last.
        about = "about " if self._passed_at != len(self._simulation.state.journal) else ""

        def of_all(count: int) -> str:
            return f"{about}{count:,} of {len(self._budgets):,} budgets {'is' if count == 1 else 'are'}"

        told = f": the last is {account}'s {asset}"
        if not depleted:
            return f"{of_all(high)} over 80 %{told}"
        if not high:
            return f"{of_all(depleted)} depleted{told}"
        more = f"{depleted:,} more {'is' if depleted == 1 else 'are'} depleted"
        if level is Level.DEPLETED:
            return f"{of_all(high)} over 80 %, {more}{told}"
        return f"{of_all(high)} over 80 %{told}; {more}"
