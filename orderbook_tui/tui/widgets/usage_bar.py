"""A budget as a bar, a share and a word: what is spent, locked and left, and whether it runs out.

━━━━━╍╍╍────────    spent, locked, available; told apart by their strokes, not by colour alone
"""

from decimal import Decimal

from rich.style import Style

from orderbook_tui.engine.budget_level import Level
from orderbook_tui.tui.theme import Inks

SPENT, LOCKED, AVAILABLE = "━", "╍", "─"
LEGEND = f"{SPENT} spent {LOCKED} locked {AVAILABLE} available"


def usage_bar(width: int, initial: int, locked: int, spent: int, ink: Style, rest: Style) -> list[tuple[str, Style]]:
    """Return a bar of `width` cells. It is rounded down: full only when nothing is left."""
    whole = initial or 1
    spent_cells, used_cells = width * spent // whole, width * (locked + spent) // whole
    return [(SPENT * spent_cells + LOCKED * (used_cells - spent_cells), ink), (AVAILABLE * (width - used_cells), rest)]


def used_share(initial: int, locked: int, spent: int) -> str:
    """Return how much is used, in percent with one decimal, rounded down: 100 % is all of it."""
    return f"{Decimal(1000 * (locked + spent) // initial) / 10:.1f}%" if initial else "-"


def level_ink(level: Level, ink: Inks) -> Style:
    """Return the ink that a level is written with."""
    return (ink.plain, ink.warn, ink.bad)[level]
