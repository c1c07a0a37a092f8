"""Forks and exports from the list of checkpoints: what the dialogs ask, do and say."""

import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orderbook_tui.engine.catalog import list_checkpoints
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens import fork
from orderbook_tui.tui.screens.checkpoints import CheckpointsScreen
from orderbook_tui.tui.screens.confirm import ConfirmScreen
from orderbook_tui.tui.screens.export import ExportScreen
from orderbook_tui.tui.screens.fork import ForkScreen
from orderbook_tui.tui.widgets.plain_input import PlainInput
from tests.tui.screen import SMALL, WIDE, drive, said, shown, simulation, until, until_status
from tests.tui.test_checkpoints import interrupted, listed, order, rows, to_the_list

Play = Callable[[OrderbookApp, Pilot[int]], Awaitable[None]]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths without a folder lead into a folder of the test."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def played(tmp_path: Path, script: Play, size: tuple[int, int] = WIDE) -> Simulation:
    """Play a script on the list of one interrupted run, and return that."""
    run = interrupted(tmp_path / "state")

    async def from_the_list(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        await script(app, pilot)

    drive(None, tmp_path / "state", from_the_list, size)
    return run


def path_of(app: OrderbookApp) -> str:
    return app.screen.query_one(PlainInput).value


def write_to(app: OrderbookApp, path: Path) -> None:
    app.screen.query_one(PlainInput).value = str(path)


# Forks


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_a_fork_gets_a_name_and_the_cursor(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("f")
        assert "2 of 8 slots have ended" in " ".join(shown(app).replace("│", " ").split())
        assert path_of(app) == "half done fork"
        await pilot.press(*"what if", "enter")
        await to_the_list(app, pilot, 2)
        await until(lambda: (line := listed(app).chosen) is not None and line.info.name == "what if")
        assert "Forked" in said(app)
        assert {"what if", "half done"} == set(order(app))

    played(tmp_path, script, size)
    assert {(info.name, info.completed) for info in list_checkpoints(tmp_path / "state")} == {("what if", 2), ("half done", 2)}


def test_a_fork_can_be_taken_up_while_the_other_run_stays(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("f", "enter")
        await to_the_list(app, pilot, 2)
        await until(lambda: (line := listed(app).chosen) is not None and line.info.name == "half done fork")
        await pilot.press("enter")
        await until(lambda: app.simulation is not None)
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)

    run = played(tmp_path, script)
    assert Simulation.resume(run.id, tmp_path / "state").stats.completed_slots == 2


def test_a_fork_shows_even_where_a_filter_would_hide_it(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"half", "enter", "f", *"other", "enter")
        await to_the_list(app, pilot, 2)
        await until(lambda: (line := listed(app).chosen) is not None and line.info.name == "other")

    played(tmp_path, script)


def test_a_fork_that_cannot_be_made_says_why_and_stays(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("f")
        next((tmp_path / "state").glob("*.sqlite")).unlink()
        await pilot.press("enter")
        await until(lambda: "there is no simulation" in " ".join(shown(app).replace("│", " ").split()))
        assert isinstance(app.screen, ForkScreen)
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, CheckpointsScreen))

    played(tmp_path, script)


def test_while_a_fork_is_made_the_dialog_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        go = threading.Event()

        def slow(*_: object) -> str:
            made.append("one")
            return str(go.wait(5))

        monkeypatch.setattr(fork, "fork_checkpoint", slow)
        await pilot.press("f", "enter")
        await until(lambda: "Forking" in shown(app))
        await pilot.press("enter", "escape")
        assert isinstance(app.screen, ForkScreen)
        go.set()
        await until(lambda: isinstance(app.screen, CheckpointsScreen))

    played(tmp_path, script)
    assert made == ["one"]


# Exports


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_an_export_says_how_many_rows_and_where(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("x")
        for words in ("slots", "fills", "history", "attempts", "csv", "jsonl"):
            assert words in shown(app)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, CheckpointsScreen) and said(app))
        assert "8 rows of slots in" in said(app)
        assert f"{tmp_path / 'here'}" in said(app)

    run = played(tmp_path, script, size)
    lines = (tmp_path / "here" / f"{run.id}-slots.csv").read_text().splitlines()
    assert len(lines) == 1 + 8


def test_what_is_under_the_cursor_is_what_is_written(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("x", "down", "down", "down", "tab", "down")
        assert path_of(app).endswith("-attempts.jsonl")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, CheckpointsScreen))

    run = played(tmp_path, script)
    rows = [json.loads(line) for line in (tmp_path / "here" / f"{run.id}-attempts.jsonl").read_text().splitlines()]
    assert [row["slot"] for row in rows] == [0, 1, 2, 2]


def test_a_path_that_was_typed_stays_when_another_thing_is_chosen(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("x")
        write_to(app, Path("mine.csv"))
        await pilot.press("down")
        assert path_of(app) == "mine.csv"

    played(tmp_path, script)


def test_a_file_that_is_there_is_replaced_only_after_asking(tmp_path: Path) -> None:
    there = tmp_path / "here" / "there.csv"
    there.write_text("mine")

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("x")
        write_to(app, there)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        assert isinstance(app.screen, ExportScreen)
        assert there.read_text() == "mine"
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, CheckpointsScreen))

    played(tmp_path, script)
    assert len(there.read_text().splitlines()) == 1 + 8


@pytest.mark.parametrize("path", ["/nowhere/at/all.csv", "a\x00b", "~nobody-of-that-name/x"])
def test_what_cannot_be_written_says_why_and_stays(tmp_path: Path, path: str) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("x")
        write_to(app, Path(path))
        await pilot.press("enter")
        await until(lambda: app.screen.query("#said.-wrong"))
        assert isinstance(app.screen, ExportScreen)

    played(tmp_path, script)


def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("x")
        app.screen.query_one(PlainInput).value = "  "
        await pilot.press("enter")
        await until(lambda: "Say where" in shown(app))

    played(tmp_path, script)


def test_a_run_that_is_open_here_and_paused_is_exported_as_it_is(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("n")
        await until_status(app, RunStatus.PAUSED)
        await pilot.press("5")
        await to_the_list(app, pilot, 1)
        await until(lambda: rows(app).chosen is not None)
        await pilot.press("x", "down", "down", "down", "enter")
        await until(lambda: isinstance(app.screen, CheckpointsScreen) and said(app))
        assert "1 row of attempts in" in said(app)

    drive(simulation(tmp_path / "state"), tmp_path / "state", script)
