"""The list of checkpoints: what is there, what can be opened, and taking a run up from it."""

import asyncio
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.catalog import SimulationInfo, list_checkpoints
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.listing import CheckpointListing
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens import checkpoints
from orderbook_tui.tui.screens.checkpoints import CheckpointsScreen
from orderbook_tui.tui.screens.confirm import ConfirmScreen
from orderbook_tui.tui.screens.slots import SlotsScreen
from orderbook_tui.tui.widgets.checkpoint_details import CheckpointDetails
from orderbook_tui.tui.widgets.checkpoint_table import CheckpointTable
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.plain_input import PlainInput
from orderbook_tui.tui.widgets.slot_table import SlotTable
from tests.tui.screen import SMALL, WIDE, drive, frame, outage, shown, simulation, until, until_status


def interrupted(folder: Path, name: str = "half done") -> Simulation:
    """A run that was quit at slot 2."""
    run = simulation(folder, name=name, venue=outage(2))
    asyncio.run(run.run(PolicyDecider(RecoveryAction.QUIT)))
    run.close()
    return run


def listed(app: OrderbookApp) -> CheckpointsScreen:
    assert isinstance(app.screen, CheckpointsScreen)
    return app.screen


def rows(app: OrderbookApp) -> CheckpointTable:
    return listed(app).query_one(CheckpointTable)


def order(app: OrderbookApp) -> list[str]:
    """The names in the list, from the top."""
    table = rows(app)
    return [line.called for line in table._lines]


async def to_the_list(app: OrderbookApp, pilot: Pilot[int], count: int) -> None:
    """Wait until so many checkpoints are listed."""
    await until(lambda: isinstance(app.screen, CheckpointsScreen) and rows(app).count == count, f"{count} checkpoints")
    await pilot.pause()


def copies(folder: Path, count: int) -> list[str]:
    """Checkpoints of one run, by id: c0 is the one saved last, as far as a file can say."""
    run = interrupted(folder)
    path = folder / f"{run.id}.sqlite"
    ids = [f"c{number}" for number in range(count)]
    for id in ids:  # noqa: A001
        shutil.copy(path, folder / f"{id}.sqlite")
    path.unlink()
    return ids


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
        for words in ("half done", "to resume", "2/8", "25%", "kB"):
            assert words in text, words
        await until(lambda: "Resume" in app.screen.query_one(KeyBar).text(), "the key")
        await pilot.press("enter")
        await until(lambda: app.screen is app.get_screen("slots"))
        await until_status(app, RunStatus.READY)
        assert "2/8" in shown(app)
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)
        await pilot.press("5")
        await until(lambda: isinstance(app.screen, CheckpointsScreen) and "done here" in shown(app))
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
        await frame(pilot)
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
        await frame(pilot)
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
        await until(lambda: isinstance(app.screen, CheckpointsScreen) and rows(app).count == 2)
        await frame(pilot)
        assert rows(app).go_to(other.id)
        await pilot.press("enter")
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("y")
        await until(lambda: app.simulation is not None and app.simulation.id == other.id)
        await until(lambda: app.screen is app.get_screen("slots"))
        await until(lambda: "half done" in shown(app), "the list")

    first = simulation(tmp_path, name="first")
    drive(first, tmp_path, script)
    assert Simulation.resume(first.id, tmp_path).stats.completed_slots == 1


def test_a_checkpoint_that_vanishes_meanwhile_is_an_error_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = interrupted(tmp_path)
    known = list_checkpoints(tmp_path)
    monkeypatch.setattr(CheckpointListing, "look", lambda self: known)
    (tmp_path / f"{run.id}.sqlite").unlink()

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await until(lambda: listed(app).chosen)
        await pilot.press("enter")
        await until(lambda: len(app._notifications))
        assert isinstance(app.screen, CheckpointsScreen)
        assert "Traceback" not in shown(app)

    drive(None, tmp_path, script)


def slowly(monkeypatch: pytest.MonkeyPatch) -> tuple[list[Simulation], threading.Event]:
    """Have checkpoints read slowly; return what has been read, and what tells that a reading has begun."""
    read: list[Simulation] = []
    begun = threading.Event()
    resume = Simulation.resume

    def slow(*arguments: Any, **named: Any) -> Simulation:
        begun.set()
        time.sleep(0.2)
        read.append(resume(*arguments, **named))
        return read[-1]

    monkeypatch.setattr(Simulation, "resume", slow)
    return read, begun


