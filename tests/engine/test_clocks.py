"""Clocks that are set back, jump ahead or stand still, and a machine that slept: what is saved, paced and shown stays sane."""

import itertools
import time
from pathlib import Path
from types import SimpleNamespace

import anyio
import anyio.lowlevel
import pytest

from orderbook_tui.engine import control as control_module
from orderbook_tui.engine.control import RunControl
from orderbook_tui.engine.guard import Guard, clock_was_kept, left_behind
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from tests.engine.runs import SKIP, a_simulation, faults, finished, run

HOUR_NS = 3600 * 10**9
NOW_NS = 1_700_000_000 * 10**9
OUTAGES = faults(outages=[{"from_slot": slot, "slots": 1, "attempts": 9} for slot in (3, 8)])

HOURS_A_LOOK = {"set back at every look": -1, "standing still": 0, "ahead at every look": 1}


@pytest.fixture(scope="module")
def undisturbed() -> str:
    """The state hash of the same run under a clock that is left alone."""
    return finished(venue=OUTAGES).state_hash()


@pytest.fixture(params=HOURS_A_LOOK)
def wall_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, undisturbed: str) -> None:
    """A wall clock that somebody, or something, keeps setting."""
    readings = itertools.count(NOW_NS, HOURS_A_LOOK[request.param] * HOUR_NS)
    monkeypatch.setattr(time, "time_ns", lambda: next(readings))


@pytest.mark.usefixtures("wall_clock")
def test_a_run_comes_to_the_same_whatever_the_wall_clock_says(tmp_path: Path, undisturbed: str) -> None:
    simulation = a_simulation(tmp_path, venue=OUTAGES)
    run(simulation, SKIP)
    simulation.close()

    assert simulation.status is RunStatus.DONE
    assert simulation.state_hash() == undisturbed
    assert all(simulation.invariants().values())


@pytest.mark.usefixtures("wall_clock")
def test_what_was_saved_under_a_clock_that_was_set_reads_as_it_was_written(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path, venue=OUTAGES)
    run(simulation, SKIP)
    simulation.close()
    read = Simulation.look(simulation.id, tmp_path)

    assert read.state.journal == simulation.state.journal
    assert read.state_hash() == simulation.state_hash()


@pytest.mark.usefixtures("wall_clock")
def test_runs_saved_under_a_clock_that_was_set_are_listed_and_resumed(tmp_path: Path, undisturbed: str) -> None:
    simulation = a_simulation(tmp_path, venue=OUTAGES)

    async def some_of_it() -> None:
        simulation.step()
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, SKIP)
            with anyio.fail_after(30):
                while simulation.stats.ended_slots < 1:
                    await anyio.lowlevel.checkpoint()
            simulation.stop()

    anyio.run(some_of_it)
    simulation.close()
    assert [info.id for info in StatePersistence(tmp_path).list_simulations()] == [simulation.id]

    again = Simulation.resume(simulation.id, tmp_path)
    run(again, SKIP)
    again.close()
    assert again.state_hash() == undisturbed


@pytest.mark.parametrize("slept_s", [0.0, 5.0, 8 * 3600.0])
def test_after_a_sleep_at_most_a_second_is_caught_up_with(slept_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, control, admitted = [100.0], RunControl(20), 0
    monkeypatch.setattr(control_module, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    async def script() -> None:
        nonlocal admitted
        await control.admit()
        clock[0] += slept_s
        # Of a clock that stands still from here on, whoever is admitted at once was due.
        with anyio.move_on_after(0.04):
            while await control.admit():
                admitted += 1

    anyio.run(script)
    assert admitted <= 21
    assert admitted >= (1 if slept_s else 0)


def test_a_life_that_is_killed_before_it_describes_itself_hides_nothing_about_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    first = Guard.take(path)
    first.describe(name="run", created_at=0, total_slots=2, records=1)
    first.abandon()
    Guard.take(path).abandon()

    assert clock_was_kept(left_behind(path))
