"""The ladder: the prices of a market with what rests at each, asks above, bids below, the spread in the middle.

      cumulative   quantity  orders      price   depth          slots
        0.900000   0.500000       2  60,020.00   ━━━━╍╍╍╍       12, 14
        0.400000   0.400000       1  60,010.00   ━━━            8
                                  spread 20.00
        0.300000   0.300000       1  59,990.00   ━━             9

A price opens into its orders, first come first. What is under the cursor stays under it while prices come and go.
"""

from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orderbook_tui.core.book import Side
from orderbook_tui.core.market import Market
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.market_view import Books, DepthLevel
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.theme import Inks, inks_on
from orderbook_tui.tui.widgets.ladder_line import LadderLine, measured
from orderbook_tui.tui.widgets.ladder_rows import Marks, OrderRow, Row, Spread, Words, key, read_rows

OWN_ONLY: Final = "own open orders only: the venue's book is not known here"


class Ladder(ScrollView, can_focus=True):
    """Shows the book of one market, and a cursor on its prices and orders."""

    DEFAULT_CSS = """
    Ladder {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        background: $background;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="ladder.up", tooltip="one price or order up"),
        Binding("down,j", "move(1)", "Down", show=False, id="ladder.down", tooltip="one price or order down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="ladder.page_up", tooltip="one page of prices up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="ladder.page_down", tooltip="one page of prices down"),
        Binding("home", "first", "First", show=False, id="ladder.first", tooltip="the highest price"),
        Binding("end,G", "last", "Last", show=False, id="ladder.last", tooltip="the lowest price"),
        Binding("b", "best", "Best", show=False, id="ladder.best", tooltip="back to the best prices, and keep to them"),
        Binding("enter", "open", "Orders", id="ladder.open", tooltip="the orders at a price, in priority; all about an order"),
    ]

    class Moved(Message):
        """The cursor is on another price or order."""

    class Opened(Message):
        """An order was chosen, to be shown in full."""

        def __init__(self, slot: ActionSlot) -> None:
            super().__init__()
            self.slot = slot

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._simulation: Simulation | None = None
        self._market: Market | None = None
        self._books: Books | None = None
        self._marks = Marks()
        self._rows: list[Row] = []
        self._middle = 0
        self._cursor = 0
        self._opened: set[tuple[Side, int]] = set()
        self._chosen: int | None = None
        self._version: tuple[object, ...] = ()
        self._inks: tuple[Inks, Inks] | None = None
        self._line: LadderLine | None = None

    # What is shown

    @property
    def row(self) -> Row | None:
        """What the cursor is on."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    @property
    def slot(self) -> ActionSlot | None:
        """The slot whose order is chosen: under the cursor, the first one at a price, or one that was chosen and has gone."""
        if self._simulation is None:
            return None
        row, chosen = self.row, self._chosen
        if chosen is None and isinstance(row, DepthLevel):
            chosen = row.slots[0]
        return self._simulation.slots[chosen] if chosen is not None else None

    @property
    def is_on_a_price(self) -> bool:
        """Whether the cursor is on a price, and not on an order or between the prices."""
        return isinstance(self.row, DepthLevel)

    @property
    def levels(self) -> list[DepthLevel]:
        """The levels that are listed, from the highest price to the lowest."""
        return [row for row in self._rows if isinstance(row, DepthLevel)]

    def show(self, simulation: Simulation | None, market: Market | None, books: Books | None) -> None:
        """Show the book of a market."""
        self._simulation, self._market, self._books = simulation, market, books
        self._opened.clear()
        self._rows, self._line, self._cursor, self._chosen, self._version = [], None, 0, None, ()
        self.look()
        self._put(self._middle)

    def mark(self, marks: Marks) -> None:
        """Mark these orders."""
        if marks != self._marks:
            self._marks, self._line = marks, None
            self.refresh()

    def look(self) -> None:
        """Read the book again if anything has happened, and redraw what is not the same."""
        simulation, market, books = self._simulation, self._market, self._books
        if simulation is None or market is None or books is None:
            self._take([])
            return
        version = (len(simulation.state.journal), books.unread, self._marks, simulation.status, frozenset(self._opened))
        if version != self._version:
            self._version = version
            self._take(read_rows(simulation, market, books, self._marks.account, self._opened))

    def lines(self) -> list[str]:
        """Return what is in view, without its colours."""
        return ["".join(segment.text for segment in self.render_line(y)).rstrip() for y in range(self.size.height)]

    def _take(self, rows: list[Row]) -> None:
        """Show these rows; the cursor stays on what it was on, at the height where it was."""
        if rows == self._rows:
            return
        row, kept = self.row, self._cursor - self.scroll_offset.y + self._room_above
        self._rows, self._line = rows, None
        self._middle = next((place for place, each in enumerate(rows) if isinstance(each, Spread)), 0)
        places = {key(each): place for place, each in enumerate(rows)}
        wanted = places.get(key(row)) if row is not None else None
        if wanted is None and isinstance(row, OrderRow) and row.level is not None:
            wanted = places.get(key(row.level))
        self._cursor = self._middle if wanted is None else wanted
        self._resize()
        if self._cursor == self._middle:
            self._center()
        else:
            self._scroll(self._cursor + self._room_above - kept)
        self._keep_in_view()
        self.refresh()

    # Moving

    def action_move(self, by: int) -> None:
        self._move(self._cursor + by, 1 if by > 0 else -1)

    def action_page(self, by: int) -> None:
        self._move(self._cursor + by * max(self._page - 1, 1), by)

    def action_first(self) -> None:
        self._move(0, 1)
        self._scroll(0)

    def action_last(self) -> None:
        self._move(len(self._rows) - 1, -1)
        self._scroll(self._room_above + len(self._rows) - self._page)

    def action_best(self) -> None:
        self._move(self._middle, 1)
        self._center()

    def action_open(self) -> None:
        match self.row:
            case DepthLevel(side=side, price=ticks):
                self._opened ^= {(side, ticks)}
                self.look()
            case OrderRow():
                if (slot := self.slot) is not None:
                    self.post_message(self.Opened(slot))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "open" or isinstance(self.row, DepthLevel | OrderRow)

    def on_click(self, event: events.Click) -> None:
        where = event.get_content_offset(self)
        place = self._place_at(where.y) if where is not None else None
        if place is not None and not isinstance(self._rows[place], Words):
            if place == self._cursor and event.chain > 1:
                self.action_open()
            else:
                self._move(place, 1)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self._line = None
        self._resize()
        if self._cursor == self._middle:
            self._center()
        self._keep_in_view()

    def _move(self, place: int, onward: int) -> None:
        """Put the cursor on a row that can be chosen: the next one onward from `place`, or else the last before it."""
        rows = self._rows
        place = max(0, min(place, len(rows) - 1))
        there, back = [*range(place, len(rows))], [*range(place - 1, -1, -1)]
        ways = there + back if onward > 0 else there[:1] + back + there[1:]
        found = next((each for each in ways if not isinstance(rows[each], Words)), None)
        if found is not None:
            self._put(found)

    def _put(self, place: int) -> None:
        self._cursor = place
        row = self.row
        self._chosen = row.slot if isinstance(row, OrderRow) else None
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Moved())

    # Where things are

    @property
    def _head(self) -> int:
        """Lines that stay on top."""
        return 2 if self._books is not None and self._books.own_only else 1

    @property
    def _page(self) -> int:
        return max(self.size.height - self._head, 1)

    @property
    def _is_book(self) -> bool:
        return self._middle < len(self._rows) and isinstance(self._rows[self._middle], Spread)

    @property
    def _room_above(self) -> int:
        """Empty lines above the highest price, so that the spread can stand in the middle."""
        return max(self._page // 2 - self._middle, 0) if self._is_book else 0

    def _resize(self) -> None:
        below = len(self._rows) - self._middle - 1
        room_below = max(self._page - self._page // 2 - 1 - below, 0) if self._is_book else 0
        self.virtual_size = Size(self.size.width, self._head + self._room_above + len(self._rows) + room_below)

    def _center(self) -> None:
        self._scroll(self._room_above + self._middle - self._page // 2)

    def _scroll(self, y: int) -> None:
        self.scroll_to(y=max(y, 0), animate=False, force=True, immediate=True)

    def _keep_in_view(self) -> None:
        place, first = self._cursor + self._room_above, self.scroll_offset.y
        if place < first:
            self._scroll(place)
        elif place >= first + self._page:
            self._scroll(place - self._page + 1)

    def _place_at(self, y: int) -> int | None:
        place = y - self._head + self.scroll_offset.y - self._room_above
        return place if y >= self._head and 0 <= place < len(self._rows) else None

    # Drawing

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._line = None

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._inks = None

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self._inks is None:
            self._inks = inks_on(self)
        ink, marked = self._inks
        place, drawn = self._place_at(y), self._drawn()
        if drawn is None or (place is None and y >= self._head):
            segments = []
        elif place is None:
            titles = drawn.header(ink) if self._is_book else []
            segments = titles if y == self._head - 1 else [Segment(f" {OWN_ONLY}", ink.warn)]
        elif place == self._cursor and not isinstance(self._rows[place], Words):
            ink = marked if self.has_focus else ink
            segments = [Segment("▌", ink.accent if self.has_focus else ink.muted), *drawn.segments(self._rows[place], ink)]
        else:
            segments = [Segment(" ", ink.plain), *drawn.segments(self._rows[place], ink)]
        line = Strip(segments)
        if line.cell_length < width:
            return Strip([*segments, Segment(" " * (width - line.cell_length), ink.plain)], width)
        return line.crop(0, width)

    def _drawn(self) -> LadderLine | None:
        """Return what draws the rows, measured for what is in view."""
        if self._line is None and self._simulation is not None and self._market is not None:
            first = max(self.scroll_offset.y - self._room_above, 0)
            columns = measured(self._market, self._rows, self._rows[first : first + self._page], self.size.width)
            self._line = LadderLine(self._simulation, self._market, self._marks, columns, self.size.width)
        return self._line
