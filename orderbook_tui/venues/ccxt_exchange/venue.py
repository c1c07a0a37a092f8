"""The ccxt venue: an exchange through the library's one interface for all of them.

place -> create_order with our id; what came of it is asked for later, trade by trade where the exchange tells trades
"""

import asyncio
import hashlib
import uuid
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Any, Final

import ccxt

from orderbook_tui.config.ccxt import CcxtVenueSpec
from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.journal import Balance
from orderbook_tui.core.market import Market
from orderbook_tui.core.money import decimal
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import SimulationState
from orderbook_tui.core.words import harmless
from orderbook_tui.errors import (
    AmountError,
    ConfigError,
    NotSeen,
    OrderError,
    OutcomeUnknown,
    Problem,
    Rejected,
    VenueUnavailable,
)
from orderbook_tui.venues.base import Capabilities, Listener, OpenOrder, OrderReport
from orderbook_tui.venues.ccxt_exchange.clients import Client, Clients
from orderbook_tui.venues.ccxt_exchange.failures import failure, unanswered
from orderbook_tui.venues.ccxt_exchange.markets import HINT, misfits, terms
from orderbook_tui.venues.ccxt_exchange.orders import LONGEST_ID, OrderReader, Structure, fees_elsewhere

_MARGIN_S: Final = 0.25
"""How much later than it says an exchange may still take a request that has expired."""
_LISTS: Final = ("fetchOpenOrders", "fetchOrders", "fetchClosedOrders", "fetchCanceledOrders")


