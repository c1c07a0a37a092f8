"""The `ccxt` venue: an exchange that the library ccxt speaks to, under the name that it has there.

What is traded is in `markets`, or the exchange is asked for it when a run is planned: `venue.markets`.
"""

import json
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, TypeGuard

from pydantic import AfterValidator, BeforeValidator, Field

from orderbook_tui.config.fields import Amount, Flag, Milliseconds, Name, Real, Section, Whole, refuse
from orderbook_tui.config.showing import shown
from orderbook_tui.config.venue_costs import FaultsSpec, FeesSpec

Credential = Literal["apiKey", "secret", "password", "uid", "login", "token", "twofa", "walletAddress", "privateKey"]
_LARGEST: Final = 100_000


def _exchange(text: str) -> str:
    """Take the id of an exchange, or where a class of the user's own is."""
    module, colon, attribute = text.partition(":")
    parts = [*module.split("."), *attribute.split(".")] if colon else [module]
    if not all(part.isidentifier() for part in parts):
        refuse(f'expected the id of an exchange, such as "binance", or "package.module:Class", got {shown(text)}')
    return text


def _plain_json(value: object) -> object:
    """Take what is handed on to the library as it is."""
    if not isinstance(value, dict):
        refuse(f"expected an object, got {shown(value)}")
    try:
        text = json.dumps(value, allow_nan=False, default=_number)
    except (TypeError, ValueError, RecursionError):
        refuse("holds what is no JSON")
    if len(text) > _LARGEST:
        refuse("is too long")
    return json.loads(text)


def _number(value: object) -> float:
    """Return a number of the file as the library's own options have it; they are no amounts."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError


Handed = Annotated[dict[str, Any], BeforeValidator(_plain_json)]


class CcxtVenueSpec(Section):
    """An exchange of the library ccxt; its sandbox, unless told otherwise."""

    kind: Literal["ccxt"] = "ccxt"
    """An exchange that the library ccxt speaks to."""
    exchange: Annotated[Name, AfterValidator(_exchange)]
    """Its id there, such as "binance"; or `package.module:Class`, a subclass of ccxt.async_support.Exchange of yours."""
    sandbox: Flag = True
    """Whether its test environment is traded at. False means real orders and real money: you are asked before a run."""
    credentials: dict[Credential, Name] = Field(default_factory=dict)
    """What it knows you by, such as {"apiKey": "${env:API_KEY}", "secret": "${env:API_SECRET}"}."""
    accounts: dict[Name, dict[Credential, Name]] = Field(default_factory=dict)
    """The same for each account (by name or id) that has its own; the others trade with `credentials`."""
    markets: tuple[Name, ...] = Field(default=(), max_length=10_000)
    """What is traded, as the library calls it, such as ["BTC/USDT"], in place of the section `markets`: the exchange is asked
    for its steps, limits and last prices, once, when a run is planned."""
    reference_prices: dict[Name, Annotated[Amount, Field(gt=0, le=10**18)]] = Field(default_factory=dict)
    """By such a market, the price that offsets start from; that of the last trade, where it is left out."""
    symbols: dict[Name, Name] = Field(default_factory=dict)
    """By market, what the library calls it, such as "BTC/USDT"; base/quote, where it is left out."""
    assets: dict[Name, Name] = Field(default_factory=dict)
    """By asset, the code that the library has for it. Others are called as they are."""
    client_order_ids: Literal["name", "hex", "uuid"] = "name"
    """Orders go by the run's name and two numbers, or a digest of that: 32 digits and letters, or a UUID."""
    counterparty_param: Name | None = None
    """The parameter in which a directed order names the account that it is for, where the exchange knows such a thing."""
    options: Handed = Field(default_factory=dict)
    """The library's `options` of the exchange, such as {"defaultType": "spot"}."""
    params: Handed = Field(default_factory=dict)
    """Further parameters of every order."""
    deduplicates_for_s: Annotated[Real, Field(ge=0, le=10**9)] = 0.0
    """For how many seconds the exchange takes an order of the same client order id once only; 0: it does not."""
    expires_after_ms: Annotated[Whole, Field(ge=0, le=3_600_000)] = 0
    """After how long the exchange takes no request any more that was sent before; 0: it takes them however late they come."""
    timeout_ms: Annotated[Milliseconds, Field(ge=1)] = 10_000
    """How long a request may take; then it is unknown what became of it."""
    rate_limit: Flag = True
    """Whether the library keeps to the number of requests that the exchange allows."""
    fees: FeesSpec = FeesSpec()
    """What an execution costs there; it is part of what an order locks."""
    faults: FaultsSpec = FaultsSpec()
    """Failures made on purpose, before anything is sent."""


def lists_markets(venue: object) -> TypeGuard[CcxtVenueSpec]:
    """Whether the exchange is asked what its markets are like."""
    return isinstance(venue, CcxtVenueSpec) and bool(venue.markets)
