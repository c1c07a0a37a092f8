"""Boxes to tick whose mark alone says whether they are: Textual's own show the same mark in another colour."""

from typing import ClassVar

from textual.content import Content
from textual.widgets import Checkbox, RadioButton


class TickBox(Checkbox):
    """Ticked or not, by itself."""

    MARKS: ClassVar[tuple[str, str]] = ("[ ]", "[x]")

    @property
    def _button(self) -> Content:
        return Content.assemble((self.MARKS[self.value], self.get_visual_style("toggle--button")))


class RadioTick(RadioButton):
    """One of several, of which one is ticked."""

    MARKS: ClassVar[tuple[str, str]] = ("( )", "(•)")

    @property
    def _button(self) -> Content:
        return Content.assemble((self.MARKS[self.value], self.get_visual_style("toggle--button")))
