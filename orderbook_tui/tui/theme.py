"""The look: two dark themes and a light one, and the inks that lines are drawn with.

The accent means one thing: *you*. It marks where you are (cursor, focus), what you may press, and what waits for you.
"""

from typing import Final, NamedTuple

from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

DARK: Final = Theme(
    name="orderbook-dark",
    primary="#4cc9c0",
    accent="#4cc9c0",
    secondary="#79b8ff",
    success="#7fc08a",
    warning="#e5b567",
    error="#f07178",
    foreground="#d6dce5",
    background="#0e1218",
    surface="#131922",
    panel="#222c3a",
    dark=True,
    variables={"border": "#33404f", "scrollbar": "#2c3848", "scrollbar-background": "#131922"},
)


LIGHT: Final = Theme(
    name="orderbook-light",
    primary="#00707a",
    accent="#00707a",
    secondary="#1f5fbf",
    success="#2b7a3d",
    warning="#8a5a00",
    error="#b3261e",
    foreground="#1d2530",
    background="#fafbfc",
    surface="#f0f3f6",
    panel="#dfe5ec",
    dark=False,
    variables={"border": "#b4bfcc", "scrollbar": "#c3ccd7", "scrollbar-background": "#eef1f5"},
)

CONTRAST: Final = Theme(
    name="orderbook-contrast",
    primary="#00e5ff",
    accent="#00e5ff",
    secondary="#82b1ff",
    success="#69f08c",
    warning="#ffd54f",
    error="#ff8a80",
    foreground="#ffffff",
    background="#000000",
    surface="#0a0a0a",
    panel="#262626",
    dark=True,
    variables={"border": "#8a8a8a", "scrollbar": "#8a8a8a", "scrollbar-background": "#1a1a1a"},
)

THEMES: Final = {theme.name: theme for theme in (DARK, LIGHT, CONTRAST)}


class Inks(NamedTuple):
    """Styles by what they say. None has a background, so that any line can carry them."""

    plain: Style
    strong: Style
    muted: Style
    faint: Style
    accent: Style
    good: Style
    bad: Style
    warn: Style
    busy: Style
    cursor: Style
    """The line where the cursor is; it has only a background."""


def inks_on(widget: Widget) -> tuple[Inks, Inks]:
    """Return the inks of a widget's ordinary lines and of the one with the cursor, their backgrounds included."""
    plain = inks(widget.app)
    paper, marked = Style(bgcolor=widget.background_colors[1].rich_color), plain.cursor
    return Inks(*(style + paper for style in plain)), Inks(*(style + marked for style in plain))


def on_paper(widget: Widget, strip: Strip) -> Strip:
    """Return a line on its widget's background, as wide as the widget: a segment without a background has the terminal's."""
    return strip.extend_cell_length(widget.size.width).apply_style(Style(bgcolor=widget.background_colors[1].rich_color))


_made: dict[tuple[str, ...], Inks] = {}


def inks(app: App[object]) -> Inks:
    """Return the inks of the app's theme."""
    theme = app.current_theme
    foreground, background = theme.foreground or "#e0e0e0", theme.background or "#121212"
    key = (theme.name, foreground, background)
    found = _made.get(key)
    if found is None:
        paper = Color.parse(background)
        ink = Color.parse(foreground)
        accent = theme.accent or theme.primary

        def style(color: str, *, bold: bool = False) -> Style:
            return Style(color=Color.parse(color).rich_color, bold=bold or None)

        found = _made[key] = Inks(
            plain=style(foreground),
            strong=style(foreground, bold=True),
            muted=Style(color=ink.blend(paper, 0.42).rich_color),
            faint=Style(color=ink.blend(paper, 0.72).rich_color),
            accent=style(accent, bold=True),
            good=style(theme.success or "green"),
            bad=style(theme.error or "red", bold=True),
            warn=style(theme.warning or "yellow"),
            busy=style(theme.secondary or theme.primary, bold=True),
            cursor=Style(bgcolor=paper.blend(Color.parse(accent), 0.22).rich_color),
        )
    return found
