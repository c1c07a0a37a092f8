"""Scenes that are played in the app, by its own process, in whatever terminal that has; each gives the numbers it measured.

python -m tests.benchmarks.scenes SCENE SLOTS DESCRIPTOR    be that process, and write the numbers as JSON to DESCRIPTOR
"""

import asyncio
import gc
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import anyio
from textual import events

from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.matching_slots import MatchingSlots
from orderbook_tui.tui.screens.slots import SlotsScreen
from orderbook_tui.tui.widgets.slot_filter import SlotFilterBar
from orderbook_tui.tui.widgets.slot_table import SlotTable
from tests.benchmarks.runs import config_of, stopwatch
from tests.benchmarks.space import resident_bytes

FRAMES: Final = 60
FILTERS: Final = ("btc bid", "12", "completed matched", "verdict:unmatched", "state:failed", "account:account-3 side:ask")
KEYS_APART_S: Final = 0.02

Numbers = dict[str, float]
Scene = Callable[[OrderbookApp], Awaitable[Numbers]]


def run(slots: int) -> Numbers:
    """Run in memory with the app attached, as soon as the app is ready."""
    return _shown_run(Simulation.create(config_of(slots), save=False))


def run_grouped(slots: int) -> Numbers:
    """The same, with a checkpoint that is saved by the group."""
    with tempfile.TemporaryDirectory() as folder:
        return _shown_run(Simulation.create(config_of(slots), state_dir=folder))


def open_slots(slots: int) -> Numbers:
    """Open the app on the checkpoints, give it a run, and go to its slots."""
    simulation = _loaded(slots)

    async def scene(app: OrderbookApp) -> Numbers:
        app.simulation = simulation
        started = time.perf_counter()
        app.show_screen("slots")
        await _until(lambda: isinstance(app.screen, SlotsScreen) and app.screen.query(SlotTable))
        await _drawn(app)
        seconds = time.perf_counter() - started
        assert any("Pending" in line for line in app.screen.query_one(SlotTable).lines())
        return {"seconds": seconds}

    return _play(None, scene)


def changed_row(slots: int) -> Numbers:
    """Change one slot in view, and draw that."""

    async def scene(app: OrderbookApp) -> Numbers:
        table = app.screen.query_one(SlotTable)
        slot = table._rows[table.scroll_offset.y + 5]

        def change() -> None:
            slot.open = 0 if slot.open else 1
            app._pulse()

        return {"ms": await _cpu_ms(app, change)}

    return _play(_loaded(slots), scene)


def full_repaint(slots: int) -> Numbers:
    """Draw the table anew, and nothing of it from memory."""

    async def scene(app: OrderbookApp) -> Numbers:
        table = app.screen.query_one(SlotTable)

        def repaint() -> None:
            table._strips.clear()
            table.refresh()

        return {"ms": await _cpu_ms(app, repaint)}

    return _play(_loaded(slots), scene)


