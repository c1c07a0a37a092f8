"""`venue.markets`: what an exchange says of its markets becomes a run's own, when the run is planned."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ccxt", reason="the extra ccxt is not installed")

import ccxt

from orderbook_tui.config import parse_config
from orderbook_tui.config.ccxt import CcxtVenueSpec
from orderbook_tui.engine.describing import described_before
from orderbook_tui.engine.drafting import ConfigDraft
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.venue_markets import with_listings
from orderbook_tui.errors import ConfigError
from orderbook_tui.venues.ccxt_exchange.asking import listings
from orderbook_tui.venues.ccxt_exchange.listings import Listing, Terms, lacks, tick_of
from orderbook_tui.venues.ccxt_exchange.markets import terms
from tests.engine.runs import SKIP
from tests.serving.exchange import TWO_TRADERS, in_this_loop
from tests.venues.ccxt_served import Served

MARKETS = [
    {
        "symbol": "BTC-USD",
        "base": "BTC",
        "quote": "USD",
        "tick_size": "0.5",
        "lot_size": "0.00001",
        "min_notional": "7",
        "reference_price": "61234.56",
    },
    {
        "symbol": "DOGE-BTC",
        "base": "DOGE",
        "quote": "BTC",
        "tick_size": "0.00000001",
        "lot_size": "0.01",
        "reference_price": "0.0123",
    },
    {"symbol": "OIL-USD", "base": "OIL", "quote": "USD", "reference_price": "80", "status": "inactive"},
]


class Counting(Served):
    """The served exchange as one that counts digits: five of a price, and decimals of a quantity."""

    def describe(self) -> Any:
        return self.deep_extend(super().describe(), {"precisionMode": ccxt.SIGNIFICANT_DIGITS})

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        found = await super().fetch_markets(params)
        for market in found:
            market["precision"] = {"price": 5, "amount": 5}
        return found

    def amount_to_precision(self, symbol: Any, amount: Any) -> Any:
        return self.decimal_to_precision(amount, ccxt.TRUNCATE, 5, ccxt.DECIMAL_PLACES)


class CountingAll(Counting):
    """One that counts the digits of quantities too."""

    def amount_to_precision(self, symbol: Any, amount: Any) -> Any:
        return self.decimal_to_precision(amount, ccxt.TRUNCATE, 5, ccxt.SIGNIFICANT_DIGITS)


class Silent(Served):
    """One that tells no prices."""

    def describe(self) -> Any:
        return self.deep_extend(super().describe(), {"has": {"fetchTicker": False}})


def config(url: str = "http://127.0.0.1:9", *, exchange: type = Served, **venue: Any) -> dict[str, Any]:
    return {
        "accounts": {"list": [{"name": "alice"}, {"name": "bob"}]},
        "budget": {"budgets": [{"amount": 100_000}]},
        "scheduler": {"trades_per_account": 4},
        "venue": {
            "kind": "ccxt",
            "exchange": f"{exchange.__module__}:{exchange.__name__}",
            "options": {"url": url},
            "accounts": {name: {"apiKey": f"key-{name}"} for name in ("alice", "bob")},
            "rate_limit": False,
            "fees": TWO_TRADERS["venue"]["fees"],
            **venue,
        },
    }


Planner = Callable[..., Any]
EXCHANGE = {
    **TWO_TRADERS,
    "markets": MARKETS,
    "assets": [{"symbol": each, "precision": 10} for each in ("BTC", "USD", "DOGE", "OIL")],
}
"""What is served; fewer decimals would do for most of it."""


@asynccontextmanager
async def an_exchange() -> AsyncIterator[Planner]:
    """A served exchange, and what plans a run there, given the keys of the venue and `sections`."""
    async with in_this_loop(EXCHANGE) as (_, client):
        url = str(client._base_url).rstrip("/")

        async def planned(state_dir: Path | None = None, sections: Any = None, **venue: Any) -> Simulation:
            parsed = parse_config(config(url, **venue) | (sections or {}))
            return await asyncio.to_thread(Simulation.create, parsed, state_dir=state_dir, save=state_dir is not None)

        yield planned


def planned(**venue: Any) -> Simulation:
    async def talk() -> Simulation:
        async with an_exchange() as plan:
            simulation = await plan(**venue)
            assert isinstance(simulation, Simulation)
            return simulation

    return asyncio.run(talk())


def refused(**venue: Any) -> str:
    with pytest.raises(ConfigError) as error:
        planned(**venue)
    return str(error.value)


# What is taken


def test_the_steps_limits_and_prices_of_the_exchange_become_the_plans() -> None:
    (market,) = planned(markets=["BTC-USD"]).state.plan.markets

    assert (market.symbol, market.base.symbol, market.quote.symbol) == ("BTC-USD", "BTC", "USD")
    assert (market.tick_size, market.lot_size, market.min_notional) == (Decimal("0.5"), Decimal("0.00001"), Decimal(7))
    assert market.reference_price == Decimal("61234.56")


def test_markets_are_taken_in_the_order_in_which_they_are_named() -> None:
    assert [each.symbol for each in planned(markets=["DOGE-BTC", "BTC-USD"]).state.plan.markets] == ["DOGE-BTC", "BTC-USD"]


def test_assets_get_the_decimals_that_the_markets_need() -> None:
    plan = planned(markets=["DOGE-BTC", "BTC-USD"]).state.plan

    assert {asset.symbol: asset.precision for asset in plan.assets} == {"DOGE": 8, "BTC": 10, "USD": 8}


def test_assets_that_are_given_hold() -> None:
    plan = planned(markets=["BTC-USD"], sections={"assets": [{"symbol": "BTC"}, {"symbol": "USD", "precision": 12}]}).state.plan

    assert {asset.symbol: asset.precision for asset in plan.assets} == {"BTC": 8, "USD": 12}


def test_a_reference_price_of_ones_own_is_taken_instead() -> None:
    (market,) = planned(markets=["BTC-USD"], reference_prices={"BTC-USD": "59000.1"}).state.plan.markets

    assert market.reference_price == Decimal("59000.1")


def test_a_market_that_is_not_active_is_left_out_and_said_so() -> None:
    simulation = planned(markets=["OIL-USD", "BTC-USD"])

    assert [each.symbol for each in simulation.state.plan.markets] == ["BTC-USD"]
    assert "OIL-USD is not active at the exchange: it gets no slots" in simulation.notes


def test_the_run_is_carried_out_at_the_exchange_whose_markets_it_took() -> None:
    async def talk() -> None:
        async with an_exchange() as plan:
            simulation = await plan(markets=["BTC-USD"])
            await simulation.run(SKIP)
            assert [(slot.last_error, slot.open) for slot in simulation.slots] == [(None, 0)] * 8

    asyncio.run(talk())


def test_a_resumed_run_has_its_markets_and_asks_nobody(tmp_path: Path) -> None:
    async def talk() -> tuple[str, Any]:
        async with an_exchange() as plan:
            simulation = await plan(tmp_path, markets=["BTC-USD"])
            await simulation.run(SKIP)
            return simulation.id, simulation.state.plan.markets

    run, markets = asyncio.run(talk())

    assert Simulation.resume(run, tmp_path).state.plan.markets == markets


def test_a_preview_takes_what_the_plan_has_read() -> None:
    simulation = planned(markets=["BTC-USD"])
    changed = simulation.config.model_copy(update={"seed": 5})

    assert described_before(changed, Path()).universe.markets == list(simulation.state.plan.markets)


def test_a_preview_asks_no_exchange() -> None:
    with pytest.raises(ConfigError, match="asked for them when the run is planned"):
        described_before(parse_config(config(markets=["NEVER-ASKED"])), Path())


def test_a_draft_leaves_out_and_takes_in_what_the_exchange_is_asked_for() -> None:
    draft = ConfigDraft.of(parse_config(config(markets=["A/B", "C/D"])), Path())
    draft.choose_market("A/B", chosen=False)

    assert draft.choices_of_markets() == [("A/B", False), ("C/D", True)]

    draft.choose_market("A/B", chosen=True)

    assert not draft.is_changed


# What is refused


def test_a_venue_without_markets_is_refused_and_both_ways_are_named() -> None:
    with pytest.raises(ConfigError, match=r"venue: does not say which markets .* venue\.markets.* the section markets"):
        parse_config(config())


def test_markets_given_twice_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"markets: is given here, and venue\.markets as well"):
        parse_config(config(markets=["BTC-USD"]) | {"markets": MARKETS})


def test_markets_of_a_database_as_well_are_refused() -> None:
    read = {"database": {"url": "sqlite:///x.db", "markets": {"table": "markets"}}}
    with pytest.raises(ConfigError, match=r"database\.markets: is given here, and venue\.markets as well"):
        parse_config(config(markets=["BTC-USD"]) | read)


def test_a_database_may_say_the_markets_instead() -> None:
    parse_config(config() | {"database": {"url": "sqlite:///x.db", "markets": {"table": "markets"}}})


def test_a_market_that_is_named_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"venue\.markets\[1\]: \"A/B\" is already market \[0\]"):
        parse_config(config(markets=["A/B", "A/B"]))


def test_a_reference_price_of_another_market_is_refused() -> None:
    with pytest.raises(ConfigError, match='no market is called "BTC-USX"'):
        parse_config(config(markets=["BTC-USD"], reference_prices={"BTC-USX": 1}))


def test_a_reference_price_without_markets_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"reference_prices: has no effect without venue\.markets"):
        parse_config(config(reference_prices={"BTC-USD": 1}) | {"markets": MARKETS})


def test_a_market_that_the_exchange_has_not_is_refused() -> None:
    assert "venue.markets: tests.venues.ccxt_served:Served has no market NO-SUCH" in refused(markets=["NO-SUCH"])


def test_a_market_without_a_price_is_refused() -> None:
    assert "BTC-USD has no price of a last trade: give one in venue.reference_prices" in refused(
        markets=["BTC-USD"], exchange=Silent
    )


def test_only_markets_that_are_not_active_are_refused() -> None:
    assert "no market is active: OIL-USD" in refused(markets=["OIL-USD"])


def test_a_schedule_that_does_not_fit_the_exchanges_markets_is_refused() -> None:
    words = refused(markets=["BTC-USD"], sections={"scheduler": {"min_amount": "0.01", "max_amount": "0.02"}})

    assert "scheduler.max_amount" in words


def test_assets_that_are_too_coarse_are_refused_at_the_market() -> None:
    words = refused(markets=["BTC-USD"], sections={"assets": [{"symbol": "BTC"}, {"symbol": "USD", "precision": 2}]})

    assert 'venue.markets: "BTC-USD": tick 0.5 x lot 0.00001 is no whole number of USD units' in words


def test_an_exchange_that_does_not_answer_is_said_in_words() -> None:
    with pytest.raises(ConfigError, match=r"venue\.markets: .* does not tell its markets: ExchangeNotAvailable"):
        Simulation.create(parse_config(config(markets=["BTC-USD"])), save=False)


def test_code_of_the_users_own_is_not_imported_before_it_may_be() -> None:
    class NotAllowed(Exception):
        pass

    def never(target: str) -> None:
        raise NotAllowed(target)

    parsed = parse_config(config(markets=["BTC-USD"]) | {"name": "x"})
    with pytest.raises(NotAllowed, match="ccxt_served:Served"):
        Simulation.create(parsed, save=False, check_code=never)


# Digits in place of steps


def test_where_digits_are_counted_the_step_follows_from_the_price() -> None:
    (market,) = planned(markets=["BTC-USD"], exchange=Counting).state.plan.markets

    assert (market.tick_size, market.lot_size) == (Decimal(1), Decimal("0.00001"))


def a_listing(price: str, digits: int = 5) -> Listing:
    return Listing("A/B", "A", "B", Terms(None, Decimal(1), None, None, is_active=True, price_digits=digits), Decimal(price))


@pytest.mark.parametrize(
    ("price", "highest", "tick"),
    [("61234", "1", "1"), ("0.012", "1", "0.000001"), ("99999", "1.02", "10"), ("123456", "1", "10"), ("1", "1", "0.0001")],
)
def test_all_prices_of_a_schedule_keep_to_the_digits(price: str, highest: str, tick: str) -> None:
    assert tick_of(a_listing(price), Decimal(highest)) == Decimal(tick)


def test_where_the_digits_of_quantities_are_counted_a_lot_is_asked_for() -> None:
    assert "BTC-USD has no step of quantities at the exchange" in refused(markets=["BTC-USD"], exchange=CountingAll)


def test_an_exchange_without_a_step_of_prices_is_refused() -> None:
    without = a_listing("1")._replace(terms=Terms(None, Decimal(1), None, None, is_active=True))

    assert [words for words in lacks(without) if "no step of prices" in words]


def test_a_contract_is_refused() -> None:
    assert [words for words in lacks(a_listing("1")._replace(is_contract=True)) if "is a contract" in words]


@pytest.mark.parametrize(("step", "exact"), [("1e-8", "0.00000001"), (1e-05, "0.00001"), ("0.10", "0.1")])
def test_steps_are_exact(step: object, exact: str) -> None:
    assert terms({"precision": {"price": step}}, ccxt.TICK_SIZE).tick == Decimal(exact)


# What an exchange says is text from outside


def test_what_an_exchange_says_that_is_no_market_is_refused_in_words() -> None:
    spec = CcxtVenueSpec(exchange="binance", markets=("A/B",))
    parsed = parse_config(config(markets=["A/B"]))
    odd = a_listing("1")._replace(base="", terms=Terms(Decimal("1e-12"), Decimal("1e-12"), None, None, is_active=True))
    with pytest.raises(ConfigError) as error:
        with_listings(parsed, spec, [odd])

    assert {problem.path for problem in error.value.problems} == {"venue.markets"}


def test_a_price_that_is_given_is_not_asked_for() -> None:
    async def talk() -> None:
        async with in_this_loop(EXCHANGE) as (_, client):
            spec = parse_config(config(str(client._base_url).rstrip("/"), markets=["BTC-USD"])).venue
            assert isinstance(spec, CcxtVenueSpec)
            (found,) = await listings(spec, spec.markets, "venue.markets", {"BTC-USD"})
            assert found.price is None

    asyncio.run(talk())


def test_the_checkpoint_holds_what_the_config_said() -> None:
    said = json.loads(planned(markets=["BTC-USD"]).state.plan.config)

    assert (said["venue"]["markets"], said["markets"]) == (["BTC-USD"], None)
