"""Each benchmark works, at a size at which its number says nothing."""

import contextlib
import functools
import json
from collections.abc import Iterator

import pytest

from tests.benchmarks import databases, screen, venues
from tests.benchmarks.__main__ import main
from tests.benchmarks.catalogue import BENCHMARKS

TINY = {"book_messages_per_s": 1_000, "help_s": 1, "first_frame_s": 1}
TINY |= {name: 32 for name in BENCHMARKS if name.startswith(("http_", "fix_"))}
IN_FULL = {"bytes_per_slot", "screen_memory_mb"}
"""What has no number at such a size: memory is given out by the page."""
AGAIN = {name for name in BENCHMARKS if name.startswith(("http_32_", "fix_1_"))}
"""What is measured as others are, but for how many pairs there are at once."""
NONE = {"concurrency_overdrafts"}
"""What there must be none of."""


_database = databases._database


@pytest.fixture(scope="module", autouse=True)
def _played_once() -> Iterator[None]:
    """Each scene is played once, and a run measured once, however many numbers come of them; one database serves for all."""
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as opened:
        made = functools.cache(lambda accounts: opened.enter_context(_database(accounts)))
        patch.setattr(databases, "_database", lambda accounts: contextlib.nullcontext(made(accounts)))
        patch.setattr(screen, "played", functools.cache(screen.played))
        patch.setattr(screen, "PAIRS", 1)
        patch.setattr(venues, "played", functools.cache(venues.played))
        patch.setattr(venues, "PAIRS", 1)
        yield


@pytest.mark.parametrize("name", [name for name in BENCHMARKS if name not in IN_FULL | AGAIN | NONE])
def test_a_benchmark_gives_a_positive_number(name: str) -> None:
    assert BENCHMARKS[name].measure(TINY.get(name, 400)) > 0


def test_many_pairs_at_once_overdraw_no_budget() -> None:
    assert BENCHMARKS["concurrency_overdrafts"].measure(2_000) == 0


def test_what_is_named_is_measured_in_a_fresh_process_and_printed_as_one_line_of_json(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(BENCHMARKS, "bytes_per_slot", BENCHMARKS["bytes_per_slot"]._replace(size=10_000))
    assert main(["bytes_per_slot"]) == 0
    printed = capfd.readouterr().out
    assert printed.count("\n") == 1
    numbers = json.loads(printed)
    assert list(numbers) == ["bytes_per_slot"]
    assert numbers["bytes_per_slot"] > 0


def test_an_unknown_name_is_told_on_stderr_with_exit_status_2(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["help_s", "faster"]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert "no such benchmark: faster" in told.err
