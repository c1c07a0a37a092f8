"""The pace: time and slots count only while a run is running."""

from types import SimpleNamespace

import anyio
import pytest

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine import pace as pace_module
from orderbook_tui.engine.decisions import Question
from orderbook_tui.engine.pace import Pace
from orderbook_tui.engine.simulation import RunStatus, Simulation
from tests.engine.runs import SKIP, a_simulation, faults, run


class Clock:
    """A clock that a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(pace_module, "time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_run_that_has_not_begun_has_no_pace(clock: Clock) -> None:
    pace = Pace()
    clock.now += 5

    assert (pace.seconds, pace.slots_per_second(3)) == (0.0, 0.0)


def test_the_time_counts_on_while_it_runs(clock: Clock) -> None:
    pace = Pace()
    pace.note(running=True, ended=0)
    clock.now += 2

    assert (pace.seconds, pace.slots_per_second(10)) == (2.0, 5.0)


def test_a_pause_does_not_count(clock: Clock) -> None:
    pace = Pace()
    for running in (True, False, True):
        pace.note(running=running, ended=0)
        clock.now += 2

    assert pace.seconds == 4


def test_what_ended_before_does_not_count(clock: Clock) -> None:
    pace = Pace()
    pace.note(running=True, ended=100)
    clock.now += 2

    assert pace.slots_per_second(110) == 5


def test_slots_run_in_steps_do_not_count(clock: Clock) -> None:
    pace = Pace()
    pace.note(running=True, ended=0)
    clock.now += 1
    pace.note(running=False, ended=10)
    clock.now += 1
    pace.note(running=False, ended=20)

    assert pace.slots_per_second(20) == 10


class Slow:
    """Thinks for a while, by the clock of the test."""

    by = "person"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def decide(self, question: Question) -> RecoveryAction:
        self._clock.now += 60
        return RecoveryAction.SKIP


def test_the_time_to_decide_is_no_running_time(clock: Clock) -> None:
    simulation = a_simulation(venue=faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 2}]))
    run(simulation, Slow(clock))

    assert simulation.running_time == 0


@pytest.mark.parametrize(("hold", "seconds"), [(Simulation.pause, 0), (Simulation.go, 60)])
def test_a_pause_is_no_running_time(clock: Clock, hold: object, seconds: float) -> None:
    simulation = a_simulation(venue=faults(latency_ms=[1, 1]))

    async def script() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, SKIP)
            await anyio.sleep(0.005)
            assert callable(hold)
            hold(simulation)
            clock.now += 60
            simulation.go()
            with anyio.fail_after(10):
                while simulation.status is not RunStatus.DONE:  # noqa: ASYNC110
                    await anyio.sleep(0.001)

    anyio.run(script)
    assert simulation.running_time == seconds