def test_enter_pressed_twice_opens_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(tmp_path)
    read, _ = slowly(monkeypatch)

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
    read, begun = slowly(monkeypatch)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await until(lambda: listed(app).chosen)
        app.simulate_key("enter")
        await until(begun.is_set)
        app.simulate_key("ctrl+q")
        await until(lambda: app.return_value is not None)

    drive(None, tmp_path, script)
    assert len(read) == 1
    monkeypatch.undo()
    Simulation.resume(run.id, tmp_path).close()


def done(folder: Path, name: str) -> Simulation:
    """A run that was done."""
    run = simulation(folder, name=name)
    asyncio.run(run.run(PolicyDecider(RecoveryAction.QUIT)))
    run.close()
    return run


def damaged(folder: Path, name: str = "broken") -> str:
    """A run whose checkpoint was damaged; return its id."""
    run = interrupted(folder, name)
    path = folder / f"{run.id}.sqlite"
    content = bytearray(path.read_bytes())
    content[2000:6000] = b"\x00" * 4000
    path.write_bytes(content)
    return run.id


# What a line says


def bytes_of(folder: Path, begins: str) -> int:
    """The size of the one checkpoint whose id begins so."""
    (file,) = folder.rglob(f"{begins}*.sqlite")
    return file.stat().st_size


