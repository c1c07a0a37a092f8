"""Measure what is named, or everything, one after another, and print one JSON object on one line."""

import json
import subprocess
import sys

from tests.benchmarks.catalogue import BENCHMARKS, measured


def main(names: list[str]) -> int:
    """Return the exit status: 0 measured, 1 a benchmark failed, 2 no such benchmark."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    numbers = {}
    for name in BENCHMARKS:
        if name in names or not names:
            print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
            try:
                numbers[name] = measured(name)
            except subprocess.CalledProcessError:
                print(f"{name} failed", file=sys.stderr)
                return 1
            needed = BENCHMARKS[name].verdict(numbers[name])
            print(f"{numbers[name]:,}" + (f"    ({needed})" if needed else ""), file=sys.stderr)
    print(json.dumps(numbers))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
