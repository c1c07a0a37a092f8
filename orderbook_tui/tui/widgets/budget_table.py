"""The table of all budgets: accounts x assets, each as a bar, as numbers, or as both where the width allows it."""

from collections.abc import Collection, Sequence
from typing import ClassVar

from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.engine.budget_level import Level, level_of
from orderbook_tui.tui.figures import name, number, number_in
from orderbook_tui.tui.theme import Inks
from orderbook_tui.tui.widgets.column_table import Cell, Column, ColumnTable
from orderbook_tui.tui.widgets.usage_bar import LEGEND, level_ink, usage_bar, used_share

_POTS = ("available", "locked", "spent", "initial", "received")


class BudgetTable(ColumnTable):
    """Shows the budgets that it is given, in their order."""

    COLUMNS: ClassVar[dict[str, Column]] = {
        "account": Column("account", 0, 14, 28, middle=True),
        "asset": Column("asset", 0, 5, 12),
        "bar": Column("used", 1, 10, 44, spare=True),
        "used": Column("used", 0, 6, 6, right=True),
        "state": Column("state", 0, 9, 9),
        "available": Column("available", 2, 10, 22, right=True),
        "locked": Column("locked", 3, 10, 22, right=True),
        "spent": Column("spent", 3, 10, 22, right=True),
        "initial": Column("initial", 4, 10, 22, right=True),
        "received": Column("received", 5, 10, 22, right=True),
    }

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._budgets: list[AccountBudget] = []
        self._nothing = ""
        self.in_numbers = False
        """Whether numbers are shown where there is no room for them beside the bars."""

    @property
    def budgets(self) -> Sequence[AccountBudget]:
        return self._budgets

    @property
    def budget(self) -> AccountBudget | None:
        """The budget under the cursor."""
        return self._budgets[self.cursor] if self.cursor < len(self._budgets) else None

    @property
    def has_room_for_both(self) -> bool:
        """Whether bars and numbers are both shown."""
        return self._has_room(self.scrollable_size.width)

    def show(self, budgets: list[AccountBudget], *, nothing: str = "", at: AccountBudget | None = None) -> None:
        """Show these budgets, with the cursor on `at`, if it is among them, or else on the first."""
        self._nothing, self._budgets = nothing, budgets
        self.records_changed()
        self.move_to(0 if at is None else next((place for place, budget in enumerate(budgets) if budget is at), 0))

    def show_in_numbers(self, *, in_numbers: bool) -> None:
        """Show numbers in place of bars, or bars again."""
        self.in_numbers = in_numbers
        self.measure()
        self.refresh()

    @property
    def count(self) -> int:
        return len(self._budgets)

    def nothing(self) -> str:
        return self._nothing

    def wanted(self, width: int) -> Collection[str]:
        if self._has_room(width):
            return self.COLUMNS
        away = {"bar"} if self.in_numbers else {"locked", "spent", "initial", "received"}
        return self.COLUMNS.keys() - away

    def title(self, column: str, width: int) -> str:
        if column == "bar":
            return LEGEND if width >= len(LEGEND) else "used"
        return (
            ""
            if column == "used" and "bar" in self.columns and self._widths["bar"] < len(LEGEND)
            else super().title(column, width)
        )

    def version(self, place: int) -> object:
        budget = self._budgets[place]
        return budget.available, budget.locked, budget.spent, budget.received

    def cell(self, place: int, column: str, width: int, ink: Inks) -> Cell:
        budget = self._budgets[place]
        if column == "account":
            return name(budget.account.name)
        if column == "asset":
            return name(budget.asset.symbol)
        if column in _POTS:
            amount = budget.asset.amount(getattr(budget, column))
            text = number(amount, 2)
            self.want(column, len(text))
            shown = text if len(text) <= width else number_in(amount, width)
            return shown, ink.plain if column == "available" else ink.muted
        level = level_of(budget.initial, budget.available, budget.locked)
        style = level_ink(level, ink)
        if column == "bar":
            return usage_bar(width, budget.initial, budget.locked, budget.spent, style, ink.faint)
        if column == "used":
            return used_share(budget.initial, budget.locked, budget.spent), style
        return level.words, style if level is not Level.FINE else ink.plain

    def _has_room(self, width: int) -> bool:
        both = (column for column in self.COLUMNS.values() if column.rank <= 3)
        return sum(column.least + 1 for column in both) <= width
