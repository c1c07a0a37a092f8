"""Leaving: it asks only where a run would be stopped by it, and loses nothing."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orderbook_tui.engine.persistence import CheckpointWriter
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.errors import StorageError
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.confirm import ConfirmScreen
from tests.tui.screen import drive, outage, said, simulation, until, until_asked, until_status

_SLOW = {"slots_per_second": 15, "retry_base_delay_ms": 1}
_LONG = {"trades_per_account": 100, "max_amount": 200}


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
def test_before_the_start_it_just_leaves(tmp_path: Path, key: str) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.simulate_key(key)
        await until(lambda: app.return_value is not None)

    app = drive(simulation(tmp_path), tmp_path, script)
    assert app.return_value == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_a_run_that_goes_on_is_asked_about_then_saved_and_ends_as_if_never_left(tmp_path: Path, key: str) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        app.simulate_key("space")
        await until(lambda: run.stats.completed_slots >= 2)
        app.simulate_key(key)
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        app.simulate_key("n")
        await until(lambda: not isinstance(app.screen, ConfirmScreen))
        assert run.status is RunStatus.RUNNING
        app.simulate_key(key)
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        app.simulate_key("y")
        await until(lambda: app.return_value is not None)

    run = simulation(tmp_path, processor=_SLOW, scheduler=_LONG)
    app = drive(run, tmp_path, script)
    assert app.return_value == {"q": 3, "ctrl+c": 130}[key]
    assert 0 < run.stats.pending_slots < 400

    async def finish(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert again.status is RunStatus.READY
        again.control.slots_per_second = None
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)

    again = Simulation.resume(run.id, tmp_path)
    drive(again, tmp_path, finish)
    whole = simulation(tmp_path / "other", processor=_SLOW, scheduler=_LONG)
    whole.control.slots_per_second = None

    async def at_once(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)

    drive(whole, tmp_path / "other", at_once)
    assert again.state_hash() == whole.state_hash()


def test_a_paused_run_is_left_without_asking(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("n")
        await until(lambda: app.simulation is not None and app.simulation.stats.completed_slots == 1)
        app.simulate_key("q")
        await until(lambda: app.return_value is not None)

    run = simulation(tmp_path)
    drive(run, tmp_path, script)
    assert Simulation.resume(run.id, tmp_path).stats.completed_slots == 1


def test_the_exit_status_tells_how_a_finished_run_went(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until_status(app, RunStatus.WAITING)
        await pilot.press("c")
        await until_status(app, RunStatus.DONE)
        app.simulate_key("q")
        await until(lambda: app.return_value is not None)

    app = drive(simulation(tmp_path, venue=outage(1)), tmp_path, script)
    assert app.return_value == 1


def test_a_question_over_the_quit_dialog_is_answered_first(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        app.simulate_key("space")
        await until(lambda: run.stats.completed_slots >= 2)
        app.simulate_key("q")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await until_status(app, RunStatus.WAITING)
        await until_asked(app)
        app.simulate_key("r")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        app.simulate_key("y")
        await until(lambda: app.return_value is not None)

    run = simulation(tmp_path, processor=_SLOW, scheduler=_LONG, venue=outage(4, attempts=4))
    drive(run, tmp_path, script)
    assert Simulation.resume(run.id, tmp_path).stats.completed_slots >= 4


def test_ctrl_c_until_it_leaves_a_venue_that_hangs_is_an_interruption(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.simulate_key("space")
        await until(lambda: app.simulation is not None and app.simulation.slots[0].attempts)
        app.simulate_key("ctrl+c")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        app.simulate_key("ctrl+c")
        await until(lambda: app.leaving.has_begun)
        app.simulate_key("ctrl+c")
        await until(lambda: app.return_value is not None)

    venue = {"kind": "python", "target": "tests.tui.hanging_venue:place"}
    assert drive(simulation(tmp_path, venue=venue), tmp_path, script).return_value == 130


@pytest.mark.parametrize(("error", "status"), [(StorageError("the disk is full"), 4), (ValueError("unforeseen"), 1)])
def test_a_run_that_an_error_ended_says_so_after_q(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    async def fails(*_: object) -> None:
        raise error

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.simulate_key("space")
        await until(lambda: str(error) in said(app))
        app.simulate_key("q")
        await until(lambda: app.return_value is not None)

    monkeypatch.setattr(Simulation, "run", fails)
    assert drive(simulation(tmp_path), tmp_path, script).return_value == status


@contextmanager
def a_disk_that_refuses() -> Iterator[None]:
    """Let nothing more be saved, in whatever checkpoint."""

    def refuses(*_: object, **__: object) -> None:
        raise StorageError("the disk is full")

    with pytest.MonkeyPatch.context() as patch:
        for call in ("slot_ended", "flush", "snapshot", "finish"):
            patch.setattr(CheckpointWriter, call, refuses)
        yield


async def fill_the_disk(app: OrderbookApp, disk: ExitStack) -> Simulation:
    """Start the run, and let it go on until it is refused."""
    run = app.simulation
    assert run is not None
    app.simulate_key("space")
    await until(lambda: run.stats.completed_slots >= 2)
    disk.enter_context(a_disk_that_refuses())
    await until_status(app, RunStatus.STOPPED)
    await until(lambda: "the disk is full" in said(app))
    return run


def test_a_run_that_cannot_be_saved_says_why_until_it_goes_on(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        with ExitStack() as disk:
            run = await fill_the_disk(app, disk)
            await until(lambda: run.is_unsaved)
            app.simulate_key("space")  # it is still full
            await until(lambda: app.run_task.outcome is not None and run.status is RunStatus.STOPPED)
            await until(lambda: said(app).count("the disk is full") == 1)
        run.control.slots_per_second = None
        app.simulate_key("space")
        await until_status(app, RunStatus.DONE)
        assert "the disk is full" not in said(app)
        assert not run.is_unsaved
        app.simulate_key("q")
        await until(lambda: app.return_value is not None)

    run = simulation(tmp_path, processor=_SLOW)
    drive(run, tmp_path, script)
    assert Simulation.look(run.id, tmp_path).state_hash() == run.state_hash()


def test_what_is_not_saved_is_not_left_without_asking(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        with ExitStack() as disk:
            run = await fill_the_disk(app, disk)
            app.simulate_key("q")
            await until(lambda: isinstance(app.screen, ConfirmScreen))
            app.simulate_key("n")
            await until(lambda: not isinstance(app.screen, ConfirmScreen))
            assert run.is_unsaved
            app.simulate_key("q")
            await until(lambda: isinstance(app.screen, ConfirmScreen))
        app.simulate_key("y")
        await until(lambda: app.return_value is not None)

    run = simulation(tmp_path, processor=_SLOW, scheduler=_LONG)
    drive(run, tmp_path, script)
    assert Simulation.look(run.id, tmp_path).state_hash() == run.state_hash()
