"""What the app takes beside the run that it shows: memory held when a run is done, with the app and without it.

    python -m tests.benchmarks.memory WHAT SLOTS    be the process of `bare`, `textual` or `headless`, and print its bytes

Textual itself, an empty app of it against none, is counted out; it is told on stderr, with the whole difference.
"""

import asyncio
import gc
import subprocess
import sys

import anyio

from tests.benchmarks.runs import config_of
from tests.benchmarks.screen import played
from tests.benchmarks.space import resident_bytes

MB = 1e6


def screen_mb(slots: int) -> float:
    """Return the megabytes that the app takes beside a run of so many slots, and beside Textual."""
    whole = (played("memory", slots)["bytes"] - _bytes_of("headless", slots)) / MB
    textual = (_bytes_of("textual", slots) - _bytes_of("bare", slots)) / MB
    print(f"{whole:.1f} MB more than headless, of which Textual is {textual:.1f} MB", file=sys.stderr)
    return whole - textual


def bare() -> int:
    """Import what a run needs, and run nothing."""
    import orderbook_tui.engine.simulation  # noqa: F401

    gc.collect()
    return resident_bytes()


def textual() -> int:
    """Open an empty app beside that."""
    from textual.app import App

    import orderbook_tui.engine.simulation  # noqa: F401

    held = 0

    async def look(_: object) -> None:
        nonlocal held
        await asyncio.sleep(0.5)
        gc.collect()
        held = resident_bytes()
        app.exit()

    app: App[None] = App()
    app.run(headless=True, auto_pilot=look)
    return held


def headless(slots: int) -> int:
    """Run in memory."""
    from orderbook_tui.engine.simulation import Simulation

    simulation = Simulation.create(config_of(slots), save=False)
    anyio.run(simulation.run)
    gc.collect()
    return resident_bytes()


def _bytes_of(what: str, slots: int) -> int:
    command = [sys.executable, "-m", "tests.benchmarks.memory", what, str(slots)]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    what, slots = sys.argv[1], int(sys.argv[2])
    print(headless(slots) if what == "headless" else textual() if what == "textual" else bare())
