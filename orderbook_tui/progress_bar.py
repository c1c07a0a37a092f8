"""A progress bar for a run without a screen, on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from orderbook_tui.core.words import harmless
from orderbook_tui.engine.simulation import RunStatus, Simulation


class _Console(Console):
    """Never hides the cursor: a process that is stopped or killed could not bring it back."""

    def show_cursor(self, show: bool = True) -> bool:
        return False


@contextmanager
def progress_bar(simulation: Simulation) -> Iterator[Callable[[], None]]:
    """Show a bar, to be refreshed by calling what this gives; it makes way for a question at the same terminal."""
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}", markup=False),
        TimeRemainingColumn(),
        console=_Console(stderr=True),
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
