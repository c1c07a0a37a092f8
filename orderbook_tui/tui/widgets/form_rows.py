"""The lines of a form: which field stands where, with what is wrong right below it.

    a heading                 Schedule ────────────────────────────
    a field and its cell        min amount      100
                                max amount      50
    what is wrong with it       ✗ max_amount 50 is below min_amount 100
    budgets, as a table         account      asset     amount
                              1 all          USD       10000

A field whose path begins with `OPENER` is none: it opens a dialog.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from itertools import groupby
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size

from orderbook_tui.engine.drafting import FormField
from orderbook_tui.tui.figures import message

OPENER: Final = "#"
TITLES: Final = {
    "": "Run",
    "accounts": "Accounts",
    "markets": "Markets",
    "scheduler": "Scheduler",
    "processor": "Processor",
    "budget": "Budgets",
}
_LABELS: Final = {
    "scheduler.time_in_force.maker": "maker's time in force",
    "scheduler.time_in_force.taker": "taker's time in force",
    "scheduler.matching_strategy.match_with": "match with",
}
PICKED: Final = ("choice", "flag")
"""The kinds that are not typed but chosen."""
LABEL: Final = 28
"""Cells of a label and the space before its field."""
_INDENT: Final = 2
_MOST_PROBLEM_LINES: Final = 8
_BUDGET: Final = re.compile(r"budget\.budgets\[(\d+)\]\.\w+")


class LineKind(Enum):
    """What a line of a form is."""

    BLANK = 0
    HEADING = 1
    FIELD = 2
    TITLES = 3
    PROBLEM = 4


class Cell(NamedTuple):
    """Where the value of a field stands on its line."""

    path: str
    x: int
    width: int


class Line(NamedTuple):
    """One line: its words, and the cells on it."""

    kind: LineKind
    text: str = ""
    cells: tuple[Cell, ...] = ()


def budget_index(path: str) -> int | None:
    """Return which budget a field belongs to."""
    found = _BUDGET.fullmatch(path)
    return int(found[1]) if found else None


def opens(field: FormField) -> bool:
    """Whether a line opens a dialog, in place of being a field."""
    return field.path.startswith(OPENER)


def is_typed(field: FormField) -> bool:
    """Whether a field is one to type into."""
    return field.kind not in PICKED and not opens(field)


def choices_of(field: FormField) -> Sequence[str]:
    """Return the texts that a field can have."""
    return field.choices or ("true", "false")


def label(field: FormField) -> str:
    """Return what a field is called on its line."""
    return _LABELS.get(field.path, field.label.replace("_", " "))


def lay_out(fields: Iterable[FormField], problems: Mapping[str, Sequence[str]], width: int) -> list[Line]:
    """Return the lines of a form; `problems` by the path of their field, those of no field under the empty path."""
    lines = []
    if "" in problems:
        lines.append(Line(LineKind.HEADING, "Elsewhere in the file"))
        lines += [line for words in problems[""] for line in _problem(words, width)]
        lines.append(Line(LineKind.BLANK))
    for section, members in groupby(fields, key=lambda field: field.section):
        if lines and lines[-1].kind is not LineKind.BLANK:
            lines.append(Line(LineKind.BLANK))
        lines.append(Line(LineKind.HEADING, TITLES.get(section, section)))
        titled = False
        for index, of_one in groupby(members, key=lambda field: budget_index(field.path)):
            if index is None:
                for field in of_one:
                    cell = Cell(field.path, LABEL, max(width - LABEL - 2, 4))
                    lines.append(Line(LineKind.FIELD, label(field), (cell,)))
                    lines += [line for words in problems.get(field.path, ()) for line in _problem(words, width)]
                continue
            row = list(of_one)
            cells = _budget_cells([field.path for field in row], width)
            if not titled:
                titled = True
                labels = zip(cells, row, strict=True)
                title = "".join(set_cell_size(label(field), cell.width + 1) for cell, field in labels)
                lines.append(Line(LineKind.TITLES, " " * cells[0].x + title))
            lines.append(Line(LineKind.FIELD, f"{index + 1}", cells))
            lines += [line for field in row for words in problems.get(field.path, ()) for line in _problem(words, width)]
    return lines


def _budget_cells(paths: Sequence[str], width: int) -> tuple[Cell, ...]:
    first = 6
    room = width - first - 2 - (len(paths) - 1)
    asset = max(min(room // 4, 12), 4)
    amount = max((room - asset) // 2, 4)
    widths = [room - asset - amount, asset, amount] if len(paths) == 3 else [room // len(paths)] * len(paths)
    cells, x = [], first
    for path, wide in zip(paths, widths, strict=True):
        cells.append(Cell(path, x, wide))
        x += wide + 1
    return tuple(cells)


def _problem(words: str, width: int) -> list[Line]:
    """Return a problem as lines, broken between words where it can be."""
    room = max(width - _INDENT - 3, 10)
    lines: list[str] = []
    line = ""
    for word in message(words).split(" "):
        rest = word
        if line and cell_len(line) + 1 + cell_len(rest) <= room:
            line += " " + rest
            continue
        if line:
            lines.append(line)
        while cell_len(rest) > room:
            head = set_cell_size(rest, room)
            lines.append(head)
            rest = rest[len(head.rstrip()) or 1 :]
        line = rest
    lines.append(line)
    if len(lines) > _MOST_PROBLEM_LINES:
        lines[_MOST_PROBLEM_LINES - 1 :] = ["…"]
    return [Line(LineKind.PROBLEM, ("✗ " if not place else "  ") + text) for place, text in enumerate(lines)]
