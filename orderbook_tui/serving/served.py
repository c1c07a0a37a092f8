"""The served exchange: a ledger whose every change is remembered first and told to whoever listens then.

    request -> ledger -> store (committed) -> listeners, reply

REST, WebSocket and FIX all work on this, in one event loop: nothing here awaits, so no request comes between another's steps.
"""

import hashlib
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec

from orderbook_tui.config import SimulatorConfig, Universe
from orderbook_tui.config import universe as universe_of
from orderbook_tui.config.budgets import directory
from orderbook_tui.config.venue import FeesSpec
from orderbook_tui.core.action import ANY, OrderAction, OrderMatchingStrategy
from orderbook_tui.core.book import SelfTradePrevention, Side, TimeInForce
from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.market import Account
from orderbook_tui.core.money import decimal
from orderbook_tui.errors import AmountError, CheckpointDamaged, StorageError
from orderbook_tui.serving.ledger import Ledger
from orderbook_tui.serving.orders import Event, NewOrder, Reason, Refusal, ServedOrder
from orderbook_tui.serving.store import Command, Store


class ServedExchange:
    """One exchange with its accounts, to be shared by everything that serves it."""

    def __init__(
        self, universe: Universe, fees: FeeSchedule, self_trade_prevention: SelfTradePrevention, state: Path | None = None
    ) -> None:
        """Start with the balances of `universe`, or where the file `state` says.

        Raises:
            CheckpointError: the file cannot be used.
        """
        self.accounts = {account.id: account for account in universe.accounts}
        self.markets = {market.symbol: market for market in universe.markets}
        self.universe = universe
        self.ledger = Ledger(universe, fees, self_trade_prevention)
        self.listeners: list[Callable[[list[Event]], None]] = []
        """Called with the events of each change, after it was committed."""
        self._ids = directory(universe.accounts)
        self._left_out = {market.symbol: market for market in universe.left_out}
        self.failed = False
        """Whether something could not be remembered: then nobody may be told anything any more."""
        self.store: Store | None = None
        if state is not None:
            self.store = Store(state, _fingerprint(universe, fees, self_trade_prevention))
            try:
                self._replay(self.store)
            except BaseException:
                self.store.__exit__()
                raise

    @classmethod
    def of(cls, config: SimulatorConfig, folder: Path, state: Path | None = None) -> "ServedExchange":
        """Return the exchange that a configuration describes; its venue may be of any kind."""
        # The fees of a network venue are said to whoever trades there: an exchange that stands in for it charges them.
        fees = getattr(config.venue, "fees", FeesSpec())
        prevention = getattr(config.venue, "self_trade_prevention", SelfTradePrevention.CANCEL_NEWEST)
        return cls(universe_of(config, folder), FeeSchedule.of(fees.maker, fees.taker), prevention, state)

    def close(self) -> None:
        """Let go of the file."""
        if self.store is not None:
            self.store.__exit__()

    def account(self, name_or_id: str) -> Account | None:
        """Return the account that goes by that name or id."""
        account_id = self._ids.get(name_or_id)
        return None if account_id is None else self.accounts[account_id]

    def new_order(
        self,
        account: Account,
        client_order_id: str,
        market: str,
        side: Side,
        price: Decimal,
        quantity: Decimal,
        time_in_force: TimeInForce,
        counterparty: str | None = None,
        via: str = "",
    ) -> NewOrder:
        """Return an order in the exchange's own units.

        Raises:
            Refusal: it is none of this exchange's.
        """
        traded = self.markets.get(market)
        if traded is None:
            if market in self._left_out:
                raise Refusal("market_not_active", f"{market} is {self._left_out[market].status}")
            raise Refusal("unknown_market", f"there is no market {market[:64]}")
        other = None if counterparty is None else self.account(counterparty)
        if counterparty is not None and (other is None or other is account):
            raise Refusal("unknown_counterparty", f"there is no other account {counterparty[:64]}")
        try:
            ticks = traded.price_ticks(decimal(price))
        except AmountError as error:
            raise Refusal("invalid_price", str(error)) from None
        try:
            lots = traded.quantity_lots(decimal(quantity))
        except AmountError as error:
            raise Refusal("invalid_quantity", str(error)) from None
        action = OrderAction(traded, side, lots, ticks, _strategy(other), time_in_force)
        return NewOrder(account, client_order_id, action, other, via)

    def place(self, new: NewOrder) -> tuple[ServedOrder, bool]:
        """Place an order. Return it, and whether it is new: the same order again is the one that there is.

        Raises:
            Refusal: nothing has changed.
            StorageError: it cannot be remembered; the exchange must not go on.
        """
        account, client_order_id, action = new.account.id, new.client_order_id, new.action
        known = self.ledger.order(account, client_order_id)
        if known is not None:
            if known.new.action == action:
                return known, False
            raise Refusal("duplicate_client_order_id", f"{client_order_id} is another order already")
        if self.ledger.is_dead(account, client_order_id):
            raise Refusal("dead_client_order_id", f"{client_order_id} was fenced: no order goes by it any more")
        now, before = time.time_ns(), len(self.ledger.events)
        order = self.ledger.place(new, now)
        self._remember(
                Command(
                    now, "place", account, client_order_id, len(self.ledger.events), action.market.symbol, int(action.side),
                    action.price, action.quantity, action.time_in_force.value, action.matching_strategy.account, new.via,
                )
            )  # fmt: skip
        self._tell(before)
        return order, True

    def cancel(self, order: ServedOrder, reason: Reason = Reason.REQUESTED, request_id: str = "") -> bool:
        """Cancel what is open of an order; return whether there was anything.

        Raises:
            StorageError: it cannot be remembered; the exchange must not go on.
        """
        now, before = time.time_ns(), len(self.ledger.events)
        if not self.ledger.cancel(order, now, reason, request_id):
            return False
        account, client_order_id, events = order.new.account.id, order.new.client_order_id, len(self.ledger.events)
        self._remember(Command(now, "cancel", account, client_order_id, events, reason=reason.value, request_id=request_id))
        self._tell(before)
        return True

    def fence(self, account: Account, client_order_id: str) -> ServedOrder | None:
        """Return the account's order of that id; where there is none, there never will be.

        Raises:
            StorageError: it cannot be remembered; the exchange must not go on.
        """
        if self.ledger.fence(account.id, client_order_id):
            self._remember(Command(time.time_ns(), "fence", account.id, client_order_id, len(self.ledger.events)))
        return self.ledger.order(account.id, client_order_id)

    def _remember(self, command: Command) -> None:
        if self.store is not None:
            try:
                self.store.append(command)
            except StorageError:
                self.failed = True
                raise

    def _tell(self, before: int) -> None:
        if self.listeners:
            events = self.ledger.events[before:]
            for listener in self.listeners:
                listener(events)

    def _replay(self, store: Store) -> None:
        ledger = self.ledger
        for command in store.commands():
            try:
                self._do_again(command)
            except (Refusal, KeyError, ValueError):
                raise CheckpointDamaged(f"{store.path} is damaged: it was left as it is") from None
            if len(ledger.events) != command.events:
                raise CheckpointDamaged(f"{store.path}: what it says does not lead to where it was; it was left as it is")

    def _do_again(self, command: Command) -> None:
        account, ledger = self.accounts[command.account], self.ledger
        if command.kind == "fence":
            ledger.fence(account.id, command.client_order_id)
        elif command.kind == "cancel":
            order = ledger.order(account.id, command.client_order_id)
            if order is None:
                raise ValueError(command.client_order_id)
            ledger.cancel(order, command.at, Reason(command.reason), command.request_id)
        else:
            other = None if command.counterparty is None else self.accounts[command.counterparty]
            market, time_in_force = self.markets[command.market], TimeInForce(command.time_in_force)
            action = OrderAction(market, Side(command.side), command.quantity, command.price, _strategy(other), time_in_force)
            ledger.place(NewOrder(account, command.client_order_id, action, other, command.via), command.at)


def _strategy(counterparty: Account | None) -> OrderMatchingStrategy:
    return ANY if counterparty is None else OrderMatchingStrategy.match_with(counterparty.id)


def _fingerprint(universe: Universe, fees: FeeSchedule, self_trade_prevention: SelfTradePrevention) -> str:
    """Return what tells this universe and these rules from all others."""
    budgets = sorted((*pair, units) for pair, units in universe.budgets.items())
    facts = (universe.accounts, universe.markets, sorted(universe.assets), budgets, fees, self_trade_prevention)
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()
