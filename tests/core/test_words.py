"""Text from outside, as it is shown."""

import pytest

from orderbook_tui.config.showing import plain_text
from orderbook_tui.core.words import harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\u001b[2J"),
        ("a\nb", "a\\u000ab"),
        ("\x9b31m", "\\u009b31m"),
        ("\u202eevil", "\\u202eevil"),
        ("a\xadb", "a\\u00adb"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("日本\u3000語 é", "日本\u3000語 é"),
    ],
)
def test_what_could_steer_a_terminal_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize("text", ["\x1b\x9b", "a\xa0b", "\ue000", "日本\u3000語"])
def test_a_problem_shows_a_text_as_any_screen_does(text: str) -> None:
    assert plain_text(text) == harmless(text)


def test_what_is_cut_says_so() -> None:
    assert harmless("abcdef", 4) == "abc…"
