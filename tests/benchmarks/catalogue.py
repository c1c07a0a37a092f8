"""Every benchmark by name: what measures it, and at which size.

As a program, with a name and a size, it measures that in its own process and prints the number.
"""

import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

from tests.benchmarks import book, concurrency, databases, memory, plans, resuming, runs, screen, space, starting, venues


class Benchmark(NamedTuple):
    """What to measure. `size` counts messages, slots or starts; `decimals` are what the number is good for."""

    measure: Callable[[int], float]
    size: int
    decimals: int | None = None
    at_most: float | None = None
    """What is needed of it, where something is."""
    at_least: float | None = None

    def verdict(self, number: float) -> str:
        """Return what was needed, and whether it was met; nothing where nothing is needed."""
        if self.at_most is not None:
            return f"needed: at most {self.at_most:g}" + ("" if number <= self.at_most else ", NOT MET")
        if self.at_least is not None:
            return f"needed: at least {self.at_least:g}" + ("" if number >= self.at_least else ", NOT MET")
        return ""


BENCHMARKS = {
    "book_messages_per_s": Benchmark(book.messages_per_s, 400_000),
    "memory_slots_per_s": Benchmark(runs.memory_slots_per_s, 200_000),
    "grouped_slots_per_s": Benchmark(runs.grouped_slots_per_s, 200_000),
    "each_slots_per_s": Benchmark(runs.each_slots_per_s, 200_000, at_least=20_000),
    "screen_slots_per_s": Benchmark(screen.screen_slots_per_s, 200_000),
    "screen_share": Benchmark(screen.share_of_headless, 200_000, 2, at_least=0.65),
    "screen_share_grouped": Benchmark(screen.share_of_headless_grouped, 200_000, 2, at_least=0.65),
    "open_slots_s": Benchmark(screen.open_slots_s, 1_000_000, 3, at_most=0.3),
    "changed_row_ms": Benchmark(screen.changed_row_ms, 1_000_000, 2, at_most=5),
    "full_repaint_ms": Benchmark(screen.full_repaint_ms, 1_000_000, 2, at_most=15),
    "scroll_frame_ms": Benchmark(screen.scroll_frame_ms, 1_000_000, 2, at_most=50),
    "filter_s": Benchmark(screen.filter_s, 1_000_000, 3, at_most=0.5),
    "filter_slice_ms": Benchmark(screen.filter_slice_ms, 1_000_000, 1, at_most=8),
    "filter_pause_ms": Benchmark(screen.filter_pause_ms, 1_000_000, 1, at_most=50),
    "key_p95_ms": Benchmark(screen.key_p95_ms, 1_000_000, 1, at_most=20),
    "screen_memory_mb": Benchmark(memory.screen_mb, 1_000_000, 1, at_most=30),
    "bytes_per_slot": Benchmark(space.bytes_per_slot, 1_000_000),
    "generate_1m_s": Benchmark(plans.generate_s, 1_000_000, 3),
    "resume_1m_s": Benchmark(resuming.resume_s, 1_000_000, 3, at_most=12),
    "list_200_s": Benchmark(resuming.list_s, 200, 3, at_most=0.5),
    "load_100k_accounts_s": Benchmark(databases.load_accounts_s, 100_000, 3, at_most=2),
    "set_100k_budgets_s": Benchmark(databases.set_budgets_s, 100_000, 3, at_most=2),
    "concurrency_overdrafts": Benchmark(concurrency.overdrafts, 100_000, 0, at_most=0),
    "http_1_share": Benchmark(venues.HTTP_1.share, 1_000, 2, at_least=0.7),
    "http_1_orders_per_s": Benchmark(venues.HTTP_1.orders_per_s, 1_000),
    "http_1_bare_orders_per_s": Benchmark(venues.HTTP_1.bare_orders_per_s, 1_000),
    "http_1_p50_ms": Benchmark(venues.HTTP_1.p50_ms, 1_000, 2),
    "http_1_p99_ms": Benchmark(venues.HTTP_1.p99_ms, 1_000, 2),
    "http_32_share": Benchmark(venues.HTTP_32.share, 2_000, 2, at_least=0.7),
    "http_32_orders_per_s": Benchmark(venues.HTTP_32.orders_per_s, 2_000),
    "http_32_bare_orders_per_s": Benchmark(venues.HTTP_32.bare_orders_per_s, 2_000),
    "http_32_p50_ms": Benchmark(venues.HTTP_32.p50_ms, 2_000, 2),
    "http_32_p99_ms": Benchmark(venues.HTTP_32.p99_ms, 2_000, 2),
    "fix_1_share": Benchmark(venues.FIX_1.share, 1_000, 2, at_least=0.7),
    "fix_1_orders_per_s": Benchmark(venues.FIX_1.orders_per_s, 1_000),
    "fix_1_bare_orders_per_s": Benchmark(venues.FIX_1.bare_orders_per_s, 1_000),
    "fix_1_p50_ms": Benchmark(venues.FIX_1.p50_ms, 1_000, 2),
    "fix_1_p99_ms": Benchmark(venues.FIX_1.p99_ms, 1_000, 2),
    "fix_32_share": Benchmark(venues.FIX_32.share, 2_000, 2, at_least=0.7),
    "fix_32_orders_per_s": Benchmark(venues.FIX_32.orders_per_s, 2_000),
    "fix_32_bare_orders_per_s": Benchmark(venues.FIX_32.bare_orders_per_s, 2_000),
    "fix_32_p50_ms": Benchmark(venues.FIX_32.p50_ms, 2_000, 2),
    "fix_32_p99_ms": Benchmark(venues.FIX_32.p99_ms, 2_000, 2),
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
