"""The slots of a run that are Failed, and which of them somebody means who would run them once more, or give them up."""

from collections.abc import Collection
from itertools import islice

from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import SimulationState
from orderbook_tui.errors import ScheduleError


def failed_slots(state: SimulationState) -> list[int]:
    """Return the sequences of the slots that are Failed."""
    failed = (slot.sequence for slot in state.slots if slot.state is SlotState.FAILED)
    return list(islice(failed, state.stats.failed_slots))


def failed_among(state: SimulationState, sequences: Collection[int] | None, become: str) -> list[ActionSlot]:
    """Return those of the Failed slots that are meant, in order; all of them, where `sequences` is None.

    Raises:
        ScheduleError: one of them is not Failed, and so cannot become what `become` says.
    """
    meant = failed_slots(state) if sequences is None else sorted(set(sequences))
    slots = state.slots
    for sequence in meant:
        if not 0 <= sequence < len(slots):
            raise ScheduleError(f"there is no slot {sequence}: the schedule goes from slot 0 to slot {len(slots) - 1}")
        if slots[sequence].state is not SlotState.FAILED:
            raise ScheduleError(f"slot {sequence} is {slots[sequence].state.value}: only one that is Failed can be {become}")
    return [slots[sequence] for sequence in meant]
