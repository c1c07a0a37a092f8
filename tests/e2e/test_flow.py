"""The whole way, by keyboard: build a schedule, run it, decide, leave, take it up again, and see it done."""

import json
import re
from collections.abc import Callable

from tests.e2e.acting import Counts, Size, answered_without_a_screen, assert_sane, counts, saved_counts, the_list
from tests.e2e.conftest import Folder
from tests.e2e.terminal import Terminal

NOT_WHOLE = "expected a whole number, got 7.5"


def field(terminal: Terminal) -> str:
    """Return what the form's line with the cursor on it begins with."""
    found = re.search(r"▌.(.{0,26})", terminal.text)
    return f"{found[1]} " if found else ""


def go_to_field(terminal: Terminal, label: str) -> None:
    """Go down the form to a field, and edit it."""
    while not field(terminal).startswith(f"{label} "):
        before = field(terminal)
        terminal.press("tab")
        terminal.wait_until(lambda before=before: field(terminal) not in ("", before), f"the field below {before}")  # type: ignore[misc]
    terminal.wait_for("Next field")


def put(terminal: Terminal, text: str, *, over: str = "") -> None:
    """Type a text into the input, in place of what is there."""
    if over:
        terminal.press("ctrl+u")
        terminal.wait_while(over)
    terminal.press(text)
    terminal.wait_for(text)


def build(terminal: Terminal) -> None:
    """Load a config into the form, change it, and save it as another one."""
    terminal.press("1")
    terminal.wait_for("new draft", "no problems")
    terminal.press("ctrl+o")
    terminal.wait_for("Load a config", "▌outages.json")
    terminal.press("enter")
    terminal.wait_for("outages.json · no problems")
    terminal.press("e")
    terminal.wait_for("Next field")
    terminal.press("built by hand")
    terminal.wait_for("built by hand", "not saved")
    go_to_field(terminal, "trades per account")
    terminal.press("7.5")
    terminal.wait_for("1 problem")
    terminal.press("down")
    terminal.wait_for(f"✗ {NOT_WHOLE}")
    terminal.press("up")
    terminal.wait_for("▌✗trades per account", "Next field")
    put(terminal, "12", over=" 7.5")
    terminal.wait_for("no problems")
    terminal.press("escape")
    terminal.wait_for("⏎ Edit")
    terminal.press("end")
    terminal.wait_until(lambda: field(terminal).startswith("add a budget"), "the last line of the form")
    for row in ("3", "2", "1"):
        terminal.press("up")
        terminal.wait_until(lambda row=row: field(terminal).startswith(f"{row} "), f"budget {row}")  # type: ignore[misc]
    terminal.press("enter")
    terminal.wait_for("budget.budgets[0].account_id", "Next field")
    terminal.press("tab")
    terminal.wait_for("budget.budgets[0].asset_id")
    terminal.press("tab")
    terminal.wait_for("budget.budgets[0].amount", "Next field")
    terminal.press("30000")
    terminal.wait_for("30000", "no problems")
    terminal.press("ctrl+s")
    terminal.wait_for("Save the draft")
    put(terminal, "built.json", over="outages.json")
    terminal.press("enter")
    terminal.wait_for("built.json · no problems")
    terminal.wait_while("not saved")


def decide(terminal: Terminal, slot: int, key: str) -> None:
    terminal.wait_for(f"Slot {slot} keeps failing", "WAITING FOR YOU")
    terminal.wait_until(lambda: "built by hand: WAITING FOR YOU" in terminal.title, "the title")
    terminal.press(key)
    terminal.wait_while(f"Slot {slot} keeps failing")


def take_up(folder: Folder, size: Size) -> Terminal:
    """Open the list, and take up the run that stands first in it."""
    saved = saved_counts(folder)
    terminal = the_list(folder, size)
    terminal.wait_for("1 in simulator_state", "built by hand", "to resume", f"{saved.ended}/{saved.total}", "Resume")
    terminal.press("enter")
    terminal.wait_for("READY", "verdict", "Start")
    assert counts(terminal) == saved
    return terminal


