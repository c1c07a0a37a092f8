"""Many pairs at once: 100,000 slots, 32 pairs at a time, each order with a latency of its own, and budgets that run out."""

import anyio

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.engine.simulation import Simulation
from tests.benchmarks.runs import config_of
from tests.engine.runs import SKIP
from tests.late import far_away

AT_ONCE = 32
SECONDS = 0.002
"""The longest latency of an order."""


def overdrafts(slots: int) -> float:
    """Return how often an account gave more than it had, by books kept at the venue."""
    with far_away(seconds=SECONDS) as venues:
        simulation = Simulation.create(_config(slots), save=False)
        anyio.run(simulation.run, SKIP)
    stats = simulation.stats
    assert stats.completed_slots > 0
    assert stats.skipped_slots > 0, "no budget ran out"
    assert stats.pending_slots == 0
    assert all(simulation.invariants().values())
    return float(venues[0].overdrafts)


def _config(slots: int) -> SimulatorConfig:
    """Budgets of the quote suffice for about half of what is to be bought."""
    config = config_of(slots).model_dump(mode="json")
    trades = config["scheduler"]["trades_per_account"]
    config["budget"] = {"budgets": [{"amount": 10**10}, {"asset_id": "USD", "amount": 650 * trades}]}
    config["processor"]["concurrency"] = AT_ONCE
    return SimulatorConfig.model_validate(config)
