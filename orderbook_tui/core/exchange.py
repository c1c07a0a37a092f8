"""The exchange: one order book a market, with fees, self-trade prevention and order ids of its own."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from orderbook_tui.core.book import Order, OrderBook, SelfTradePrevention, Trade
from orderbook_tui.core.market import Market
from orderbook_tui.core.money import decimal, steps
from orderbook_tui.core.slot import Execution, OrderAction
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
    executions: list[Execution]
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
        # An id tells its market: id = turn x number of markets + place of the market.
        self._places = {symbol: place for place, symbol in enumerate(self.books)}
        self._by_place = list(self.books.values())
        self._turn = 1

    def submit(self, account: str, action: OrderAction, quantity: int, client_id: int, now: int) -> Submission:
        """Match `quantity` lots of `action`, and rest what its time in force lets rest.

        Raises:
            Rejected: a post-only order would take, or a fill-or-kill order cannot be filled; nothing has changed.
        """
        market = action.market
        place = self._places[market.symbol]
        book = self._by_place[place]
        order_id = self._turn * len(self._by_place) + place
        order = Order(order_id, account, action.side, action.price, quantity, action.matching_strategy.account, client_id)
        outcome = book.submit(order, action.time_in_force)
        if outcome.refusal is not None:
            raise Rejected(outcome.refusal.value)
        self._turn += 1
        submission = Submission(order_id, [self._execution(trade, market, now) for trade in outcome.trades])
        if order.quantity and order_id not in book:
            outcome.cancelled += ((order, order.quantity),)
        if outcome.cancelled:
            submission.cancelled = tuple((gone.client_id, left) for gone, left in outcome.cancelled)
        return submission

    def cancel(self, order_id: int) -> int:
        """Cancel a resting order and return the lots it had left; 0 where no such order rests."""
        return self._by_place[order_id % len(self._by_place)].cancel(order_id)

    def restore(self, order_id: int, account: str, action: OrderAction, quantity: int, client_id: int) -> None:
        """Rest an order of an earlier life behind its price. Restore in priority order; ids go on after the highest."""
        order = Order(order_id, account, action.side, action.price, quantity, action.matching_strategy.account, client_id)
        self.books[action.market.symbol].rest(order)
        self.skip_ids(order_id)

    def skip_ids(self, order_id: int) -> None:
        """Give no id up to `order_id` to a new order."""
        self._turn = max(self._turn, order_id // len(self._by_place) + 1)

    def _execution(self, trade: Trade, market: Market, now: int) -> Execution:
        price, quantity, maker_fee, taker_fee = trade.price, trade.quantity, 0, 0
        if self._charges:
            notional = price * quantity * market.quote_per_tick_lot
            maker_fee, taker_fee = fee(self.fees.maker, notional), fee(self.fees.taker, notional)
        return Execution(trade.maker.client_id, trade.taker.client_id, price, quantity, maker_fee, taker_fee, now)
