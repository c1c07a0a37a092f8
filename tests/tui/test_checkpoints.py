"""The list of checkpoints: what is there, what can be opened, and taking a run up from it."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.catalog import list_checkpoints
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.checkpoints import CheckpointsScreen
from orderbook_tui.tui.screens.confirm import ConfirmScreen
from orderbook_tui.tui.screens.slots import SlotsScreen
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.slot_table import SlotTable
from tests.tui.screen import SMALL, WIDE, drive, outage, shown, simulation, until, until_status


def interrupted(folder: Path, name: str = "half done") -> Simulation:
    """A run that was quit at slot 2."""
    run = simulation(folder, name=name, venue=outage(2))
    asyncio.run(run.run(PolicyDecider(RecoveryAction.QUIT)))
    run.close()
    return run


def listed(app: OrderbookApp) -> CheckpointsScreen:
    assert isinstance(app.screen, CheckpointsScreen)
    return app.screen


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_an_empty_folder_says_what_to_do(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await until(lambda: "No checkpoints" in shown(app))
        assert "orderbook-tui configs/simulator.json" in shown(app)
        assert "no run is open" in shown(app)
        assert "Resume" not in app.screen.query_one(KeyBar).text()

    drive(None, tmp_path, script, size)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_a_run_is_taken_up_from_the_list_and_finished(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await until(lambda: "half done" in shown(app), "the list")
        text = shown(app)
        for words in ("half done", "to resume", "2/8  25%", "kB"):
            assert words in text, words
        assert "Resume" in app.screen.query_one(KeyBar).text()
        await pilot.press("enter")
        await until(lambda: app.screen is app.get_screen("slots"))
        await until_status(app, RunStatus.READY)
        assert "2/8" in shown(app)
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)
        await pilot.press("5")
        await until(lambda: isinstance(app.screen, CheckpointsScreen) and "open here" in shown(app))
        await pilot.press("2")
        await until(lambda: app.screen is app.get_screen("slots"))

    interrupted(tmp_path)
    app = drive(None, tmp_path, script, size)
    assert app.exit_status() == 0
    assert app.simulation is not None
    assert app.simulation.stats.completed_slots == 8


def test_a_damaged_checkpoint_says_so_and_does_not_open(tmp_path: Path) -> None:
    run = interrupted(tmp_path)
    path = tmp_path / f"{run.id}.sqlite"
    content = bytearray(path.read_bytes())
    content[2000:6000] = b"\x00" * 4000
    path.write_bytes(content)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await until(lambda: listed(app).chosen)
        await pilot.pause(0.1)
        assert "damaged" in shown(app)
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert isinstance(app.screen, CheckpointsScreen)
        assert app.simulation is None

    drive(None, tmp_path, script)


def test_deleting_asks_first(tmp_path: Path) -> None:
    interrupted(tmp_path)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await until(lambda: listed(app).chosen)
        await pilot.pause(0.1)
        await pilot.press("d")
        assert isinstance(app.screen, ConfirmScreen)
        assert "Delete the checkpoint of half done?" in shown(app)
        await pilot.press("n")
        assert len(list_checkpoints(tmp_path)) == 1
        await pilot.press("d", "y")
        await until(lambda: list_checkpoints(tmp_path) == [])
        await until(lambda: "No checkpoints" in shown(app))

    drive(None, tmp_path, script)


def test_taking_another_run_up_stops_and_saves_the_first(tmp_path: Path) -> None:
    other = interrupted(tmp_path)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("n")
        await until(lambda: first.stats.completed_slots == 1)
        await pilot.press("5")
        await until(lambda: isinstance(app.screen, CheckpointsScreen) and len(listed(app)._listed) == 2)
        await pilot.pause(0.1)
        place = next(place for place, info in enumerate(listed(app)._listed) if info.id == other.id)
        listed(app).query_one("#list").move_cursor(row=place)  # type: ignore[attr-defined]
        await pilot.press("enter")
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("y")
        await until(lambda: app.simulation is not None and app.simulation.id == other.id)
        await until(lambda: app.screen is app.get_screen("slots"))
        await until(lambda: "half done" in shown(app), "the list")

    first = simulation(tmp_path, name="first")
    drive(first, tmp_path, script)
    assert Simulation.resume(first.id, tmp_path).stats.completed_slots == 1


def test_a_checkpoint_that_vanishes_meanwhile_is_an_error_in_words(tmp_path: Path) -> None:
    run = interrupted(tmp_path)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await until(lambda: listed(app).chosen)
        (tmp_path / f"{run.id}.sqlite").unlink()
        await pilot.press("enter")
        await until(lambda: len(app._notifications))
        assert isinstance(app.screen, CheckpointsScreen)
        assert "Traceback" not in shown(app)

    drive(None, tmp_path, script)


def slowly(monkeypatch: pytest.MonkeyPatch) -> list[Simulation]:
    """Have checkpoints read slowly; return what has been read."""
    read: list[Simulation] = []
    resume = Simulation.resume

    def slow(*arguments: Any) -> Simulation:
        time.sleep(0.2)
        read.append(resume(*arguments))
        return read[-1]

    monkeypatch.setattr(Simulation, "resume", slow)
    return read


def test_enter_pressed_twice_opens_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(tmp_path)
    read = slowly(monkeypatch)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await until(lambda: listed(app).chosen)
        for _ in range(2):
            app.simulate_key("enter")
            await asyncio.sleep(0.05)
        await until(lambda: app.simulation)
        assert app.simulation is read[0]
        await until(lambda: isinstance(app.screen, SlotsScreen) and app.screen.query(SlotTable))

    drive(None, tmp_path, script)
    assert len(read) == 1


def test_a_run_that_is_read_while_the_app_leaves_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = interrupted(tmp_path)
    read = slowly(monkeypatch)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await until(lambda: listed(app).chosen)
        app.simulate_key("enter")
        await until(lambda: app._open_worker)
        app.simulate_key("q")
        await until(lambda: app.return_value is not None)

    drive(None, tmp_path, script)
    assert len(read) == 1
    monkeypatch.undo()
    Simulation.resume(run.id, tmp_path).close()
