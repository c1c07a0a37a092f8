"""Whole runs without a screen: 100 accounts, 4 markets, directed pairs; attempts and ledger are kept, as by default.

Measured is the run itself, from RUNNING to DONE: planning it and creating its file come before. At DONE all of it is saved,
on the disk, and folded into one file.

Files go where Python puts temporary ones (TMPDIR says otherwise), so that whatever else is measured there has the same disk.
Where that is memory, a line on stderr says so: syncing costs nothing there, and the numbers flatter.
"""

import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import anyio

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.engine.simulation import RunStatus, Simulation

ACCOUNTS = 100
PRICES = {"BTC": 60_000, "ETH": 3_000, "SOL": 150, "XRP": 2}


def config_of(slots: int, *, save_after_each_slot: bool = False) -> SimulatorConfig:
    """Return a configuration of at least so many slots: a whole number for each account, and budgets that suffice."""
    return SimulatorConfig.model_validate(
        {
            "name": "benchmark",
            "accounts": {"generate": {"count": ACCOUNTS}},
            "markets": [
                {"symbol": f"{base}-USD", "base": base, "quote": "USD", "reference_price": price}
                for base, price in PRICES.items()
            ],
            "scheduler": {"trades_per_account": max(1, slots // ACCOUNTS)},
            "processor": {"save_after_each_slot": save_after_each_slot},
            "budget": {"budgets": [{"amount": 10**10}]},
        }
    )


def memory_slots_per_s(slots: int) -> float:
    """Run in memory, saving nothing."""
    return pace_of(Simulation.create(config_of(slots), save=False))


def grouped_slots_per_s(slots: int) -> float:
    """Run with a checkpoint that is saved by the group."""
    return _saved_slots_per_s(config_of(slots, save_after_each_slot=False))


def each_slots_per_s(slots: int) -> float:
    """Run with a checkpoint that is saved after each slot."""
    return _saved_slots_per_s(config_of(slots, save_after_each_slot=True))


def pace_of(simulation: Simulation) -> float:
    """Run to the end and return the slots per second."""
    seconds = stopwatch(simulation)
    gc.collect()
    anyio.run(simulation.run)
    return len(simulation.slots) / seconds()


def stopwatch(simulation: Simulation) -> Callable[[], float]:
    """Return what tells, afterwards, the seconds from RUNNING to DONE; it refuses a run in which not every pair traded."""
    at: dict[RunStatus, float] = {}

    def note(changed: Simulation) -> None:
        at[changed.status] = time.perf_counter()

    simulation.subscribe(note)

    def seconds() -> float:
        stats = simulation.stats
        assert stats.completed_slots == 2 * stats.total_matches == stats.total_slots, stats
        return at[RunStatus.DONE] - at[RunStatus.RUNNING]

    return seconds


def _saved_slots_per_s(config: SimulatorConfig) -> float:
    with tempfile.TemporaryDirectory() as folder:
        if in_memory(Path(folder)):
            print(f"{folder} is in memory, not on a disk: set TMPDIR to a folder that is", file=sys.stderr)
        return pace_of(Simulation.create(config, state_dir=folder))


def in_memory(folder: Path) -> bool:
    """Whether a file system of the memory holds `folder`, as far as the system says."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return False
    kinds = {mount[1]: mount[2] for mount in mounts}
    return next(kinds[str(above)] for above in (folder.resolve() / ".").parents if str(above) in kinds) in {"tmpfs", "ramfs"}
