"""What placeholders stand for: an account's values, and an order's."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from orderbook_tui.config.http import HttpVenueSpec
from orderbook_tui.config.placeholders import Variable
from orderbook_tui.core.book import Side
from orderbook_tui.core.market import Account
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.environment import expand
from orderbook_tui.venues.http.templates import Unfit, text

EVERYONE: Final = "*"
"""Who stands for all accounts that `accounts` does not name."""
_IN_ACCOUNT: Final = re.compile(r"\{account(\.id)?\}")
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9_]")


class AccountValues:
    """What the exchange knows one account by."""

    def __init__(self, account: Account, own: Mapping[str, str], of_all: Mapping[str, str]) -> None:
        self.account = account
        self._templates = {**of_all, **own}
        self._ready: dict[str, str] = {}
        self._variables: dict[Variable, str] = {}
        self.headers: dict[str, str] | None = None
        """The headers of all requests, once they were made, where they are the same each time."""

    def value(self, name: str) -> str:
        """Return `{account}` or `{account.key}`."""
        _, _, key = name.partition(".")
        if not key:
            return self.account.name
        found = self._ready.get(key)
        if found is None:
            template = self._templates.get(key)
            if template is None:
                if key != "id":
                    raise Unfit(f"account {self.account.name} has no {key}: give it in venue.accounts")
                return self.account.id
            if f"{{account.{key}}}" in template:
                raise Unfit(f"the {key} of account {self.account.name} is made of itself")
            found = self._ready[key] = text(template)(self) or ""
        return found

    def variable(self, variable: Variable) -> str:
        found = self._variables.get(variable)
        if found is None:
            name = _IN_ACCOUNT.sub(lambda match: self._in_a_name(match[0][1:-1]), variable.name)
            found = self._variables[variable] = expand(f"${{env:{name}}}", "venue")
        return found

    def _in_a_name(self, placeholder: str) -> str:
        """Return a value as it can stand in the name of a variable: what cannot becomes `_`."""
        return _NOT_IN_A_NAME.sub("_", self.value(placeholder))


class Accounts:
    """All accounts of a run, by our ids and by the exchange's words."""

    def __init__(self, accounts: Iterable[Account], spec: HttpVenueSpec) -> None:
        self._accounts = {account.id: account for account in accounts}
        self._own, self._of_all = spec.accounts, spec.accounts.get(EVERYONE, {})
        self._values: dict[str, AccountValues] = {}
        self._ids: dict[str, str] | None = None

    def __getitem__(self, account_id: str) -> AccountValues:
        found = self._values.get(account_id)
        if found is None:
            account = self._accounts.get(account_id) or Account(account_id)
            own = self._own.get(account.name) or self._own.get(account_id) or {}
            found = self._values[account_id] = AccountValues(account, own, self._of_all)
        return found

    def id_of(self, words: str) -> str:
        """Return our id of whom the exchange names; the words themselves, where that is none of ours."""
        if self._ids is None:
            self._ids = {account.name: account.id for account in self._accounts.values()}
            self._ids |= {account_id: account_id for account_id in self._accounts}
            if any("id" in own for own in self._own.values()):
                self._ids |= {self[account_id].value("account.id"): account_id for account_id in self._accounts}
        return self._ids.get(words, words)


_last_nonce = 0


def nonce() -> int:
    """Return a number that is greater than all before."""
    global _last_nonce  # noqa: PLW0603 - all requests of a process count together
    _last_nonce = max(_last_nonce + 1, time.time_ns() // 1000)
    return _last_nonce


class AskingValues:
    """The values of a request that is about no order. The moment is the same in all of it."""

    def __init__(self, account: AccountValues, since: str = "") -> None:
        self.account = account
        self._since = since
        self._moment = 0
        self._nonce = ""

    def value(self, name: str) -> str:
        if name.startswith("account"):
            return self.account.value(name)
        if name == "since":
            return self._since
        if name == "nonce":
            self._nonce = self._nonce or str(nonce())
            return self._nonce
        return _TIMES[name](self._now())

    def variable(self, variable: Variable) -> str:
        return self.account.variable(variable)

    def _now(self) -> int:
        if not self._moment:
            self._moment = time.time_ns()
        return self._moment


class Words:
    """The exchange's words for ours."""

    def __init__(self, spec: HttpVenueSpec) -> None:
        self.symbols, self.assets = spec.symbols, spec.assets
        self.sides = {Side.BID: spec.sides.get("buy", "buy"), Side.ASK: spec.sides.get("sell", "sell")}
        self.times: dict[str, str] = {kind.upper(): word for kind, word in spec.time_in_force.items()}

    def time_in_force(self, slot: ActionSlot) -> str:
        kind = slot.action.time_in_force.value.upper()
        return self.times.get(kind, kind)


class OrderValues(AskingValues):
    """The values of a request about an order of `quantity` lots."""

    def __init__(self, slot: ActionSlot, name: str, quantity: int, order_id: str, accounts: Accounts, words: Words) -> None:
        super().__init__(accounts[slot.account_id])
        self.slot, self.name, self.quantity, self.order_id = slot, name, quantity, order_id
        self.accounts, self.words = accounts, words

    def afresh(self) -> "OrderValues":
        """Return the same for another request, with a moment and a nonce of its own."""
        return OrderValues(self.slot, self.name, self.quantity, self.order_id, self.accounts, self.words)

    def value(self, name: str) -> str:
        found = _OF_ORDER.get(name)
        if found is not None:
            return found(self)
        if name.startswith("counterparty"):
            account_id = self.slot.action.matching_strategy.account
            return self.accounts[account_id].value("account" + name[12:]) if account_id is not None else ""
        return super().value(name)


def _order_id(values: OrderValues) -> str:
    if not values.order_id:
        raise Unfit("the exchange's id of the order is not known")
    return values.order_id


def _symbol(values: OrderValues) -> str:
    symbol = values.slot.action.market.symbol
    return values.words.symbols.get(symbol, symbol)


def _asset(values: OrderValues, symbol: str) -> str:
    return values.words.assets.get(symbol, symbol)


def _notional(values: OrderValues) -> str:
    action = values.slot.action
    return f"{action.market.quote.amount(action.market.notional(action.price, values.quantity)):f}"


_OF_ORDER: Final[Mapping[str, Callable[[OrderValues], str]]] = {
    "client_order_id": lambda values: values.name,
    "order_id": _order_id,
    "market": lambda values: values.slot.action.market.symbol,
    "symbol": _symbol,
    "base": lambda values: _asset(values, values.slot.action.market.base.symbol),
    "quote": lambda values: _asset(values, values.slot.action.market.quote.symbol),
    "side": lambda values: values.words.sides[values.slot.action.side],
    "quantity": lambda values: f"{values.slot.action.market.quantity(values.quantity):f}",
    "price": lambda values: f"{values.slot.action.market.price(values.slot.action.price):f}",
    "notional": _notional,
    "time_in_force": lambda values: values.words.time_in_force(values.slot),
    "sequence": lambda values: str(values.slot.sequence),
}

_TIMES: Final[Mapping[str, Callable[[int], str]]] = {
    "timestamp_ms": lambda now: str(now // 1_000_000),
    "timestamp_s": lambda now: str(now // 1_000_000_000),
    "timestamp_iso": lambda now: (
        f"{datetime.fromtimestamp(now // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%S}.{now // 1_000_000 % 1000:03d}Z"
    ),
}
