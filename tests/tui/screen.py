"""A simulation in one line, and an app on it that a test can drive and read."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from orderbook_tui.config import parse_config
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.retry import RetryScreen
from orderbook_tui.tui.widgets.slot_table import SlotTable
from orderbook_tui.tui.widgets.status_strip import StatusStrip

WIDE, SMALL = (120, 36), (80, 24)
Script = Callable[[OrderbookApp, Pilot[int]], Awaitable[None]]


def config(**sections: Any) -> dict[str, Any]:
    """A config of eight slots, with enough of everything, without waits."""
    return {
        "name": "tiny",
        "scheduler": {"trades_per_account": 2},
        "processor": {"retry_base_delay_ms": 1, "max_retries": 1},
        "budget": {"budgets": [{"amount": 100_000}]},
        **sections,
    }


def outage(slot: int, attempts: int = 2) -> dict[str, Any]:
    """The venue section in which the first attempts of one slot fail."""
    return {"faults": {"outages": [{"from_slot": slot, "slots": 1, "attempts": attempts}]}}


def simulation(folder: Path, *, save: bool = True, **sections: Any) -> Simulation:
    """A simulation of `config(**sections)`, saved in `folder`."""
    return Simulation.create(parse_config(config(**sections)), state_dir=folder, save=save)


class PromptPilot(Pilot[int]):
    """Goes on as soon as nothing is left to do on the loop; Textual's pilot waits until the processor is idle.

    What goes on in a thread, or after a time, is not waited for: `until` is for that.
    """

    async def press(self, *keys: str) -> None:
        with patch("textual.app.wait_for_idle", self.settle):
            await self.app._press_keys(keys)

    async def pause(self, delay: float | None = None) -> None:
        if delay is None:
            await self.settle()
        else:
            await super().pause(delay)

    async def settle(self, *_: float) -> None:
        """Wait until every message is answered and all is drawn, a second at most: a run goes on without end."""
        loop: Any = asyncio.get_running_loop()
        end = loop.time() + 1
        while loop.time() < end:
            await asyncio.sleep(0.005 if self.app._resize_event else 0)
            if not (loop._ready or self.app._resize_event or self._draws()):
                return

    def _draws(self) -> bool:
        """Draw what waits for the next frame, if anything does."""
        if not self.app.screen_stack or self.app._batch_count:
            return False
        screen = self.app.screen
        waiting = screen._layout_required, screen._scroll_required, screen._repaint_required, screen._recompose_required
        if not (screen.is_current and (any(waiting) or screen._dirty_widgets or screen._callbacks)):
            return False
        screen._on_timer_update()
        return True


_parse_rules = Stylesheet._parse_rules


@functools.cache
def _parsed(variables: frozenset[tuple[str, str]], *source: Any, **traits: Any) -> list[RuleSet]:
    return _parse_rules(Stylesheet(variables=dict(variables)), *source, **traits)


def _parse_once(sheet: Stylesheet, *source: Any, **traits: Any) -> list[RuleSet]:
    return _parsed(frozenset(sheet._variables.items()), *source, **traits)


@contextmanager
def parsing_once() -> Iterator[None]:
    """Parse each style sheet for all the apps of a process: each of them would otherwise spend a sixth of its time on it."""
    with patch.object(Stylesheet, "_parse_rules", _parse_once):
        yield


@asynccontextmanager
async def piloted(app: OrderbookApp, size: tuple[int, int] = WIDE) -> AsyncIterator[PromptPilot]:
    """Open the app."""
    with parsing_once():
        async with app.run_test(size=size):
            pilot = PromptPilot(app)
            await pilot.pause()
            yield pilot


def drive(run: Simulation | None, folder: Path, script: Script, size: tuple[int, int] = WIDE) -> OrderbookApp:
    """Open the app, play the script, and return the app when it has closed."""

    async def play() -> OrderbookApp:
        app = OrderbookApp(run, folder)
        async with piloted(app, size) as pilot:
            await script(app, pilot)
            if app.return_value is None:
                await until(lambda: app.screen.is_mounted)
                app.exit()
        if app.simulation is not None:
            app.simulation.close()
        return app

    return asyncio.run(play())


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Wait until something is so."""
    loop = asyncio.get_running_loop()
    end = loop.time() + 20
    while not condition():
        assert loop.time() < end, f"never came: {what or condition}"
        await asyncio.sleep(0.005)


async def frame(pilot: Pilot[int]) -> None:
    """Have the screen look at the run now, and draw what it saw."""
    app = pilot.app
    assert isinstance(app, OrderbookApp)
    await pilot.pause()
    app._pulse()
    await pilot.pause()


async def until_status(app: OrderbookApp, status: RunStatus) -> None:
    """Wait until the run is in a state, and the screen has had time to say so."""
    await until(lambda: app.simulation is not None and app.simulation.status is status, status)
    await until(lambda: any(status.value in strip.text() for strip in app.screen.query(StatusStrip)), f"{status} on the screen")
    drawn = asyncio.Event()
    app._pulse()
    app.call_after_refresh(drawn.set)
    await drawn.wait()


async def until_asked(app: OrderbookApp) -> None:
    """Wait until the dialog about a failed slot takes an answer: not from whoever was typing when it came."""
    await until(lambda: isinstance(app.screen, RetryScreen) and app.screen.is_mounted, "the dialog")
    await until(lambda: app.screen.check_action("answer", ()), "the dialog to listen")


def table(app: OrderbookApp) -> SlotTable:
    return app.get_screen("slots").query_one(SlotTable)


def said(app: OrderbookApp) -> str:
    """All notifications."""
    return "\n".join(f"{notice.title} {notice.message}" for notice in app._notifications)


def shown(app: OrderbookApp) -> str:
    """All that is on the screen, as text."""
    update = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in update)
