"""The form: all fields on lines that scroll, and one input that lies over the field that is being edited.

    FormLines     draws headings, labels, values and problems; the cursor is on a field
    FieldEditor   the input; Enter, Tab and the arrows carry it to the next field, Escape takes it away
    field-help    what the field under the cursor means

So a form costs the same whether it has forty fields or thousands of budgets.
"""

from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from orderbook_tui.engine.drafting import FormField
from orderbook_tui.tui.figures import message, name
from orderbook_tui.tui.theme import inks
from orderbook_tui.tui.widgets.field_editor import FieldEditor
from orderbook_tui.tui.widgets.form_lines import FormLines
from orderbook_tui.tui.widgets.form_rows import PICKED, choices_of, is_typed, label, opens
from orderbook_tui.tui.widgets.text_lines import TextLines


class ConfigForm(Vertical):
    """A form for a config draft. It says what is typed (`FieldEditor.Edited`) or chosen, and shows what it is given."""

    DEFAULT_CSS = """
    ConfigForm {
        layers: below above;

        FormLines {
            height: 1fr;
            layer: below;
        }

        #field-help {
            height: 4;
            layer: below;
            border-top: solid $border;
            padding: 0 1;
        }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._explained: tuple[object, ...] = ()
        self._lines = FormLines(self.edit)
        self._editor = FieldEditor(self._carry, self._carry_line, self._leave)
        self._help = TextLines(id="field-help", focusable=False)

    def compose(self) -> ComposeResult:
        yield self._lines
        yield self._editor
        yield self._help

    @property
    def path(self) -> str:
        """The field under the cursor."""
        return self._lines.path

    @property
    def is_editing(self) -> bool:
        return self._editor.has_focus

    def text(self) -> str:
        """Return the lines in view, without their colours."""
        return self._lines.text()

    def show(self, fields: Iterable[FormField], problems: Mapping[str, Sequence[str]], *, typed: bool = False) -> None:
        """Show fields as they are now, and what is wrong with them, by their paths.

        `typed`: they changed by what was typed here; the editor may be further already, and is left alone.
        """
        self._lines.show(fields, problems)
        if not typed and self._editor.path and (field := self._lines.fields.get(self._editor.path)) is not None:
            self._editor.put(field)
        if self._lines.editing:
            self._lines.reveal()
        self._place()

    def edit(self, path: str = "") -> None:
        """Edit a field; the one under the cursor, where none is named."""
        path = path or self._lines.path
        field = self._lines.fields.get(path)
        if field is None:
            return
        self._lines.go(path)
        if not is_typed(field):
            self._leave()
            return
        self._editor.put(field)
        self._editor.display = True
        self._lines.editing = True
        self._place()
        self.screen.set_focus(self._editor)

    def focus_lines(self) -> None:
        """Put the focus on the form, with nothing being edited."""
        self._leave()

    def end_editing(self) -> None:
        """Leave the field that is being edited, if one is."""
        if self.is_editing:
            self._leave()

    def _leave(self) -> None:
        self._editor.path = ""
        self.screen.set_focus(self._lines)

    def _carry(self, by: int) -> None:
        if (path := self._lines.neighbour(by)) is not None:
            self.edit(path)
            return
        self._editor.path = ""
        if by > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous(":not(FormLines)")

    def _carry_line(self, by: int) -> None:
        if (path := self._lines.below(by)) is not None:
            self.edit(path)

    def _place(self) -> None:
        """Lay the editor over its field; where that is out of view, hide it."""
        self._explain()
        if not self._editor.display:
            return
        region = self._lines.region_of(self._lines.path)
        self._editor.visible = region is not None
        if region is not None:
            self._editor.styles.offset = region.x, region.y
            self._editor.styles.width = region.width

    def _explain(self) -> None:
        """Say what the field under the cursor means."""
        lines, ink = self._lines, inks(self.app)
        field = lines.field
        used = lines.has_focus or lines.editing
        said = (field and (field.path, field.help, field.default, field.choices), used, self.app.theme)
        if said == self._explained:
            return
        self._explained = said
        if field is None or not used:
            self._help.show([Text().append("Enter or e edits the fields, Tab goes from one to the next.", ink.muted)])
            return
        head = Text().append(name(label(field) if opens(field) else field.path), ink.accent)
        if field.kind in PICKED:
            head.append("  " + " | ".join(name(choice) for choice in choices_of(field)), ink.muted)
        elif field.default:
            head.append(f"  default {name(field.default, 40)}", ink.muted)
        self._help.show([head, Text().append(message(field.help), ink.plain)])

    def on_form_lines_moved(self) -> None:
        self._place()

    def on_input_blurred(self) -> None:
        # Where the whole terminal has lost the focus, the editor will have it again.
        if self.app.app_focus:
            self.call_later(self._put_away)

    def _put_away(self) -> None:
        if not self._editor.has_focus:
            self._editor.path = ""
            self._editor.display = False
            self._lines.editing = False
            self._lines.refresh()
            self._explain()

    def on_descendant_focus(self) -> None:
        self._explain()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted:
            self._explain()
