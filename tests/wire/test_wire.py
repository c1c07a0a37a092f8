"""A little of what `python -m tests.wire` does, and that the judge can find something."""

from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="the extra http is not installed")
pytest.importorskip("fixcore", reason="the extra fix is not installed")

from tests.wire.faults import NONE, Faults
from tests.wire.trial import Wanted, tried


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(over="http", slots=32, seed=1, scale=1.5, exchange_kills=1, restarts=False),
        Wanted(over="fix", slots=32, seed=1, scale=1.5, restarts=False),
    ],
    ids=["http", "fix"],
)
def test_over_a_bad_wire_nothing_is_lost_or_done_twice(wanted: Wanted, tmp_path: Path) -> None:
    outcome = tried(wanted, tmp_path)
    assert outcome.violations == []
    assert outcome.summary["stats"]["completed_slots"] == 32
    assert outcome.faults
    assert outcome.exchange_kills == wanted.exchange_kills


def test_a_run_that_takes_silence_for_a_refusal_is_found_out(tmp_path: Path) -> None:
    outcome = tried(Wanted(over="http", slots=16, seed=1, scale=4, plant="silence-is-refusal", restarts=False), tmp_path)
    assert any("was placed 2 times" in words for words in outcome.violations)


def test_faults_follow_from_the_seed_and_from_what_they_befall() -> None:
    likely = {"a": 300.0, "b": 300.0}
    first, second = Faults(7), Faults(7)
    drawn = [first.draw(about, likely)[0] for about in ("x", "y", "x", "z")]
    assert [second.draw(about, likely)[0] for about in ("z", "x", "x", "y")] == [drawn[3], drawn[0], drawn[2], drawn[1]]
    assert {Faults(seed).draw("x", likely)[0] for seed in range(50)} == {"a", "b", NONE}
