"""The line above the form: which draft this is, and how it stands; in a narrow terminal also which part of it is shown."""

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from orderbook_tui.tui.figures import fit_middle
from orderbook_tui.tui.theme import inks, on_paper

_LEAST_NAME = 10


class DraftLine(Widget):
    """Says how the draft stands, and shows the parts to go to."""

    DEFAULT_CSS = """
    DraftLine {
        height: 1;
        background: $background;
    }
    """

    class Went(Message):
        """A part was clicked."""

        def __init__(self, part: str) -> None:
            super().__init__()
            self.part = part

    def __init__(self, parts: dict[str, str], room_for_all: int, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._parts, self._room_for_all = parts, room_for_all
        self._here = ""
        self._said: tuple[str, list[tuple[str, bool]]] = ("", [])

    def show(self, called: str, facts: list[tuple[str, bool]], here: str) -> None:
        """Show the draft's name, facts about it, the most important first (True: a bad one), and the part where one is."""
        if ((called, facts), here) != (self._said, self._here):
            self._said, self._here = (called, facts), here
            self.refresh()

    def text(self) -> str:
        """Return what is shown, without its colours."""
        return self.render_line(0).text

    def _shown_parts(self) -> list[tuple[str, str]]:
        """Return the parts, where there is room for one at a time."""
        return [*self._parts.items()] if self.size.width < self._room_for_all else []

    def render_line(self, y: int) -> Strip:
        ink, (called, facts) = inks(self.app), self._said
        segments = [Segment(" ")]
        for part, title in self._shown_parts():
            pen = ink.accent if part == self._here else ink.plain
            segments.append(Segment(f"{'▸' if part == self._here else ' '}{title}  ", pen))
        room = self.size.width - sum(cell_len(segment.text) for segment in segments)
        room -= sum(cell_len(fact) + 3 for fact, _ in facts)
        called = fit_middle(called, min(max(room - 1, _LEAST_NAME), cell_len(called)))
        segments.append(Segment(called, ink.strong))
        left = self.size.width - sum(cell_len(segment.text) for segment in segments)
        for fact, bad in facts:
            left -= cell_len(fact) + 3
            if left >= 0:
                segments += [Segment(" · ", ink.faint), Segment(fact, ink.bad if bad else ink.muted)]
        return on_paper(self, Strip(segments).crop(0, self.size.width))

    def on_click(self, event: events.Click) -> None:
        start = 1
        for part, title in self._shown_parts():
            width = cell_len(title) + 3
            if start <= event.x < start + width - 1:
                self.post_message(self.Went(part))
                return
            start += width
