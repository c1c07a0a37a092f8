"""Whether real orders may be placed. Nothing but a clear yes is one."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.status_strip import StatusStrip


class RealMoneyScreen(DialogScreen[bool]):
    """Asks before a run that trades outside the sandbox of its exchange; enter and escape mean no."""

    CSS_PATH = "confirm.tcss"
    HELP_TEXT = (
        "The config says `sandbox: false`: the orders of this run go to the exchange itself, with the money that is there. "
        "You are asked once for each run. In the sandbox, nothing is asked."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Real orders", id="real_money.yes", tooltip="place real orders, with real money"),
        Binding("n,escape,enter", "answer(False)", "No", id="real_money.no", tooltip="place nothing"),
    ]

    def __init__(self, exchange: str) -> None:
        super().__init__()
        self._exchange = exchange
        self._answered = False

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        with Vertical(id="box"):
            yield Static("Place real orders?", id="question", markup=False)
            words = f"This run trades at {self._exchange}, outside its sandbox: its orders are real, with real money."
            yield Static(words, id="explanation", markup=False)
            yield Static("y  place real orders      n  no", id="answers", markup=False)
        yield KeyBar()

    def action_answer(self, answer: bool) -> None:
        if not self._answered:
            self._answered = True
            self.dismiss(answer)
