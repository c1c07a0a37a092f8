"""A run without a screen: signals, progress on stderr, and in the end its summary on stdout."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial

import anyio

from orderbook_tui.asking import ask
from orderbook_tui.engine.control import Ending, unwrapped
from orderbook_tui.engine.decisions import Decider, TerminalDecider, decider_for
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.summary import exit_status
from orderbook_tui.report import print_summary
from orderbook_tui.signals import heeded
from orderbook_tui.streams import Droppable, drop

REFRESH_S = 0.1
PLAIN_EVERY_S = 2.0


def run_headless(simulation: Simulation, *, on_failure: str | None = None, as_json: bool = False) -> int:
    """Run what is pending, print the summary, and return the exit status. The checkpoint is saved however it ends.

    `on_failure` takes the config's word where it is omitted. SIGINT, SIGTERM and SIGHUP stop the run before its next attempt;
    a second one does not wait for the venue's answer. That nobody can read the progress any more stops nothing.
    """
    decider = decider_for(on_failure or simulation.config.processor.on_failure.value)
    if isinstance(decider, TerminalDecider):
        decider = TerminalDecider(partial(ask, simulation))
    try:
        # What a user's own venue prints must not get between the results.
        with redirect_stderr(Droppable(sys.stderr)), redirect_stdout(sys.stderr):
            ending = Ending.DONE if simulation.status is RunStatus.DONE else anyio.run(_run, simulation, decider, as_json)
        _summarise(simulation, ending, as_json=as_json)
        return exit_status(simulation, ending)
    finally:
        simulation.close()


def _summarise(simulation: Simulation, ending: Ending, *, as_json: bool) -> None:
    try:
        print_summary(simulation, ending, as_json=as_json)
        sys.stdout.flush()
    except OSError:
        if ending is not Ending.STOPPED:
            raise
        # Whoever hung up reads no summary, and that is no reason to call the run anything but interrupted.
        drop(sys.stdout)


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
    with anyio.open_signal_receiver(*heeded()) as signals:
        async for _ in signals:
            if simulation.control.stopping:
                scope.cancel()
            simulation.stop()


async def _show_progress(simulation: Simulation) -> None:
    if sys.stderr.isatty():
        from orderbook_tui.progress_bar import progress_bar as show
    else:
        show = _lines
    with show(simulation) as refresh:
        while True:
            refresh()
            await anyio.sleep(REFRESH_S)


@contextmanager
def _lines(simulation: Simulation) -> Iterator[Callable[[], None]]:
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
