"""Another simulation in place of the one that is open: from a checkpoint, or one that has just been planned."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.worker import Worker, WorkerCancelled, WorkerFailed

from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.trust import Origin
from orderbook_tui.errors import CheckpointDamaged, OrderbookTuiError

if TYPE_CHECKING:
    from orderbook_tui.tui.app import OrderbookApp

_Source = Callable[[], Awaitable[Simulation]]


class Replacing:
    """Lets go of the simulation that is open, then opens another; one at a time."""

    def __init__(self, app: "OrderbookApp") -> None:
        self._app = app
        self._worker: Worker[None] | None = None

    def by_checkpoint(self, simulation_id: str) -> None:
        """Take up a run where its checkpoint left it."""
        self._ask(partial(self._read, simulation_id))

    def by(self, simulation: Simulation, config_path: Path | None) -> None:
        """Show a simulation that has been planned."""

        async def given() -> Simulation:
            self._app.config_path = config_path
            return simulation

        self._ask(given)

    async def settled(self) -> None:
        """Wait until nothing is being opened: what is being read cannot be stopped, and closes what it gets."""
        if self._is_under_way and self._worker is not None:
            with contextlib.suppress(WorkerFailed, WorkerCancelled):
                await self._worker.wait()

    @property
    def _is_under_way(self) -> bool:
        return self._worker is not None and not self._worker.is_finished

    def _ask(self, source: _Source) -> None:
        """Replace, after asking where a run would be stopped by it."""
        from orderbook_tui.tui.screens.confirm import ConfirmScreen

        if self._is_under_way:
            # A second one would leave the first with a checkpoint that nobody closes.
            return
        if self._app.is_going_on:
            explanation = "It is saved, and can be taken up again from the list of checkpoints."
            self._app.push_screen(
                ConfirmScreen("Stop the run that is going on?", explanation), lambda yes: self._begin(source) if yes else None
            )
        else:
            self._begin(source)

    def _begin(self, source: _Source) -> None:
        if not self._is_under_way:
            self._worker = self._app.run_worker(self._replace(source), group="open")

    async def _replace(self, source: _Source) -> None:
        """Get the other one first: what cannot be opened leaves the one that is open as it is."""
        app = self._app
        with app.complaining():
            simulation = await app.code.asked(source)
            try:
                await app.end_run()
            except OrderbookTuiError:
                simulation.close()
                raise
            if app.leaving.has_begun:
                simulation.close()
            else:
                app.show_simulation(simulation)
                app.show_screen("slots")

    async def _read(self, simulation_id: str) -> Simulation:
        """Read a checkpoint, showing how far that is."""
        from orderbook_tui.tui.screens.opening import OpeningScreen

        app, opening = self._app, OpeningScreen(simulation_id)
        await app.push_screen(opening)
        try:
            check_code = app.code.check(Origin.checkpoint(simulation_id))
            read = partial(Simulation.resume, simulation_id, app.state_dir, progress=opening.note, check_code=check_code)
            simulation = await asyncio.to_thread(read)
        except CheckpointDamaged as error:
            app.damage[simulation_id] = str(error)
            raise
        finally:
            app.take_off(opening)
        app.config_path = None
        return simulation
