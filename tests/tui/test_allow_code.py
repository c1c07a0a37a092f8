"""Code that need not be the user's own is asked about in the app, before it is imported."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from orderbook_tui.config import load_config
from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.drafting import ConfigDraft
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.allow_code import AllowCodeScreen
from orderbook_tui.tui.screens.schedule import ScheduleScreen
from tests.tui.screen import WIDE, config, drive, said, shown, until, until_status

CODE = """
from orderbook_tui.errors import Rejected
def place(slot):
    if slot.sequence == 2:
        raise Rejected("no")
    return slot.sequence + 1
"""
MODULE = "desk_of_the_app"


@pytest.fixture(autouse=True)
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The code of a venue, in the working folder; it has not been imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    path = tmp_path / f"{MODULE}.py"
    path.write_text(CODE)
    return path


def is_imported() -> bool:
    return MODULE in sys.modules


def a_config(folder: Path, **sections: Any) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(config(venue={"kind": "python", "target": f"{MODULE}:place"}, **sections)))
    path.chmod(0o644)
    return path


def saved(folder: Path, *, whole: bool = False) -> str:
    """Save a run that was begun in another process, as it seems here; return its id."""
    run = Simulation.create(load_config(a_config(folder)), state_dir=folder)
    if not whole:
        run.select(markets=["BTC-USD"])
    asyncio.run(run.run(PolicyDecider(RecoveryAction.CONTINUE)))
    run.close()
    del sys.modules[MODULE]
    return run.id


async def until_asked(app: OrderbookApp) -> None:
    await until(lambda: isinstance(app.screen, AllowCodeScreen) and app.screen.is_mounted, "the question")


@pytest.mark.parametrize("size", [WIDE, (80, 24)], ids=["wide", "small"])
def test_a_saved_run_is_asked_about_with_target_and_file(tmp_path: Path, code: Path, size: tuple[int, int]) -> None:
    run = saved(tmp_path)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.open_checkpoint(run)
        await until_asked(app)
        await pilot.pause()
        text = "".join(line.strip(" │") for line in shown(app).splitlines())
        assert f"{MODULE}:place" in text
        assert str(code) in text
        assert not is_imported()

    drive(None, tmp_path, script, size)


@pytest.mark.parametrize("key", ["n", "escape", "enter"])
def test_anything_but_yes_opens_nothing_and_imports_nothing(tmp_path: Path, key: str) -> None:
    run = saved(tmp_path)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.open_checkpoint(run)
        await until_asked(app)
        await pilot.press(key)
        await until(lambda: "was not allowed" in said(app), "the reason")
        assert app.simulation is None
        assert not is_imported()

    drive(None, tmp_path, script)


def test_yes_opens_it_and_holds_for_the_next_time(tmp_path: Path) -> None:
    run, another = saved(tmp_path), saved(tmp_path)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.open_checkpoint(run)
        await until_asked(app)
        await pilot.press("y")
        await until(lambda: app.simulation is not None and app.simulation.id == run, "the run")
        app.open_checkpoint(another)
        await until(lambda: app.simulation is not None and app.simulation.id == another, "the other run")
        assert is_imported()

    drive(None, tmp_path, script)


def test_to_revisit_a_run_that_is_done_asks_first(tmp_path: Path) -> None:
    run = saved(tmp_path, whole=True)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.open_checkpoint(run)
        await until_status(app, RunStatus.DONE)
        assert not is_imported()
        await pilot.press("R")
        await until_asked(app)
        assert not is_imported()
        await pilot.press("y")
        await until_status(app, RunStatus.WAITING)
        assert is_imported()

    drive(None, tmp_path, script)


def test_to_skip_slots_of_a_run_that_is_done_needs_no_code(tmp_path: Path) -> None:
    run = saved(tmp_path, whole=True)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.open_checkpoint(run)
        await until_status(app, RunStatus.DONE)
        app.skip_failed(None)
        assert app.simulation is not None
        assert app.simulation.stats.skipped_slots == 1
        assert not is_imported()

    drive(None, tmp_path, script)


def test_a_draft_of_ones_own_file_starts_without_a_question(tmp_path: Path) -> None:
    path = a_config(tmp_path)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("1")
        await until(lambda: isinstance(app.screen, ScheduleScreen), "the schedule")
        app.get_screen("schedule", ScheduleScreen).take(ConfigDraft.load(path))
        await pilot.pause()
        assert not is_imported()
        await pilot.press("f9")
        await until_status(app, RunStatus.READY)

    drive(None, tmp_path, script)


def test_a_draft_of_a_saved_run_asks_also_when_it_was_saved_as_a_file(tmp_path: Path) -> None:
    a_config(tmp_path)
    draft = ConfigDraft.of(load_config(tmp_path / "config.json"), tmp_path)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("1")
        await until(lambda: isinstance(app.screen, ScheduleScreen), "the schedule")
        screen = app.get_screen("schedule", ScheduleScreen)
        screen.take(draft)
        draft.save(tmp_path / "mine.json")
        screen.changed()
        await pilot.pause()
        await pilot.press("f9")
        await until_asked(app)
        await pilot.press("n")
        await until(lambda: "was not allowed" in said(app), "the reason")
        assert app.simulation is None
        assert not is_imported()

    drive(None, tmp_path, script)
