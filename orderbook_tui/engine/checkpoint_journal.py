"""From the rows of a checkpoint's journal to its events, piece by piece, each held against the slots and what came before."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import apsw

from orderbook_tui.core.journal import Attempt, Cancel, Decision, Event, Execution, Failure, RecoveryAction
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.checkpoint_file import undressed
from orderbook_tui.engine.progress import Told
from orderbook_tui.errors import FailureKind

JOURNAL_TABLES: Final = ("attempts", "fills", "cancels", "decisions")
PIECE: Final = 10_000
"""Rows between two reports of how far it has come: some 20 ms of work."""
_EVENTS: Final = "SELECT max({}) + 1".format(
    ", ".join(f"coalesce((SELECT max(n) FROM {table}), -1)" for table in JOURNAL_TABLES)
)  # fmt: skip
_PIECE_OF: Final = "SELECT * FROM {} WHERE n >= ? AND n < ? ORDER BY n"
_KINDS: Final = {member.value: member for member in FailureKind}
_ACTIONS: Final = {member.value: member for member in RecoveryAction}


class Misfit(Exception):
    """The journal cannot be that of a run; the message says why."""


def count_events(connection: apsw.Connection) -> int:
    """Return the length of the journal."""
    return _number(connection, _EVENTS)


def read_journal(connection: apsw.Connection, slots: Sequence[ActionSlot], *, settled: bool, told: Told) -> list[Event]:
    """Return all events in their order; their places must be 0, 1, 2, ...

    Raises:
        Misfit: they are not, or no run over these slots could have left them.
    """
    length = count_events(connection)
    _check_length(connection, length)
    check = JournalCheck(slots, settled=settled)
    journal: list[Event] = []
    for start in range(0, length, PIECE):
        events = _read_piece(connection, start, min(start + PIECE, length))
        why = check.first_misfit(events, start)
        if why is not None:
            raise Misfit(why)
        journal += events
        told(len(journal) / length)
    return journal


def _check_length(connection: apsw.Connection, length: int) -> None:
    rows = sum(_number(connection, f"SELECT count(*) FROM {table}") for table in JOURNAL_TABLES)
    if rows != length:
        raise Misfit(f"its journal is {length} events long, but {rows} of them are there")


def _number(connection: apsw.Connection, sql: str) -> int:
    (number,) = connection.execute(sql).fetchall()[0]
    assert isinstance(number, int)
    return number


def _read_piece(connection: apsw.Connection, start: int, end: int) -> list[Event]:
    """Return the events start, start + 1, ... end - 1."""
    events: list[Any] = [None] * (end - start)

    def rows(table: str) -> Iterable[Any]:
        return connection.execute(_PIECE_OF.format(table), (start, end))

    for n, slot, number, started, ended, order_id, code, kind, message in rows("attempts"):
        if kind is not None:
            failure = Failure(undressed(code), _KINDS[kind], undressed(message))
            events[n - start] = Attempt(slot, number, started, ended, undressed(order_id), failure)
        else:
            events[n - start] = Attempt(
                slot, number, started, ended, undressed(order_id) if type(order_id) is bytes else order_id
            )
    for n, maker, taker, price, quantity, maker_fee, taker_fee, at, outside in rows("fills"):
        events[n - start] = Execution(
            maker, taker, price, quantity, maker_fee, taker_fee, at, undressed(outside) if type(outside) is bytes else outside
        )
    for n, slot, quantity, at in rows("cancels"):
        events[n - start] = Cancel(slot, quantity, at)
    for n, slot, attempt, action, by, at in rows("decisions"):
        events[n - start] = Decision(slot, attempt, _ACTIONS[action], undressed(by), at)
    if any(event is None for event in events):
        raise Misfit("two events of its journal have the same place")
    return events


class JournalCheck:
    """Follows a journal along its slots, to find what cannot follow what came before.

    What `replay` refuses by itself (an illegal decision, a budget overdrawn) is left to it. Without `settled` the fills
    are somebody else's, and only their slots are looked at.
    """

    def __init__(self, slots: Sequence[ActionSlot], *, settled: bool) -> None:
        self._slots = slots
        self._settled = settled
        count = len(slots)
        self._tried, self._filled, self._left = [0] * count, [0] * count, [0] * count
        self._skipped: set[int] = set()

    def first_misfit(self, events: Iterable[Event], start: int) -> str | None:
        """Take the next events, the first of which has the place `start`; return, in words, the first that does not fit."""
        slots, settled, skipped = self._slots, self._settled, self._skipped
        tried, filled, left = self._tried, self._filled, self._left
        count = len(slots)
        for n, event in enumerate(events, start):
            if type(event) is Attempt:
                sequence = event.slot
                if not 0 <= sequence < count:
                    return f"event {n} is about slot {sequence}, and there are {count}"
                tried[sequence] = due = tried[sequence] + 1
                if event.number != due:
                    return f"event {n} is attempt {event.number} of slot {sequence}, where attempt {due} was due"
                if sequence in skipped or (left[sequence] > 0 and settled):
                    why = "Skipped" if sequence in skipped else "open at the venue"
                    return f"event {n} tries slot {sequence}, which is {why}"
                if event.failure is None:
                    left[sequence] = slots[sequence].action.quantity - filled[sequence]
            elif type(event) is Execution:
                maker, taker, quantity = event.maker, event.taker, event.quantity
                if maker < 0 and taker < 0:
                    return f"event {n} is a fill of neither side"
                for sequence in (maker, taker):
                    if sequence >= count:
                        return f"event {n} fills slot {sequence}, and there are {count}"
                    if sequence >= 0:
                        if settled and quantity > left[sequence]:
                            return f"event {n} fills {quantity} lots of slot {sequence}, of which {left[sequence]} are open"
                        left[sequence] -= quantity
                        filled[sequence] += quantity
            elif type(event) is Cancel or type(event) is Decision:
                sequence = event.slot
                if not 0 <= sequence < count:
                    return f"event {n} is about slot {sequence}, and there are {count}"
                if type(event) is Cancel:
                    if settled and left[sequence] <= 0:
                        return f"event {n} cancels slot {sequence}, which has nothing open"
                    left[sequence] = 0
                elif type(event) is Decision and event.action is RecoveryAction.SKIP:
                    skipped.add(sequence)
        return None
