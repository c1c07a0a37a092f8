"""The lines of a form: problems right below their field, budgets as a table, everything within the width."""

import pytest
from rich.cells import cell_len

from orderbook_tui.engine.drafting import ConfigDraft, FormField
from orderbook_tui.tui.widgets.form_rows import LineKind, budget_index, lay_out

WIDTHS = (20, 51, 78, 200)


def fields(draft: ConfigDraft | None = None) -> list[FormField]:
    return (draft or ConfigDraft.new()).fields()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_field_has_one_cell_and_none_overlaps_another(width: int) -> None:
    draft = ConfigDraft.new()
    draft.add_budget()
    lines = lay_out(fields(draft), {}, width)
    cells = [cell for line in lines for cell in line.cells]
    assert [cell.path for cell in cells] == [field.path for field in fields(draft)]
    for line in lines:
        ends = [cell.x + cell.width for cell in line.cells]
        assert all(cell.x > end for cell, end in zip(line.cells[1:], ends, strict=False))


def test_a_problem_stands_on_the_line_after_its_field() -> None:
    lines = lay_out(fields(), {"seed": ["too odd"]}, 78)
    place = next(place for place, line in enumerate(lines) if line.cells and line.cells[0].path == "seed")
    assert lines[place + 1].kind is LineKind.PROBLEM
    assert "too odd" in lines[place + 1].text


def test_what_is_wrong_with_no_field_stands_first() -> None:
    lines = lay_out(fields(), {"": ["venue.kind: unknown"]}, 78)
    assert lines[1].text == "✗ venue.kind: unknown"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("words", ["one two " * 100, "x" * 9_000, "日本語" * 50, "a\x1b[2Jb\nc", ""])
def test_a_long_problem_is_broken_within_the_width_and_does_not_fill_the_screen(words: str, width: int) -> None:
    lines = [line for line in lay_out(fields(), {"seed": [words]}, width) if line.kind is LineKind.PROBLEM]
    assert 1 <= len(lines) <= 8
    assert all(cell_len(line.text) <= max(width - 3, 13) for line in lines)
    assert all(line.text.isprintable() for line in lines)


def test_the_budget_of_a_field_is_known_by_its_path() -> None:
    assert budget_index("budget.budgets[12].amount") == 12
    assert budget_index("scheduler.min_amount") is None
