"""The embedded exchange as a venue: it answers at once, and with the truth."""

from collections.abc import Callable

from orderbook_tui.core.exchange import Exchange, Submission
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import OutcomeUnknown


class EmbeddedVenue:
    """Places orders on an `Exchange` in this process."""

    in_process = True
    can_look_up = False
    deduplicates_for_s = 0.0

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def place(self, slot: ActionSlot, quantity: int) -> Submission:
        assert slot.last_attempt is not None
        return self.exchange.submit(slot.account_id, slot.action, quantity, slot.sequence, slot.last_attempt.started)

    def look_up(self, slot: ActionSlot, quantity: int) -> Submission | None:
        raise OutcomeUnknown("an order of this process is never looked up")

    def place_again(self, slot: ActionSlot, quantity: int) -> Submission:
        return self.place(slot, quantity)

    def cancel(self, slot: ActionSlot) -> bool:
        order_id = slot.order_id
        assert isinstance(order_id, int)
        self.exchange.cancel(order_id)
        return True

    def restore(self, slot: ActionSlot) -> None:
        order_id = slot.order_id
        assert isinstance(order_id, int)
        self.exchange.restore(order_id, slot.account_id, slot.action, slot.open, slot.sequence)

    def on_execution(self, settle: Callable[[Execution], None]) -> None:
        """Nothing comes later: every execution is in the answer to a `place`."""
