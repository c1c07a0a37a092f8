"""The course of a run: the slots that it goes through, and where it is."""

from collections.abc import Iterator, Sequence
from operator import length_hint

from orderbook_tui.core.slot import ActionSlot, SlotState


class Course:
    """Slots to be gone through once, in order, those that are Pending to be run.

    It gives them out as the list itself would; how many are still to come is asked of the iterator, so that a run pays
    nothing for it.
    """

    def __init__(self, slots: Sequence[ActionSlot]) -> None:
        self._slots = slots
        self._ahead = iter(slots)

    def __iter__(self) -> Iterator[ActionSlot]:
        return self._ahead

    @property
    def up(self) -> ActionSlot | None:
        """The slot that was given out last; None before the first."""
        taken = len(self._slots) - length_hint(self._ahead)
        return self._slots[taken - 1] if taken else None

    @property
    def next_sequence(self) -> int:
        """The first sequence that the run has not begun on."""
        up = self.up
        if up is None:
            return 0
        return up.sequence if up.state is SlotState.PENDING else up.sequence + 1

    @property
    def in_flight(self) -> list[int]:
        """The sequences of the slots whose attempt is under way."""
        up = self.up
        return [up.sequence] if up is not None and up.is_under_way else []

    @property
    def is_placing(self) -> bool:
        """Whether an attempt is under way: what it locked is in the budgets, and not yet in the journal."""
        up = self.up
        return up is not None and up.is_under_way