class CcxtVenue:
    """Places orders at an exchange of the library's."""

    def __init__(self, spec: CcxtVenueSpec, state: SimulationState) -> None:
        """Make sure that there is such an exchange.

        Raises:
            ConfigError: there is not, or it has no sandbox, or a variable of the environment is missing.
        """
        self._spec, self._state = spec, state
        self._clients = Clients(spec, state.plan.accounts)
        self._has = {name for name, can in self._clients.sample.has.items() if can}
        self._reader = OrderReader()
        self._names = {account.id: account.name for account in state.plan.accounts}
        self._codes = {asset.symbol: spec.assets.get(asset.symbol, asset.symbol) for asset in state.plan.assets}
        self._symbols = {market.symbol: self._symbol(market) for market in state.plan.markets}
        self._lists = [name for name in _LISTS if name in self._has]
        self._by_client_id = "fetchOrderWithClientOrderId" in self._has
        self.capabilities = Capabilities(
            look_up=self._by_client_id or "fetchOrder" in self._has or bool(self._lists),
            fence=bool(spec.expires_after_ms),
            deduplicates_for_s=spec.deduplicates_for_s,
            cancel="cancelOrder" in self._has,
            client_ids=True,
            open_orders="fetchOpenOrders" in self._has,
            balances="fetchBalance" in self._has,
        )
        self._listener: Listener | None = None
        self._sent: dict[str, float] = {}
        """When each order that may be under way was last sent, where the exchange drops what comes late."""
        self._opened = 0.0
        self._are_loaded = False
        self._loading = asyncio.Lock()
        if "createOrder" not in self._has:
            raise ConfigError([Problem("venue.exchange", f"{spec.exchange} takes no orders")])

    def _symbol(self, market: Market) -> str:
        if market.symbol in self._spec.markets:
            return market.symbol
        given = self._spec.symbols.get(market.symbol)
        return given or f"{self._codes[market.base.symbol]}/{self._codes[market.quote.symbol]}"

    # The life of a run

    async def open(self, listener: Listener) -> None:
        """Ask for the exchange's markets; where they do not answer yet, that is done before the first order.

        Raises:
            ConfigError: the run's markets do not keep to the exchange's precision and limits.
        """
        self._listener = listener
        self._opened = monotonic()
        self._are_loaded = False
        self._loading = asyncio.Lock()
        self._clients.open()
        try:
            await self._load()
        except ConfigError:
            await self.close()
            raise
        except OrderError:
            pass  # whoever places next hears of it

    async def close(self) -> None:
        await self._clients.close()

    def restore(self, slot: ActionSlot) -> None:
        """The orders of an earlier life are where they were."""

    def place_again(self, slot: ActionSlot, quantity: int) -> Submission:
        raise Rejected("an order placed elsewhere is not placed again")

    async def _load(self) -> None:
        """Have the exchange's markets, and hold ours against them.

        Raises:
            OrderError: it does not answer.
        """
        async with self._loading:
            if self._are_loaded:
                return
            first = self._clients.first()
            try:
                await first.load_markets()
            except Exception as error:
                refused = unanswered(error)
                # No order was sent.
                raise VenueUnavailable(f"the exchange does not tell its markets: {refused}") from error
            for client in self._clients.all():
                if client is not first:
                    client.set_markets(first.markets, first.currencies)
            problems = list(self._problems(first))
            if problems:
                raise ConfigError(problems)
            self._are_loaded = True

    def _problems(self, client: Client) -> Iterable[Problem]:
        ended = SlotState.COMPLETED, SlotState.SKIPPED
        for index, market in enumerate(self._state.plan.markets):
            slots = [slot for slot in self._state.slots if slot.action.market is market and slot.state not in ended]
            symbol = self._symbols[market.symbol]
            place = f"markets[{index}]" if market.symbol not in self._spec.markets else f"venue.markets: {symbol}"
            if not slots:
                continue
            if symbol not in client.markets:
                yield Problem(
                    place, f"{self._spec.exchange} has no market {symbol}: venue.symbols says what it calls {market.symbol}"
                )
                continue
            theirs = terms(client.markets[symbol], client.precisionMode)
            yield from (Problem(place, f"{words}; {HINT}") for words in misfits(market, theirs, slots))

    # Orders

    async def place(self, slot: ActionSlot, quantity: int) -> Submission:
        await self._load()
        action, name = slot.action, self._name_of(slot)
        market = action.market
        params = {**self._spec.params, "clientOrderId": name}
        match action.time_in_force:
            case TimeInForce.IOC | TimeInForce.FOK:
                params["timeInForce"] = action.time_in_force.value.upper()
            case TimeInForce.POST_ONLY:
                params["postOnly"] = True
        wanted = action.matching_strategy.account
        if wanted is not None and self._spec.counterparty_param is not None:
            params[self._spec.counterparty_param] = self._names.get(wanted, wanted)
        if self._spec.expires_after_ms:
            self._sent[name] = monotonic()
        side = "buy" if action.side is Side.BID else "sell"
        amount, price = f"{market.quantity(quantity):f}", f"{market.price(action.price):f}"
        client = self._clients.of(slot.account_id)
        try:
            order = await client.create_order(self._symbols[market.symbol], "limit", side, amount, price, params)
        except Exception as error:
            raise failure(error) from error
        order_id = order.get("id") if isinstance(order, dict) else None
        if not isinstance(order_id, str | int) or not str(order_id):
            raise OutcomeUnknown("the library answered no order id")
        if order.get("status") == "rejected":
            raise Rejected("the exchange took the order, and rejected it")
        # What is filled is asked for, trade by trade: an answer to placing often has no fees yet.
        return OrderReport(harmless(str(order_id), LONGEST_ID))

    async def look_up(self, slot: ActionSlot, quantity: int) -> Submission | None:
        await self._load()
        found = await self._report_of(slot)
        if found is not None or slot.open:
            return found
        name, expires = self._name_of(slot), self._spec.expires_after_ms
        if not expires:
            raise NotSeen(f"the exchange has no order {name} now")
        left = self._sent.get(name, self._opened) + expires / 1000 + _MARGIN_S - monotonic()
        if left > 0:
            await asyncio.sleep(left)
            found = await self._report_of(slot)
        self._sent.pop(name, None)
        return found

    async def cancel(self, slot: ActionSlot) -> OrderReport | None:
        if not self.capabilities.cancel:
            return None
        await self._load()
        client, symbol = self._clients.of(slot.account_id), self._symbols[slot.action.market.symbol]
        try:
            await client.cancel_order(str(slot.order_id), symbol, {"clientOrderId": self._name_of(slot)})
        except ccxt.ExchangeError:
            pass  # it may be filled: asking says what it is
        except Exception as error:
            raise unanswered(error) from error
        report = await self._report_of(slot)
        if report is None:
            raise OutcomeUnknown("the exchange does not say what became of the order")
        return report

    # Books

    async def open_orders(self, accounts: Sequence[str]) -> Iterable[OpenOrder]:
        if not self.capabilities.open_orders:
            raise VenueUnavailable("the exchange does not tell which orders are open")
        await self._load()
        named = {self._name_of(slot): slot for slot in self._state.open_slots()}
        traded = dict.fromkeys((slot.account_id, slot.action.market.symbol) for slot in self._state.slots)
        found = []
        for account, market in traded:
            if account in accounts:
                for order in await self._asked(self._clients.of(account).fetch_open_orders, self._symbols[market]):
                    theirs = str(order.get("clientOrderId") or "")
                    slot = named.get(theirs)
                    if slot is not None and slot.account_id != account:
                        continue  # accounts that share credentials see each other's orders
                    left = -1
                    if slot is not None and order.get("remaining") is not None:
                        left = _lots(slot, order["remaining"])
                    found.append(
                        OpenOrder(
                            account=account,
                            client_order_id=slot.client_order_id if slot is not None else harmless(theirs, LONGEST_ID),
                            order_id=harmless(str(order.get("id") or ""), LONGEST_ID),
                            market=market,
                            left=left,
                        )
                    )
        return found

    async def balances(self, accounts: Sequence[str]) -> Iterable[Balance]:
        if not self.capabilities.balances:
            raise VenueUnavailable("the exchange does not tell what accounts hold")
        await self._load()
        found = []
        for account in accounts:
            told = await self._asked(self._clients.of(account).fetch_balance)
            for asset in self._state.plan.assets:
                held = told.get(self._codes[asset.symbol])
                if isinstance(held, dict):
                    free, used, total = held.get("free"), held.get("used"), held.get("total")
                    try:
                        locked = asset.whole_units(decimal(used)) if used is not None else 0
                        if free is None:
                            available = asset.whole_units(decimal(str(total))) - locked
                        else:
                            available = asset.whole_units(decimal(free))
                    except AmountError as error:
                        raise OutcomeUnknown(f"a balance cannot be read: {error}") from error
                    found.append(Balance(account, asset.symbol, available, locked))
        return found

    # Within

    def _name_of(self, slot: ActionSlot) -> str:
        """Return what the exchange is told to call the slot's order."""
        name = slot.client_order_id
        match self._spec.client_order_ids:
            case "hex":
                return hashlib.sha256(name.encode()).hexdigest()[:32]
            case "uuid":
                return str(uuid.uuid5(uuid.NAMESPACE_OID, name))
        return name

    async def _asked(self, question: Any, *arguments: Any) -> Any:
        """Return what the library answers.

        Raises:
            OrderError: it does not.
        """
        try:
            return await question(*arguments)
        except Exception as error:
            raise unanswered(error) from error

    async def _report_of(self, slot: ActionSlot) -> OrderReport | None:
        """Return what became of the slot's order; None where the exchange has none such."""
        client, symbol = self._clients.of(slot.account_id), self._symbols[slot.action.market.symbol]
        try:
            order = await self._order_of(client, slot, symbol)
            if order is None:
                return None
            trades = await self._trades_of(client, order, symbol)
        except Exception as error:
            raise unanswered(error) from error
        code = self._codes[slot.action.market.quote.symbol]
        for asset in fees_elsewhere([order] if trades is None else trades, code):
            if self._listener is not None:
                self._listener.stray(f"fees were paid in {asset}: they are not counted")
        try:
            return self._reader.report(slot, order, trades, code)
        except AmountError as error:
            raise OutcomeUnknown(f"the exchange says of slot {slot.sequence} what cannot be: {error}") from error

    async def _order_of(self, client: Client, slot: ActionSlot, symbol: str) -> Structure | None:
        """Return the slot's order: by the exchange's id, by ours, or from the lists of all."""
        name = self._name_of(slot)
        order: Structure
        try:
            if slot.open and slot.order_id is not None and "fetchOrder" in self._has:
                order = await client.fetch_order(str(slot.order_id), symbol)
                return order
            if self._by_client_id or ("fetchOrder" in self._has and not self._lists):
                order = await client.fetch_order_with_client_order_id(name, symbol)
                if order.get("clientOrderId") != name:
                    raise OutcomeUnknown("the exchange answers about another order")
                return order
        except ccxt.OrderNotFound:
            return None
        for listing in self._lists:
            for each in await getattr(client, listing)(symbol):
                if each.get("clientOrderId") == name:
                    order = each
                    return order
        return None

    async def _trades_of(self, client: Client, order: Structure, symbol: str) -> list[Structure] | None:
        """Return all trades of an order; None where the exchange tells only what they come to."""
        if order.get("trades"):
            return list(order["trades"])
        if order.get("filled") is not None and not decimal(order["filled"]):
            return []
        if "fetchOrderTrades" in self._has:
            return list(await client.fetch_order_trades(order["id"], symbol))
        if "fetchMyTrades" in self._has:
            return [each for each in await client.fetch_my_trades(symbol) if each.get("order") == order["id"]]
        return None


def _lots(slot: ActionSlot, remaining: object) -> int:
    try:
        return slot.action.market.quantity_lots(decimal(str(remaining)))
    except AmountError:
        return -1
