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
        self._of_app = 0
        """How many of the keys, the last ones, every screen has."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._look)

    def render_line(self, y: int) -> Strip:
        ink = inks(self.app)
        segments = [Segment(" ")]
        for _, shown, label, enabled in self._fitting():
            segments += (
                [Segment(shown, ink.accent), Segment(f" {label}  ", ink.plain)] if enabled else [_faint(shown, label, ink)]
            )
        return on_paper(self, Strip(segments))

    def text(self) -> str:
        """Return what is shown, without its colours."""
        return "".join(segment.text for segment in self.render_line(0))

    def on_click(self, event: events.Click) -> None:
        start = 1
        for key, shown, label, enabled in self._fitting():
            width = _width((key, shown, label, enabled))
            if start <= event.x < start + width - 2:
                if enabled:
                    self.app.simulate_key(key)
                return
            start += width

    def _fitting(self) -> list[tuple[str, str, str, bool]]:
        """Return the keys that there is room for. What every screen has, help and the way out, stays when others go."""
        keys = self._laid_out()
        of_screen, of_app = keys[: len(keys) - self._of_app], keys[len(keys) - self._of_app :]
        room = self.size.width - sum(map(_width, of_app))
        fitting = []
        for key in of_screen:
            room -= _width(key)
            if room < 0:
                break
            fitting.append(key)
        return [*fitting, *of_app]

    def _laid_out(self) -> list[tuple[str, str, str, bool]]:
        if not self._keys:
            self._look(self.screen)
        return self._keys

    def _look(self, screen: Screen[object]) -> None:
        label_of = getattr(screen, "key_label", None)
        keys, seen, of_app = [], set(), 0
        nodes = {screen: 2 if getattr(screen, "FOCUSED_KEYS_FIRST", False) else 0, self.app: 3}
        # Where the keys of a widget come first, those that steer the run come last: another screen is there for them.
        late = 0.5 if nodes[screen] else 0
        active = sorted(
            screen.active_bindings.values(),
            key=lambda active: nodes.get(active.node, 1) + late * (active.binding.id or "").startswith("run."),
        )
        for node, binding, enabled, _ in active:
            if binding.show and binding.action not in seen:
                seen.add(binding.action)
                label = (label_of(binding.action) if label_of else None) or binding.description
                keys.append((binding.key, self.app.get_key_display(binding), label, enabled))
                of_app += node is self.app
        if keys != self._keys:
            self._keys, self._of_app = keys, of_app
            self.refresh()


def _width(key: tuple[str, str, str, bool]) -> int:
    _, shown, label, _ = key
    return cell_len(shown) + cell_len(label) + 3


def _faint(shown: str, label: str, ink: Inks) -> Segment:
    return Segment(f"{shown} {label}  ", ink.faint)
