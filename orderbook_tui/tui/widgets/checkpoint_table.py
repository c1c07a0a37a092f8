"""The table of checkpoints: as many columns as the width allows, and a cursor that stays on its checkpoint."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from orderbook_tui.engine.catalog import CheckpointStatus
from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.tui.checkpoint_lines import ORDERS, Line, Order, many
from orderbook_tui.tui.figures import ago, fit, fit_middle, name, percent, size
from orderbook_tui.tui.theme import Inks
from orderbook_tui.tui.widgets.cursor_list import CursorList
from orderbook_tui.tui.widgets.status_strip import bar_parts


class Column(NamedTuple):
    """One column. Those of the lowest rank stay when the width gives out; what is left over goes to those that can grow."""

    title: str
    rank: int
    least: int
    most: int
    right: bool = False


COLUMNS: Final = {
    "name": Column("name", 0, 17, 40),
    "id": Column("id", 7, 32, 54),
    "run": Column("made of", 6, 21, 28),
    "state": Column("state", 0, 12, 12),
    "progress": Column("progress", 1, 9, 24),
    "slots": Column("slots", 4, 5, 24, right=True),
    "share": Column("", 0, 4, 4, right=True),
    "failed": Column("failed", 2, 7, 10, right=True),
    "size": Column("size", 5, 7, 7, right=True),
    "saved": Column("saved", 3, 10, 10, right=True),
}
"""The columns from left to right."""
_FAIR_NAME: Final = 24
_GROWING: Final = (("progress", 16), ("run", 28), ("id", 54), ("name", 40), ("progress", 24))
"""Which column takes what is left over, up to which width, in turn."""


class CheckpointTable(CursorList):
    """Shows lines in an order. A click on a title asks for another one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Resume", id="checkpoints.open", tooltip="take up the run under the cursor"),
    ]

    class Moved(Message):
        """The cursor is on another checkpoint."""

    class OrderAsked(Message):
        """A title was clicked by which the lines can be ordered."""

        def __init__(self, by: str) -> None:
            super().__init__()
            self.by = by

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._lines: list[Line] = []
        self._order = Order()
        self._none = ""
        self._widths: dict[str, int] = {}
        self._gap = 1
        self._drawn: dict[int, tuple[str, ...]] = {}

    @property
    def count(self) -> int:
        return len(self._lines)

    @property
    def columns(self) -> list[str]:
        """The columns that the width allows."""
        return list(self._widths)

    @property
    def chosen(self) -> Line | None:
        """The line under the cursor."""
        return self._lines[self._cursor] if self._cursor < len(self._lines) else None

    def show(self, lines: list[Line], order: Order, none: str = "") -> None:
        """Show `lines`, which are in `order`; `none` stands there if there are none."""
        before = self.chosen
        self._lines, self._order, self._none = lines, order, none
        self._measure()
        self._drawn.clear()
        self.rows_changed()
        place = next((place for place, line in enumerate(lines) if before and line.info.id == before.info.id), self._cursor)
        self._cursor = place
        self.move_to(place)
        self.post_message(self.Moved())

    def go_to(self, simulation_id: str) -> bool:
        """Put the cursor on a checkpoint; return whether it is there."""
        place = next((place for place, line in enumerate(self._lines) if line.info.id == simulation_id), None)
        if place is not None:
            self.move_to(place)
        return place is not None

    def replace(self, line: Line) -> None:
        """Show another line for the same checkpoint, where that is in the list."""
        for place, there in enumerate(self._lines):
            if there.info.id == line.info.id:
                self._lines[place] = line
                break

    def look(self) -> None:
        """Have the lines redrawn that no longer show what is: time goes on, and so does the run that is open."""
        first = self.scroll_offset.y
        for place in range(first, min(first + self.size.height - 1, len(self._lines))):
            if self._drawn.get(place) != self._texts(self._lines[place]):
                self._refresh_row(place)

    # What a list says

    def header(self) -> str:
        titles = []
        for key, width in self._widths.items():
            column = COLUMNS[key]
            mark = ("▴" if self._order.reverse else "▾") if key == self._order.by else ""
            titles.append(fit(f"{column.title}{mark}", width, right=column.right))
        return (" " * self._gap).join(titles)

    def row(self, place: int, ink: Inks) -> Sequence[Segment]:
        line = self._lines[place]
        texts = self._drawn[place] = self._texts(line)
        segments, gap = [], Segment(" " * self._gap, ink.plain)
        for (key, width), text in zip(self._widths.items(), texts, strict=True):
            if key == "progress":
                segments += _bar(line, width, ink)
            elif key in ("name", "id"):
                segments.append(Segment(fit_middle(text, width), _ink_of(key, line, ink)))
            else:
                segments.append(Segment(fit(text, width, right=COLUMNS[key].right), _ink_of(key, line, ink)))
            segments.append(gap)
        return segments

    def nothing(self) -> str:
        return self._none

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.screen.check_action("open", ()) if action == "choose" else True

    def move_to(self, place: int) -> None:
        before = self._cursor
        super().move_to(place)
        if before != self._cursor:
            self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()
        place = event.y - 1 + self.scroll_offset.y
        if event.y == 0:
            if (key := self._column_at(event.x)) in ORDERS:
                self.post_message(self.OrderAsked(key))
        elif place < self.count:
            again = place == self._cursor
            self.move_to(place)
            if again and event.chain > 1:
                self.action_choose()

    def on_resize(self) -> None:
        self._measure()

    # Columns

    def _column_at(self, x: int) -> str:
        """Return the column of which the title is at `x`; empty where there is none."""
        end = 1
        for key, width in self._widths.items():
            end += width + self._gap
            if x < end:
                # The share is part of the progress, and a bar has no room for a title of its own.
                return "progress" if key in ("slots", "share") else key
        return ""

    def _texts(self, line: Line) -> tuple[str, ...]:
        return tuple(_TEXTS[key](line) for key in self._widths)

    def _measure(self) -> None:
        """Choose the columns that fit, and how wide each is."""
        room = self.size.width - 2  # the mark of the cursor before, and a blank behind
        most_slots = max((line.info.total_slots for line in self._lines), default=0)
        most_failed = max((line.info.failed for line in self._lines), default=0)
        wanted = {"slots": 2 * len(f"{most_slots:,}") + 1, "failed": len(f"{most_failed:,}") + 1}
        least = {key: min(max(column.least, wanted.get(key, 0)), column.most) for key, column in COLUMNS.items()}
        chosen: set[str] = set()
        for key in sorted(COLUMNS, key=lambda key: COLUMNS[key].rank):
            if COLUMNS[key].rank and sum(least[other] + 1 for other in (*chosen, key)) > room + 1:
                break
            chosen.add(key)
        widths = {key: least[key] for key in COLUMNS if key in chosen}
        spare = room + 1 - sum(width + 1 for width in widths.values())
        widths["name"] += (more := min(max(spare, 0), _FAIR_NAME - widths["name"]))
        spare -= more
        self._gap = 2 if spare >= len(widths) - 1 else 1
        spare -= (self._gap - 1) * (len(widths) - 1)
        for key, most in _GROWING:
            if key in widths and spare > 0:
                more = min(max(most - widths[key], 0), spare)
                widths[key] += more
                spare -= more
        self._widths = widths


