"""A world in which every picture comes out the same: a clock that is moved by hand, ids without chance, a folder of its own."""

import asyncio
import contextlib
import functools
import itertools
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from unittest import mock

from textual.pilot import Pilot

from orderbook_tui import PolicyDecider, RecoveryAction, RunStatus, Simulation, load_config
from orderbook_tui.engine.stopping import StopConditions
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.retry import RetryScreen
from orderbook_tui.tui.widgets.slot_table import SlotTable

CONFIGS: Final = Path(__file__).resolve().parents[2] / "configs"
STATE_DIR: Final = Path("simulator_state")
SETTINGS: Final = Path("/home/somebody/.config")
"""Where nobody has any; the help says so, in as many lines whoever looks."""
TICK_NS: Final = 60_000_000
"""What a look at the clock takes: three of them are about the pace of `simulator.json`."""
CLOCKED: Final = (
    "engine.bookkeeper",
    "engine.processor",
    "engine.persistence",
    "engine.checkpoint_writer",
    "tui.figures",
)
SAVED: Final = (
    ("fees-and-faults.json", ("BTC-USD", "ETH-USD", "SOL-USD"), 26 * 3600),
    ("page-example.json", (), 2 * 3600),
    ("named-pairs.json", (), 35 * 60),
    ("simulator.json", ("BTC-USD",), 4 * 60),
)
"""The runs in the list: their config, the markets that were run (all, where none is named), and how long ago it was."""
Script = Callable[[OrderbookApp, Pilot[int]], Awaitable[None]]


class Clock:
    """A clock that is moved by hand, and by each look at it."""

    def __init__(self) -> None:
        self.now = 1_767_261_600_000_000_000  # 2026-01-01 10:00 UTC

    def time_ns(self) -> int:
        self.now += TICK_NS
        return self.now

    def move(self, seconds: float) -> None:
        self.now += int(seconds * 1e9)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


@contextlib.contextmanager
def a_made_world() -> Iterator[Clock]:
    """Give a clock of our own, ids without chance, and a folder that is nobody's."""
    clock, number = Clock(), itertools.count(0xA1)
    before = Path.cwd()
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, TZ="UTC", XDG_CONFIG_HOME=str(SETTINGS)))
        time.tzset()
        stack.callback(time.tzset)
        os.chdir(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.callback(os.chdir, before)
        for module in CLOCKED:
            stack.enter_context(mock.patch(f"orderbook_tui.{module}.time", clock))
        token = SimpleNamespace(token_hex=lambda count: f"{next(number):0{2 * count}x}")
        stack.enter_context(mock.patch("orderbook_tui.engine.persistence.secrets", token))
        yield clock


def a_run(config: str, clock: Clock) -> Simulation:
    """Make a run of an example config. Its waits before retries only move the clock."""
    run = Simulation.create(load_config(CONFIGS / config), folder=CONFIGS, state_dir=STATE_DIR)

    async def wait(seconds: float) -> bool:
        clock.move(seconds)
        return not run.control.stopping

    run.control.slots_per_second = None
    run.control.wait = wait  # type: ignore[method-assign]
    return run


async def save_runs(clock: Clock) -> None:
    """Save some runs, of which a few are left in the middle: only their pairs on some markets are run."""
    for config, markets, seconds in SAVED:
        run = a_run(config, clock)
        run.select(markets)
        await run.run(PolicyDecider(RecoveryAction.CONTINUE))
        run.close()
        clock.move(seconds)


@functools.cache
def _saved_runs() -> tuple[int, dict[str, bytes]]:
    """Return what time it is once those runs are saved, and the files that they are saved in."""
    with a_made_world() as clock:
        asyncio.run(save_runs(clock))
        return clock.now, {path.name: path.read_bytes() for path in STATE_DIR.iterdir()}


def put_saved_runs(clock: Clock) -> None:
    """Have those runs saved here, as if they had been run here: they are run once for all worlds."""
    clock.now, files = _saved_runs()
    STATE_DIR.mkdir(mode=0o700)
    for name, content in files.items():
        (STATE_DIR / name).write_bytes(content)


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


class Director:
    """Plays one run in the app, up to where the picture is taken."""

    def __init__(self, run: Simulation, clock: Clock) -> None:
        self.run, self.clock = run, clock

    async def run_to(self, app: OrderbookApp, slot: int) -> None:
        """Run up to a slot, and pause there."""
        self.run.stop_conditions = StopConditions(slot=slot)
        app.start_or_pause()
        await until(lambda: self.run.status is RunStatus.PAUSED and self.run.stats.ended_slots == slot)
        _follow_anew(app)

    async def to_the_dialog(self, app: OrderbookApp, pilot: Pilot[int]) -> None:
        """Run until the retries of slot 12 of `simulator.json` are spent."""
        app.start_or_pause()
        await until(lambda: self.run.status is RunStatus.WAITING)
        await until(lambda: isinstance(app.screen, RetryScreen) and app.screen.is_mounted)
        _follow_anew(app)

    async def to_a_pause(self, app: OrderbookApp, pilot: Pilot[int]) -> None:
        """Answer the dialog, and go a few slots further."""
        await self.to_the_dialog(app, pilot)
        self.run.stop_conditions = StopConditions(slot=17)
        app.simulate_key("r")
        await until(lambda: self.run.status is RunStatus.PAUSED and not isinstance(app.screen, RetryScreen))
        _follow_anew(app)


def _follow_anew(app: OrderbookApp) -> None:
    """Have the table stand where it would if the run had come here in one go: how often it looked on the way is chance."""
    table = app.get_screen("slots").query_one(SlotTable)
    table.action_first()
    table.following = True
    app._pulse()
