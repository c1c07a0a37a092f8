"""What the present screen is for, and its keys."""

from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from orderbook_tui.tui.figures import message
from orderbook_tui.tui.screens.base import DialogScreen, RunScreen
from orderbook_tui.tui.theme import inks
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.text_lines import TextLines


class HelpScreen(DialogScreen[None]):
    """Explains another screen: its own words, and the keys that it says it has."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "TextLines"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "close", "Back", id="help.close", tooltip="back to the screen"),
    ]

    def __init__(self, about: RunScreen | DialogScreen[Any]) -> None:
        super().__init__()
        self._about = about

    def compose(self) -> ComposeResult:
        yield TextLines(id="help")
        yield KeyBar()

    def on_mount(self) -> None:
        lines = self.query_one(TextLines)
        lines.border_title = f"Help: {self._about.NAME}"
        lines.show(self._paragraphs())

    def action_close(self) -> None:
        self.dismiss()

    def _paragraphs(self) -> list[Text]:
        ink = inks(self.app)
        keys: dict[str, list[str]] = {}
        ids: dict[str, str] = {}
        for _, bindings in self._about._binding_chain:
            for key, binding in bindings:
                if binding.id and binding.tooltip:
                    shown = self.app.get_key_display(binding)
                    named = keys.setdefault(binding.tooltip, [])
                    ids.setdefault(binding.tooltip, binding.id)
                    if (spelled := shown if binding.key_display or "," not in key else key) not in named:
                        named.append(spelled)
        lines = [Text(self._about.HELP_TEXT, ink.plain), Text("")]
        lines += [
            Text().append(f"{', '.join(named):>16}  ", ink.accent).append(what, ink.plain).append(f"  {ids[what]}", ink.faint)
            for what, named in keys.items()
        ]
        lines += [Text(""), Text(f"Keys of your own: their ids stand on the right; they go into {_settings()}", ink.muted)]
        return lines


def _settings() -> str:
    from orderbook_tui.tui.settings import settings_path

    return message(str(settings_path()))
