"""Leaving the app: it asks only where a run would be stopped by it, and saves before it goes, whoever wants it to go."""

import asyncio
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

from rich.text import Text

from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.errors import OrderbookTuiError
from orderbook_tui.exit_status import ExitStatus
from orderbook_tui.tui.figures import message
from orderbook_tui.tui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from orderbook_tui.tui.app import OrderbookApp


class Leaving:
    """The way out of the app."""

    def __init__(self, app: "OrderbookApp") -> None:
        self._app = app
        self.has_begun = False
        self.interrupted = False
        """Whether a signal, or a key that stands for one, wants us to leave: the exit status says so."""

    def heed_signals(self) -> None:
        """Leave in order when the system says so."""
        if not self._app.is_headless and sys.platform != "win32":
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._terminate)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hang_up)

    def ask(self) -> None:
        """Leave, after asking where a run would be stopped by it; asked to leave twice, do not wait for the venue."""
        app = self._app
        if self.has_begun:
            app.run_task.cancel()
            return
        if isinstance(app.screen, ConfirmScreen):
            if self.interrupted:
                app.screen.dismiss(result=True)  # asked to leave twice is a yes
            return
        if app.simulation is None or app.simulation.status is not RunStatus.RUNNING:
            self.go()
            return

        def answered(yes: bool | None) -> None:
            self.interrupted = self.interrupted and bool(yes)
            if yes:
                self.go()

        explanation = "The run stops after the slot that is under way. It is saved, and can be taken up again."
        app.push_screen(ConfirmScreen("The run is going on. Stop it and leave?", explanation), answered)

    def interrupt(self) -> None:
        """Leave as a signal would have it."""
        self.interrupted = True
        self.ask()

    def go(self) -> None:
        """Leave without asking."""
        self._app.run_worker(self._go(), group="leave")

    def _terminate(self) -> None:
        self.interrupted = True
        self.go()

    def _hang_up(self) -> None:
        """The terminal has gone: save, and end here, since drawing the way out would wait for it for ever."""
        if self._app.simulation is not None:
            with contextlib.suppress(OrderbookTuiError):
                self._app.simulation.close()
        os._exit(ExitStatus.INTERRUPTED)

    async def _go(self) -> None:
        app = self._app
        if self.has_begun:
            return
        self.has_begun = True
        try:
            await app.replacing.settled()
            await app.end_run()
            # A screen that is still being made looks in vain for its widgets once the app closes.
            while not app.screen.is_mounted:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
        except OrderbookTuiError as error:
            app.run_task.outcome = error
            app.exit(app.exit_status(), message=Text(message(str(error))))
        else:
            app.exit(app.exit_status())
