"""The task in which a simulation runs while the screens show it, and what became of it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import Worker, WorkerCancelled, WorkerFailed

from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import Decider
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import OrderbookTuiError, StorageError
from orderbook_tui.exit_status import ExitStatus

if TYPE_CHECKING:
    from orderbook_tui.tui.app import OrderbookApp

Work = Callable[[], Awaitable[Ending]]


class RunTask:
    """At most one piece of work at a time, in a worker of the app. `ended` is called with what it came to."""

    def __init__(self, app: "OrderbookApp", ended: Callable[[Simulation, "Ending | Exception"], None]) -> None:
        self._app = app
        self._ended = ended
        self._worker: Worker[None] | None = None
        self.outcome: Ending | Exception | None = None
        """What the last run here ended with."""

    @property
    def is_under_way(self) -> bool:
        return self._worker is not None and not self._worker.is_finished

    def run(self, simulation: Simulation, decider: Decider) -> None:
        """Run what is Pending, unless something is under way."""
        self._start(simulation, lambda: simulation.run(decider))

    def revisit(self, simulation: Simulation, decider: Decider, slots: list[int] | None) -> None:
        """Run Failed slots once more, unless something is under way."""
        self._start(simulation, lambda: simulation.revisit(decider, slots))

    async def end(self, simulation: Simulation) -> None:
        """Stop what is under way, and wait until it is saved."""
        if self._worker is not None and not self._worker.is_finished:
            simulation.stop()
            with contextlib.suppress(WorkerFailed, WorkerCancelled):
                await self._worker.wait()

    def cancel(self) -> None:
        """Do not wait for the venue any longer."""
        if self._worker is not None:
            self._worker.cancel()

    def _start(self, simulation: Simulation, work: Work) -> None:
        if not self.is_under_way:
            # No coroutine yet: a worker that is cancelled before it starts would leave one that nobody waits for.
            self._worker = self._app.run_worker(partial(self._run, simulation, work), group="run", exit_on_error=False)

    async def _run(self, simulation: Simulation, work: Work) -> None:
        self.outcome = None
        if simulation.is_for_real and not await self._may_be_real(simulation):
            return
        try:
            self.outcome = await work()
        except asyncio.CancelledError:
            self.outcome = Ending.STOPPED
            raise
        except Exception as error:
            # What a venue's own code raises must not take the terminal down; the run has stopped, and says why.
            self.outcome = error
        self._ended(simulation, self.outcome)

    async def _may_be_real(self, simulation: Simulation) -> bool:
        """Ask whether real orders may be placed."""
        from orderbook_tui.tui.figures import name
        from orderbook_tui.tui.screens.real_money import RealMoneyScreen

        venue = simulation.config.venue
        if venue.kind == "ccxt" and await self._app.push_screen_wait(RealMoneyScreen(name(venue.exchange))):
            simulation.leave_sandbox()
        return not simulation.is_for_real

    def exit_status(self, simulation: Simulation | None, *, interrupted: bool) -> int:
        """Return what the process should answer for what happened here."""
        from orderbook_tui.engine.summary import exit_status

        match self.outcome:
            case None:
                return ExitStatus.OK
            case StorageError():
                return ExitStatus.STORAGE
            case OrderbookTuiError():
                return ExitStatus.BAD_INPUT
            case Exception():
                return ExitStatus.INCOMPLETE
            case Ending.STOPPED if not interrupted:
                return ExitStatus.QUIT
            case ending:
                return exit_status(simulation, ending) if simulation is not None else ExitStatus.OK
