"""What accounts hold and which of their orders are open, asked account by account."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from orderbook_tui.config.http import BalancesSpec, OpenOrdersSpec
from orderbook_tui.core.journal import Balance
from orderbook_tui.core.market import Market
from orderbook_tui.core.money import Asset, decimal
from orderbook_tui.errors import AmountError, OrderError, OutcomeUnknown
from orderbook_tui.venues.base import OpenOrder
from orderbook_tui.venues.http.client import Client, Reply, Unreadable, shown
from orderbook_tui.venues.http.expressions import compiled
from orderbook_tui.venues.http.operations import Common, Operation
from orderbook_tui.venues.http.replies import text
from orderbook_tui.venues.http.templates import Unfit
from orderbook_tui.venues.http.values import AccountValues, AskingValues, Words

_WAITS_S: Final = (0.1, 0.5)
"""The waits between tries."""
_AT_ONCE: Final = 256
"""Accounts whose requests are made ready at a time."""


class OpenOrderReader:
    """Asks for open orders."""

    def __init__(self, spec: OpenOrdersSpec, common: Common, markets: Iterable[Market], words: Words) -> None:
        self.operation = Operation("open_orders", spec.method, spec, common)
        self._orders, self._name, self._order_id, self._market, self._left = (
            compiled(getattr(spec, key), f"venue.open_orders.{key}")
            for key in ("orders", "client_order_id", "order_id", "market", "left")
        )
        self._markets = {words.symbols.get(market.symbol, market.symbol): market for market in markets}

    async def read(self, client: Client, accounts: Sequence[AccountValues]) -> list[OpenOrder]:
        """Return the open orders of accounts that go by a client order id.

        Raises:
            OrderError: one of them could not be asked, or did not answer with a list.
        """
        replies = await _replies(client, self.operation, accounts)
        return [order for account, reply in replies for order in self.orders(account, reply)]

    def orders(self, account: AccountValues, reply: Reply) -> list[OpenOrder]:
        """Return what one reply says.

        Raises:
            OutcomeUnknown: it says something else.
        """
        found = []
        for tree in _entries(reply, self._orders, "orders"):
            name = text(self._name(tree))
            if name is None:
                continue
            symbol, left = text(self._market(tree)) or "", -1
            market = self._markets.get(symbol)
            told = self._left(tree)
            if market is not None and told is not None:
                try:
                    left = market.quantity_lots(_amount(told))
                except AmountError as error:
                    raise OutcomeUnknown(f"an open order cannot be read: {error}") from None
            found.append(
                OpenOrder(
                    account=account.account.id,
                    client_order_id=shown(name, 500),
                    order_id=shown(text(self._order_id(tree)) or "", 500),
                    market=market.symbol if market is not None else shown(symbol, 100),
                    left=left,
                )
            )
        return found


class BalanceReader:
    """Asks for balances."""

    def __init__(self, spec: BalancesSpec, common: Common, assets: Iterable[Asset], words: Words) -> None:
        self.operation = Operation("balances", spec.method, spec, common)
        self._balances, self._asset, self._available, self._locked = (
            compiled(getattr(spec, key), f"venue.balances.{key}") for key in ("balances", "asset", "available", "locked")
        )
        self._assets = {words.assets.get(asset.symbol, asset.symbol): asset for asset in assets}

    async def read(self, client: Client, accounts: Sequence[AccountValues]) -> list[Balance]:
        """Return what accounts hold of the assets of this run.

        Raises:
            OrderError: one of them could not be asked, or did not answer with a list.
        """
        replies = await _replies(client, self.operation, accounts)
        return [balance for account, reply in replies for balance in self.balances(account, reply)]

    def balances(self, account: AccountValues, reply: Reply) -> list[Balance]:
        """Return what one reply says.

        Raises:
            OutcomeUnknown: it says something else.
        """
        found = []
        for tree in _entries(reply, self._balances, "balances"):
            asset = self._assets.get(text(self._asset(tree)) or "")
            if asset is None:
                continue
            locked = self._locked(tree)
            try:
                available = asset.whole_units(_amount(self._available(tree)))
                held = asset.whole_units(_amount(locked)) if locked is not None else 0
            except AmountError as error:
                raise OutcomeUnknown(f"a balance cannot be read: {error}") from None
            found.append(Balance(account.account.id, asset.symbol, available, held))
        return found


async def _replies(
    client: Client, operation: Operation, accounts: Sequence[AccountValues]
) -> list[tuple[AccountValues, Reply]]:
    """Ask for each account, several at a time."""
    found: list[tuple[AccountValues, Reply]] = []
    try:
        for start in range(0, len(accounts), _AT_ONCE):
            some = accounts[start : start + _AT_ONCE]
            found += zip(some, await _all(_reply(client, operation, account) for account in some), strict=True)
    except Unfit as error:
        raise OutcomeUnknown(str(error)) from None
    return found


async def _all(asking: Iterable[Coroutine[Any, Any, Reply]]) -> list[Reply]:
    """Wait for all; where one fails, for none. (In Python 3.11, a `TaskGroup` that fails leaves its task half cancelled.)"""
    tasks = [asyncio.ensure_future(each) for each in asking]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _reply(client: Client, operation: Operation, account: AccountValues) -> Reply:
    """Ask for one account, a few times where no answer comes: to ask changes nothing."""
    for wait in _WAITS_S:
        with suppress(OrderError):
            reply = await client.send(lambda: operation.request(AskingValues(account)))
            if reply.status < 300 and not isinstance(reply.tree, Unreadable):
                return reply
        await asyncio.sleep(wait)
    return await client.send(lambda: operation.request(AskingValues(account)))


def _entries(reply: Reply, search: Any, what: str) -> list[Any]:
    listed = None if isinstance(reply.tree, Unreadable) or not 200 <= reply.status < 300 else search(reply.tree)
    if not isinstance(listed, list):
        raise OutcomeUnknown(f"the exchange answered no list of {what}, {reply.status}: {reply.words()}")
    return listed


def _amount(value: Any) -> Any:
    if isinstance(value, bool) or (not isinstance(value, int | str) and type(value).__name__ != "Decimal"):
        raise AmountError("an amount in the reply is no number")
    return decimal(value)
