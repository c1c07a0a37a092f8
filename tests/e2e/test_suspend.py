"""Stopped and continued: ctrl+z and `fg` at a shell with job control, and what others may send."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.acting import QUESTION, SLOW, assert_resumable, done, in_the_middle
from tests.e2e.conftest import Folder
from tests.e2e.shell import Shell

WHOLE_SCREEN = ("simulator", "test-account-1", "BTC-USD", "asset", "Help", "Quit")


@contextmanager
def the_app_at_a_shell(folder: Folder, *options: str) -> Iterator[Shell]:
    """Open the app as a job of a shell, ready to start."""
    with Shell(folder.path) as shell:
        shell.start("simulator.json", *options)
        shell.wait_for("READY", "Start")
        yield shell


@contextmanager
def a_slow_run(folder: Folder) -> Iterator[Shell]:
    """Open the app as a job of a shell, and start a run that is slow enough to be in the middle of."""
    with the_app_at_a_shell(folder, "--slots-per-second", SLOW) as shell:
        shell.press("space")
        shell.wait_until(lambda: done(shell) >= 1, "the run to have begun")
        yield shell


def foreground(shell: Shell) -> None:
    """Continue the job in the foreground of an empty screen."""
    shell.wipe()
    shell.type("fg")


def leave(shell: Shell) -> int:
    shell.press("ctrl+c")
    shell.wait_for("Stop it and leave?")
    shell.press("y")
    return shell.job_ended()


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_brings_the_app_back(folder: Folder, skipping_hash: str) -> None:
    with a_slow_run(folder) as shell:
        shell.press("ctrl+z")
        shell.wait_until_stopped()
        assert shell.modes_left_on() == set()
        assert shell.is_as_before()
        assert shell.title == ""
        before = done(shell)
        shell.type("bg")
        shell.wait_until_stopped()  # it does not draw over what the shell shows
        assert shell.modes_left_on() == set()
        foreground(shell)
        shell.wait_for("RUNNING", *WHOLE_SCREEN)
        shell.wait_until(lambda: done(shell) > before, "the run to go on")
        assert shell.title.startswith("simulator: RUNNING")
        assert leave(shell) == 130
        assert shell.modes_left_on() == set()
        assert shell.is_as_before()
        assert shell.title == ""
    assert_resumable(folder, skipping_hash)


def test_an_app_that_was_stopped_without_being_asked_sets_the_terminal_right_again(folder: Folder) -> None:
    with a_slow_run(folder) as shell:
        shell.signal_job(signal.SIGSTOP)
        shell.wait_until_stopped()
        shell.type("stty sane")
        foreground(shell)
        shell.wait_for("RUNNING", *WHOLE_SCREEN)
        assert leave(shell) == 130
        assert shell.modes_left_on() == set()
        assert shell.is_as_before()


def test_a_continue_out_of_the_blue_changes_nothing(folder: Folder) -> None:
    with in_the_middle(folder) as terminal:
        terminal.wipe()
        terminal.signal(signal.SIGCONT)
        terminal.wait_for("RUNNING", *WHOLE_SCREEN)
        terminal.signal(signal.SIGTERM)
        assert terminal.end() == 130
        assert terminal.is_as_before()
        assert terminal.modes_left_on() == set()


def test_a_stopped_app_can_be_ended_where_it_is(folder: Folder, skipping_hash: str) -> None:
    with a_slow_run(folder) as shell:
        shell.signal_job(signal.SIGTSTP)
        shell.wait_until_stopped()
        shell.signal_job(signal.SIGTERM)
        shell.signal_job(signal.SIGCONT)
        shell.wait_until(lambda: shell.job_is_gone, "the app to end")
        assert shell.modes_left_on() == set()
        assert shell.is_as_before()
    assert_resumable(folder, skipping_hash)


def test_where_no_shell_could_bring_it_back_the_app_is_not_stopped(folder: Folder) -> None:
    with in_the_middle(folder, pace=SLOW) as terminal:
        before = done(terminal)
        terminal.wipe()
        terminal.press("ctrl+z")
        terminal.wait_for("RUNNING", *WHOLE_SCREEN)
        terminal.wait_until(lambda: done(terminal) > before, "the run to go on")


# Without a screen


def test_a_run_without_a_screen_leaves_the_cursor_when_it_is_stopped_and_goes_on_after(
    folder: Folder, skipping_hash: str
) -> None:
    with Shell(folder.path) as shell:
        shell.start("run", "simulator.json", "--on-failure", "skip", "--slots-per-second", "30")
        shell.wait_until(lambda: "/40" in shell.everything, "the progress bar")
        shell.press("ctrl+z")
        shell.wait_until_stopped()
        assert shell.modes_left_on() == set()
        foreground(shell)
        assert shell.job_ended() == 1
        assert shell.modes_left_on() == set()
    assert folder.summary()["state_hash"] == skipping_hash


def test_a_question_without_a_screen_is_put_again_after_a_stop(folder: Folder) -> None:
    with Shell(folder.path) as shell:
        shell.start("run", "simulator.json", "--on-failure", "ask")
        shell.wait_for(QUESTION)
        shell.press("ctrl+z")
        shell.wait_until_stopped()
        foreground(shell)
        shell.wait_for("slot 12 of test-account-4", QUESTION)
        shell.press("s", "enter")
        assert shell.job_ended() == 1
    assert folder.slots()[12]["decisions"] == "skip"
