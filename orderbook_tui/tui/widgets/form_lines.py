"""The lines of a form: headings, labels, values and what is wrong, drawn where they are seen, with a cursor on a field."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orderbook_tui.engine.drafting import FormField
from orderbook_tui.tui.key_order import act_now, pass_on
from orderbook_tui.tui.theme import inks_on
from orderbook_tui.tui.widgets.form_drawing import FormInks, drawn
from orderbook_tui.tui.widgets.form_rows import (
    PICKED,
    Cell,
    Line,
    LineKind,
    budget_index,
    choices_of,
    is_typed,
    lay_out,
    opens,
)


class FormLines(ScrollView, can_focus=True):
    """The lines of the form, and the cursor on one of the fields."""

    DEFAULT_CSS = """
    FormLines {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,e", "edit", "Edit", id="form.edit", tooltip="edit the field under the cursor"),
        Binding("up,k", "line(-1)", "Up", show=False, id="form.up", tooltip="one line up"),
        Binding("down,j", "line(1)", "Down", show=False, id="form.down", tooltip="one line down"),
        Binding("left", "turn(-1)", "Left", show=False, id="form.left", tooltip="the choice before, or the field to the left"),
        Binding("right", "turn(1)", "Right", show=False, id="form.right", tooltip="the next choice, or the field to the right"),
        Binding("space", "pick", "Next choice", id="form.pick", tooltip="the next choice of the field under the cursor"),
        Binding("tab", "tab(1)", "Next", show=False, id="form.next", tooltip="the next field"),
        Binding("shift+tab", "tab(-1)", "Previous", show=False, id="form.previous", tooltip="the field before"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="form.page_up", tooltip="one page up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="form.page_down", tooltip="one page down"),
        Binding("home", "end(0)", "First", show=False, id="form.first", tooltip="the first field"),
        Binding("end", "end(-1)", "Last", show=False, id="form.last", tooltip="the last field"),
        Binding("r", "reset", "Default", id="form.reset", tooltip="put the field under the cursor back to its default"),
        Binding("d,delete", "remove", "Remove", id="form.remove", tooltip="remove the budget under the cursor"),
        Binding("escape", "leave", "Leave", show=False, id="form.leave", tooltip="leave the form"),
    ]

    class Moved(Message):
        """The cursor is on another field, or the lines have scrolled."""

    class Picked(Message):
        """A choice was made."""

        def __init__(self, path: str, text: str) -> None:
            super().__init__()
            self.path, self.text = path, text

    class Wanted(Message):
        """Something is to be done with a field: open it, reset it, remove its budget."""

        def __init__(self, what: str, path: str) -> None:
            super().__init__()
            self.what, self.path = what, path

    def __init__(self, edit: Callable[[str], None]) -> None:
        """`edit` is what edits a field; it is done at once, so that what is typed next goes there."""
        super().__init__(id="lines")
        self._edit = edit
        self.fields: dict[str, FormField] = {}
        self._problems: dict[str, Sequence[str]] = {}
        self._lines: list[Line] = []
        self._places: dict[str, int] = {}
        self._order: list[Cell] = []
        self._laid_out_for: tuple[object, ...] = ()
        self._path = ""
        self._inks: FormInks | None = None
        self.editing = False

    # What is shown

    @property
    def path(self) -> str:
        """The field under the cursor."""
        return self._path

    @property
    def field(self) -> FormField | None:
        return self.fields.get(self._path)

    def show(self, fields: Iterable[FormField], problems: Mapping[str, Sequence[str]]) -> None:
        """Show fields as they are now, and what is wrong with them."""
        before, self.fields = self.fields, {field.path: field for field in fields}
        self._problems = dict(problems)
        if self._lay_out():
            self.refresh()
            return
        for path, field in self.fields.items():
            if field != before.get(path) and (region := self.region_of(path)) is not None:
                self.refresh(Region(0, region.y, self.size.width, 1))

    def region_of(self, path: str) -> Region | None:
        """Return where a field's cell is within this widget; None where it is out of view."""
        line = self._places.get(path)
        if line is None:
            return None
        y = line - self.scroll_offset.y
        cell = next(cell for cell in self._lines[line].cells if cell.path == path)
        return Region(cell.x, y, cell.width, 1) if 0 <= y < self.size.height else None

    def text(self) -> str:
        """Return what is in view, without its colours."""
        return "\n".join(self.render_line(y).text.rstrip() for y in range(self.size.height))

    def _lay_out(self) -> bool:
        """Make the lines, if they are others than before; return whether they are."""
        laid_out_for = (tuple(self.fields), self._problems, self.size.width)
        if laid_out_for == self._laid_out_for or not self.size.width:
            return False
        self._laid_out_for = laid_out_for
        self._lines = lay_out(self.fields.values(), self._problems, self.size.width)
        self._order = [cell for line in self._lines for cell in line.cells]
        self._places = {cell.path: place for place, line in enumerate(self._lines) for cell in line.cells}
        if self._path not in self._places:
            near = budget_index(self._path)
            found = [cell.path for cell in self._order if near is not None and budget_index(cell.path) is not None]
            self._path = found[-1] if found else self._order[0].path if self._order else ""
        self.virtual_size = Size(self.size.width, len(self._lines))
        self.call_after_refresh(self.post_message, self.Moved())
        return True

    def on_resize(self) -> None:
        self._lay_out()
        self.post_message(self.Moved())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())

    # Moving

    def go(self, path: str) -> None:
        """Put the cursor on a field, and the field with its problems into view."""
        if path not in self._places:
            return
        self._path = path
        self.reveal()
        self.refresh()
        self.post_message(self.Moved())
        self.screen.refresh_bindings()

    def reveal(self) -> None:
        """Put the field under the cursor, with its problems, into view."""
        if self._path not in self._places:
            return
        line, top, height = self._places[self._path], self.scroll_offset.y, self.size.height
        last = line
        while last + 1 < len(self._lines) and self._lines[last + 1].kind is LineKind.PROBLEM:
            last += 1
        above = line - 1 if line and self._lines[line - 1].kind in (LineKind.HEADING, LineKind.TITLES) else line
        if height > 0 and (above < top or last >= top + height):
            wanted = above if above < top else min(last - height + 1, line)
            self.scroll_to(y=max(wanted, 0), animate=False, force=True, immediate=True)

    def neighbour(self, by: int) -> str | None:
        """Return the field that many further; None beyond the last."""
        paths = [cell.path for cell in self._order]
        place = paths.index(self._path) + by if self._path in paths else 0
        return paths[place] if 0 <= place < len(paths) else None

    def below(self, by: int) -> str | None:
        """Return the field on the next line that has one, in the same column if it can be."""
        line = self._places.get(self._path)
        if line is None:
            return None
        column = [cell.path for cell in self._lines[line].cells].index(self._path)
        step, line = (1 if by > 0 else -1), line + by
        while 0 <= line < len(self._lines):
            if cells := self._lines[line].cells:
                return cells[min(column, len(cells) - 1)].path
            line += step
        return None

    async def _on_key(self, event: events.Key) -> None:
        if self.screen.focused is self:
            await act_now(self, event)
        else:
            pass_on(self, event)

    def action_line(self, by: int) -> None:
        if (path := self.below(by)) is not None:
            self.go(path)

    def action_page(self, by: int) -> None:
        path = self.below(by * max(self.size.height - 2, 1))
        self.go(path) if path is not None else self.action_end(0 if by < 0 else -1)

    def action_end(self, place: int) -> None:
        if self._order:
            self.go(self._order[place].path)

    def action_tab(self, by: int) -> None:
        path = self.neighbour(by)
        if path is not None:
            self.go(path)
            self._ask_to_edit(path)
        elif by > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def action_turn(self, by: int) -> None:
        field = self.field
        if field is not None and field.kind in PICKED:
            self._pick(field, by)
        elif (path := self.neighbour(by)) is not None and self._places[path] == self._places[self._path]:
            self.go(path)

    # Changing

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        field = self.field
        match action:
            case "pick":
                return field is not None and field.kind in PICKED
            case "remove":
                return budget_index(self._path) is not None
            case "reset":
                return field is not None and not opens(field) and (field.text != field.default or None)
        return True

    def action_edit(self) -> None:
        field = self.field
        if field is None:
            return
        if opens(field):
            self.post_message(self.Wanted("open", field.path))
        elif field.kind in PICKED:
            self._pick(field, 1)
        else:
            self._ask_to_edit(field.path)

    def action_pick(self) -> None:
        if (field := self.field) is not None:
            self._pick(field, 1)

    def action_reset(self) -> None:
        self.post_message(self.Wanted("reset", self._path))

    def action_remove(self) -> None:
        self.post_message(self.Wanted("remove", self._path))

    def action_leave(self) -> None:
        self.screen.set_focus(None)

    def _ask_to_edit(self, path: str) -> None:
        if is_typed(self.fields[path]):
            self._edit(path)

    def _pick(self, field: FormField, by: int) -> None:
        choices = choices_of(field)
        place = choices.index(field.text) if field.text in choices else -1 if by > 0 else 0
        self.post_message(self.Picked(field.path, choices[(place + by) % len(choices)]))

    def on_focus(self) -> None:
        self.editing = False
        self.go(self._path)

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        place = event.y + self.scroll_offset.y
        if place >= len(self._lines):
            return
        cells = self._lines[place].cells
        cell = next((cell for cell in cells if cell.x <= event.x < cell.x + cell.width), None)
        if cell is None and len(cells) == 1 and event.x < cells[0].x:
            self.go(cells[0].path)
        elif cell is not None:
            self.go(cell.path)
            field = self.fields[cell.path]
            if field.kind in PICKED:
                self._pick(field, -1 if event.x < cell.x + 2 else 1)
            else:
                self.action_edit()

    # Drawing

    def render_line(self, y: int) -> Strip:
        width, place = self.size.width, y + self.scroll_offset.y
        if self._inks is None:
            surface = Color.parse(self.app.current_theme.panel or "#303030").rich_color
            self._inks = FormInks(*inks_on(self), Style(bgcolor=surface))
        segments: list[Segment] = []
        if place < len(self._lines):
            cursor = self._path if self.has_focus or self.editing else ""
            segments = drawn(self._lines[place], self.fields, self._problems, cursor, self._inks, width)
        return Strip(segments).crop(0, width).extend_cell_length(width, self._inks.usual.plain)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._inks = None
