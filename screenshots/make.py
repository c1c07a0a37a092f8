"""The pictures of the README, made from the real app in the middle of real, seeded runs.

    python screenshots/make.py            writes slots, dialog, checkpoints and slots-80x24, each as .svg and .png

The app runs without a terminal and is stepped, so that it stops where it should; waits take no time, and the clock is a
made one, which they move. So two runs of this script give the same pictures. A PNG is drawn from the SVG, with
DejaVu Sans Mono (Debian and Ubuntu: fonts-dejavu-core).
"""

import asyncio
import contextlib
import itertools
import os
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from unittest import mock

import resvg_py
from textual.pilot import Pilot
from textual.widgets import DataTable

from orderbook_tui import PolicyDecider, RecoveryAction, RunStatus, Simulation, load_config
from orderbook_tui.tui.app import OrderbookApp

HERE: Final = Path(__file__).resolve().parent
CONFIGS: Final = HERE.parent / "configs"
STATE_DIR: Final = Path("simulator_state")
FONT: Final = "DejaVu Sans Mono"
FONT_FOLDERS: Final = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts")
WIDE, SMALL = (120, 36), (80, 24)
PACE: Final = 5.0
"""Slots a second: what `simulator.json` says, and what the strip on top then shows."""
STANDSTILL: Final = 0.00001
"""A pace at which a run does one slot more, and then nothing while anybody looks."""
CLOCKED: Final = ("engine.processor", "engine.persistence", "engine.checkpoint_writer", "tui.figures")
SAVED: Final = (
    ("fees-and-faults.json", ("BTC-USD", "ETH-USD", "SOL-USD"), 26 * 3600),
    ("page-example.json", (), 2 * 3600),
    ("named-pairs.json", (), 35 * 60),
    ("simulator.json", ("BTC-USD",), 4 * 60),
)
"""The runs in the list: their config, the markets that were run (all, where none is named), and how long ago it was."""
Script = Callable[[OrderbookApp, Pilot[int]], Awaitable[None]]


class Clock:
    """A clock that is moved by hand; a look at it takes 40 microseconds."""

    def __init__(self) -> None:
        self._now = 1_767_261_600_000_000_000  # 2026-01-01 10:00 UTC

    def time_ns(self) -> int:
        self._now += 40_000
        return self._now

    def move(self, seconds: float) -> None:
        self._now += int(seconds * 1e9)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


