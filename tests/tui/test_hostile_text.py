"""Text from outside is shown, and does nothing else: no markup, no control sequence, no line of its own."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.tui.app import OrderbookApp
from tests.tui.screen import SMALL, WIDE, drive, frame, shown, simulation, until_status

HOSTILE = {
    "markup": "[bold red]x[/] [@click=app.exit]y[/] [/nothing]",
    "ansi": "a\x1b[2J\x1b[31mb\x9b31m",
    "osc": "a\x1b]0;owned\x07\x1b]52;c;aGk=\x1b\\",
    "bidi": "\u202eevil\u2066\u200f",
    "emoji": "👩‍👩‍👧‍👦🇩🇪❤️日本語",
    "marks": "a" + "\u0301" * 500,
    "long": "x" * 10_000,
    "lines": "one\ntwo\r\n\tthree",
}
_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


def named(text: str) -> dict[str, Any]:
    """A config in which everything that has a name is called so."""
    return {
        "name": text,
        "accounts": {"list": [{"name": f"{text}{number}"} for number in range(4)]},
        "markets": [{"symbol": text, "base": f"B{text}", "quote": f"Q{text}", "reference_price": "100"}],
        "venue": {"kind": "python", "target": "tests.tui.hostile_venue:place"},
    }


@pytest.mark.parametrize(("kind", "size"), zip(HOSTILE, itertools.cycle([WIDE, SMALL])), ids=[*HOSTILE])
def test_names_are_shown_harmlessly_on_every_screen(tmp_path: Path, kind: str, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        def harmless() -> str:
            text = shown(app)
            assert not _UNSAFE.search(text), repr(_UNSAFE.search(text))
            assert all(strip.cell_length == size[0] for strip in app.screen._compositor.render_strips())
            return text

        text = harmless()
        if kind == "markup":
            assert "[bold" in text
        await pilot.press("space")
        await until_status(app, RunStatus.WAITING)
        await pilot.pause()
        harmless()
        await pilot.press("c")
        await until_status(app, RunStatus.DONE)
        harmless()
        await pilot.press("enter")
        await pilot.pause()
        harmless()
        await pilot.press("escape", "5")
        await frame(pilot)
        harmless()

    drive(simulation(tmp_path, **named(HOSTILE[kind])), tmp_path, script, size)
