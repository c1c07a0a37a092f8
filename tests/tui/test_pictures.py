"""Every screen and dialog, at both sizes, in the dark and in the light: each looks as it did when somebody last looked at it.

pytest tests/tui/test_pictures.py --snapshot-update      after looking at what has changed
"""

import asyncio
import functools
from collections.abc import Callable
from unittest.mock import patch

import pytest
from textual.app import App

from orderbook_tui.tui.theme import DARK, LIGHT
from tests.tui.scenes import SCENES, the_scene
from tests.tui.screen import piloted

SIZES = {"80x24": (80, 24), "140x40": (140, 40)}
THEMES = {"dark": DARK.name, "light": LIGHT.name}
SCREENS = ("schedule", "slots", "budgets", "book", "checkpoints", "dialog")
"""Seen at both sizes in both themes; what is laid over them, small in the dark."""
KEEPS_ITS_THEME = {"dialog"}
"""What keeps the theme in which it came."""
SEEN = [
    (scene, size, theme)
    for scene in SCENES
    for size in SIZES
    for theme in THEMES
    if scene in SCREENS or (size, theme) == ("80x24", "dark")
]


@functools.cache
def pictures(scene: str, size: str, *themes: str) -> dict[str, str]:
    """Play a scene once, and take its picture in each theme."""
    taken: dict[str, str] = {}

    async def play() -> None:
        async with piloted(app, SIZES[size]) as pilot:
            await script(app, pilot)
            for theme in themes:
                app.theme = THEMES[theme]
                for _ in range(3):  # what shows the run follows the theme when it next looks at the run
                    await pilot.settle()
                    app._pulse()
                await pilot.settle()
                taken[theme] = app.export_screenshot(title=app.title, simplify=True)
            app.exit()

    with the_scene(scene, THEMES[themes[0]]) as (app, script):
        asyncio.run(play())
    return taken


@pytest.mark.parametrize(("scene", "size", "theme"), SEEN, ids=["-".join(seen) for seen in SEEN])
def test_it_looks_as_it_did(scene: str, size: str, theme: str, snap_compare: Callable[..., bool]) -> None:
    themes = THEMES if scene in SCREENS and scene not in KEEPS_ITS_THEME else [theme]
    taken = pictures(scene, size, *themes)[theme]
    with patch("textual._doc.take_svg_screenshot", lambda **_: taken):  # it would play the scene for each picture
        assert snap_compare(App())
