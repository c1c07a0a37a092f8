"""A simulation in one line, and an app on it that a test can drive and read."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from orderbook_tui.config import parse_config
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
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


def drive(run: Simulation | None, folder: Path, script: Script, size: tuple[int, int] = WIDE) -> OrderbookApp:
    """Open the app, play the script, and return the app when it has closed."""

    async def play() -> OrderbookApp:
        app = OrderbookApp(run, folder)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
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
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never came: {what or condition}")


async def until_status(app: OrderbookApp, status: RunStatus) -> None:
    """Wait until the run is in a state, and the screen has had time to say so."""
    await until(lambda: app.simulation is not None and app.simulation.status is status, status)
    await until(lambda: any(status.value in strip.text() for strip in app.screen.query(StatusStrip)), f"{status} on the screen")
    drawn = asyncio.Event()
    app._pulse()
    app.call_after_refresh(drawn.set)
    await drawn.wait()


def table(app: OrderbookApp) -> SlotTable:
    return app.get_screen("slots").query_one(SlotTable)


def said(app: OrderbookApp) -> str:
    """All notifications."""
    return "\n".join(f"{notice.title} {notice.message}" for notice in app._notifications)


def shown(app: OrderbookApp) -> str:
    """All that is on the screen, as text."""
    update = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in update)
