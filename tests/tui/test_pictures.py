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


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scene", SCENES)
def test_it_looks_as_it_did(scene: str, size: str, theme: str, snap_compare: Callable[..., bool]) -> None:
    with the_scene(scene, THEMES[theme]) as (app, script):

        async def play(pilot: Pilot[Any]) -> None:
            await cast(Callable[[Any, Pilot[Any]], Awaitable[None]], script)(app, pilot)

        assert snap_compare(app, terminal_size=SIZES[size], run_before=play)
