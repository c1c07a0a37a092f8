"""The ccxt venue: what its library's errors mean, its sandbox, its markets, and its numbers."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import aiohttp
import anyio
import pytest

pytest.importorskip("ccxt", reason="the extra ccxt is not installed")

import ccxt

from orderbook_tui.config import parse_config
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.venue_markets import venue_markets
from orderbook_tui.errors import ConfigError, OrderError, OutcomeUnknown, Rejected, VenueUnavailable
from orderbook_tui.venues.ccxt_exchange.failures import failure
from orderbook_tui.venues.ccxt_exchange.markets import misfits, terms
from orderbook_tui.venues.ccxt_exchange.orders import OrderReader
from orderbook_tui.venues.ccxt_exchange.venue import CcxtVenue
from tests.builders import a_market, a_slot, bid, slots_of
from tests.engine.runs import SKIP
from tests.serving.exchange import in_this_loop

SERVED = "tests.venues.ccxt_served:Served"


def a_config(**venue: Any) -> dict[str, Any]:
    return {
        "accounts": {"list": [{"name": "alice"}, {"name": "bob"}]},
        "budget": {"budgets": [{"amount": 100_000}]},
        "scheduler": {"trades_per_account": 2},
        "markets": [{"symbol": "BTC-USD", "base": "BTC", "quote": "USD", "reference_price": "60000"}],
        "venue": {"kind": "ccxt", "exchange": SERVED, **venue},
    }


def made(**venue: Any) -> Simulation:
    return Simulation.create(parse_config(a_config(**venue)), save=False)


# Errors


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def refused_connection() -> Exception:
    key = aiohttp.client_reqrep.ConnectionKey("nowhere.invalid", 443, True, True, None, None, None)  # noqa: FBT003
    return aiohttp.ClientConnectorError(key, OSError(111, "refused"))


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (ccxt.InsufficientFunds("x"), Rejected),
        (ccxt.InvalidOrder("x"), Rejected),
        (ccxt.AuthenticationError("x"), Rejected),
        (ccxt.BadSymbol("x"), Rejected),
        (ccxt.RateLimitExceeded("x"), VenueUnavailable),
        (ccxt.DDoSProtection("x"), VenueUnavailable),
        (ccxt.OnMaintenance("x"), VenueUnavailable),
        (ccxt.InvalidNonce("x"), VenueUnavailable),
        (caused(ccxt.ExchangeNotAvailable("x"), refused_connection()), VenueUnavailable),
        (caused(ccxt.RequestTimeout("x"), aiohttp.ConnectionTimeoutError()), VenueUnavailable),
        (ccxt.RequestTimeout("x"), OutcomeUnknown),
        (ccxt.ExchangeNotAvailable("502"), OutcomeUnknown),
        (caused(ccxt.ExchangeNotAvailable("x"), aiohttp.ServerDisconnectedError()), OutcomeUnknown),
        (caused(ccxt.ExchangeError("x"), aiohttp.ClientPayloadError()), OutcomeUnknown),
        (ccxt.NetworkError("x"), OutcomeUnknown),
        (ccxt.BadResponse("x"), OutcomeUnknown),
        (ccxt.DuplicateOrderId("x"), OutcomeUnknown),
        (ValueError("x"), OutcomeUnknown),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_what_an_error_says_of_an_order_that_was_being_placed(error: Exception, meaning: type[OrderError]) -> None:
    assert type(failure(error)) is meaning


def test_an_address_in_an_error_loses_what_was_signed() -> None:
    said = str(failure(ccxt.RequestTimeout("x POST https://nowhere.invalid/order?apiKey=AAA&signature=BBB")))

    assert "AAA" not in said
    assert "BBB" not in said


def test_a_secret_in_an_error_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCXT_TEST_KEY", "very-secret-key")
    made(credentials={"apiKey": "${env:CCXT_TEST_KEY}"})

    assert "very-secret-key" not in str(failure(ccxt.BadRequest("key very-secret-key is none")))


# The exchange


def test_an_exchange_that_the_library_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigError, match="knows no exchange nowhere"):
        made(exchange="nowhere")


def test_a_class_that_is_no_exchange_is_refused() -> None:
    with pytest.raises(ConfigError, match="no subclass"):
        made(exchange="tests.builders:Decimal")


def test_an_exchange_without_a_sandbox_is_refused() -> None:
    with pytest.raises(ConfigError, match="kraken has no sandbox"):
        made(exchange="kraken")


def test_the_sandbox_is_what_is_traded_at() -> None:
    venue = made(exchange="binance")._connect().executor._venue
    assert isinstance(venue, CcxtVenue)

    assert venue._clients.sample.isSandboxModeEnabled


def test_a_variable_that_is_missing_is_said() -> None:
    with pytest.raises(ConfigError, match="CCXT_NOT_SET"):
        made(credentials={"apiKey": "${env:CCXT_NOT_SET}"})


def test_an_account_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no account carol"):
        made(accounts={"carol": {"apiKey": "x"}})


# Real money


def test_nothing_is_placed_outside_the_sandbox_before_it_is_confirmed() -> None:
    simulation = made(sandbox=False)

    with pytest.raises(ConfigError, match="real money"):
        anyio.run(simulation.run, SKIP)


def test_a_run_in_the_sandbox_is_not_for_real() -> None:
    assert not made().is_for_real


# Markets


BTC_USDT = {
    "symbol": "BTC/USDT",
    "base": "BTC",
    "quote": "USDT",
    "active": True,
    "precision": {"price": "0.1", "amount": "0.001"},
    "limits": {"amount": {"min": "0.01"}, "cost": {"min": "5"}},
}


@pytest.mark.parametrize(
    ("market", "wrong"),
    [
        ({"tick": "0.01", "lot": "0.001", "least": "5"}, "tick_size 0.01 is no multiple of the exchange's 0.1"),
        ({"tick": "0.1", "lot": "0.0001", "least": "5"}, "lot_size 0.0001 is no multiple of the exchange's 0.001"),
        ({"tick": "0.1", "lot": "0.001", "least": "1"}, "min_notional 1 is less than the exchange's 5"),
        ({"tick": "0.1", "lot": "0.001", "least": "5"}, "the exchange's least is 0.01"),
    ],
)
def test_a_market_that_is_finer_than_the_exchanges_is_refused(market: dict[str, Any], wrong: str) -> None:
    ours = a_market(**market)
    slots = slots_of(("a", bid(ours, 1 if "least is" in wrong else 1000, 1000)))

    assert [words for words in misfits(ours, terms(BTC_USDT, ccxt.TICK_SIZE), slots) if wrong in words]


def test_a_market_that_keeps_to_the_exchanges_terms_passes() -> None:
    ours = a_market(tick="0.2", lot="0.002", least="10")

    assert list(misfits(ours, terms(BTC_USDT, ccxt.TICK_SIZE), slots_of(("a", bid(ours, 100, 1000))))) == []


def test_decimal_places_are_steps() -> None:
    assert terms({"precision": {"price": 2, "amount": 8}}, ccxt.DECIMAL_PLACES)[:2] == (Decimal("0.01"), Decimal("0.00000001"))


def test_the_markets_of_an_exchange_become_a_section_that_fits_it() -> None:
    async def talk() -> None:
        async with in_this_loop() as (_, client):
            options = {"url": str(client._base_url).rstrip("/")}
            found = await venue_markets(parse_config(a_config(options=options)), ["BTC-USD"])
            assert found["markets"][0]["symbol"] == "BTC-USD"
            symbols = {"BTC-USD": "BTC-USD"}
            config = a_config(options=options, symbols=symbols, accounts={n: {"apiKey": f"key-{n}"} for n in ("alice", "bob")})
            simulation = Simulation.create(parse_config({**config, **found}), save=False)
            await simulation.run(SKIP)
            assert [slot.last_error for slot in simulation.slots] == [None] * 4
            json.dumps(found)

    asyncio.run(talk())


def test_a_run_on_a_market_that_does_not_fit_is_refused_before_anything_is_placed() -> None:
    async def talk() -> None:
        async with in_this_loop() as (exchange, client):
            market = {"symbol": "BTC-USD", "base": "BTC", "quote": "USD", "tick_size": "0.001", "reference_price": "60000"}
            config = a_config(
                options={"url": str(client._base_url).rstrip("/")},
                symbols={"BTC-USD": "BTC-USD"},
                credentials={"apiKey": "key-alice"},
            )
            assets = [{"symbol": "BTC", "precision": 8}, {"symbol": "USD", "precision": 12}]
            simulation = Simulation.create(parse_config({**config, "markets": [market], "assets": assets}), save=False)
            with pytest.raises(ConfigError, match=r"tick_size 0\.001 is no multiple"):
                await simulation.run(SKIP)
            assert not exchange.ledger.events

    asyncio.run(talk())


# Numbers


def an_order(**more: Any) -> dict[str, Any]:
    return {"id": "1", "status": "open", "filled": "0.1", "cost": "10.00", **more}


def test_totals_are_told_where_trades_are_not() -> None:
    slot = a_slot(bid(a_market(lot="0.01"), 100, 10_000))
    report = OrderReader().report(slot, an_order(fee={"cost": "0.05", "currency": "USD"}), None, "USD")

    assert (report.filled, report.notional, report.fee) == (10, 10 * 10**8, 5_000_000)


def test_a_trade_is_an_execution_with_its_fee() -> None:
    slot = a_slot(bid(a_market(lot="0.01"), 100, 10_000))
    trade = {"id": "t", "price": "100.0", "amount": 0.1, "fees": [{"cost": "0.05", "currency": "USD"}]}
    (fill,) = OrderReader().report(slot, an_order(), [trade], "USD").executions

    assert (fill.price, fill.quantity, max(fill.maker_fee, fill.taker_fee), fill.id) == (10_000, 10, 5_000_000, "t")


def test_every_client_speaks_in_text() -> None:
    venue = made()._connect().executor._venue
    assert isinstance(venue, CcxtVenue)

    assert venue._clients.sample.parse_number(0.1) == "0.1"
