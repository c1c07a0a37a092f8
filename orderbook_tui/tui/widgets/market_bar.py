"""What is known of a market, in as many lines as it takes: its status, its steps, its prices, its fees."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from orderbook_tui.core.discipline import band
from orderbook_tui.core.exchange import FEE_DECIMALS
from orderbook_tui.core.market import Market
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import fit_middle, name, number, price
from orderbook_tui.tui.theme import inks, on_paper

_LONGEST: Final = 24
_GAP: Final = 3


class MarketBar(Widget):
    """Says which market is shown; the arrows beside its name lead to the others."""

    DEFAULT_CSS = """
    MarketBar {
        height: auto;
        background: $surface;
    }
    """

    class Turned(Message):
        """Another market is wanted: the one before (-1), the one after (1), or one from the list (0)."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._market: Market | None = None
        self._facts: list[tuple[str, str]] = []
        self._place = self._count = 0
        self._marked = ""

    def show(self, simulation: Simulation | None, market: Market | None) -> None:
        """Show a market."""
        self._market = market
        self._facts = []
        if simulation is not None and market is not None:
            markets = [each.symbol for each in simulation.state.plan.markets]
            self._place, self._count = markets.index(market.symbol), len(markets)
            self._facts = list(_facts(simulation, market))
        self.refresh(layout=True)

    def mark(self, text: str) -> None:
        """Say whose orders are marked."""
        if text != self._marked:
            self._marked = text
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(len(self._lines(width)), 1)

    def render_line(self, y: int) -> Strip:
        ink, lines = inks(self.app), self._lines(self.size.width)
        if y >= len(lines) or self._market is None:
            return on_paper(self, Strip([]))
        segments = []
        if y == 0:
            several = self._count > 1
            segments = [
                Segment(" ◂ " if several else "   ", ink.accent),
                Segment(self._called, ink.strong),
                Segment(" ▸ " if several else "   ", ink.accent),
            ]
        for label, text in lines[y]:
            segments += [Segment(" " + label, ink.muted), Segment(f" {text}  " if text else "  ", ink.plain)]
        return on_paper(self, Strip(segments).crop(0, self.size.width))

    def text(self) -> str:
        """Return what is shown, without its colours."""
        return "\n".join("".join(segment.text for segment in self.render_line(y)) for y in range(self.size.height))

    def on_click(self, event: events.Click) -> None:
        width = cell_len(self._called)
        if event.y == 0 and event.x < width + 6 and self._count > 1:
            self.post_message(self.Turned(-1 if event.x < 3 else 0 if event.x < width + 3 else 1))

    @property
    def _called(self) -> str:
        if self._market is None:
            return ""
        shown = name(self._market.symbol)
        return fit_middle(shown, min(cell_len(shown), _LONGEST))

    def _lines(self, width: int) -> list[list[tuple[str, str]]]:
        """Return the facts line by line, as many on each as it has room for."""
        facts = list(self._facts)
        if self._count > 1 and facts:
            facts.insert(1, ("market", f"{self._place + 1} of {self._count}"))
        if self._marked:
            facts.append((self._marked, ""))
        lines: list[list[tuple[str, str]]] = [[]]
        room = width - cell_len(self._called) - 6
        for label, text in facts:
            taken = cell_len(label) + cell_len(text) + _GAP + (1 if text else 0)
            if lines[-1] and taken > room + 2:
                lines.append([])
                room = width
            lines[-1].append((label, text))
            room -= taken
        return lines


def _facts(simulation: Simulation, market: Market) -> Iterable[tuple[str, str]]:
    """Yield what there is to say of a market, each with its label."""
    base, quote = name(market.base.symbol, 12), name(market.quote.symbol, 12)
    lowest, highest = band(market)
    fees, scale = simulation.state.plan.fees, Decimal(10) ** (FEE_DECIMALS - 2)
    yield "status", market.status.value
    yield "reference", f"{number(market.reference_price, 2)} {quote}"
    if highest is None:
        yield "band", "none"
    else:
        yield "band", f"{price(market, lowest)} .. {price(market, highest)}"
    yield "tick", f"{number(market.tick_size)} {quote}"
    yield "lot", f"{number(market.lot_size)} {base}"
    if market.min_notional:
        yield "at least", f"{number(market.min_notional)} {quote}"
    if fees.highest:
        yield "fees", f"maker {number(fees.maker / scale)} %, taker {number(fees.taker / scale)} %"
    else:
        yield "fees", "none"
