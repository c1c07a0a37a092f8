"""What the ladder says, line by line: prices, the orders at those that are opened, the spread, words where nothing rests."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from orderbook_tui.core.book import OrderBook, Side
from orderbook_tui.core.market import Market
from orderbook_tui.engine.market_view import Books, DepthLevel, depth, next_orders
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.figures import name, price

_MOST_ORDERS: Final = 500
"""Orders of an opened level that are listed."""
_COMING: Final = 12


class Marks(NamedTuple):
    """Whose orders are marked: one slot's, and those of one account."""

    slot: int | None = None
    account: str | None = None


class Spread(NamedTuple):
    """The middle of the ladder."""

    bid: int | None
    ask: int | None
    own_only: bool
    unread: int


class OrderRow(NamedTuple):
    """One order of an opened level, at its place in the queue, with the lots left of it; `place` 0: it is still to come."""

    level: DepthLevel | None
    place: int
    slot: int
    left: int


class Words(NamedTuple):
    """A line that says something."""

    text: str
    loud: bool = False


Row = DepthLevel | Spread | OrderRow | Words


def key(row: Row) -> tuple[object, ...]:
    """Return what a row is called, whatever it says just now."""
    match row:
        case DepthLevel():
            return "level", row.side, row.price
        case OrderRow():
            return "order", row.slot
        case Words():
            return "words", row.text
    return ("spread",)


def read_rows(
    simulation: Simulation, market: Market, books: Books, account: str | None, opened: Collection[tuple[Side, int]]
) -> list[Row]:
    """Return what there is to say of a book, from the highest price to the lowest; `opened` prices show their orders."""
    book = books.book(market)
    (bids, more_bids), (asks, more_asks) = (depth(book, side, account) for side in (Side.BID, Side.ASK))
    if not bids and not asks:
        return _nothing(simulation, market, books)
    rows: list[Row] = [Words("and more prices above these")] if more_asks else []
    rows += _unfolded(asks[::-1], market, book, opened)
    rows.append(Spread(bids[0].price if bids else None, asks[0].price if asks else None, books.own_only, books.unread))
    rows += _unfolded(bids, market, book, opened)
    return [*rows, Words("and more prices below these")] if more_bids else rows


def _unfolded(
    levels: Sequence[DepthLevel], market: Market, book: OrderBook, opened: Collection[tuple[Side, int]]
) -> Iterator[Row]:
    """Yield the levels, each opened one with its orders below it."""
    for level in levels:
        yield level
        if (level.side, level.price) in opened:
            orders = book.orders_at(level.side, level.price, _MOST_ORDERS)
            for place, order in enumerate(orders, start=1):
                yield OrderRow(level, place, order.client_id, order.quantity)
            if level.orders > len(orders):
                yield Words(f"and {level.orders - len(orders):,} orders more at {price(market, level.price)}")


def _nothing(simulation: Simulation, market: Market, books: Books) -> list[Row]:
    """Return why nothing rests, and what comes next."""
    called = name(market.symbol, 40)
    if books.unread:
        return [Words(f"reading what is open: {books.unread:,} events to go")]
    if not simulation.stats.total_orders_created:
        said = [Words("Nothing has been placed yet.", loud=True), Words("space starts the run, n runs one slot.")]
    elif simulation.status is RunStatus.DONE:
        said = [Words(f"No order rests in {called}: the run is done.", loud=True)]
    else:
        said = [Words(f"No order rests in {called}.", loud=True), Words("Pairs that cross leave nothing behind.")]
    coming = next_orders(simulation, market, _COMING)
    if coming:
        said += [Words(""), Words("next to be placed here")]
    elif simulation.status is not RunStatus.DONE:
        said += [Words(""), Words("No order for it is coming soon.")]
    return [*said, *(OrderRow(None, 0, slot.sequence, slot.action.quantity) for slot in coming)]
