"""What is done with a run that has ended: failed slots are retried or skipped, saved runs are forked, exported, deleted."""

import base64
import re

from tests.e2e.acting import Counts, Size, counts, run_to_the_dialog, saved_counts, the_app, the_list
from tests.e2e.conftest import Folder
from tests.e2e.terminal import Terminal


def run_with_a_failure(terminal: Terminal) -> None:
    """Run to the end, leaving slot 12 Failed, and go to it."""
    run_to_the_dialog(terminal)
    terminal.press("c")
    terminal.wait_for("DONE", "40/40", "1 failed", "Next failed")
    terminal.press("e")
    terminal.wait_for("▌  12", "Retry", "Skip")


def test_a_failed_slot_is_retried_afterwards(folder: Folder, size: Size) -> None:
    with the_app(folder, size) as terminal:
        run_with_a_failure(terminal)
        terminal.press("r")
        terminal.wait_for("DONE", "40/40", "0 failed")
        terminal.wait_until(lambda: re.search(r"▌  12 .*Completed +5", terminal.text) is not None, "slot 12 to be Completed")
        terminal.press("y")
        terminal.wait_until(lambda: b"\x1b]52;c;" in terminal.written, "the line to be copied")
        copied = terminal.written.partition(b"\x1b]52;c;")[2].partition(b"\x07")[0]
        assert base64.b64decode(copied).decode().split("\t")[:2] == ["12", "test-account-4"]
        terminal.press("q")
        assert terminal.end() == 0
    assert [(slot["state"], slot["verdict"]) for slot in folder.slots()[12:14]] == [("Completed", "matched")] * 2


def test_a_failed_slot_is_skipped_afterwards(folder: Folder, size: Size) -> None:
    with the_app(folder, size) as terminal:
        run_with_a_failure(terminal)
        terminal.press("s")
        terminal.wait_for("DONE", "0 failed", "1 skipped")
        assert counts(terminal) == Counts(40, 40, 0, 1)
        terminal.press("q")
        assert terminal.end() == 1
    assert saved_counts(folder) == Counts(40, 40, 0, 1)
    assert folder.slots()[12]["state"] == "Skipped"


def test_all_failed_slots_are_found_and_retried_at_once(folder: Folder, size: Size) -> None:
    folder.configure("outages.json", 4, 30)
    with the_app(folder, size, config="outages.json") as terminal:
        terminal.wait_for("READY", "Start")
        terminal.press("space")
        for slot in (4, 30):
            terminal.wait_for(f"Slot {slot} keeps failing")
            terminal.press("c")
        terminal.wait_for("DONE", "2 failed", "Filter")
        terminal.press("/")
        terminal.wait_for("words, or state:", "Done")
        terminal.press("state:failed")
        terminal.wait_for("2 of 40")
        terminal.press("enter")
        terminal.wait_for("Next failed")
        terminal.press("R")
        terminal.wait_for("DONE", "0 failed", "0 of 40")
        terminal.press("escape")
        terminal.wait_while("state:failed")
        terminal.press("q")
        assert terminal.end() == 0


def test_saved_runs_are_forked_exported_and_deleted_after_asking(folder: Folder, size: Size) -> None:
    folder.run("run", "simulator.json", "--on-failure", "quit")
    with the_list(folder, size) as terminal:
        terminal.wait_for("1 in simulator_state", "to resume", "12/40", "Fork", "Export", "Delete")
        terminal.press("f")
        terminal.wait_for("Fork simulator", "simulator fork")
        terminal.press("enter")
        terminal.wait_for("2 in simulator_state", "▌simulator fork")
        assert terminal.text.count("12/40") == 2
        terminal.press("x")
        terminal.wait_for("Export simulator fork", "-slots.csv")
        terminal.press("down")
        terminal.wait_for("-fills.csv")
        terminal.press("enter")
        terminal.wait_for("6 rows of fills")
        terminal.press("/")
        terminal.wait_for("words of a name")
        terminal.press("fork")
        terminal.wait_for("1 of 2 in")
        terminal.press("enter")
        terminal.wait_for("Delete")
        terminal.press("d")
        terminal.wait_for("Delete the checkpoint of simulator fork?")
        terminal.press("n")
        terminal.wait_while("Delete the checkpoint")
        assert len(folder.listed()) == 2
        terminal.press("d")
        terminal.wait_for("Delete the checkpoint of simulator fork?")
        terminal.press("y")
        terminal.wait_for("None of 1 has that")
        terminal.press("escape")
        terminal.wait_for("1 in simulator_state", "12/40")
        terminal.press("q")
        assert terminal.end() == 0
    assert [row["name"] for row in folder.listed()] == ["simulator"]
    (written,) = folder.path.glob("simulator-fork-*-fills.csv")
    assert written.read_text() == folder.run("export", "latest", "--what", "fills", "--format", "csv").stdout


def test_a_fork_goes_its_own_way(folder: Folder) -> None:
    folder.run("run", "simulator.json", "--on-failure", "quit")
    with the_list(folder) as terminal:
        terminal.wait_for("to resume", "Fork")
        terminal.press("f")
        terminal.wait_for("Fork simulator")
        terminal.press("enter")
        terminal.wait_for("▌simulator fork", "Resume")
        terminal.press("enter")
        terminal.wait_for("simulator fork", "READY", "12/40", "Start")
        terminal.press("space")
        terminal.wait_for("DONE", "40/40", "0 failed")
        terminal.press("q")
        assert terminal.end() == 0
    assert {(row["name"], row["completed_slots"]) for row in folder.listed()} == {("simulator fork", 40), ("simulator", 12)}
