"""A number, to go to that slot."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.widgets.key_bar import KeyBar


class GoToScreen(DialogScreen[int | None]):
    """Asks for the number of a slot."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", id="go_to.close", tooltip="back to the table"),
    ]

    def __init__(self, count: int) -> None:
        super().__init__()
        self._last = count - 1

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static(f"Go to slot 0 .. {self._last}", markup=False)
            yield Input(type="integer", id="number")
        yield KeyBar()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        self.dismiss(min(max(int(text[:12]), 0), self._last) if text.lstrip("+-").isdecimal() else None)

    def action_close(self) -> None:
        self.dismiss(None)
