"""What ends a run from outside, and who may be gone by then: each signal, twice, the terminal, the streams."""

import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.acting import QUESTION, STANDING, assert_resumable, assert_sane, in_the_middle, the_app
from tests.e2e.conftest import Folder
from tests.e2e.terminal import Terminal, command

HANGS = "import pathlib, time\ndef place(slot):\n    pathlib.Path('placing').touch()\n    time.sleep(1000)\n"


def in_a_shell(folder: Folder, before: str, *arguments: str) -> Terminal:
    """Start the program in a terminal, by a shell that does something first."""
    line = f"{before}; exec {shlex.join([*command(), *arguments])}"
    return Terminal("-c", line, folder=folder.path, program=["sh"])


def wait_until_begun(terminal: Terminal) -> None:
    """Wait until the progress bar shows a slot that has ended."""
    terminal.wait_until(lambda: re.search(r"\b[1-9]\d*/40", terminal.text) is not None, "the run to have begun")


@contextmanager
def placing_for_ever(folder: Folder) -> Iterator[Terminal]:
    """Open the app and start a run whose venue never answers."""
    (folder.path / "desk.py").write_text(HANGS)
    folder.configure("simulator.json", venue={"target": "desk:place"})
    with the_app(folder) as terminal:
        terminal.wait_for("READY", "Start")
        terminal.press("space")
        terminal.wait_until((folder.path / "placing").exists, "the first order to be placed")
        yield terminal


# The app


def test_sigquit_gives_the_terminal_back_before_it_kills(folder: Folder, skipping_hash: str) -> None:
    with in_the_middle(folder) as terminal:
        terminal.signal(signal.SIGQUIT)
        assert terminal.end() == -signal.SIGQUIT
        assert terminal.is_as_before()
        assert terminal.modes_left_on() == set()
    assert_resumable(folder, skipping_hash)


def test_a_second_signal_does_not_wait_for_a_venue_that_hangs(folder: Folder) -> None:
    with placing_for_ever(folder) as terminal:
        terminal.signal(signal.SIGTERM)
        terminal.wait_for("Leaving")
        terminal.signal(signal.SIGTERM)
        assert terminal.end() == 130
        assert_sane(terminal)


def test_without_a_terminal_a_venue_that_hangs_is_not_waited_for(folder: Folder) -> None:
    with placing_for_ever(folder) as terminal:
        terminal.vanish()
        assert terminal.end() == 130
        assert not terminal.leaves_a_process


def test_the_app_notices_that_its_terminal_has_gone_where_no_signal_says_so(folder: Folder, skipping_hash: str) -> None:
    with in_a_shell(folder, "trap '' HUP", "simulator.json", "--slots-per-second", STANDING) as terminal:
        terminal.wait_for("READY", "Start")
        terminal.press("space")
        terminal.wait_for("RUNNING", " 1/40")
        terminal.vanish()
        assert terminal.end() == 130
    assert_resumable(folder, skipping_hash)


# Without a screen


def test_the_end_of_the_terminal_interrupts_a_run_that_shows_its_progress_there(folder: Folder, skipping_hash: str) -> None:
    with Terminal("run", "simulator.json", "--slots-per-second", STANDING, folder=folder.path) as terminal:
        wait_until_begun(terminal)
        terminal.vanish()
        assert terminal.end() == 130
    assert_resumable(folder, skipping_hash)


def test_the_end_of_the_terminal_answers_no_question(folder: Folder, skipping_hash: str) -> None:
    with Terminal("run", "simulator.json", "--on-failure", "ask", folder=folder.path) as terminal:
        terminal.wait_for(QUESTION)
        terminal.vanish()
        assert terminal.end() == 130
    assert folder.slots()[12]["decisions"] == ""
    assert_resumable(folder, skipping_hash)


def test_a_question_whose_terminal_goes_without_a_signal_stops_the_run(folder: Folder) -> None:
    with in_a_shell(folder, "trap '' HUP", "run", "simulator.json", "--on-failure", "ask") as terminal:
        terminal.wait_for(QUESTION)
        terminal.vanish()
        assert terminal.end() == 130
    assert folder.slots()[12]["decisions"] == ""


def test_sigquit_leaves_the_cursor_to_see(folder: Folder) -> None:
    with Terminal("run", "simulator.json", "--slots-per-second", STANDING, folder=folder.path) as terminal:
        wait_until_begun(terminal)
        terminal.signal(signal.SIGQUIT)
        assert terminal.end() == -signal.SIGQUIT
        assert terminal.modes_left_on() == set()


def test_nohup_keeps_a_run_alive(folder: Folder, skipping_hash: str) -> None:
    run = ("run", "simulator.json", "--on-failure", "skip", "--slots-per-second", "30")
    with in_a_shell(folder, "trap '' HUP", *run) as terminal:
        wait_until_begun(terminal)
        terminal.signal(signal.SIGHUP)
        assert terminal.end() == 1
    assert folder.summary()["state_hash"] == skipping_hash


@pytest.mark.parametrize("streams", ["2>/dev/full", "<&- >&- 2>&-"])
def test_progress_that_cannot_be_written_stops_no_run(folder: Folder, streams: str, skipping_hash: str) -> None:
    line = f"{shlex.join(command())} run simulator.json --on-failure skip {streams}"
    ended = subprocess.run(line, shell=True, cwd=folder.path, check=False, capture_output=True)
    assert (ended.returncode, ended.stderr) == (1, b"")
    assert folder.summary()["state_hash"] == skipping_hash
