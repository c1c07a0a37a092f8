"""Network venues: whole runs at an exchange that is served by a process of its own, beside bare loops that send the same.

A run is as users have it: its checkpoint is on the disk, with every intent, and its venue is what `configs` has for it. In
turns with it a bare loop of the library (see `bare`) places as many orders of the same accounts, amounts and prices at the same
exchange. Time goes from the first order to the acknowledgement of the last; an order's acknowledgement begins, in a run, when
its attempt does, so that budget and intent are in it.

Machines drift: what counts is the share of the bare loop's pace, the median of several pairs.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anyio

from orderbook_tui.config import SimulatorConfig, parse_config
from orderbook_tui.core.book import Side
from orderbook_tui.engine.simulation import Simulation
from tests.benchmarks.bare import Acknowledged, Order, over_fix, over_http
from tests.benchmarks.runs import in_memory
from tests.engine.runs import QUIT
from tests.serving.exchange import ServedProcess, served

ACCOUNTS = 80
"""Enough for 32 pairs at once that have none in common."""
FEES = {"maker": "0.0005", "taker": "0.001"}
PAIRS = 5
"""How often a run and the bare loop take turns."""
_CONFIGS = Path(__file__).parents[2] / "configs"
_BARE = {"http": over_http, "fix": over_fix}


class Played(NamedTuple):
    """What came of runs and bare loops in turns."""

    ours: list[Acknowledged]
    bare: list[Acknowledged]


class Figures(NamedTuple):
    """What is to be known of one kind of venue, with so many pairs at once; each takes how many orders to send."""

    kind: str
    at_once: int

    def share(self, orders: int) -> float:
        """Return how much of the bare loop's pace a run has."""
        found = played(self.kind, self.at_once, orders, PAIRS)
        self._tell(found)
        return statistics.median(_pace(ours) / _pace(bare) for ours, bare in zip(found.ours, found.bare, strict=True))

    def orders_per_s(self, orders: int) -> float:
        """Return the pace of a run."""
        return _pace(self._alone(orders))

    def bare_orders_per_s(self, orders: int) -> float:
        """Return the pace of a bare loop, beside one run."""
        return _pace(played(self.kind, self.at_once, orders, 1).bare[0])

    def p50_ms(self, orders: int) -> float:
        """Return the milliseconds within which half of the orders were acknowledged."""
        return _percentile(self._alone(orders).ms, 50)

    def p99_ms(self, orders: int) -> float:
        """Return the milliseconds within which 99 of 100 orders were acknowledged."""
        return _percentile(self._alone(orders).ms, 99)

    def _alone(self, orders: int) -> Acknowledged:
        return played(self.kind, self.at_once, orders, 1).ours[0]

    def _tell(self, found: Played) -> None:
        """Say on stderr what stood beside what."""
        for who, took in zip(("ours", "bare"), found, strict=True):
            ms = [each for one in took for each in one.ms]
            pace = statistics.median(map(_pace, took))
            print(
                f"\n  {self.kind}, {self.at_once} at once, {who}: {pace:,.0f} orders/s, acknowledged in "
                f"{_percentile(ms, 50):.2f} ms (p50), {_percentile(ms, 99):.2f} ms (p99)",
                end="",
                file=sys.stderr,
            )
        print(file=sys.stderr)


HTTP_1, HTTP_32, FIX_1, FIX_32 = Figures("http", 1), Figures("http", 32), Figures("fix", 1), Figures("fix", 32)


def played(kind: str, at_once: int, orders: int, pairs: int) -> Played:
    """Run, and send the same without a run, in turns, `pairs` times each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if in_memory(folder):
            print(f"{folder} is in memory, not on a disk: set TMPDIR to a folder that is", file=sys.stderr)
        world = _world(orders) | {"venue": {"kind": "embedded", "fees": FEES}}
        options = [option for number in range(pairs) for option in ("--fix-comp-id", f"bare-{number}")]
        with served(world, folder, fix=True, options=options) as exchange:
            return anyio.run(_played, kind, at_once, orders, pairs, exchange, folder)


async def _played(kind: str, at_once: int, orders: int, pairs: int, exchange: ServedProcess, folder: Path) -> Played:
    config = _config(kind, at_once, orders, exchange)
    ours, bare = [], []
    for number in range(pairs):
        simulation = Simulation.create(config, state_dir=folder / "checkpoints")
        plain = _orders(simulation)
        ours.append(await _run(simulation))
        bare.append(await _BARE[kind](exchange, plain, at_once, f"bare-{number}"))
    return Played(ours, bare)


async def _run(simulation: Simulation) -> Acknowledged:
    """Run it, and read from its attempts how long it took; it refuses a run in which not every pair traded."""
    await simulation.run(QUIT)
    simulation.close()
    stats = simulation.stats
    assert stats.completed_slots == stats.total_slots, stats
    assert all(slot.filled == slot.action.quantity for slot in simulation.slots)
    assert not simulation.notes, simulation.notes
    attempts = [slot.attempts[0] for slot in simulation.slots]
    seconds = (max(each.ended for each in attempts) - min(each.started for each in attempts)) / 1e9
    return Acknowledged(seconds, [(each.ended - each.started) / 1e6 for each in attempts])


def _orders(simulation: Simulation) -> list[Order]:
    """Return what a run is about to place."""
    found = []
    for slot in simulation.slots:
        action = slot.action
        market, other = action.market, action.matching_strategy.account
        assert other is not None
        found.append(
            Order(
                simulation.account_name(slot.account_id),
                market.symbol,
                action.side is Side.BID,
                f"{market.quantity(action.quantity):f}",
                f"{market.price(action.price):f}",
                simulation.account_name(other),
            )
        )
    return found


def _world(orders: int) -> dict[str, Any]:
    """Return what run and exchange have in common: accounts, markets, and budgets that suffice."""
    accounts = min(ACCOUNTS, max(4, orders // 10 * 2))
    config = json.loads((_CONFIGS / "venue-http.json").read_text(encoding="utf-8"))
    return {
        "accounts": {"generate": {"prefix": "trader", "count": accounts}},
        "markets": config["markets"],
        "scheduler": {"max_amount": 2000, "trades_per_account": max(2, orders // accounts)},
        "budget": {"budgets": [{"amount": 10**9}]},
    }


def _config(kind: str, at_once: int, orders: int, exchange: ServedProcess) -> SimulatorConfig:
    """Return the configuration of a run at `exchange`, whose venue is that of `configs`."""
    venue = json.loads((_CONFIGS / f"venue-{kind}.json").read_text(encoding="utf-8"))["venue"]
    venue |= {"base_url": exchange.http_url} if kind == "http" else {"port": exchange.fix_port}
    return parse_config(_world(orders) | {"venue": venue | {"fees": FEES}, "processor": {"concurrency": at_once}})


def _pace(took: Acknowledged) -> float:
    return len(took.ms) / took.seconds


def _percentile(ms: Sequence[float], percent: int) -> float:
    return sorted(ms)[min(len(ms) * percent // 100, len(ms) - 1)]
