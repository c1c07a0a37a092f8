"""Opening a checkpoint: how far the reading is, and nothing lost where it is left in the middle."""

import threading
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from orderbook_tui.engine.catalog import list_checkpoints
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.confirm import ConfirmScreen
from orderbook_tui.tui.screens.opening import OpeningScreen
from orderbook_tui.tui.widgets.checkpoint_table import CheckpointTable
from tests.tui.screen import SMALL, drive, said, shown, simulation, until, until_status


@pytest.fixture
def saved(tmp_path: Path) -> str:
    """A run that was left after one slot."""

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("n")
        await until_status(app, RunStatus.PAUSED)

    run = simulation(tmp_path)
    drive(run, tmp_path, script)
    return run.id


def slow_reading(monkeypatch: pytest.MonkeyPatch, go_on: threading.Event) -> None:
    """Have a checkpoint read to a third, and further when told so."""
    resume = Simulation.resume

    def slowly(id: str, folder: Path, *, progress: Any, **named: Any) -> Simulation:  # noqa: A002
        progress("replaying", 1 / 3)
        assert go_on.wait(20)
        return resume(id, folder, **named)

    monkeypatch.setattr(Simulation, "resume", staticmethod(slowly))


def test_reading_shows_how_far_it_is_and_then_the_slots(tmp_path: Path, saved: str, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    slow_reading(monkeypatch, go_on)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.open_checkpoint(saved)
        await until(lambda: "33% replaying" in shown(app))
        assert f"Opening {saved}"[:40] in shown(app)
        go_on.set()
        await until(lambda: app.simulation is not None)
        await until(lambda: app.screen is app.get_screen("slots"))
        assert app.simulation is not None
        assert app.simulation.stats.completed_slots == 1

    drive(None, tmp_path, script, SMALL)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_leaving_meanwhile_waits_and_lets_go_of_the_checkpoint(
    tmp_path: Path, saved: str, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    go_on = threading.Event()
    with monkeypatch.context() as patched:
        slow_reading(patched, go_on)

        async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
            app.open_checkpoint(saved)
            await until(lambda: isinstance(app.screen, OpeningScreen))
            app.simulate_key(key)
            go_on.set()
            await until(lambda: app.return_value is not None)

        drive(None, tmp_path, script)
    again = Simulation.resume(saved, tmp_path)
    assert again.stats.completed_slots == 1
    again.close()


def test_a_checkpoint_that_turns_out_damaged_is_listed_so_and_the_open_run_stays_open(tmp_path: Path, saved: str) -> None:
    path = tmp_path / f"{saved}.sqlite"
    content = bytearray(path.read_bytes())
    table = content.index(b"test-account-3")
    content[table] ^= 0x10

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("n")
        await until_status(app, RunStatus.PAUSED)
        path.write_bytes(bytes(content))
        app.open_checkpoint(saved)
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: "damaged" in said(app))
        assert app.simulation is run
        assert run.status is RunStatus.PAUSED
        await pilot.press("5")
        await until(lambda: "damaged" in app.screen.query_one(CheckpointTable).text())

    run = simulation(tmp_path)
    drive(run, tmp_path, script)


def test_opening_alone_does_not_make_it_saved_just_now(tmp_path: Path, saved: str) -> None:
    (before,) = list_checkpoints(tmp_path)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.open_checkpoint(saved)
        await until(lambda: app.simulation is not None)

    drive(None, tmp_path, script)
    (after,) = list_checkpoints(tmp_path)
    assert after.saved_at == before.saved_at
