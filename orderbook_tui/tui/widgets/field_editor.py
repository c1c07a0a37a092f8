"""The input that lies over a field of a form."""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets.input import Selection

from orderbook_tui.engine.drafting import FormField
from orderbook_tui.tui.widgets.plain_input import PlainInput

_MOST_SUGGESTED = 2_000
Carry = Callable[[int], None]


class FieldEditor(PlainInput):
    """Edits one field at a time. It is carried to another at once, so that what is typed next goes there and not here."""

    DEFAULT_CSS = """
    FieldEditor {
        layer: above;
        position: absolute;
        display: none;
        background: $accent 22%;

        &.-textual-compact {
            padding: 0 0 0 2;
        }

        &:focus {
            background: $accent 22%;
            background-tint: $foreground 0%;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,tab", "carry(1)", "Next field", id="editor.next", tooltip="keep this, and go to the next field"),
        Binding("shift+tab", "carry(-1)", "Previous", show=False, id="editor.previous", tooltip="go to the field before"),
        Binding("down", "carry_line(1)", "Down", show=False, id="editor.down", tooltip="go to the field below"),
        Binding("up", "carry_line(-1)", "Up", show=False, id="editor.up", tooltip="go to the field above"),
        Binding("escape", "put_away", "Leave field", id="editor.leave", tooltip="keep this, and leave the field"),
    ]

    class Edited(Message):
        """A field has another text."""

        def __init__(self, path: str, text: str) -> None:
            super().__init__()
            self.path, self.text = path, text

    def __init__(self, carry: Carry, carry_line: Carry, put_away: Callable[[], None]) -> None:
        self._carry, self._carry_line, self._put_away = carry, carry_line, put_away
        self.path = ""
        """The field that is being edited."""
        self._given = ""
        super().__init__(id="editor")

    def put(self, field: FormField) -> None:
        """Edit `field` from now on. All of it is selected: what is typed takes its place."""
        if field.path != self.path:
            choices = field.choices[:_MOST_SUGGESTED]
            self.suggester = SuggestFromList(choices, case_sensitive=False) if choices else None
        self.path, self._given = field.path, field.text
        self.value = field.text
        self.selection = Selection(0, len(field.text))

    def watch_value(self, value: str) -> None:
        """Tell what was typed, with the field that it was typed into: the next key may be one that goes on."""
        if self.path and value != self._given:
            self._given = value
            self.post_message(self.Edited(self.path, value))

    def action_carry(self, by: int) -> None:
        self._carry(by)

    def action_carry_line(self, by: int) -> None:
        self._carry_line(by)

    def action_put_away(self) -> None:
        self._put_away()
