"""The ledger of the served exchange: what every account has, and what became of its orders.

    available --order--> locked --fill--> the other side's available, and the fees
    available <-cancel-- locked

An order locks what `core.settlement` says: a Bid price x quantity of quote and the highest fee on that, an Ask its base; a
better price and a lower fee give the difference back, and a seller's fee is withheld from the proceeds. Unlike a budget, a
balance grows: what an account receives it may give again. So per asset, all that is available or locked, and the fees,
always sum to what there was at the start.

The ledger is a function of the commands given to it, one after the other: the same commands make the same ledger again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from orderbook_tui.config import Universe
from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.book import Refusal as BookRefusal
from orderbook_tui.core.book import SelfTradePrevention, Side, TimeInForce
from orderbook_tui.core.discipline import MarketDiscipline
from orderbook_tui.core.exchange import Exchange, FeeSchedule, fee
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.money import MAX_UNITS, Asset
from orderbook_tui.errors import DisciplineError, Rejected
from orderbook_tui.serving.orders import Event, EventKind, Fill, NewOrder, Reason, Refusal, ServedOrder

_BID = Side.BID
_CODES = {BookRefusal.WOULD_TAKE.value: "would_take", BookRefusal.CANNOT_FILL.value: "cannot_fill"}


@dataclass(slots=True)
class Balance:
    """What one account has of one asset, in units of it."""

    available: int
    locked: int = 0


class Ledger:
    """Balances and orders of all accounts, over the books of all active markets."""

    def __init__(
        self,
        universe: Universe,
        fees: FeeSchedule = FeeSchedule(),  # noqa: B008 - it is immutable
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST,
    ) -> None:
        self.assets: dict[str, Asset] = universe.assets
        self.exchange = Exchange(universe.markets, fees, self_trade_prevention)
        self.balances = {
            account.id: {symbol: Balance(universe.budgets.get((account.id, symbol), 0)) for symbol in universe.assets}
            for account in universe.accounts
        }
        self.fees = dict.fromkeys(universe.assets, 0)
        """What the exchange has taken, by asset, in its units."""
        self.events: list[Event] = []
        """Everything that happened, in order: the event with sequence number n is at place n - 1."""
        self._disciplines = {market.symbol: MarketDiscipline(market) for market in universe.markets}
        self._highest_fee = fees.highest
        self._orders: list[ServedOrder] = []
        self._by_client_id: dict[tuple[str, str], ServedOrder] = {}
        self._by_account: dict[str, list[ServedOrder]] = {}
        self._dead: set[tuple[str, str]] = set()
        self._trades = 0

    def order(self, account: str, client_order_id: str) -> ServedOrder | None:
        """Return the order that the account calls so, None where there is none."""
        return self._by_client_id.get((account, client_order_id))

    def orders(self, account: str) -> Iterator[ServedOrder]:
        """Yield the account's orders, the oldest first."""
        yield from self._by_account.get(account, ())

    def is_dead(self, account: str, client_order_id: str) -> bool:
        """Whether no order of the account may ever go by that id."""
        return (account, client_order_id) in self._dead

    def place(self, new: NewOrder, now: int) -> ServedOrder:
        """Take an order, match it and rest what its time in force lets rest. Its client order id was never used.

        Raises:
            Refusal: nothing has changed.
        """
        action, account = new.action, new.account.id
        self._check(action)
        needed = self._need(action, action.quantity)
        given = self.balances[account][action.bid_asset]
        if needed > given.available:
            there, wanted = (self.assets[action.bid_asset].amount(units) for units in (given.available, needed))
            words = f"{new.account.name} has {there:f} {action.bid_asset} available, the order needs {wanted:f}"
            raise Refusal("insufficient_funds", words)
        number = len(self._orders)
        try:
            submission = self.exchange.submit(account, action, action.quantity, number, now)
        except Rejected as error:
            raise Refusal(_CODES[str(error)], str(error)) from None
        given.available -= needed
        given.locked += needed
        order = ServedOrder(number, new, int(submission.order_id), now, action.quantity)
        self._orders.append(order)
        self._by_client_id[account, new.client_order_id] = order
        self._by_account.setdefault(account, []).append(order)
        self._tell(EventKind.ACCEPTED, order, now)
        for execution in submission.executions:
            self._settle(execution)
        for cancelled, _ in submission.cancelled:
            is_immediate = cancelled == number and action.time_in_force is TimeInForce.IOC
            self._cancelled(self._orders[cancelled], now, Reason.TIME_IN_FORCE if is_immediate else Reason.SELF_TRADE)
        return order

    def cancel(self, order: ServedOrder, now: int, reason: Reason = Reason.REQUESTED, request_id: str = "") -> bool:
        """Cancel what is open of an order; return whether there was anything."""
        if not order.open:
            return False
        self.exchange.cancel(order.order_id)
        self._cancelled(order, now, reason, request_id)
        return True

    def fence(self, account: str, client_order_id: str) -> bool:
        """Let no order of the account ever go by that id, unless one does; return whether that is new."""
        key = account, client_order_id
        if key in self._by_client_id or key in self._dead:
            return False
        self._dead.add(key)
        return True

    def _check(self, action: OrderAction) -> None:
        market, price, quantity = action.market, action.price, action.quantity
        discipline = self._disciplines[market.symbol]
        if quantity <= 0:
            raise Refusal("invalid_quantity", f"quantity {market.quantity(quantity):f} is not positive")
        if quantity * market.base_per_lot > MAX_UNITS:
            raise Refusal("invalid_quantity", f"quantity {market.quantity(quantity):f} is too large")
        try:
            discipline.check(price, quantity)
        except DisciplineError as error:
            in_band = discipline.lowest <= price <= discipline.ceiling
            raise Refusal("below_min_notional" if in_band else "invalid_price", str(error)) from None
        if market.notional(price, quantity) > MAX_UNITS:
            raise Refusal("invalid_price", f"price {market.price(price):f} is too large for that quantity")

    def _need(self, action: OrderAction, quantity: int) -> int:
        """Return what an order of `quantity` lots locks, in units of the asset that it gives."""
        if action.side is not _BID:
            return quantity * action.market.base_per_lot
        notional = action.market.notional(action.price, quantity)
        return notional + fee(self._highest_fee, notional)

    def _settle(self, execution: Execution) -> None:
        maker, taker = self._orders[execution.maker], self._orders[execution.taker]
        self._trades += 1
        self._fill(maker, execution, execution.maker_fee, taker, is_maker=True)
        self._fill(taker, execution, execution.taker_fee, maker, is_maker=False)

    def _fill(self, order: ServedOrder, execution: Execution, charge: int, other: ServedOrder, *, is_maker: bool) -> None:
        action, balances = order.new.action, self.balances[order.new.account.id]
        market, lots = action.market, execution.quantity
        notional, moved = market.notional(execution.price, lots), lots * market.base_per_lot
        base, quote = balances[market.base.symbol], balances[market.quote.symbol]
        if action.side is _BID:
            released = self._need(action, order.open) - self._need(action, order.open - lots)
            quote.locked -= released
            quote.available += released - notional - charge
            base.available += moved
        else:
            base.locked -= moved
            quote.available += notional - charge
        self.fees[market.quote.symbol] += charge
        fill = Fill(self._trades, execution.price, lots, charge, is_maker, other.new.account, execution.at)
        order.open -= lots
        order.filled += lots
        order.notional += notional
        order.fee += charge
        order.fills.append(fill)
        self._tell(EventKind.FILL, order, execution.at, fill=fill)

    def _cancelled(self, order: ServedOrder, now: int, reason: Reason, request_id: str = "") -> None:
        action = order.new.action
        given, held = self.balances[order.new.account.id][action.bid_asset], self._need(action, order.open)
        given.locked -= held
        given.available += held
        order.open = 0
        self._tell(EventKind.CANCELLED, order, now, reason=reason, request_id=request_id)

    def _tell(
        self,
        kind: EventKind,
        order: ServedOrder,
        now: int,
        *,
        fill: Fill | None = None,
        reason: Reason | None = None,
        request_id: str = "",
    ) -> None:
        seq = len(self.events) + 1
        self.events.append(Event(seq, kind, order, now, order.open, order.filled, order.notional, fill, reason, request_id))
