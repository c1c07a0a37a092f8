"""The exchange: one order book a market, with fees, self-trade prevention and order ids of its own."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from orderbook_tui.core.book import Order, OrderBook, SelfTradePrevention, Trade
from orderbook_tui.core.market import Market
from orderbook_tui.core.money import steps
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
        for rate in (maker, taker):
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
        self.books = {market.symbol: OrderBook(self_trade_prevention) for market in markets}
        self._next_id = 1
        self._market_of: dict[int, str] = {}

    def submit(self, account: str, action: OrderAction, quantity: int, client_id: int, now: int) -> Submission:
        """Match `quantity` lots of `action`, and rest what its time in force lets rest.

        Raises:
            Rejected: a post-only order would take, or a fill-or-kill order cannot be filled; nothing has changed.
        """
        order_id = self._next_id
        symbol = action.market.symbol
        order = Order(order_id, account, action.side, action.price, quantity, action.matching_strategy.account, client_id)
        outcome = self.books[symbol].submit(order, action.time_in_force)
        if outcome.refusal is not None:
            raise Rejected(outcome.refusal.value)
        self._next_id = order_id + 1
        if order.quantity:
            if order_id in self.books[symbol]:
                self._market_of[order_id] = symbol
            else:
                outcome.cancelled += ((order, order.quantity),)
        if not outcome.trades and not outcome.cancelled:
            return Submission(order_id, [])
        return self._report(order, action.market, outcome.trades, outcome.cancelled, now)

    def cancel(self, order_id: int) -> int:
        """Cancel a resting order and return the lots it had left; 0 where no such order rests."""
        symbol = self._market_of.pop(order_id, None)
        return self.books[symbol].cancel(order_id) if symbol is not None else 0

    def restore(self, order_id: int, account: str, action: OrderAction, quantity: int, client_id: int) -> None:
        """Rest an order of an earlier life behind its price. Restore in priority order; ids go on after the highest."""
        order = Order(order_id, account, action.side, action.price, quantity, action.matching_strategy.account, client_id)
        self.books[action.market.symbol].rest(order)
        self._market_of[order_id] = action.market.symbol
        self.skip_ids(order_id)

    def skip_ids(self, order_id: int) -> None:
        """Give no id up to `order_id` to a new order."""
        self._next_id = max(self._next_id, order_id + 1)

    def _report(
        self, order: Order, market: Market, trades: list[Trade], cancelled: tuple[tuple[Order, int], ...], now: int
    ) -> Submission:
        executions = []
        fees, unit = self.fees, market.quote_per_tick_lot
        for trade in trades:
            maker, price, quantity = trade.maker, trade.price, trade.quantity
            notional = price * quantity * unit
            maker_fee, taker_fee = notional * fees.maker // _FEE_SCALE, notional * fees.taker // _FEE_SCALE
            executions.append(Execution(maker.client_id, order.client_id, price, quantity, maker_fee, taker_fee, now))
            if not maker.quantity:
                self._market_of.pop(maker.order_id, None)
        for gone, _ in cancelled:
            self._market_of.pop(gone.order_id, None)
        return Submission(order.order_id, executions, tuple((gone.client_id, left) for gone, left in cancelled))
