"""python -m tests.wire: run slots over a bad wire, and say whether anything was lost, done twice or came out otherwise."""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from tests.wire.planted import PLANTED
from tests.wire.trial import Wanted, tried

_MOST_SHOWN = 20


def main() -> int:
    """Run the command; return 1 where anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.wire", description=__doc__)
    parser.add_argument("--slots", type=int, default=2000, help="how many; a multiple of 16")
    parser.add_argument("--over", choices=["http", "fix"], default="http", help="how the run speaks to the exchange")
    parser.add_argument("--seed", type=int, help="repeats the faults")
    parser.add_argument("--concurrency", type=int, default=1, help="how many pairs at once")
    for killed, then in (("exchange", "restarted"), ("run", "resumed")):
        words = f"the {killed} is killed (-9) and {then} so many times, 5 where it is not said"
        parser.add_argument(f"--kill-{killed}", type=int, nargs="?", const=5, default=0, metavar="TIMES", help=words)
    parser.add_argument("--faults", type=float, default=1.0, metavar="X", help="so many times as frequent")
    parser.add_argument("--without", action="append", choices=["stream", "fence", "status"], default=[], help="over http")
    parser.add_argument("--plant", choices=sorted(PLANTED), help="put this bug in: it has to be found")
    parser.add_argument("--keep", action="store_true", help="keep the files of the run, also where nothing is wrong")
    chosen = parser.parse_args()
    seed = SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    wanted = Wanted(
        over=chosen.over,
        slots=chosen.slots,
        seed=seed,
        concurrency=chosen.concurrency,
        exchange_kills=chosen.kill_exchange,
        run_kills=chosen.kill_run,
        scale=chosen.faults,
        plant=chosen.plant,
        without=tuple(chosen.without),
    )
    folder = Path(tempfile.mkdtemp(prefix="wire-"))
    outcome = tried(wanted, folder)
    for words in outcome.violations[:_MOST_SHOWN]:
        print(f"VIOLATION {words}", file=sys.stderr)
    if outcome.violations or chosen.keep:
        print(f"kept: {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    told = outcome.summary
    line = {
        "over": wanted.over,
        "seed": seed,
        "concurrency": wanted.concurrency,
        "slots": wanted.slots,
        "completed": told.get("stats", {}).get("completed_slots"),
        "matched": told.get("verdicts", {}).get("matched"),
        "violations": len(outcome.violations),
        "requests": outcome.requests,
        "faults": sum(outcome.faults.values()),
        "attempts": told.get("attempts"),
        "generations": told.get("generations"),
        "questions": told.get("questions"),
        "exchange_kills": outcome.exchange_kills,
        "lives": outcome.lives,
        "seconds": round(outcome.seconds, 1),
        "each_fault": outcome.faults,
        "told_wrongly": told.get("told_wrongly"),
    }
    print(json.dumps(line))
    return int(bool(outcome.violations))


if __name__ == "__main__":
    sys.exit(main())
