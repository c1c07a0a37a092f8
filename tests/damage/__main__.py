"""Damage, by the thousand.

python -m tests.damage                                10,000 single bits, every cut of the last page, and a summary
python -m tests.damage --flips 1000 --seed 7          others
python -m tests.damage --sound killed --flip sqlite:4711:3     one, again
"""

import argparse
import json
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.damage.damage import Cut, Damage, Flip
from tests.damage.many import outcomes
from tests.damage.sound import KINDS


def main() -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.damage", description=__doc__.splitlines()[0])
    parser.add_argument("--flips", type=int, default=10_000, help="how many single bits, over all kinds of sound files")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    parser.add_argument("--sound", choices=list(KINDS), help="only this kind")
    parser.add_argument("--flip", help="only this bit, FILE:BYTE:BIT")
    parser.add_argument("--cut", help="only this end, FILE:SIZE")
    options = parser.parse_args()
    only = _only(options.flip, options.cut)
    begun, found, kinds = time.monotonic(), Counter[str](), [options.sound] if options.sound else list(KINDS)
    share = -(-options.flips // len(kinds) // 2)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        jobs = {
            pool.submit(outcomes, kind, share, options.seed * 2 + half, cut=half == 0, only=only): kind
            for kind in kinds
            for half in range(1 if only else 2)
        }
        for job, kind in jobs.items():
            for damage, outcome in job.result():
                found[outcome.partition(":")[0]] += 1
                if outcome.startswith("silent") or only:
                    print(f"{outcome}\n    python -m tests.damage --sound {kind} {damage}", file=sys.stderr)
    summary = {name: found[name] for name in ("told", "harmless", "silent")}
    print(json.dumps({"damages": found.total(), **summary, "seconds": round(time.monotonic() - begun, 1)}))
    return 1 if found["silent"] else 0


def _only(flip: str | None, cut: str | None) -> Damage | None:
    if flip:
        file, at, bit = flip.split(":")
        return Flip(file, int(at), int(bit))
    if cut:
        file, size = cut.split(":")
        return Cut(file, int(size))
    return None


if __name__ == "__main__":
    sys.exit(main())
