"""The line above the slots in which a filter is typed, with how many it matches, and (below it) why it cannot be read."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from orderbook_tui.tui.slot_filter import Names, suggestion
from orderbook_tui.tui.widgets.plain_input import PlainInput

_PLACEHOLDER = "words, or state:failed  account:  market:  side:  verdict:  is:retried  error:  order:"


class FilterField(PlainInput):
    """What the filter is typed into. The arrow to the right takes what is suggested."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear", id="filter.clear", tooltip="all slots again"),
        Binding("enter", "leave", "Done", id="filter.done", tooltip="keep the filter, and go back to the slots"),
        Binding("down,tab", "leave", "Done", show=False, id="filter.down", tooltip="keep the filter, and go back to the slots"),
    ]

    class Left(Message):
        """Whoever typed is done."""

    def on_blur(self) -> None:
        self.post_message(self.Left())

    def action_clear(self) -> None:
        self.value = ""
        self.screen.set_focus(None)

    def action_leave(self) -> None:
        self.screen.set_focus(None)


class SlotFilterBar(Vertical):
    """Shown while something is typed, and for as long as there is a filter."""

    DEFAULT_CSS = """
    SlotFilterBar {
        height: auto;
        display: none;

        &.-shown {
            display: block;
        }

        #filter-line {
            height: 1;
            background: $surface;
        }

        #filter-mark {
            width: 10;
            color: $accent;
            text-style: bold;
        }

        FilterField {
            width: 1fr;
            background: $surface;
        }

        #filter-count {
            padding: 0 1 0 2;
            text-align: right;
            color: $foreground;
        }

        #filter-error {
            height: auto;
            max-height: 3;
            padding: 0 1;
            color: $error;
            display: none;

            &.-shown {
                display: block;
            }
        }
    }
    """

    class Changed(Message):
        """The filter is another one."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def compose(self) -> ComposeResult:
        with Horizontal(id="filter-line"):
            yield Static(" Filter /", id="filter-mark", markup=False)
            yield FilterField(placeholder=_PLACEHOLDER, id="filter-text")
            yield Static("", id="filter-count", markup=False)
        yield Static("", id="filter-error", markup=False)

    @property
    def text(self) -> str:
        return self.query_one(FilterField).value

    @text.setter
    def text(self, text: str) -> None:
        field = self.query_one(FilterField)
        field.value = text
        field.cursor_position = len(text)
        self._show()

    def open(self) -> None:
        """Let a filter be typed."""
        self.set_class(True, "-shown")  # noqa: FBT003 - a positional of Textual
        self.query_one(FilterField).focus()

    def suggest(self, names: Names) -> None:
        """Suggest what there is: fields, states, these accounts and markets."""
        self.query_one(FilterField).suggester = _Suggester(names)

    def clear(self, total: int) -> None:
        """Begin anew, with so many slots: their number decides how much room counting them takes."""
        self.text = ""
        # A width of its own, since one that changed with the count would lay the whole screen out again and again.
        self.query_one("#filter-count").styles.width = 2 * len(f"{total:,}") + 11

    def say(self, count: str, error: str) -> None:
        """Show how many match, and what is wrong with the filter."""
        shown, told = self.query_one("#filter-count", Static), self.query_one("#filter-error", Static)
        if str(shown.content) != count:
            shown.update(count, layout=False)
        if str(told.content) != error:
            told.update(error)
            told.set_class(bool(error), "-shown")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._show()
        self.post_message(self.Changed(event.value))

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self._show()

    def _show(self) -> None:
        field = self.query_one(FilterField)
        self.set_class(bool(field.value) or field.has_focus, "-shown")


class _Suggester(Suggester):
    def __init__(self, names: Names) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = names

    async def get_suggestion(self, value: str) -> str | None:
        return suggestion(value, self._names)
