"""The pace on the strip: of the last seconds of running, whatever the process was kept from meanwhile."""

from types import SimpleNamespace
from typing import cast

import pytest

from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.widgets import status_strip
from orderbook_tui.tui.widgets.status_strip import Pace


def looked_at(monkeypatch: pytest.MonkeyPatch, *looks: tuple[float, int]) -> float | None:
    """The pace after looks at these times, at so many slots that have ended."""
    pace = Pace()
    for now, ended in looks:
        monkeypatch.setattr(status_strip, "time", SimpleNamespace(monotonic=lambda now=now: now))
        pace.note(cast(Simulation, SimpleNamespace(stats=SimpleNamespace(ended_slots=ended))))
    return pace.per_second


def test_it_is_taken_over_the_last_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_at(monkeypatch, (0.0, 0), (0.5, 50), (1.0, 100)) == 100


def test_the_hours_that_the_process_was_stopped_are_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = (0.0, 0), (0.5, 50), (1.0, 100)
    after = (7200.0, 100), (7200.5, 150), (7201.0, 200)

    assert looked_at(monkeypatch, *stopped, after[0]) is None
    assert looked_at(monkeypatch, *stopped, *after) == 100


def test_a_clock_that_stands_still_gives_no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_at(monkeypatch, (5.0, 0), (5.0, 70), (5.0, 90)) is None
