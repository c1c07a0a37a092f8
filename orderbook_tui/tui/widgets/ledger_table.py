"""The ledger of one budget as a table: a movement a line, and what the budget was right after it."""

from typing import ClassVar

from rich.style import Style

from orderbook_tui.core.budget import MovementKind
from orderbook_tui.engine.ledger import BudgetLedger
from orderbook_tui.tui.figures import clock, number, number_in
from orderbook_tui.tui.theme import Inks
from orderbook_tui.tui.widgets.column_table import Cell, Column, ColumnTable


class LedgerTable(ColumnTable):
    """Shows a ledger; while the cursor is on the last line, it keeps to the last line as the ledger grows."""

    COLUMNS: ClassVar[dict[str, Column]] = {
        "number": Column("#", 4, 3, 9, right=True, whole=True),
        "at": Column("time", 2, 12, 12),
        "slot": Column("slot", 0, 4, 9, right=True, whole=True),
        "kind": Column("kind", 0, 7, 7),
        "amount": Column("amount", 0, 10, 22, right=True),
        "available": Column("available", 1, 10, 22, right=True),
        "locked": Column("locked", 1, 8, 22, right=True),
        "spent": Column("spent", 1, 8, 22, right=True),
        "received": Column("received", 3, 10, 22, right=True),
    }

    def __init__(self, ledger: BudgetLedger, slots: int, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._ledger = ledger
        self._last_slot = len(f"{slots}")
        self._shown = 0

    @property
    def count(self) -> int:
        return self._shown

    def nothing(self) -> str:
        return "nothing has moved yet" if self._ledger.is_caught_up else "reading what has happened ..."

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "choose"  # a movement has nothing more to tell

    def grow(self) -> None:
        """Show what the ledger has now."""
        if self._shown == len(self._ledger):
            if not self._shown:
                self.refresh()
            return
        follows = self.cursor >= self._shown - 1
        self._shown = len(self._ledger)
        self.want("slot", self._last_slot)
        self.want("number", len(f"{self._shown}"))
        self.records_changed()
        if follows:
            self.move_to(self._shown - 1)

    def version(self, place: int) -> object:
        return place

    def cell(self, place: int, column: str, width: int, ink: Inks) -> Cell:
        row = self._ledger[place]
        if column == "number":
            return f"{place + 1}", ink.muted
        if column == "at":
            return clock(row.at), ink.muted
        if column == "slot":
            return f"{row.slot}" if row.slot >= 0 else ""
        if column == "kind":
            return row.kind.value, _ink_of(row.kind, ink)
        amount = self._ledger.budget.asset.amount(getattr(row, column))
        text = number(amount, 2)
        self.want(column, len(text))
        return text if len(text) <= width else number_in(amount, width), ink.plain if column == "amount" else ink.muted


def _ink_of(kind: MovementKind, ink: Inks) -> Style:
    match kind:
        case MovementKind.SPEND:
            return ink.strong
        case MovementKind.RECEIVE:
            return ink.good
        case MovementKind.LOCK:
            return ink.busy
    return ink.plain
