"""Every screen and dialog, at both sizes, in the dark and in the light: each looks as it did when somebody last looked at it.

pytest tests/tui/test_pictures.py --snapshot-update      after looking at what has changed
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from orderbook_tui.tui.theme import DARK, LIGHT
from tests.tui.scenes import SCENES, the_scene

SIZES = {"80x24": (80, 24), "140x40": (140, 40)}
THEMES = {"dark": DARK.name, "light": LIGHT.name}
SCREENS = ("schedule", "slots", "budgets", "book", "checkpoints", "dialog")
"""Seen at both sizes in both themes; what is laid over them, small in the dark."""
SEEN = [
    (scene, size, theme)
    for scene in SCENES
    for size in SIZES
    for theme in THEMES
    if scene in SCREENS or (size, theme) == ("80x24", "dark")
]


@pytest.mark.parametrize(("scene", "size", "theme"), SEEN, ids=["-".join(seen) for seen in SEEN])
def test_it_looks_as_it_did(scene: str, size: str, theme: str, snap_compare: Callable[..., bool]) -> None:
    with the_scene(scene, THEMES[theme]) as (app, script):

        async def play(pilot: Pilot[Any]) -> None:
            await cast(Callable[[Any, Pilot[Any]], Awaitable[None]], script)(app, pilot)

        assert snap_compare(app, terminal_size=SIZES[size], run_before=play)
