"""python -m tests.kills: kill runs, resume them, and say whether anything was lost, done twice or came out otherwise."""

import argparse
import gc
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from random import SystemRandom
from typing import Final

import anyio
import platformdirs  # noqa: F401 - what a child would import first

import orderbook_tui.cli
import orderbook_tui.headless  # noqa: F401
import tests.kills.desk  # noqa: F401
from tests.kills.ending import end_with
from tests.kills.gauge import Gauge, Phase
from tests.kills.kinds import KINDS
from tests.kills.life import Wrong
from tests.kills.trial import Scheme, Trial
from tests.kills.venue import SlowVenue

FAILINGS: Final = ("lost", "placed_twice", "unopenable", "other_hash", "other_orders", "wrong_end", "left_over")
_TELL_EVERY_S: Final = 10.0
_FEW_KILLS_A_RUN, _MOST_KILLS_A_RUN = 5, 24
"""The most of one run, where there are few in all, so that each kind has its turn, and where there are many."""
_ENOUGH_WRONG: Final = 5
"""After that many runs that went wrong nobody needs more of them."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=10_000, help="how many, at least")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes kill at a time")
    parser.add_argument("--seed", type=int, help="repeats the runs, and as far as timing allows the instants")
    parser.add_argument("--trial", type=int, help="only this run of the seed")
    parser.add_argument("--kind", choices=[kind.name for kind in KINDS], help="only runs of this kind")
    return parser.parse_args()


class Work:
    """What one process does: trials, until there were kills enough."""

    def __init__(self, wanted: argparse.Namespace, job: int, folder: Path) -> None:
        self._wanted, self._job, self._folder = wanted, job, folder
        self._counts = Counter[str]()
        self._wrong = 0
        kinds = [kind for kind in KINDS if wanted.kind in (None, kind.name)]
        self._scheme = Scheme(wanted.seed, kinds, min(_MOST_KILLS_A_RUN, max(_FEW_KILLS_A_RUN, wanted.kills // len(KINDS))))

    def done(self) -> Counter[str]:
        """Do it, and return what was counted."""
        wanted = self._wanted
        gauge = Gauge()
        numbers = iter(range(self._job, sys.maxsize, wanted.jobs)) if wanted.trial is None else iter([wanted.trial])
        told = time.monotonic()
        with SlowVenue(self._folder / f"venue-{self._job}.sock", wanted.seed) as venue:
            gc.collect()
            gc.freeze()
            for number in numbers:
                self._try(number, gauge, venue)
                if self._counts["kills"] * wanted.jobs >= wanted.kills or self._wrong >= _ENOUGH_WRONG:
                    break
                if time.monotonic() - told > _TELL_EVERY_S:
                    told = time.monotonic()
                    print(f"{self._counts['kills']} kills by process {self._job}", file=sys.stderr, flush=True)
        return self._counts

    def _try(self, number: int, gauge: Gauge, venue: SlowVenue) -> None:
        folder = self._folder / str(number)
        folder.mkdir()
        trial = Trial(self._scheme, number, folder, gauge, venue)
        try:
            trial.run()
        except Wrong as wrong:
            self._counts[wrong.what] += 1
            self._wrong += 1
            wanted = self._wanted
            again = f"--kills {wanted.kills} --seed {wanted.seed} --trial {number}"
            again += f" --kind {trial.kind.name!r}" if wanted.kind else ""
            print(
                f"{wrong.what} ({trial.kind.name}): {wrong}\n  kept: {folder}\n  again: python -m tests.kills {again}",
                file=sys.stderr,
                flush=True,
            )
        else:
            shutil.rmtree(folder)
        self._counts += trial.counts
        self._counts["runs"] += 1
        self._counts[f"kills of {trial.kind.name}"] += trial.counts["kills"]


def _in_a_process(work: Work) -> tuple[int, int]:
    """Begin `work` in a process of its own; return it, and where its counts can be read."""
    reading, writing = os.pipe()
    parent = os.getpid()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    status = 1
    try:
        end_with(parent)
        os.close(reading)
        with os.fdopen(writing, "w") as counts:
            json.dump(work.done(), counts)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def main() -> int:
    """Run the command."""
    wanted = _arguments()
    if wanted.seed is None:
        wanted.seed = SystemRandom().randrange(10**6)
    if wanted.trial is not None:
        wanted.jobs = 1
    began = time.monotonic()
    counts, broken = Counter[str](), False
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    anyio.run(anyio.sleep, 0)  # what is imported with the first event loop, no child has to import
    processes = [_in_a_process(Work(wanted, job, folder)) for job in range(wanted.jobs)]
    for process, reading in processes:
        with os.fdopen(reading) as told:
            text = told.read()
        broken |= os.waitpid(process, 0)[1] != 0
        counts.update(json.loads(text or "{}"))
    names = ["kills", *(phase.name.lower() for phase in Phase), *FAILINGS, "lives", "runs"]
    summary: dict[str, float] = {name: counts.pop(name, 0) for name in names}
    summary |= {name.replace(" ", "_"): counts[name] for name in sorted(counts)}
    summary |= {"seed": wanted.seed, "seconds": round(time.monotonic() - began, 1)}
    failed = broken or any(summary[name] for name in FAILINGS)
    if not failed:
        shutil.rmtree(folder)
    print(json.dumps(summary))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
