"""However the app is left, the terminal is as it was and the run can be taken up; and questions without a screen."""

import signal

import pytest

from tests.e2e.conftest import Folder
from tests.e2e.terminal import ALTERNATE_SCREEN, MAIN_SCREEN, SHOW_CURSOR, Terminal
from tests.e2e.test_app import DIALOG, Size, done, run_to_the_dialog, the_app

QUESTION = "[r]etry  [s]kip  [c]ontinue  [q]uit ?"


def in_the_middle(folder: Folder, size: Size = (120, 36)) -> Terminal:
    """Open the app and start a run that is slow enough to be in the middle of."""
    terminal = the_app(folder, size, "--slots-per-second", "2")
    terminal.wait_for("READY", "Start")
    terminal.press("space")
    terminal.wait_until(lambda: done(terminal) >= 1, "the run to have begun")
    return terminal


def wait_for_keys(terminal: Terminal, key: str, *, line: int) -> None:
    """Wait until the keys are in this line, the last one."""
    terminal.wait_until(lambda: key in terminal.lines[line - 1], f"the keys in line {line}")


def wait_for_columns(terminal: Terminal, *, up_to: str) -> None:
    """Wait until the table's last column is this one."""
    terminal.wait_until(lambda: terminal.lines[1].endswith(up_to), f"the columns up to {up_to}")


def assert_sane(terminal: Terminal) -> None:
    """Check that an ended program has given the terminal back as it got it."""
    assert terminal.is_as_before()
    assert terminal.modes_left_on() == set()
    assert terminal.written.count(ALTERNATE_SCREEN) == 1
    assert terminal.written.rfind(MAIN_SCREEN) > terminal.written.rfind(ALTERNATE_SCREEN)
    assert terminal.written.rfind(SHOW_CURSOR) > terminal.written.rfind(ALTERNATE_SCREEN)


def assert_resumable(folder: Folder, skipping_hash: str) -> None:
    """Check that the saved run is intact, and ends as if nothing had interrupted it."""
    saved = folder.listed()
    assert [(row["status"], row["total_slots"]) for row in saved] == [("interrupted", 40)]
    resumed = folder.run("resume", "latest", "--on-failure", "skip")
    assert resumed.status == 1, resumed.stderr
    assert folder.summary()["state_hash"] == skipping_hash


def test_q_gives_the_terminal_back(folder: Folder, size: Size) -> None:
    with the_app(folder, size) as terminal:
        run_to_the_dialog(terminal)
        terminal.press("r")
        terminal.wait_for("DONE")
        terminal.press("q")
        assert terminal.end() == 0
        assert_sane(terminal)
        assert not terminal.leaves_a_process


def test_ctrl_c_asks_while_the_run_goes_on_and_then_saves(folder: Folder, size: Size, skipping_hash: str) -> None:
    with in_the_middle(folder, size) as terminal:
        terminal.press("ctrl+c")
        terminal.wait_for("Stop it and leave?")
        terminal.press("y")
        terminal.end()
        assert_sane(terminal)
    assert_resumable(folder, skipping_hash)


def test_ctrl_c_at_the_dialog_leaves_the_slot_to_be_decided_on_resume(folder: Folder, skipping_hash: str) -> None:
    with the_app(folder) as terminal:
        run_to_the_dialog(terminal)
        terminal.press("ctrl+c")
        terminal.end()
        assert_sane(terminal)
    slot = folder.slots()[12]
    assert (slot["state"], slot["attempt_count"], slot["decisions"]) == ("Pending", 4, "")
    assert_resumable(folder, skipping_hash)


def test_ctrl_c_before_the_start_just_leaves(folder: Folder) -> None:
    with the_app(folder) as terminal:
        terminal.wait_for("READY", "Quit")
        terminal.press("ctrl+c")
        assert terminal.end() == 0
        assert_sane(terminal)
    assert folder.listed() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_run_that_can_be_resumed(folder: Folder, number: signal.Signals, skipping_hash: str) -> None:
    with in_the_middle(folder) as terminal:
        terminal.signal(number)
        terminal.end()
        assert not terminal.leaves_a_process
    assert_resumable(folder, skipping_hash)


def test_sigterm_gives_the_terminal_back_and_says_so(folder: Folder, size: Size) -> None:
    with in_the_middle(folder, size) as terminal:
        terminal.signal(signal.SIGTERM)
        assert terminal.end() == 130
        assert_sane(terminal)


