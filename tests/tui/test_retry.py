"""The dialog: what it says, and that each answer does what it says."""

import asyncio
import time
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.retry import RetryScreen
from orderbook_tui.tui.widgets.text_lines import TextLines
from tests.tui.screen import SMALL, WIDE, Script, drive, frame, outage, shown, simulation, until, until_asked, until_status


def with_dialog(script: Script, slot: int = 2, attempts: int = 2) -> Script:
    """Start the run, wait for the dialog, then play `script`."""

    async def played(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until_status(app, RunStatus.WAITING)
        await until(lambda: isinstance(app.screen, RetryScreen))
        await pilot.pause()
        await script(app, pilot)

    return played


def press(*keys: str) -> Script:
    async def pressed(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press(*keys)
        await until(lambda: app.simulation is None or app.simulation.status is not RunStatus.WAITING)
        await frame(pilot)

    return pressed


def decisions(run: Simulation, slot: int = 2) -> list[tuple[str, str]]:
    return [(decision.action.value, decision.by) for decision in run.slots[slot].decisions]


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_it_shows_all_that_one_needs_to_decide(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        text = shown(app)
        for words in (
            "WAITING FOR YOU",
            "slot 2",
            "BTC-USD",
            "account test-account",
            "partner slot 3",
            "the venue is down (outage, attempt 2 of 2 that fail)",
            "transient: the same order may pass later",
            "budget needed",
            "available",
            "enough",
            "Attempts (2)",
            " 1 ",
            "r Retry",
            "s Skip",
            "c Continue",
            "q Quit",
            "one more attempt now",
            "save and leave",
            "a [ ] and the same for every unavailable error",
        ):
            assert words in text, words
        await pilot.press("r")

    drive(simulation(tmp_path, venue=outage(2)), tmp_path, with_dialog(script), size)


def silent(slot: ActionSlot) -> str:
    """A venue that takes an order of slot 2 and does not say so, and cannot be asked."""
    if slot.sequence == 2 and slot.attempt_count == 1:
        raise TimeoutError
    return f"order-{slot.sequence}"


def test_it_says_what_another_attempt_risks_where_the_order_may_exist(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        text = shown(app)
        for words in (
            "unknown: the order may exist at the venue",
            "locked for it",
            "another attempt MAY PLACE IT TWICE",
            "free what it locked, though its order may trade",
            "on resume this slot is asked about",
        ):
            assert words in text, words
        await pilot.press("r")

    venue = {"kind": "python", "target": "tests.tui.test_retry:silent"}
    drive(simulation(tmp_path, venue=venue), tmp_path, with_dialog(script), WIDE)


@pytest.mark.parametrize("keys", [("r",), ("enter",), ("down", "up", "enter")], ids=["letter", "enter", "arrows"])
def test_retry_makes_one_more_attempt_and_cures_it(tmp_path: Path, keys: tuple[str, ...]) -> None:
    run = simulation(tmp_path, venue=outage(2))
    drive(run, tmp_path, with_dialog(press(*keys)))
    assert run.status is RunStatus.DONE
    assert run.slots[2].state is SlotState.COMPLETED
    assert run.slots[2].attempt_count == 3
    assert decisions(run) == [("retry", "person")]


def test_a_retry_that_fails_asks_again(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        for attempts in (3, 4):
            await pilot.press("r")
            await until(
                lambda attempts=attempts: (  # type: ignore[misc]
                    isinstance(app.screen, RetryScreen) and app.screen.question.slot.attempt_count == attempts
                )
            )
        await until_status(app, RunStatus.WAITING)
        assert "Attempts (4)" in shown(app)
        assert len([screen for screen in app.screen_stack if isinstance(screen, RetryScreen)]) == 1
        await pilot.press("r")
        await until_status(app, RunStatus.DONE)

    run = simulation(tmp_path, venue=outage(2, attempts=4))
    drive(run, tmp_path, with_dialog(script))
    assert decisions(run) == [("retry", "person")] * 3


@pytest.mark.parametrize("keys", [("s",), ("down", "enter")], ids=["letter", "arrows"])
def test_skip_gives_the_slot_up_and_goes_on(tmp_path: Path, keys: tuple[str, ...]) -> None:
    run = simulation(tmp_path, venue=outage(2))
    app = drive(run, tmp_path, with_dialog(press(*keys)))
    assert run.status is RunStatus.DONE
    assert run.slots[2].state is SlotState.SKIPPED
    assert run.stats.completed_slots == 7
    assert app.exit_status() == 1


@pytest.mark.parametrize("keys", [("c",), ("down", "down", "enter")], ids=["letter", "arrows"])
def test_continue_leaves_it_failed_and_goes_on(tmp_path: Path, keys: tuple[str, ...]) -> None:
    run = simulation(tmp_path, venue=outage(2))
    drive(run, tmp_path, with_dialog(press(*keys)))
    assert run.status is RunStatus.DONE
    assert run.slots[2].state is SlotState.FAILED
    assert run.stats.failed_slots == 1


@pytest.mark.parametrize("keys", [("q",), ("down", "down", "down", "enter")], ids=["letter", "arrows"])
def test_quit_saves_and_leaves_and_the_slot_is_run_again_on_resume(tmp_path: Path, keys: tuple[str, ...]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.simulate_key(keys[0])
        for key in keys[1:]:
            await asyncio.sleep(0.05)
            app.simulate_key(key)
        await until(lambda: app.return_value is not None)

    run = simulation(tmp_path, venue=outage(2))
    app = drive(run, tmp_path, with_dialog(script))
    assert app.exit_status() == 3
    assert run.slots[2].state is SlotState.PENDING

    again = Simulation.resume(run.id, tmp_path)
    assert again.stats.completed_slots == 2
    assert decisions(again) == [("quit", "person")]

    async def finish(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)

    drive(again, tmp_path, finish)
    assert again.slots[2].state is SlotState.COMPLETED
    assert again.stats.completed_slots == 8


def test_escape_goes_back_to_the_run_paused_and_decides_nothing(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await pilot.press("escape")
        await until(lambda: "PAUSED, WAITING FOR YOU" in shown(app))
        assert app.screen is app.get_screen("slots")
        assert "space Decide" in shown(app)
        await pilot.press("5", "2", "n")
        await frame(pilot)
        assert (run.status, run.stats.ended_slots) == (RunStatus.WAITING, 2)
        await pilot.press("space")
        await until_asked(app)
        await pilot.press("s")  # the run goes on as before
        await until_status(app, RunStatus.DONE)

    run = simulation(tmp_path, venue=outage(2))
    drive(run, tmp_path, with_dialog(script))
    assert decisions(run) == [("skip", "person")]


def test_keys_that_were_meant_for_the_screen_before_decide_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderbook_tui.tui.screens.retry._STRAY_S", 60.0)  # however slow the machine is

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("3", "s")  # sorts the budgets
        await pilot.press("space")
        await until(lambda: isinstance(app.screen, RetryScreen) and app.screen.is_mounted)
        await pilot.press("s", "r")
        assert (run.status, decisions(run)) == (RunStatus.WAITING, [])
        assert "s Skip  c" not in shown(app)
        assert isinstance(app.screen, RetryScreen)
        app.screen._deaf_until = time.monotonic()
        await until(lambda: "r Retry  s Skip" in shown(app), "the keys to act after a moment of rest")
        await pilot.press("c")
        await until_status(app, RunStatus.DONE)

    run = simulation(tmp_path, venue=outage(2))
    drive(run, tmp_path, script)
    assert decisions(run) == [("continue", "person")]


def test_a_run_that_was_stepped_stays_paused_after_an_answer_that_was_put_off(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        for _ in range(3):
            await pilot.press("n")
        await until(lambda: isinstance(app.screen, RetryScreen) and app.screen.is_mounted)
        await pilot.press("escape")
        await until(lambda: app.asker.is_put_off)
        await pilot.press("space")
        await until_asked(app)
        await pilot.press("s")
        await until_status(app, RunStatus.PAUSED)
        assert run.stats.ended_slots == 3

    run = simulation(tmp_path, venue=outage(2))
    drive(run, tmp_path, script)


def test_leaving_while_the_question_is_put_off_leaves_it_undecided(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("escape")
        await until(lambda: app.asker.is_put_off)
        app.simulate_key("q")
        await until(lambda: app.return_value is not None)

    run = simulation(tmp_path, venue=outage(2))
    drive(run, tmp_path, with_dialog(script))
    again = Simulation.resume(run.id, tmp_path)
    assert decisions(again) == []
    assert again.slots[2].state is SlotState.PENDING
    again.close()


def test_the_same_for_this_kind_of_error_is_not_asked_again(tmp_path: Path) -> None:
    faults = {"faults": {"outages": [{"from_slot": 2, "slots": 4, "attempts": 2}]}}

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await pilot.pause()
        assert "[x] and the same for every unavailable error" in shown(app)
        await pilot.press("s")
        await until_status(app, RunStatus.DONE)

    run = simulation(tmp_path, venue=faults)
    drive(run, tmp_path, with_dialog(script))
    assert run.stats.skipped_slots == 4
    assert decisions(run, 2) == [("skip", "person")]
    assert [action for action, _ in decisions(run, 5)] == ["skip"]
    assert decisions(run, 5)[0][1] != "person"


def test_the_help_of_the_dialog_explains_the_choices(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("question_mark")
        await pilot.pause()
        assert "retries of this slot are spent" in shown(app)
        await pilot.press("escape")
        await pilot.pause()
        await pilot.press("r")
        await until_status(app, RunStatus.DONE)

    drive(simulation(tmp_path, venue=outage(2)), tmp_path, with_dialog(script))


def test_a_long_error_leaves_room_for_everything_else_and_can_be_scrolled(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        for words in ("transient: ", "budget needed", "Attempts (2)", "q Quit", "and the same for every"):
            assert words in shown(app)
        await pilot.press("shift+tab", "shift+tab", "end")
        await until(lambda: "THE END" in app.screen.query_one("#facts", TextLines).in_view())
        await pilot.press("s")

    venue = {"kind": "python", "target": "tests.tui.wordy_venue:place"}
    run = simulation(tmp_path, venue=venue, scheduler={"trades_per_account": 1}, accounts={"generate": {"count": 2}})
    drive(run, tmp_path, with_dialog(script, slot=0), SMALL)


def test_each_choice_says_what_becomes_of_the_partner(tmp_path: Path) -> None:
    async def first(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert "partner slot 3 then runs alone" in shown(app)
        await pilot.press("r")

    async def second(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert "partner slot 2 loses its open" in shown(app)
        await pilot.press("r")

    drive(simulation(tmp_path / "a", venue=outage(2)), tmp_path / "a", with_dialog(first))
    drive(simulation(tmp_path / "b", venue=outage(3)), tmp_path / "b", with_dialog(second))


def test_only_the_first_of_two_answers_counts(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert isinstance(app.screen, RetryScreen)
        for answer in RecoveryAction.SKIP, RecoveryAction.QUIT, RecoveryAction.RETRY:
            app.screen.action_answer(answer.value)
        await until_status(app, RunStatus.DONE)

    run = simulation(tmp_path, venue=outage(2))
    drive(run, tmp_path, with_dialog(script))
    assert decisions(run) == [("skip", "person")]


def test_leaving_in_the_middle_of_a_question_leaves_it_undecided(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.simulate_key("ctrl+c")
        await until(lambda: app.return_value is not None)

    run = simulation(tmp_path, venue=outage(2))
    app = drive(run, tmp_path, with_dialog(script))
    assert app.return_value == 130
    again = Simulation.resume(run.id, tmp_path)
    assert decisions(again) == []
    assert again.slots[2].attempt_count == 2

    async def asked_at_once(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert again.slots[2].attempt_count == 2
        await pilot.press("r")
        await until_status(app, RunStatus.DONE)

    drive(again, tmp_path, with_dialog(asked_at_once))
    assert again.stats.completed_slots == 8


def test_a_run_that_stops_takes_its_dialog_away(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert app.simulation is not None
        app.simulation.stop()
        await until_status(app, RunStatus.STOPPED)
        await pilot.pause()
        assert app.screen is app.get_screen("slots")
        await pilot.press("space")
        await until_status(app, RunStatus.WAITING)
        await pilot.press("r")
        await until_status(app, RunStatus.DONE)

    run = simulation(tmp_path, venue=outage(2))
    drive(run, tmp_path, with_dialog(script))
    assert run.stats.completed_slots == 8
