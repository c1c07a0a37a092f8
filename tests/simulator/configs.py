"""Configurations drawn from a seed: small ones, of every shape."""

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from orderbook_tui.config import SimulatorConfig, parse_config
from orderbook_tui.engine.planning import plan_run
from orderbook_tui.errors import ConfigError

TARGET = "tests.simulator.venue:PLACE"
MOST_SLOTS = 40


@dataclass(frozen=True)
class Scenario:
    """What is run: a configuration, and what the person at the controls means to do with it."""

    config: SimulatorConfig
    outside: str
    """What a venue outside can do: "asked", "deduplicates", "both", "neither"; empty for the exchange inside."""
    rich: bool
    """Whether no budget can run out, so that it does not matter when a fill comes."""
    selects: tuple[tuple[str, ...], ...]
    """Markets that are run first, by themselves, one group after another."""
    revisits: int
    """How often the failed slots are revisited."""
    skips: bool
    """Whether what is still failed then is skipped."""
    concurrency: int = 1
    """How many pairs are run at once, in the world that has trouble."""

    @property
    def is_directed(self) -> bool:
        """Whether each order names whom it is to meet."""
        return self.config.scheduler.matching_strategy != "any"

    def in_trouble(self) -> "Scenario":
        """Return the same with as many pairs run at once as it says."""
        processor = self.config.processor.model_copy(update={"concurrency": self.concurrency})
        return replace(self, config=self.config.model_copy(update={"processor": processor}))


def draw(seed: int) -> Scenario:
    """Return what this seed is about."""
    for attempt in range(100):
        chance = Random(f"{seed}:config:{attempt}")
        outside = chance.choice(("asked", "deduplicates", "both", "neither")) if chance.random() < 0.45 else ""
        rich = bool(outside) or chance.random() < 0.55
        try:
            config = parse_config(_sections(seed, chance, outside, rich=rich))
            if config.scheduler.overrides:
                plan_run(config, Path(), None)
        except ConfigError:
            continue
        markets = [market.symbol for market in config.markets or ()]
        selects = ((chance.choice(markets),),) if len(markets) > 1 and chance.random() < 0.15 else ()
        revisits, skips = chance.choice((0, 0, 1, 1, 2)), chance.random() < 0.3
        return Scenario(config, outside, rich, selects, revisits, skips, _concurrency(seed))
    raise AssertionError(f"no configuration comes of seed {seed}")


def _sections(seed: int, chance: Random, outside: str, *, rich: bool) -> dict[str, Any]:
    accounts, trades, rounds = _size(chance)
    markets = _markets(chance)
    return {
        "name": f"trouble {seed}",
        "seed": seed,
        "accounts": {"generate": {"prefix": "a", "count": accounts}},
        "markets": markets,
        "scheduler": _scheduler(chance, accounts, trades, rounds, markets),
        "processor": _processor(chance),
        "budget": _budget(chance, trades * rounds, markets, rich=rich),
        "venue": _venue(chance, outside, accounts * trades * rounds),
    }


def _size(chance: Random) -> tuple[int, int, int]:
    while True:
        accounts, trades, rounds = chance.randint(2, 6), chance.randint(1, 10), chance.choice((1, 1, 1, 2))
        slots = accounts * trades * rounds
        if slots % 2 == 0 and slots <= MOST_SLOTS:
            return accounts, trades, rounds


def _markets(chance: Random) -> list[dict[str, Any]]:
    bases = chance.sample(["BTC", "ETH", "SOL"], chance.choice((1, 2, 2, 3)))
    return [
        {
            "symbol": f"{base}-USD",
            "base": base,
            "quote": "USD",
            "tick_size": chance.choice(("0.01", "0.5", "1")),
            "lot_size": chance.choice(("0.01", "0.1", "0.001")),
            "min_notional": chance.choice((0, 0, 0, 30)),
            "reference_price": chance.choice((100, 50, 250)),
            "regulation": chance.choice(({"kind": "unregulated"}, {"kind": "regulated", "band": "0.05"})),
        }
        for base in bases
    ]