@contextlib.contextmanager
def a_made_world() -> Iterator[Clock]:
    """Give a clock of our own, ids without chance, and a folder that is nobody's."""
    clock, number = Clock(), itertools.count(0xA1)
    before, os.environ["TZ"] = Path.cwd(), "UTC"
    time.tzset()
    with contextlib.ExitStack() as stack:
        os.chdir(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.callback(os.chdir, before)
        for module in CLOCKED:
            stack.enter_context(mock.patch(f"orderbook_tui.{module}.time", clock))
        token = SimpleNamespace(token_hex=lambda count: f"{next(number):0{2 * count}x}")
        stack.enter_context(mock.patch("orderbook_tui.engine.persistence.secrets", token))
        stack.enter_context(mock.patch("orderbook_tui.tui.widgets.status_strip.Pace.per_second", PACE))
        yield clock


def a_run(name: str, clock: Clock) -> Simulation:
    """Make a run of an example config. Its waits before retries only move the clock."""
    run = Simulation.create(load_config(CONFIGS / name), folder=CONFIGS, state_dir=STATE_DIR)

    async def wait(seconds: float) -> bool:
        clock.move(seconds)
        return not run.control.stopping

    run.control.slots_per_second = None
    run.control.wait = wait  # type: ignore[method-assign]
    return run


def is_paused_after(run: Simulation, ended: int) -> bool:
    return run.status is RunStatus.PAUSED and run.stats.total_slots - run.stats.pending_slots == ended


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


class Director:
    """Plays one run in the app, up to where the picture is taken."""

    def __init__(self, run: Simulation, clock: Clock) -> None:
        self.run, self.clock = run, clock

    async def to_the_dialog(self, app: OrderbookApp, pilot: Pilot[int]) -> None:
        """Step until the retries of slot 12 are spent."""
        await self._step(app, 12)
        self.clock.move(1 / PACE)
        app.step()
        await until(lambda: self.run.status is RunStatus.WAITING)
        await pilot.pause(0.3)

    async def to_the_middle(self, app: OrderbookApp, pilot: Pilot[int]) -> None:
        """Answer the dialog, go on, and let the run stand still, though it is running."""
        await self.to_the_dialog(app, pilot)
        self.clock.move(1.5)
        await pilot.press("r")
        await until(lambda: is_paused_after(self.run, 13))
        await self._step(app, 4)
        self.clock.move(1 / PACE)
        self.run.control.slots_per_second = STANDSTILL
        app.start_or_pause()
        await until(lambda: self.run.status is RunStatus.RUNNING and self.run.stats.pending_slots == 22)
        await pilot.pause(0.6)  # the panels look at the run a few times a second only

    async def _step(self, app: OrderbookApp, slots: int) -> None:
        for _ in range(slots):
            ended = self.run.stats.total_slots - self.run.stats.pending_slots
            self.clock.move(1 / PACE)
            app.step()
            await until(partial(is_paused_after, self.run, ended + 1))


async def to_the_list(app: OrderbookApp, pilot: Pilot[int]) -> None:
    """Wait until the saved runs are there."""
    await until(lambda: app.screen.query_one(DataTable).row_count == len(SAVED))
    await pilot.pause(0.3)


async def save_runs(clock: Clock) -> None:
    """Save some runs, of which a few are left in the middle: only their pairs on some markets are run."""
    for name, markets, seconds in SAVED:
        run = a_run(name, clock)
        run.select(markets)
        await run.run(PolicyDecider(RecoveryAction.CONTINUE))
        run.close()
        clock.move(seconds)


def take(name: str, run: Simulation | None, script: Script, size: tuple[int, int] = WIDE) -> None:
    """Play `script` in the app, and write what the screen then shows."""

    async def play() -> str:
        app = OrderbookApp(run, STATE_DIR)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await script(app, pilot)
            app.clear_notifications()
            await pilot.pause(0.3)
            drawn = app.export_screenshot(title=f"orderbook-tui: {run.name if run is not None else 'saved runs'}")
            await app.end_run()
        return drawn

    svg = plain(asyncio.run(play()), name)
    (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")
    (HERE / f"{name}.png").write_bytes(as_png(svg))
    print(f"screenshots/{name}.svg, screenshots/{name}.png")


def plain(svg: str, name: str) -> str:
    """Return the drawing without fonts from the network, under ids of our own."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}\s*", "", svg)
    svg = re.sub(r"font-family:[^;}]*", f"font-family: '{FONT}', Menlo, Consolas, monospace", svg)
    return re.sub(r"terminal-\d+", name, svg)


def as_png(svg: str) -> bytes:
    """Return the drawing as PNG."""
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=1.25, skip_system_fonts=True, font_files=font_files()))


def font_files() -> list[str]:
    """Return the files of the font.

    Raises:
        FileNotFoundError: it is not installed.
    """
    found = [path for folder in FONT_FOLDERS for path in Path(folder).expanduser().rglob("DejaVuSansMono*.ttf")]
    if not found:
        raise FileNotFoundError(f"{FONT} is not installed: apt-get install fonts-dejavu-core")
    return [str(path) for path in sorted(found)]


def main() -> None:
    """Make every picture."""
    font_files()
    for name, size in (("slots", WIDE), ("slots-80x24", SMALL)):
        with a_made_world() as clock:
            run = a_run("simulator.json", clock)
            take(name, run, Director(run, clock).to_the_middle, size)
    with a_made_world() as clock:
        run = a_run("simulator.json", clock)
        take("dialog", run, Director(run, clock).to_the_dialog)
    with a_made_world() as clock:
        asyncio.run(save_runs(clock))
        take("checkpoints", None, to_the_list)


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as error:
        sys.exit(str(error))
