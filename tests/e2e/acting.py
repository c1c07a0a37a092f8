"""What somebody at the terminal does again and again, and what is looked at every time."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.e2e.conftest import Folder
from tests.e2e.terminal import ALTERNATE_SCREEN, MAIN_SCREEN, SHOW_CURSOR, SIZES, Terminal, command

DIALOG = ("WAITING FOR YOU", "Slot 12 keeps failing", "Retry", "Skip", "Continue", "Quit")
QUESTION = "[r]etry  [s]kip  [c]ontinue  [q]uit ?"
SCREENS = {
    "1": ("no problems", "Scheduler"),
    "2": ("verdict",),
    "3": ("budgets,", "by account"),
    "4": ("reference ",),
    "5": ("in simulator_state", "simulator"),
}
"""The keys that lead to the screens, and what is there at any size."""
STANDING, SLOW = "0.2", "0.5"
"""Slots a second: the first comes at once, and slot 12 not before any machine has done what is to be done in the middle.
SLOW is for who waits for the next slot."""

Size = tuple[int, int]


class Counts(NamedTuple):
    """What the strip on top says of a run."""

    ended: int
    total: int
    failed: int
    skipped: int


def the_app(folder: Folder, size: Size = SIZES[0], *options: str, config: str = "simulator.json") -> Terminal:
    """Open the app on a config."""
    return Terminal(config, *options, folder=folder.path, size=size)


def the_installed_app(folder: Folder, size: Size) -> Terminal:
    """Open the app on a config, by the command that is installed."""
    return Terminal("simulator.json", folder=folder.path, size=size, program=command())


def the_list(folder: Folder, size: Size = SIZES[0]) -> Terminal:
    """Open the app on the saved runs."""
    return Terminal(folder=folder.path, size=size)


def run_to_the_dialog(terminal: Terminal) -> None:
    terminal.wait_for("READY", "Start")
    terminal.press("space")
    terminal.wait_for(*DIALOG)


@contextmanager
def in_the_middle(
    folder: Folder, size: Size = SIZES[0], *, pace: str = STANDING, config: str = "simulator.json"
) -> Iterator[Terminal]:
    """Open the app and start a run that is slow enough to be in the middle of."""
    with the_app(folder, size, "--slots-per-second", pace, config=config) as terminal:
        terminal.wait_for("READY", "Start")
        terminal.press("space")
        terminal.wait_until(lambda: done(terminal) >= 1, "the run to have begun")
        yield terminal


def show(terminal: Terminal, key: str) -> None:
    """Go to the screen that a key leads to."""
    terminal.press(key)
    terminal.wait_for(*SCREENS[key])


def counts(terminal: Terminal) -> Counts:
    """Return what the strip on top says."""
    strip = terminal.lines[0]
    found, failed, skipped = (re.search(p, strip) for p in (r"(\d+)/(\d+)", r"(\d+) failed", r"(\d+) skipped"))
    return Counts(
        int(found[1]) if found else 0,
        int(found[2]) if found else 0,
        int(failed[1]) if failed else 0,
        int(skipped[1]) if skipped else 0,
    )


def done(terminal: Terminal) -> int:
    """Return how many slots the strip on top says have ended."""
    return counts(terminal).ended


def saved_counts(folder: Folder) -> Counts:
    """Return what `show latest` says of the same."""
    stats = folder.summary()["stats"]
    return Counts(
        stats["total_slots"] - stats["pending_slots"], stats["total_slots"], stats["failed_slots"], stats["skipped_slots"]
    )


def answered_without_a_screen(folder: Folder, *answers: str, config: str = "simulator.json") -> None:
    """Run a config, giving these answers to what is asked on the terminal."""
    with Terminal("run", config, "--on-failure", "ask", folder=folder.path) as terminal:
        for number, answer in enumerate(answers, start=1):
            terminal.wait_until(lambda asked=number: terminal.everything.count(QUESTION) == asked, "the question")  # type: ignore[misc]
            terminal.press(answer, "enter")
        terminal.end()


def assert_sane(terminal: Terminal) -> None:
    """Check that an ended program has given the terminal back as it got it."""
    assert terminal.is_as_before()
    assert terminal.modes_left_on() == set()
    assert terminal.written.count(ALTERNATE_SCREEN) == 1
    assert terminal.written.rfind(MAIN_SCREEN) > terminal.written.rfind(ALTERNATE_SCREEN)
    assert terminal.written.rfind(SHOW_CURSOR) > terminal.written.rfind(ALTERNATE_SCREEN)
    assert terminal.title == ""


def assert_resumable(folder: Folder, skipping_hash: str) -> None:
    """Check that the saved run is intact, and ends as if nothing had interrupted it."""
    saved = folder.listed()
    assert [(row["status"], row["total_slots"]) for row in saved] == [("interrupted", 40)]
    resumed = folder.run("resume", "latest", "--on-failure", "skip")
    assert resumed.status == 1, resumed.stderr
    assert folder.summary()["state_hash"] == skipping_hash
