"""The same run as in memory, shown by the app at full speed in a terminal of 120x36.

A real pseudo-terminal, and not Textual's own test harness, which lays out but never draws: encoding and writing the frames
takes its time too. Measured is, as for the runs, from RUNNING to DONE, by the process of the app itself.

    python -m tests.benchmarks.screen SLOTS DESCRIPTOR      be that process, and write the slots per second to DESCRIPTOR
"""

import gc
import os
import sys
from pathlib import Path

from orderbook_tui.engine.simulation import RunStatus, Simulation
from tests.benchmarks.runs import config_of, stopwatch
from tests.benchmarks.terminal import in_terminal, written

PATIENCE_S = 300.0


def screen_slots_per_s(slots: int) -> float:
    """Run with the app attached, saving nothing, and return the slots per second."""
    answer, said = os.pipe()
    command = [sys.executable, "-m", __spec__.name, str(slots), str(said)]
    try:
        with in_terminal(command, keep_open=[said]) as terminal:
            os.close(said)
            last = b""
            for chunk in written(terminal, patience_s=PATIENCE_S):
                last = (last + chunk)[-2000:]
        pace = os.read(answer, 100)
    finally:
        os.close(answer)
    if not pace:
        raise RuntimeError(f"the app ended before the run was done: {last.decode(errors='replace')}")
    return float(pace)


def shown_slots_per_s(simulation: Simulation) -> float:
    """Open the app in this terminal, start the run as soon as the app is ready, and leave when it is done."""
    from orderbook_tui.tui.app import OrderbookApp

    seconds = stopwatch(simulation)
    app = OrderbookApp(simulation, Path())

    async def start(_: object) -> None:
        gc.collect()
        app.start_or_pause()

    def leave_when_done(changed: Simulation) -> None:
        if changed.status is RunStatus.DONE:
            app.exit()

    simulation.subscribe(leave_when_done)
    app.run(auto_pilot=start)
    return len(simulation.slots) / seconds()


if __name__ == "__main__":
    pace = shown_slots_per_s(Simulation.create(config_of(int(sys.argv[1])), save=False))
    os.write(int(sys.argv[2]), str(pace).encode())
