"""Taking a run up again: `Simulation.resume` of a checkpoint in which three of the four markets have been run; and a list.

As a program, with a folder and a number of slots, it leaves such a checkpoint there: whoever measures has then no memory to
be had from that run.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio

from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from tests.benchmarks.runs import PRICES, config_of


def resume_s(slots: int) -> float:
    """Return the seconds from the call to a simulation that can go on, all of it read and verified."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", __name__, folder, str(slots)], check=True)
        (file,) = Path(folder).glob("*.sqlite")
        started = time.perf_counter()
        simulation = Simulation.resume(file.stem, folder)
        took = time.perf_counter() - started
        stats = simulation.stats
        assert simulation.status is RunStatus.READY
        assert 0 < stats.ended_slots < stats.total_slots
        simulation.close()
    return took


def list_s(checkpoints: int) -> float:
    """Return the seconds of processor time that a list of so many checkpoints takes."""
    with tempfile.TemporaryDirectory() as folder:
        leave_unfinished(folder, 400)
        (file,) = Path(folder).glob("*.sqlite")
        for number in range(checkpoints - 1):
            shutil.copy(file, Path(folder) / f"copy-{number}.sqlite")
        started = time.process_time()
        assert len(StatePersistence(folder).list_simulations()) == checkpoints
        return time.process_time() - started


def leave_unfinished(folder: str, slots: int) -> None:
    """Run the slots of all markets but one, and leave the checkpoint in `folder`."""
    simulation = Simulation.create(config_of(slots), state_dir=folder)
    simulation.select(markets=[f"{base}-USD" for base in list(PRICES)[:-1]])
    anyio.run(simulation.run)
    simulation.close()


if __name__ == "__main__":
    leave_unfinished(sys.argv[1], int(sys.argv[2]))
