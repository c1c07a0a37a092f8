"""What all accounts together may still give of each asset."""

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from orderbook_tui.engine.budget_count import BudgetCount, Total
from orderbook_tui.engine.budget_level import Level
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import fit, name, number, number_in
from orderbook_tui.tui.theme import inks, on_paper
from orderbook_tui.tui.widgets.usage_bar import level_ink, usage_bar, used_share

_TITLES = ("available", "locked", "spent")
_BAR = 8


class BudgetTotals(Widget):
    """One line an asset: how much of it is used, and available, locked, spent."""

    DEFAULT_CSS = """
    BudgetTotals {
        height: auto;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._count: BudgetCount | None = None
        self._shown: list[object] = []

    @property
    def totals(self) -> dict[str, Total]:
        """The last full count."""
        return self._count.totals if self._count is not None else {}

    @property
    def is_exact(self) -> bool:
        """Whether that is of the moment of the last look; otherwise it is about so, and says so."""
        return self._count is not None and self._count.is_exact

    @property
    def high(self) -> int:
        """How many budgets are above 80 %, and not depleted."""
        return self._count.high if self._count is not None else 0

    @property
    def depleted(self) -> int:
        """How many budgets are depleted."""
        return self._count.depleted if self._count is not None else 0

    def show(self, simulation: Simulation | None) -> None:
        """Show the budgets of `simulation`."""
        self._count = BudgetCount(simulation) if simulation is not None else None
        self._shown = []
        self.look()
        self.refresh(layout=True)

    def look(self) -> None:
        """Show the totals as they are now, as far as they can be counted."""
        if self._count is None:
            return
        before = len(self.totals)
        self._count.look()
        shown = [self.is_exact, *(total.pots for total in self.totals.values())]
        if shown != self._shown:
            self._shown = shown
            self.refresh(layout=len(self.totals) != before)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.totals) + 1

    def render_line(self, y: int) -> Strip:
        return on_paper(self, Strip(self._segments(y)).crop(0, self.size.width))

    def text(self) -> str:
        """Return what is shown, without its colours."""
        return "\n".join("".join(segment.text for segment in self.render_line(y)) for y in range(self.size.height))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

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
                max([len(title), *(len(number(total.asset.amount(total.pots[place]), 2)) for total in totals)])
                for place, title in enumerate(_TITLES, start=1)
            ],
            width - symbol_width - _BAR - 12 - 2 * len(_TITLES),
        )
        bar = max(width - symbol_width - 12 - sum(columns) - 2 * len(columns), _BAR)
        if y == 0:
            titles = "".join("  " + fit(title, column, right=True) for title, column in zip(_TITLES, columns, strict=True))
            used = "used" if self.is_exact else "used, about"
            return [Segment(f" {fit('asset', symbol_width)} {fit(used, bar + 9)}{titles}", ink.muted)]
        total = totals[y - 1]
        level = total.level
        share = " depleted" if level is Level.DEPLETED else f"{used_share(total.initial, total.locked, total.spent):>8} "
        alert = level_ink(level, ink)
        amounts = []
        for units, column in zip(total.pots[1:4], columns, strict=True):
            amount = total.asset.amount(units)
            text = number(amount, 2)
            amounts.append("  " + fit(text if len(text) <= column else number_in(amount, column), column, right=True))
        return [
            Segment(f" {fit(name(total.asset.symbol), symbol_width)} ", ink.plain),
            *(Segment(*part) for part in usage_bar(bar, total.initial, total.locked, total.spent, alert, ink.faint)),
            Segment(share, alert),
            Segment(amounts[0], ink.plain),
            Segment(amounts[1] + amounts[2], ink.muted),
        ]


def _shared(wanted: list[int], room: int) -> list[int]:
    """Share `room` out: who wants little gets it, the others get as much as each other."""
    shares = dict.fromkeys(range(len(wanted)), 0)
    for waiting, place in zip(range(len(wanted), 0, -1), sorted(shares, key=wanted.__getitem__), strict=True):
        shares[place] = min(wanted[place], max(room // waiting, 6))
        room -= shares[place]
    return list(shares.values())
