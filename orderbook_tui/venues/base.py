"""What every venue does, whether it is in this process or not."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.slot import ActionSlot


class Venue(Protocol):
    """Takes a slot's order and says what became of it."""

    in_process: bool
    """Whether it dies with this process: then nothing can be placed twice, and no intent need be kept."""
    can_look_up: bool
    """Whether it can be asked what became of an order; where not, `look_up` is never called."""
    deduplicates_for_s: float
    """For how many seconds after the first sending it takes an order of the same client order id once only; 0: it does not."""

    def place(self, slot: ActionSlot, quantity: int) -> Submission | Awaitable[Submission]:
        """Place `quantity` lots of the slot's action.

        Raises:
            OrderError: it was not placed, or (`OutcomeUnknown`) it is not known whether it was.
        """
        ...

    def look_up(self, slot: ActionSlot, quantity: int) -> Submission | Awaitable[Submission | None] | None:
        """Say what became of the order of `slot.client_order_id`, of `quantity` lots.

        Returns as `place` does, with every execution until now; None where the order is not there and can no longer come to be
        there: what is still under way of it is fenced off first.

        Raises:
            OrderError: that cannot be known now.
        """
        ...

    def place_again(self, slot: ActionSlot, quantity: int) -> Submission:
        """Put back `quantity` lots of an order that was cancelled with its pair. Asked of a venue in this process only.

        Raises:
            OrderError: it was not placed.
        """
        ...

    def cancel(self, slot: ActionSlot) -> bool:
        """Cancel what is open of the slot's order; False where the venue has no way to, and it stays open."""
        ...

    def restore(self, slot: ActionSlot) -> None:
        """Take up an open order of an earlier life; called in the order in which they were placed."""
        ...

    def on_execution(self, settle: Callable[[Execution], None]) -> None:
        """Hand executions that come after `place` has answered to `settle`."""
        ...
