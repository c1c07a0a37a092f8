"""Asking an exchange about its own markets, before there is a run. That is public, in a sandbox or not: nothing is placed."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any, Final

import ccxt

from orderbook_tui.config.ccxt import CcxtVenueSpec
from orderbook_tui.core.money import plain
from orderbook_tui.errors import ConfigError, Problem
from orderbook_tui.venues.ccxt_exchange.clients import Client, Clients
from orderbook_tui.venues.ccxt_exchange.failures import unanswered
from orderbook_tui.venues.ccxt_exchange.listings import Listing
from orderbook_tui.venues.ccxt_exchange.markets import number, terms

_PROBES: Final = (f"1.{'1' * 30}", f"1111.{'1' * 30}")


async def listings(
    spec: CcxtVenueSpec, symbols: Sequence[str], place: str, without_price: Collection[str] = ()
) -> list[Listing]:
    """Return what an exchange says of the markets that the library calls so; of those in `without_price` no price is asked.

    Raises:
        ConfigError: the exchange has no such market, which is said of `place`.
        OrderError: it does not answer.
    """
    clients = Clients(spec)
    clients.open()
    client = clients.first()
    try:
        known = await client.load_markets()
        missing = [symbol for symbol in symbols if symbol not in known]
        if missing:
            raise ConfigError([Problem(place, f"{spec.exchange} has no market {symbol}") for symbol in missing])
        return [await _listing(client, known[symbol], asks_price=symbol not in without_price) for symbol in symbols]
    except ConfigError:
        raise
    except Exception as error:
        raise unanswered(error) from error
    finally:
        await clients.close()


async def _listing(client: Client, market: dict[str, Any], *, asks_price: bool) -> Listing:
    symbol, price, theirs = market["symbol"], None, terms(market, client.precisionMode)
    if client.precisionMode == ccxt.SIGNIFICANT_DIGITS:
        theirs = theirs._replace(lot=_lot_of(client, symbol))
    if asks_price and theirs.is_active and client.has.get("fetchTicker"):
        ticker = await client.fetch_ticker(symbol)
        price = number(ticker.get("last")) or number(ticker.get("close"))
    is_contract = bool(market.get("contract"))
    return Listing(
        symbol, market["base"], market["quote"], theirs, price if price is not None and price > 0 else None, is_contract
    )


def _lot_of(client: Client, symbol: str) -> Decimal | None:
    """Return the step of quantities of an exchange that counts digits, where it does so for prices only:
    then a small quantity and a large one keep as many decimals."""
    lots = set()
    for probe in _PROBES:
        exponent = plain(Decimal(client.amount_to_precision(symbol, probe))).as_tuple().exponent
        lots.add(Decimal(1).scaleb(int(exponent)))
    return lots.pop() if len(lots) == 1 else None
