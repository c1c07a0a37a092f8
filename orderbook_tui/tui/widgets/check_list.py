"""A list of any length to choose from: each line is taken or not."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from orderbook_tui.tui.figures import fit_middle, name
from orderbook_tui.tui.theme import Inks
from orderbook_tui.tui.widgets.cursor_list import CursorList


class Choice(NamedTuple):
    """What can be taken or not: what it is, what it is called, and whether it is taken."""

    key: str
    called: str
    taken: bool


class CheckList(CursorList):
    """Shows choices, and which of them are taken."""

    HEADER: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "take", "Take or not", id="choose.toggle", tooltip="take what is under the cursor, or do not"),
        Binding("a", "take_all(True)", "All", id="choose.all", tooltip="take all that are listed"),
        Binding("x", "take_all(False)", "None", id="choose.none", tooltip="take none of those that are listed"),
        Binding("enter", "choose", "Done", id="choose.done", tooltip="leave it at what is taken"),
    ]

    class Toggled(Message):
        """Something is taken now that was not, or the other way round."""

    def __init__(self, choices: Sequence[Choice], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._choices = list(choices)
        self.taken = {choice.key for choice in choices if choice.taken}
        self._listed = self._choices

    @property
    def count(self) -> int:
        return len(self._listed)

    def find(self, text: str) -> None:
        """List only what is called so."""
        wanted = text.strip().casefold()
        self._listed = [
            choice for choice in self._choices if wanted in choice.called.casefold() or wanted in choice.key.casefold()
        ]
        self.rows_changed()

    def changes(self) -> dict[str, bool]:
        """Return what is taken that was not, and the other way round."""
        return {choice.key: choice.key in self.taken for choice in self._choices if choice.taken != (choice.key in self.taken)}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return True

    def action_take(self) -> None:
        if self.cursor < self.count:
            self.taken ^= {self._listed[self.cursor].key}
            self._toggled()

    def action_take_all(self, taken: bool) -> None:
        listed = {choice.key for choice in self._listed}
        self.taken = self.taken | listed if taken else self.taken - listed
        self._toggled()

    def action_choose(self) -> None:
        self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()  # what is clicked is toggled, and not the end of choosing
        place = event.y + self.scroll_offset.y
        if place < self.count:
            self.move_to(place)
            self.action_take()

    def nothing(self) -> str:
        return "Nothing is called so."

    def row(self, place: int, ink: Inks) -> Sequence[Segment]:
        choice = self._listed[place]
        taken = choice.key in self.taken
        called = name(choice.called)
        other = f"  {name(choice.key)}" if choice.key != choice.called else ""
        text = fit_middle(called, max(min(self.size.width - 6, len(called)), 8))
        return [
            Segment("[x] " if taken else "[ ] ", ink.good if taken else ink.muted),
            Segment(text, ink.plain if taken else ink.muted),
            Segment(other, ink.muted),
        ]

    def _toggled(self) -> None:
        self.refresh()
        self.post_message(self.Toggled())
