"""From a run to the rows of a checkpoint: the journal as it grows.

    journal[written:] -> rows -> their link of the chain -> one transaction -> the guard notes how far -> the caller goes on

A commit survives the death of the process. It survives the loss of power from the next barrier on: a commit that waits for
the disk, made every 1,000 slots or 250 ms (as `Durability` says), and wherever the run says so. What the disk did not take is
written with the next call. What it took and did not keep, or what was removed from under the run, is told from that.
"""

import contextlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn, Self

import apsw

from orderbook_tui.config.models import Durability
from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.core.journal import Balance, Event
from orderbook_tui.engine.checkpoint_chain import PIECE, ChainCheck, Row
from orderbook_tui.engine.checkpoint_connection import connected, file_at, switch
from orderbook_tui.engine.checkpoint_file import (
    TURN,
    done_writing,
    dressed,
    explained,
    in_words,
    journals,
    reading,
    writer_of,
    writing,
)
from orderbook_tui.engine.checkpoint_journal import Intent, Misfit, ends_of_chains, read_balances, read_intents, start_of_chains
from orderbook_tui.engine.checkpoint_reader import read_checkpoint
from orderbook_tui.engine.checkpoint_rows import RowInserter, all_dressed, rows_of, rows_of_balances, rows_of_intents
from orderbook_tui.engine.guard import Guard
from orderbook_tui.engine.progress import Told, untold
from orderbook_tui.engine.tally import Tally
from orderbook_tui.errors import CheckpointDamaged, CheckpointError, StorageError

