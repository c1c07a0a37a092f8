"""The line at the bottom: the keys that act here and now. What cannot act now is left out."""

from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from orderbook_tui.tui.theme import inks, on_paper


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
        self._keys: list[_Key] = []
        self._of_app = 0
        """How many of the keys, the last ones, every screen has."""
        self._more: list[_Key] = []
        """Keys that are shown where there is room for them."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._look)

    def render_line(self, y: int) -> Strip:
        ink = inks(self.app)
        segments = [Segment(" ")]
        for key in self._fitting():
            segments += [Segment(key.shown, ink.accent), Segment(f" {key.label}  ", ink.plain)]
        return on_paper(self, Strip(segments))

    def text(self) -> str:
        """Return what is shown, without its colours."""
        return "".join(segment.text for segment in self.render_line(0))

    def on_click(self, event: events.Click) -> None:
        start = 1
        for key in self._fitting():
            if start <= event.x < start + key.width - 2:
                self.app.simulate_key(key.key)
                return
            start += key.width

    def _fitting(self) -> list["_Key"]:
        """Return the keys that there is room for. What every screen has, help and the way out, stays when others go."""
        if not self._keys:
            self._look(self.screen)
        of_screen, of_app = self._keys[: len(self._keys) - self._of_app], self._keys[len(self._keys) - self._of_app :]
        room = self.size.width + 1 - sum(key.width for key in of_app)
        fitting = []
        for key in [*of_screen, *self._more]:
            room -= key.width
            if room < 0:
                break
            fitting.append(key)
        return [*fitting, *of_app]

    def _look(self, screen: Screen[object]) -> None:
        label_of = getattr(screen, "key_label", None)
        keys, more, seen, of_app = [], [], set(), 0
        nodes = {screen: 2 if getattr(screen, "FOCUSED_KEYS_FIRST", False) else 0, self.app: 3}
        # Where the keys of a widget come first, those that steer the run come last: another screen is there for them.
        late = 0.5 if nodes[screen] else 0
        active = sorted(
            screen.active_bindings.values(),
            key=lambda active: nodes.get(active.node, 1) + late * (active.binding.id or "").startswith("run."),
        )
        acting = [(node, binding) for node, binding, enabled, _ in active if enabled]
        for node, binding in sorted(acting, key=lambda bound: not bound[1].show):
            if binding.action in seen:
                continue
            seen.add(binding.action)
            label = (label_of(binding.action) if label_of else None) or binding.description
            key = _Key(binding.key, self.app.get_key_display(binding), label)
            if binding.show:
                keys.append(key)
                of_app += node is self.app
            elif binding.id and node is not self.app and label not in _EVERYWHERE:
                more.append(key)
        if (keys, more) != (self._keys, self._more):
            self._keys, self._more, self._of_app = keys, more, of_app
            self.refresh()


class _Key(NamedTuple):
    key: str
    shown: str
    label: str

    @property
    def width(self) -> int:
        return cell_len(self.shown) + cell_len(self.label) + 3


_EVERYWHERE: Final = ("Up", "Down", "Left", "Right", "Page up", "Page down", "First", "Last", "Home", "End")
"""Moving needs no words."""
