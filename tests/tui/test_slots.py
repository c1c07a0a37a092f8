"""The slots screen: what it shows is what the simulation has, and its keys run it."""

from pathlib import Path
from typing import Any

import pytest
from textual.events import MouseScrollDown
from textual.pilot import Pilot
from textual.widgets import Static

from orderbook_tui.core.book import Side
from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.engine.decisions import PolicyDecider, StandingAnswers
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.figures import price, quantity, short_span
from orderbook_tui.tui.theme import DARK, LIGHT
from orderbook_tui.tui.widgets.budget_totals import BudgetTotals
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.place_tabs import PlaceTabs
from orderbook_tui.tui.widgets.slot_details import SlotDetails
from orderbook_tui.tui.widgets.slot_filter import FilterField, SlotFilterBar
from orderbook_tui.tui.widgets.slot_line import COLUMNS
from orderbook_tui.tui.widgets.status_strip import StatusStrip
from orderbook_tui.tui.widgets.text_lines import TextLines
from tests.tui.screen import SMALL, WIDE, drive, frame, outage, said, shown, simulation, table, until, until_status
from tests.tui.test_hostile_text import _UNSAFE as UNSAFE
from tests.tui.test_hostile_text import HOSTILE


def strip(app: OrderbookApp) -> str:
    return app.screen.query_one(StatusStrip).text()