BARRIER_SLOTS: Final = 1_000
BARRIER_S: Final = 0.25
GROUP_S: Final = 0.25


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
        self.guard = guard
        self._written = self._intents = 0
        self._link = self._next_link = self._link_of_intents = b""
        self._take(connection)
        self.group = group
        self.durability = Durability.SECOND
        """What a slot that has ended survives from then on; `flush` with a barrier waits for the disk in any case."""
        self._waiting = self._unsynced = 0
        self._committed_at = self._synced_at = time.monotonic()
        self._tally = Tally(slots)
        self._tallied = 0
        self._finished = finished
        self._appending = False
        self._unfit = ""
        """Why nothing can be written any more."""
        self._distrusts_disk = False
        """Whether the disk may not have kept what it took."""

    @classmethod
    def open(cls, path: Path, guard: Guard, *, group: int) -> "CheckpointWriter":
        """Open the checkpoint at `path`, whose `guard` is held. Nothing in it changes before something is written."""
        with explained(path):
            connection = connected(path)
            try:
                slots, finished = connection.execute("SELECT total_slots, finished FROM plan, progress").fetchall()[0]
                writer = cls(path, guard, connection, group=group, slots=int(str(slots)), finished=bool(finished))
            except Misfit as misfit:
                connection.close()
                raise CheckpointDamaged(f"{path} is damaged: {misfit}; it was left as it is") from None
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

    @property
    def is_overdue(self) -> bool:
        """Whether a slot has ended so long ago that it should be on the disk by now."""
        return self._unsynced > 0 and time.monotonic() - self._synced_at >= BARRIER_S

    @property
    def is_lost(self) -> bool:
        """Whether the file is not where it was made any more: it was removed, or replaced by another."""
        return self._file != file_at(self.path)

    def intents(self) -> list[Intent]:
        """Return all that was noted before orders were placed, also where the file has no name any more.

        Raises:
            StorageError: it cannot be read.
        """
        with TURN, explained(self.path):
            return read_intents(self._connection, None)

    def opening_balances(self) -> list[Balance]:
        """Return what `note_balances` noted, in this life or an earlier one, also where the file has no name any more.

        Raises:
            CheckpointDamaged: it is not what was written.
            StorageError: it cannot be read.
        """
        with TURN, explained(self.path):
            try:
                return read_balances(self._connection, ChainCheck(start_of_chains(self._connection)))
            except Misfit as misfit:
                raise CheckpointDamaged(f"{self.path} is damaged: {misfit}; it was left as it is") from None

    def slot_ended(self, journal: Sequence[Event]) -> None:
        """Note that a slot has ended; commit what is new, or let it wait for its group.

        Raises:
            StorageError: it could not be saved; nothing is lost, and the next call tries again.
        """
        now = time.monotonic()
        self._unsynced += 1
        if self.group > 1:
            self._waiting += 1
            if self._waiting < self.group and now - self._committed_at < GROUP_S and now - self._synced_at < BARRIER_S:
                return
        if self.durability is not _PROCESS and (
            self._unsynced >= BARRIER_SLOTS or now - self._synced_at >= BARRIER_S or self.durability is _SLOT
        ):
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

    def intend(self, journal: Sequence[Event], intents: Sequence[Intent]) -> None:
        """Note which orders are about to be placed elsewhere. That, and everything new, is on the disk when this returns."""
        self._commit_durably(journal, self._progress(journal, finished=False) if self._finished else (), intents)

    def note_balances(self, rows: Sequence[Balance], journal: Sequence[Event] = ()) -> None:
        """Note what accounts hold at the venue before anything is placed, once. It is on the disk when this returns.

        What was noted before, as where a failure came between, may be noted again as long as it is the same. `journal` is
        for where something has happened already.

        Raises:
            CheckpointError: something else was noted before; that stays.
            StorageError: it could not be saved; the next call tries again.
        """
        if not rows:
            return
        if not self._appending:
            self._begin_appending(journal)
        noted = self.opening_balances()
        if noted and noted != list(rows):
            raise CheckpointError(f"{self.path} has noted other opening balances already: they are noted once")
        goes_on = self._finished and len(journal) > self._written
        more = self._progress(journal, finished=False) if goes_on else ()
        self._commit_durably(journal, more, balances=() if noted else rows, finished=self._finished and not goes_on)

    def snapshot(self, journal: Sequence[Event], budgets: Iterable[AccountBudget]) -> None:
        """Commit everything, and note the budgets, to be held against the journal when it is next read."""
        if not self._finished or len(journal) > self._written:
            self._commit_durably(journal, self._progress(journal, finished=False) + _snapshot(len(journal), budgets))

    def finish(self, journal: Sequence[Event], budgets: Iterable[AccountBudget] = ()) -> None:
        """Commit everything, note the budgets and that the run is done, and leave one file that opens anywhere.

        A run may go on after that, as when failed slots are revisited.
        """
        more = self._progress(journal, finished=True) + _snapshot(len(journal), budgets)
        self._commit_durably(journal, more, finished=True)
        with explained(self.path):
            self._fold()

    def close(self) -> None:
        """Leave one file, and let others have it. What was not flushed is not in it."""
        if self._unfit == _CLOSED:
            return
        stands_alone = False
        # Where the disk refuses, what is in the write-ahead journal stays there, and is read from there.
        with contextlib.suppress(apsw.Error):
            if not (self._distrusts_disk or self.is_lost):
                self._fold()
                stands_alone = True
        self.discard()
        if stands_alone:
            # A process that was killed, or a reader of what it left, leaves these, and they are of no more use.
            for beside in (*journals(self.path), self.path.with_name(self.path.name + "-shm")):
                with contextlib.suppress(OSError):
                    beside.unlink()
        # What was reported saved and may not be there is still told by the guard file that stays.
        self.guard.abandon() if self._distrusts_disk else self.guard.release()

    def discard(self) -> None:
        """Let go of a file that is of no more use. The guard stays as it is."""
        self._unfit = _CLOSED
        self._appending = False
        with TURN:
            self._connection.close(force=True)
            if writer_of(self.path) is self._connection:
                done_writing(self.path)

    def _commit(self, journal: Sequence[Event]) -> None:
        """Write journal[written:] in one transaction."""
        start, end = self._written, len(journal)
        if end == start:
            return
        if self._finished:
            self._commit_durably(journal, self._progress(journal, finished=False))
            return
        if not self._appending:
            self._begin_appending(journal)
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

    def _commit_durably(
        self,
        journal: Sequence[Event],
        more: Iterable[tuple[str, Iterable[Row]]],
        intents: Sequence[Intent] = (),
        *,
        balances: Sequence[Balance] = (),
        finished: bool = False,
    ) -> None:
        """Write journal[written:], `more`, `intents` and `balances` in one transaction, and wait for the disk."""
        if not self._appending:
            self._begin_appending(journal)
        start, end = self._written, max(len(journal), self._written)
        with TURN:
            try:
                # Outside of the transaction: within one it would not take effect.
                self._execute("PRAGMA synchronous=FULL").fetchall()
                self._execute("BEGIN")
                meant = self._link_of_intents
                if end > start:
                    self._append(journal, start, end)
                if intents:
                    meant = self._insert(all_dressed(rows_of_intents(intents, self._intents)), meant)
                if balances:
                    self._insert(all_dressed(rows_of_balances(balances)), start_of_chains(self._connection))
                for sql, rows in more:
                    self._executemany(sql, rows)
                self._execute("COMMIT")
                self._intents += len(intents)
                self._link_of_intents = meant
                self._execute("PRAGMA synchronous=NORMAL").fetchall()
            except BaseException as error:
                self._recover(error)
        if self.is_lost:
            self._appending = False
            try:
                self.path.lstat()
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError as error:  # it may well be there: its folder is closed to us
                raise in_words(self.path, error) from error
            raise StorageError(f"{self.path} was removed, or replaced: put it back, or go on, and all of it is written anew")
        self._synced_at = self._committed_at = time.monotonic()
        self._unsynced = 0
        self._wrote(end)
        self._finished = finished
        self.guard.report(end + self._intents, *self._tally.counts)

    def _append(self, journal: Sequence[Event], start: int, end: int) -> None:
        """Insert journal[start:end], before anything else of its transaction."""
        rows = rows_of(journal, start, end)
        try:
            self._next_link = self._insert(rows, self._link)
        except (UnicodeEncodeError, OverflowError, TypeError):
            # Something in them needs another dress; what came before it may be in already.
            if self._connection.in_transaction:
                self._execute("ROLLBACK")
                self._execute("BEGIN")
            self._next_link = self._insert(all_dressed(rows), self._link)

    def _wrote(self, end: int) -> None:
        self._written, self._link = end, self._next_link
        self._waiting = 0
        self.guard.acknowledge(end + self._intents)

    def _recover(self, error: BaseException) -> NoReturn:
        """Undo what was begun, learn what the file holds, and raise `error` in our words."""
        with contextlib.suppress(apsw.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._connection.pragma("synchronous", "NORMAL")
        # An interrupt may come between a commit and our taking note of it.
        with contextlib.suppress(apsw.Error, Misfit):
            self._learn()
        if isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) in _FSYNC:
            # What the system could not sync it may have dropped, and a second sync would not say so.
            self._distrusts_disk = True
            self._appending = False
        if isinstance(error, (apsw.Error, OSError)):
            raise in_words(self.path, error) from error
        raise error

    def _learn(self) -> None:
        """Learn from the file how far it is."""
        ends: tuple[int, bytes, int, bytes] = ends_of_chains(self._connection)
        self._written, self._link, self._intents, self._link_of_intents = ends
        self._next_link = self._link

    def _take(self, connection: apsw.Connection) -> None:
        """Write through `connection` from here on."""
        self._connection = connection
        self._execute = connection.cursor().execute
        self._executemany = connection.cursor().executemany
        self._insert = RowInserter(connection).insert
        self._file = file_at(self.path)
        self._learn()

    def _reopen(self, journal: Sequence[Event]) -> None:
        """Begin anew with a file that the disk may not have kept: read all of it, and have it written and synced once more.

        Raises:
            CheckpointDamaged: what is there is not the beginning of `journal`.
            StorageError: the disk still fails.
        """
        with TURN, explained(self.path):
            done_writing(self.path)
            self._connection.close(force=True)
            with reading(self.path, in_use_elsewhere=False) as connection:
                found = read_checkpoint(connection, self.path).journal
            if found != journal[: len(found)]:
                raise CheckpointDamaged(f"{self.path} is damaged: the disk did not keep what was written")
            connection = connected(self.path)
            try:
                switch(connection, "DELETE")  # what the write-ahead journal holds is copied, not synced again
                self._take(connection)
            except BaseException:
                connection.close(force=True)
                raise
        writing(self.path, connection)
        self._distrusts_disk = False

    def _begin_appending(self, journal: Sequence[Event]) -> None:
        if self._unfit:
            raise StorageError(f"{self.path}: {self._unfit}")
        if self._distrusts_disk:
            self._reopen(journal)
        with TURN, explained(self.path):
            self._learn()
            switch(self._connection, "WAL")
        self._appending = True

    def _fold(self) -> None:
        """Put the write-ahead journal into the file, which then stands alone."""
        self._appending = False
        with TURN:
            switch(self._connection, "DELETE")

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


_CLOSED: Final = "it was closed"
_PROCESS, _SLOT = Durability.PROCESS, Durability.SLOT
_FSYNC: Final = {apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC}
