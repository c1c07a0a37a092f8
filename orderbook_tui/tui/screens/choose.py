"""Which of many take part: a list to find things in, and to take them or not."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.widgets.check_list import CheckList, Choice
from orderbook_tui.tui.widgets.cursor_list import CursorList
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.plain_input import PlainInput
from orderbook_tui.tui.widgets.status_strip import StatusStrip


class ChooseScreen(DialogScreen[dict[str, bool] | None]):
    """Answers what is taken now that was not, and the other way round."""

    CSS_PATH = "draft_dialogs.tcss"
    AUTO_FOCUS = "CheckList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find", key_display="/", id="choose.find", tooltip="list only what is called so"),
        Binding("escape", "close", "Back", id="choose.close", tooltip="leave things as they were"),
    ]

    def __init__(self, title: str, choices: Sequence[tuple[str, str, bool]]) -> None:
        super().__init__()
        self._title = title
        self._choices = [Choice(*choice) for choice in choices]

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        with Vertical(id="box", classes="-tall"):
            yield Static("", id="count", markup=False)
            yield PlainInput(placeholder="/ to find by name", id="find")
            yield CheckList(self._choices, id="choices")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#box").border_title = self._title
        self.pulse()
        self._count()

    def on_check_list_toggled(self) -> None:
        self._count()

    def on_cursor_list_chosen(self, event: CursorList.Chosen) -> None:
        self.dismiss(self.query_one(CheckList).changes())

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one(CheckList).find(event.value)

    def on_input_submitted(self) -> None:
        self.query_one(CheckList).focus()

    def action_find(self) -> None:
        self.query_one("#find").focus()

    def action_close(self) -> None:
        if self.query_one("#find").has_focus:
            self.query_one(CheckList).focus()
        else:
            self.dismiss(None)

    def _count(self) -> None:
        taken = len(self.query_one(CheckList).taken)
        self.query_one("#count", Static).update(f"{taken:,} of {len(self._choices):,} take part")
