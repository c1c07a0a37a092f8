"""Checkpoints: one file per simulation in one folder, to save, list, read, resume and delete.

    <folder>/<id>.sqlite    the simulation (see `checkpoint_schema`)
    <folder>/<id>.lock      who writes it now (see `guard`)
    <folder>/<id>.fix/      the sequence numbers of its sessions, at a venue that speaks FIX

Reading takes no lock and changes nothing. Writing goes through a `CheckpointWriter`, of which there is one at a time.
"""

import contextlib
import os
import re
import secrets
import shutil
import time
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import apsw
import msgspec

from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.checkpoint_beside import reading_beside_writer
from orderbook_tui.engine.checkpoint_file import (
    SUFFIX,
    Foreign,
    explained,
    ordinary,
    reading,
    writes_here,
)
from orderbook_tui.engine.checkpoint_info import CheckpointStatus, SimulationInfo, counted, refused, running_elsewhere
from orderbook_tui.engine.checkpoint_journal import Intent
from orderbook_tui.engine.checkpoint_making import make_anew, make_checkpoint
from orderbook_tui.engine.checkpoint_plan import sync
from orderbook_tui.engine.checkpoint_reader import Checkpoint, missing_records, read_checkpoint
from orderbook_tui.engine.checkpoint_schema import USER_VERSION
from orderbook_tui.engine.checkpoint_upgrade import upgraded
from orderbook_tui.engine.checkpoint_writer import CheckpointWriter
from orderbook_tui.engine.guard import Guard, Holder, holder_of, left_behind, lock_of
from orderbook_tui.engine.progress import Told, part, untold
from orderbook_tui.engine.state_folder import check_place, check_room
from orderbook_tui.errors import (
    CheckpointError,
    CheckpointInUse,
    CheckpointNotFound,
    StorageError,
)

__all__ = [
    "GROUP",
    "Checkpoint",
    "CheckpointStatus",
    "CheckpointWriter",
    "Intent",
    "SimulationInfo",
    "StatePersistence",
]