def _run(line: Line) -> str:
    info = line.info
    return f"{many(info.accounts, 'account')}, {many(info.markets, 'market')}" if info.accounts else "-"


def _slots(line: Line) -> str:
    return f"{line.ended:,}/{line.info.total_slots:,}" if line.info.total_slots else "-"


_TEXTS: Final[dict[str, Callable[[Line], str]]] = {
    "name": lambda line: name(line.called),
    "id": lambda line: name(line.info.id),
    "run": _run,
    "state": lambda line: line.state,
    "progress": lambda line: f"{line.ended}/{line.info.total_slots}",
    "slots": _slots,
    "share": lambda line: percent(line.ended, line.info.total_slots),
    "failed": lambda line: f"{line.info.failed:,}" if line.info.total_slots else "-",
    "size": lambda line: size(line.info.size),
    "saved": lambda line: ago(line.info.saved_at) if line.info.saved_at else "-",
}


def _bar(line: Line, width: int, ink: Inks) -> list[Segment]:
    if not line.info.total_slots:
        return [Segment(fit("-", width), ink.muted)]
    return [Segment(text, style) for text, style in bar_parts(line.ended, line.info.total_slots, width, ink)]


def _ink_of(key: str, line: Line, ink: Inks) -> Style:
    match key:
        case "state":
            return state_ink(line, ink)
        case "failed" if line.info.failed:
            return ink.bad
        case "name" | "slots" | "share" if line.is_readable:
            return ink.plain
    return ink.muted


def state_ink(line: Line, ink: Inks) -> Style:
    """Return the ink that a checkpoint's state is written with."""
    match line.here:
        case RunStatus.RUNNING:
            return ink.busy
        case RunStatus.WAITING:
            return ink.accent
        case RunStatus.DONE:
            return ink.good
        case RunStatus.PAUSED | RunStatus.STOPPED:
            return ink.warn
        case RunStatus.READY:
            return ink.strong
    match line.info.status:
        case CheckpointStatus.FINISHED:
            return ink.good
        case CheckpointStatus.INTERRUPTED:
            return ink.plain
        case CheckpointStatus.DAMAGED | CheckpointStatus.UNREADABLE:
            return ink.bad
    return ink.warn