def test_sigterm_at_the_dialog_decides_nothing(folder: Folder, skipping_hash: str) -> None:
    with the_app(folder) as terminal:
        run_to_the_dialog(terminal)
        terminal.signal(signal.SIGTERM)
        terminal.end()
    slot = folder.slots()[12]
    assert (slot["state"], slot["decisions"]) == ("Pending", "")
    assert_resumable(folder, skipping_hash)


def test_a_terminal_that_vanishes_leaves_a_run_that_can_be_resumed(folder: Folder, skipping_hash: str) -> None:
    with in_the_middle(folder) as terminal:
        terminal.vanish()
        terminal.end()
        assert not terminal.leaves_a_process
    assert_resumable(folder, skipping_hash)


def test_a_terminal_that_vanishes_under_the_dialog_leaves_no_process(folder: Folder, skipping_hash: str) -> None:
    with the_app(folder) as terminal:
        run_to_the_dialog(terminal)
        terminal.vanish()
        terminal.end()
        assert not terminal.leaves_a_process
    assert_resumable(folder, skipping_hash)


def test_kill_9_loses_nothing_that_was_on_the_screen(folder: Folder, skipping_hash: str) -> None:
    with in_the_middle(folder) as terminal:
        seen = done(terminal)
        terminal.signal(signal.SIGKILL)
        assert terminal.end() == -signal.SIGKILL
    assert folder.summary()["stats"]["completed_slots"] >= seen
    assert_resumable(folder, skipping_hash)


def test_the_screen_follows_the_terminals_size_while_the_run_goes_on(folder: Folder) -> None:
    with in_the_middle(folder) as terminal:
        for columns, lines, columns_end_in in ((80, 24, "verdict"), (120, 36, "time"), (100, 20, ""), (80, 24, "verdict")):
            terminal.resize(columns, lines)
            wait_for_keys(terminal, "Quit", line=lines)
            terminal.wait_until(lambda: "/40" in terminal.lines[0], "the strip on top")
            wait_for_columns(terminal, up_to=columns_end_in)
        before = done(terminal)
        terminal.wait_until(lambda: done(terminal) > before or "WAITING" in terminal.text, "the run to go on")


def test_the_dialog_is_whole_in_whatever_size(folder: Folder) -> None:
    with the_app(folder) as terminal:
        run_to_the_dialog(terminal)
        for columns, lines in ((80, 24), (60, 18), (120, 36)):
            terminal.resize(columns, lines)
            terminal.wait_for(*DIALOG[2:])
            wait_for_keys(terminal, "Retry", line=lines)
        terminal.press("r")
        terminal.wait_for("DONE", "40/40")


@pytest.mark.parametrize(
    ("answer", "status", "state", "attempts"),
    [("r", 0, "Completed", 5), ("skip", 1, "Skipped", 4), ("c", 1, "Failed", 4), ("q", 3, "Pending", 4)],
)
def test_without_a_screen_the_terminal_is_asked(folder: Folder, answer: str, status: int, state: str, attempts: int) -> None:
    with Terminal("run", "simulator.json", "--on-failure", "ask", folder=folder.path) as terminal:
        terminal.wait_for("slot 12 of test-account-4", "the venue is down", QUESTION)
        terminal.press(answer, "enter")
        assert terminal.end() == status
        assert terminal.is_as_before()
        assert terminal.modes_left_on() == set()
        assert "Invariants: all" in terminal.everything
    slot = folder.slots()[12]
    assert (slot["state"], slot["attempt_count"]) == (state, attempts)


def test_an_answer_that_is_none_is_asked_for_again(folder: Folder) -> None:
    with Terminal("run", "simulator.json", "--on-failure", "ask", folder=folder.path) as terminal:
        terminal.wait_for(QUESTION)
        terminal.press("x", "enter")
        terminal.wait_until(lambda: terminal.text.count(QUESTION) == 2, "the question again")
        terminal.press("\x04")
        assert terminal.end() == 3


def test_ctrl_c_at_the_question_without_a_screen_is_an_interruption(folder: Folder, skipping_hash: str) -> None:
    with Terminal("run", "simulator.json", "--on-failure", "ask", folder=folder.path) as terminal:
        terminal.wait_for(QUESTION)
        terminal.press("ctrl+c")
        assert terminal.end() == 130
        assert terminal.modes_left_on() == set()
    assert_resumable(folder, skipping_hash)
