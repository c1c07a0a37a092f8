"""Faults on purpose: a venue before which some attempts fail, late, or not at all.

Which ones depends on (seed, slot, attempt) alone, so a run that is interrupted and resumed meets the same faults.
"""

from collections.abc import Awaitable, Sequence
from inspect import isawaitable

import anyio
import msgspec

from orderbook_tui.core.chance import chance
from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import Rejected, VenueUnavailable
from orderbook_tui.venues.base import Venue


class Outage(msgspec.Struct, frozen=True):
    """Of the slots from `from_slot` on, `slots` many, the first `attempts` attempts fail."""

    from_slot: int
    slots: int
    attempts: int


class Faults(msgspec.Struct, frozen=True):
    """What goes wrong: shares of attempts (0..1), a latency drawn between two bounds, and outages."""

    seed: int = 1
    transient_rate: float = 0.0
    rejection_rate: float = 0.0
    latency_ms: tuple[float, float] = (0, 0)
    outages: Sequence[Outage] = ()

    @property
    def any(self) -> bool:
        return bool(self.transient_rate or self.rejection_rate or self.latency_ms[1] or self.outages)


class FaultyVenue:
    """Passes orders on to `venue`, unless a fault comes first."""

    def __init__(self, venue: Venue, faults: Faults) -> None:
        self._venue, self._faults = venue, faults
        self.capabilities = venue.capabilities
        self.open, self.close = venue.open, venue.close
        self.open_orders, self.balances = venue.open_orders, venue.balances
        self.cancel, self.restore, self.look_up = venue.cancel, venue.restore, venue.look_up
        # Faults are for attempts that can be repeated; what is put back is part of another slot's attempt.
        self.place_again = venue.place_again

    def place(self, slot: ActionSlot, quantity: int) -> Submission | Awaitable[Submission]:
        if self._faults.latency_ms[1]:
            return self._place_late(slot, quantity)
        self._fail(slot)
        return self._venue.place(slot, quantity)

    async def _place_late(self, slot: ActionSlot, quantity: int) -> Submission:
        low, high = self._faults.latency_ms
        await anyio.sleep((low + (high - low) * self._chance("latency", slot)) / 1000)
        self._fail(slot)
        placed = self._venue.place(slot, quantity)
        return await placed if isawaitable(placed) else placed

    def _fail(self, slot: ActionSlot) -> None:
        faults, attempt = self._faults, slot.attempt_count
        for outage in faults.outages:
            if 0 <= slot.sequence - outage.from_slot < outage.slots and attempt <= outage.attempts:
                raise VenueUnavailable(f"the venue is down (outage, attempt {attempt} of {outage.attempts} that fail)")
        if faults.transient_rate and self._chance("transient", slot) < faults.transient_rate:
            raise VenueUnavailable("the venue is busy (injected fault)")
        if faults.rejection_rate and self._chance("rejection", slot) < faults.rejection_rate:
            raise Rejected("the venue refused the order (injected fault)")

    def _chance(self, purpose: str, slot: ActionSlot) -> float:
        return chance(self._faults.seed, purpose, slot.sequence, slot.attempt_count)
