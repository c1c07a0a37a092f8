"""The embedded exchange as a venue: it answers at once, and with the truth."""

from collections.abc import Iterable, Sequence

from orderbook_tui.core.exchange import Exchange, Submission
from orderbook_tui.core.journal import Balance
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import OutcomeUnknown, VenueUnavailable
from orderbook_tui.venues.base import Capabilities, Listener, OpenOrder


class EmbeddedVenue:
    """Places orders on an `Exchange` in this process."""

    capabilities = Capabilities(in_process=True, cancel=True)

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    async def open(self, listener: Listener) -> None:
        """Nothing comes by itself: every execution is in the answer to a `place`."""

    async def close(self) -> None:
        """There is nothing to let go of."""

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

    async def open_orders(self, accounts: Sequence[str]) -> Iterable[OpenOrder]:
        raise VenueUnavailable("the exchange is in this process: its books are the run's own")

    async def balances(self, accounts: Sequence[str]) -> Iterable[Balance]:
        raise VenueUnavailable("the exchange is in this process: its accounts are the run's own")
