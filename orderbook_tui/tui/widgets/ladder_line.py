"""One line of the ladder: how wide its columns are, and what is drawn in them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment

from orderbook_tui.core.market import Market
from orderbook_tui.engine.market_view import DepthLevel
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import clock, fit, name, number_in, price, quantity
from orderbook_tui.tui.theme import Inks
from orderbook_tui.tui.widgets.ladder_rows import Marks, OrderRow, Row, Spread
from orderbook_tui.tui.widgets.trade_list import side_ink

DIRECTED: Final = "directed orders: they admit only their counterparty"
_OVERLAP: Final = "own bids and asks overlap"
_OF_SLOT, _OF_ACCOUNT = "●", "○"
_WIDEST: Final = 16


class Columns(NamedTuple):
    """How wide each column is; `most` is the quantity that fills the bar: the largest one in view."""

    cumulative: int
    quantity: int
    orders: int
    price: int
    bar: int
    slots: int
    most: int


def measured(market: Market, rows: Sequence[Row], seen: Sequence[Row], width: int) -> Columns:
    """Return the columns for `rows` in a width; the bar is full for the largest quantity of those that are `seen`."""
    levels = [row for row in rows if isinstance(row, DepthLevel)]
    more = any(level.at_least for level in levels)
    most = max((level.cumulative for level in levels), default=0)
    cumulative = min(max(10, more + len(quantity(market, most))), _WIDEST)
    largest = max((level.quantity for level in levels), default=0)
    amount = min(max(8, more + len(quantity(market, largest))), _WIDEST)
    orders = min(max(6, len(f"{max((level.orders for level in levels), default=0):,}")), _WIDEST)
    ticks = min(max(6, len(price(market, max((level.price for level in levels), default=0)))), _WIDEST)
    room = max(width - 3 - cumulative - amount - orders - ticks - 3 - 2, 0)
    bar = min(max(room // 2 - 2, 6), 30) if room >= 14 else min(room, 8)
    full = max((row.cumulative for row in seen if isinstance(row, DepthLevel)), default=1)
    return Columns(cumulative, amount, orders, ticks, bar, max(room - bar - 2, 0), full)


class LadderLine:
    """Draws the rows of one market."""

    def __init__(self, simulation: Simulation, market: Market, marks: Marks, columns: Columns, width: int) -> None:
        self._simulation, self._market, self._marks = simulation, market, marks
        self._columns, self._width = columns, width

    def header(self, ink: Inks) -> list[Segment]:
        """Return the titles of the columns."""
        columns = self._columns
        titles = (
            ("cumulative", columns.cumulative),
            ("quantity", columns.quantity),
            ("orders", columns.orders),
            ("price", columns.price),
        )
        text = " ".join(fit(title, width, right=True) for title, width in titles)
        return [Segment(f"   {text}  {fit('depth', columns.bar)}  {fit('slots', columns.slots)}", ink.muted)]

    def segments(self, row: Row, ink: Inks) -> list[Segment]:
        """Return what a row says."""
        match row:
            case DepthLevel():
                return self._level(row, ink)
            case OrderRow():
                return self._order(row, ink)
            case Spread():
                return self._spread(row, ink)
        return [Segment(f" {row.text}", ink.strong if row.loud else ink.muted)]

    def _level(self, level: DepthLevel, ink: Inks) -> list[Segment]:
        market, columns = self._market, self._columns
        side = side_ink(level.side, ink)
        bar = columns.bar
        own = min(max(bar * level.quantity // columns.most, 1), bar)
        all_of_it = min(max(bar * level.cumulative // columns.most, own), bar)
        return [
            Segment(f"{self._mark_of(level)} ", ink.accent),
            Segment(_amount(market, level.cumulative, columns.cumulative, level) + " ", ink.muted),
            Segment(f"{_amount(market, level.quantity, columns.quantity, level)} ", ink.plain),
            Segment(f"{level.orders:>{columns.orders},} ", ink.plain),
            Segment(_price(market, level.price, columns.price) + "  ", side),
            Segment("━" * own, side),
            Segment("╍" * (all_of_it - own) + " " * (bar - all_of_it) + "  ", side),
            *self._slots(level, columns.slots, ink),
        ]

    def _mark_of(self, level: DepthLevel) -> str:
        marked = self._marks.slot
        if marked is not None:
            slot = self._simulation.slots[marked]
            at = slot.action.market_id, slot.action.side, slot.action.price
            if slot.open and at == (self._market.symbol, level.side, level.price):
                return _OF_SLOT
        return _OF_ACCOUNT if level.of_account else " "

    def _slots(self, level: DepthLevel, width: int, ink: Inks) -> list[Segment]:
        """Return as many of a level's slots as have room, and how many there are besides."""
        for words in (" and {:,} more", " +{:,}"):
            for count in range(len(level.slots), 0, -1):
                more = level.orders - count
                text = ", ".join(map(str, level.slots[:count])) + (words.format(more) if more else "")
                if len(text) <= width and (count > 1 or not more or words == " +{:,}"):
                    return [Segment(text, ink.plain)]
        return [Segment(fit(f"{level.orders:,}", width), ink.plain)] if width else []

    def _order(self, row: OrderRow, ink: Inks) -> list[Segment]:
        market, simulation = self._market, self._simulation
        slot = simulation.slots[row.slot]
        account = name(simulation.account_name(slot.account_id), 60)
        mark = _OF_SLOT if row.slot == self._marks.slot else _OF_ACCOUNT if slot.account_id == self._marks.account else " "
        only = slot.action.matching_strategy.account
        directed = f", only with {name(simulation.account_name(only), 60)}" if only is not None else ""
        if row.level is None:
            action = slot.action
            what = f"slot {row.slot:<4} {action.side.word}  {quantity(market, row.left)} at {price(market, action.price)}"
            return [
                Segment(f"{mark} ", ink.accent),
                Segment(what, ink.plain),
                Segment(f"  {account}{directed}", ink.muted),
            ]
        columns = self._columns
        since = f", since {clock(slot.last_attempt.started)}" if slot.last_attempt is not None else ""
        room = self._width - columns.cumulative - columns.quantity - columns.orders - 7
        whose = f"slot {row.slot}  {account}"
        more = next((text for text in (directed + since, directed) if cell_len(whose + text) <= room), "")
        return [
            Segment(f"{mark} {'':{columns.cumulative}} ", ink.accent),
            Segment(f"{_amount(market, row.left, columns.quantity)} {f'{row.place}.':>{columns.orders}}  ", ink.muted),
            Segment(fit(whose, min(cell_len(whose), max(room, 0))), ink.plain),
            Segment(more, ink.muted),
        ]

    def _spread(self, row: Spread, ink: Inks) -> list[Segment]:
        market = self._market
        if row.bid is None or row.ask is None:
            said, style = f"no {'bids' if row.bid is None else 'asks'} rest here", ink.muted
        elif row.bid >= row.ask:
            said, style = _OVERLAP if row.own_only else DIRECTED, ink.warn
        else:
            ticks = row.ask - row.bid
            said, style = f"spread {price(market, ticks)}  ({ticks:,} tick{'s' if ticks > 1 else ''})", ink.strong
        if row.unread:
            said = f"reading what is open: {row.unread:,} events to go"
        room = max(self._width - cell_len(said) - 5, 0)
        before = min(room // 2, 12)
        return [
            Segment(" " + "─" * before + " ", ink.faint),
            Segment(said, style),
            Segment(" " + "─" * (room - before), ink.faint),
        ]


def _amount(market: Market, lots: int, width: int, level: DepthLevel | None = None) -> str:
    sign = "≥" if level is not None and level.at_least else ""
    text = quantity(market, lots)
    return fit(
        sign + (text if len(text) <= width - len(sign) else number_in(market.quantity(lots), width - len(sign))),
        width,
        right=True,
    )


def _price(market: Market, ticks: int, width: int) -> str:
    text = price(market, ticks)
    return fit(text if len(text) <= width else number_in(market.price(ticks), width), width, right=True)