@pytest.mark.parametrize("size", [(140, 40), SMALL], ids=["wide", "small"])
def test_a_line_says_how_far_its_run_is_in_a_bar_and_in_numbers(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        line = next(line for line in rows(app).text().splitlines() if "half done" in line)
        assert "━" in line
        assert line.split()[-7:-3] == ["2/8", "25%", "0", f"{bytes_of(tmp_path, 'half-done') / 1000:.1f}"]

    interrupted(tmp_path)
    drive(None, tmp_path, script, size)


def test_where_there_is_room_a_line_says_what_its_run_is_made_of(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        assert "4 accounts, 2 markets" in rows(app).text()

    interrupted(tmp_path)
    drive(None, tmp_path, script, (140, 40))


@pytest.mark.parametrize("size", [(140, 40), SMALL], ids=["wide", "small"])
def test_what_is_known_of_the_one_under_the_cursor_stands_below(tmp_path: Path, size: tuple[int, int]) -> None:
    run = interrupted(tmp_path)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        await until(lambda: run.id in shown(app))
        text = shown(app)
        assert "4 accounts, 2 markets, 8 slots, seed 1" in text
        assert "2 completed, 0 failed, 0 skipped, 6 to go" in text

    drive(None, tmp_path, script, size)


def test_a_name_that_is_too_long_keeps_its_end(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        line = next(line for line in rows(app).text().splitlines() if "to resume" in line)
        assert "…" in line.split()[0]
        assert line.split()[0].endswith("-second")

    interrupted(tmp_path, "a-name-that-goes-on-and-on-before-it-says-first-or-second")
    drive(None, tmp_path, script, SMALL)


def test_no_line_is_wider_than_the_screen(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        for width in (40, 60, 79, 80, 100, 140, 200):
            await pilot.resize_terminal(width, 24)
            await pilot.pause()
            lines = rows(app).text().splitlines()
            assert all(len(line) < width for line in lines)
            assert any("to resume" in line for line in lines)

    interrupted(tmp_path)
    drive(None, tmp_path, script)


def test_times_go_on_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(tmp_path)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        assert "just now" in shown(app)
        now = time.time_ns()
        monkeypatch.setattr(time, "time_ns", lambda: now + 3 * 60 * 10**9)
        await until(lambda: "3 min ago" in shown(app) and "just now" not in shown(app))

    drive(None, tmp_path, script)


# Order and filter


def of_three_kinds(folder: Path) -> None:
    """Beta is done, alpha was quit in its middle, gamma has failures; they were saved in this order."""
    done(folder, "beta")
    interrupted(folder, "alpha")
    gamma = simulation(folder, name="gamma", venue=outage(2), scheduler={"trades_per_account": 40})
    asyncio.run(gamma.run(PolicyDecider(RecoveryAction.CONTINUE)))
    gamma.close()


def test_s_orders_by_the_next_column(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 3)
        found = {}
        for _ in range(5):
            title = next(word for word in shown(app).split() if word.endswith("▾")).rstrip("▾")
            found[title] = order(app)
            await pilot.press("s")
        assert found == {
            "saved": ["gamma", "alpha", "beta"],
            "name": ["alpha", "beta", "gamma"],
            "progress": ["gamma", "beta", "alpha"],
            "failed": ["gamma", "alpha", "beta"],
            "size": ["gamma", "alpha", "beta"],
        }
        assert listed(app)._order.by == "saved"

    of_three_kinds(tmp_path)
    drive(None, tmp_path, script, (140, 40))


def test_a_click_on_a_title_orders_by_it_and_the_next_one_turns_that_round(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 3)
        await pilot.click("#list", offset=(2, 0))
        assert order(app) == ["alpha", "beta", "gamma"]
        await pilot.click("#list", offset=(2, 0))
        assert order(app) == ["gamma", "beta", "alpha"]
        assert "name▴" in shown(app)

    of_three_kinds(tmp_path)
    drive(None, tmp_path, script)


def test_the_cursor_stays_on_its_checkpoint_when_the_order_changes(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 3)
        await pilot.press("down")
        for _ in range(5):
            line = listed(app).chosen
            assert line is not None
            assert line.info.name == "alpha"
            await pilot.press("s")

    of_three_kinds(tmp_path)
    drive(None, tmp_path, script)


def test_the_filter_shows_what_matches_as_one_types(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 3)
        await pilot.press("slash", *"resume")
        assert order(app) == ["alpha"]
        assert "1 of 3" in shown(app)
        await pilot.press("enter")
        assert app.focused is rows(app)
        await pilot.press("escape")
        assert order(app) == ["gamma", "alpha", "beta"]
        assert "1 of 3" not in shown(app)

    of_three_kinds(tmp_path)
    drive(None, tmp_path, script)


def test_letters_typed_into_the_filter_do_nothing_else(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 3)
        await pilot.press("slash", *"dfxs12", "space", *"nq?S/")
        assert app.screen.query_one(PlainInput).value == "dfxs12 nq?S/"
        assert isinstance(app.screen, CheckpointsScreen)
        assert "None of 3" in shown(app)
        assert "Delete" not in app.screen.query_one(KeyBar).text()

    of_three_kinds(tmp_path)
    drive(None, tmp_path, script)


def test_a_filter_finds_ids_too(tmp_path: Path) -> None:
    ids = copies(tmp_path, 3)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 3)
        await pilot.press("slash", *ids[1])
        line = listed(app).chosen
        assert line is not None
        assert (line.info.id, rows(app).count) == (ids[1], 1)

    drive(None, tmp_path, script)


# The folder changes


def test_what_comes_into_the_folder_is_listed_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_LOOK_EVERY_S", 0.05)
    copies(tmp_path, 1)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        shutil.copy(tmp_path / "c0.sqlite", tmp_path / "another.sqlite")
        await to_the_list(app, pilot, 2)
        line = listed(app).chosen
        assert line is not None
        assert line.info.id == "c0"
        (tmp_path / "another.sqlite").unlink()
        await to_the_list(app, pilot, 1)

    drive(None, tmp_path, script)


def test_the_folder_is_left_alone_while_another_screen_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_LOOK_EVERY_S", 0.02)
    copies(tmp_path, 1)
    looks: list[CheckpointListing] = []
    look = CheckpointListing.look

    def noted(self: CheckpointListing) -> list[SimulationInfo]:
        looks.append(self)
        return look(self)

    monkeypatch.setattr(CheckpointListing, "look", noted)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        await until(lambda: len(looks) > 3)
        await pilot.press("question_mark")
        await frame(pilot)
        before = len(looks)
        await pilot.pause(0.2)
        assert len(looks) == before
        await pilot.press("escape")
        await until(lambda: len(looks) > before + 3)

    drive(None, tmp_path, script)


def test_a_run_of_another_process_is_seen_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_LOOK_EVERY_S", 0.05)
    script_of_another = """
import asyncio, sys
from orderbook_tui import Simulation
from orderbook_tui.config import parse_config
config = {"name": "elsewhere", "scheduler": {"trades_per_account": 500}, "processor": {"slots_per_second": 40}}
config["budget"] = {"budgets": [{"amount": 100_000_000}]}
asyncio.run(Simulation.create(parse_config(config), state_dir=sys.argv[1]).run())
"""
    other = subprocess.Popen([sys.executable, "-c", script_of_another, str(tmp_path)])

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        def ended() -> int:
            line = listed(app).chosen
            return line.ended if line is not None and line.state == "in use" else 0

        await until(ended, "some slots of the other process")
        first = ended()
        await until(lambda: ended() > first)
        for key in ("enter", "d"):
            await pilot.press(key)
            assert isinstance(app.screen, CheckpointsScreen)

    try:
        drive(None, tmp_path, script)
    finally:
        other.kill()
        other.wait()


def test_many_checkpoints_come_little_by_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CheckpointListing.look, "__defaults__", (2,))
    copies(tmp_path, 5)
    seen = set()

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        def shows_all() -> bool:
            seen.add(rows(app).count)
            return rows(app).count == 5

        await until(shows_all)
        assert "to be read" not in shown(app)

    drive(None, tmp_path, script)
    assert seen <= {0, 2, 4, 5}


def test_a_folder_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await until(lambda: "cannot be listed" in shown(app))

    drive(None, tmp_path / "state", script)


# The run that is open here


def test_the_run_that_is_open_here_shows_what_it_does_now(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("n")
        await until(lambda: run.stats.completed_slots == 1)
        await pilot.press("5")
        await to_the_list(app, pilot, 1)
        await until(lambda: "paused here" in shown(app) and "1 completed" in shown(app))
        await pilot.press("n")
        await until(
            lambda: any("paused here" in line and " 2/8 " in line and " 25% " in line for line in shown(app).splitlines())
        )
        assert "2 completed, 0 failed, 0 skipped, 6 to go" in shown(app)

    run = simulation(tmp_path, name="live")
    drive(run, tmp_path, script)


def test_the_run_that_is_open_here_cannot_be_deleted(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("n")
        await until(lambda: run.stats.completed_slots == 1)
        await pilot.press("5")
        await to_the_list(app, pilot, 1)
        await pilot.press("d")
        assert isinstance(app.screen, CheckpointsScreen)

    run = simulation(tmp_path)
    drive(run, tmp_path, script)


def test_the_checkpoint_of_a_run_is_not_opened_a_second_time_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_LOOK_EVERY_S", 0.01)
    opened: list[Path] = []
    described = StatePersistence.described

    def noted(self: StatePersistence, path: Path) -> list[SimulationInfo]:
        opened.append(path)
        return described(self, path)

    monkeypatch.setattr(StatePersistence, "described", noted)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("5", "space")
        await until(lambda: run.stats.ended_slots > 40)
        await to_the_list(app, pilot, 1)
        await pilot.press("space")
        await until_status(app, RunStatus.PAUSED)
        assert opened == []

    budget = {"budgets": [{"amount": 100_000_000}]}
    pace = {"slots_per_second": 400}
    run = simulation(tmp_path, scheduler={"trades_per_account": 2000}, processor=pace, budget=budget)
    drive(run, tmp_path, script)


# Keys and mouse


def test_keys_are_grey_on_a_damaged_one_and_do_nothing(tmp_path: Path) -> None:
    damaged(tmp_path)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        screen = listed(app)
        assert [screen.check_action(action, ()) for action in ("open", "fork", "export", "delete")] == [None, None, None, True]
        for key in ("enter", "f", "x"):
            await pilot.press(key)
            assert app.screen is screen

    drive(None, tmp_path, script)


def test_the_key_for_a_run_that_is_done_is_called_open(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        assert "Open" in app.screen.query_one(KeyBar).text()

    done(tmp_path, "beta")
    drive(None, tmp_path, script)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_the_keys_of_this_screen_are_all_in_the_key_bar(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("5")
        await to_the_list(app, pilot, 1)
        bar = app.screen.query_one(KeyBar).text()
        assert [what for what in ("Resume", "Fork", "Export", "Delete", "Sort", "Filter", "Help") if what not in bar] == []

    interrupted(tmp_path)
    drive(simulation(tmp_path), tmp_path, script, size)


def test_a_double_click_opens(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        await pilot.click("#list", offset=(3, 1))
        await frame(pilot)
        assert app.simulation is None
        await pilot.double_click("#list", offset=(3, 1))
        await until(lambda: app.simulation is not None)

    interrupted(tmp_path)
    drive(None, tmp_path, script)


def test_a_change_of_theme_redraws_the_list(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        def inked() -> set[object]:
            table = rows(app)
            lines = [table.render_line(1), app.screen.query_one(CheckpointDetails).render_line(1)]
            return {segment.style.color for line in lines for segment in line if segment.style and segment.style.color}

        await to_the_list(app, pilot, 1)
        dark = inked()
        app.theme = "orderbook-light"
        await pilot.pause()
        await pilot.pause()
        assert not dark & inked()

    interrupted(tmp_path)
    drive(None, tmp_path, script)
