"""Losses of power, by the thousand.

python -m tests.power                                 5,000 of them over every story, and one line that sums them up
python -m tests.power --states 500 --seed 7           others
python -m tests.power --story killed --state 1234     one, again; its files are kept, and where is said
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.power.lives import PLANTS, STORIES
from tests.power.losses import Told, lose_power


def _repeat(story: str, number: int, seed: int) -> int:
    told = Told(story, seed)
    (loss,) = told.losses([number])
    kept = Path(tempfile.mkdtemp(prefix="power-"))
    why = told.wrong(loss, kept)
    before = "\n".join(f"    {op.kind} {op.path or op.handle} {op.at} {len(op.data)}" for op in told.ops[: loss.cut][-6:])
    print(f"after operation {loss.cut} of {len(told.ops)}, the last of which are\n{before}")
    print(f"{loss.events} events promised; the files are in {kept}\n{why or 'nothing is wrong'}")
    return 1 if why else 0


def main() -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.power", description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=5_000, help="how many losses, over all stories")
    parser.add_argument("--seed", type=int, default=0, help="which of the endless number of them")
    parser.add_argument("--story", choices=[*STORIES, *PLANTS], help="only this one")
    parser.add_argument("--state", type=int, help="only this loss of the story, and tell about it")
    options = parser.parse_args()
    if options.state is not None:
        return _repeat(options.story or next(iter(STORIES)), options.state, options.seed)
    stories = [options.story] if options.story else list(STORIES)
    share = -(-options.states // len(stories))
    begun, states, wrong = time.monotonic(), 0, Counter[str]()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(lose_power, story, list(range(share)), options.seed) for story in stories]
        for story, job in zip(stories, jobs, strict=True):
            count, found = job.result()
            states += count
            wrong[story] += len(found)
            for command, why in found[:5]:
                print(f"{why}\n    {command}", file=sys.stderr)
    summary = {"power_losses": states, "wrong": wrong.total(), "seconds": round(time.monotonic() - begun, 1)}
    print(json.dumps(summary | {"wrong_by_story": {story: count for story, count in wrong.items() if count}}))
    return 1 if wrong.total() else 0


if __name__ == "__main__":
    sys.exit(main())
