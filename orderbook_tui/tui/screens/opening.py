"""How far the reading of a checkpoint is. A small one is read before this is seen."""

from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from orderbook_tui.tui.figures import name
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.theme import inks, on_paper
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.status_strip import StatusStrip, bar_parts

_THOUSANDTHS = 1000


class _Bar(Widget):
    """A bar, and what is being done."""

    DEFAULT_CSS = "_Bar { height: 1; margin-top: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.doing, self.share = "opening", 0.0

    def render_line(self, y: int) -> Strip:
        ink, room = inks(self.app), max(self.size.width - 18, 8)
        parts = [
            *bar_parts(int(self.share * _THOUSANDTHS), _THOUSANDTHS, room, ink),
            (f" {int(100 * self.share):>3}% {self.doing}", ink.plain),
        ]
        return on_paper(self, Strip([Segment(text, style) for text, style in parts]).crop(0, self.size.width))


class OpeningScreen(DialogScreen[None]):
    """Shows progress; there is nothing to answer. `note` may be called from the thread that reads."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "leave", "Quit", id="opening.leave", tooltip="leave once it is read, and let go of it"),
    ]

    def __init__(self, simulation_id: str) -> None:
        super().__init__()
        self._simulation_id = simulation_id
        self._noted = ("opening", 0.0)

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        with Vertical(id="box"):
            yield Static(f"Opening {name(self._simulation_id)}", id="question", markup=False)
            yield _Bar()
        yield KeyBar()

    def action_leave(self) -> None:
        self.run_app.leaving.go()

    def note(self, doing: str, share: float) -> None:
        """Note what is being done, and how much of the whole is."""
        self._noted = (doing, share)

    def pulse(self) -> None:
        super().pulse()
        bar = self.query_one(_Bar)
        if (bar.doing, bar.share) != self._noted:
            bar.doing, bar.share = self._noted
            bar.refresh()
