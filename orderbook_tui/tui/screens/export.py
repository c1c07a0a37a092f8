"""What of a run to write to a file, how, and where."""

import os
from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import RadioSet, Static

from orderbook_tui.engine.catalog import ExportFormat, export_checkpoint, export_file
from orderbook_tui.errors import FileThere
from orderbook_tui.tui.checkpoint_lines import Line, shortened
from orderbook_tui.tui.figures import message, name
from orderbook_tui.tui.screens.confirm import ConfirmScreen
from orderbook_tui.tui.screens.work_dialog import WorkDialog
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.plain_input import PlainInput
from orderbook_tui.tui.widgets.status_strip import StatusStrip
from orderbook_tui.tui.widgets.tick_box import RadioTick

WHAT: Final = {
    "slots": "slots: what was scheduled, and what became of it",
    "fills": "fills: every trade, with both sides and their fees",
    "history": "history: every movement of every budget",
    "attempts": "attempts: every try, with its error",
}
FORMS: Final = {ExportFormat.CSV: "csv, for spreadsheets", ExportFormat.JSONL: "jsonl, one JSON object a line"}


class _Choices(RadioSet):
    """A few answers, of which the one under the cursor is given; Enter goes ahead with all that is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "done", "Export", id="export.go_ahead_here", tooltip="write the file"),
    ]

    async def action_done(self) -> None:
        await self.screen.run_action("go_ahead")

    def action_next_button(self) -> None:
        super().action_next_button()
        self.action_toggle_button()

    def action_previous_button(self) -> None:
        super().action_previous_button()
        self.action_toggle_button()


class ExportScreen(WorkDialog[str]):
    """Writes rows of a run to a file, and answers with how many and where. What is there is replaced only after asking."""

    CSS_PATH = "work_dialog.tcss"
    AUTO_FOCUS = "#what"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_ahead", "Export", id="export.go_ahead", tooltip="write the file"),
        Binding("escape", "close", "Back", id="export.close", tooltip="write nothing"),
    ]

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line
        self._suggested = ""

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        with Vertical(id="box"):
            yield Static("What", markup=False)
            with _Choices(id="what", compact=True):
                for place, text in enumerate(WHAT.values()):
                    yield RadioTick(text, value=place == 0, compact=True)
            yield Static("As", classes="label", markup=False)
            with _Choices(id="form", compact=True):
                for place, text in enumerate(FORMS.values()):
                    yield RadioTick(text, value=place == 0, compact=True)
            yield Static("To", classes="label", markup=False)
            yield PlainInput(id="path")
            yield Static("", id="said", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#box").border_title = f"Export {name(self._line.called, 40)}".replace("[", "\\[")
        self._suggest()
        self.pulse()

    @property
    def what(self) -> str:
        return list(WHAT)[self._chosen("#what")]

    @property
    def form(self) -> ExportFormat:
        return list(FORMS)[self._chosen("#form")]

    @property
    def path(self) -> str:
        """Where to write, as it is typed."""
        return self.query_one(PlainInput).value.strip()

    def _chosen(self, radio: str) -> int:
        return max(self.query_one(radio, RadioSet).pressed_index, 0)

    def _suggest(self) -> None:
        """Propose a path that fits what is chosen, unless another one was typed."""
        if self.path in ("", self._suggested):
            self._suggested = f"{self._line.info.id}-{self.what}.{self.form.value}"
            self.query_one(PlainInput).value = self._suggested

    def on_radio_set_changed(self) -> None:
        self._suggest()

    def on_input_submitted(self) -> None:
        if not self.is_working:
            self.action_go_ahead()

    def action_go_ahead(self) -> None:
        self._export(replace=False)

    def _export(self, *, replace: bool) -> None:
        if not self.path:
            self.say("Say where to write it.", wrong=True)
            return
        what, form, line, app = self.what, self.form, self._line, self.run_app
        path, simulation = Path(os.path.abspath(os.path.expanduser(self.path))), app.simulation  # noqa: PTH100, PTH111

        def written() -> str:
            if line.here is not None and simulation is not None:
                rows = export_file(simulation, what, form, path, replace=replace)
            else:
                rows = export_checkpoint(app.state_dir, line.info.id, what, form, path, replace=replace)
            return f"{rows:,} {'row' if rows == 1 else 'rows'} of {what} in {path}"

        self.do("Writing ...", written)

    def refused(self, error: Exception) -> None:
        super().refused(error)
        if isinstance(error, FileThere):
            shown = shortened(message(self.path), 50)
            self.app.push_screen(
                ConfirmScreen(f"Replace {shown}?", "It is there already. What is in it is lost."),
                lambda yes: self._export(replace=True) if yes else None,
            )
