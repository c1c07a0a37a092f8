"""The slots that a filter matches, kept in step with the run.

    slots      0 .. 4095   4096 .. 8191   8192 ..          blocks of the schedule
    matching   [3, 17]     []             [8192, 9001]     of each block, those that match, in order

The journal says which slots something has happened to; their blocks are then looked at anew, a few at a time. A new filter
looks at every block, those around where one is first. So a slot comes and goes as it begins and ceases to match, and neither a
million slots nor a run at full speed takes the screen more than a slice at a time.
"""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Final

from orderbook_tui.core.journal import Execution
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import SimulationState
from orderbook_tui.tui.slot_filter import SlotFilter
from orderbook_tui.tui.widgets.slot_line import Version, version

_SHIFT: Final = 12
BLOCK: Final = 1 << _SHIFT
"""Slots a block: about half a millisecond."""
_MOST_EVENTS: Final = 40_000
"""Events that are read one by one, a few milliseconds; after more than these every block is looked at."""

_sequence = attrgetter("sequence")


class MatchingSlots:
    """What `chosen` matches among the slots of `state`. `look` sees what has changed, `work` finds out what that means.

    `in_flight` tells which slots are under way, besides the one where the run is.
    """

    def __init__(
        self,
        state: SimulationState,
        chosen: SlotFilter,
        around: int = 0,
        in_flight: Callable[[], Sequence[int]] = tuple,
    ) -> None:
        self._state, self.chosen = state, chosen
        self._slots = state.slots
        self._blocks: list[list[ActionSlot]] = [[] for _ in range(0, len(self._slots), BLOCK)]
        self._counted: list[int] | None = None
        self._todo: dict[int, None] = {}
        self._read = len(state.journal)
        self._in_flight = in_flight
        self._here = self._under_way()
        self._all(around)

    @property
    def complete(self) -> bool:
        """Whether every change that was seen has been followed."""
        return not self._todo

    def __len__(self) -> int:
        return self._ends()[-1] if self._blocks else 0

    def __getitem__(self, place: int) -> ActionSlot:
        ends = self._ends()
        block = bisect_right(ends, place)
        return self._blocks[block][place - (ends[block - 1] if block else 0)]

    def place_of(self, sequence: int) -> int:
        """Return how many of the matching slots come before this one: its place, if it matches."""
        block = sequence >> _SHIFT
        if not 0 <= block < len(self._blocks):
            return 0 if block < 0 else len(self)
        before = self._ends()[block - 1] if block else 0
        return before + bisect_left(self._blocks[block], sequence, key=_sequence)

    def look(self) -> None:
        """See which slots something has happened to since the last look."""
        journal, todo = self._state.journal, self._todo
        if len(journal) - self._read > _MOST_EVENTS:
            self._all(self._state.current_slot_index)
        else:
            for event in journal[self._read :]:
                if type(event) is Execution:
                    todo[event.maker >> _SHIFT] = todo[event.taker >> _SHIFT] = None
                else:
                    todo[event.slot >> _SHIFT] = None  # type: ignore[union-attr]
            todo.pop(-1, None)  # somebody outside
        self._read = len(journal)
        # A slot that is under way has changed before the journal says so.
        here = self._under_way()
        if here != self._here:
            for place, _ in here.items() ^ self._here.items():
                todo[place >> _SHIFT] = None
            self._here = here

    def work(self, seconds: float) -> bool:
        """Follow what has changed, for about so long; return whether that was all."""
        todo, slots, among = self._todo, self._slots, self.chosen.among
        until = time.perf_counter() + seconds
        while todo:
            block = next(iter(todo))
            del todo[block]
            self._blocks[block] = among(slots[block << _SHIFT : (block + 1) << _SHIFT])
            self._counted = None
            if time.perf_counter() >= until:
                break
        return not todo

    def _under_way(self) -> dict[int, Version]:
        """Return where the run is, slot by slot, and how those stand."""
        index, slots = self._state.current_slot_index, self._slots
        return {place: version(slots[place]) for place in (index, *self._in_flight()) if place < len(slots)}

    def _all(self, around: int) -> None:
        center = around >> _SHIFT
        self._todo = dict.fromkeys(sorted(range(len(self._blocks)), key=lambda block: abs(block - center)))

    def _ends(self) -> list[int]:
        """Return, for each block, how many slots match up to its end."""
        if self._counted is None:
            self._counted = list(accumulate(map(len, self._blocks)))
        return self._counted


def failed_from(
    slots: Sequence[ActionSlot], sequence: int, chosen: SlotFilter | None, *, backwards: bool
) -> Iterator[ActionSlot | None]:
    """Look for the next Failed slot after `sequence` (or before it), round to that slot itself: it is the last to be found.

    Yields None after each block in which there was none, for whoever looks to see whether it is time to do something else.
    """
    last = len(slots)
    stretches = [(0, sequence), (sequence, last)] if backwards else [(sequence + 1, last), (0, sequence + 1)]
    for first, end in stretches:
        starts = range(first, end, BLOCK)
        for start in reversed(starts) if backwards else starts:
            found = [slot for slot in slots[start : min(start + BLOCK, end)] if slot.state is _FAILED]
            if chosen is not None:
                found = chosen.among(found)
            if found:
                yield found[-1 if backwards else 0]
                return
            yield None


_FAILED = SlotState.FAILED
