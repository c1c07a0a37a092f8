"""The executor: what an attempt does. Discipline, lock, place, settle; and at a pair's end, cancel what is left of it."""

from collections.abc import Awaitable
from inspect import isawaitable
from time import time_ns

from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.journal import Cancel, RecoveryAction
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.elsewhere import Closing, Elsewhere
from orderbook_tui.venues.base import Venue


class SlotExecutor:
    """Places slots on `venue`, keeps budgets in step, and writes what happened into the state's journal."""

    def __init__(self, state: SimulationState, settlement: Settlement, venue: Venue) -> None:
        self._state, self._settlement, self._venue = state, settlement, venue
        self.elsewhere = None if venue.capabilities.in_process else Elsewhere(state, settlement, venue)
        """What places and listens, where the venue outlives this process."""

    def place(self, slot: ActionSlot) -> int | str | Awaitable[int | str]:
        """Place the slot's order and return its id.

        Raises:
            OrderError: it was not placed, and what was locked for it is available again; or (`OutcomeUnknown`, at a venue that
                outlives this process) nobody knows, and that stays locked.
        """
        if self.elsewhere is not None:
            return self.elsewhere.place(slot)
        if slot.decisions and any(decision.action is RecoveryAction.CONTINUE for decision in slot.decisions):
            self._place_partner_again(slot)
        quantity = self._settlement.reserve(slot)
        try:
            placed = self._venue.place(slot, quantity)
        except BaseException:
            self._settlement.give_back(slot)
            raise
        if type(placed) is not Submission:
            assert isawaitable(placed)
            return self._accepted_later(slot, quantity, placed)
        return self._accepted(slot, quantity, placed)

    def risk(self, slot: ActionSlot) -> str:
        """Say what another attempt risks, where the slot's order may be at the venue; empty where it risks nothing."""
        return self.elsewhere.placing.risk(slot) if self.elsewhere is not None else ""

    def close_pair(self, slot: ActionSlot) -> Closing:
        """Cancel what is left of a directed pair, so that no orphan meets a later one."""
        if self.elsewhere is not None:
            return self.elsewhere.close_pair(slot)
        partner = self._state.slots[slot.partner]
        if partner.open:
            self.cancel(partner)
        if slot.open:
            self.cancel(slot)
        return None

    def cancel(self, slot: ActionSlot) -> None:
        """Cancel what is open of the slot's order at a venue in this process, and unlock what it held."""
        self._venue.cancel(slot)
        self._cancelled(slot)

    def _accepted(self, slot: ActionSlot, quantity: int, placed: Submission) -> int | str:
        journal = self._state.journal
        slot.open = quantity
        assert slot.last_attempt is not None
        journal.append(slot.last_attempt)
        if placed.executions:
            for execution in placed.executions:
                self._settlement.execute(execution)
                journal.append(execution)
            self._state.stats.total_matches += len(placed.executions)
        for sequence, _ in placed.cancelled:
            self._cancelled(self._state.slots[sequence])
        return placed.order_id

    async def _accepted_later(self, slot: ActionSlot, quantity: int, placing: Awaitable[Submission]) -> int | str:
        try:
            placed = await placing
        except BaseException:
            self._settlement.give_back(slot)
            raise
        return self._accepted(slot, quantity, placed)

    def _cancelled(self, slot: ActionSlot) -> None:
        self._state.journal.append(Cancel(slot.sequence, slot.open, time_ns()))
        self._settlement.cancel(slot)

    def _place_partner_again(self, slot: ActionSlot) -> None:
        """A failed slot is revisited: put what its partner did not fill back first, so that the two can meet."""
        partner = self._state.slots[slot.partner]
        directed = partner.action.matching_strategy.account is not None
        if (
            not (directed and self.elsewhere is None)
            or partner.state is not SlotState.COMPLETED
            or partner.open
            or partner.filled >= partner.action.quantity
        ):
            return
        attempt = partner.begin_again(time_ns())
        try:
            quantity = self._settlement.reserve(partner)
            try:
                placed = self._venue.place_again(partner, quantity)
            except BaseException:
                self._settlement.give_back(partner)
                raise
        except BaseException:
            partner.take_back_attempt()
            raise
        attempt.order_id, attempt.ended = placed.order_id, attempt.started
        self._state.stats.orders_placed_again += 1
        self._accepted(partner, quantity, placed)
