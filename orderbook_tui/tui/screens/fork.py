"""The name of a fork."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from orderbook_tui.engine.catalog import fork_checkpoint
from orderbook_tui.tui.checkpoint_lines import Line
from orderbook_tui.tui.figures import LONGEST_NAME, name
from orderbook_tui.tui.screens.work_dialog import WorkDialog
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.plain_input import PlainInput
from orderbook_tui.tui.widgets.status_strip import StatusStrip


class ForkScreen(WorkDialog[str]):
    """Makes a fork of a checkpoint under a name that one may change. Answers with its id."""

    CSS_PATH = "work_dialog.tcss"
    AUTO_FOCUS = "#name"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_ahead", "Fork", id="fork.go_ahead", tooltip="make the fork"),
        Binding("escape", "close", "Back", id="fork.close", tooltip="make none"),
    ]

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def compose(self) -> ComposeResult:
        info = self._line.info
        yield StatusStrip()
        with Vertical(id="box"):
            yield Static(
                f"A new run that starts where this one is: {self._line.ended:,} of {info.total_slots:,} slots have ended.",
                markup=False,
            )
            yield Static("Its name", classes="label", markup=False)
            yield PlainInput(f"{self._line.called[: LONGEST_NAME - 5]} fork", id="name")
            yield Static("", id="said", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#box").border_title = f"Fork {name(self._line.called, 40)}".replace("[", "\\[")
        self.pulse()

    @property
    def called(self) -> str:
        """The name of the fork, as it is typed."""
        return self.query_one(PlainInput).value.strip()

    def on_input_submitted(self) -> None:
        if not self.is_working:
            self.action_go_ahead()

    def action_go_ahead(self) -> None:
        folder, simulation_id, called = self.run_app.state_dir, self._line.info.id, self.called
        self.do("Forking ...", lambda: fork_checkpoint(folder, simulation_id, called or None))
