"""A field to type into that shows whatever is typed, pasted or put into it harmlessly: one cell or more a character."""

import unicodedata
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input

from orderbook_tui.core.words import harmless
from orderbook_tui.tui.key_order import act_now

LONGEST: Final = 20_000
"""What is longer is cut when it is pasted: nobody types it."""


class PlainInput(Input):
    """An input on one line. What could steer the terminal stands there as a sign of one cell; its value is kept as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Done", id="input.submit", tooltip="take what is typed"),
    ]

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)
    """An input that grows by a character needs no new layout of the whole screen: its own size stays."""

    def __init__(self, value: str = "", *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(value, placeholder=placeholder, id=id, compact=True, max_length=LONGEST)
        self.cursor_blink = False

    async def _on_key(self, event: events.Key) -> None:
        await act_now(self, event)

    @property
    def _value(self) -> Text:
        return Text(signs(self.value), no_wrap=True, overflow="ignore", end="")

    def _position_to_cell(self, position: int) -> int:
        return cell_len(signs(self.value[:position]))


def signs(text: str) -> str:
    """Return `text` with a sign for each character that could steer a terminal, or that it would count differently."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_sign, text))


def _sign(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if harmless(character) != character or unicodedata.category(character).startswith("M"):
        return "·"
    return character
