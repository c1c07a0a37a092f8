"""A path to save a draft at."""

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from orderbook_tui.engine.drafting import ConfigDraft
from orderbook_tui.errors import OrderbookTuiError
from orderbook_tui.tui.figures import fit_middle, message, name
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.screens.confirm import ConfirmScreen
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.plain_input import PlainInput
from orderbook_tui.tui.widgets.status_strip import StatusStrip


class SaveConfigScreen(DialogScreen[bool]):
    """Saves the draft; answers whether it did. A file that is there is replaced only after asking."""

    CSS_PATH = "draft_dialogs.tcss"
    AUTO_FOCUS = "#path"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "save", "Save", id="save_config.save", tooltip="save the draft there"),
        Binding("escape", "close", "Back", id="save_config.close", tooltip="back to the form, without saving"),
    ]

    def __init__(self, draft: ConfigDraft) -> None:
        super().__init__()
        self._draft = draft

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        with Vertical(id="box"):
            yield Static("The path of the file:", markup=False)
            yield PlainInput(str(self._draft.path or self._draft.folder / "simulator.json"), id="path")
            yield Static("", id="refused", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#box").border_title = "Save the draft as a config file"
        self.pulse()

    def key_label(self, action: str) -> str | None:
        return "Save" if action == "submit" else None

    def on_input_submitted(self) -> None:
        self.action_save()

    def on_input_changed(self) -> None:
        self._refuse("")

    def action_save(self) -> None:
        text = self.query_one(PlainInput).value.strip()
        if not text:
            self._refuse("say where")
            return
        path = Path(text).expanduser()
        try:
            is_there = path.exists()
        except (OSError, ValueError):
            is_there = False
        if not is_there or path.is_dir():
            self._save(path, replace=False)
            return
        called = fit_middle(name(path.name), min(len(name(path.name)), 40)).rstrip()
        self.app.push_screen(
            ConfirmScreen(f"Replace {called}?", "The file is there already. What it says now is lost."),
            lambda yes: self._save(path, replace=True) if yes else None,
        )

    def action_close(self) -> None:
        self.dismiss(result=False)

    def _save(self, path: Path, *, replace: bool) -> None:
        try:
            self._draft.save(path, replace=replace)
        except (OrderbookTuiError, OSError, ValueError) as error:
            self._refuse(str(error))
        else:
            self.dismiss(result=True)

    def _refuse(self, words: str) -> None:
        self.query_one("#refused", Static).update(Text(f"✗ {message(words)}") if words else "")