def scroll(slots: int) -> Numbers:
    """Turn page after page, 20 a second, somewhere in the middle."""

    async def scene(app: OrderbookApp) -> Numbers:
        table = app.screen.query_one(SlotTable)
        table.move_to(slots // 2)
        await _drawn(app)
        return {"ms": await _cpu_ms(app, lambda: table.action_page(1), apart_s=1 / 20)}

    return _play(_loaded(slots), scene)


def filter_all(slots: int) -> Numbers:
    """Filter a run that is done, by one filter after another."""

    async def scene(app: OrderbookApp) -> Numbers:
        screen = app.screen
        assert isinstance(screen, SlotsScreen)
        bar, taken, pauses, slices = screen.query_one(SlotFilterBar), [], [], list[float]()
        work = MatchingSlots.work

        def timed(matching: MatchingSlots, seconds: float) -> bool:
            before = time.thread_time()
            done = work(matching, seconds)
            slices.append(time.thread_time() - before)
            return done

        MatchingSlots.work = timed  # type: ignore[method-assign, assignment]
        screen.action_filter()
        for text in FILTERS:
            bar.text = ""
            await asyncio.sleep(0.3)
            beats = [time.perf_counter()]
            beating = asyncio.create_task(_beat(beats))
            await asyncio.sleep(0.02)
            started = time.perf_counter()
            bar.text = text
            await _until(lambda text=text: _has_found(screen, text))  # type: ignore[misc]
            taken.append(time.perf_counter() - started)
            await _drawn(app)
            beating.cancel()
            pauses.append(max(after - before for before, after in itertools.pairwise(beats)))
        return {"seconds": max(taken), "pause_ms": 1000 * max(pauses), "slice_ms": 1000 * max(slices)}

    simulation = _loaded(slots)
    anyio.run(simulation.run)
    return _play(simulation, scene)


def keys(slots: int) -> Numbers:
    """Press a key again and again beside a run at full speed, and see how long each takes until it has moved the cursor."""

    async def scene(app: OrderbookApp) -> Numbers:
        assert app.simulation is not None
        table, late = app.screen.query_one(SlotTable), list[float]()
        move, pressed = table.action_move, asyncio.Event()

        def moved(by: int) -> None:
            move(by)
            pressed.set()

        table.action_move = moved  # type: ignore[method-assign]
        app.start_or_pause()
        while app.simulation.status is RunStatus.RUNNING or not late:
            await asyncio.sleep(KEYS_APART_S)
            pressed.clear()
            started = time.perf_counter()
            app.post_message(events.Key("down", None))
            await pressed.wait()
            late.append(1000 * (time.perf_counter() - started))
        return {"p95_ms": statistics.quantiles(late, n=20)[-1] if len(late) > 1 else late[0], "keys": len(late)}

    return _play(_loaded(slots), scene)


def memory(slots: int) -> Numbers:
    """Run in memory, and say what the process holds when that is done and shown."""

    async def scene(app: OrderbookApp) -> Numbers:
        app.start_or_pause()
        await _until(lambda: app.simulation is not None and app.simulation.status is RunStatus.DONE, every_s=0.05)
        await asyncio.sleep(0.5)
        gc.collect()
        return {"bytes": resident_bytes()}

    return _play(Simulation.create(config_of(slots), save=False), scene)


SCENES: Final[dict[str, Callable[[int], Numbers]]] = {
    "run": run,
    "run_grouped": run_grouped,
    "open": open_slots,
    "changed_row": changed_row,
    "full_repaint": full_repaint,
    "scroll": scroll,
    "filter": filter_all,
    "keys": keys,
    "memory": memory,
}


def _shown_run(simulation: Simulation) -> Numbers:
    seconds = stopwatch(simulation)

    async def scene(app: OrderbookApp) -> Numbers:
        gc.collect()
        done = asyncio.Event()
        simulation.subscribe(lambda changed: done.set() if changed.status is RunStatus.DONE else None)
        app.start_or_pause()
        await done.wait()
        return {"slots_per_s": len(simulation.slots) / seconds()}

    return _play(simulation, scene)


def _loaded(slots: int) -> Simulation:
    simulation = Simulation.create(config_of(slots), save=False)
    gc.collect()
    gc.freeze()
    return simulation


def _play(simulation: Simulation | None, scene: Scene) -> Numbers:
    """Open the app in this terminal, play the scene as soon as the app is ready, and leave."""
    numbers: Numbers = {}
    app = OrderbookApp(simulation, Path(tempfile.gettempdir()) / "no-such-folder")

    async def play(_: object) -> None:
        await asyncio.sleep(0.2)
        numbers.update(await scene(app))
        app.exit()

    app.run(auto_pilot=play)
    return numbers


def _has_found(screen: SlotsScreen, text: str) -> bool:
    matching = screen._matching
    return matching is not None and matching.chosen.text == text and matching.complete


async def _until(condition: Callable[[], object], *, every_s: float = 0.001) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(every_s)


async def _drawn(app: OrderbookApp) -> None:
    """Wait until what is to be drawn now is drawn."""
    drawn = asyncio.Event()
    app.screen.call_after_refresh(drawn.set)
    await drawn.wait()


async def _cpu_ms(app: OrderbookApp, change: Callable[[], None], *, apart_s: float = 0.0) -> float:
    """Return the CPU that a change and its drawing take, on the average of many."""
    for _ in range(3):
        change()
        await _drawn(app)
    used = 0.0
    for _ in range(FRAMES):
        await asyncio.sleep(apart_s)
        before = time.process_time()
        change()
        await _drawn(app)
        used += time.process_time() - before
    return 1000 * used / FRAMES


async def _beat(beats: list[float]) -> None:
    while True:
        await asyncio.sleep(0.001)
        beats.append(time.perf_counter())


if __name__ == "__main__":
    os.write(int(sys.argv[3]), json.dumps(SCENES[sys.argv[1]](int(sys.argv[2]))).encode())
