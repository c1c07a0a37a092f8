"""A number, to go to that slot."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from orderbook_tui.tui.figures import name
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.plain_input import PlainInput
from orderbook_tui.tui.widgets.status_strip import StatusStrip


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
        yield StatusStrip()
        with Vertical(id="box"):
            yield Static(f"Go to slot 0 .. {self._last}", id="question", markup=False)
            yield PlainInput(id="number")
            yield Static("", id="wrong", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self.pulse()

    def on_input_submitted(self, event: PlainInput.Submitted) -> None:
        text = event.value.strip().replace(",", "")
        if not text:
            self.dismiss(None)
        elif text.isdecimal() and len(text) < 12 and int(text) <= self._last:
            self.dismiss(int(text))
        else:
            self.query_one("#wrong", Static).update(f"There is no slot {name(text, 20)}: 0 .. {self._last}")

    def action_close(self) -> None:
        self.dismiss(None)
