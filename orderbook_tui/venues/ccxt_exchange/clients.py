"""Clients of the library for one exchange, one for each set of credentials.

Their numbers are text from end to end (`client.number = str`): no float of the library's touches money.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import ccxt.async_support

from orderbook_tui.config.ccxt import CcxtVenueSpec
from orderbook_tui.core.market import Account
from orderbook_tui.environment import expand
from orderbook_tui.errors import ConfigError, Problem
from orderbook_tui.venues.ccxt_exchange.failures import words
from orderbook_tui.venues.user_code import imported

Client = Any
"""A ccxt.async_support.Exchange."""


class Clients:
    """The clients of a run; they are made anew whenever it is opened, since each belongs to one event loop."""

    def __init__(self, spec: CcxtVenueSpec, accounts: Sequence[Account] = ()) -> None:
        """Take the credentials from the environment.

        Raises:
            ConfigError: a variable is missing, there is no such exchange or account, or no sandbox.
        """
        self._spec = spec
        self._class = _class_of(spec.exchange)
        self._secrets: list[dict[str, str]] = [_expanded(spec.credentials, "venue.credentials")]
        own: dict[str, int] = {}
        ids = {name: account.id for account in accounts for name in (account.name, account.id)}
        problems = []
        for name, credentials in spec.accounts.items() if accounts else ():
            if name not in ids:
                problems.append(Problem("venue.accounts", f"there is no account {name}"))
            else:
                own[ids[name]] = len(self._secrets)
                self._secrets.append(_expanded(credentials, f"venue.accounts.{name}"))
        if problems:
            raise ConfigError(problems)
        self._of = {account.id: own.get(account.id, 0) for account in accounts}
        self.sample = self._made(self._secrets[0])
        """One to ask what the exchange can do. It is never connected."""
        self._open: list[Client] = []

    def open(self) -> None:
        """Have one for each set of credentials. Nothing is connected yet."""
        used = set(self._of.values()) or {0}
        self._open = [self._made(each) if number in used else None for number, each in enumerate(self._secrets)]

    async def close(self) -> None:
        """Disconnect them all."""
        clients, self._open = self._open, []
        for client in clients:
            if client is not None:
                client.timeout_on_exit = 0
                await client.close()

    def of(self, account: str) -> Client:
        """Return the client of an account, by id."""
        return self._open[self._of.get(account, 0)]

    def first(self) -> Client:
        """Return one to ask about markets."""
        return next(client for client in self._open if client is not None)

    def all(self) -> list[Client]:
        """Return those that are open."""
        return [client for client in self._open if client is not None]

    def _made(self, credentials: Mapping[str, str]) -> Client:
        spec = self._spec
        settings = {"enableRateLimit": spec.rate_limit, "timeout": spec.timeout_ms, "options": spec.options, **credentials}
        try:
            client = self._class(settings)
            client.number = str
            if spec.sandbox:
                # The library takes an exchange whose test address is None, and then sends to nowhere.
                if not client.urls.get("test"):
                    raise ccxt.NotSupported
                client.set_sandbox_mode(True)
        except ccxt.NotSupported as error:
            without = f"{spec.exchange} has no sandbox; to trade there for real, say false, and confirm it when a run begins"
            raise ConfigError([Problem("venue.sandbox", without)]) from error
        except Exception as error:  # the class may be the user's
            raise ConfigError([Problem("venue.exchange", f"{spec.exchange} cannot be used: {words(error)}")]) from error
        return client


def _expanded(credentials: Mapping[Any, str], path: str) -> dict[str, str]:
    return {name: expand(value, f"{path}.{name}") for name, value in credentials.items()}


def _class_of(exchange: str) -> type:
    if ":" in exchange:
        found = imported(exchange, "venue.exchange")
    elif exchange in ccxt.async_support.exchanges:
        found = getattr(ccxt.async_support, exchange)
    else:
        raise ConfigError([Problem("venue.exchange", f"the library ccxt {ccxt.__version__} knows no exchange {exchange}")])
    if not (isinstance(found, type) and issubclass(found, ccxt.async_support.Exchange)):
        raise ConfigError([Problem("venue.exchange", f"{exchange} is no subclass of ccxt.async_support.Exchange")])
    return found
