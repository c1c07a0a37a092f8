"""What the ledger and the venue do not agree about, and which slots could explain it."""

from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import message
from orderbook_tui.tui.reconciled import outcome_of
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.theme import Inks, inks
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.status_strip import StatusStrip
from orderbook_tui.tui.widgets.text_lines import TextLines

_MOST: Final = 200
"""Differences that are listed."""


class ReconciliationScreen(DialogScreen[None]):
    """Lists the differences; the venue can be asked again while the run is paused."""

    CSS_PATH = "reconciliation.tcss"
    NAME = "Reconciliation"
    AUTO_FOCUS = "TextLines"
    HELP_TEXT = (
        "The ledger is held against what the venue itself says: what each account holds of each asset must be what it held "
        "before the first order, less what was spent, plus what was received, to the unit; what is locked must be what open "
        "orders need, but for what is set aside for their fees; and the same orders must be open, with as much left of them. "
        "Under each difference are the slots that could explain it, the most likely first. This is done when the run pauses "
        "and when it ends, with the venue still open, and is not saved."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "ask_again", "Ask again", id="reconciliation.again", tooltip="ask the venue again"),
        Binding("question_mark", "help", "Help", key_display="?", id="reconciliation.help", tooltip="what is compared"),
        Binding("escape,enter,q", "close", "Back", id="reconciliation.close", tooltip="back to the budgets"),
    ]

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self._simulation = simulation
        self._said: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        yield TextLines(id="reconciliation")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#reconciliation").border_title = "Ledger and venue"
        self.pulse()

    def pulse(self) -> None:
        super().pulse()
        run, ink = self._simulation, inks(self.app)
        said = (id(run.reconciliation), run.is_reconciling, run.can_reconcile, ink)
        # A dialog that is being closed is still asked for a moment after its widgets have gone.
        for lines in self.query(TextLines):
            if said != self._said:
                self._said = said
                lines.show(self._paragraphs(ink))
                self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "ask_again":
            return self._simulation.can_reconcile and not self._simulation.is_reconciling
        return True

    def action_ask_again(self) -> None:
        self._simulation.reconcile()
        self.pulse()

    def action_close(self) -> None:
        self.dismiss()

    def _paragraphs(self, ink: Inks) -> list[Text]:
        found = self._simulation.reconciliation
        lines = [outcome_of(self._simulation, ink)]
        if found is None or found.failed:
            return lines
        balances = f"{found.balances:,} balances of {found.accounts:,} accounts" if found.balances else "no balances"
        lines.append(Text(f"{balances} and {found.orders:,} open orders were compared", ink.muted))
        if found.foreign:
            lines.append(Text(f"open orders at the venue that are none of this run's: {found.foreign:,}", ink.muted))
        lines += [Text(message(note), ink.warn) for note in found.notes]
        for each in found.differences[:_MOST]:
            lines += [Text(""), Text(message(each.words), ink.bad)]
            for slot, why in zip(each.slots, each.why, strict=True):
                lines.append(Text().append(f"  slot {slot}", ink.strong).append(f"  {message(why)}", ink.plain))
            if not each.slots:
                lines.append(Text("  no slot of this run explains it", ink.muted))
        if len(found.differences) > _MOST:
            lines += [Text(""), Text(f"and {len(found.differences) - _MOST:,} differences more", ink.muted)]
        return lines
