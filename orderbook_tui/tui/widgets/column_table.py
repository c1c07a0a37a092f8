"""A list of records in columns: those that the width allows, each as wide as what stands in it.

A line is drawn when it is seen, and again when its record has another version: `look` compares those of the lines in view
with what was drawn. So a frame costs what is on the screen, whatever the number of records.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message

from orderbook_tui.tui.figures import fit, fit_middle
from orderbook_tui.tui.theme import Inks
from orderbook_tui.tui.widgets.cursor_list import CursorList

_WIDEST_GAP: Final = 3

Part = tuple[str, Style]
Cell = str | Part | Sequence[Part]
"""A text in the line's own ink, one in another, or parts that are as wide as their column together."""


class Column(NamedTuple):
    """One column. Those of the lowest rank stay when the width gives out; `most` bounds what it grows to."""

    title: str
    rank: int
    least: int
    most: int
    right: bool = False
    middle: bool = False
    """Whether what does not fit loses its middle: names are told apart by their ends."""
    spare: bool = False
    """Whether it takes what room is left over."""
    whole: bool = False
    """Whether it is never cut, as numbers that say which one: it is as wide as what stands in it, or is not there."""


class ColumnTable(CursorList):
    """Shows records line by line. A kind of table says what its columns are, and what they say of a record."""

    DEFAULT_CSS = """
    ColumnTable {
        overflow-y: scroll;
    }
    """
    COLUMNS: ClassVar[Mapping[str, Column]] = {}

    class HeaderClicked(Message):
        """The title of a column was clicked."""

        def __init__(self, of: "ColumnTable", column: str) -> None:
            super().__init__()
            self.of, self.column = of, column

        @property
        def control(self) -> "ColumnTable":
            return self.of

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._widths: dict[str, int] = {}
        self._gap = 1
        self._grown: dict[str, int] = {}
        self._growing = False
        self._drawn: dict[int, object] = {}

    # What a table of some kind says

    def wanted(self, width: int) -> Collection[str]:
        """Return the columns to choose from."""
        return self.COLUMNS

    def version(self, place: int) -> object:
        """Return what changes whenever a line has to."""
        raise NotImplementedError

    def cell(self, place: int, column: str, width: int, ink: Inks) -> Cell:
        """Return what a column says of a record."""
        raise NotImplementedError

    def title(self, column: str, width: int) -> str:
        """Return what a column is called."""
        return self.COLUMNS[column].title

    # What is shown

    @property
    def columns(self) -> list[str]:
        """The columns that are shown."""
        return list(self._widths)

    def show_anew(self) -> None:
        """Other records are shown: what was measured of those before counts no longer."""
        self._grown = {}
        self.measure()
        self.records_changed()

    def records_changed(self) -> None:
        """The list of records is another one, or longer."""
        self._drawn.clear()
        self.rows_changed()

    def look(self) -> None:
        """Have the lines redrawn that no longer show what is."""
        first, drawn = self.scroll_offset.y, self._drawn
        changed = [
            place
            for place in range(first, min(first + self.size.height - 1, self.count))
            if place in drawn and drawn[place] != self.version(place)
        ]
        if len(changed) > 8:
            self.refresh()
        else:
            for place in changed:
                self.refresh(Region(0, place - first + 1, self.size.width, 1))

    def on_resize(self) -> None:
        self.measure()  # before the list's own handler, which Textual calls next

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._drawn.clear()

    def on_click(self, event: events.Click) -> None:
        # What a click on a row does, the list sees to: Textual calls the handlers of all base classes.
        if not event.y and (column := self._column_at(event.x)) is not None:
            self.post_message(self.HeaderClicked(self, column))

    # Drawing

    def header(self) -> str:
        """Return the titles of the columns."""
        titles = (
            fit(self.title(column, width), width, right=self.COLUMNS[column].right) for column, width in self._widths.items()
        )
        return (" " * self._gap).join(titles)

    def row(self, place: int, ink: Inks) -> Sequence[Segment]:
        """Return a record's line. Neighbours in one ink are one segment: what a line costs is its segments."""
        self._drawn[place] = self.version(place)
        segments: list[Segment] = []
        run, run_ink, gap = "", ink.plain, " " * self._gap
        for key, width in self._widths.items():
            column, cell = self.COLUMNS[key], self.cell(place, key, width, ink)
            if isinstance(cell, str):
                cell = (cell, ink.plain)
            if isinstance(cell, tuple) and isinstance(cell[0], str):
                text, style = cell
                if len(text) > width:
                    self.want(key, cell_len(text))
                fitted = fit_middle(text, width) if column.middle else fit(text, width, right=column.right)
                parts: Sequence[Part] = ((fitted, style if text else run_ink),)
            else:
                parts = cell  # type: ignore[assignment]
            for text, style in parts:
                if style is not run_ink and text:
                    segments.append(Segment(run, run_ink))
                    run, run_ink = "", style
                run += text
            run += gap
        segments.append(Segment(run, run_ink))
        return segments

    def want(self, column: str, cells: int) -> None:
        """Note that a column has something to say that takes so many cells."""
        if cells > self._grown.get(column, 0):
            self._grown[column] = cells
            if not self._growing:
                self._growing = True
                self.call_later(self.measure)

    def measure(self) -> None:
        """Choose the columns that fit, and how wide each is."""
        self._growing = False
        across = self.scrollable_size.width  # without the scrollbar
        if across <= 0:
            return
        room = across - 1
        columns = {key: column for key, column in self.COLUMNS.items() if key in self.wanted(across)}
        ranked = sorted(columns, key=lambda key: columns[key].rank)
        least = {
            key: max(column.least, min(self._grown.get(key, 0), column.most)) if column.whole else column.least
            for key, column in columns.items()
        }
        chosen: set[str] = set()
        for key in ranked:
            if chosen and sum(least[other] + 1 for other in (*chosen, key)) > room + 1:
                break
            chosen.add(key)
        widths = {key: width for key, width in least.items() if key in chosen}
        spare = room + 1 - sum(width + 1 for width in widths.values())
        for key in ranked:
            if key in widths and spare > 0:
                more = min(max(min(self._grown.get(key, 0), columns[key].most) - widths[key], 0), spare)
                widths[key] += more
                spare -= more
        for key in widths:
            if columns[key].spare and spare > 0:
                more = min(spare, columns[key].most - widths[key])
                widths[key] += more
                spare -= more
        gap = 1 + min(max(spare, 0) // max(len(widths) - 1, 1), _WIDEST_GAP - 1)
        if (widths, gap) != (self._widths, self._gap):
            self._widths, self._gap = widths, gap
            self.refresh()

    def _column_at(self, x: int) -> str | None:
        start = 1
        for key, width in self._widths.items():
            if start <= x < start + width:
                return key
            start += width + self._gap
        return None
