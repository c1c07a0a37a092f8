"""From a run to the rows of a checkpoint: the journal as it grows.

    journal[written:] -> one transaction -> the guard notes how far -> the caller goes on

A commit survives the death of the process. It survives the loss of power from the next barrier on: a commit that waits for
the disk, made every 1,000 slots or 250 ms, and wherever the run says so.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, Self

import apsw

from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.core.journal import Attempt, Cancel, Decision, Event, Execution, RecoveryAction
from orderbook_tui.engine.checkpoint_file import TURN, done_writing, dressed, explained, in_words, opened, writing
from orderbook_tui.engine.checkpoint_journal import JOURNAL_TABLES, PIECE, count_events
from orderbook_tui.engine.guard import Guard
from orderbook_tui.engine.progress import Told, untold
from orderbook_tui.errors import StorageError

BARRIER_SLOTS: Final = 1_000
BARRIER_S: Final = 0.25
GROUP_S: Final = 0.25
WAL_PAGES: Final = 32_000
"""Pages in the write-ahead journal before they are folded into the file: about 32 MB."""

Row = tuple[Any, ...]


class Tally:
    """How many slots have ended how, counted along the journal."""

    def __init__(self, slots: int) -> None:
        self._ended = bytearray(slots)
        self._counts = [slots, 0, 0, 0]

    def advance(self, events: Iterable[Event]) -> None:
        """Count what `events` changed."""
        ended, counts = self._ended, self._counts
        for event in events:
            if type(event) is Execution:
                continue
            if type(event) is Attempt:
                new = 1 if event.failure is None else 0
            elif type(event) is Decision:
                known = _ENDINGS.get(event.action)
                if known is None:
                    continue
                new = known
            else:
                continue
            old = ended[event.slot]
            if new != old:
                counts[old] -= 1
                counts[new] += 1
                ended[event.slot] = new

    @property
    def counts(self) -> tuple[int, int, int]:
        """Completed, failed and skipped slots."""
        return self._counts[1], self._counts[2], self._counts[3]


_ENDINGS: Final = {RecoveryAction.CONTINUE: 2, RecoveryAction.SKIP: 3, RecoveryAction.QUIT: 0}


class CheckpointWriter:
    """Appends to one checkpoint. It holds the guard, and so is the only one, until it is closed.

    `group` is how many slots may wait for one commit; 1 commits each. Whatever fails, nothing is counted as written that is
    not, so a later call writes it.
    """

    def __init__(
        self, path: Path, guard: Guard, connection: apsw.Connection, *, group: int, slots: int, finished: bool
    ) -> None:
        self.path = path
        self.saved_at = 0
        """When something was last saved, as far as the file says."""
        self._guard = guard
        self._connection = connection
        self._execute = connection.cursor().execute
        self._executemany = connection.cursor().executemany
        self.group = group
        self._waiting = self._unsynced = 0
        self._committed_at = self._synced_at = time.monotonic()
        self._written = count_events(connection)
        self._tally = Tally(slots)
        self._tallied = 0
        self._finished = finished
        self._appending = False
        self._unfit = ""

    @classmethod
    def open(cls, path: Path, guard: Guard, *, group: int) -> "CheckpointWriter":
        """Open the checkpoint at `path`, whose `guard` is held. Nothing in it changes before something is written."""
        with explained(path):
            connection = opened(path, apsw.SQLITE_OPEN_READWRITE)
            try:
                for pragma in ("locking_mode=EXCLUSIVE", "synchronous=NORMAL", f"wal_autocheckpoint={WAL_PAGES}"):
                    connection.execute(f"PRAGMA {pragma}").fetchall()
                slots, finished = connection.execute("SELECT total_slots, finished FROM plan, progress").fetchall()[0]
                writer = cls(path, guard, connection, group=group, slots=int(str(slots)), finished=bool(finished))
            except BaseException:
                connection.close()
                raise
        writing(path, connection)
        return writer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def written(self) -> int:
        """How many events are saved."""
        return self._written

    @property
    def unsynced(self) -> int:
        """How many slots have ended that the disk may not have yet."""
        return self._unsynced

    def slot_ended(self, journal: Sequence[Event]) -> None:
        """Note that a slot has ended; commit what is new, or let it wait for its group.

        Raises:
            StorageError: it could not be saved; nothing is lost, and the next call tries again.
        """
        now = time.monotonic()
        self._unsynced += 1
        if self.group > 1:
            self._waiting += 1
            if self._waiting < self.group and now - self._committed_at < GROUP_S:
                return
        if self._unsynced >= BARRIER_SLOTS or now - self._synced_at >= BARRIER_S:
            self.flush(journal, barrier=True)
        else:
            self._commit(journal)
            self._committed_at = now

    def flush(self, journal: Sequence[Event], *, barrier: bool) -> None:
        """Commit everything that is new. With `barrier`, return when it is on the disk.

        Raises:
            StorageError: it could not be saved; nothing is lost, and the next call tries again.
        """
        if not barrier:
            self._commit(journal)
        elif not self._finished or len(journal) > self._written:
            self._commit_durably(journal, self._progress(journal, finished=False))

    def intent(self, journal: Sequence[Event], slot: int, attempt: int, client_order_id: str) -> None:
        """Note that an order is about to be placed elsewhere. It, and everything new, is on the disk when this returns."""
        self._commit_durably(journal, [("INSERT INTO intents VALUES(NULL,?,?,?)", [(slot, attempt, dressed(client_order_id))])])

    def snapshot(self, journal: Sequence[Event], budgets: Iterable[AccountBudget]) -> None:
        """Commit everything, and note the budgets, to be held against the journal when it is next read."""
        finished = self._finished and len(journal) == self._written
        self._commit_durably(journal, self._progress(journal, finished=finished) + _snapshot(len(journal), budgets))

    def finish(self, journal: Sequence[Event], budgets: Iterable[AccountBudget] = ()) -> None:
        """Commit everything, note the budgets and that the run is done, and leave one file that opens anywhere.

        A run may go on after that, as when failed slots are revisited.
        """
        self._commit_durably(journal, self._progress(journal, finished=True) + _snapshot(len(journal), budgets))
        with explained(self.path):
            self._fold()
        self._finished = True

    def close(self) -> None:
        """Leave one file, and let others have it. What was not flushed is not in it."""
        if self._unfit == _CLOSED:
            return
        # Where the disk refuses, what is in the write-ahead journal stays there, and is read from there.
        with contextlib.suppress(apsw.Error):
            if not self._unfit:
                self._fold()
        self._unfit = _CLOSED
        self._appending = False
        with TURN:
            self._connection.close(force=True)
            done_writing(self.path)
        self._guard.release()

    def _commit(self, journal: Sequence[Event]) -> None:
        """Write journal[written:] in one transaction."""
        start, end = self._written, len(journal)
        if end == start:
            return
        if not self._appending:
            self._begin_appending()
        with TURN:
            try:
                if end - start == 1:
                    self._append(journal, start, end)  # a statement alone is a transaction of its own
                else:
                    self._execute("BEGIN")
                    self._append(journal, start, end)
                    self._execute("COMMIT")
            except BaseException as error:
                self._recover(error)
        self._wrote(end)

    def _commit_durably(self, journal: Sequence[Event], more: Iterable[tuple[str, Iterable[Row]]]) -> None:
        """Write journal[written:] and `more` in one transaction, and wait for the disk."""
        if not self._appending:
            self._begin_appending()
        start, end = self._written, max(len(journal), self._written)
        with TURN:
            try:
                # Outside of the transaction: within one it would not take effect.
                self._execute("PRAGMA synchronous=FULL").fetchall()
                self._execute("BEGIN")
                self._append(journal, start, end)
                for sql, rows in more:
                    self._executemany(sql, rows)
                self._execute("COMMIT")
                self._execute("PRAGMA synchronous=NORMAL").fetchall()
            except BaseException as error:
                self._recover(error)
        self._synced_at = self._committed_at = time.monotonic()
        self._unsynced = 0
        self._wrote(end)
        self._guard.report(end, *self._tally.counts)

    def _append(self, journal: Sequence[Event], start: int, end: int) -> None:
        """Insert journal[start:end]."""
        try:
            if end - start > _FEW:
                rows: dict[type, list[Row]] = {kind: [] for kind in _HOW}
                for n in range(start, end):
                    event = journal[n]
                    kind = type(event)
                    rows[kind].append(_HOW[kind][1](n, event))
                for kind, those in rows.items():
                    self._executemany(_HOW[kind][0], those)
            else:
                for n in range(start, end):
                    event = journal[n]
                    insert, row = _HOW[type(event)]
                    self._execute(insert, row(n, event))
        except (UnicodeEncodeError, OverflowError):
            # Something in them needs another dress: all of them once more, each looked at.
            for table in JOURNAL_TABLES:
                self._execute(f"DELETE FROM {table} WHERE n >= ?", (start,))
            for n in range(start, end):
                insert, row = _HOW[type(journal[n])]
                self._execute(insert, tuple(map(dressed, row(n, journal[n]))))

    def _wrote(self, end: int) -> None:
        self._written = end
        self._waiting = 0
        self._guard.acknowledge(end)

    def _recover(self, error: BaseException) -> NoReturn:
        """Undo what was begun, learn what the file holds, and raise `error` in our words."""
        with contextlib.suppress(apsw.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._connection.pragma("synchronous", "NORMAL")
        # An interrupt may come between a commit and our taking note of it.
        with contextlib.suppress(apsw.Error):
            self._written = count_events(self._connection)
        if isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) in _FSYNC:
            # What the system could not sync it may have dropped, and a second sync would not say so.
            self._unfit = "the disk did not keep what was written: close the run and resume it"
            self._appending = False
        if isinstance(error, (apsw.Error, OSError)):
            raise in_words(self.path, error) from error
        raise error

    def _begin_appending(self) -> None:
        if self._unfit:
            raise StorageError(f"{self.path}: {self._unfit}")
        with TURN, explained(self.path):
            self._connection.pragma("journal_mode", "WAL")
            if self._finished:
                self._connection.execute("UPDATE progress SET finished = 0")
        self._finished = False
        self._appending = True

    def _fold(self) -> None:
        """Put the write-ahead journal into the file, which then stands alone."""
        self._appending = False
        with TURN:
            self._connection.pragma("journal_mode", "DELETE")
        # A reader of a killed run leaves one, and it is of no more use.
        with contextlib.suppress(OSError):
            self.path.with_name(self.path.name + "-shm").unlink()

    def count(self, journal: Sequence[Event], told: Told = untold) -> None:
        """Count how the slots have ended so far, for whoever lists the checkpoints. `told` hears how far it is."""
        while self._tallied < len(journal):
            events = journal[self._tallied : self._tallied + PIECE]
            self._tally.advance(events)
            self._tallied += len(events)
            told(self._tallied / len(journal))

    def _progress(self, journal: Sequence[Event], *, finished: bool) -> list[tuple[str, Iterable[Row]]]:
        self.count(journal)
        self.saved_at = time.time_ns()
        row = (1, self.saved_at, len(journal), *self._tally.counts, int(finished))
        return [("INSERT OR REPLACE INTO progress VALUES(?,?,?,?,?,?,?)", [row])]


def _snapshot(events: int, budgets: Iterable[AccountBudget]) -> list[tuple[str, Iterable[Row]]]:
    rows = [
        (dressed(b.account.id), dressed(b.asset.symbol), events, b.available, b.locked, b.spent, b.received) for b in budgets
    ]
    return [("DELETE FROM budget_snapshot", [()]), ("INSERT INTO budget_snapshot VALUES(?,?,?,?,?,?,?)", rows)]


def _attempt(n: int, event: Attempt) -> Row:
    failure = event.failure
    if failure is None:
        return n, event.slot, event.number, event.started, event.ended, event.order_id, None, None, None
    return (
        n, event.slot, event.number, event.started, event.ended, event.order_id, failure.code, failure.kind, failure.message,
    )  # fmt: skip


def _fill(n: int, event: Execution) -> Row:
    return (
        n, event.maker, event.taker, event.price, event.quantity, event.maker_fee, event.taker_fee, event.at, event.outside,
    )  # fmt: skip


def _cancel(n: int, event: Cancel) -> Row:
    return n, event.slot, event.quantity, event.at


def _decision(n: int, event: Decision) -> Row:
    return n, event.slot, event.attempt, event.action, event.by, event.at


_HOW: Final[dict[type, tuple[str, Callable[[int, Any], Row]]]] = {
    Attempt: ("INSERT INTO attempts VALUES(?,?,?,?,?,?,?,?,?)", _attempt),
    Execution: ("INSERT INTO fills VALUES(?,?,?,?,?,?,?,?,?)", _fill),
    Cancel: ("INSERT INTO cancels VALUES(?,?,?,?)", _cancel),
    Decision: ("INSERT INTO decisions VALUES(?,?,?,?,?,?)", _decision),
}
_FEW: Final = 8
_CLOSED: Final = "it was closed"
_FSYNC: Final = {apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC}
