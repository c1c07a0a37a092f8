"""What an earlier life of a run may have left at a venue that outlives it, and what to do about it before more is placed."""

import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.checkpoint_journal import Intent
from orderbook_tui.engine.checkpoint_reader import Checkpoint
from orderbook_tui.engine.lineup import AHEAD
from orderbook_tui.engine.placing import Placing
from orderbook_tui.errors import InsufficientBudget


def recover(
    checkpoint: Checkpoint, state: SimulationState, settlement: Settlement, placing: Placing, concurrency: int = 1
) -> None:
    """Take note of what may have been placed without its outcome being known: it is asked about when its slot is due.

    At a venue that cannot be asked, the attempt is recorded as one in doubt, and a person decides.
    """
    sent = {intent.slot: intent for intent in (*_perhaps_sent(checkpoint, state, concurrency), *checkpoint.intents)}
    for sequence in sent:
        _go_on_revisiting(state, state.slots[sequence])
    # How long ago an order was first sent cannot be told by a clock that has been set since.
    if placing.can_ask or (placing.is_safe_to_repeat and checkpoint.clock_kept):
        placing.recall(sent.values())
        return
    for sequence in sorted(sent):
        _doubt(state, settlement, state.slots[sequence])


def _perhaps_sent(checkpoint: Checkpoint, state: SimulationState, concurrency: int) -> Iterator[Intent]:
    """Yield what may have been placed next, where records of a checkpoint have been lost: they may have said so.

    Where several pairs were run at once, that may be any that the run was looking ahead to, but for those behind more pairs
    of their accounts than there are records lost.
    """
    if not checkpoint.missing:
        return
    pending = (slot for slot in state.slots if slot.state is SlotState.PENDING)
    most = checkpoint.missing if concurrency == 1 else 2 * (AHEAD + concurrency)
    behind: Counter[str] = Counter()
    for slot in islice(pending, most):
        partner = state.slots[slot.partner]
        accounts = slot.account_id, partner.account_id
        before = max(behind[account] for account in accounts)
        if concurrency == 1 or before <= checkpoint.missing:
            yield Intent(slot.sequence, slot.attempt_count + 1, slot.client_order_id)
        if slot.sequence & 1 or partner.state is not SlotState.PENDING:
            behind[accounts[0]] = behind[accounts[1]] = before + 1


def _go_on_revisiting(state: SimulationState, slot: ActionSlot) -> None:
    """A Failed slot that was being placed once more is Pending, as it would be had its run been ended in order."""
    if slot.state is SlotState.FAILED:
        slot.move(SlotState.IN_PROGRESS)
        slot.allow_afresh()
        slot.move(SlotState.PENDING)
        state.stats.count(SlotState.FAILED, -1)


def _doubt(state: SimulationState, settlement: Settlement, slot: ActionSlot) -> None:
    """The slot's order may exist: hold what it needs, and have a person say what next."""
    if slot.state is not SlotState.PENDING:
        return
    if not slot.in_doubt:
        try:
            settlement.hold(slot)
        except InsufficientBudget:
            return  # it was never placed: that would have been locked first
    now = time.time_ns()
    slot.begin(now)
    state.doubt(slot, now)
    slot.move(SlotState.PENDING)