def assert_the_slots_on_screen_are_those_saved(terminal: Terminal, folder: Folder) -> None:
    """Check states and attempts in the table against the export."""
    saved = folder.slots()
    seen = 0
    for line in terminal.lines:
        if found := re.match(r"[ ▌] *(\d+) +test-account-\d .*(Completed|Failed|Skipped|Pending) +(\d*)", line):
            slot = saved[int(found[1])]
            assert (found[2], int(found[3] or 0)) == (slot["state"], slot["attempt_count"])
            seen += 1
    assert seen > 5


def test_a_schedule_is_built_run_decided_left_and_taken_up_to_its_end(
    folder: Folder, size: Size, another_folder: Callable[[], Folder]
) -> None:
    folder.configure("outages.json", 4, 10, 16, 22)
    (folder.path / "simulator.json").write_text('{"scheduler": {"trades_per_account": 7.5}}')
    assert NOT_WHOLE in folder.run("validate", "simulator.json").stderr
    (folder.path / "simulator.json").unlink()
    with the_list(folder, size) as terminal:
        terminal.wait_for("No checkpoints", "Help", "Quit")
        build(terminal)
        config = json.loads((folder.path / "built.json").read_text())
        assert (config["name"], config["scheduler"]["trades_per_account"]) == ("built by hand", 12)
        assert (config["budget"]["budgets"][0]["amount"], len(config["venue"]["faults"]["outages"])) == (30000, 4)
        terminal.press("f9")
        terminal.wait_for("built by hand", "READY", " 0/48", "verdict")
        terminal.press("space")
        decide(terminal, 4, "r")
        decide(terminal, 10, "s")
        decide(terminal, 16, "escape")
        terminal.wait_for("PAUSED, WAITING FOR YOU", "16/48", "1 skipped", "Decide")
        terminal.press("5")
        terminal.wait_for("waiting here", "16/48")
        terminal.press("space")
        decide(terminal, 16, "c")
        decide(terminal, 22, "q")
        assert terminal.end() == 3
        assert_sane(terminal)
    assert saved_counts(folder) == Counts(22, 48, 1, 1)
    assert folder.slots()[22]["decisions"] == "quit"

    with take_up(folder, size) as terminal:
        terminal.press("o")
        terminal.wait_for("Run to slot")
        put(terminal, "2.5")
        terminal.press("f9")
        terminal.wait_for("RUNNING", "Pause")
        terminal.wait_until(lambda: counts(terminal).ended > 22, "the run to go on")
        terminal.press("space")
        terminal.wait_for("PAUSED", "Go on")
        paused = counts(terminal)
        terminal.press("n")
        terminal.wait_for("PAUSED", f" {paused.ended + 1}/48")
        terminal.press("o")
        terminal.wait_for("Run to slot")
        put(terminal, "1000", over="2.5")
        line = terminal.cursor_line
        terminal.press("tab")
        terminal.wait_until(lambda: terminal.cursor_line != line, "the next input")
        put(terminal, "40")
        terminal.press("f9")
        terminal.wait_for("PAUSED", "40/48")
        assert_the_slots_on_screen_are_those_saved(terminal, folder)
        assert saved_counts(folder) == counts(terminal)
        terminal.press("q")
        assert terminal.end() == 3
        assert_sane(terminal)
    assert saved_counts(folder) == Counts(40, 48, 1, 1)

    with take_up(folder, size) as terminal:
        terminal.press("space")
        terminal.wait_for("DONE", "48/48", "100%", "1 failed", "1 skipped", "46 completed")
        terminal.wait_until(lambda: terminal.title == "built by hand: DONE 100%", "the title")
        assert counts(terminal) == saved_counts(folder)
        assert_the_slots_on_screen_are_those_saved(terminal, folder)
        terminal.press("q")
        assert terminal.end() == 1
        assert_sane(terminal)

    without = another_folder()
    (without.path / "built.json").write_bytes((folder.path / "built.json").read_bytes())
    answered_without_a_screen(without, "r", "s", "c", "q", config="built.json")
    without.run("resume", "latest", "--on-failure", "quit")
    assert folder.summary()["state_hash"] == without.summary()["state_hash"]
