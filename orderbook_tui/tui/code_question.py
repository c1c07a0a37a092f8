"""Code that need not be the user's own: what would import it is stopped, the user is asked, and it is done again."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from orderbook_tui.engine.trust import CodeCheck, CodeNotAllowed, CodeTrust, Origin, question

if TYPE_CHECKING:
    from orderbook_tui.tui.app import OrderbookApp

Made = TypeVar("Made")


class CodeQuestion:
    """Asks before code is imported that was not allowed before."""

    def __init__(self, app: "OrderbookApp", trust: CodeTrust) -> None:
        self._app, self._trust = app, trust

    def check(self, origin: Origin) -> CodeCheck:
        """Return what stops the import of code that needs asking about."""
        return self._trust.check(origin)

    async def asked(self, work: Callable[[], Awaitable[Made]]) -> Made:
        """Do what may be stopped so, from a worker; it is done again where the user allows the code.

        Raises:
            CodeNotAllowed: the user does not.
        """
        from orderbook_tui.tui.screens.allow_code import AllowCodeScreen

        while True:
            try:
                return await work()
            except CodeNotAllowed as refused:
                if not await self._app.push_screen_wait(AllowCodeScreen(question(refused.code, refused.origin))):
                    raise
                self._trust.allow(refused.code)
