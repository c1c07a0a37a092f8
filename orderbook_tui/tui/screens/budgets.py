"""Budgets: what each account may still give of each asset, all of them together, and how that came about."""

import asyncio
from time import perf_counter
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static
from textual.worker import Worker

from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.engine.budget_list import LEVELS, BudgetOrder, Listing, list_budgets
from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.tui.figures import name
from orderbook_tui.tui.reconciled import outcome_of
from orderbook_tui.tui.screens.base import RunScreen
from orderbook_tui.tui.theme import inks
from orderbook_tui.tui.widgets.budget_table import BudgetTable
from orderbook_tui.tui.widgets.budget_totals import BudgetTotals
from orderbook_tui.tui.widgets.column_table import ColumnTable
from orderbook_tui.tui.widgets.cursor_list import CursorList
from orderbook_tui.tui.widgets.plain_input import PlainInput
from orderbook_tui.tui.widgets.usage_plot import UsagePlot

_EVERY: Final = 5
"""Pulses from one look at totals and plot to the next, while the run goes on."""
_AT_ONCE_S: Final = 0.02
"""A list that is made within this is there at once; one that takes longer is made in pieces, with the screen alive."""
_PIECE_S: Final = 0.004
_REST: Final = 10
"""While budgets move, the list is put in order again after so many times what that took, and after a second at least."""
_ORDER_OF: Final = {
    "account": BudgetOrder.ACCOUNT,
    "asset": BudgetOrder.ASSET,
    "bar": BudgetOrder.USED,
    "used": BudgetOrder.USED,
}
_BESIDE_FIELD: Final = 46
"""Cells that the filter's field takes from the caption's line, with what it says while it is empty."""
_NOTHING_OPEN: Final = """\
No run is open, so there are no budgets to see.

Press 1 to build one, 5 to take one up from its checkpoint,
or leave with q and start one:

    orderbook-tui configs/simulator.json
"""


