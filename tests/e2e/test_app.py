"""The app, from its command to its exit status: opening, running, deciding, stepping, resuming."""

import json
from collections.abc import Callable

import pytest

from orderbook_tui.core.words import harmless
from tests.e2e.acting import (
    DIALOG,
    SCREENS,
    SLOW,
    STANDING,
    Size,
    answered_without_a_screen,
    done,
    run_to_the_dialog,
    show,
    the_app,
    the_installed_app,
)
from tests.e2e.conftest import Folder
from tests.e2e.terminal import ALTERNATE_SCREEN, SIZES, Terminal


def test_it_opens_ready_and_leaves_nothing_of_a_run_that_was_not_started(folder: Folder, size: Size) -> None:
    with the_installed_app(folder, size) as terminal:
        terminal.wait_for("simulator", "READY", "0/40", "test-account-1", "BTC-USD", "Pending", "asset", "Start", "Quit")
        assert max(map(len, terminal.lines)) <= size[0]
        terminal.press("q")
        assert terminal.end() == 0
    assert folder.listed() == []


def test_space_runs_to_the_end_and_retry_cures_the_outage(folder: Folder, size: Size) -> None:
    with the_app(folder, size) as terminal:
        run_to_the_dialog(terminal)
        assert folder.slots()[12]["state"] != "Completed"
        terminal.press("r")
        terminal.wait_for("DONE", "40/40", "100%", "0 failed")
        terminal.press("q")
        assert terminal.end() == 0
    summary, slot = folder.summary(), folder.slots()[12]
    assert summary["stats"]["completed_slots"] == 40
    assert summary["verdicts"]["matched"] == 40
    assert all(summary["invariants"].values())
    assert (slot["state"], slot["attempt_count"], slot["decisions"]) == ("Completed", 5, "retry")


@pytest.mark.parametrize(("key", "state", "decision"), [("s", "Skipped", "skip"), ("c", "Failed", "continue")])
def test_skip_and_continue_go_on_with_the_next_slot(folder: Folder, size: Size, key: str, state: str, decision: str) -> None:
    with the_app(folder, size) as terminal:
        run_to_the_dialog(terminal)
        terminal.press(key)
        terminal.wait_for("DONE", "40/40", "1 failed" if key == "c" else "1 skipped")
        terminal.press("q")
        assert terminal.end() == 1
    summary, slots = folder.summary(), folder.slots()
    assert (slots[12]["state"], slots[12]["attempt_count"], slots[12]["decisions"]) == (state, 4, decision)
    assert summary["stats"]["completed_slots"] == 39
    # The other half of the pair ran, met nobody, and what was left of it has been cancelled.
    assert (slots[13]["state"], slots[13]["verdict"]) == ("Completed", "unmatched")
    assert summary["verdicts"]["matched"] == 38
    assert summary["open_orders"] == []


def test_quit_in_the_dialog_saves_and_the_slot_is_run_again_on_resume(folder: Folder, size: Size) -> None:
    with the_app(folder, size) as terminal:
        run_to_the_dialog(terminal)
        terminal.press("q")
        assert terminal.end() == 3
    slot = folder.slots()[12]
    assert (slot["state"], slot["attempt_count"], slot["decisions"]) == ("Pending", 4, "quit")
    assert folder.summary()["stats"]["pending_slots"] == 28

    resumed = folder.run("resume", "latest", "--on-failure", "quit")
    assert resumed.status == 0, resumed.stderr
    slot = folder.slots()[12]
    assert (slot["state"], slot["attempt_count"], slot["decisions"]) == ("Completed", 5, "quit")


def test_the_choice_under_the_cursor_is_taken_with_enter(folder: Folder) -> None:
    with the_app(folder) as terminal:
        run_to_the_dialog(terminal)
        terminal.press("down", "enter")
        terminal.wait_for("DONE", "1 skipped")


def test_other_keys_decide_nothing(folder: Folder) -> None:
    with the_app(folder) as terminal:
        run_to_the_dialog(terminal)
        terminal.press("x", "space", "n", "2", "5", "t", "?")
        terminal.wait_for("Help: A slot keeps failing")
        terminal.press("escape")
        terminal.wait_while("Help: A slot")
        terminal.wait_for(*DIALOG)
        terminal.press("r")
        terminal.wait_for("DONE", "40/40")


def test_an_answer_that_is_put_off_is_given_later(folder: Folder, size: Size) -> None:
    with the_app(folder, size) as terminal:
        run_to_the_dialog(terminal)
        terminal.press("escape")
        terminal.wait_for("PAUSED, WAITING FOR YOU", " 12/40", "InProgress", "Decide")
        for key in SCREENS:
            show(terminal, key)
            terminal.wait_for("PAUSED, WAITING FOR YOU", " 12/40")
        terminal.press("space")
        terminal.wait_for(*DIALOG)
        terminal.press("r")
        # It was held for the answer only.
        terminal.wait_for("DONE", "40/40")
        terminal.press("q")
        assert terminal.end() == 0
    assert folder.slots()[12]["decisions"] == "retry"


def test_the_same_for_all_is_asked_once(folder: Folder) -> None:
    folder.configure("outages.json", 4, 10, 16)
    with the_app(folder, config="outages.json") as terminal:
        terminal.wait_for("READY", "Start")
        terminal.press("space")
        terminal.wait_for("Slot 4 keeps failing", "a [ ]")
        terminal.press("a")
        terminal.wait_for("a [x]")
        terminal.press("s")
        terminal.wait_for("DONE", "40/40", "0 failed", "3 skipped")
        terminal.press("q")
        assert terminal.end() == 1
    assert {slot["sequence"] for slot in folder.slots() if slot["decisions"] == "skip"} == {4, 10, 16}


