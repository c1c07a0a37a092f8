"""One market as a reader sees it: what rests there, level by level, and what has traded.

    Books     whose orders rest: those of the exchange in this process, or else the run's own open orders
    Tape      what has traded, the last trade first
    depth     the levels of one side, best first, with the orders at each

Everything is read and nothing is kept that the run does not say: a reading costs what it shows, whatever the length of the run.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

from orderbook_tui.core.book import Order, OrderBook, Side
from orderbook_tui.core.journal import Attempt, Cancel, Execution
from orderbook_tui.core.market import Market
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.simulation import Simulation

MOST_LEVELS: Final = 200
"""Prices of a side that are read, the best ones."""
MOST_ORDERS: Final = 20_000
"""Orders of a side that are read, the first ones: a few milliseconds."""
SHOWN: Final = 8
"""Orders of a level that are named."""
SLICE: Final = 10_000
"""Events that are read at a time: about a millisecond."""
_AHEAD: Final = 2_000
_CANCEL_WITHIN: Final = 50_000


class DepthLevel(NamedTuple):
    """One price of a side. Quantities are in lots; `cumulative` counts this level and all better ones."""

    side: Side
    price: int
    quantity: int
    cumulative: int
    orders: int
    slots: tuple[int, ...]
    """The slots of the first orders, in priority order."""
    of_account: int
    """How many of the orders are of the account that was asked about."""
    at_least: bool = False
    """Whether there are more orders than were read: the quantities are those of the orders that were."""


class Depth(NamedTuple):
    """The levels of one side, best first."""

    levels: list[DepthLevel]
    cut: bool
    """Whether there are more prices than were read."""


class Books:
    """The books of a run. A venue outside this process has books that nobody here knows: there, own open orders stand in.

    Those are taken from the journal, a slice at a time.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._own: dict[str, OrderBook] = {}
        self._read = 0

    @property
    def own_only(self) -> bool:
        """Whether these are the run's own open orders only."""
        return self._simulation.config.venue.kind != "embedded"

    @property
    def unread(self) -> int:
        """How many events are still to be read before the books are what they should be."""
        return 0 if self._simulation.exchange is not None else len(self._simulation.state.journal) - self._read

    def book(self, market: Market) -> OrderBook:
        """Return the book of a market. It is for reading."""
        exchange = self._simulation.exchange
        if exchange is not None:
            return exchange.books[market.symbol]
        return self._own.setdefault(market.symbol, OrderBook())

    def read_on(self, most: int = SLICE) -> None:
        """Take up what has happened since, at most so many events."""
        state = self._simulation.state
        if self._simulation.exchange is not None or self._read == len(state.journal):
            return
        events = state.journal[self._read : self._read + most]
        self._read += len(events)
        for event in events:
            match event:
                case Attempt(failure=None):
                    slot = state.slots[event.slot]
                    book = self.book(slot.action.market)
                    book.cancel(slot.sequence)  # placed again, it stands behind those placed before
                    if slot.open:
                        book.rest(_own_order(slot))
                case Execution():
                    for sequence in (event.maker, event.taker):
                        if sequence >= 0:
                            self._note(state.slots[sequence])
                case Cancel():
                    self._note(state.slots[event.slot])

    def _note(self, slot: ActionSlot) -> None:
        """Leave of the slot's order what is open of it now."""
        book = self.book(slot.action.market)
        if slot.open:
            book.replace(slot.sequence, slot.action.price, slot.open)
        else:
            book.cancel(slot.sequence)


def _own_order(slot: ActionSlot) -> Order:
    action = slot.action
    only = action.matching_strategy.account
    return Order(slot.sequence, slot.account_id, action.side, action.price, slot.open, only, slot.sequence)