class BudgetsScreen(RunScreen):
    """The budgets of the run, one a line."""

    NAME = "Budgets"
    CSS_PATH = "budgets.tcss"
    AUTO_FOCUS = "BudgetTable"
    HELP_TEXT = (
        "Every line is what one account was given of one asset: spent, locked by orders that are open, and available. Used is "
        "what is spent or locked; above 80 % a budget says so, and one of which nothing is left is depleted. What an account "
        "receives is counted beside it and is not available to give. The filter shows the budgets whose account or asset has "
        "each word in its name; the words over and depleted also find what is over 80 % or depleted now. The totals are those "
        "of all accounts; where they are said to be about so, there are too many budgets to count them between two slots, and "
        "they are exact as soon as the run pauses. The plot shows how much of each asset was in use in the course of the run, "
        "from its journal. At a venue outside this program, the line beneath the table says whether what accounts hold there "
        "was what the ledger says when the run last paused or ended."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", id="budgets.sort", tooltip="sort by account, by how much is used, or by asset"),
        Binding(
            "slash",
            "filter",
            "Filter",
            key_display="/",
            id="budgets.filter",
            tooltip="show budgets by name, or those over 80 %, or depleted",
        ),
        Binding(
            "x",
            "reconcile",
            "Reconcile",
            id="budgets.reconcile",
            tooltip="hold the ledger against the venue, and see what they do not agree about",
        ),
        Binding("escape", "clear_filter", "Show all", id="budgets.clear", tooltip="show all budgets again"),
        Binding("v", "view", "Numbers", show=False, id="budgets.view", tooltip="bars or numbers, where there is room for one"),
        Binding("p", "plot", "Plot", show=False, id="budgets.plot", tooltip="totals or plot, where there is room for one"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._order = BudgetOrder.ACCOUNT
        self._pulses = 0
        self._listing: Worker[None] | None = None
        self._listed_at = self._listing_took = 0.0
        self._listed_events = -1
        self._from_top = False
        self._everything = 0
        self._said: tuple[object, ...] = ()
        self._said_reconciled: tuple[object, ...] = ()

    def body(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static("Filter", id="slash", markup=False)
            yield PlainInput(placeholder="account or asset, over, depleted", id="filter")
            yield Static(id="caption", markup=False)
        yield BudgetTable(id="budgets")
        yield Static(id="reconciled", markup=False)
        yield Static(_NOTHING_OPEN, id="nothing", markup=False)
        with Horizontal(id="panels"):
            yield BudgetTotals(id="totals")
            yield UsagePlot(id="usage")

    def on_mount(self) -> None:
        self.query_one("#totals").border_title = "All accounts"
        self.query_one("#usage").border_title = "Used in the course of the run"
        self.show_simulation()

    def on_screen_resume(self) -> None:
        self.pulse()

    def on_resize(self) -> None:
        self.call_after_refresh(self._say)
        self.call_after_refresh(self.refresh_bindings)

    # What is shown

    def show_simulation(self) -> None:
        """Show the app's simulation, which may be another one than before."""
        simulation = self.simulation
        self.set_class(simulation is None, "-nothing-open")
        table = self.query_one(BudgetTable)
        table.show([])
        table.show_anew()
        self._close_filter()
        self.query_one(BudgetTotals).show(simulation)
        self.query_one(UsagePlot).show(simulation)
        self._list()
        self.pulse()

    def pulse(self) -> None:
        super().pulse()
        simulation = self.simulation
        if simulation is None:
            return
        self.query_one(BudgetTable).look()
        self._say_reconciled()
        plot = self.query_one(UsagePlot)
        plot.look()
        self._pulses += 1
        # What nobody can read 20 times a second is not drawn so often.
        if self._pulses % _EVERY == 0 or simulation.status is not RunStatus.RUNNING:
            self.query_one(BudgetTotals).look()
            plot.redraw()
            self._say()
        rested = perf_counter() - self._listed_at > max(1.0, _REST * self._listing_took)
        moves = self._order is BudgetOrder.USED or self._is_filtered_by_level
        if moves and rested and self._listed_events != len(simulation.state.journal):
            self._list()

    def _list(self, *, from_top: bool = False) -> None:
        """Make the list anew, as it is to be filtered and sorted; the cursor stays on its budget, or goes to the top."""
        self._from_top = self._from_top or from_top
        simulation = self.simulation
        if self._listing is not None:
            self._listing.cancel()
            self._listing = None
        if simulation is None:
            return
        self._listed_events = len(simulation.state.journal)
        listing = list_budgets(simulation.budgets, self._order, self.query_one("#filter", Input).value.split())
        if not self._go_on(listing, perf_counter(), _AT_ONCE_S):
            self._listing = self.run_worker(self._list_on(listing), group="list")

    async def _list_on(self, listing: Listing) -> None:
        began = perf_counter()
        while not self._go_on(listing, began, _PIECE_S):  # noqa: ASYNC110 - nothing is waited for: others have their turn
            await asyncio.sleep(0)

    def _go_on(self, listing: Listing, began: float, seconds: float) -> bool:
        """Make the list for about so long; True: it is made, and shown."""
        until = perf_counter() + seconds
        try:
            while perf_counter() < until:
                next(listing)
        except StopIteration as made:
            self._listed_at, self._listing_took = perf_counter(), perf_counter() - began
            self._show(made.value)
            return True
        return False

    def _show(self, budgets: list[AccountBudget]) -> None:
        typed = self.query_one("#filter", Input).value
        nothing = "no budgets"
        if self._is_filtered_by_level:
            nothing = f"no budget is found by {name(typed, 40)} now: escape shows all"
        elif typed.strip():
            nothing = f"no account or asset has {name(typed, 40)} in its name: escape shows all"
        table, simulation = self.query_one(BudgetTable), self.simulation
        self._everything = sum(map(len, simulation.budgets.accounts.values())) if simulation is not None else 0
        table.show(budgets, nothing=nothing, at=None if self._from_top else table.budget)
        self._from_top = False
        self._say()
        self.refresh_bindings()

    def _say(self) -> None:
        """Say above the table how many budgets there are, how they are sorted, and what else there is to see."""
        simulation, table, totals = self.simulation, self.query_one(BudgetTable), self.query_one(BudgetTotals)
        if simulation is None:
            return
        ink = inks(self.app)
        high, depleted = totals.high, totals.depleted
        levels = Text()
        if totals.is_exact:
            levels.append(", ", ink.plain).append(f"{high:,} over 80 %", ink.warn if high else ink.muted)
            levels.append(", ", ink.plain).append(f"{depleted:,} depleted", ink.bad if depleted else ink.muted)
        hints = (
            []
            if self.has_class("-filtering")
            else [
                (key, self.key_label(action) or "")
                for key, action in (("v", "view"), ("p", "plot"))
                if self.check_action(action, ())
            ]
        )
        room = self.size.width - (_BESIDE_FIELD if self.has_class("-filtering") else 2)
        said = (table.count, self._is_filtered, levels.plain, self._order, tuple(hints), room, ink)
        if said == self._said:
            return
        self._said = said
        count = f"{table.count:,} of {self._everything:,} budgets" if self._is_filtered else f"{table.count:,} budgets"
        keys = Text()
        for key, label in hints:
            keys.append(f"   {key} ", ink.accent).append(label, ink.plain)
        # Where there is no room for all of it, the order gives way first.
        text, order, nothing = Text(), self._order.value, Text()
        for more, sorted_by in ((levels, order), (levels, order.removesuffix(" first")), (levels, ""), (nothing, "")):
            text = Text(count, ink.plain, no_wrap=True, overflow="ellipsis").append_text(more)
            text.append(f"   {sorted_by}" if sorted_by else "", ink.muted).append_text(keys)
            if text.cell_len <= room:
                break
        self.query_one("#caption", Static).update(text)

    def _say_reconciled(self) -> None:
        """Say beneath the table whether the ledger and the venue agree, where they are compared."""
        simulation, ink = self.simulation, inks(self.app)
        if simulation is None:
            return
        text = outcome_of(simulation, ink)
        said = (text.plain, simulation.can_reconcile, ink)
        if said == self._said_reconciled:
            return
        self._said_reconciled = said
        found = simulation.reconciliation
        if found is not None and found.differences and not simulation.is_reconciling:
            text.append(": press ", ink.plain).append("x", ink.accent)
        line = self.query_one("#reconciled", Static)
        line.display = bool(text)
        line.update(text)
        self.refresh_bindings()

    # Keys

    @property
    def _is_small(self) -> bool:
        return self.has_class("-narrow") or self.has_class("-short")

    @property
    def _is_filtered(self) -> bool:
        return bool(self.query_one("#filter", Input).value.strip())

    @property
    def _is_filtered_by_level(self) -> bool:
        """Whether a budget may come to be found, or no longer, as the run goes on."""
        return not LEVELS.keys().isdisjoint(self.query_one("#filter", Input).value.casefold().split())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "sort":
            return self.simulation is not None
        if action == "filter":
            return self.simulation is not None and not self.query_one("#filter", Input).has_focus
        if action == "reconcile":
            return self.simulation is not None and (self.simulation.can_reconcile or self.simulation.reconciliation is not None)
        if action == "clear_filter":
            return self.has_class("-filtering")
        if action == "view":
            return self.simulation is not None and not self.query_one(BudgetTable).has_room_for_both
        if action == "plot":
            return self.simulation is not None and self._is_small
        return super().check_action(action, parameters)

    def key_label(self, action: str) -> str | None:
        if action == "choose":
            return "Ledger"
        if action == "view":
            return "Bars" if self.query_one(BudgetTable).in_numbers else "Numbers"
        if action == "plot":
            return "Totals" if self.has_class("-plot") else "Plot"
        return super().key_label(action)

    def action_sort(self) -> None:
        self._sort(self._order.next)

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one("#filter", Input).focus()
        self.refresh_bindings()

    def action_clear_filter(self) -> None:
        self._close_filter()
        self._list()
        self.refresh_bindings()

    def action_reconcile(self) -> None:
        from orderbook_tui.tui.screens.reconciliation import ReconciliationScreen

        simulation = self.simulation
        if simulation is not None:
            if simulation.reconciliation is None and not simulation.is_reconciling:
                simulation.reconcile()
            self.app.push_screen(ReconciliationScreen(simulation))

    def action_view(self) -> None:
        table = self.query_one(BudgetTable)
        table.show_in_numbers(in_numbers=not table.in_numbers)
        self._say()
        self.refresh_bindings()

    def action_plot(self) -> None:
        self.toggle_class("-plot")
        self._say()
        self.refresh_bindings()

    def _sort(self, order: BudgetOrder) -> None:
        self._order = order
        self._list(from_top=True)

    def _close_filter(self) -> None:
        self.remove_class("-filtering")
        field, table = self.query_one("#filter", Input), self.query_one(BudgetTable)
        with self.prevent(Input.Changed):
            field.value = ""
        if field.has_focus:
            table.focus()

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self._list()

    @on(Input.Submitted, "#filter")
    def _filter_entered(self) -> None:
        if not self._is_filtered:
            self._close_filter()
        self.query_one(BudgetTable).focus()
        self.refresh_bindings()

    @on(ColumnTable.HeaderClicked)
    def _header_clicked(self, event: ColumnTable.HeaderClicked) -> None:
        if (order := _ORDER_OF.get(event.column)) is not None:
            self._sort(order)

    @on(CursorList.Chosen)
    def _chosen(self) -> None:
        from orderbook_tui.tui.screens.ledger import LedgerScreen

        simulation, budget = self.simulation, self.query_one(BudgetTable).budget
        if simulation is not None and budget is not None:
            self.app.push_screen(LedgerScreen(simulation, budget))
