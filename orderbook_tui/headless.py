"""A run without a screen: signals, progress on stderr, and in the end its summary on stdout."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import anyio

from orderbook_tui.core.words import harmless
from orderbook_tui.engine.control import Ending, unwrapped
from orderbook_tui.engine.decisions import Decider, decider_for
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.summary import exit_status
from orderbook_tui.report import print_summary

REFRESH_S = 0.1
PLAIN_EVERY_S = 2.0


def run_headless(simulation: Simulation, *, on_failure: str | None = None, as_json: bool = False) -> int:
    """Run what is pending, print the summary, and return the exit status. The checkpoint is saved however it ends.

    `on_failure` takes the config's word where it is omitted. SIGINT, SIGTERM and SIGHUP stop the run before its next attempt;
    a second one does not wait for the venue's answer.
    """
    decider = decider_for(on_failure or simulation.config.processor.on_failure.value)
    try:
        # What a user's own venue prints must not get between the results.
        with redirect_stdout(sys.stderr):
            ending = Ending.DONE if simulation.status is RunStatus.DONE else anyio.run(_run, simulation, decider, as_json)
        print_summary(simulation, ending, as_json=as_json)
        return exit_status(simulation, ending)
    finally:
        simulation.close()


async def _run(simulation: Simulation, decider: Decider, quiet: bool) -> Ending:
    ending = Ending.STOPPED
    with unwrapped():
        async with anyio.create_task_group() as group:
            group.start_soon(_heed_signals, simulation, group.cancel_scope)
            if not quiet:
                group.start_soon(_show_progress, simulation)
            ending = await simulation.run(decider)
            group.cancel_scope.cancel()
    return ending


async def _heed_signals(simulation: Simulation, scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async for _ in signals:
            if simulation.control.stopping:
                scope.cancel()
            simulation.stop()


async def _show_progress(simulation: Simulation) -> None:
    show = _bar(simulation) if sys.stderr.isatty() else _lines(simulation)
    with show as refresh:
        while True:
            refresh()
            await anyio.sleep(REFRESH_S)


@contextmanager
def _bar(simulation: Simulation) -> Iterator[Any]:
    """A progress bar, taken away while a question waits at the same terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}", markup=False),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    task = progress.add_task(harmless(simulation.name, 40), total=simulation.stats.total_slots, pace="")

    def make_way(simulation: Simulation) -> None:
        if simulation.status is RunStatus.WAITING:
            progress.stop()

    def refresh() -> None:
        if simulation.status is RunStatus.WAITING:
            return
        progress.start()
        done = simulation.stats.ended_slots
        progress.update(task, completed=done, pace=f"{simulation.slots_per_second:,.0f}/s")
        progress.refresh()

    unsubscribe = simulation.subscribe(make_way)
    try:
        yield refresh
    finally:
        unsubscribe()
        refresh()
        progress.stop()


@contextmanager
def _lines(simulation: Simulation) -> Iterator[Any]:
    """A plain line now and then, for a log."""
    last = time.monotonic()

    def line() -> None:
        stats = simulation.stats
        done = stats.ended_slots
        failures = stats.failed_slots + stats.skipped_slots
        print(
            f"{done}/{stats.total_slots} slots, {failures} failed, {simulation.slots_per_second:,.0f}/s",
            file=sys.stderr,
            flush=True,
        )

    def refresh() -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_EVERY_S:
            last = time.monotonic()
            line()

    try:
        yield refresh
    finally:
        line()
