"""Lines of text that scroll: wrapped to the width, drawn only where they are seen."""

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orderbook_tui.tui.theme import on_paper


class TextLines(ScrollView):
    """Shows paragraphs. They are Rich texts made piece by piece, so nothing in them is read as markup."""

    DEFAULT_CSS = """
    TextLines {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
    }
    """

    def __init__(
        self,
        paragraphs: Sequence[Text] = (),
        *,
        id: str | None = None,  # noqa: A002
        focusable: bool = True,
        one_line_each: bool = False,
    ) -> None:
        super().__init__(id=id)
        self._one_line_each = one_line_each
        self.can_focus = focusable
        self._paragraphs: list[Text] = list(paragraphs)
        self._lines: list[Text] = []
        self._wrapped_to = -1

    def show(self, paragraphs: Sequence[Text]) -> None:
        """Show these in place of what was there."""
        self._paragraphs = list(paragraphs)
        self._wrapped_to = -1
        self._wrap(self.scrollable_content_region.width)
        self.refresh()

    def text(self) -> str:
        """Return what is shown, without its colours."""
        return "\n".join(paragraph.plain for paragraph in self._paragraphs)

    def in_view(self) -> str:
        """Return the lines that are in view, without their colours."""
        return "\n".join(self.render_line(y).text.rstrip() for y in range(self.size.height))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        self._wrap(width - self.styles.scrollbar_size_vertical)  # which stands in it
        return len(self._lines)

    def on_resize(self, event: events.Resize) -> None:
        self._wrap(self.scrollable_content_region.width)

    def render_line(self, y: int) -> Strip:
        place = y + self.scroll_offset.y
        if place >= len(self._lines):
            return on_paper(self, Strip([]))
        return on_paper(self, Strip(self._lines[place].render(self.app.console)).crop(0, self.scrollable_content_region.width))

    def _wrap(self, width: int) -> None:
        if width <= 0 or width == self._wrapped_to:
            return
        console = self.app.console
        if self._one_line_each:
            self._lines = [paragraph.copy() for paragraph in self._paragraphs]
            for line in self._lines:
                line.truncate(width, overflow="ellipsis")
        else:
            self._lines = [line for paragraph in self._paragraphs for line in paragraph.wrap(console, width, overflow="fold")]
        for line in self._lines:
            line.end = ""
            line.stylize_before(line.style)  # the style of a whole text is drawn only where a part has one too
        self._wrapped_to = width
        self.virtual_size = Size(width, len(self._lines))
