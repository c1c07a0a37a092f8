"""Making a schedule: `SlotScheduler.generate_schedule` for 100 accounts on 4 markets, as the runs have it."""

import time

from orderbook_tui.config import scheduler_config, universe
from orderbook_tui.core.scheduler import SlotScheduler
from tests.benchmarks.runs import config_of


def generate_s(slots: int) -> float:
    """Return the seconds that a schedule of so many slots takes."""
    config = config_of(slots)
    described = universe(config)
    scheduler = SlotScheduler(scheduler_config(config, described.accounts))
    started = time.perf_counter()
    schedule = scheduler.generate_schedule(described.accounts, described.markets)
    took = time.perf_counter() - started
    assert len(schedule) >= slots
    return took
