"""The ledger of one budget: every movement, and what was left after it."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.engine.budget_level import level_of
from orderbook_tui.engine.ledger import BudgetLedger
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.figures import name, number
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.theme import inks
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.ledger_table import LedgerTable
from orderbook_tui.tui.widgets.status_strip import StatusStrip
from orderbook_tui.tui.widgets.usage_bar import level_ink, used_share

_RUNNING_S, _IDLE_S = 0.003, 0.012
"""Seconds that a look may read the journal: the run has to wait meanwhile."""
_POTS = ("initial", "available", "locked", "spent", "received")


class LedgerScreen(DialogScreen[None]):
    """Lists the movements of one budget, and goes on with them while the run does."""

    CSS_PATH = "ledger.tcss"
    NAME = "Ledger"
    AUTO_FOCUS = "LedgerTable"
    HELP_TEXT = (
        "Every line is one movement of this budget, and what the budget was right after it. An order that is placed locks what "
        "it may need; a trade spends of that, and unlocks what a better price or a lower fee leaves over; a cancel unlocks "
        "the rest. What is received is counted beside the budget and is not available to give. Slot is whose order it was. "
        "With the cursor on the last line the list follows the run; where the window is narrow, columns are left out and "
        "amounts lose decimals, with … in their place."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", key_display="?", id="ledger.help", tooltip="what the lines mean"),
        Binding("escape,enter,q", "close", "Back", id="ledger.close", tooltip="back to the budgets"),
    ]

    def __init__(self, simulation: Simulation, budget: AccountBudget) -> None:
        super().__init__()
        self._simulation, self._budget = simulation, budget
        self._ledger = BudgetLedger(simulation, budget)
        self._said: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        yield Static(id="pots", markup=False)
        yield LedgerTable(self._ledger, len(self._simulation.slots), id="ledger")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#ledger").border_title = Text(
            f"Ledger: {name(self._budget.account.name, 40)}, {name(self._budget.asset.symbol, 20)}"
        )
        self.pulse()

    def pulse(self) -> None:
        super().pulse()
        self._ledger.read_on(_RUNNING_S if self._simulation.status is RunStatus.RUNNING else _IDLE_S)
        # A dialog that is being closed is still asked for a moment after its widgets have gone.
        for table in self.query(LedgerTable):
            table.grow()
            self._say()

    def action_close(self) -> None:
        self.dismiss()

    def _say(self) -> None:
        budget, ledger, ink = self._budget, self._ledger, inks(self.app)
        pots = [getattr(budget, pot) for pot in _POTS]
        read = None if ledger.is_caught_up else 100 * ledger.read // max(len(self._simulation.state.journal), 1)
        said = (*pots, len(ledger), read, ink)
        if said == self._said:
            return
        self._said = said
        level = level_of(budget.initial, budget.available, budget.locked)
        text = Text()
        for pot, units in zip(_POTS, pots, strict=True):
            text.append(f"{pot} ", ink.muted).append(number(budget.asset.amount(units), 2), ink.plain)
            text.append("\n" if pot == "spent" else "  ")
        text.append(f"used {used_share(budget.initial, budget.locked, budget.spent)}  {level.words}", level_ink(level, ink))
        text.append(f"  {len(ledger):,} movements", ink.muted)
        if read is not None:
            text.append(f", with {read} % of what has happened read", ink.muted)
        self.query_one("#pots", Static).update(text)
