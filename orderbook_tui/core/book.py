"""The order book of one market: price-time priority, counterparties respected.

    bids  {price: deque of orders}   heap of prices, best first
    asks  {price: deque of orders}   heap of prices, best first

Two orders trade only where each admits the other's account. An order with a `counterparty` admits that account alone;
priority, and "never crossed", hold among the orders that admit each other. An order that is cancelled, or filled out of
turn, stays in its queue with quantity 0: the queue counts its dead and drops them when it meets them, or all at once when
they outnumber its living, so that a cancel costs O(1) and nobody walks past more dead than living.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, IntEnum, StrEnum
from heapq import heappop, heappush
from itertools import islice
from typing import NamedTuple

import msgspec


class Side(IntEnum):
    """Bid buys base, Ask sells base."""

    BID = 0
    ASK = 1

    @property
    def opposite(self) -> "Side":
        return Side(1 - self)

    @property
    def word(self) -> str:
        return "Bid" if self is Side.BID else "Ask"


class TimeInForce(StrEnum):
    """How long a limit order lives: until cancelled; what fills at once; all at once or nothing; only as a maker."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    POST_ONLY = "post_only"


class SelfTradePrevention(StrEnum):
    """Which order goes when an account would trade with itself."""

    CANCEL_NEWEST = "cancel_newest"
    CANCEL_OLDEST = "cancel_oldest"
    CANCEL_BOTH = "cancel_both"


class Order(msgspec.Struct, gc=False):
    """A limit order. `quantity` is what is left of it, in lots; `price` is in ticks; an order at rest has some left."""

    order_id: int
    account: str
    side: int
    price: int
    quantity: int
    counterparty: str | None = None
    """The only account it trades with; None: any but its own."""
    client_id: int = -1
    """What the owner calls it; the book carries it and never reads it."""

    def admits(self, other: "Order") -> bool:
        """Whether both sides accept the other's account (self-trades are prevented, not hidden)."""
        return (self.counterparty is None or self.counterparty == other.account) and (
            other.counterparty is None or other.counterparty == self.account
        )


class Trade(msgspec.Struct, gc=False):
    """An execution, at the maker's price: who waited sets the terms. Both orders already show what is left of them."""

    maker: Order
    taker: Order
    price: int
    quantity: int


class Refusal(Enum):
    """Why a book did not take an order at all."""

    WOULD_TAKE = "a post-only order would have taken liquidity"
    CANNOT_FILL = "a fill-or-kill order cannot be filled at once"


class Level(NamedTuple):
    """One price of the book's depth."""

    price: int
    quantity: int
    orders: int


class Outcome(msgspec.Struct, gc=False):
    """What came of a submission: its trades, makers that self-trade prevention cancelled, or why it was refused.

    It is for reading: an order that only came to rest shares one with all others that did.
    """

    trades: Sequence[Trade] = ()
    cancelled: tuple[tuple[Order, int], ...] = ()
    """Each cancelled maker with the quantity that it had left."""
    refusal: Refusal | None = None
    rests: bool = False
    """Whether the order, or what is left of it, is at rest now."""


class _Queue(deque[Order]):
    """The orders at one price, oldest first."""

    __slots__ = ("dead",)

    dead: int
    """How many of them have quantity 0."""

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        super().__init__(orders)
        self.dead = 0


# A queue with fewer dead is not worth making anew.
_FEW_DEAD = 32
RESTED = Outcome(rests=True)
"""What comes of an order that met nobody and rests."""

# Looking a member up in its enumeration takes longer than matching an order does.
_GTC, _FOK, _POST_ONLY = TimeInForce.GTC, TimeInForce.FOK, TimeInForce.POST_ONLY


