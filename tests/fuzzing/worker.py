"""One process that makes inputs and lets them in, until its time is up.

It notes every input before it begins it, so that whoever watches knows at which one it died or stood still.
"""

import gc
import json
import os
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final, NamedTuple

from tests.fuzzing.targets import TARGETS
from tests.fuzzing.targets.base import Target

LIMIT_CPU_S: Final = 20
"""The processor time that one input may take."""
LIMIT_WALL_S: Final = 60
"""The time that one input may take, waiting included."""
LIMIT_MEMORY: Final = 3 << 30
"""The address space of a process; an input of megabytes has to do with it."""
NOTE: Final = struct.Struct("16sQ")


class TooLong(BaseException):
    """An input took more than its time."""


class Finding(NamedTuple):
    """An input that gave neither a result nor one of our errors."""

    target: str
    number: int
    kind: str
    """A crash, or a hang."""
    words: str
    content: bytes


def made(target: Target, seed: int, number: int) -> bytes:
    """Return the input of that number."""
    return target.make(Random(f"{target.name}/{seed}/{number}"))


def tried(target: Target, content: bytes, number: int = -1) -> Finding | None:
    """Let an input in; return what was found."""
    folder = Path(tempfile.mkdtemp(prefix="fuzzing-"))
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, LIMIT_CPU_S)
    try:
        target.run(content, folder)
    except TooLong:
        return Finding(target.name, number, "hang", _place(), content)
    except (Exception, SystemExit) as error:  # whatever it is, it is what we are looking for
        words = "".join(traceback.format_exception_only(error))[:2_000] if not _is_mute(error) else type(error).__name__
        return Finding(target.name, number, "crash", f"{words.strip()}\n{_place()}", content)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        shutil.rmtree(folder, ignore_errors=True)
    return None


def work(names: list[str], seed: int, job: int, jobs: int, cpu_s: float, note: Path, starts: dict[str, int]) -> None:
    """Try inputs of all targets in turns, as their shares are, and print what was found, a line of JSON each."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_MEMORY, LIMIT_MEMORY))
    targets = [TARGETS[name] for name in names]
    spent = dict.fromkeys(names, 0.0)
    counts = {name: starts.get(name, job) for name in names}
    began, parent = time.process_time(), os.getppid()
    with note.open("r+b") as noted:
        # Whoever watches may have been killed: then nobody listens any more.
        while time.process_time() - began < cpu_s and os.getppid() == parent:
            target = min(targets, key=lambda each: spent[each.name] / each.share)
            number = counts[target.name]
            os.pwrite(noted.fileno(), NOTE.pack(target.name.encode(), number), 0)
            before = time.process_time()
            finding = tried(target, made(target, seed, number), number)
            spent[target.name] += time.process_time() - before
            counts[target.name] += jobs
            if finding is not None:
                said = finding._replace(content=b"")._asdict() | {"content": finding.content[: 1 << 20].hex()}
                print(json.dumps(said), flush=True)
            if number % 64 == 0:
                gc.collect()
    inputs = {name: (counts[name] - starts.get(name, job)) // jobs for name in names}
    print(json.dumps({"inputs": inputs, "cpu_s": time.process_time() - began}), flush=True)


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TooLong


def _place() -> str:
    """Return where the error came from, the innermost lines last."""
    trace = traceback.extract_tb(sys.exc_info()[2])
    return "\n".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in trace[-6:])


def _is_mute(error: BaseException) -> bool:
    try:
        str(error)
    except Exception:
        return True
    return False