def _scheduler(chance: Random, accounts: int, trades: int, rounds: int, markets: list[dict[str, Any]]) -> dict[str, Any]:
    names = [f"a-{n + 1}" for n in range(accounts)]
    # A price outside the band, now and then: discipline refuses it.
    bid, ask = chance.choice((("1", "1"), ("1", "1"), ("1.02", "0.98"), ("1.02", "1"), ("1.08", "1")))
    directed: dict[str, Any] = {"match_with": dict(zip(names[0::2], names[1::2], strict=False))}
    scheduler: dict[str, Any] = {
        "min_amount": chance.choice((20, 50, 100)),
        "max_amount": chance.choice((100, 200, 300)),
        "trades_per_account": trades,
        "rounds": rounds,
        "bid_price_offset": bid,
        "ask_price_offset": ask,
        "alternate_sides": chance.random() < 0.7,
        "market_distribution": chance.choice(("round_robin", "same_market", "sequential", "random", "weighted")),
        "matching_strategy": chance.choice(("sequential_next", "any", "any", directed)),
        "amount_distribution": chance.choice(("uniform", "uniform", "fixed")),
        "time_in_force": {
            "maker": chance.choice(("gtc",) * 5 + ("ioc", "fok", "post_only")),
            "taker": chance.choice(("gtc",) * 5 + ("ioc", "fok", "post_only")),
        },
    }
    if scheduler["market_distribution"] == "weighted":
        scheduler["market_weights"] = {market["symbol"]: chance.randint(1, 4) for market in markets}
    if chance.random() < 0.3:
        slot = chance.randrange(accounts * trades * rounds)
        scheduler["overrides"] = [{"slot": slot, chance.choice(("bid_amount", "ask_amount")): chance.choice((1, 2, 50, 100))}]
    return scheduler


def _processor(chance: Random) -> dict[str, Any]:
    return {
        "retry_base_delay_ms": chance.choice((0, 1, 20, 500)),
        "max_retries": chance.choice((0, 1, 1, 2, 3)),
        "jitter": chance.choice((0, 0.1, 0.5)),
        "save_after_each_slot": chance.random() < 0.6,
        "slots_per_second": chance.choice((None, None, None, 2, 50, 5000)),
        "cancel_open_orders_at_end": chance.random() < 0.7,
    }


def _concurrency(seed: int) -> int:
    # From a chance of its own, so that all else is as it was for a seed that is known.
    chance = Random(f"{seed}:concurrency")
    return chance.choice((2, 3, 8)) if chance.random() < 0.3 else 1


def _budget(chance: Random, slots: int, markets: list[dict[str, Any]], *, rich: bool) -> dict[str, Any]:
    if rich:
        return {"budgets": [{"amount": 10**9}]}
    need = slots * 75 * chance.uniform(0.2, 1.3)
    budgets: list[dict[str, Any]] = [{"amount": 10**6}, {"asset_id": "USD", "amount": f"{need:.2f}"}]
    for market in markets:
        if chance.random() < 0.5:
            amount = need / float(market["reference_price"])
            budgets.append({"asset_id": market["base"], "amount": f"{amount:.2f}"})
    if chance.random() < 0.3:
        budgets.append({"account_id": "a-1", "asset_id": "USD", "amount": chance.choice((0, 100, 10**6))})
    return {"budgets": budgets}


def _venue(chance: Random, outside: str, slots: int) -> dict[str, Any]:
    fees = {"maker": chance.choice((0, "0.001", "0.0005")), "taker": chance.choice((0, "0.002", "0.01"))}
    faults: dict[str, Any] = {}
    if chance.random() < (0.2 if outside else 0.7):
        faults["transient_rate"] = chance.choice((0, 0.05, 0.2, 0.5))
        faults["rejection_rate"] = chance.choice((0, 0, 0.05, 0.2))
        if chance.random() < 0.5:
            faults["latency_ms"] = chance.choice(([0, 5], [1, 100], [50, 50]))
        if chance.random() < 0.4:
            outage = {"from_slot": chance.randrange(slots), "slots": chance.randint(1, 6), "attempts": chance.randint(1, 6)}
            faults["outages"] = [outage]
    if outside:
        return {"kind": "python", "target": TARGET, "fees": fees, "faults": faults}
    prevention = chance.choice(("cancel_newest", "cancel_oldest", "cancel_both"))
    return {"kind": "embedded", "fees": fees, "self_trade_prevention": prevention, "faults": faults}
