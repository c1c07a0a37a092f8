"""The app while its disk fails: the run pauses and says why, goes on once that is mended, and ends as if nothing had been."""

from pathlib import Path

import pytest

from tests.disk.conftest import CONFIG, shown
from tests.disk.troubles import TROUBLES, Disk, a_read_only_file_system
from tests.e2e.acting import STANDING, done
from tests.e2e.conftest import Folder
from tests.e2e.terminal import Terminal

PACE = "--slots-per-second=40"


def the_app_on(disk: Disk, folder: Folder) -> Terminal:
    """Open the app on the config, with its checkpoints on that disk."""
    return Terminal(CONFIG, "--state-dir", disk.state_dir, PACE, folder=folder.path, before=disk.before)


def process_of(terminal: Terminal) -> int:
    """Return the number of the program's process."""
    return terminal._process.pid


def said(terminal: Terminal) -> str:
    """Return what a notice on the screen says as one line, wherever it was broken."""
    return " ".join(" ".join(line.rpartition("▌")[2] for line in terminal.lines).replace("│", " ").split())


@pytest.mark.parametrize("name", TROUBLES)
def test_a_run_whose_disk_fails_pauses_and_goes_on_once_it_is_mended(folder: Folder, name: str, smooth_hash: str) -> None:
    folder.configure(CONFIG)
    with TROUBLES[name](folder.path) as disk:
        with the_app_on(disk, folder) as terminal:
            terminal.wait_for("READY", "Start")
            for slot in range(1, 4):
                terminal.press("n")
                terminal.wait_until(lambda ended=slot: done(terminal) == ended and "PAUSED" in terminal.text, "the step")  # type: ignore[misc]
            disk.begin(process_of(terminal))
            terminal.press("space")
            terminal.wait_until(lambda: "NOT SAVED" in terminal.text and disk.reason in said(terminal), disk.reason)
            disk.mend()
            terminal.press("space")
            terminal.wait_for("DONE", "40/40")
            terminal.press("q")
            assert terminal.end() == 0
        summary = shown(disk, folder)
        assert (summary["state_hash"], summary["stats"]["completed_slots"]) == (smooth_hash, 40)


def test_a_run_begins_once_its_folder_can_be_written(folder: Folder, smooth_hash: str) -> None:
    folder.configure(CONFIG)
    with a_read_only_file_system(folder.path) as disk:
        disk.begin(0)
        with the_app_on(disk, folder) as terminal:
            terminal.wait_for("READY", "Start")
            terminal.press("space")
            terminal.wait_until(lambda: disk.reason in said(terminal), disk.reason)
            disk.mend()
            terminal.press("space")
            terminal.wait_for("DONE", "40/40")
            terminal.press("q")
            assert terminal.end() == 0
        assert shown(disk, folder)["state_hash"] == smooth_hash


def test_who_takes_up_a_run_of_another_process_is_told_who_has_it(folder: Folder) -> None:
    folder.configure(CONFIG)
    disk = Disk(folder.path / "state", Path())
    with Terminal(CONFIG, "--state-dir", disk.state_dir, "--slots-per-second", STANDING, folder=folder.path) as first:
        first.wait_for("READY", "Start")
        first.press("space")
        first.wait_until(lambda: done(first) >= 1, "the run to have begun")
        with Terminal("--state-dir", disk.state_dir, folder=folder.path) as second:
            second.wait_for("in use", "4 accounts")
            second.press("enter")
            second.wait_until(lambda: f"process {process_of(first)}, since 20" in said(second), "who has it")
