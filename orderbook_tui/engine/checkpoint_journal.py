"""From the rows of a checkpoint's journal to its events, piece by piece, each held against its chain, the slots and what
came before; and to the intents and opening balances beside it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import apsw
import msgspec

from orderbook_tui.core.journal import Attempt, Balance, Cancel, Decision, Event, Execution, Failure, RecoveryAction
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.checkpoint_chain import PIECE, ChainCheck, Row
from orderbook_tui.engine.checkpoint_file import undressed
from orderbook_tui.engine.checkpoint_schema import CHAINED, JOURNAL_TABLES
from orderbook_tui.engine.progress import Told
from orderbook_tui.errors import FailureKind

_EVENTS: Final = "SELECT max({}) + 1".format(
    ", ".join(f"coalesce((SELECT max(n) FROM {table}), -1)" for table in JOURNAL_TABLES)
)  # fmt: skip
_NEWEST: Final = " UNION ALL ".join(f"SELECT chain FROM {table} WHERE n = ?1" for table in JOURNAL_TABLES)
_COUNT_OF_INTENTS: Final = "SELECT coalesce(max(place) + 1, 0) FROM intents"
_INTENTS, _BALANCES = CHAINED.index("intents"), CHAINED.index("opening_balances")
_OF_A_BALANCE: Final = (str, str, int, int)
_KINDS: Final = {member.value: member for member in FailureKind}
_ACTIONS: Final = {member.value: member for member in RecoveryAction}


class Misfit(Exception):
    """The journal cannot be that of a run; the message says why."""


class Intent(msgspec.Struct, frozen=True, gc=False):
    """An attempt that was about to place an order elsewhere; `at` is when that was written, 0 where it is not known."""

    slot: int
    attempt: int
    client_order_id: str
    at: int = 0


class Journal(NamedTuple):
    """All events in their order, and the links of their chain."""

    events: list[Event]
    links: int


def count_events(connection: apsw.Connection) -> int:
    """Return the length of the journal."""
    return _number(connection, _EVENTS)


def count_records(connection: apsw.Connection) -> int:
    """Return how many events there are, and notes of what was about to be placed."""
    return count_events(connection) + _number(connection, _COUNT_OF_INTENTS)


def ends_of_chains(connection: apsw.Connection) -> tuple[int, bytes, int, bytes]:
    """Return the length of the journal and its last link, and as much of the intents.

    Raises:
        Misfit: the last event or intent has no link.
    """
    start = start_of_chains(connection)
    length, intents = count_events(connection), _number(connection, _COUNT_OF_INTENTS)
    newest = _link(connection, _NEWEST, length - 1) if length else start
    meant = _link(connection, "SELECT chain FROM intents WHERE place = ?", intents - 1) if intents else start
    return length, newest, intents, meant


def start_of_chains(connection: apsw.Connection) -> bytes:
    """Return what the first link of each chain follows: the digest of the plan."""
    return _link(connection, "SELECT digest FROM plan")


def _link(connection: apsw.Connection, sql: str, *of: int) -> bytes:
    found = connection.execute(sql, of).fetchone()
    if found is None or not isinstance(found[0], bytes):
        raise Misfit("what was written last has no link of its chain")
    return found[0]


def read_journal(
    connection: apsw.Connection, slots: Sequence[ActionSlot], chain: ChainCheck | None, *, settled: bool, told: Told
) -> Journal:
    """Return all events in their order; their places must be 0, 1, 2, ... `chain` where they have one.

    Raises:
        Misfit: they are not, or not what was written, or no run over these slots could have left them.
    """
    length = count_events(connection)
    _check_length(connection, length)
    check = JournalCheck(slots, settled=settled)
    journal: list[Event] = []
    for start in range(0, length, PIECE):
        events = _read_piece(connection, start, min(start + PIECE, length), chain)
        why = check.first_misfit(events, start)
        if why is not None:
            raise Misfit(why)
        journal += events
        told(len(journal) / length)
    if chain is None:
        return Journal(journal, 0)
    if not chain.is_whole:
        raise Misfit("the last event of its journal has no link of the chain")
    return Journal(journal, chain.links)


def _check_length(connection: apsw.Connection, length: int) -> None:
    rows = sum(_number(connection, f"SELECT count(*) FROM {table}") for table in JOURNAL_TABLES)
    if rows != length:
        raise Misfit(f"its journal is {length} events long, but {rows} of them are there")


def _number(connection: apsw.Connection, sql: str) -> int:
    (number,) = connection.execute(sql).fetchall()[0]
    if not isinstance(number, int):
        raise Misfit("a place in its journal is no number of 64 bits")
    return number


def _read_piece(connection: apsw.Connection, start: int, end: int, chain: ChainCheck | None) -> list[Event]:
    """Return the events start, start + 1, ... end - 1."""
    events: list[Any] = [None] * (end - start)
    rows: list[Any] = [None] * (end - start)
    linked: list[int] = []
    no_link = "" if chain is not None else ", NULL"
    has_ids = connection.pragma("user_version") > 2

    def of(table: str) -> Iterable[Any]:
        sql = f"SELECT {CHAINED.index(table)}, *{no_link} FROM {table} WHERE n >= ? AND n < ? ORDER BY n"
        return connection.execute(sql, (start, end))

    for row in of("attempts"):
        _, n, slot, number, started, ended, order_id, code, kind, message, found = row
        place = n - start
        rows[place] = row
        if found is not None:
            linked.append(place)
        if kind is not None:
            failure = Failure(undressed(code), _KINDS[kind], undressed(message))
            events[place] = Attempt(slot, number, started, ended, undressed(order_id), failure)
        else:
            events[place] = Attempt(slot, number, started, ended, undressed(order_id) if type(order_id) is bytes else order_id)
    for row in of("fills"):
        if has_ids:
            _, n, maker, taker, price, quantity, maker_fee, taker_fee, at, outside, called, found = row
        else:
            _, n, maker, taker, price, quantity, maker_fee, taker_fee, at, outside, found = row
            called = None
        place = n - start
        rows[place] = row
        if found is not None:
            linked.append(place)
        events[place] = Execution(
            maker, taker, price, quantity, maker_fee, taker_fee, at,
            undressed(outside) if type(outside) is bytes else outside, undressed(called) if type(called) is bytes else called,
        )  # fmt: skip
    for row in of("cancels"):
        _, n, slot, quantity, at, found = row
        rows[n - start] = row
        if found is not None:
            linked.append(n - start)
        events[n - start] = Cancel(slot, quantity, at)
    for row in of("decisions"):
        _, n, slot, attempt, action, by, at, found = row
        rows[n - start] = row
        if found is not None:
            linked.append(n - start)
        events[n - start] = Decision(slot, attempt, _ACTIONS[action], undressed(by), at)
    if any(event is None for event in events):
        raise Misfit("two events of its journal have the same place")
    if chain is not None:
        linked.sort()
        _follow(chain, rows, linked, "event")
    return events


def read_intents(connection: apsw.Connection, chain: ChainCheck | None) -> list[Intent]:
    """Return all intents in their order; their places must be 0, 1, 2, ... where they have a chain.

    Raises:
        Misfit: they are not what was written.
    """
    columns = "*" if connection.pragma("user_version") > 1 else "place, slot, number, client_order_id, 0, NULL"
    rows = connection.execute(f"SELECT {_INTENTS}, {columns} FROM intents ORDER BY place").fetchall()
    if chain is not None:
        _follow_all(chain, rows, "intent")
    return [Intent(slot, number, undressed(order), at) for _, _, slot, number, order, at, _ in rows]  # type: ignore[arg-type]


def read_balances(connection: apsw.Connection, chain: ChainCheck | None) -> list[Balance]:
    """Return what accounts held elsewhere before anything was placed; nothing where that was never noted.

    Raises:
        Misfit: it is not what was written.
    """
    if chain is None or connection.pragma("user_version") < 3:
        return []
    rows = connection.execute(f"SELECT {_BALANCES}, * FROM opening_balances ORDER BY place").fetchall()
    _follow_all(chain, rows, "opening balance")
    found = [tuple(map(undressed, row[2:-1])) for row in rows]
    if not all(tuple(map(type, columns)) == _OF_A_BALANCE for columns in found):
        raise Misfit("an opening balance is none")
    return [Balance(*columns) for columns in found]


def _follow_all(chain: ChainCheck, rows: Sequence[Row], what: str) -> None:
    """Hold all rows of a table, whose places must be 0, 1, 2, ..., against their chain."""
    if rows and rows[-1][1] != len(rows) - 1:
        raise Misfit(f"its last {what} has the place {rows[-1][1]}, but {len(rows)} of them are there")
    _follow(chain, rows, [place for place, row in enumerate(rows) if row[-1] is not None], what)
    if not chain.is_whole:
        raise Misfit(f"its last {what} has no link of the chain")


def _follow(chain: ChainCheck, rows: Sequence[Row], linked: Iterable[int], what: str) -> None:
    wrong = chain.first_misfit(rows, linked)
    if wrong is not None:
        raise Misfit(f"{what} {wrong[1]}, or one before it, is not what was written: its chain is broken there")


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
