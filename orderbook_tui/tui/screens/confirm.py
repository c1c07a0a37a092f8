"""A question with two answers."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.status_strip import StatusStrip


class ConfirmScreen(DialogScreen[bool]):
    """Asks whether to go ahead; escape and n mean no."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "Yes", id="confirm.yes", tooltip="go ahead"),
        Binding("n,escape", "answer(False)", "No", id="confirm.no", tooltip="leave things as they are"),
    ]

    def __init__(self, question: str, explanation: str) -> None:
        super().__init__()
        self._question, self._explanation = question, explanation
        self._answered = False

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        with Vertical(id="box"):
            yield Static(self._question, id="question", markup=False)
            yield Static(self._explanation, id="explanation", markup=False)
            yield Static("y  yes      n  no", id="answers", markup=False)
        yield KeyBar()

    def action_answer(self, answer: bool) -> None:
        if not self._answered:
            self._answered = True
            self.dismiss(answer)
