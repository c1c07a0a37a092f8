"""The decider of the screens: whoever sits at the terminal is asked, in a dialog over whatever is shown."""

import asyncio
from typing import TYPE_CHECKING

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.decisions import Question

if TYPE_CHECKING:
    from orderbook_tui.tui.app import OrderbookApp


class ScreenDecider:
    """Asks one question at a time. When the asking is cancelled, the dialog goes."""

    by = "person"

    def __init__(self, app: "OrderbookApp") -> None:
        self._app = app
        self._one_at_a_time = asyncio.Lock()

    async def decide(self, question: Question) -> RecoveryAction:
        from orderbook_tui.tui.screens.retry import RetryScreen

        simulation = self._app.simulation
        assert simulation is not None
        async with self._one_at_a_time:
            answer: asyncio.Future[RecoveryAction] = asyncio.get_running_loop().create_future()
            screen = RetryScreen(simulation, question, answer)
            await self._app.push_screen(screen)
            self._app.bell()
            try:
                return await answer
            finally:
                # Here and nowhere else is it taken off the stack: answered or not, once, and never under another screen.
                self._app.take_off(screen)
