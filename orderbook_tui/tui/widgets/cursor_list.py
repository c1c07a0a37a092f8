"""A list of any length with a cursor, of which only the lines in view are made.

    line 0        the header, which stays (where there is one)
    line 1, 2 ..  rows, made when they are seen

A list says how many rows it has and what a row looks like; moving, scrolling, choosing with Enter or a click are here.
"""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orderbook_tui.tui.theme import Inks, inks_on


class CursorList(ScrollView, can_focus=True):
    """Shows rows, one of them under the cursor."""

    DEFAULT_CSS = """
    CursorList {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
    }
    """
    HEADER: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up", tooltip="one line up"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down", tooltip="one line down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up", tooltip="one page up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down", tooltip="one page down"),
        Binding("home", "first", "First", show=False, id="list.first", tooltip="the first line"),
        Binding("end,G", "last", "Last", show=False, id="list.last", tooltip="the last line"),
        Binding("enter", "choose", "Choose", id="list.choose", tooltip="choose the line under the cursor"),
    ]

    class Chosen(Message):
        """Enter was pressed on a row, or it was clicked."""

        def __init__(self, of: "CursorList", place: int) -> None:
            super().__init__()
            self.of, self.place = of, place

        @property
        def control(self) -> "CursorList":
            return self.of

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._cursor = 0
        self._inks: tuple[Inks, Inks] | None = None

    # What a list of some kind says

    @property
    def count(self) -> int:
        """How many rows there are."""
        return 0

    def header(self) -> str:
        """Return the titles of the columns."""
        return ""

    def row(self, place: int, ink: Inks) -> Sequence[Segment]:
        """Return what a row shows; it is cut and padded to the width."""
        return ()

    def nothing(self) -> str:
        """Return what stands in place of rows where there are none."""
        return ""

    # Rows and cursor

    @property
    def cursor(self) -> int:
        return self._cursor

    def rows_changed(self) -> None:
        """Show the rows as they are now."""
        if self.count:  # rows that are gone may come back: the cursor waits for them
            self._cursor = min(self._cursor, self.count - 1)
        height = self.count + self.HEADER
        if self.virtual_size != Size(self.size.width, height):
            self.virtual_size = Size(self.size.width, height)
        self.refresh()

    def move_to(self, place: int) -> None:
        """Put the cursor on a row, and the row into view."""
        before, self._cursor = self._cursor, max(0, min(place, self.count - 1))
        height, first = self.size.height - self.HEADER, self.scroll_offset.y
        if height > 0 and not first <= self._cursor < first + height:
            top = self._cursor if self._cursor < first else self._cursor - height + 1
            self.scroll_to(y=max(top, 0), animate=False, force=True, immediate=True)
        if before != self._cursor:
            self._refresh_row(before)
            self._refresh_row(self._cursor)
            self.screen.refresh_bindings()

    def text(self) -> str:
        """Return what is in view, without its colours."""
        return "\n".join(self.render_line(y).text.rstrip() for y in range(self.size.height))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "choose" or self.count > 0

    def action_move(self, by: int) -> None:
        self.move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        self.move_to(self._cursor + by * max(self.size.height - self.HEADER - 1, 1))

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(self.count - 1)

    def action_choose(self) -> None:
        if self.count:
            self.post_message(self.Chosen(self, self._cursor))

    def on_click(self, event: events.Click) -> None:
        place = event.y - self.HEADER + self.scroll_offset.y
        if event.y >= self.HEADER and place < self.count:
            again = place == self._cursor
            self.move_to(place)
            if again or event.chain > 1:
                self.action_choose()

    def on_focus(self) -> None:
        self._refresh_row(self._cursor)

    def on_blur(self) -> None:
        self._refresh_row(self._cursor)

    def on_resize(self) -> None:
        self.rows_changed()
        self.move_to(self._cursor)

    def _refresh_row(self, place: int) -> None:
        y = place - self.scroll_offset.y + self.HEADER
        if self.HEADER <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self._inks is None:
            self._inks = inks_on(self)
        ink, marked = self._inks
        if y == 0 and self.HEADER:
            return _line([Segment(" " + self.header(), ink.muted)], width, ink)
        place = y - self.HEADER + self.scroll_offset.y
        if place >= self.count:
            words = self.nothing() if not self.count and place == 0 else ""
            return _line([Segment(f" {words}", ink.muted)], width, ink)
        if place == self._cursor and self.has_focus:
            return _line([Segment("▌", marked.accent), *self.row(place, marked)], width, marked)
        return _line([Segment(" ", ink.plain), *self.row(place, ink)], width, ink)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._inks = None


def _line(segments: list[Segment], width: int, ink: Inks) -> Strip:
    return Strip(segments).crop(0, width).extend_cell_length(width, ink.plain)
