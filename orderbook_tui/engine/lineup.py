"""The line-up: which slot of a run may start next, where several are under way at once.

    course -> waiting pairs, each behind those before it that share an account -> free -> under way -> over

A pair is free when no earlier pair with one of its accounts is left, so every account meets its slots in their order, one
pair at a time. Its second slot may start when its first has ended. A pair that is not free holds up nobody but those behind
it; no more than `AHEAD` pairs wait, so a million slots need no more memory than a few thousand.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import groupby
from operator import attrgetter
from typing import Final

from orderbook_tui.core.slot import ActionSlot, SlotState

AHEAD: Final = 2_048
"""Pairs that may wait for those before them."""


class _Pair:
    """Those slots of a pair that are to be run, in their order, and how many of its accounts it still waits for."""

    __slots__ = ("accounts", "left", "number", "waits_for")

    def __init__(self, number: int, slots: Iterable[ActionSlot], accounts: Iterable[str]) -> None:
        self.number = number
        self.left = deque(slots)
        self.accounts = tuple(accounts)
        self.waits_for = 0


class Lineup:
    """Gives out those of `course` that are Pending; at most `most` pairs are under way at once.

    `slots` are all of the run: a pair's accounts are those of both of its slots, also where only one of them is run.
    """

    def __init__(self, course: Iterable[ActionSlot], slots: Sequence[ActionSlot], most: int) -> None:
        self._slots = slots
        self._most = most
        self._ahead: Iterator[tuple[int, Iterable[ActionSlot]]] | None = groupby(
            (slot for slot in course if slot.state is _PENDING), attrgetter("pair")
        )
        self._lines: dict[str, deque[_Pair]] = {}
        """By account: its pairs that are left, the one whose turn it is first."""
        self._waiting: dict[int, _Pair] = {}
        """Pairs that have not begun, in their order."""
        self._begun: dict[int, _Pair] = {}
        self._free: list[int] = []
        """Pairs that may begin, a heap."""
        self._seconds: list[int] = []
        """Pairs whose second slot may start, a heap."""
        self._under_way: dict[int, ActionSlot] = {}
        self.next_sequence = 0
        """The first sequence from which on the run has begun on none."""

    @property
    def in_flight(self) -> list[int]:
        """The sequences of the slots whose attempt is under way."""
        return sorted(slot.sequence for slot in self._under_way.values() if slot.is_under_way)

    @property
    def is_placing(self) -> bool:
        """Whether an attempt is under way: what it locked is in the budgets, and not yet in the journal."""
        return any(slot.is_under_way for slot in self._under_way.values())

    @property
    def is_over(self) -> bool:
        """Whether no slot is left that may start, now or later."""
        return not (self._begun or self._waiting or self._read())

    @property
    def next(self) -> ActionSlot | None:
        """The first slot that may start now; None where each waits for one that is under way."""
        free = self._first_free() if len(self._begun) < self._most else None
        if self._seconds and (free is None or self._seconds[0] < free):
            return self._begun[self._seconds[0]].left[0]
        return self._waiting[free].left[0] if free is not None else None

    def start(self, slot: ActionSlot) -> None:
        """Take note that `next` starts."""
        number = slot.pair
        if self._seconds and self._seconds[0] == number:
            heappop(self._seconds)
        else:
            heappop(self._free)
            self._begun[number] = self._waiting.pop(number)
        self._begun[number].left.popleft()
        self._under_way[slot.sequence] = slot
        if slot.sequence >= self.next_sequence:
            self.next_sequence = slot.sequence + 1

    def ended(self, slot: ActionSlot) -> None:
        """Take note that a slot has ended, and all that follows from that is done."""
        del self._under_way[slot.sequence]
        pair = self._begun[slot.pair]
        if pair.left:
            heappush(self._seconds, pair.number)
            return
        del self._begun[pair.number]
        for account in pair.accounts:
            line = self._lines[account]
            line.popleft()
            if not line:
                del self._lines[account]
                continue
            line[0].waits_for -= 1
            if not line[0].waits_for:
                heappush(self._free, line[0].number)

    def is_to_come(self, sequence: int) -> bool:
        """Whether a slot is still to be run, and has not begun."""
        pair = self._begun.get(sequence >> 1) or self._waiting.get(sequence >> 1)
        if pair is not None:
            return any(slot.sequence == sequence for slot in pair.left)
        return sequence >= self.next_sequence and self._slots[sequence].state is _PENDING

    def is_first_left(self, sequence: int) -> bool:
        """Whether every slot before this one has ended."""
        return sequence <= min(self._left(), default=sequence)

    def _left(self) -> Iterator[int]:
        yield from self._under_way
        yield from (pair.left[0].sequence for pair in self._begun.values() if pair.left)
        yield from (pair.left[0].sequence for pair in list(self._waiting.values())[:1])

    def _first_free(self) -> int | None:
        while not self._free and len(self._waiting) < AHEAD and self._read():
            pass
        return self._free[0] if self._free else None

    def _read(self) -> bool:
        """Have the next pair of the course wait; return whether there was one."""
        if self._ahead is None:
            return False
        number, found = next(self._ahead, (0, ()))
        slots = list(found)
        if not slots:
            self._ahead = None
            return False
        both = (slots[0], self._slots[slots[0].partner])
        named = (slot.action.matching_strategy.account or slot.account_id for slot in both)
        pair = _Pair(number, slots, dict.fromkeys((*(slot.account_id for slot in both), *named)))
        for account in pair.accounts:
            line = self._lines.get(account)
            if line is None:
                self._lines[account] = deque((pair,))
            else:
                line.append(pair)
                pair.waits_for += 1
        self._waiting[number] = pair
        if not pair.waits_for:
            heappush(self._free, number)
        return True


_PENDING: Final = SlotState.PENDING
