"""The pictures of the README, made from the real app in the middle of real, seeded runs.

    python screenshots/make.py            writes slots, dialog, checkpoints and slots-80x24, each as .svg and .png

The app runs without a terminal and is stepped, so it stops where it should; the clock is a made one. So two runs of this
script give the same pictures. A PNG is drawn from the SVG with DejaVu Sans Mono (Debian, Ubuntu: fonts-dejavu-core).
"""

import asyncio
import itertools
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from unittest import mock

import resvg_py
from textual.pilot import Pilot

from orderbook_tui.config import load_config, parse_config
from orderbook_tui.core.slot import RecoveryAction
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp

HERE: Final = Path(__file__).parent
CONFIGS: Final = HERE.parent / "configs"
FONT: Final = "DejaVu Sans Mono"
FONT_FOLDERS: Final = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts")
START_NS: Final = 1_767_261_600_000_000_000
"""2026-01-01 10:00 UTC: when everything in the pictures happens."""
TICK_NS: Final = 1_000_000
"""What the made clock goes on by whenever it is asked."""
WIDE, SMALL = (120, 36), (80, 24)
Script = Callable[[OrderbookApp, Pilot[int]], Awaitable[None]]


class Clock:
    """A clock that goes on with each look at it, and by nothing else."""

    def __init__(self, start: int = START_NS) -> None:
        self._now = itertools.count(start, TICK_NS)

    def __call__(self) -> int:
        return next(self._now)


def simulation(name: str = "simulator.json", **changes: Any) -> Simulation:
    """Make a run of an example config that waits for nothing."""
    tree = json.loads((CONFIGS / name).read_text())
    tree.setdefault("processor", {}).update({"slots_per_second": None, "retry_base_delay_ms": 1, "jitter": 0} | changes)
    tree.setdefault("name", Path(name).stem)
    return Simulation.create(parse_config(tree, CONFIGS), folder=CONFIGS)


async def until(app: OrderbookApp, pilot: Pilot[int], status: RunStatus) -> None:
    """Wait until the run is so, and the screen shows it."""
    while app.simulation is None or app.simulation.status is not status:
        await asyncio.sleep(0.01)
    await settle(app, pilot)


async def settle(app: OrderbookApp, pilot: Pilot[int]) -> None:
    """Wait until the screen has caught up with the run."""
    for _ in range(3):
        await pilot.pause(0.15)
    app.clear_notifications()
    await pilot.pause(0.15)


async def slots(app: OrderbookApp, pilot: Pilot[int]) -> None:
    """Stop in the middle of a run, with a look at a slot that needed retries."""
    assert app.simulation is not None
    app.start_or_pause()
    await until(app, pilot, RunStatus.WAITING)
    await pilot.press("r")
    await until(app, pilot, RunStatus.PAUSED)
    for _ in range(12):
        ended = app.simulation.stats.pending_slots
        app.step()
        while app.simulation.stats.pending_slots == ended:
            await asyncio.sleep(0.01)
    await settle(app, pilot)


async def dialog(app: OrderbookApp, pilot: Pilot[int]) -> None:
    """Stop where the retries of a slot are spent."""
    app.start_or_pause()
    await until(app, pilot, RunStatus.WAITING)


async def checkpoints(app: OrderbookApp, pilot: Pilot[int]) -> None:
    """Look at the saved runs."""
    await settle(app, pilot)


def picture(name: str, run: Simulation | None, script: Script, size: tuple[int, int]) -> None:
    """Play `script` in the app, and write what the screen then shows."""

    async def play() -> str:
        app = OrderbookApp(run, Path("simulator_state"))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await script(app, pilot)
            drawn = app.export_screenshot(title="orderbook-tui")
            app.simulation = None
            app.exit()
        return drawn

    svg = plain(asyncio.run(play()), name)
    (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")
    (HERE / f"{name}.png").write_bytes(drawn_with_our_font(svg))
    print(f"screenshots/{name}.svg, .png")


def plain(svg: str, name: str) -> str:
    """Return the drawing without what differs from run to run or comes from the network."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
    svg = re.sub(r"terminal-\d+", name, svg)
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


def drawn_with_our_font(svg: str) -> bytes:
    """Return the drawing as PNG, at twice its size."""
    svg = re.sub(r"font-family:[^;}]*", f"font-family: {FONT}", svg)
    svg = re.sub(r'font-family="[^"]*"', f'font-family="{FONT}"', svg)
    return bytes(
        resvg_py.svg_to_bytes(svg_string=svg, zoom=1.5, skip_system_fonts=True, font_files=fonts(), monospace_family=FONT)
    )


def fonts() -> list[str]:
    """Return the files of the font, or end with words."""
    found = [path for folder in FONT_FOLDERS for path in Path(folder).expanduser().rglob("DejaVuSansMono*.ttf")]
    if not found:
        sys.exit("DejaVu Sans Mono is not installed: apt-get install fonts-dejavu-core (or dejavu-sans-mono-fonts)")
    return [str(path) for path in sorted(found)]


def make_all() -> None:
    """Make every picture, in the folder that is worked in."""
    picture("slots", simulation(), slots, WIDE)
