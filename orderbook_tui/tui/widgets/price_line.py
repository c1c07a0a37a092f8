"""The price line: the last trades of a market, with its reference price and the band that holds its prices.

     66,000.00 ┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈ upper limit
     60,020.00           ╭─────╮        highest
     60,000.00 ──────────╯╌╌╌╌╌│╌╌╌╌╌╌╌ reference
     59,985.00                 ╰─────── last trade
     54,000.00 ┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈ lower limit

The numbers are exact, the line is as exact as its cells. The limits stand at the edges, however far they are: prices that
differ little are to be told apart.
"""

from typing import Final, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from orderbook_tui.core.discipline import band
from orderbook_tui.core.market import Market
from orderbook_tui.engine.market_view import Tape
from orderbook_tui.tui.figures import fit, name, number, number_in, price
from orderbook_tui.tui.theme import Inks, inks, on_paper

_WIDEST: Final = 16
_NAMES: Final = 13
_LIMIT, _REFERENCE, _TRADED = "┈", "╌", " "


class Level(NamedTuple):
    """A price that is named, what it is, and the stroke that marks it across."""

    ticks: int
    what: str
    stroke: str


class PriceLine(Widget):
    """Draws the last trade prices of a market, as many as have room."""

    DEFAULT_CSS = """
    PriceLine {
        height: 1fr;
        background: $background;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._market: Market | None = None
        self._tape: Tape | None = None
        self._version: tuple[object, ...] = ()
        self._prices: list[int] = []
        self._named: dict[int, Level] = {}

    @property
    def prices(self) -> list[int]:
        """The prices that are drawn, in ticks, the earliest first."""
        return self._prices

    def show(self, market: Market | None, tape: Tape | None) -> None:
        """Draw the trades of a market."""
        self._market, self._tape, self._version = market, tape, ()
        self.look()
        self.refresh()

    def look(self) -> None:
        """Draw anew if there was a trade."""
        market, tape = self._market, self._tape
        if market is None or tape is None:
            self._prices, self._named = [], {}
            return
        version = (tape.count(market), tape.last(market), self.size)
        if version == self._version:
            return
        self._version = version
        self._prices = [tape.trade(market, place).price for place in range(min(self._room(market), tape.count(market)))][::-1]
        self._named = self._names(market)
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self.look()

    def text(self) -> str:
        """Return what is drawn, without its colours."""
        return "\n".join("".join(segment.text for segment in self.render_line(y)) for y in range(self.size.height))

    def render_line(self, y: int) -> Strip:
        ink, market = inks(self.app), self._market
        if market is None:
            return on_paper(self, Strip([]))
        legend = y >= self.size.height - 1
        segments = [Segment(self._legend(market), ink.muted)] if legend else self._across(y, market, ink)
        return on_paper(self, Strip(segments).crop(0, self.size.width))

    def _label(self, market: Market) -> int:
        """Return the width of the numbers on the left."""
        lowest, highest = band(market)
        widest = max(_reference(market), highest or 0, max(self._prices, default=lowest))
        return min(len(price(market, widest)), _WIDEST)

    def _room(self, market: Market) -> int:
        """Return how many cells the line has."""
        return max(self.size.width - self._label(market) - 2 - _NAMES, 1)

    def _edge(self, market: Market) -> int:
        """Return how many lines above and below are a limit's."""
        return 0 if market.regulation.band is None else 1

    def _names(self, market: Market) -> dict[int, Level]:
        """Return what is named on each line; what matters more comes first."""
        named: dict[int, Level] = {}
        _, highest = band(market)
        if highest is not None:
            named[0] = Level(highest, "upper limit", _LIMIT)
            named[self.size.height - 2] = Level(band(market)[0], "lower limit", _LIMIT)
        levels = [Level(_reference(market), "reference", _REFERENCE)]
        if self._prices:
            levels.insert(0, Level(self._prices[-1], "last trade", _TRADED))
            levels += [Level(max(self._prices), "highest", _TRADED), Level(min(self._prices), "lowest", _TRADED)]
        for level in levels:
            row = self._row(level.ticks, market)
            known = named.setdefault(row, level)
            if level.stroke == _REFERENCE and known is not level and known.stroke == _TRADED:
                what = "= reference" if known.ticks == level.ticks else known.what
                named[row] = Level(known.ticks, what, _REFERENCE)
        return named

    def _legend(self, market: Market) -> str:
        width = market.regulation.band
        held = "no band: any price" if width is None else f"band {number(width * 100)} % around the reference"
        many = len(self._prices)
        if not many:
            return f" no trade in {name(market.symbol, 30)} yet; {held}"
        return f" the last {many:,} trades; {held}" if many > 1 else f" one trade; {held}"

    def _across(self, y: int, market: Market, ink: Inks) -> list[Segment]:
        cells, label, level = self._cells(y, market), self._label(market), self._named.get(y)
        if level is None:
            return [Segment(f" {'':{label}} ", ink.muted), Segment("".join(cells), ink.plain)]
        text = price(market, level.ticks)
        if len(text) > label:
            text = number_in(market.price(level.ticks), label)
        style = ink.warn if level.stroke == _LIMIT else ink.strong if level.what == "last trade" else ink.muted
        segments = [Segment(f" {fit(text, label, right=True)} ", style)]
        segments += [
            Segment(level.stroke, _stroke_ink(level, ink)) if cell == " " else Segment(cell, ink.plain) for cell in cells
        ]
        return [*segments, Segment(f" {level.what}", style)]

    def _cells(self, y: int, market: Market) -> list[str]:
        """Return one row of the line. Few trades take the whole width too: a price lasts until the next trade."""
        room, prices = self._room(market), self._prices
        if not prices:
            return [" "] * room
        rows = [self._row(prices[place * len(prices) // room], market) for place in range(room)]
        return [_stroke(before, row, y) for before, row in zip([rows[0], *rows], rows, strict=False)]

    def _row(self, ticks: int, market: Market) -> int:
        """Return the row on which a price lies; row 0 is the top."""
        reference, edge = _reference(market), self._edge(market)
        low, high = min(self._prices, default=reference), max(self._prices, default=reference)
        low, high = min(low, reference), max(high, reference)
        rows = max(self.size.height - 1 - 2 * edge - 1, 1)
        # To the nearest row, halves up.
        return edge + (rows // 2 if high == low else (2 * (high - ticks) * rows + high - low) // (2 * (high - low)))


def _stroke(before: int, row: int, y: int) -> str:
    """Return what stands on row `y` where the line comes from the row `before` and goes on from `row`."""
    if before == row:
        return "─" if y == row else " "
    if y == row:
        return "╭" if before > row else "╰"
    if y == before:
        return "╯" if before > row else "╮"
    return "│" if min(before, row) < y < max(before, row) else " "


def _reference(market: Market) -> int:
    """Return the reference price in ticks, the nearest one."""
    return round(market.reference_price / market.tick_size)


def _stroke_ink(level: Level, ink: Inks) -> Style:
    return ink.warn if level.stroke == _LIMIT else ink.faint
