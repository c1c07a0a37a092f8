"""Everything about one slot, on a screen of its own."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.slot_details import SlotDetails
from orderbook_tui.tui.widgets.status_strip import StatusStrip


class DetailsScreen(DialogScreen[None]):
    """Order, attempts, decisions and fills of one slot; they go on changing while it is looked at."""

    CSS_PATH = "details.tcss"
    AUTO_FOCUS = "SlotDetails"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Back", id="details.close", tooltip="back to the table"),
    ]

    def __init__(self, slot: ActionSlot) -> None:
        super().__init__()
        self._slot = slot

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        yield SlotDetails(id="all")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#all").border_title = f"Slot {self._slot.sequence}"
        self.pulse()

    def pulse(self) -> None:
        super().pulse()
        self.query_one(SlotDetails).look(self.run_app.simulation, self._slot)

    def action_close(self) -> None:
        self.dismiss()
