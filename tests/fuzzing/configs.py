"""Configurations: sound ones of every kind, and the ways in which they go wrong."""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from orderbook_tui.config import json_schema
from tests.fuzzing.mutating import NUMBERS, TEXTS, bent, mutated, written

EXAMPLES: Final = Path(__file__).parents[2] / "configs"
MARKS: Final = tuple(text.encode("utf-8", "surrogatepass") for text in (*NUMBERS, *TEXTS[:40]))


def sound(random: Random) -> dict[str, Any]:
    """Return a small configuration that is meant to be sound, and nearly always is."""
    count, trades = random.choice([2, 2, 3, 4, 4, 5, 8]), random.choice([1, 2, 2, 4, 6, 10])
    symbols = [f"M{number}" for number in range(random.choice([1, 1, 2, 3]))]
    distribution = random.choice(["round_robin", "same_market", "sequential", "random", "weighted"])
    least = random.choice([10, 100])
    scheduler: dict[str, Any] = {
        "trades_per_account": trades + (count * trades % 2),
        "rounds": random.choice([1, 1, 2]),
        "min_amount": least,
        "max_amount": str(least * random.choice([2, 50, 50])),
        "alternate_sides": random.random() < 0.7,
        "market_distribution": distribution,
        "amount_distribution": random.choice(["uniform", "fixed"]),
        "matching_strategy": random.choice(["sequential_next", "any", {"match_with": {"a0": "a1"}}]),
        "time_in_force": {"maker": random.choice(_LIVES), "taker": random.choice(_LIVES)},
    }
    if distribution == "weighted":
        scheduler["market_weights"] = {symbol: random.choice([1, "0.5", 10**18]) for symbol in symbols}
    if random.random() < 0.3:
        scheduler |= {"bid_price_offset": "1.02", "ask_price_offset": random.choice(["0.98", 1, "1.02"])}
    if random.random() < 0.2:
        scheduler["amount_in"] = "base"
    if random.random() < 0.2:
        scheduler["overrides"] = [{"slot": random.randrange(4), "bid_amount": random.choice([1, "2.5", 100])}]
    return {
        "name": random.choice(["run", "ünïcode", "=1+1", "two words"]),
        "seed": random.choice([0, 1, 2**63 - 1]),
        "accounts": {"list": [{"id": f"id{n}", "name": f"a{n}"} for n in range(count)]}
        if random.random() < 0.5 or isinstance(scheduler["matching_strategy"], dict)
        else {"generate": {"prefix": "a", "count": count}},
        "markets": [
            {
                "symbol": symbol,
                "base": f"B{symbol}",
                "quote": "USD",
                "reference_price": random.choice([1, "0.25", 100, 3_000]),
                "tick_size": random.choice(["0.01", "0.05"]),
                "lot_size": random.choice(["0.000001", "0.000001", "0.0001", 1]),
                "regulation": random.choice([{"kind": "unregulated"}, {"kind": "regulated", "band": "0.05"}]),
            }
            for symbol in symbols
        ],
        "scheduler": scheduler,
        "processor": {
            "retry_base_delay_ms": 0,
            "max_retries": random.choice([0, 1, 3]),
            "on_failure": random.choice(["skip", "continue"]),
            "save_after_each_slot": random.random() < 0.5,
            "cancel_open_orders_at_end": random.random() < 0.8,
        },
        "budget": {"budgets": [{"amount": random.choice([0, 500, "10000", 10**9])}, {"asset_id": "USD", "amount": 10**9}]},
        "venue": {
            "kind": "embedded",
            "fees": {"maker": random.choice([0, "0.001", "0.9999999999"]), "taker": random.choice([0, "0.0005"])},
            "self_trade_prevention": random.choice(["cancel_newest", "cancel_oldest", "cancel_both"]),
            "faults": {"transient_rate": random.choice([0, 0.3, 1]), "rejection_rate": random.choice([0, 0.2])},
        },
    }


def any_config(random: Random) -> bytes:
    """Return the text of a configuration, sound or not."""
    example = random.choice(corpus())
    if random.random() < 0.7:
        tree: Any = deepcopy(json.loads(example)) if random.random() < 0.5 else sound(random)
        for _ in range(random.choice([0, 1, 1, 1, 2, 3, 10])):
            tree = bent(random, tree, keys())
        content = written(tree).encode("utf-8", "surrogatepass")
        return content if random.random() < 0.7 else mutated(random, content, corpus(), MARKS)
    return mutated(random, example, corpus(), MARKS)


@cache
def corpus() -> tuple[bytes, ...]:
    """Return the texts of the examples that come with the program."""
    return tuple(path.read_bytes() for path in sorted(EXAMPLES.glob("*.json")) if path.stem != "accounts")


@cache
def keys() -> tuple[str, ...]:
    """Return every key that a configuration may have somewhere."""
    found: dict[str, None] = {}
    waiting: list[Any] = [json_schema()]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found |= dict.fromkeys(value.get("properties", {}))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return tuple(sorted(found))


_LIVES: Final = ("gtc", "gtc", "gtc", "ioc", "fok", "post_only")
