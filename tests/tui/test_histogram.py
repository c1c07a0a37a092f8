"""Histograms in text."""

from orderbook_tui.tui.widgets.histogram import columns


def test_the_highest_column_fills_all_lines() -> None:
    assert columns([8, 4, 0], 2) == ["█  ", "██ "]


def test_what_occurs_once_among_many_is_seen() -> None:
    assert columns([1_000_000, 1], 1) == ["█▁"]


def test_columns_are_as_wide_as_asked() -> None:
    assert columns([1, 0], 1, 2) == ["██  "]


def test_nothing_is_an_empty_histogram() -> None:
    assert columns([], 2) == ["", ""]
