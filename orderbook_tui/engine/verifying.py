"""A full check of a checkpoint, which changes nothing: from its pages to what the run in it must be.

pages -> plan, journal -> budgets -> progress -> invariants -> views -> what was reported saved
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw
import msgspec

from orderbook_tui.core.invariants import invariants
from orderbook_tui.core.replay import Replayed
from orderbook_tui.engine.checkpoint_file import checksums, explained, undressed
from orderbook_tui.engine.checkpoint_reader import Checkpoint, read_checkpoint
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.progress import Told, part, untold
from orderbook_tui.engine.tally import Tally
from orderbook_tui.engine.wiring import open_venue
from orderbook_tui.errors import CheckpointDamaged, OrderbookTuiError

MOST_SLOTS_OF_VIEWS: Final = 200_000
"""In a longer run the views are not read: SQLite takes longer for them than all the rest does."""


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at: what there was, in words, or what is wrong."""

    name: str
    words: str
    holds: bool = True


class Verified(msgspec.Struct, frozen=True):
    """What a checkpoint was found to be. After a check that does not hold, those that need it are left out."""

    id: str
    checks: tuple[Check, ...]

    @property
    def wrong(self) -> tuple[Check, ...]:
        """The checks that do not hold; none where the checkpoint is sound."""
        return tuple(check for check in self.checks if not check.holds)


class _Broken(Exception):
    """A check does not hold; the message says why."""


def verify(state_dir: Path | str, simulation_id: str, told: Told = untold) -> Verified:
    """Check all of a checkpoint, also while its run goes on; nothing is changed. `told` hears how far it is.

    Raises:
        CheckpointNotFound, CheckpointTooNew, CheckpointInUse, StorageError: it cannot be read at all.
    """
    persistence = StatePersistence(state_dir)
    checks: list[Check] = []
    try:
        with persistence.opened(simulation_id) as (path, connection), explained(path):
            records = _Verifying(connection, path, checks, told).run()
        if records is not None:
            lost = persistence.missing(simulation_id, records)
            checks.append(Check("saved", " ".join(lost) or "all that was reported saved is there", holds=not lost))
    except CheckpointDamaged as error:
        checks.append(Check("file", str(error), holds=False))
    told(1.0)
    return Verified(simulation_id, tuple(checks))


class _Verifying:
    """One verification of the checkpoint that is open, which adds to `checks`."""

    def __init__(self, connection: apsw.Connection, path: Path, checks: list[Check], told: Told) -> None:
        self._connection, self._path, self._checks, self._told = connection, path, checks, told

    def run(self) -> int | None:
        """Make every check; those that need one that does not hold are left out. Return how many records there are."""
        checkpoint: Checkpoint
        replayed: Replayed

        def read() -> str:
            nonlocal checkpoint
            checkpoint = read_checkpoint(self._connection, self._path, part(self._told, 0.2, 0.7))
            commits = (
                f"in {checkpoint.links} commits, each linked to the one before" if checkpoint.version > 1 else "without a chain"
            )
            return f"{len(checkpoint.journal)} events {commits}"

        def replay() -> str:
            nonlocal replayed
            replayed = checkpoint.replay(part(self._told, 0.7, 0.8))
            return f"{len(checkpoint.snapshot)} noted, and as the journal leaves them"

        if not (self._holds("pages", self._pages) and self._holds("journal", read)):
            return None
        digest = "as its digest says" if checkpoint.version > 1 else "without a digest"
        self._checks.insert(1, Check("plan", f"{len(checkpoint.slots)} slots, {digest}"))
        self._holds("progress", lambda: self._progress(checkpoint))
        if self._holds("budgets", replay):
            self._told(0.85)
            self._holds("invariants", lambda: _invariants(checkpoint, replayed))
            self._told(0.9)
            self._holds("views", lambda: self._views(replayed))
        return checkpoint.records

    def _holds(self, name: str, look: Callable[[], str]) -> bool:
        """Make one check, and say whether it holds."""
        try:
            check = Check(name, look())
        except (_Broken, OrderbookTuiError) as error:
            check = Check(name, str(error), holds=False)
        self._checks.append(check)
        return check.holds

    def _pages(self) -> str:
        with explained(self._path):
            ((pages,),) = self._connection.execute("PRAGMA page_count").fetchall()
            found = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check(10)")]
            strangers = self._connection.execute("PRAGMA foreign_key_check").fetchall()
        self._told(0.2)
        if found != ["ok"]:
            raise _Broken("; ".join(found))
        if strangers:
            raise _Broken(f"row {strangers[0][1]} of {strangers[0][0]} refers to one that is not there")
        each = "each with its checksum" if checksums() is not None else "whose checksums cannot be read here"
        return f"{pages} pages, {each}"

    def _progress(self, checkpoint: Checkpoint) -> str:
        rows = self._connection.execute("SELECT events, completed, failed, skipped FROM progress").fetchall()
        if len(rows) != 1:
            raise _Broken(f"how far it came is noted {len(rows)} times")
        events, *noted = rows[0]
        assert isinstance(events, int)
        tally = Tally(len(checkpoint.slots))
        tally.advance(checkpoint.journal[:events])
        counted = list(tally.counts)
        if noted != counted:
            raise _Broken(f"{noted} slots completed, failed and skipped were noted, but {counted} are after event {events}")
        return "{} completed, {} failed, {} skipped, as a recount says".format(*counted)

    def _views(self, replayed: Replayed) -> str:
        slots = replayed.state.slots
        if len(slots) > MOST_SLOTS_OF_VIEWS:
            return f"not read: they take too long over more than {MOST_SLOTS_OF_VIEWS:,} slots"
        # They are ours: the whole schema was compared when the file was opened.
        self._connection.config(apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 1)
        with explained(self._path):
            seen = self._connection.execute(
                "SELECT sequence, account_id, market, side, quantity, price, state, attempt_count, filled, order_id, "
                "error_code FROM slots ORDER BY sequence"
            )
            for slot, row in zip(slots, seen, strict=True):
                error = slot.last_error
                expected = (
                    slot.sequence, slot.account_id, slot.action.market_id, slot.action.side.word, slot.action.quantity,
                    slot.action.price, slot.state.value, slot.attempt_count, slot.filled, slot.order_id,
                    error.code if error else None,
                )  # fmt: skip
                if tuple(map(undressed, row)) != expected:
                    raise _Broken(f"slot {slot.sequence} is {expected}, but the view says {row}")
            self._told(0.95)
            if not replayed.state.plan.budgets:
                return "slots say what the run says"
            pots = {
                (undressed(account), undressed(asset)): tuple(units)
                for account, asset, *units in self._connection.execute(
                    "SELECT account, asset, initial, available, locked, spent, received FROM budgets"
                )
            }
        for b in replayed.budgets:
            amounts = (b.initial, b.available, b.locked, b.spent, b.received)
            found = pots.get((b.account.id, b.asset.symbol), (0, 0, 0, 0, 0))
            if found != amounts:
                raise _Broken(f"{b.account.id} has {amounts} units of {b.asset.symbol}, but the view says {found}")
        return "slots and budgets say what the run says"


def _invariants(checkpoint: Checkpoint, replayed: Replayed) -> str:
    config = checkpoint.settings()
    # Elsewhere there is no book to look at, and the user's own code is not run to verify a file.
    exchange = open_venue(config, replayed.state)[1] if config.venue.kind == "embedded" else None
    rules = invariants(replayed.state, replayed.budgets, replayed.settlement, exchange)
    broken = [name for name, holds in rules.items() if not holds]
    if broken:
        raise _Broken(", ".join(broken))
    return f"all {len(rules)} hold"
