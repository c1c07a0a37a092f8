"""What a person has settled: it is read, worn, remembered, and complained about in words."""

import json

from tests.e2e.acting import run_to_the_dialog, the_app
from tests.e2e.conftest import Folder
from tests.e2e.terminal import settings_path


def settle(folder: Folder, text: str) -> None:
    """Write the settings."""
    path = settings_path(folder.path)
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_a_theme_is_remembered_and_worn_on_the_next_start(folder: Folder) -> None:
    with the_app(folder) as terminal:
        terminal.wait_for("READY", "Start")
        dark = terminal.background
        terminal.press("t")
        terminal.wait_until(lambda: terminal.background != dark, "another theme")
        light = terminal.background
        terminal.wait_until(lambda: settings_path(folder.path).exists(), "the theme to be remembered")
        terminal.press("q")
        assert terminal.end() == 0
    assert json.loads(settings_path(folder.path).read_text()) == {"theme": "orderbook-light"}
    with the_app(folder) as terminal:
        terminal.wait_for("READY", "Start")
        assert terminal.background == light


def test_keys_of_ones_own_act_and_are_shown(folder: Folder) -> None:
    settle(folder, json.dumps({"keys": {"run.step": "j", "app.leave": "Q", "slots.down": "down", "decide.retry": "x"}}))
    with the_app(folder, (120, 60)) as terminal:
        terminal.wait_for("READY", "j Step", "Q Quit")
        terminal.press("n", "q", "j")
        terminal.wait_for("PAUSED", " 1/40")
        terminal.press("?")
        terminal.wait_for("Help: Slots", "j  run one slot, then pause")
        terminal.press("escape")
        terminal.wait_for("PAUSED", "Go on")
        terminal.press("space")
        terminal.wait_for("Slot 12 keeps failing", "x Retry")
        terminal.press("x")
        terminal.wait_for("DONE", "40/40")
        terminal.press("Q")
        assert terminal.end() == 0


def test_settings_that_cannot_be_understood_are_said_and_left_alone(folder: Folder) -> None:
    settle(folder, '{"theme": ')
    with the_app(folder) as terminal:
        terminal.wait_for("READY", "settings.json", "expected such as")
        terminal.press("t")
        run_to_the_dialog(terminal)
        terminal.press("r")
        terminal.wait_for("DONE", "40/40")
        terminal.press("q")
        assert terminal.end() == 0
    assert settings_path(folder.path).read_text() == '{"theme": '


def test_a_key_that_cannot_be_had_and_a_theme_that_is_none_are_said(folder: Folder) -> None:
    settle(folder, json.dumps({"theme": "mauve", "keys": {"run.step": "q", "run.fly": "f"}}))
    with the_app(folder) as terminal:
        terminal.wait_for("READY", "n Step", "no theme is called mauve", "nothing is called run.fly", "run.step cannot be q")
        terminal.press("q")
        assert terminal.end() == 0
