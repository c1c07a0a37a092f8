"""Stopping the process for a while, and having the terminal to ourselves again after it.

    ctrl+z, SIGTSTP    the terminal is given back, everything stands still, the shell has its prompt
    fg                 the terminal is taken anew and drawn in full; the run goes on where it was
    SIGSTOP, SIGCONT   nothing could be given back, but what the shell has changed since is set right

The run stands still too, also after `bg`: an app that cannot draw does not go on behind one's back.
"""

import asyncio
import signal
from typing import TYPE_CHECKING

from orderbook_tui.signals import stop_until_continued, wait_for_foreground
from orderbook_tui.tui.driver import TerminalDriver

if TYPE_CHECKING:
    from orderbook_tui.tui.app import OrderbookApp


class Suspending:
    """Stops the app and brings it back."""

    def __init__(self, app: "OrderbookApp") -> None:
        self._app = app

    def heed_signals(self) -> None:
        """Be stopped and continued in order when the system says so. Textual's own handlers are replaced.

        Those act within whatever line runs, where the queue to the terminal may be locked, and do not expect a SIGCONT
        after a SIGSTOP.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTSTP, self._stop, False)  # noqa: FBT003
        loop.add_signal_handler(signal.SIGCONT, self._continued)

    def suspend(self) -> None:
        """Stop, with whoever started us, as ctrl+z at a terminal that is read line by line would have it."""
        self._stop(True)  # noqa: FBT003

    def _stop(self, all_of_us: bool) -> None:
        driver = self._driver()
        if driver is None:
            return
        self._heed_none()
        try:
            with self._app.suspend():
                if not stop_until_continued(driver.fileno, all_of_us=all_of_us):
                    self._app.leaving.without_terminal()
        finally:
            self.heed_signals()

    def _continued(self) -> None:
        driver = self._driver()
        if driver is None:
            return
        self._heed_none()
        try:
            wait_for_foreground(driver.fileno)
            with self._app.suspend():
                pass
        finally:
            self.heed_signals()

    def _driver(self) -> TerminalDriver | None:
        """Return what drives the terminal; None where it is no longer ours to give back or to take."""
        driver = self._app._driver
        return driver if isinstance(driver, TerminalDriver) and not (driver.has_let_go or self._app._exit) else None

    @staticmethod
    def _heed_none() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTSTP, signal.SIGCONT):
            loop.remove_signal_handler(number)
