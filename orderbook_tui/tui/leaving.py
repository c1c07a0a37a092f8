"""Leaving the app: it asks only where a run would be stopped by it, and saves before it goes, whoever wants it to go.

    q                            asks, and leaves                          3, or what came of the run
    ctrl+c                       the same, but as an interruption          130
    SIGINT, SIGTERM, SIGHUP      leaves after the slot under way           130
    the terminal has gone        the same, and does not wait for long      130
    SIGQUIT                      gives the terminal back, and dies of it

Asked to leave once more, it does not wait for the venue's answer.
"""

import asyncio
import select
import signal
import sys
from typing import TYPE_CHECKING

from rich.text import Text

from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.errors import OrderbookTuiError
from orderbook_tui.signals import has_hung_up, heeded
from orderbook_tui.streams import drop
from orderbook_tui.tui.figures import message
from orderbook_tui.tui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from orderbook_tui.tui.app import OrderbookApp

_PATIENCE_S = 5.0
"""How long we wait for a venue's answer where nobody is there to ask us not to."""
_TELL_S = 0.5
"""After how long we say what we wait for."""


class Leaving:
    """The way out of the app."""

    def __init__(self, app: "OrderbookApp") -> None:
        self._app = app
        self.has_begun = False
        self.interrupted = False
        """Whether a signal, or a key that stands for one, wants us to leave: the exit status says so."""

    def heed_signals(self) -> None:
        """Leave in order when the system says so, or when the terminal has gone without the system saying so."""
        if self._app.is_headless or sys.platform == "win32":
            return
        loop = asyncio.get_running_loop()
        for number in heeded():
            loop.add_signal_handler(number, self._hang_up if number is signal.SIGHUP else self._terminate)
        loop.add_signal_handler(signal.SIGQUIT, self._die_of, signal.SIGQUIT)
        if sys.__stdin__ is not None and hasattr(select, "epoll"):
            terminal = select.epoll(1)
            terminal.register(sys.__stdin__.fileno(), 0)  # that it has hung up is told in any case

            def gone() -> None:
                loop.remove_reader(terminal)
                terminal.close()
                self.without_terminal()

            loop.add_reader(terminal, gone)

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
        simulation = app.simulation
        if simulation is not None and simulation.status is RunStatus.RUNNING:
            explanation = "The run stops after the slot that is under way. It is saved, and can be taken up again."
            self._go_if("The run is going on. Stop it and leave?", explanation)
        elif simulation is not None and simulation.is_unsaved and simulation.status is not RunStatus.WAITING:
            explanation = "It is tried once more. What still cannot be saved then is lost, though its orders were placed."
            self._go_if("Not all of the run is saved. Leave all the same?", explanation)
        else:
            self.go()

    def _go_if(self, question: str, explanation: str) -> None:
        def answered(yes: bool | None) -> None:
            self.interrupted = self.interrupted and bool(yes)
            if yes:
                self.go()

        self._app.push_screen(ConfirmScreen(question, explanation), answered)

    def interrupt(self) -> None:
        """Leave as a signal would have it."""
        self.interrupted = True
        self.ask()

    def go(self) -> None:
        """Leave without asking."""
        self._app.run_worker(self._go(), group="leave")

    def without_terminal(self) -> None:
        """Leave without drawing the way out, which would wait for the terminal for ever: it has gone, or is not ours."""
        from orderbook_tui.tui.driver import TerminalDriver

        driver = self._app._driver
        if isinstance(driver, TerminalDriver) and not driver.has_let_go:
            driver.let_go()
            for stream in (sys.__stdout__, sys.__stderr__):
                if stream is not None:
                    drop(stream)
            asyncio.get_running_loop().call_later(_PATIENCE_S, self._app.run_task.cancel)
            self.interrupted = True
            self.go()

    def _terminate(self) -> None:
        self.interrupted = True
        if self.has_begun:
            self._app.run_task.cancel()
        else:
            self.go()

    def _hang_up(self) -> None:
        if sys.__stdin__ is not None and has_hung_up(sys.__stdin__.fileno()):
            self.without_terminal()
        else:
            self._terminate()

    def _die_of(self, number: signal.Signals) -> None:
        """Die at once, as a signal would have it, but with the terminal given back."""
        if self._app._driver is not None:
            self._app._driver.suspend_application_mode()
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.raise_signal(number)

    async def _go(self) -> None:
        app = self._app
        if self.has_begun:
            return
        self.has_begun = True
        telling = asyncio.get_running_loop().call_later(_TELL_S, self._tell)
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
        finally:
            telling.cancel()

    def _tell(self) -> None:
        if self._app.run_task.is_under_way:
            text = "The run stops after the order that is under way. Leave again, and its answer is not waited for."
            self._app.notify(text, title="Leaving", markup=False, timeout=600)
