"""What a slot takes: memory after a run that saves nothing, less memory before its plan was made, for each slot.

All that the run leaves is in it: plan, attempts, fills, journal. The process must be fresh, or it has memory to reuse.
"""

import resource
import sys
from pathlib import Path

import anyio

from orderbook_tui.engine.simulation import Simulation
from tests.benchmarks.runs import config_of, stopwatch


def bytes_per_slot(slots: int) -> float:
    """Run `slots` slots in memory and return how much each has added to what the process holds."""
    config = config_of(slots)
    before = resident_bytes()
    simulation = Simulation.create(config, save=False)
    seconds = stopwatch(simulation)
    anyio.run(simulation.run)
    held = resident_bytes() - before
    seconds()
    return held / len(simulation.slots)


def resident_bytes() -> int:
    """Return what the process holds in memory now; its most until now, where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return int(pages) * resource.getpagesize()
