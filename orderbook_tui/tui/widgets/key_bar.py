"""The line at the bottom: the keys that act here and now. What cannot act now is left out or faint."""

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from orderbook_tui.tui.theme import Inks, inks, on_paper


class KeyBar(Widget):
    """Shows the active bindings of its screen. A screen may say with `key_label` what a key does at the moment."""

    DEFAULT_CSS = """
    KeyBar {
        height: 1;
        dock: bottom;
        background: $panel;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[tuple[str, str, str, bool]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._look)

    def render_line(self, y: int) -> Strip:
        ink = inks(self.app)
        segments = [Segment(" ")]
        left = self.size.width - 1
        for _, shown, label, enabled in self._laid_out():
            width = cell_len(shown) + cell_len(label) + 3
            if width > left + 1:
                break
            left -= width
            segments += (
                [Segment(shown, ink.accent), Segment(f" {label}  ", ink.plain)] if enabled else [_faint(shown, label, ink)]
            )
        return on_paper(self, Strip(segments))

    def text(self) -> str:
        """Return what is shown, without its colours."""
        return "".join(segment.text for segment in self.render_line(0))

    def on_click(self, event: events.Click) -> None:
        start = 1
        for key, shown, label, enabled in self._laid_out():
            width = cell_len(shown) + cell_len(label) + 3
            if start <= event.x < start + width - 2:
                if enabled:
                    self.app.simulate_key(key)
                return
            start += width

    def _laid_out(self) -> list[tuple[str, str, str, bool]]:
        if not self._keys:
            self._look(self.screen)
        return self._keys

    def _look(self, screen: Screen[object]) -> None:
        label_of = getattr(screen, "key_label", None)
        keys, seen = [], set()
        nodes = {screen: 2 if getattr(screen, "FOCUSED_KEYS_FIRST", False) else 0, self.app: 3}
        active = sorted(screen.active_bindings.values(), key=lambda active: nodes.get(active.node, 1))
        for _, binding, enabled, _ in active:
            if binding.show and binding.action not in seen:
                seen.add(binding.action)
                label = (label_of(binding.action) if label_of else None) or binding.description
                keys.append((binding.key, self.app.get_key_display(binding), label, enabled))
        if keys != self._keys:
            self._keys = keys
            self.refresh()


def _faint(shown: str, label: str, ink: Inks) -> Segment:
    return Segment(f"{shown} {label}  ", ink.faint)
