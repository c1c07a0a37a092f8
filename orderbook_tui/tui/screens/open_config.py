"""A config file to edit: chosen from a folder, or typed as a path. What is wrong with it is said here, all of it."""

import asyncio
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from orderbook_tui.engine.drafting import ConfigDraft
from orderbook_tui.errors import ConfigError
from orderbook_tui.tui.figures import message, name
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.theme import inks
from orderbook_tui.tui.widgets.cursor_list import CursorList
from orderbook_tui.tui.widgets.file_list import FileList, entries
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.plain_input import PlainInput
from orderbook_tui.tui.widgets.status_strip import StatusStrip
from orderbook_tui.tui.widgets.text_lines import TextLines


class OpenConfigScreen(DialogScreen[ConfigDraft | None]):
    """Answers with the draft of the file that was chosen."""

    CSS_PATH = "draft_dialogs.tcss"
    AUTO_FOCUS = "FileList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "type", "Type a path", key_display="/", id="open_config.type", tooltip="type the path of a file"),
        Binding("backspace", "up", "Up", id="open_config.up", tooltip="to the folder around this one"),
        Binding("escape", "close", "Back", id="open_config.close", tooltip="keep the draft as it is"),
    ]

    def __init__(self, folder: Path, *, unsaved: bool) -> None:
        super().__init__()
        self._folder = folder.absolute()
        self._unsaved = unsaved

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        with Vertical(id="box", classes="-tall"):
            yield Static("", id="folder", markup=False)
            yield PlainInput(placeholder="/ to type a path", id="path")
            yield FileList(id="files")
            yield TextLines(id="problems")
        yield KeyBar()

    def on_mount(self) -> None:
        title = "Load a config"
        self.query_one("#box").border_title = title + (", in place of the draft, which is not saved" if self._unsaved else "")
        self.pulse()
        self._list(self._folder)

    def on_cursor_list_chosen(self, event: CursorList.Chosen) -> None:
        entry = self.query_one(FileList).entries[event.place]
        if entry.called == "..":
            self.action_up()
        else:
            self._go(self._folder / entry.called)

    def key_label(self, action: str) -> str | None:
        return "Load" if action in ("submit", "choose") else None

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if text := event.value.strip():
            self._go(self._folder / Path(text).expanduser())

    def action_type(self) -> None:
        self.query_one("#path").focus()

    def action_up(self) -> None:
        self._list(self._folder.parent, self._folder.name)

    def action_close(self) -> None:
        if self.query_one("#path").has_focus:
            self.query_one(FileList).focus()
        else:
            self.dismiss(None)

    def _go(self, path: Path) -> None:
        """List a folder, load a file."""
        try:
            is_folder = path.is_dir()
        except (OSError, ValueError):
            is_folder = False
        if is_folder:
            self._list(path)
        else:
            self._load(path)

    @work(exclusive=True, group="list")
    async def _list(self, folder: Path, at: str = "") -> None:
        try:
            self._folder, found = await asyncio.to_thread(entries, folder)
        except (OSError, ValueError) as error:
            self._complain([f"{folder} cannot be read: {getattr(error, 'strerror', None) or error}"])
            return
        self._complain([])
        self.query_one("#folder", Static).update(Text(name(str(self._folder)), overflow="ellipsis", no_wrap=True))
        files = self.query_one(FileList)
        files.show(found, at)
        files.focus()

    @work(exclusive=True, group="list")
    async def _load(self, path: Path) -> None:
        try:
            draft = await asyncio.to_thread(ConfigDraft.load, path)
        except ConfigError as error:
            self._complain([f"{path.name} cannot be loaded:", *map(str, error.problems)])
        except (OSError, ValueError) as error:
            self._complain([f"{path.name} cannot be loaded: {error}"])
        else:
            self.dismiss(draft)

    def _complain(self, words: list[str]) -> None:
        """Show what is wrong, from its beginning; Tab goes there to scroll."""
        ink, lines = inks(self.app), self.query_one("#problems", TextLines)
        lines.show([Text(message(said), ink.bad if place == 0 else ink.plain) for place, said in enumerate(words)])
        lines.display = bool(words)
        lines.scroll_home(animate=False)
