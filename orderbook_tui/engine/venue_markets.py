"""What the exchange of a ccxt venue says of its markets, in place of a config's own, or as the sections of one.

    venue.markets --read_listings--> listings --with_listings--> the config as if they stood in it

A run asks when it is planned, once; what came of it is in its checkpoint. That is public data: nothing is placed, so it is
asked outside the sandbox too, before anybody has confirmed that real orders may be placed there.
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import ValidationError

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.config.ccxt import CcxtVenueSpec
from orderbook_tui.config.models import AssetSpec, MarketSpec
from orderbook_tui.config.wording import findings
from orderbook_tui.engine.trust import CodeCheck, any_code
from orderbook_tui.errors import ConfigError, OrderError, Problem

if TYPE_CHECKING:
    from orderbook_tui.venues.ccxt_exchange.listings import Listing

_PLACE: Final = "venue.markets"
_Row = TypeVar("_Row", AssetSpec, MarketSpec)


async def venue_markets(config: SimulatorConfig, symbols: Sequence[str], check_code: CodeCheck = any_code) -> dict[str, Any]:
    """Return `assets` and `markets` for the exchange's markets `symbols`, or those that the config trades.

    Raises:
        ConfigError: the venue is no ccxt venue, or it has no such market.
        OrderError: the exchange does not answer.
        CodeNotAllowed: what `check_code` says.
    """
    spec = config.venue
    if spec.kind != "ccxt":
        raise ConfigError([Problem("venue.kind", "is not ccxt: there is nobody to ask")])
    if not symbols:
        symbols = spec.markets or [spec.symbols.get(each.symbol, f"{each.base}/{each.quote}") for each in config.markets or ()]
    if not symbols:
        raise ConfigError([Problem("--market", "the config has no markets: say which, such as --market BTC/USDT")])
    check_exchange_code(config, check_code)
    return _sections(await _asked(spec, symbols, "--market"), _highest(config))


def check_exchange_code(config: SimulatorConfig, check_code: CodeCheck) -> None:
    """Have it checked that the class of an exchange may be imported, where it is the user's own.

    Raises:
        CodeNotAllowed: what `check_code` says.
    """
    if config.venue.kind == "ccxt" and ":" in config.venue.exchange:
        check_code(config.venue.exchange)


def read_listings(spec: CcxtVenueSpec) -> list["Listing"]:
    """Ask the exchange for the markets that `venue.markets` names, and wait for the answers.

    Raises:
        ConfigError: it does not answer, or not all that a run must know; every problem at once.
    """
    from orderbook_tui.venues.ccxt_exchange.listings import lacks

    try:
        found = _waited_for(_asked(spec, spec.markets, _PLACE))
    except OrderError as error:
        raise ConfigError([Problem(_PLACE, f"{spec.exchange} does not tell its markets: {error}")]) from error
    given = spec.reference_prices
    found = [each._replace(price=given.get(each.symbol, each.price)) for each in found]
    active = [each for each in found if each.terms.is_active]
    problems = [Problem(_PLACE, f"{each.symbol} {words}") for each in active for words in lacks(each)]
    if not active:
        problems.append(Problem(_PLACE, f"no market is active: {', '.join(each.symbol for each in found)}"))
    if problems:
        raise ConfigError(problems)
    return found


def with_listings(config: SimulatorConfig, spec: CcxtVenueSpec, listings: Sequence["Listing"]) -> SimulatorConfig:
    """Return the configuration as it would be if the markets that are active stood in it, with their assets.

    Raises:
        ConfigError: what the exchange says cannot be used.
    """
    sections = _sections([each for each in listings if each.terms.is_active], _highest(config))
    problems: list[Problem] = []

    def models(kind: type[_Row], rows: Sequence[dict[str, Any]]) -> tuple[_Row, ...]:
        made = []
        for row in rows:
            try:
                made.append(kind.model_validate(row))
            except ValidationError as error:
                for trouble, _ in findings(error):
                    problems.append(Problem(_PLACE, f"{row['symbol']}: {' '.join(map(str, trouble.place))} {trouble.message}"))
        return tuple(made)

    filled: dict[str, Any] = {"markets": models(MarketSpec, sections["markets"])}
    if config.assets is None:
        filled["assets"] = models(AssetSpec, sections["assets"])
    if problems:
        raise ConfigError(problems)
    weights, closed = config.scheduler.market_weights, {each.symbol for each in listings if not each.terms.is_active}
    if weights is not None:  # those of a market that is left out count for nothing
        left = {symbol: weight for symbol, weight in weights.items() if symbol not in closed}
        filled["scheduler"] = config.scheduler.model_copy(update={"market_weights": left})
    filled["venue"] = spec.model_copy(update={"markets": (), "reference_prices": {}})
    return config.model_copy(update=filled)


def _sections(listings: Sequence["Listing"], highest: Decimal) -> dict[str, Any]:
    from orderbook_tui.venues.ccxt_exchange.listings import precisions, section

    found = [section(each, highest) for each in listings]
    return {"assets": [{"symbol": each, "precision": digits} for each, digits in precisions(found).items()], "markets": found}


def _highest(config: SimulatorConfig) -> Decimal:
    """Return how many times the reference price the highest price of a schedule is."""
    return max(Decimal(1), config.scheduler.bid_price_offset, config.scheduler.ask_price_offset)


async def _asked(spec: CcxtVenueSpec, symbols: Sequence[str], place: str) -> list["Listing"]:
    try:
        from orderbook_tui.venues.ccxt_exchange.asking import listings
    except ModuleNotFoundError as missing:
        words = "a ccxt venue needs the extra ccxt: pip install 'orderbook-tui[ccxt]'"
        raise ConfigError([Problem("venue.kind", words)]) from missing
    return await listings(spec, symbols, place, spec.reference_prices)


def _waited_for(asking: Coroutine[Any, Any, list["Listing"]]) -> list["Listing"]:
    """Return what comes of it, asked in an event loop of its own: there may be one on this thread."""
    found: list[list[Listing]] = []
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            found.append(asyncio.run(asking))
        except BaseException as error:  # whatever it is, it belongs to who waits
            failed.append(error)

    thread = threading.Thread(target=ask, name="markets of the exchange", daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]
