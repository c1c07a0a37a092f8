"""Sound checkpoints to be damaged, each left behind by a process of its own: `python -m tests.damage.sound KIND FOLDER`.

killed       in the middle of a run: a file, its write-ahead journal and its guard
finished     one file
elsewhere    killed while an order was being placed at a venue outside of the process
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from orderbook_tui.core.slot import ActionSlot
from tests.power.lives import Story, live

ROOT: Final = Path(__file__).parents[2]
KINDS: Final = {
    "killed": Story(lives=("kill",), stop_after=30),
    "finished": Story(lives=("end",)),
    "elsewhere": Story(lives=("end",), venue="tests.damage.sound:venue"),
}
_LAST: Final = 11
"""The slot whose order is being placed when the process is killed."""


def venue(slot: ActionSlot) -> str:
    """Place an order outside of the process, as far as anybody knows."""
    if slot.sequence == _LAST:
        os._exit(9)
    return f"elsewhere-{slot.sequence}"


def left_behind(kind: str, folder: Path) -> dict[str, bytes]:
    """Leave a checkpoint in `folder`; return its files, by what comes after the id."""
    command = [sys.executable, "-m", "tests.damage.sound", kind, str(folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == (0 if kind == "finished" else 9), ended.stderr
    return {path.name.partition(".")[2]: path.read_bytes() for path in (folder / "deep" / "state").iterdir()}


if __name__ == "__main__":
    live(KINDS[sys.argv[1]], 0, Path(sys.argv[2]), lambda: os._exit(9))
