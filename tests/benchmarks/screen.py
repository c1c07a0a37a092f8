"""What the app costs: a run that it shows at full speed, and its slots screen, in a terminal of 120x36.

A real pseudo-terminal, and not Textual's own test harness, which lays out but never draws: encoding and writing the frames
takes its time too. Everything is measured by the process of the app itself, which plays a scene (see `scenes`).
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable

from tests.benchmarks.terminal import in_terminal, written

PATIENCE_S = 600.0
PAIRS = 3
"""How often a run is measured with and without the app, in turns: machines drift."""


def played(scene: str, slots: int) -> dict[str, float]:
    """Play a scene on so many slots in a process and a terminal of its own, and return what it measured."""
    answer, said = os.pipe()
    command = [sys.executable, "-m", "tests.benchmarks.scenes", scene, str(slots), str(said)]
    try:
        with in_terminal(command, keep_open=[said]) as terminal:
            os.close(said)
            last = b""
            for chunk in written(terminal, patience_s=PATIENCE_S):
                last = (last + chunk)[-2000:]
        measured = os.read(answer, 10_000)
    finally:
        os.close(answer)
    if not measured:
        raise RuntimeError(f"the app ended before the scene did: {last.decode(errors='replace')}")
    numbers: dict[str, float] = json.loads(measured)
    return numbers


def screen_slots_per_s(slots: int) -> float:
    """Run with the app attached, saving nothing, and return the slots per second."""
    return played("run", slots)["slots_per_s"]


def share_of_headless(slots: int) -> float:
    """Return how much of the pace that a run in memory has without the app it has with it."""
    return _share("run", "memory_slots_per_s", slots)


def share_of_headless_grouped(slots: int) -> float:
    """Return the same of a run with a checkpoint that is saved by the group."""
    return _share("run_grouped", "grouped_slots_per_s", slots)


def open_slots_s(slots: int) -> float:
    """Return the seconds from the key that leads to the slots, for the first time, until they are drawn."""
    return played("open", slots)["seconds"]


def changed_row_ms(slots: int) -> float:
    """Return the CPU milliseconds of a frame in which one slot has changed."""
    return played("changed_row", slots)["ms"]


def full_repaint_ms(slots: int) -> float:
    """Return the CPU milliseconds of drawing the whole table anew, with nothing kept of how it was."""
    return played("full_repaint", slots)["ms"]


def scroll_frame_ms(slots: int) -> float:
    """Return the CPU milliseconds of a frame when a page is turned 20 times a second: all of them are the 50 that there are."""
    return played("scroll", slots)["ms"]


def filter_s(slots: int) -> float:
    """Return the seconds from the last letter of a filter until all slots are searched: those of the slowest filter."""
    return played("filter", slots)["seconds"]


def filter_slice_ms(slots: int) -> float:
    """Return the CPU milliseconds of the longest stretch at which slots were searched, before anything else had its turn."""
    return played("filter", slots)["slice_ms"]


def filter_pause_ms(slots: int) -> float:
    """Return the longest that nothing else happened while all slots were searched and what was found was drawn."""
    return played("filter", slots)["pause_ms"]


def key_p95_ms(slots: int) -> float:
    """Return the milliseconds within which 95 of 100 keys have done what they do, beside a run at full speed."""
    return played("keys", slots)["p95_ms"]


def _share(scene: str, headless: str, slots: int) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.catalogue", headless, str(slots)]

    def share() -> float:
        alone = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        return played(scene, slots)["slots_per_s"] / alone

    return _median(share, PAIRS)


def _median(measure: Callable[[], float], times: int) -> float:
    return statistics.median(measure() for _ in range(times))
