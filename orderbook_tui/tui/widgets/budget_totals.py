"""What all accounts together may still give of each asset.

A store may hold a million budgets, so they are added up a slice a frame; a small store is added up whole, in one frame.
"""

from collections.abc import Iterator
from decimal import Decimal

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.core.money import Asset
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import fit, name, number_in
from orderbook_tui.tui.theme import inks

_SLICE = 2_000
"""Budgets a frame: about a millisecond."""


class Total:
    """The pots of one asset, in its units."""

    __slots__ = ("asset", "available", "depleted", "initial", "locked", "spent")

    def __init__(self, asset: Asset) -> None:
        self.asset = asset
        self.initial = self.available = self.locked = self.spent = self.depleted = 0

    def add(self, budget: AccountBudget) -> None:
        """Count one account's budget in."""
        self.initial += budget.initial
        self.available += budget.available
        self.locked += budget.locked
        self.spent += budget.spent
        self.depleted += budget.available == 0 and budget.locked == 0

    @property
    def pots(self) -> tuple[int, int, int, int, int]:
        return self.initial, self.available, self.locked, self.spent, self.depleted


class BudgetTotals(Widget):
    """One line an asset: how much of it is used, and available, locked, spent."""

    DEFAULT_CSS = """
    BudgetTotals {
        height: auto;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._simulation: Simulation | None = None
        self._rest: Iterator[AccountBudget] = iter(())
        self._counting: dict[str, Total] = {}
        self.totals: dict[str, Total] = {}
        """The last full count."""
        self._shown: list[tuple[int, int, int, int, int]] = []

    def show(self, simulation: Simulation | None) -> None:
        """Show the budgets of `simulation`."""
        self._simulation = simulation
        self._rest, self._counting = iter(()), {}
        self.totals = {asset.symbol: Total(asset) for asset in simulation.budgets.assets.values()} if simulation else {}
        self._shown = []
        self.look()
        self.refresh(layout=True)

    def look(self) -> None:
        """Count on; once all is counted, show it."""
        if self._simulation is None:
            return
        try:
            if not self._count(_SLICE):
                return
        except RuntimeError:  # a budget came into being meanwhile
            self._rest, self._counting = iter(()), {}
            return
        grown = len(self.totals) != len(self._counting)
        self.totals = self._counting
        self._rest, self._counting = iter(()), {}
        shown = [total.pots for total in self.totals.values()]
        if shown != self._shown:
            self._shown = shown
            self.refresh(layout=grown)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.totals) + 1

    def render_line(self, y: int) -> Strip:
        ink, width = inks(self.app), self.size.width
        totals = list(self.totals.values())
        columns = max((width - 34) // 3, 9)
        if y == 0:
            titles = "".join(fit(title, columns, right=True) for title in ("available", "locked", "spent"))
            return Strip([Segment(f" {fit('asset', 7)}{fit('used', 20)}{titles} ", ink.muted)]).crop(0, width)
        if y > len(totals):
            return Strip.blank(width)
        if y == self.size.height - 1 and len(totals) > y:
            return Strip([Segment(f" and {len(totals) - y + 1} more assets", ink.muted)]).crop(0, width)
        total = totals[y - 1]
        initial = total.initial or 1
        spent, locked = 10 * total.spent // initial, 10 * (total.spent + total.locked) // initial
        used = Decimal(100 * (total.spent + total.locked)) / initial
        amounts = [fit(number_in(total.asset.amount(units), columns - 1), columns, right=True) for units in total.pots[1:4]]
        left = " depleted" if total.initial and not total.available and not total.locked else ""
        alert = ink.bad if left else ink.warn if used > 80 else ink.plain
        return Strip(
            [
                Segment(f" {fit(name(total.asset.symbol), 6)} ", ink.plain),
                Segment("█" * spent, ink.plain),
                Segment("▒" * (locked - spent), ink.plain),
                Segment("░" * (10 - locked), ink.faint),
                Segment(fit(left, 10) if left else f"{used:>7.1f} % ", alert),
                Segment(amounts[0], ink.plain),
                Segment(amounts[1] + amounts[2], ink.muted),
            ]
        ).crop(0, width)

    def _count(self, most: int) -> bool:
        """Add up to `most` budgets; True: that was the last of them."""
        assert self._simulation is not None
        if not self._counting:
            self._rest = iter(self._simulation.budgets)
            self._counting = {asset.symbol: Total(asset) for asset in self._simulation.budgets.assets.values()}
        for _ in range(most):
            budget = next(self._rest, None)
            if budget is None:
                return True
            self._counting[budget.asset.symbol].add(budget)
        return False
