"""Bugs to plant in the run, by name: the judge has to find each."""

from collections.abc import Callable
from typing import Any

from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.placing import Placing
from orderbook_tui.errors import OrderError, OutcomeUnknown, VenueUnavailable


def _silence_is_refusal() -> None:
    """Where the venue does not answer, the order counts as not placed, and the next try goes by another id."""
    sent: Any = Placing._sent

    async def sent_or_not(self: Placing, slot: ActionSlot, quantity: int, *, doubtful: bool) -> Submission:
        placing = self._venue.place
        try:
            self._venue.place = lambda slot, quantity: _believing(placing(slot, quantity))  # type: ignore[method-assign]
            found: Submission = await sent(self, slot, quantity, doubtful=False)
        except OrderError:
            slot.generation += 1
            raise
        finally:
            self._venue.place = placing  # type: ignore[method-assign]
        return found

    async def _believing(placing: Any) -> Submission:
        try:
            placed: Submission = await placing
        except OutcomeUnknown as error:
            raise VenueUnavailable(str(error)) from error
        return placed

    Placing._sent = sent_or_not  # type: ignore[method-assign]


def _unanswered_is_done() -> None:
    """Where the venue does not answer, the order counts as placed."""
    sent: Any = Placing._sent

    async def sent_surely(self: Placing, slot: ActionSlot, quantity: int, *, doubtful: bool) -> Submission:
        try:
            found: Submission = await sent(self, slot, quantity, doubtful=doubtful)
        except OutcomeUnknown:
            return Submission(slot.client_order_id, ())
        return found

    Placing._sent = sent_surely  # type: ignore[method-assign]


PLANTED: dict[str, Callable[[], None]] = {
    "silence-is-refusal": _silence_is_refusal,
    "unanswered-is-done": _unanswered_is_done,
}
