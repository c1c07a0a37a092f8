"""The table of the slots, of all or of those that a filter matches, of which only the lines in view exist.

    line 0        the header, which stays
    line 1, 2 ..  rows[scroll], rows[scroll + 1] ..    drawn from the live slots when they are seen or have changed

`look` compares the slots in view, and their versions, with those that were drawn, and has redrawn what differs. So a frame
costs what is on the screen, whatever the number of slots. The cursor is on a slot, not on a line: while other slots come into
a filter's view or leave it, its line stays where it is on the screen. When its own slot leaves, it is on the next.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import fit
from orderbook_tui.tui.matching_slots import MatchingSlots
from orderbook_tui.tui.theme import Inks, inks_on
from orderbook_tui.tui.widgets.slot_line import SlotLines, Version, version

_KEPT: Final = 400
"""Lines that are kept as they were drawn."""


class SlotTable(ScrollView, can_focus=True):
    """Shows the slots of a simulation, a cursor, and (in follow mode) always the slot where the run is."""

    DEFAULT_CSS = """
    SlotTable {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $background;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="slots.up", tooltip="one slot up"),
        Binding("down,j", "move(1)", "Down", show=False, id="slots.down", tooltip="one slot down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="slots.page_up", tooltip="one page up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="slots.page_down", tooltip="one page down"),
        Binding("home", "first", "First", show=False, id="slots.first", tooltip="the first slot"),
        Binding("end,G", "last", "Last", show=False, id="slots.last", tooltip="the last slot"),
        Binding("enter", "open", "Details", id="slots.details", tooltip="all about the slot under the cursor"),
    ]

    class Moved(Message):
        """The cursor is on another slot."""

    class Opened(Message):
        """A slot was chosen, to be shown in full."""

        def __init__(self, slot: ActionSlot) -> None:
            super().__init__()
            self.slot = slot

    class Picked(Message):
        """A cell was clicked with the right button."""

        def __init__(self, slot: ActionSlot, column: str) -> None:
            super().__init__()
            self.slot, self.column = slot, column

    following: reactive[bool] = reactive(default=True)
    """Whether the cursor keeps to the slot where the run is."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._simulation: Simulation | None = None
        self._rows: Sequence[ActionSlot] | MatchingSlots = []
        self._place_of: Callable[[int], int] = int
        self._wanted = 0
        """The sequence that the cursor is to be on: it is there as soon as that is in a row."""
        self._cursor = 0
        """The row where the cursor is."""
        self._count = 0
        self._lines = SlotLines()
        self._drawn: dict[int, tuple[int, Version]] = {}
        """What each line of the screen shows."""
        self._strips: dict[int, tuple[Version, Strip]] = {}
        self._inks: tuple[Inks, Inks] | None = None

    # What is shown

    @property
    def cursor(self) -> int:
        """The row under the cursor; without a filter that is the slot's sequence."""
        return self._cursor

    @property
    def slot(self) -> ActionSlot | None:
        """The slot under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    @property
    def columns(self) -> list[str]:
        """The columns that the width allows."""
        return self._lines.columns

    def show(self, simulation: Simulation | None) -> None:
        """Show all slots of `simulation`, from where its run is."""
        self._simulation = simulation
        self._strips.clear()
        self._lines = SlotLines(simulation)
        self._lines.measure(self.size.width)
        self._wanted = self._cursor = 0
        self.following = True
        self.narrow(None)

    def narrow(self, matching: MatchingSlots | None) -> None:
        """Show only the slots that match; None: all. The cursor stays on its slot, if that is among them."""
        if (slot := self.slot) is not None:
            self._wanted = slot.sequence
        all_slots = self._simulation.slots if self._simulation is not None else []
        self._rows, self._place_of = (all_slots, int) if matching is None else (matching, matching.place_of)
        self._drawn.clear()
        self._settle()
        self._put(self._cursor)
        self.refresh()

    def look(self) -> None:
        """Have the lines redrawn that no longer show what is."""
        self._settle()
        rows, drawn, first = self._rows, self._drawn, self.scroll_offset.y - 1
        changed = []
        for y in range(1, self.size.height):
            slot = rows[first + y] if first + y < self._count else None
            if drawn.get(y) != (None if slot is None else (slot.sequence, version(slot))):
                changed.append(Region(0, y, self.size.width, 1))
        if len(changed) > 8:
            self.refresh()
        elif changed:
            self.refresh(*changed)

    def lines(self) -> list[str]:
        """Return what is in view, without its colours."""
        return [self.render_line(y).text.rstrip() for y in range(self.size.height)]

    def row_text(self) -> str | None:
        """Return the line under the cursor as a line for a spreadsheet, with all columns."""
        return self._lines.row(slot) if (slot := self.slot) is not None else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "open" or self.slot is not None

    # Moving

    def move_to(self, place: int) -> None:
        """Put the cursor on a row, and stop following."""
        self.following = False
        if self._count:
            self._wanted = self._rows[max(0, min(place, self._count - 1))].sequence
        self._put(place)

    def go_to(self, sequence: int) -> None:
        """Put the cursor on a slot, or on the next one that is shown, and stop following."""
        self.following = False
        self._wanted = sequence
        self._put(self._place_of(sequence))

    def action_move(self, by: int) -> None:
        self._settle()
        self.move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        self._settle()
        self.move_to(self._cursor + by * max(self.size.height - 2, 1))

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(self._count - 1)

    def action_open(self) -> None:
        if (slot := self.slot) is not None:
            self.post_message(self.Opened(slot))

    def on_click(self, event: events.Click) -> None:
        place = event.y - 1 + self.scroll_offset.y
        if event.y == 0 or place >= self._count:
            return
        again = place == self._cursor
        self.move_to(place)
        slot, column = self._rows[place], self._lines.column_at(event.x)
        if event.button == 3 and column is not None:
            self.post_message(self.Picked(slot, column))
        elif again and event.chain > 1:
            self.action_open()

    def on_resize(self, event: events.Resize) -> None:
        self._measure()
        self.virtual_size = Size(event.size.width, self._count + 1)
        self._put(self._cursor)

    def watch_following(self, following: bool) -> None:
        if following and self.is_mounted:
            self._settle()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._drawn.clear()

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.following = False
        super()._on_mouse_scroll_up(event)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.following = False
        super()._on_mouse_scroll_down(event)

    def _settle(self) -> None:
        """Take note of the rows that there are now, and put the cursor on the row of its slot."""
        count = len(self._rows)
        if count != self._count:
            self._count = count
            self.virtual_size = Size(self.size.width, count + 1)
        if self.following and self._simulation is not None:
            self._wanted = self._simulation.state.current_slot_index
            # The last one shown that the run has come to.
            self._put(self._place_of(self._wanted + 1) - 1, center=True)
            return
        place = max(0, min(self._place_of(self._wanted), count - 1))
        if (moved := place - self._cursor) and self._is_in_view(self._cursor):
            # Rows have come or gone above: the line under the cursor stays where it is on the screen.
            self._scroll(self.scroll_offset.y + moved)
            self._put(place)
        else:
            self._cursor = place

    def _put(self, place: int, *, center: bool = False) -> None:
        place = max(0, min(place, self._count - 1))
        before, self._cursor = self._cursor, place
        if self.size.height > 1 and not self._is_in_view(place):
            height, first = self.size.height - 1, self.scroll_offset.y
            # Following, a page of room is left ahead, so that the lines move once a page and not with every slot.
            self._scroll(place - (2 if center and place > first else 0 if place < first else height - 1))
        if place != before:
            self._refresh_row(before)
            self._refresh_row(place)
            self.post_message(self.Moved())

    def _is_in_view(self, place: int) -> bool:
        return self.scroll_offset.y <= place < self.scroll_offset.y + self.size.height - 1

    def _scroll(self, first: int) -> None:
        last = max(self._count - self.size.height + 1, 0)
        self.scroll_to(y=max(0, min(first, last)), animate=False, force=True, immediate=True)

    def _refresh_row(self, place: int) -> None:
        y = place - self.scroll_offset.y + 1
        if 0 < y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # Drawing

    def render_line(self, y: int) -> Strip:
        if self._inks is None:
            self._inks = inks_on(self)
        ink, marked = self._inks
        if y == 0:
            return self._lines.header(ink)
        place = y - 1 + self.scroll_offset.y
        if place >= len(self._rows):
            self._drawn.pop(y, None)
            words = " no slot matches" if place == 0 and self._simulation is not None else ""
            return Strip([Segment(fit(words, self.size.width), ink.muted)], self.size.width)
        slot = self._rows[place]
        now = version(slot)
        self._drawn[y] = slot.sequence, now
        if place == self._cursor:
            return self._line(slot, "▌", marked)
        known = self._strips.get(slot.sequence)
        if known is None or known[0] != now:
            if len(self._strips) > _KEPT:
                self._strips.clear()
            known = self._strips[slot.sequence] = now, self._line(slot, " ", ink)
        return known[1]

    def _line(self, slot: ActionSlot, mark: str, ink: Inks) -> Strip:
        strip, grown = self._lines.line(slot, mark, ink)
        if grown:
            self.call_later(self._measure)
        return strip

    def _measure(self) -> None:
        if self._lines.measure(self.size.width):
            self._strips.clear()
            self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._inks = None
        self._strips.clear()
