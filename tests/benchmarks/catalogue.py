"""Every benchmark by name: what measures it, and at which size.

As a program, with a name and a size, it measures that in its own process and prints the number.
"""

import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

from tests.benchmarks import book, plans, runs, screen, space, starting


class Benchmark(NamedTuple):
    """What to measure. `size` counts messages, slots or starts; `decimals` are what the number is good for."""

    measure: Callable[[int], float]
    size: int
    decimals: int | None = None


BENCHMARKS = {
    "book_messages_per_s": Benchmark(book.messages_per_s, 400_000),
    "memory_slots_per_s": Benchmark(runs.memory_slots_per_s, 200_000),
    "grouped_slots_per_s": Benchmark(runs.grouped_slots_per_s, 200_000),
    "each_slots_per_s": Benchmark(runs.each_slots_per_s, 200_000),
    "screen_slots_per_s": Benchmark(screen.screen_slots_per_s, 200_000),
    "bytes_per_slot": Benchmark(space.bytes_per_slot, 1_000_000),
    "generate_1m_s": Benchmark(plans.generate_s, 1_000_000, 3),
    "help_s": Benchmark(starting.help_s, 7, 3),
    "first_frame_s": Benchmark(starting.first_frame_s, 5, 3),
}


def measured(name: str, size: int | None = None) -> float:
    """Measure in a fresh process, so that nothing is warm and no memory is to be had from what ran before.

    Raises:
        CalledProcessError: it failed; why is on stderr.
    """
    benchmark = BENCHMARKS[name]
    command = [sys.executable, "-m", __spec__.name, name, str(benchmark.size if size is None else size)]
    number = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return round(number, benchmark.decimals)


if __name__ == "__main__":
    print(BENCHMARKS[sys.argv[1]].measure(int(sys.argv[2])))
