"""However the app is left, the terminal is as it was and the run can be taken up; and questions without a screen."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.acting import (
    QUESTION,
    SCREENS,
    Size,
    assert_resumable,
    assert_sane,
    done,
    in_the_middle,
    run_to_the_dialog,
    show,
    the_app,
    the_installed_app,
)
from tests.e2e.conftest import Folder
from tests.e2e.terminal import SIZES, Terminal

PLACES = [*SCREENS, "dialog"]
SIGNALLED = {"1": signal.SIGTERM, "2": signal.SIGINT, "3": signal.SIGTERM, "dialog": signal.SIGINT}
VANISHING, KILLED = ("4", "5", "dialog"), ("2", "dialog")
"""Ctrl+C is typed into each screen. What does not come by way of a screen, a few of them and the dialog stand for."""


@contextmanager
def left_from(place: str, folder: Folder, size: Size) -> Iterator[Terminal]:
    """Open the app in the middle of a run, with one of the screens shown, or the dialog."""
    if place == "dialog":
        with the_app(folder, size) as terminal:
            run_to_the_dialog(terminal)
            yield terminal
    else:
        with in_the_middle(folder, size) as terminal:
            show(terminal, place)
            yield terminal


def size_of(place: str) -> Size:
    """Half of the screens are left at one size, half at the other."""
    return SIZES[PLACES.index(place) % 2]


def test_q_gives_the_terminal_back(folder: Folder, size: Size) -> None:
    with the_installed_app(folder, size) as terminal:
        run_to_the_dialog(terminal)
        terminal.press("r")
        terminal.wait_for("DONE")
        terminal.press("q")
        assert terminal.end() == 0
        assert_sane(terminal)
        assert not terminal.leaves_a_process


@pytest.mark.parametrize("place", PLACES)
def test_ctrl_c_asks_while_the_run_goes_on_and_then_saves(folder: Folder, place: str, skipping_hash: str) -> None:
    with left_from(place, folder, size_of(place)) as terminal:
        terminal.press("ctrl+c")
        if place != "dialog":
            terminal.wait_for("Stop it and leave?")
            terminal.press("y")
        assert terminal.end() == 130
        assert_sane(terminal)
        assert not terminal.leaves_a_process
    if place == "dialog":
        slot = folder.slots()[12]
        assert (slot["state"], slot["attempt_count"], slot["decisions"]) == ("Pending", 4, "")
    assert_resumable(folder, skipping_hash)


@pytest.mark.parametrize("place", SIGNALLED)
def test_a_signal_saves_and_gives_the_terminal_back(folder: Folder, place: str, skipping_hash: str) -> None:
    with left_from(place, folder, size_of(place)) as terminal:
        terminal.signal(SIGNALLED[place])
        assert terminal.end() == 130
        assert_sane(terminal)
        assert not terminal.leaves_a_process
    assert folder.slots()[12]["decisions"] == ""
    assert_resumable(folder, skipping_hash)


@pytest.mark.parametrize("place", VANISHING)
def test_a_terminal_that_vanishes_leaves_a_run_that_can_be_resumed(folder: Folder, place: str, skipping_hash: str) -> None:
    with left_from(place, folder, size_of(place)) as terminal:
        terminal.vanish()
        assert terminal.end() == 130
        assert not terminal.leaves_a_process
    assert_resumable(folder, skipping_hash)


@pytest.mark.parametrize("place", KILLED)
def test_kill_9_loses_nothing_that_was_on_the_screen(folder: Folder, place: str, skipping_hash: str) -> None:
    with left_from(place, folder, size_of(place)) as terminal:
        seen = done(terminal)
        terminal.signal(signal.SIGKILL)
        assert terminal.end() == -signal.SIGKILL
    assert folder.summary()["stats"]["completed_slots"] >= seen > 0
    assert_resumable(folder, skipping_hash)


def test_sighup_alone_leaves_too(folder: Folder, skipping_hash: str) -> None:
    with in_the_middle(folder) as terminal:
        terminal.signal(signal.SIGHUP)
        assert terminal.end() == 130
        assert_sane(terminal)
        assert not terminal.leaves_a_process
    assert_resumable(folder, skipping_hash)


def test_ctrl_c_before_the_start_just_leaves(folder: Folder) -> None:
    with the_app(folder) as terminal:
        terminal.wait_for("READY", "Quit")
        terminal.press("ctrl+c")
        assert terminal.end() == 0
        assert_sane(terminal)
    assert folder.listed() == []


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
