"""From the command to something to read: the help, and the first frame of the app. The median of several starts.

The first frame is there when the terminal has got all of it: the table with its slots, the budgets, and the keys below.
"""

import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.terminal import in_terminal, written

CONFIG = Path(__file__).parents[2] / "configs" / "simulator.json"
PATIENCE_S = 30.0
FIRST_FRAME = (b"test-account-1", b"BTC-USD", b"Pending", b"Budgets", b"Quit")


def help_s(starts: int) -> float:
    """Return the seconds of `orderbook-tui --help`, from start to end."""

    def helped() -> float:
        started = time.perf_counter()
        subprocess.run([command(), "--help"], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started

    return _median(helped, starts)


def first_frame_s(starts: int) -> float:
    """Return the seconds from the start of `orderbook-tui configs/simulator.json` to its first frame."""
    return _median(_first_frame, starts)


def command() -> str:
    """Return the path of `orderbook-tui`, as it is installed for the Python that runs."""
    path = Path(sysconfig.get_path("scripts")) / "orderbook-tui"
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: install the project for {sys.executable}")
    return str(path)


def _first_frame() -> float:
    seen = b""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with in_terminal([command(), str(CONFIG), "--state-dir", folder]) as terminal:
            for chunk in written(terminal, patience_s=PATIENCE_S):
                seen += chunk
                if all(mark in seen for mark in FIRST_FRAME):
                    return time.perf_counter() - started
    raise RuntimeError(f"the app ended without a frame: {seen[-2000:].decode(errors='replace')}")


def _median(measure: Callable[[], float], times: int) -> float:
    return statistics.median(measure() for _ in range(times))
