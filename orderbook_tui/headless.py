"""A run without a screen: signals, progress on stderr, the summary on stdout."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import SlotState
from orderbook_tui.core.words import harmless
from orderbook_tui.engine.control import Ending, unwrapped
from orderbook_tui.engine.decisions import Decider, PolicyDecider, terminal_or_quit
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.summary import exit_status, summary

REFRESH_S = 0.1
PLAIN_EVERY_S = 2.0
MOST_FAILURES_SHOWN = 20


def run_headless(simulation: Simulation, *, on_failure: str | None = None, as_json: bool = False) -> int:
    """Run what is pending, print the summary, and return the exit status. The checkpoint is saved however it ends.

    `on_failure` takes the config's word where it is omitted. SIGINT, SIGTERM and SIGHUP stop the run before its next attempt.
    """
    policy = on_failure or simulation.config.processor.on_failure.value
    decider = terminal_or_quit() if policy == "ask" else PolicyDecider(RecoveryAction(policy))
    try:
        ending = Ending.DONE if simulation.status is RunStatus.DONE else anyio.run(_run, simulation, decider, as_json)
        report(simulation, ending, as_json=as_json)
        return exit_status(simulation, ending)
    finally:
        simulation.close()


def report(simulation: Simulation, ending: Ending, *, as_json: bool) -> None:
    """Print the summary of a run on stdout."""
    facts = summary(simulation, ending)
    print(json.dumps(facts) if as_json else "\n".join(in_words(simulation, facts)))


async def _run(simulation: Simulation, decider: Decider, quiet: bool) -> Ending:
    ending = Ending.DONE
    with unwrapped():
        async with anyio.create_task_group() as group:
            group.start_soon(_heed_signals, simulation)
            if not quiet:
                group.start_soon(_show_progress, simulation)
            ending = await simulation.run(decider)
            group.cancel_scope.cancel()
    return ending


async def _heed_signals(simulation: Simulation) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async for _ in signals:
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
        done = simulation.stats.total_slots - simulation.stats.pending_slots
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
        done = stats.total_slots - stats.pending_slots
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


def in_words(simulation: Simulation, facts: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a summary."""
    stats, verdicts, budget = facts["stats"], facts["verdicts"], facts["budget"]
    yield f"{harmless(simulation.name, 80)}  {simulation.id}"
    yield ""
    yield f"Total Slots: {stats['total_slots']}"
    for label, key in (
        ("Completed", "completed_slots"),
        ("Failed", "failed_slots"),
        ("Skipped", "skipped_slots"),
        ("Pending", "pending_slots"),
    ):
        yield f"{label}: {stats[key]}"
    yield f"Orders Created: {stats['total_orders_created']}"
    yield f"Matches: {stats['total_matches']}"
    yield "Verdicts: " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in verdicts.items())
    yield f"Time: {facts['elapsed_s']:.2f} s, {facts['slots_per_second']:,.0f} slots/s"
    yield ""
    yield from _budget_table(budget)
    yield ""
    yield f"Total Budget: {budget['total_initial']}"
    yield f"Total Spent: {budget['total_spent']}"
    depleted = f"{budget['depleted_count']} of {budget['budget_count']} budgets depleted"
    yield f"Utilization: {budget['total_utilization_percent']}%  ({depleted})"
    yield ""
    yield from _failures(simulation)
    yield from _open_orders(facts["open_orders"])
    broken = [name for name, holds in facts["invariants"].items() if not holds]
    yield f"Invariants: {'all ' + str(len(facts['invariants'])) + ' hold' if not broken else 'BROKEN: ' + ', '.join(broken)}"
    yield from (f"  {name}: {'yes' if holds else 'NO'}" for name, holds in facts["invariants"].items())
    yield f"State hash: {facts['state_hash']}"
    yield from (f"Note: {harmless(note)}" for note in facts["notes"])
    if stats["pending_slots"] and simulation.id:
        yield f"To go on: orderbook-tui resume {simulation.id}"


def _budget_table(budget: dict[str, Any]) -> Iterator[str]:
    head = ["Asset", "Initial", "Available", "Locked", "Spent", "Received", "Utilization"]
    keys = ["total_initial", "total_available", "total_locked", "total_spent", "total_received"]
    rows = [head] + [
        [harmless(symbol, 20), *(totals[key] for key in keys), totals["total_utilization_percent"] + "%"]
        for symbol, totals in budget["assets"].items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        yield "  ".join(
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )


def _failures(simulation: Simulation) -> Iterator[str]:
    """Yield what did not happen as scheduled."""
    failed = [slot for slot in simulation.slots if slot.state in (SlotState.FAILED, SlotState.SKIPPED)]
    for slot in failed[:MOST_FAILURES_SHOWN]:
        reason = harmless(slot.last_error.message, 200) if slot.last_error else ""
        yield f"{slot.state.value}: slot {slot.sequence} of {harmless(simulation.account_name(slot.account_id), 40)}: {reason}"
    if len(failed) > MOST_FAILURES_SHOWN:
        yield f"and {len(failed) - MOST_FAILURES_SHOWN} more (orderbook-tui export {simulation.id} --what slots)"


def _open_orders(orders: list[dict[str, Any]]) -> Iterator[str]:
    yield f"Left open: {len(orders) or 'nothing'}"
    for order in orders[:MOST_FAILURES_SHOWN]:
        account, market = harmless(order["account"], 40), harmless(order["market"], 40)
        yield f"  slot {order['slot']}: {account} {order['side']} {order['open']} {market} at {order['price']}"
    if len(orders) > MOST_FAILURES_SHOWN:
        yield f"  and {len(orders) - MOST_FAILURES_SHOWN} more"
