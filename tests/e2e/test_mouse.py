"""Everything can be done with the mouse, too: here a click on a tab, on a line, on a key at the bottom, on a choice."""

import re

from tests.e2e.acting import Size, the_app
from tests.e2e.conftest import Folder


def test_a_run_is_stepped_looked_at_and_decided_by_clicks(folder: Folder, size: Size) -> None:
    with the_app(folder, size) as terminal:
        terminal.wait_for("READY", "n Step")
        terminal.click("Step")
        terminal.wait_for("PAUSED", " 1/40")
        terminal.click("3 Budgets")
        terminal.wait_for("12 budgets, ")
        terminal.click("test-account-2 BTC")
        terminal.wait_for("▌test-account-2 BTC")
        terminal.click("Schedule")
        terminal.wait_for("no problems")
        terminal.click("2 Slots")
        terminal.wait_for("verdict")
        terminal.click("    5 ")
        terminal.wait_until(lambda: re.search("▌ +5 ", terminal.text) is not None, "the cursor to be on slot 5")
        terminal.click("Go on")
        terminal.wait_for("Slot 12 keeps failing", "c Continue")
        terminal.click("Skip  ")
        terminal.wait_for("DONE", "40/40", "1 skipped", "/ Filter", "⏎ Details", "? Help", "q Quit")
        terminal.click("q Quit")
        assert terminal.end() == 1
    assert folder.slots()[12]["decisions"] == "skip"