def test_n_runs_exactly_one_slot(folder: Folder, size: Size) -> None:
    with the_app(folder, size) as terminal:
        terminal.wait_for("READY", "Step")
        for count in (1, 2, 3):
            terminal.press("n")
            terminal.wait_for("PAUSED", f" {count}/40")
        terminal.press("q")
        terminal.end()
    assert [slot["state"] for slot in folder.slots()] == ["Completed"] * 3 + ["Pending"] * 37


def test_space_pauses_and_lets_go_on(folder: Folder, size: Size) -> None:
    with the_app(folder, size, "--slots-per-second", SLOW) as terminal:
        terminal.wait_for("READY", "Start")
        terminal.press("space")
        terminal.wait_until(lambda: done(terminal) >= 1, "the run to have begun")
        terminal.press("space")
        terminal.wait_for("PAUSED", "Go on")
        before = done(terminal)
        terminal.press("n")
        terminal.wait_until(lambda: done(terminal) > before, "one slot more")
        assert done(terminal) == before + 1
        terminal.press("space")
        terminal.wait_for("RUNNING", "Pause")
        terminal.wait_until(lambda: done(terminal) > before + 1, "the run to go on")


def test_a_run_left_in_the_middle_is_listed_and_resumed_to_the_same_state(
    folder: Folder, another_folder: Callable[[], Folder]
) -> None:
    with the_app(folder, SIZES[0], "--slots-per-second", STANDING) as terminal:
        terminal.wait_for("READY", "Start")
        terminal.press("space")
        terminal.wait_until(lambda: done(terminal) >= 1, "the run to have begun")
        terminal.press("q")
        terminal.wait_for("Stop it and leave?", "yes", "no")
        terminal.press("y")
        terminal.end()
    left = folder.summary()
    assert 1 <= left["stats"]["completed_slots"] < 40
    assert folder.listed()[0]["status"] == "interrupted"

    with Terminal(folder=folder.path) as terminal:
        terminal.wait_for("1 in simulator_state", "simulator", "to resume", "Resume")
        terminal.press("enter")
        terminal.wait_for("READY", f" {left['stats']['completed_slots']}/40", "Start")
        terminal.press("space")
        terminal.wait_for(*DIALOG)
        terminal.press("r")
        terminal.wait_for("DONE", "40/40")
        terminal.press("q")
        assert terminal.end() == 0
    resumed = folder.summary()
    assert resumed["simulation_id"] == left["simulation_id"]

    uninterrupted = another_folder()
    answered_without_a_screen(uninterrupted, "r")
    assert resumed["state_hash"] == uninterrupted.summary()["state_hash"]


def test_resume_finishes_without_a_screen_what_the_app_began(folder: Folder, skipping_hash: str) -> None:
    with the_app(folder) as terminal:
        terminal.wait_for("READY", "Step")
        terminal.press("n")
        terminal.wait_for("PAUSED", " 1/40")
        terminal.press("q")
        terminal.end()
    resumed = folder.run("resume", "latest", "--on-failure", "skip")
    assert resumed.status == 1, resumed.stderr
    assert "Completed: 39" in resumed.stdout
    assert folder.summary()["state_hash"] == skipping_hash


def test_the_list_of_an_empty_folder_says_what_to_do(folder: Folder) -> None:
    with Terminal(folder=folder.path) as terminal:
        terminal.wait_for("No checkpoints", "orderbook-tui configs/simulator.json", "Quit")
        terminal.press("q")
        assert terminal.end() == 0


def test_a_config_with_errors_opens_nothing_and_names_every_problem(folder: Folder) -> None:
    (folder.path / "wrong.json").write_text('{"scheduler": {"max_amount": 50, "speed": 1}, "seed": "seven"}')
    with Terminal("wrong.json", folder=folder.path) as terminal:
        assert terminal.end() == 2
        assert ALTERNATE_SCREEN not in terminal.written
        for problem in ("scheduler.max_amount: 50 is below", "scheduler.speed", "seed"):
            assert problem in terminal.text
    assert folder.listed() == []


def test_without_a_terminal_the_app_refuses_in_words(folder: Folder) -> None:
    for arguments in (["simulator.json"], []):
        refused = folder.run(*arguments)
        assert refused.status == 2
        assert "needs a terminal" in refused.stderr
        assert refused.stdout == ""


def test_an_export_to_a_terminal_does_not_steer_it(folder: Folder) -> None:
    names = [{"name": f"{number}\x1b]0;owned\x07\nline"} for number in range(2)]
    config = {"accounts": {"list": names}, "scheduler": {"trades_per_account": 1}}
    (folder.path / "hostile.json").write_text(json.dumps(config))
    folder.run("run", "hostile.json", "--on-failure", "skip")
    with Terminal("export", "latest", folder=folder.path) as terminal:
        assert terminal.end() == 0
    assert not {"\x1b", "\x07"} & set(terminal.everything)
    assert harmless("\x1b]0;owned\x07\nline") in terminal.everything
    assert "\x1b]0;owned\x07\nline" in folder.run("export", "latest").stdout
