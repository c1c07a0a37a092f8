"""Totals of the budgets, asset by asset, and which of them run out. A count is exact when nothing moved while it was made.

A count of a small store is one piece of work within which the run cannot move, so it is what `BudgetStore.get_summary` would
say at that moment. Of a large one it takes several pieces, with slots run in between: such a count mixes moments, and says
that it is about what is, until the run holds still for long enough to count it all.
"""

from collections.abc import Generator, Iterable, Sequence
from operator import attrgetter, lt, or_
from typing import Final

from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.core.money import Asset
from orderbook_tui.engine.budget_level import Level, level_of
from orderbook_tui.engine.budget_list import each_budget
from orderbook_tui.engine.simulation import RunStatus, Simulation

AT_ONCE: Final = 20_000
"""Budgets that are counted in one piece: some 5 ms, as the sums are C's."""
_GROUPED_AT_ONCE: Final = AT_ONCE + 1
_SLICE: Final = 5_000
_AVAILABLE, _LOCKED, _SPENT, _RECEIVED = map(attrgetter, ("available", "locked", "spent", "received"))
_FIVE_TIMES = (5).__mul__

Moment = tuple[RunStatus, bool, int]
"""When a run holds still: as long as this stays the same, so do its budgets."""


def moment_of(simulation: Simulation) -> Moment | None:
    """Return when this is; None while the run moves."""
    if simulation.status is RunStatus.RUNNING or simulation.control.stepping:
        return None
    return simulation.status, simulation.control.paused, len(simulation.state.journal)


class Total:
    """The pots of many budgets of one asset together, in its units."""

    __slots__ = ("asset", "available", "count", "depleted", "high", "initial", "locked", "received", "spent")

    def __init__(self, asset: Asset) -> None:
        self.asset = asset
        self.initial = self.available = self.locked = self.spent = self.received = self.count = 0
        self.high = self.depleted = 0

    def add(self, budgets: Sequence[AccountBudget]) -> None:
        """Count some budgets in."""
        available, locked = list(map(_AVAILABLE, budgets)), list(map(_LOCKED, budgets))
        initial = [budget.initial for budget in budgets]
        self.count += len(budgets)
        self.initial += sum(initial)
        self.available += sum(available)
        self.locked += sum(locked)
        self.spent += sum(map(_SPENT, budgets))
        self.received += sum(map(_RECEIVED, budgets))
        # Nothing available and nothing locked, but for those that never had anything.
        depleted = list(map(or_, available, locked)).count(0) - initial.count(0)
        self.depleted += depleted
        self.high += sum(map(lt, map(_FIVE_TIMES, available), initial)) - depleted

    @property
    def pots(self) -> tuple[int, int, int, int, int]:
        return self.initial, self.available, self.locked, self.spent, self.received

    @property
    def level(self) -> Level:
        """How far all of them together are used: depleted when none of them has anything left."""
        return level_of(self.initial, self.available, self.locked)

    @property
    def is_depleted(self) -> bool:
        """Whether there was something, and none of the budgets has anything left."""
        return self.level is Level.DEPLETED


class BudgetCount:
    """The totals of a simulation's budgets, counted a piece at a time with every `look`."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.totals = {asset.symbol: Total(asset) for asset in simulation.budgets.assets.values()}
        """The last full count, by asset."""
        self.is_exact = False
        """Whether the totals are all of one moment, and that moment is the last look's."""
        self._groups: dict[str, list[AccountBudget]] = {symbol: [] for symbol in self.totals}
        self._ungrouped = each_budget(simulation.budgets)
        self._grouped = False
        self._counting: Generator[int, None, dict[str, Total]] | None = None
        self._began: Moment | None = None
        self._exact_at: Moment | None = None

    @property
    def high(self) -> int:
        """How many of the budgets are above 80 %, and not depleted."""
        return sum(total.high for total in self.totals.values())

    @property
    def depleted(self) -> int:
        """How many of the budgets are depleted."""
        return sum(total.depleted for total in self.totals.values())

    def look(self) -> None:
        """Count on, unless the totals are those of this very moment."""
        if not (self._grouped or self._group()):
            return
        moment = moment_of(self._simulation)
        if moment is not None and moment == self._exact_at:
            return
        self.is_exact, self._exact_at = False, None
        anew = self._counting is None or (moment is not None and moment != self._began)
        if self._counting is None or anew:
            # What was counted while the run moved would spoil a count that can be exact.
            self._counting, self._began = self._count(), moment
        room = AT_ONCE
        while room > 0:
            try:
                room -= next(self._counting)
            except StopIteration as counted:
                self.totals, self._counting = counted.value, None
                self.is_exact = anew or (moment is not None and moment == self._began)
                self._exact_at = moment if self.is_exact else None
                return

    def _group(self) -> bool:
        """Sort budgets by their asset; True: that was the last of them."""
        groups = self._groups
        for _ in range(_GROUPED_AT_ONCE):
            budget = next(self._ungrouped, None)
            if budget is None:
                self._grouped = True
                return True
            groups[budget.asset.symbol].append(budget)
        return False

    def _count(self) -> Generator[int, None, dict[str, Total]]:
        """Count every budget; say after each slice how many were in it."""
        totals = {}
        for symbol, budgets in self._groups.items():
            totals[symbol] = total = Total(self._simulation.budgets.assets[symbol])
            for some in _sliced(budgets):
                total.add(some)
                yield len(some)
        return totals


def _sliced(budgets: Sequence[AccountBudget]) -> Iterable[Sequence[AccountBudget]]:
    return (budgets[start : start + _SLICE] for start in range(0, len(budgets), _SLICE))
