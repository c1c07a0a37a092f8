"""The decider of the screens: whoever sits at the terminal is asked, in a dialog over whatever is shown.

The dialog may be put off: the question stays, the run stays where it is, and it is asked again when somebody wants to.
"""

import asyncio
import math
from typing import TYPE_CHECKING

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.decisions import Question

if TYPE_CHECKING:
    from orderbook_tui.tui.app import OrderbookApp
    from orderbook_tui.tui.screens.retry import RetryScreen


class ScreenDecider:
    """Asks one question at a time. When the asking is cancelled, the dialog goes."""

    by = "person"

    def __init__(self, app: "OrderbookApp") -> None:
        self._app = app
        self._one_at_a_time = asyncio.Lock()
        self._question: Question | None = None
        self._answer: asyncio.Future[RecoveryAction] | None = None
        self._screen: RetryScreen | None = None
        self._held = False
        """Whether the run is paused only because the dialog was put off."""

    @property
    def is_put_off(self) -> bool:
        """Whether a question waits whose dialog was put off."""
        return self._question is not None and self._screen is None

    async def decide(self, question: Question) -> RecoveryAction:
        async with self._one_at_a_time:
            self._question, self._answer = question, asyncio.get_running_loop().create_future()
            self._app.bell()
            try:
                self._ask(stray_key_at=self._app.answer_key_at)
                answer = await self._answer
                if self._held and self._app.simulation is not None:
                    self._app.simulation.go()
                return answer
            finally:
                # Here and nowhere else is it taken off the stack: answered or not, once, and never under another screen.
                self._question, self._held = None, False
                self._take_off()

    def ask_again(self) -> None:
        """Show the dialog that was put off."""
        self._ask(stray_key_at=-math.inf)

    def _ask(self, *, stray_key_at: float) -> None:
        from orderbook_tui.tui.screens.retry import RetryScreen

        simulation = self._app.simulation
        if self._question is None or self._answer is None or self._screen is not None or simulation is None:
            return
        self._app.clear_notifications()  # they would lie on the choices
        self._screen = RetryScreen(simulation, self._question, self._answer, stray_key_at=stray_key_at)
        self._app.push_screen(self._screen)

    def put_off(self) -> None:
        """Take the dialog away with nothing decided; the run is paused until it is."""
        simulation = self._app.simulation
        if self._question is not None and simulation is not None:
            self._held = self._held or not simulation.control.paused
            simulation.pause()
            self._take_off()

    def _take_off(self) -> None:
        screen, self._screen = self._screen, None
        if screen is not None:
            self._app.take_off(screen)
