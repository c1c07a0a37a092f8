"""What all accounts together may still give of each asset.

A store may hold a million budgets, so they are added up a slice a frame; a small store is added up whole, in one frame.
"""

from collections.abc import Iterator
from decimal import Decimal

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.core.money import Asset
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import fit, name, number, number_in
from orderbook_tui.tui.theme import inks, on_paper

_TITLES = ("available", "locked", "spent")
_BAR = 8
_SLICE = 2_000
"""Budgets a frame: about a millisecond."""


class Total:
    """The pots of one asset, in its units."""

    __slots__ = ("asset", "available", "initial", "lasting", "locked", "spent")

    def __init__(self, asset: Asset) -> None:
        self.asset = asset
        self.initial = self.available = self.locked = self.spent = self.lasting = 0

    def add(self, budget: AccountBudget) -> None:
        """Count one account's budget in."""
        self.initial += budget.initial
        self.available += budget.available
        self.locked += budget.locked
        self.spent += budget.spent
        self.lasting += not budget.is_depleted()

    @property
    def pots(self) -> tuple[int, int, int, int, int]:
        return self.initial, self.available, self.locked, self.spent, self.lasting

    @property
    def is_depleted(self) -> bool:
        """Whether there was something, and none of the budgets has anything left."""
        return self.initial > 0 and not self.lasting


def _shared(wanted: list[int], room: int) -> list[int]:
    """Share `room` out: who wants little gets it, the others get as much as each other."""
    shares = dict.fromkeys(range(len(wanted)), 0)
    for waiting, place in zip(range(len(wanted), 0, -1), sorted(shares, key=wanted.__getitem__), strict=True):
        shares[place] = min(wanted[place], max(room // waiting, 6))
        room -= shares[place]
    return list(shares.values())


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
        return on_paper(self, Strip(self._segments(y)).crop(0, self.size.width))

    def text(self) -> str:
        """Return what is shown, without its colours."""
        return "\n".join("".join(segment.text for segment in self.render_line(y)) for y in range(self.size.height))

    def _segments(self, y: int) -> list[Segment]:
        ink, width, totals = inks(self.app), self.size.width, list(self.totals.values())
        if y > len(totals):
            return []
        if 0 < y == self.size.height - 1 and len(totals) > y:
            return [Segment(f" and {len(totals) - y + 1} assets more", ink.muted)]
        symbols = max((cell_len(name(total.asset.symbol)) for total in totals), default=0)
        symbol_width = min(max(symbols, 5), 10)
        columns = _shared(
            [
                max([len(title), *(len(number(total.asset.amount(total.pots[place]))) for total in totals)])
                for place, title in enumerate(_TITLES, start=1)
            ],
            width - symbol_width - _BAR - 12 - 2 * len(_TITLES),
        )
        bar = max(width - symbol_width - 12 - sum(columns) - 2 * len(columns), _BAR)
        if y == 0:
            titles = "".join("  " + fit(title, column, right=True) for title, column in zip(_TITLES, columns, strict=True))
            return [Segment(f" {fit('asset', symbol_width)} {fit('used', bar + 9)}{titles}", ink.muted)]
        total = totals[y - 1]
        used, initial = total.locked + total.spent, total.initial or 1
        spent_cells, used_cells = bar * total.spent // initial, bar * used // initial
        amounts = [
            "  " + fit(number_in(total.asset.amount(units), column), column, right=True)
            for units, column in zip(total.pots[1:4], columns, strict=True)
        ]
        share = " depleted" if total.is_depleted else f"{Decimal(1000 * used // initial) / 10:>7.1f}% "
        alert = ink.bad if total.is_depleted else ink.warn if 5 * used > 4 * initial else ink.plain
        return [
            Segment(f" {fit(name(total.asset.symbol), symbol_width)} ", ink.plain),
            Segment("━" * spent_cells, alert),
            Segment("╍" * (used_cells - spent_cells), alert),
            Segment("━" * (bar - used_cells), ink.faint),
            Segment(share, alert),
            Segment(amounts[0], ink.plain),
            Segment(amounts[1] + amounts[2], ink.muted),
        ]

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