def depth(
    book: OrderBook, side: Side, account: str | None = None, most: int = MOST_LEVELS, most_orders: int = MOST_ORDERS
) -> Depth:
    """Return the levels of a side, at most so many with so many orders; each says how many of its orders are of `account`."""
    levels: list[DepthLevel] = []
    cumulative = 0
    for price in book.prices(side):
        count = book.count_at(side, price)
        if not count:
            continue
        if len(levels) == most or not most_orders:
            return Depth(levels, cut=True)
        orders = book.orders_at(side, price, most_orders)
        most_orders -= len(orders)
        quantity = sum([order.quantity for order in orders])
        cumulative += quantity
        slots = tuple(order.client_id for order in orders[:SHOWN])
        mine = sum([order.account == account for order in orders]) if account is not None else 0
        levels.append(DepthLevel(side, price, quantity, cumulative, count, slots, mine, count > len(orders)))
    return Depth(levels, cut=False)


class Tape:
    """The trades of a run, market by market, the last one first.

        journal   ........[ read ]
                          <-     ->

    It is read from its end in both directions, a slice at a time: the last trades are there at once, those before follow. Where
    a slice is not enough to keep up, it begins anew at the end.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._first = self._last = len(simulation.state.journal)
        self._newer: dict[str, list[Execution]] = {}
        self._older: dict[str, list[Execution]] = {}

    @property
    def is_complete(self) -> bool:
        """Whether it has been read back to the beginning of the run."""
        return self._first == 0

    def count(self, market: Market) -> int:
        """Return how many trades of a market have been read."""
        return len(self._newer.get(market.symbol, ())) + len(self._older.get(market.symbol, ()))

    def since(self, market: Market) -> int:
        """Return how many of them came after it had begun to be read: what has been put before those of before."""
        return len(self._newer.get(market.symbol, ()))

    def trade(self, market: Market, place: int) -> Execution:
        """Return a trade of a market; place 0 is the last one."""
        newer = self._newer.get(market.symbol, [])
        return newer[-1 - place] if place < len(newer) else self._older[market.symbol][place - len(newer)]

    def last(self, market: Market) -> Execution | None:
        """Return the last trade of a market that has been read, if there is one."""
        return self.trade(market, 0) if self.count(market) else None

    def read_on(self, most: int = SLICE) -> bool:
        """Read at most so many events on; return whether it began anew."""
        journal = self._simulation.state.journal
        anew = len(journal) - self._last > most
        if anew:
            self._first = self._last = len(journal)
            self._newer, self._older = {}, {}
        self._take(journal[self._last :], self._newer)
        spare = most - (len(journal) - self._last)
        self._last = len(journal)
        before, self._first = self._first, max(self._first - spare, 0)
        if self._first < before:
            self._take(journal[self._first : before][::-1], self._older)
        return anew

    def _take(self, events: Sequence[object], into: dict[str, list[Execution]]) -> None:
        slots = self._simulation.slots
        for event in events:
            if type(event) is Execution:
                symbol = slots[event.taker if event.taker >= 0 else event.maker].action.market.symbol
                trades = into.get(symbol)
                if trades is None:
                    into[symbol] = [event]
                else:
                    trades.append(event)


def aggressor(simulation: Simulation, trade: Execution) -> Side | None:
    """Return the side of the order that took; None where a venue outside does not tell which one did."""
    if trade.taker < 0 or trade.maker < 0:
        return None
    return simulation.slots[trade.taker].action.side


def last_cancel(simulation: Simulation, slot: ActionSlot) -> Cancel | None:
    """Return when what was left of a slot's order was last cancelled, if that is among the last of what happened."""
    journal = simulation.state.journal
    for place in range(len(journal) - 1, max(len(journal) - 1 - _CANCEL_WITHIN, -1), -1):
        event = journal[place]
        if type(event) is Cancel and event.slot == slot.sequence:
            return event
    return None


def next_orders(simulation: Simulation, market: Market, most: int) -> list[ActionSlot]:
    """Return the next slots of a market that are still to be placed, of those that come soon."""
    begin, found = simulation.state.current_slot_index, []
    for slot in islice(simulation.slots, begin, begin + _AHEAD):
        if not slot.is_ended and slot.action.market.symbol == market.symbol:
            found.append(slot)
            if len(found) == most:
                break
    return found
