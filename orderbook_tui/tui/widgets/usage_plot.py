"""How much of each asset was used in the course of the run: a line an asset, drawn in dots of which a cell has two by four.

10%│      ⣀⠤⠒⠉  USD 9.1%
   │ ⣀⠤⠒⠉⠁⢀⣀⠤⠤  BTC 4.0%
 0%│⣉⠤⠤⠒⠒⠉⠁
   slot 0 ........ 24
"""

from bisect import bisect_right
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.usage import Point, UsageHistory
from orderbook_tui.tui.figures import fit, name
from orderbook_tui.tui.theme import Inks, inks, on_paper

_RUNNING_S: Final = 0.003
"""Seconds that a look may read the journal while the run goes on, which has to wait meanwhile."""
_IDLE_S: Final = 0.012
_TOPS: Final = (1, 2, 5, 10, 20, 50, 100)
_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a braille character's dots, by row and column."""
_LABEL: Final = 5
"""Cells of the figures at the side."""


class _Line(NamedTuple):
    """One asset's line: its name, and how much of it was used from left to right, in millionths."""

    symbol: str
    heights: list[int]


class UsagePlot(Widget):
    """Plots the usage of a simulation's budgets from its journal, also where that was written in an earlier life."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._simulation: Simulation | None = None
        self._history: UsageHistory | None = None
        self._drawn: list[list[Segment]] = []
        self._drawn_for: tuple[object, ...] = ()

    @property
    def history(self) -> UsageHistory | None:
        return self._history

    def show(self, simulation: Simulation | None) -> None:
        """Plot the budgets of `simulation`."""
        self._simulation = simulation
        self._history = UsageHistory(simulation) if simulation is not None else None
        self.look()
        self.redraw()

    def look(self) -> None:
        """Read on in the journal."""
        if self._history is not None and self._simulation is not None:
            self._history.read_on(_RUNNING_S if self._simulation.status is RunStatus.RUNNING else _IDLE_S)

    def redraw(self) -> None:
        """Show what has been read."""
        if self._state() != self._drawn_for:
            self.refresh()

    def text(self) -> str:
        """Return what is shown, without its colours."""
        return "\n".join("".join(segment.text for segment in self.render_line(y)) for y in range(self.size.height))

    def render_line(self, y: int) -> Strip:
        state = self._state()
        if state != self._drawn_for:
            self._drawn_for, self._drawn = state, self._draw(self.size.width, self.size.height)
        return on_paper(self, Strip(self._drawn[y] if y < len(self._drawn) else []).crop(0, self.size.width))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._drawn_for = ()
        self.refresh()

    def _state(self) -> tuple[object, ...]:
        """Return what the drawing depends on."""
        history, simulation = self._history, self._simulation
        if history is None or simulation is None:
            return (self.size,)
        return self.size, history.read, history.is_caught_up, None if history.is_caught_up else len(simulation.state.journal)

    def _draw(self, width: int, height: int) -> list[list[Segment]]:
        history, simulation, ink = self._history, self._simulation, inks(self.app)
        if history is None or simulation is None or height < 4 or width < 30:
            return []
        points = history.points
        ended = points[-1].ended
        if not ended:
            words = "nothing has been used yet" if history.is_caught_up else "reading what has happened ..."
            return [[Segment(f" {words}", ink.muted)]]
        rows = height - 2
        legend = max(min(max(cell_len(name(asset.symbol)) for asset in history.assets), 10) + 8, 12)
        across = width - _LABEL - 2 - legend
        lines = _lines(history, points, 2 * across)
        highest = max((max(line.heights) for line in lines), default=0)
        top = next((top for top in _TOPS if 10_000 * top >= highest), 100)
        cells = _plotted(lines, across, rows, 10_000 * top, _colours(ink))
        legends = _legend(lines, rows, 10_000 * top, legend, _colours(ink))
        marks = {rows - 1: "0%", 0: f"{top}%"}
        if rows > 4:
            marks[_row(500_000, 1_000_000, rows)] = f"{top / 2:g}%"
        drawn = [[Segment(f"{marks.get(row, ''):>{_LABEL}}│", ink.muted), *cells[row], legends[row]] for row in range(rows)]
        drawn.append([Segment(f"{'':>{_LABEL}}└{'─' * across}", ink.muted)])
        last = f"{ended:,} of {simulation.stats.total_slots:,} slots"
        if not history.is_caught_up:
            last = f"read {100 * history.read // max(len(simulation.state.journal), 1)} %: {last}"
        drawn.append([Segment(f"{'':>{_LABEL + 1}}0{fit(last, across - 1, right=True)}", ink.muted)])
        return drawn


def _lines(history: UsageHistory, points: list[Point], columns: int) -> list[_Line]:
    """Return the lines, the most used first."""
    ended = [point.ended for point in points]
    # A column of dots shows the last point that is not to its right.
    places = [max(bisect_right(ended, ended[-1] * column // max(columns - 1, 1)) - 1, 0) for column in range(columns)]
    lines = []
    for number, asset in enumerate(history.assets):
        initial = history.initial[asset.symbol]
        if initial:
            heights = [1_000_000 * points[place].used[number] // initial for place in places]
            heights[-1] = 1_000_000 * points[-1].used[number] // initial
            lines.append(_Line(name(asset.symbol), heights))
    return sorted(lines, key=lambda line: -line.heights[-1])


def _row(height: int, top: int, rows: int) -> int:
    """Return the row in which a height is, counted from above."""
    return (4 * rows - 1 - min((4 * rows - 1) * height // top, 4 * rows - 1)) // 4


def _plotted(lines: list[_Line], across: int, rows: int, top: int, colours: list[Style]) -> list[list[Segment]]:
    """Return the rows of the plot. Where lines meet in a cell it has the colour of the one that is used most."""
    dots = [[0] * across for _ in range(rows)]
    colour = [[-1] * across for _ in range(rows)]
    most = 4 * rows - 1
    for number in range(len(lines) - 1, -1, -1):
        before = None
        for column, height in enumerate(lines[number].heights):
            level = min(most * height // top, most)
            # A step is drawn as a stroke, so that the line has no holes.
            low, high = (level, level) if before is None else (min(level, before), max(level, before))
            for dot in range(low + (low < high and before == low), high + 1 - (low < high and before == high)):
                row, cell = (most - dot) // 4, column // 2
                dots[row][cell] |= _DOTS[(most - dot) % 4][column % 2]
                colour[row][cell] = number
            before = level
    plotted: list[list[Segment]] = []
    for row in range(rows):
        segments: list[Segment] = []
        text, of = "", -1
        for bits, number in zip(dots[row], colour[row], strict=True):
            if number != of and bits:
                segments.append(Segment(text, colours[of % len(colours)]))
                text, of = "", number
            text += chr(0x2800 + bits) if bits else " "
        plotted.append([*segments, Segment(text, colours[of % len(colours)])])
    return plotted


def _legend(lines: list[_Line], rows: int, top: int, width: int, colours: list[Style]) -> list[Segment]:
    """Return what stands beside each row: the name of each line at the height where it ends, or as near as there is room."""
    words = [Segment("")] * rows
    taken: dict[int, int] = {}
    shown = lines if len(lines) <= rows else lines[: rows - 1]
    for number, line in enumerate(shown):
        wanted = _row(line.heights[-1], top, rows)
        row = min((row for row in range(rows) if row not in taken), key=lambda row: (abs(row - wanted), row < wanted))
        taken[row] = number
    # Names stand in the order of their lines, whoever was placed first.
    for row, number in zip(sorted(taken), range(len(shown)), strict=True):
        line, room = lines[number], width - 8
        share = f"{line.heights[-1] // 1_000 / 10:.1f}%"
        words[row] = Segment(f" {fit(line.symbol, room)}{share:>7}", colours[number % len(colours)])
    if len(shown) < len(lines):
        free = next(row for row in range(rows - 1, -1, -1) if row not in taken)
        words[free] = Segment(f" {len(lines) - len(shown)} more", colours[-1])
    return words


def _colours(ink: Inks) -> list[Style]:
    """Return the colours of lines, in turn; which is which is said beside them."""
    return [ink.busy, ink.good, ink.plain, ink.muted]
