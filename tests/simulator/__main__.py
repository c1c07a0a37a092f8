"""`python -m tests.simulator`: run seeds, and print one line about them."""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.simulator import kernel, virtual_time

virtual_time.install()
kernel.install()

from tests.simulator import listening, planted, seeds  # noqa: E402 - the clocks and files first


def main() -> int:
    """Run what the command line says; return 1 where a seed was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description="Run trouble, seed by seed.")
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--seed", type=int, help="this seed alone, with its digest")
    parser.add_argument("--plant", choices=sorted(planted.PLANTED), help="put this bug in, and stop when it is found")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--verbose", action="store_true", help="the trace, too")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first violation")
    chosen = parser.parse_args()
    listening.install()
    if chosen.plant:
        planted.PLANTED[chosen.plant]()
    if chosen.seed is not None:
        return _one(chosen.seed, chosen.plant, verbose=chosen.verbose)
    if chosen.jobs > 1:
        return _in_parallel(chosen)
    return _many(range(chosen.first, chosen.first + chosen.seeds), chosen.plant, keep_going=chosen.keep_going)


def _one(seed: int, plant: str | None, *, verbose: bool) -> int:
    outcome = seeds.play(seed)
    if verbose:
        print(*outcome.trace, sep="\n")
    _tell(outcome, plant)
    print(
        f"seed {seed}: {outcome.slots} slots, {outcome.lives} lives, {outcome.deaths} deaths, "
        f"{'equal to the undisturbed run' if outcome.compared and not outcome.violation else 'not compared'}, "
        f"digest {outcome.digest}"
    )
    return bool(outcome.violation)


def _many(several: range, plant: str | None, *, keep_going: bool) -> int:
    began = time.perf_counter()
    sums: Counter[str] = Counter()
    for seed in several:
        outcome = seeds.play(seed)
        sums.update(
            seeds=1,
            violations=int(bool(outcome.violation)),
            slots=outcome.slots,
            lives=outcome.lives,
            deaths=outcome.deaths,
            compared=int(outcome.compared),
            with_unheard_executions=int(bool(outcome.unheard)),
        )
        if outcome.violation:
            _tell(outcome, plant)
            if plant or not keep_going:
                break
    _sum_up(several.start, sums, began)
    return bool(sums["violations"])


def _sum_up(first: int, sums: Counter[str], began: float) -> None:
    told = {"simulator": f"from seed {first}", **sums, "seconds": round(time.perf_counter() - began, 1)}
    print(json.dumps(told), flush=True)


def _tell(outcome: seeds.Outcome, plant: str | None) -> None:
    if outcome.violation:
        planting = f" --plant {plant}" if plant else ""
        when = outcome.trace[-1].split(": ")[0] if outcome.trace else "at the beginning"
        print(f"VIOLATION {when}: {outcome.violation}")
        print(f"repeat: python -m tests.simulator --seed {outcome.seed}{planting}", flush=True)


def _in_parallel(chosen: argparse.Namespace) -> int:
    """Share the seeds out among processes, and add up what they say."""
    began = time.perf_counter()
    share, end = -(-chosen.seeds // chosen.jobs), chosen.first + chosen.seeds
    command = [sys.executable, "-m", "tests.simulator"]
    command += ["--plant", chosen.plant] if chosen.plant else []
    command += ["--keep-going"] if chosen.keep_going else []
    processes = [
        subprocess.Popen(
            [*command, "--from", str(first), "--seeds", str(min(share, end - first))],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for first in range(chosen.first, end, share)
    ]
    sums: Counter[str] = Counter()
    for process in processes:
        *violations, told = process.communicate()[0].splitlines() or [""]
        print(*violations, sep="\n", end="\n" if violations else "", flush=True)
        try:
            numbers = json.loads(told)
        except ValueError:
            print(f"a process ended with {process.returncode}: {told}")
            continue
        sums.update({name: number for name, number in numbers.items() if isinstance(number, int)})
    _sum_up(chosen.first, sums, began)
    return int(any(process.returncode for process in processes))


if __name__ == "__main__":
    sys.exit(main())
