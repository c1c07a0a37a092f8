"""The title of the terminal: which run, what it does, how far it is."""

import sys
from typing import TYPE_CHECKING

from orderbook_tui.core.words import harmless
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import name

if TYPE_CHECKING:
    from orderbook_tui.tui.app import OrderbookApp

_GIVE_BACK = "\x1b]2;\x1b\\\x1b[23;2t"


class TerminalTitle:
    """Writes the title whenever it changes. The title that the terminal had before is kept by the terminal."""

    def __init__(self, app: "OrderbookApp") -> None:
        self._app = app
        self._shown = ""

    def begin(self) -> None:
        """Have the terminal remember the title that it has, until it is given back."""
        self._shown = ""
        self._write("\x1b[22;2t")

    def give_back(self) -> None:
        """Give the terminal its title back, while the app still has the terminal."""
        self._write(_GIVE_BACK)

    def look(self, simulation: Simulation | None) -> None:
        """Show how far the run is."""
        title = "orderbook-tui"
        if simulation is not None:
            stats = simulation.stats
            share = 100 * stats.ended_slots // stats.total_slots if stats.total_slots else 0
            title = f"{name(simulation.name, 60)}: {simulation.status.value} {share}%"
        if title != self._shown:
            self._shown = title
            self._write(f"\x1b]2;{harmless(title, 120)}\x1b\\")

    @staticmethod
    def restore() -> None:
        """Give the terminal its title back, once the app has gone."""
        if sys.__stderr__ is not None and sys.__stderr__.isatty():
            sys.__stderr__.write(_GIVE_BACK)
            sys.__stderr__.flush()

    def _write(self, sequence: str) -> None:
        driver = self._app._driver
        if driver is not None and not self._app.is_headless:
            driver.write(sequence)
