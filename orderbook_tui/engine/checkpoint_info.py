"""What a list of checkpoints says of each: whose it is, how far it has come, and whether it can be opened."""

import contextlib
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from orderbook_tui.engine.checkpoint_file import Foreign, reading, undressed
from orderbook_tui.engine.checkpoint_journal import Misfit, count_records
from orderbook_tui.engine.checkpoint_reader import missing_records
from orderbook_tui.engine.guard import Holder, left_behind, lock_of
from orderbook_tui.errors import CheckpointDamaged, CheckpointError, CheckpointInUse, CheckpointTooNew


class CheckpointStatus(StrEnum):
    """What can be done with a checkpoint."""

    FINISHED = "finished"
    """The run is done."""
    INTERRUPTED = "interrupted"
    """The run can be resumed."""
    RUNNING = "running"
    """A process has it."""
    DAMAGED = "damaged"
    TOO_NEW = "too_new"
    FOREIGN = "foreign"
    """It is something else than a checkpoint."""
    UNREADABLE = "unreadable"
    """The system does not let us read it."""


class SimulationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of checkpoints. Times are nanoseconds since the epoch; `reason` says why there is no more to say."""

    id: str
    path: Path
    status: CheckpointStatus
    name: str = ""
    created_at: int = 0
    saved_at: int = 0
    accounts: int = 0
    markets: int = 0
    seed: int | None = None
    total_slots: int = 0
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    size: int = 0
    """Bytes on the disk."""
    reason: str = ""

    @property
    def finished(self) -> bool:
        return self.status is CheckpointStatus.FINISHED


_SHORT_CONFIG: Final = 65_536
"""A longer config is not searched for its seed: a list of many checkpoints has to be quick."""


def refused(known: SimulationInfo, error: CheckpointError) -> SimulationInfo:
    """Describe a checkpoint that cannot be read, by why."""
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    return msgspec.structs.replace(known, status=status, reason=str(error))


_STATUS: Final[Mapping[type, CheckpointStatus]] = {
    Foreign: CheckpointStatus.FOREIGN,
    CheckpointDamaged: CheckpointStatus.DAMAGED,
    CheckpointTooNew: CheckpointStatus.TOO_NEW,
    CheckpointInUse: CheckpointStatus.RUNNING,
    CheckpointError: CheckpointStatus.UNREADABLE,
}


def running_elsewhere(known: SimulationInfo, holder: Holder) -> SimulationInfo:
    """Describe a checkpoint that another process writes, by what its guard says."""
    with contextlib.suppress(OSError):
        known = msgspec.structs.replace(known, saved_at=lock_of(known.path).lstat().st_mtime_ns)
    return msgspec.structs.replace(
        known,
        status=CheckpointStatus.RUNNING,
        name=holder.name,
        created_at=holder.created_at,
        accounts=holder.accounts,
        markets=holder.markets,
        total_slots=holder.total_slots,
        completed=holder.completed,
        failed=holder.failed,
        skipped=holder.skipped,
        reason=f"in use by {holder.in_words()}",
    )


def _text(column: object) -> str | None:
    """Return the text that a column holds; None where it is none."""
    try:
        found = undressed(column)
    except ValueError:
        return None
    return found if isinstance(found, str) else None


def counted(known: SimulationInfo, *, running: bool) -> SimulationInfo:
    """Describe a checkpoint by its progress row, which each barrier writes, and the few attempts since."""
    with reading(known.path, in_use_elsewhere=False) as connection:
        row = connection.execute(
            "SELECT name, created_at, saved_at, total_slots, failed, skipped, finished, completed + "
            "(SELECT count(*) FROM attempts WHERE n >= events AND kind IS NULL), "
            "(SELECT max(place) + 1 FROM accounts), (SELECT max(place) + 1 FROM markets), "
            f"CASE WHEN octet_length(config) < {_SHORT_CONFIG} AND json_valid(config) THEN config ->> '$.seed' END "
            "FROM plan, progress"
        ).fetchone()
        if row is None:
            raise CheckpointDamaged(f"{known.path} is damaged: it holds no plan; it was left as it is")
        name, created_at, saved_at, total_slots, failed, skipped, finished, completed, accounts, markets, seed = row
        called = _text(name)
        if called is None:
            raise CheckpointDamaged(f"{known.path} is damaged: its name is no text; it was left as it is")
        try:
            records = count_records(connection)
        except Misfit as misfit:
            raise CheckpointDamaged(f"{known.path} is damaged: {misfit}; it was left as it is") from None
    status = CheckpointStatus.FINISHED if finished else CheckpointStatus.INTERRUPTED
    reason = f"in use by this process {os.getpid()}" if running else ""
    if not running:
        reason = " ".join(missing_records(records, left_behind(lock_of(known.path))))
    return msgspec.structs.replace(
        known,
        status=CheckpointStatus.RUNNING if running and not finished else status,
        name=called,
        created_at=created_at,
        saved_at=saved_at,
        accounts=accounts or 0,
        markets=markets or 0,
        seed=seed if isinstance(seed, int) else None,
        total_slots=total_slots,
        completed=completed,
        failed=failed,
        skipped=skipped,
        reason=reason,
    )
