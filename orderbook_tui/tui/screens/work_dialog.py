"""A dialog that does what it asks for before it goes; what cannot be done it says, and stays."""

import asyncio
from collections.abc import Callable

from textual import work
from textual.widgets import Static

from orderbook_tui.errors import OrderbookTuiError
from orderbook_tui.tui.figures import message
from orderbook_tui.tui.screens.base import Answer, DialogScreen


class WorkDialog(DialogScreen[Answer | None]):
    """Has a line `#said` that tells what is being done, or why it could not be."""

    def __init__(self) -> None:
        super().__init__()
        self.is_working = False

    @work(exclusive=True, group="work")
    async def do(self, doing: str, what: Callable[[], Answer]) -> None:
        """Do `what` in a thread, and answer with what it returns. It cannot be broken off, so the dialog waits for it."""
        self.is_working = True
        self.say(doing)
        self.refresh_bindings()
        try:
            answer = await asyncio.to_thread(what)
        except (OrderbookTuiError, ValueError) as error:
            self.refused(error)
        else:
            # A question may lie on it by now.
            self.pop_until_active()
            self.dismiss(answer)
        finally:
            self.is_working = False
            self.refresh_bindings()

    def refused(self, error: Exception) -> None:
        """Tell why it could not be done."""
        self.say(str(error), wrong=True)

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Show a text below the fields."""
        said = self.query_one("#said", Static)
        said.set_class(wrong, "-wrong")
        said.update(message(text))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if self.is_working and action in ("close", "go_ahead") else True

    def action_close(self) -> None:
        self.dismiss(None)
