"""The same run as in memory, shown by the app at full speed in a terminal of 120x36.

A real pseudo-terminal, and not Textual's own test harness, which draws but never writes: encoding and writing the frames
takes its time too. Measured is, as for the runs, from RUNNING to DONE, by the process of the app itself.
"""

import os
import sys
from pathlib import Path

from orderbook_tui.engine.simulation import RunStatus, Simulation
from tests.benchmarks.runs import config_of, stopwatch
from tests.benchmarks.terminal import in_terminal, written

PATIENCE_S = 300.0


def screen_slots_per_s(slots: int) -> float:
    """Run with the app attached, saving nothing, and return the slots per second."""
    answer, ours = os.pipe()
    try:
        command = [sys.executable, "-m", "tests.benchmarks.screen", str(slots), str(ours)]
        with in_terminal(command, keep_open=[ours]) as terminal:
            os.close(ours)
            last = b"".join(list(written(terminal, patience_s=PATIENCE_S))[-50:])
        pace = os.read(answer, 100)
    finally:
        os.close(answer)
    if not pace:
        raise RuntimeError(f"the app ended before the run was done: {last[-2000:].decode(errors='replace')}")
    return float(pace)
