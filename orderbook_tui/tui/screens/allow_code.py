"""Whether code may be run that need not be the user's own. Nothing but a clear yes is one."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from orderbook_tui.tui.figures import name
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.status_strip import StatusStrip


class AllowCodeScreen(DialogScreen[bool]):
    """Names the code, and asks; enter and escape mean no."""

    CSS_PATH = "confirm.tcss"
    HELP_TEXT = (
        "The venue of this run is Python code. To open the run is to import that code, and to import it is to run it, with all "
        "that you may do on this machine. You are asked since somebody else may have chosen or written it. Look into the file "
        "before you say yes: the answer is kept, and the same code is not asked about again."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Run it", id="allow_code.yes", tooltip="import this code, now and later"),
        Binding("n,escape,enter", "answer(False)", "No", id="allow_code.no", tooltip="import nothing"),
    ]

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines
        self._answered = False

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        with Vertical(id="box"):
            yield Static("Run this code?", id="question", markup=False)
            yield Static("\n".join(map(name, self._lines)), id="explanation", markup=False)
            yield Static("y  run it, now and later      n  no", id="answers", markup=False)
        yield KeyBar()

    def action_answer(self, answer: bool) -> None:
        if not self._answered:
            self._answered = True
            self.dismiss(answer)
