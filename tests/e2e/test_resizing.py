"""A terminal that changes its size: whatever is shown stays whole, and the run goes on."""

from tests.e2e.acting import DIALOG, SCREENS, SLOW, assert_sane, counts, done, in_the_middle, run_to_the_dialog, the_app
from tests.e2e.conftest import Folder
from tests.e2e.terminal import Terminal

SIZES = ((140, 40), (80, 24), (40, 12), (200, 60))


def wait_for_frame(terminal: Terminal, key: str, *, line: int) -> None:
    """Wait until the strip is on top, and this key in the last line."""
    terminal.wait_until(lambda: key in terminal.lines[line - 1] and counts(terminal).total == 40, f"{key} in line {line}")


def test_every_screen_follows_the_terminals_size_while_the_run_goes_on(folder: Folder) -> None:
    folder.configure("calm.json")
    with in_the_middle(folder, pace=SLOW, config="calm.json") as terminal:
        seen = 0
        for key, texts in SCREENS.items():
            terminal.press(key)
            for columns, lines in SIZES:
                terminal.resize(columns, lines)
                wait_for_frame(terminal, "Quit", line=lines)
                if columns >= 80:
                    terminal.wait_for(*texts)
                assert max(map(len, terminal.lines)) <= columns
                assert "Traceback" not in terminal.everything
            assert done(terminal) >= seen
            seen = done(terminal)
        terminal.wait_until(lambda: done(terminal) > seen, "the run to go on")
        terminal.press("q")
        terminal.wait_for("Stop it and leave?")
        terminal.resize(80, 24)
        terminal.wait_for("Stop it and leave?", "No")
        terminal.press("y")
        assert terminal.end() == 3
        assert_sane(terminal)


def test_the_table_has_the_columns_that_there_is_room_for(folder: Folder) -> None:
    with the_app(folder) as terminal:
        terminal.wait_for("READY", "time")
        for columns, lines, columns_end_in in ((80, 24, "verdict"), (120, 36, "time"), (80, 24, "verdict")):
            terminal.resize(columns, lines)
            terminal.wait_until(lambda last=columns_end_in: terminal.lines[2].endswith(last), "other columns")  # type: ignore[misc]


def test_the_dialog_is_whole_in_whatever_size(folder: Folder) -> None:
    with the_app(folder) as terminal:
        run_to_the_dialog(terminal)
        for columns, lines in ((80, 24), (60, 18), (200, 60)):
            terminal.resize(columns, lines)
            terminal.wait_for(*DIALOG[2:])
            wait_for_frame(terminal, "Retry", line=lines)
        terminal.press("r")
        terminal.wait_for("DONE", "40/40")