GROUP: Final = 256
"""How many slots wait for one commit, where not each is saved."""
_READ: Final = 0.95
"""The share of taking a checkpoint up that goes into reading it; the rest counts how its slots ended."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NEW: Final = SUFFIX + "-new"
_NUMBERS: Final = ".fix"


class StatePersistence:
    """The checkpoints of one folder, which is made when the first is saved."""

    def __init__(self, folder: str | Path) -> None:
        # The folder may be reached through a link; what is in it may not be one.
        self.folder = Path(os.path.realpath(folder))
        self._writers: dict[str, CheckpointWriter] = {}
        self._close = weakref.finalize(self, _close_all, self._writers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what `save` keeps open."""
        _close_all(self._writers)

    def save(self, state: SimulationState) -> str:
        """Save what is new in `state`, and return its id; the first time a checkpoint is made, and `state.id` given.

        The checkpoint stays ours until `close`. What this says is saved is on the disk.

        Raises:
            CheckpointInUse: another process has it.
            CheckpointError: there is a checkpoint of that id, of another run.
            StorageError: it cannot be written.
        """
        state.journal_missing()
        writer = self._writers.get(state.id)
        if writer is None:
            writer = self.take_up(state, group=1) if state.id and self._path(state.id).exists() else self.create(state, group=1)
            self._writers[state.id] = writer
        if state.current_slot_index == len(state.slots):
            writer.finish(state.journal)
        else:
            writer.flush(state.journal, barrier=True)
        state.saved_at = writer.saved_at
        return state.id

    def load(self, id: str) -> SimulationState:  # noqa: A002 - what its users call it
        """Return the state that a checkpoint holds. Raises what `read` raises."""
        return self.read(id).replay().state

    def read(self, id: str, *, told: Told = untold) -> Checkpoint:  # noqa: A002
        """Return what a checkpoint holds, also while its run goes on. Nothing is changed. `told` hears how far it is.

        Raises:
            CheckpointNotFound, CheckpointDamaged, CheckpointTooNew, StorageError: the message says which file, and why.
        """
        with self.opened(id) as (path, connection):
            checkpoint = read_checkpoint(connection, path, told)
        return msgspec.structs.replace(checkpoint, notes=self.missing(id, checkpoint.records))

    @contextlib.contextmanager
    def opened(self, id: str) -> Iterator[tuple[Path, apsw.Connection]]:  # noqa: A002
        """Open a checkpoint to read it as it is at one moment, also while its run goes on. Raises what `read` raises."""
        path = self._found(id)
        if writes_here(path):
            with reading_beside_writer(path) as connection:
                yield path, connection
        else:
            with reading(path, in_use_elsewhere=self._runs_elsewhere(path) is not None) as connection:
                yield path, connection

    def missing(self, id: str, records: int) -> tuple[str, ...]:  # noqa: A002
        """Say, where a checkpoint has so many records, which more a process that is gone had reported saved."""
        path = self._path(id)
        if writes_here(path) or self._runs_elsewhere(path) is not None:
            return ()
        return missing_records(records, left_behind(lock_of(path)))

    def list_simulations(self) -> list[SimulationInfo]:
        """Return every checkpoint of the folder, the one saved last first. One that cannot be read says why.

        Raises:
            StorageError: the folder itself cannot be read.
        """
        try:
            paths = [path for path in self.folder.iterdir() if path.suffix == SUFFIX]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageError(f"{self.folder} cannot be listed: {error.strerror}") from None
        described = [info for path in paths for info in self.described(path)]
        return sorted(described, key=lambda info: (info.saved_at, info.id), reverse=True)

    def numbers_folder(self, id: str) -> Path:  # noqa: A002
        """Return where a venue keeps the sequence numbers of a run's sessions; it goes with the checkpoint."""
        return self.folder / f"{id}{_NUMBERS}"

    def is_finished(self, id: str) -> bool:  # noqa: A002
        """Whether a checkpoint is of a run that is done; False also where it cannot be read, as `resume` then says."""
        return any(info.status is CheckpointStatus.FINISHED for info in self.described(self._found(id)))

    def delete(self, id: str) -> None:  # noqa: A002
        """Remove a checkpoint.

        Raises:
            CheckpointNotFound: there is none.
            CheckpointInUse: a process has it.
            CheckpointDamaged: it is something else than a checkpoint, and stays.
            StorageError: the system does not let us.
        """
        path = self._found(id)
        ours = self._writers.pop(id, None)
        if ours is not None:
            ours.close()
        guard = Guard.take(lock_of(path))
        try:
            # A damaged one may go; what is sound and not ours may not.
            try:
                with reading(path, in_use_elsewhere=False):
                    pass
            except Foreign:
                raise
            except CheckpointError:
                pass
            with explained(path):
                # The file first: without it, what is left is nothing.
                for suffix in ("", "-wal", "-shm", "-journal", "-new"):
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
                numbers = self.numbers_folder(id)
                if numbers.is_dir() and not numbers.is_symlink():
                    shutil.rmtree(numbers)
        finally:
            guard.release()

    def create(self, state: SimulationState, *, group: int) -> CheckpointWriter:
        """Make a checkpoint of `state`, giving it an id where it has none, and return its writer.

        `group` is how many slots may wait for one commit; with 1 each slot is saved as it ends.

        Raises:
            CheckpointError: there is one of that id, or the plan does not fit together.
            StorageError: it cannot be written.
        """
        created_at = state.created_at or time.time_ns()
        id = state.id or _new_id(state.plan.name, created_at)  # noqa: A001
        path = self._path(id)
        check_place(self.folder)
        check_room(self.folder, slots=len(state.slots), accounts=len(state.plan.accounts), group=group)
        self._make_folder()
        runs = {slot.run for slot in state.slots} - {""}
        if len(runs) > 1:
            raise CheckpointError("the run cannot be saved: its slots belong to several runs")
        run = runs.pop() if runs else id
        self._sweep()
        guard = Guard.take(lock_of(path))
        try:
            if os.path.lexists(path):
                raise CheckpointError(f"{path} is there already: resume it, delete it, or take another id")
            writer = make_checkpoint(path, guard, state, run=run, created_at=created_at, group=group)
        except BaseException:
            guard.release()
            raise
        for slot in state.slots:
            slot.run = run
        state.id, state.created_at = id, created_at
        return writer

    def write_anew(self, state: SimulationState, lost: CheckpointWriter, *, group: int) -> CheckpointWriter:
        """Write the checkpoint of `state` anew, whose file was removed from under `lost`, and return the writer to go on with.

        Raises:
            CheckpointError: there is another file in its place; nothing has changed.
            StorageError: it cannot be written; nothing has changed.
        """
        self._make_folder()
        return make_anew(state, lost, group=group)

    def resume(
        self,
        id: str,  # noqa: A002
        *,
        group: int,
        told: Told = untold,
    ) -> tuple[Checkpoint, CheckpointWriter]:
        """Take a checkpoint up: read and check all of it, and return it with its writer. `told` hears how far it is.

        One of an earlier format is written anew in today's first.

        Raises:
            CheckpointInUse: a process has it; the message says which, and since when.
            CheckpointNotFound, CheckpointDamaged, CheckpointTooNew, StorageError: as `read`; nothing has changed.
        """
        path = self._found(id)
        check_place(self.folder)
        guard = Guard.take(lock_of(path))
        try:
            with reading(path, in_use_elsewhere=False) as connection:
                checkpoint = read_checkpoint(connection, path, part(told, 0.0, _READ))
            if checkpoint.version < USER_VERSION:
                checkpoint = upgraded(checkpoint, told)
            checkpoint = checkpoint.compared(guard.left)
            writer = CheckpointWriter.open(path, guard, group=group)
            try:
                if writer.written != len(checkpoint.journal):
                    raise CheckpointInUse(f"{path} is being written by another program: close it there and try again")
                guard.describe(
                    name=checkpoint.plan.name,
                    created_at=checkpoint.created_at,
                    total_slots=len(checkpoint.slots),
                    records=checkpoint.records,
                    accounts=len(checkpoint.plan.accounts),
                    markets=len(checkpoint.plan.markets),
                )
                writer.count(checkpoint.journal, part(told, _READ, 1.0))
            except BaseException:
                writer.close()
                raise
        except BaseException:
            # What the last holder left is still to be told to whoever succeeds.
            guard.abandon() if guard.left is not None else guard.release()
            raise
        return checkpoint, writer

    def _path(self, id: str) -> Path:  # noqa: A002
        if _ID.fullmatch(id) is None:
            raise CheckpointNotFound(
                f"{id!r:.100} is no id of a simulation: that is 1 to 64 letters, digits, - and _, with no - or _ in front"
            )
        return self.folder / f"{id}{SUFFIX}"

    def _found(self, id: str) -> Path:  # noqa: A002
        path = self._path(id)
        try:
            wrong = ordinary(path)
        except (FileNotFoundError, NotADirectoryError):
            raise CheckpointNotFound(f"there is no simulation {id} in {self.folder}") from None
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}") from None
        if wrong is not None:
            raise Foreign(f"{path} {wrong}: it is no checkpoint, and was left as it is")
        return path

    def _runs_elsewhere(self, path: Path) -> Holder | None:
        return None if writes_here(path) else holder_of(lock_of(path))

    def take_up(self, state: SimulationState, *, group: int) -> CheckpointWriter:
        """Go on with the checkpoint that `state` was loaded from, and return its writer.

        Raises:
            CheckpointInUse: a process has it.
            CheckpointError: it holds another run, or has gone on since; nothing has changed.
        """
        checkpoint, writer = self.resume(state.id, group=group)
        if checkpoint.plan != state.plan or checkpoint.journal != state.journal[: len(checkpoint.journal)]:
            writer.close()
            raise CheckpointError(f"{checkpoint.path} holds another run, or has gone on since it was loaded: load it again")
        return writer

    def tidy(self, id: str) -> None:  # noqa: A002
        """Fold what a process left beside a checkpoint that died while it finished it, where that can be done."""
        path = self._found(id)
        if left_behind(lock_of(path)) is not None:
            with contextlib.suppress(CheckpointError):
                guard = Guard.take(lock_of(path))
                try:
                    CheckpointWriter.open(path, guard, group=1).close()
                finally:
                    guard.abandon()

    def _make_folder(self) -> None:
        try:
            _make_folder(self.folder)
        except OSError as error:
            raise StorageError(f"{self.folder} cannot be made: {error.strerror}") from None

    def _sweep(self) -> None:
        """Remove what a process left that died while making a checkpoint."""
        with contextlib.suppress(OSError, CheckpointError):
            for lock in self.folder.glob("*.lock"):
                if not lock.with_suffix(SUFFIX).exists() and holder_of(lock) is None:
                    Guard.take(lock).release()
            for making in self.folder.glob(f"*{_NEW}"):
                if holder_of(lock_of(making.with_name(making.name.removesuffix("-new")))) is None:
                    making.unlink(missing_ok=True)

    def described(self, path: Path) -> list[SimulationInfo]:
        """Return the line of the list for a file of the folder; none where it has just gone."""
        try:
            about = path.lstat()
        except FileNotFoundError:
            return []
        except OSError as error:
            status = CheckpointStatus.UNREADABLE
            return [SimulationInfo(id=path.stem, path=path, status=status, reason=f"{path}: {error.strerror}")]
        known = SimulationInfo(
            id=path.stem, path=path, status=CheckpointStatus.FOREIGN, saved_at=about.st_mtime_ns, size=about.st_size
        )
        try:
            self._found(path.stem)
            holder = self._runs_elsewhere(path)
            return [counted(known, running=writes_here(path)) if holder is None else running_elsewhere(known, holder)]
        except CheckpointNotFound:
            reason = f"{path.name!r}: its name is no id of a simulation"
            return [msgspec.structs.replace(known, reason=reason)] if os.path.lexists(path) else []
        except CheckpointError as error:
            return [refused(known, error)]


def _new_id(name: str, created_at: int) -> str:
    """Make an id that tells what and when, and that nobody else has: orders are called by it at venues that others use too."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name[:1000]).strip("-")[:32].rstrip("-") or "simulation"
    when = datetime.fromtimestamp(created_at // 10**9, UTC)
    return f"{slug}-{when:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, on the disk too: no file is there longer than the folders that it is in."""
    made = [each for each in folder.parents if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in (folder, *made):
        # A folder closed to us was not made by us; a killed process may have made the one that is there.
        with contextlib.suppress(PermissionError):
            sync(each.parent, os.O_RDONLY)


def _close_all(writers: dict[str, CheckpointWriter]) -> None:
    while writers:
        writers.popitem()[1].close()