def test_with_a_config_it_opens_on_its_slots_ready_and_nothing_runs(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await until(lambda: "tiny  READY" in strip(app), "the name of the run: its room is known with the first layout")
        assert "0/8   0%" in strip(app)
        assert "space Start" in app.screen.query_one(KeyBar).text()
        assert all("Pending" in line for line in table(app).lines()[1:9])

    run = simulation(tmp_path)
    drive(run, tmp_path, script)
    assert run.stats.pending_slots == 8
    assert list(tmp_path.iterdir()) == []


def test_space_runs_to_the_end(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)
        assert "DONE" in strip(app)
        assert "8/8 100%" in strip(app)
        assert "0 failed" in strip(app)
        assert "space" not in app.screen.query_one(KeyBar).text()
        assert "4 trades" in said(app)

    app = drive(simulation(tmp_path), tmp_path, script)
    assert app.exit_status() == 0


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_each_line_says_what_its_slot_is(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert app.simulation is not None
        for _ in range(3):
            await pilot.press("n")
            await until(lambda: not app.simulation or not app.simulation.control.stepping)
        await frame(pilot)
        lines = table(app).lines()
        for slot, line in zip(app.simulation.slots, lines[1:9], strict=True):
            words = line.strip("▌ ").split()
            market = slot.action.market
            assert words[:4] == [
                str(slot.sequence),
                app.simulation.account_name(slot.account_id),
                market.symbol,
                slot.action.side.word,
            ]
            assert words[4:6] == [quantity(market, slot.action.quantity), price(market, slot.action.price)]
            assert slot.state.value in words
            assert (str(slot.verdict) in words) == (slot.verdict is not None and not slot.open)

    drive(simulation(tmp_path), tmp_path, script, size)


def test_a_step_is_one_slot_and_then_a_pause(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        for count in (1, 2, 3):
            await pilot.press("n")
            await until(lambda count=count: run.stats.completed_slots == count)  # type: ignore[misc]
            await frame(pilot)
            assert run.status is RunStatus.PAUSED
            assert f"{count}/8" in strip(app)
            assert table(app).cursor == count
        assert "PAUSED" in strip(app)
        assert "space Go on" in app.screen.query_one(KeyBar).text()
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)

    drive(simulation(tmp_path), tmp_path, script)


def test_space_pauses_a_run_and_lets_it_go_on(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await pilot.press("space")
        await until(lambda: run.stats.completed_slots >= 1)
        app.simulate_key("space")
        await until_status(app, RunStatus.PAUSED)
        before = run.stats.completed_slots
        await pilot.pause(0.2)
        assert run.stats.completed_slots <= before + 1
        run.control.slots_per_second = None
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)

    run = simulation(tmp_path, processor={"slots_per_second": 20})
    drive(run, tmp_path, script)


def test_budget_totals_are_the_simulations(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        totals = app.screen.query_one(BudgetTotals)
        for _ in range(len(run.slots)):
            await pilot.press("n")
            await until(lambda: not run.control.stepping)
            await frame(pilot)
            for symbol, expected in run.budgets.get_summary().assets.items():
                asset, counted = run.budgets.assets[symbol], totals.totals[symbol]
                amounts = tuple(map(asset.amount, counted.pots[:4]))
                assert amounts == (
                    expected.total_initial,
                    expected.total_available,
                    expected.total_locked,
                    expected.total_spent,
                )
                assert f"{expected.total_available:,f}".rstrip("0").rstrip(".")[:10] in totals.text()

    drive(simulation(tmp_path), tmp_path, script)


def test_details_tell_attempts_errors_and_fills(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)
        await pilot.press("home", "enter")
        await until(lambda: app.screen.query(SlotDetails))
        await pilot.pause()
        text = app.screen.query_one(SlotDetails).text()
        assert "Completed  matched" in text
        assert "attempts (2)" in text
        assert "transient the venue is down" in text
        assert "with test-account-2 (slot 1), maker" in text
        await pilot.press("escape")
        assert app.screen is app.get_screen("slots")

    drive(simulation(tmp_path, venue=outage(0, attempts=1)), tmp_path, script, SMALL)


async def _many(app: OrderbookApp, pilot: Pilot[int]) -> None:
    rows = table(app)
    await pilot.press("down", "down")
    assert (rows.cursor, rows.following) == (2, False)
    await pilot.press("pagedown")
    assert rows.cursor > 10
    await pilot.press("end")
    assert rows.cursor == 399
    assert "399" in rows.lines()[-1]
    await pilot.press("home")
    assert rows.cursor == 0
    await pilot.press("g", *"250", "enter")
    await pilot.pause()
    assert rows.cursor == 250
    assert any(line.startswith("▌") and " 250 " in line for line in rows.lines())
    await pilot.press("f")
    assert (rows.cursor, rows.following) == (0, True)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_the_cursor_moves_by_keys_and_f_brings_it_back(tmp_path: Path, size: tuple[int, int]) -> None:
    drive(simulation(tmp_path, scheduler={"trades_per_account": 100}), tmp_path, _many, size)


def test_following_keeps_the_current_slot_in_view(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await pilot.press("space")
        await until_status(app, RunStatus.WAITING)
        await pilot.press("s")
        await until_status(app, RunStatus.WAITING)
        await pilot.press("c")
        await until_status(app, RunStatus.DONE)
        rows = table(app)
        assert rows.cursor == 79
        assert any("79" in line for line in rows.lines())
        assert run.slots[40].state is SlotState.SKIPPED
        assert run.slots[41].state is SlotState.FAILED
        assert "1 failed  1 skipped" in strip(app)

    faults = {"faults": {"outages": [{"from_slot": 40, "slots": 2, "attempts": 9}]}}
    app = drive(simulation(tmp_path, scheduler={"trades_per_account": 20}, venue=faults), tmp_path, script)
    assert app.exit_status() == 1


def test_a_resize_keeps_the_cursor_and_fits_the_columns(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        rows = table(app)
        assert {"notional", "time", "filled"} <= set(rows.columns)
        await pilot.press("end")
        for width, height in (SMALL, (40, 10), (20, 5), (200, 60), WIDE):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert rows.cursor == 79
            assert all(len(line) <= width for line in shown(app).split("\n"))
            if height > 8:
                assert any(line.startswith("▌") for line in rows.lines())
            if (width, height) == SMALL:
                assert {"account", "quantity", "price", "state", "tries", "verdict"} <= set(rows.columns)

    drive(simulation(tmp_path, scheduler={"trades_per_account": 20}), tmp_path, script)


def test_the_footer_has_room_for_all_its_keys_at_80_columns(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        keys = app.screen.query_one(KeyBar).text()
        for words in ("space Start", "n Step", "o Run to", "/ Filter", "f Unfollow", "? Help", "q Quit"):
            assert words in keys
        assert "5 Checkpoints" in app.screen.query_one(PlaceTabs).text()

    drive(simulation(tmp_path), tmp_path, script, SMALL)


def test_help_names_every_key_of_the_screen(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Help: Slots" in shown(app)
        text = app.screen.query_one(TextLines).text()
        for words in ("space", "run one slot, then pause", "go to a slot by its number", "show only the slots that match"):
            assert words in text
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.get_screen("slots")

    drive(simulation(tmp_path), tmp_path, script)


@pytest.mark.parametrize("kind", ["file", "nowhere"])
def test_a_folder_that_cannot_be_written_is_said_and_the_run_stops(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "state"
    folder.write_text("a file, no folder")
    if kind == "nowhere":
        folder = folder / "deeper"

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until(lambda: len(app._notifications))
        await frame(pilot)
        assert "cannot be made" in said(app)
        assert "Traceback" not in shown(app)
        assert app.simulation is not None
        assert app.simulation.status in (RunStatus.READY, RunStatus.STOPPED)
        assert "Start" in app.screen.query_one(KeyBar).text() or "Go on" in app.screen.query_one(KeyBar).text()

    drive(simulation(folder), folder, script)


def test_a_million_slots_open_at_once(tmp_path: Path) -> None:
    run = simulation(tmp_path, save=False)
    first = run.slots[0]
    run.state.slots = [ActionSlot(sequence, first.account_id, first.action) for sequence in range(1_000_000)]

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        rows = table(app)
        await pilot.press("end")
        await pilot.pause()
        assert rows.cursor == 999_999
        assert len(rows._strips) < 200
        assert len(rows._drawn) < 200

    drive(run, tmp_path, script)


# The filter

FAILING = {"faults": {"outages": [{"from_slot": 10, "slots": 2, "attempts": 9}, {"from_slot": 40, "slots": 1, "attempts": 9}]}}


def with_failures(folder: Path, **sections: Any) -> Simulation:
    """A run of 80 slots in which the slots 10, 11 and 40 fail, until an outage of 9 attempts each is over."""
    return simulation(folder, scheduler={"trades_per_account": 20}, venue=FAILING, **sections)


async def run_through(app: OrderbookApp, pilot: Pilot[int]) -> None:
    """Run to the end; what fails is left Failed."""
    app.decider = StandingAnswers(PolicyDecider(RecoveryAction.CONTINUE))
    await pilot.press("space")
    await until_status(app, RunStatus.DONE)


def bar(app: OrderbookApp) -> str:
    """What the line of the filter shows, and what is below it."""
    statics = app.screen.query_one(SlotFilterBar).query(Static)
    return " | ".join(str(static.content) for static in statics if static.display)


def shown_slots(app: OrderbookApp) -> list[int]:
    """The slots in view."""
    return [int(line.strip("▌ ").split()[0]) for line in table(app).lines()[1:] if line.strip("▌ ")[:1].isdigit()]


async def type_in(pilot: Pilot[int], text: str) -> None:
    """Type a filter, and let it take effect."""
    await pilot.press("slash", *text)
    await frame(pilot)


def test_a_filter_shows_only_what_matches_and_says_how_many(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await run_through(app, pilot)
        await type_in(pilot, "state:failed")
        assert shown_slots(app) == [10, 11, 40]
        assert "3 of 80" in bar(app)
        await pilot.press("enter", "home")
        assert table(app).has_focus
        assert app.simulation is not None
        assert table(app).slot is app.simulation.slots[10]
        await pilot.press("down", "down", "down")
        assert table(app).slot is app.simulation.slots[40]

    drive(with_failures(tmp_path), tmp_path, script)


def test_escape_shows_all_slots_again_and_the_cursor_keeps_its_slot(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await run_through(app, pilot)
        await type_in(pilot, "state:failed")
        await pilot.press("enter", "end")
        assert "esc All slots" in app.screen.query_one(KeyBar).text()
        await pilot.press("escape")
        await frame(pilot)
        assert table(app).cursor == 40
        assert 40 in shown_slots(app)
        assert len(shown_slots(app)) > 3
        assert not app.screen.query_one(SlotFilterBar).display
        assert "All slots" not in app.screen.query_one(KeyBar).text()

    drive(with_failures(tmp_path), tmp_path, script)


def test_escape_in_the_field_clears_it(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await type_in(pilot, "zzz")
        assert shown_slots(app) == []
        assert "no slot matches" in shown(app)
        await pilot.press("escape")
        await frame(pilot)
        assert len(shown_slots(app)) == 8
        assert table(app).has_focus

    drive(simulation(tmp_path), tmp_path, script)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_a_filter_that_means_nothing_is_told_at_once_and_the_last_one_stays(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await type_in(pilot, "side:bid state:x")
        assert "no state is called x: pending, inprogress, completed, failed, skipped" in shown(app)
        assert len(shown_slots(app)) == 4
        await pilot.press("backspace")
        await frame(pilot)
        assert "no state is called" not in shown(app)

    drive(simulation(tmp_path), tmp_path, script, size)


def test_slots_leave_the_filter_and_come_into_it_as_the_run_goes_on(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await type_in(pilot, "state:pending")
        await pilot.press("enter")
        for done in range(1, 5):
            await pilot.press("n")
            await until(lambda: not run.control.stepping)
            await frame(pilot)
            assert shown_slots(app) == list(range(done, 8))
            assert f"{8 - done} of 8" in bar(app)

    drive(simulation(tmp_path), tmp_path, script)


def test_following_keeps_to_the_last_match_that_the_run_has_come_to(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await type_in(pilot, "side:bid")
        await pilot.press("enter")
        bids = [slot.sequence for slot in run.slots if slot.action.side is Side.BID]
        for done in range(1, 8):
            await pilot.press("n")
            await until(lambda: not run.control.stepping)
            await frame(pilot)
            slot = table(app).slot
            assert slot is not None
            assert slot.sequence == max((each for each in bids if each <= done), default=bids[0])
            assert table(app).following

    drive(simulation(tmp_path), tmp_path, script)


def test_the_line_under_the_cursor_stays_where_it_is_while_others_leave_above_it(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await type_in(pilot, "state:pending")
        await pilot.press("enter", "g", *"200", "enter")
        await frame(pilot)

        def line() -> int:
            return next(y for y, text in enumerate(table(app).lines()) if text.startswith("▌"))

        before = line()
        for _ in range(5):
            await pilot.press("n")
            await until(lambda: not run.control.stepping)
        await frame(pilot)
        assert table(app).cursor == 200 - run.stats.ended_slots
        assert table(app).slot is run.slots[200]
        assert line() == before

    drive(simulation(tmp_path, scheduler={"trades_per_account": 100}), tmp_path, script)


def test_go_to_a_slot_that_does_not_match_goes_to_the_next_that_does(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await run_through(app, pilot)
        await type_in(pilot, "state:failed")
        await pilot.press("enter", "g", *"12", "enter")
        await frame(pilot)
        assert app.simulation is not None
        assert table(app).slot is app.simulation.slots[40]
        assert "Slot 12 does not match the filter: this is the next one that does." in said(app)

    drive(with_failures(tmp_path), tmp_path, script)


def test_what_is_under_the_cursor_becomes_a_filter_and_ceases_to_be_one(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await pilot.press("down", "a")
        await frame(pilot)
        account = run.slots[1].account_id
        assert shown_slots(app) == [slot.sequence for slot in run.slots if slot.account_id == account]
        await pilot.press("m", "w")
        await frame(pilot)
        market = run.slots[1].action.market
        assert app.screen.query_one(SlotFilterBar).text == f"account:test-account-2 market:{market.symbol} state:pending"
        await pilot.press("w", "m", "a")
        await frame(pilot)
        assert len(shown_slots(app)) == 8
        await pilot.press("v")
        await frame(pilot)
        assert "Slot 1 has no verdict yet." in said(app)

    drive(simulation(tmp_path), tmp_path, script)


def test_the_right_button_on_a_cell_filters_by_it(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        line = table(app).lines()[2]
        await pilot.click("#slots", offset=(line.index("test-account"), 2), button=3)
        await frame(pilot)
        assert app.screen.query_one(SlotFilterBar).text == "account:test-account-2"
        assert app.screen is app.get_screen("slots")

    drive(simulation(tmp_path), tmp_path, script)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_is_typed_into_the_filter_harmlessly(tmp_path: Path, kind: str) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("slash")
        app.screen.query_one(FilterField).insert_text_at_cursor(HOSTILE[kind])
        await frame(pilot)
        assert not UNSAFE.search(shown(app))
        assert all(strip.cell_length == SMALL[0] for strip in app.screen._compositor.render_strips())
        app.screen.query_one(FilterField).value = f"state:{HOSTILE[kind]}"
        await frame(pilot)
        assert not UNSAFE.search(shown(app))
        assert "no state is called" in bar(app)

    drive(simulation(tmp_path), tmp_path, script, SMALL)


# Failed slots


def test_e_goes_from_failed_slot_to_failed_slot_and_says_when_it_went_round(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await run_through(app, pilot)
        await pilot.press("home")
        for expected in (10, 11, 40):
            await pilot.press("e")
            await pilot.pause()
            assert table(app).cursor == expected
        assert "Round the end" not in said(app)
        await pilot.press("e")
        await pilot.pause()
        assert table(app).cursor == 10
        assert "Round the end: this is the first failed slot." in said(app)
        await pilot.press("E")
        await pilot.pause()
        assert table(app).cursor == 40

    drive(with_failures(tmp_path), tmp_path, script)


def test_where_nothing_has_failed_there_is_no_key_for_it(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("e", "E", "r", "s", "R")
        await pilot.pause()
        keys = app.screen.query_one(KeyBar).text()
        assert "failed" not in keys
        assert "Retry" not in keys
        assert table(app).cursor == 0
        assert said(app) == ""

    drive(simulation(tmp_path), tmp_path, script)


def test_r_runs_the_failed_slot_under_the_cursor_once_more(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await run_through(app, pilot)
        await pilot.press("home")
        await pilot.pause()
        assert "r Retry" not in app.screen.query_one(KeyBar).text()
        await pilot.press("e")
        await frame(pilot)
        assert "r Retry  s Skip" in app.screen.query_one(KeyBar).text()
        attempts = run.slots[10].attempt_count
        await pilot.press("r")
        await until(lambda: run.slots[10].attempt_count == attempts + 2 and run.status is RunStatus.DONE)
        assert run.slots[11].attempt_count == attempts
        assert table(app).cursor == 10

    drive(with_failures(tmp_path), tmp_path, script)


def test_s_gives_the_failed_slot_under_the_cursor_up(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await run_through(app, pilot)
        await pilot.press("home", "e")
        await pilot.pause()
        await pilot.press("s")
        await frame(pilot)
        assert run.slots[10].state is SlotState.SKIPPED
        assert run.slots[11].state is SlotState.FAILED
        assert "Skipped" in next(line for line in table(app).lines() if line.startswith("▌"))
        assert "r Retry" not in app.screen.query_one(KeyBar).text()

    drive(with_failures(tmp_path), tmp_path, script)


def test_all_failed_slots_are_run_once_more(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await run_through(app, pilot)
        for _ in range(4):
            before = run.slots[40].attempt_count
            await pilot.press("R")
            await until(lambda before=before: run.slots[40].attempt_count > before and run.status is RunStatus.DONE)  # type: ignore[misc]
        assert run.stats.failed_slots == 0
        await frame(pilot)
        assert "Next failed" not in app.screen.query_one(KeyBar).text()

    drive(with_failures(tmp_path), tmp_path, script)


def test_a_slot_that_completes_leaves_the_failed_ones_and_the_cursor_goes_to_the_next(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await run_through(app, pilot)
        await type_in(pilot, "state:failed")
        await pilot.press("enter", "home")
        await pilot.press("s")
        await frame(pilot)
        assert shown_slots(app) == [11, 40]
        assert table(app).slot is run.slots[11]

    drive(with_failures(tmp_path), tmp_path, script)


# A line, its details, its look


def test_y_copies_the_line_with_all_its_columns(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await run_through(app, pilot)
        await pilot.press("home", "e")
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        slot = run.slots[10]
        cells = app.clipboard.split("\t")
        assert cells[:4] == ["10", run.account_name(slot.account_id), slot.action.market.symbol, slot.action.side.word]
        assert cells[7:11] == ["Failed", "2", "0%", "unmatched"]
        assert cells[12].startswith("the venue is down")
        assert "The line of slot 10 is copied" in said(app)

    drive(with_failures(tmp_path), tmp_path, script, SMALL)


def test_a_copied_line_is_harmless(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("y")
        assert not UNSAFE.search(app.clipboard.replace("\t", ""))
        assert app.clipboard.count("\t") == len(COLUMNS)

    text = "".join(HOSTILE.values())
    drive(simulation(tmp_path, accounts={"list": [{"name": f"{number}{text}"} for number in range(4)]}), tmp_path, script)


def test_details_tell_the_waits_between_attempts(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await run_through(app, pilot)
        await pilot.press("home", "e")
        await frame(pilot)
        first, second = run.slots[10].attempts
        text = app.screen.query_one(SlotDetails).text()
        assert f"waited {short_span(second.started - first.ended)}" in text
        assert text.count("waited") == 1
        assert "left Failed: it can be retried, or skipped" in text

    drive(with_failures(tmp_path), tmp_path, script)


def test_a_click_moves_the_cursor_a_second_one_opens_the_slot(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.click("#slots", offset=(20, 4))
        assert table(app).cursor == 3
        assert not table(app).following
        assert app.screen is app.get_screen("slots")
        await pilot.click("#slots", offset=(20, 4), times=2)
        await pilot.pause()
        assert "slot 3" in app.screen.query_one("#all", SlotDetails).text()

    drive(simulation(tmp_path), tmp_path, script)


def test_the_wheel_scrolls_without_moving_the_cursor_and_ends_following(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        rows = table(app)
        event = MouseScrollDown(rows, 5, 5, 0, 1, 0, shift=False, meta=False, ctrl=False)
        for _ in range(20):
            rows.post_message(event)
        await frame(pilot)
        assert rows.cursor == 0
        assert not rows.following
        assert shown_slots(app)[0] > 10

    drive(simulation(tmp_path, scheduler={"trades_per_account": 100}), tmp_path, script)


def test_following_is_not_offered_once_the_run_is_done(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert "Unfollow" in app.screen.query_one(KeyBar).text()
        await run_through(app, pilot)
        assert "ollow" not in app.screen.query_one(KeyBar).text()

    drive(simulation(tmp_path), tmp_path, script)


def test_another_theme_draws_all_lines_anew(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        def grounds() -> set[str]:
            strips = [table(app).render_line(y) for y in range(1, 9)]
            return {
                str(segment.style.bgcolor.name)
                for strip in strips
                for segment in strip
                if segment.style and segment.style.bgcolor
            }

        dark = grounds()
        app.theme = LIGHT.name
        await frame(pilot)
        assert not dark & grounds()
        details = app.screen.query_one(SlotDetails)
        colours = {str(span.style) for line in details._lines for span in line.spans}
        assert colours
        assert not any(str(DARK.foreground) in colour for colour in colours)

    drive(simulation(tmp_path), tmp_path, script)
