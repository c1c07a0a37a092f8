"""How the lines of a form are drawn: headings, labels, values on paper of their own, problems."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style

from orderbook_tui.engine.drafting import FormField
from orderbook_tui.tui.figures import fit, name
from orderbook_tui.tui.theme import Inks
from orderbook_tui.tui.widgets.form_rows import PICKED, Line, LineKind, budget_index, opens


class FormInks(NamedTuple):
    """What a form is drawn with: `marked` is for the field under the cursor, `paper` lies under the other values."""

    usual: Inks
    marked: Inks
    paper: Style


def drawn(
    line: Line, fields: Mapping[str, FormField], problems: Collection[str], cursor: str, inks: FormInks, width: int
) -> list[Segment]:
    """Return a line of a form; `problems` are the fields that have some, `cursor` is the field it is on, or empty."""
    ink = inks.usual
    match line.kind:
        case LineKind.BLANK:
            return []
        case LineKind.HEADING:
            return [Segment(f" {line.text} ", ink.strong), Segment("─" * width, ink.faint)]
        case LineKind.TITLES:
            return [Segment(line.text, ink.muted)]
        case LineKind.PROBLEM:
            return [Segment("   " + line.text, ink.bad)]
    here = any(cell.path == cursor for cell in line.cells)
    bad = any(cell.path in problems for cell in line.cells)
    segments = [
        Segment("▌" if here else " ", ink.accent),
        Segment("✗" if bad else " ", ink.bad),
        Segment(fit(line.text, line.cells[0].x - 3) + " ", ink.strong if here else ink.plain),
    ]
    for cell in line.cells:
        if cell is not line.cells[0]:
            segments.append(Segment(" ", ink.plain))
        field, marked = fields[cell.path], cell.path == cursor
        pens = inks.marked if marked else ink
        text, style = _shown(field, pens)
        if cell.path in problems:
            style = pens.bad
        back = pens.cursor if marked else inks.paper
        segments.append(Segment(fit(text, cell.width), style if opens(field) and not marked else style + back))
    return segments


def _shown(field: FormField, ink: Inks) -> tuple[str, Style]:
    """Return what a field's cell shows, and its ink: what is as it comes is fainter than what was put there."""
    if opens(field):
        return f"  {name(field.text)} …".replace("   …", "  …"), ink.plain
    text = {"true": "yes", "false": "no"}.get(field.text, field.text) if field.kind == "flag" else field.text
    style = ink.muted if field.text == field.default else ink.plain
    if field.kind in PICKED:
        return f"◂ {name(text)} ▸", style
    if not text:
        return ("  all" if budget_index(field.path) is not None else "  none") if field.optional else "", ink.muted
    return "  " + name(text), style
