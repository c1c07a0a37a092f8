"""Figures: exact, of the width asked for, and honest where they are cut."""

import time
from decimal import Decimal

import pytest
from rich.cells import cell_len

from orderbook_tui.tui.figures import ago, fit, fit_middle, name, number, number_in, percent, size, span


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0"), ("60000.00", "60,000"), ("1234567.8900", "1,234,567.89"), ("0.00000001", "0.00000001")],
)
def test_a_number_is_shown_whole(value: str, text: str) -> None:
    assert number(Decimal(value)) == text


def test_a_number_keeps_the_decimals_asked_for() -> None:
    assert number(Decimal("3.5"), 2) == "3.50"
    assert number(Decimal("3.567"), 2) == "3.567"


def test_a_number_that_does_not_fit_says_so_and_is_never_rounded_up() -> None:
    assert number_in(Decimal("53911.99"), 8) == "53,911…"
    assert number_in(Decimal("0.99999999"), 6) == "0.999…"
    assert number_in(Decimal("123456789"), 9) == "123456789"


@pytest.mark.parametrize("text", ["abc", "a-long-account-name-1", "日本語日本語日本語", "👍👍👍👍👍👍👍"])
@pytest.mark.parametrize("width", [0, 1, 2, 5, 8, 30])
def test_what_is_fitted_has_that_width(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width
    assert cell_len(fit(text, width, right=True)) == width
    assert cell_len(fit_middle(text, width)) == width


def test_a_name_keeps_its_end() -> None:
    assert fit_middle("test-account-17", 11) == "test-…nt-17"


def test_a_name_is_one_harmless_line() -> None:
    assert name("a\nb\x1b[0m") == "a\\u000ab\\u001b[0m"
    assert len(name("x" * 10_000)) == 200
    assert name("e\u0301" * 5) == "eeeee"


def test_a_share_is_all_only_when_it_is() -> None:
    assert percent(999, 1000) == "99%"
    assert percent(7, 7) == "100%"
    assert percent(0, 0) == "-"


def test_lengths_of_time_and_sizes_have_units() -> None:
    assert [span(seconds) for seconds in (0.9, 59, 61, 3_700, 90_000)] == ["0 s", "59 s", "1 min 01 s", "1 h 01 min", "1 d 1 h"]
    assert [size(count) for count in (0, 999, 36_900, 123_456_789)] == ["0 B", "999 B", "36.9 kB", "123 MB"]


@pytest.mark.parametrize(("seconds", "words"), [(0, "just now"), (-7200, "just now"), (90, "1 min ago"), (7200, "2 h ago")])
def test_how_long_ago_something_was_that_may_have_been_saved_ahead_of_the_clock(
    seconds: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000 * 10**9)
    assert ago((1_700_000_000 - seconds) * 10**9) == words
