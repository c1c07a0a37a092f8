"""The line below the strip: the five screens, the keys that lead there, and which one this is."""

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from orderbook_tui.tui.places import PLACES
from orderbook_tui.tui.theme import inks, on_paper


class PlaceTabs(Widget):
    """Shows where one is, and goes where one clicks."""

    DEFAULT_CSS = """
    PlaceTabs {
        height: 1;
        background: $surface;
    }
    """

    def render_line(self, y: int) -> Strip:
        ink, segments = inks(self.app), [Segment(" ")]
        for _, key, title in self._tabs():
            here = title == getattr(self.screen, "NAME", None)
            segments += [
                Segment(f" {key} ", ink.accent if here else ink.muted),
                Segment(f"{title} ", ink.accent if here else ink.plain),
                Segment(" ", ink.plain),
            ]
        return on_paper(self, Strip(segments).crop(0, self.size.width))

    def text(self) -> str:
        """Return what is shown, without its colours."""
        return "".join(segment.text for segment in self.render_line(0))

    def on_click(self, event: events.Click) -> None:
        start = 1
        for called, key, title in self._tabs():
            width = cell_len(key) + cell_len(title) + 4
            if start <= event.x < start + width - 1:
                self.app.call_later(self.app.run_action, f"show('{called}')")
                return
            start += width

    def _tabs(self) -> list[tuple[str, str, str]]:
        """Return name, key and title of each screen; the key as it may have been remapped."""
        remapped = self.app._keymap
        return [
            (called, remapped.get(f"show.{called}", str(place.digit)).split(",")[0], place.title)
            for called, place in PLACES.items()
        ]
