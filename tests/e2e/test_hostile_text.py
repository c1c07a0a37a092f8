"""Names, errors and what a venue prints steer no terminal, on any screen or in any question."""

from pathlib import Path

from tests.e2e.acting import show
from tests.e2e.terminal import Terminal
from tests.hostile import MARK, hostile_config, steers


def said(folder: Path, *arguments: str | Path, answer: str = "") -> str:
    """Run a command at a terminal; return what it wrote, which steers nothing."""
    with Terminal(*arguments, folder=folder) as terminal:
        if answer:
            terminal.wait_until(lambda: "[q]uit ? " in terminal.everything or "[y/N] " in terminal.everything)
            terminal.press(answer, "enter")
        terminal.end()
        assert steers(terminal.written) is None
        return terminal.everything


def test_a_run_at_a_terminal_and_its_rows_are_harmless(tmp_path: Path) -> None:
    assert "[r]etry" in said(tmp_path, "run", hostile_config(tmp_path, waiting=True), answer="q")
    assert MARK in said(tmp_path, "export", "latest")


def test_the_question_about_code_is_harmless_and_no_is_its_default(tmp_path: Path) -> None:
    config = hostile_config(tmp_path)
    config.chmod(0o666)
    text = said(tmp_path, "run", config, answer="\x1b")

    assert "loud:place" in text
    assert "was not allowed" in text


def test_no_screen_lets_anything_through_nor_what_a_venue_prints(tmp_path: Path) -> None:
    with Terminal(hostile_config(tmp_path, prints=True, waiting=True), folder=tmp_path) as terminal:
        terminal.wait_for("READY")
        terminal.press("space")
        for slot in (0, 1):
            terminal.wait_for(f"Slot {slot} keeps failing", "WAITING FOR YOU")
            terminal.press("c")
        terminal.wait_for("DONE")
        for key in "34512":
            show(terminal, key)
        for key in ("y", "?", "q", "enter", "q", "q"):
            terminal.press(key)
        terminal.end()

        assert MARK in terminal.everything
        assert steers(terminal.written) is None
