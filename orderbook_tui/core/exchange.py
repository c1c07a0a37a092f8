"""The exchange: one order book a market, with fees, self-trade prevention and order ids of its own."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.book import RESTED, Order, OrderBook, Outcome, SelfTradePrevention
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.market import Market
from orderbook_tui.core.money import decimal, steps
from orderbook_tui.errors import AmountError, Rejected

FEE_DECIMALS: Final = 10
_FEE_SCALE: Final = 10**FEE_DECIMALS


class FeeSchedule(msgspec.Struct, frozen=True, gc=False):
    """What a trade costs, as shares of its notional, in units of 10**-10."""

    maker: int = 0
    taker: int = 0

    @classmethod
    def of(cls, maker: Decimal, taker: Decimal) -> "FeeSchedule":
        """Read two rates, such as 0.0005; raises AmountError outside 0 <= rate < 1 or past 10 decimals."""
        scaled_rates = []
        for rate in map(decimal, (maker, taker)):
            if not 0 <= rate < 1:
                raise AmountError(f"fee {rate} is not in 0 <= fee < 1")
            scaled_rates.append(
                steps(rate, Decimal(1).scaleb(-FEE_DECIMALS), f"fee {rate} has more than {FEE_DECIMALS} decimals")
            )
        return cls(*scaled_rates)

    @property
    def highest(self) -> int:
        return max(self.maker, self.taker)


def fee(rate: int, notional: int) -> int:
    """Return the fee on `notional` quote units, rounded down: the one rounding of the project."""
    return notional * rate // _FEE_SCALE


class Submission(msgspec.Struct, gc=False):
    """What the exchange made of an order: its id, the trades at once, and the (client id, lots) that it cancelled."""

    order_id: int | str
    executions: Sequence[Execution] = ()
    cancelled: tuple[tuple[int, int], ...] = ()


class Exchange:
    """The books of all markets. Orders come from `OrderAction`s; `client_id` is the owner's own number for an order."""

    def __init__(
        self,
        markets: Iterable[Market],
        fees: FeeSchedule = FeeSchedule(),  # noqa: B008 - it is immutable
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST,
    ) -> None:
        self.fees = fees
        self._charges = fees.highest > 0
        self.books = {market.symbol: OrderBook(self_trade_prevention) for market in markets}
        # An id tells its market: ids are handed out in turns, one for each market, in the order of the markets.
        self._by_place = list(self.books.values())
        self._entries = {symbol: (place, book) for place, (symbol, book) in enumerate(self.books.items())}
        self._stride = self._turn = len(self._by_place)

    def submit(self, account: str, action: OrderAction, quantity: int, client_id: int, now: int) -> Submission:
        """Match `quantity` lots of `action`, and rest what its time in force lets rest.

        Raises:
            Rejected: a post-only order would take, or a fill-or-kill order cannot be filled; nothing has changed.
        """
        market = action.market
        place, book = self._entries[market.symbol]
        order_id = self._turn + place
        order = Order(order_id, account, action.side, action.price, quantity, action.matching_strategy.account, client_id)
        outcome = book.submit(order, action.time_in_force)
        if outcome is RESTED:
            self._turn += self._stride
            return Submission(order_id)
        if outcome.refusal is not None:
            raise Rejected(outcome.refusal.value)
        self._turn += self._stride
        executions = []
        for trade in outcome.trades:
            price, lots, maker_fee, taker_fee = trade.price, trade.quantity, 0, 0
            if self._charges:
                notional = market.notional(price, lots)
                maker_fee, taker_fee = fee(self.fees.maker, notional), fee(self.fees.taker, notional)
            executions.append(Execution(trade.maker.client_id, client_id, price, lots, maker_fee, taker_fee, now))
        cancelled = _cancelled(order, outcome) if order.quantity or outcome.cancelled else ()
        return Submission(order_id, executions, cancelled)

    def cancel(self, order_id: int) -> int:
        """Cancel a resting order and return the lots it had left; 0 where no such order rests."""
        return self._by_place[order_id % self._stride].cancel(order_id)

    def restore(self, order_id: int, account: str, action: OrderAction, quantity: int, client_id: int) -> None:
        """Rest an order of an earlier life behind its price. Restore in priority order; ids go on after the highest.

        The exchange must have the same markets in the same order as the one that gave the id.
        """
        order = Order(order_id, account, action.side, action.price, quantity, action.matching_strategy.account, client_id)
        self.books[action.market.symbol].rest(order)
        self.skip_ids(order_id)

    def skip_ids(self, order_id: int) -> None:
        """Give no id up to `order_id` to a new order."""
        self._turn = max(self._turn, (order_id // self._stride + 1) * self._stride)


def _cancelled(order: Order, outcome: Outcome) -> tuple[tuple[int, int], ...]:
    """Return what self-trade prevention cancelled, and what is left of an order that neither filled nor rests."""
    gone = outcome.cancelled if outcome.rests or not order.quantity else (*outcome.cancelled, (order, order.quantity))
    return tuple((each.client_id, left) for each, left in gone)