class OrderBook:
    """One market's resting orders, and the matching of arriving ones."""

    __slots__ = ("_heaps", "_levels", "_orders", "_spare", "self_trade_prevention")

    def __init__(self, self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST) -> None:
        self.self_trade_prevention = self_trade_prevention
        self._levels: tuple[dict[int, _Queue], dict[int, _Queue]] = ({}, {})
        # Bids are kept negated, so that the smallest entry of either heap is the best price.
        self._heaps: tuple[list[int], list[int]] = ([], [])
        self._orders: dict[int, Order] = {}
        # Queues that ran empty, to be used again: where prices come and go, making them is most of the work.
        self._spare: list[_Queue] = []

    def __len__(self) -> int:
        return len(self._orders)

    def __contains__(self, order_id: int) -> bool:
        return order_id in self._orders

    def order(self, order_id: int) -> Order | None:
        """Return the resting order of that id, None where there is none."""
        return self._orders.get(order_id)

    def submit(self, order: Order, time_in_force: TimeInForce = _GTC) -> Outcome:
        """Match `order` against the book, then rest what is left of a GTC or post-only order.

        The order's `quantity` is what is left afterwards; that of an IOC or of a prevented self-trade does not rest.
        """
        prices = self._heaps[1 - order.side]
        if time_in_force is _GTC and (not prices or (-prices[0] < order.price if order.side else prices[0] > order.price)):
            self.rest(order)
            return RESTED
        trades: list[Trade] = []
        outcome = Outcome(trades)
        if time_in_force is not _GTC:
            if time_in_force is _POST_ONLY and self._fillable(order, 1):
                outcome.refusal = Refusal.WOULD_TAKE
                return outcome
            if time_in_force is _FOK and self._fillable(order, order.quantity) < order.quantity:
                outcome.refusal = Refusal.CANNOT_FILL
                return outcome
        stopped = self._match(order, trades, outcome)
        if order.quantity and not stopped and (time_in_force is _GTC or time_in_force is _POST_ONLY):
            self.rest(order)
            outcome.rests = True
        return outcome

    def rest(self, order: Order) -> None:
        """Queue `order` behind its price without matching it (how a book is rebuilt, in priority order)."""
        self._orders[order.order_id] = order
        side, price = order.side, order.price
        level = self._levels[side].get(price)
        if level is None:
            level = self._levels[side][price] = self._spare.pop() if self._spare else _Queue()
            level.append(order)
            heappush(self._heaps[side], price if side else -price)
        else:
            level.append(order)

    def cancel(self, order_id: int) -> int:
        """Take a resting order out and return the quantity it had left; 0 where no such order rests."""
        order = self._orders.pop(order_id, None)
        if order is None:
            return 0
        left, order.quantity = order.quantity, 0
        level = self._levels[order.side][order.price]
        level.dead += 1
        if level.dead > _FEW_DEAD:
            self._drop_dead(order)
        return left

    def replace(self, order_id: int, price: int, quantity: int) -> Outcome | None:
        """Change a resting order; None where no such order rests.

        Priority is kept only where the quantity falls at the same price; otherwise the order is taken out and
        submitted again, and may trade.
        """
        order = self._orders.get(order_id)
        if order is None:
            return None
        if price == order.price and 0 < quantity <= order.quantity:
            order.quantity = quantity
            return RESTED
        self.cancel(order_id)
        if quantity <= 0:
            return Outcome()
        return self.submit(Order(order_id, order.account, order.side, price, quantity, order.counterparty, order.client_id))

    def best(self, side: Side) -> int | None:
        """Return the best price of a side in ticks, None where it is empty."""
        levels, heap = self._levels[side], self._heaps[side]
        while heap:
            price = heap[0] if side else -heap[0]
            level = levels[price]
            while level and not level[0].quantity:
                level.popleft()
                level.dead -= 1
            if level:
                return price
            self._spare.append(levels.pop(price))
            heappop(heap)
        return None

    def depth(self, side: Side, limit: int | None = None) -> list[Level]:
        """Return the side's levels, best first, at most `limit` of them."""
        levels = []
        for price in sorted(self._levels[side], reverse=side is Side.BID):
            open_quantities = [order.quantity for order in self._levels[side][price] if order.quantity]
            if open_quantities:
                levels.append(Level(price, sum(open_quantities), len(open_quantities)))
                if limit is not None and len(levels) >= limit:
                    break
        return levels

    def prices(self, side: Side) -> Iterator[int]:
        """Yield the side's prices, best first; all orders at one of them may be gone. The first few cost no more than those.

        The book must not change meanwhile.
        """
        heap = self._heaps[side]
        # The heap's own tree is walked from its root: below a price stand only worse ones.
        waiting = [(heap[0], 0)] if heap else []
        while waiting:
            price, place = heappop(waiting)
            yield price if side else -price
            for below in range(2 * place + 1, min(2 * place + 3, len(heap))):
                heappush(waiting, (heap[below], below))

    def orders_at(self, side: Side, price: int, most: int | None = None) -> list[Order]:
        """Return the orders at a price, in priority order, at most `most` of them."""
        return list(islice((order for order in self._levels[side].get(price, ()) if order.quantity), most))

    def count_at(self, side: Side, price: int) -> int:
        """Return how many orders rest at a price."""
        level = self._levels[side].get(price)
        return 0 if level is None else len(level) - level.dead

    def resting(self, side: Side) -> Iterator[Order]:
        """Yield the side's orders in priority order."""
        for price in sorted(self._levels[side], reverse=side is Side.BID):
            yield from (order for order in self._levels[side][price] if order.quantity)

    def _match(self, order: Order, trades: list[Trade], outcome: Outcome) -> bool:
        """Trade `order` against the other side; return whether self-trade prevention cancelled the rest of it."""
        side, price, counterparty, account = order.side, order.price, order.counterparty, order.account
        levels, heap = self._levels[1 - side], self._heaps[1 - side]
        orders = self._orders
        left = order.quantity
        while left and heap:
            best = -heap[0] if side else heap[0]
            if (best < price) if side else (best > price):
                break
            level = levels[best]
            while level:
                maker = level[0]
                resting = maker.quantity
                if not resting:
                    level.popleft()
                    level.dead -= 1
                    continue
                if (
                    (counterparty is not None and counterparty != maker.account)
                    or (maker.counterparty is not None and maker.counterparty != account)
                    or maker.account == account
                ):
                    order.quantity = left
                    return self._match_around(order, trades, outcome)
                if resting > left:
                    maker.quantity = resting - left
                    trades.append(Trade(maker, order, best, left))
                    order.quantity = 0
                    return False
                maker.quantity = 0
                level.popleft()
                del orders[maker.order_id]
                trades.append(Trade(maker, order, best, resting))
                left -= resting
                if not left:
                    break
            if not level:
                self._spare.append(levels.pop(best))
                heappop(heap)
        order.quantity = left
        return False

    def _match_around(self, order: Order, trades: list[Trade], outcome: Outcome) -> bool:
        """Go on matching where the best order is not admitted: walk every crossing level in priority order."""
        for maker in self._crossing(order):
            if maker.account == order.account:
                if self.self_trade_prevention is not SelfTradePrevention.CANCEL_NEWEST:
                    outcome.cancelled += ((maker, self.cancel(maker.order_id)),)
                if self.self_trade_prevention is not SelfTradePrevention.CANCEL_OLDEST:
                    return True
                continue
            filled = min(maker.quantity, order.quantity)
            maker.quantity -= filled
            order.quantity -= filled
            if not maker.quantity:
                self.cancel(maker.order_id)
            trades.append(Trade(maker, order, maker.price, filled))
            if not order.quantity:
                break
        return False

    def _drop_dead(self, order: Order) -> None:
        """Make the queue of `order` anew where its dead outnumber its living. The old one may still be walked."""
        levels, price = self._levels[order.side], order.price
        level = levels[price]
        if level.dead * 2 > len(level):
            levels[price] = _Queue([each for each in level if each.quantity])

    def _crossing(self, order: Order) -> Iterator[Order]:
        """Yield the resting orders that cross and admit `order`, in priority order."""
        other = Side.BID if order.side else Side.ASK
        for maker in self.resting(other):
            if (maker.price < order.price) if order.side else (maker.price > order.price):
                return
            if maker.admits(order):
                yield maker

    def _fillable(self, order: Order, enough: int) -> int:
        """Return how much of `order` would trade at once, counting up to `enough`."""
        total = 0
        for maker in self._crossing(order):
            if maker.account == order.account:
                if self.self_trade_prevention is not SelfTradePrevention.CANCEL_OLDEST:
                    break
                continue
            total += maker.quantity
            if total >= enough:
                return enough
        return total
