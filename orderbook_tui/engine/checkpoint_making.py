"""A checkpoint from a run's state: a new one, and one written anew in the place of a file that was lost."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import apsw

from orderbook_tui.core.journal import Balance
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.checkpoint_file import check_ours, explained, journals, opened
from orderbook_tui.engine.checkpoint_journal import Intent
from orderbook_tui.engine.checkpoint_plan import create_file
from orderbook_tui.engine.checkpoint_reader import read_checkpoint
from orderbook_tui.engine.checkpoint_writer import CheckpointWriter
from orderbook_tui.engine.guard import Guard, lock_of
from orderbook_tui.errors import CheckpointError


def make_checkpoint(
    path: Path,
    guard: Guard,
    state: SimulationState,
    *,
    run: str,
    created_at: int,
    group: int,
    intents: Sequence[Intent] = (),
    balances: Sequence[Balance] = (),
) -> CheckpointWriter:
    """Write all of `state` to a new checkpoint at `path`, whose `guard` is held; where that fails, there is none.

    Raises:
        CheckpointError: the plan does not fit together.
        StorageError: it cannot be written.
    """
    create_file(path, state, run, created_at, intents, balances)
    try:
        writer = CheckpointWriter.open(path, guard, group=group)
        try:
            guard.describe(
                name=state.plan.name,
                created_at=created_at,
                total_slots=len(state.slots),
                records=len(state.journal) + len(intents),
                accounts=len(state.plan.accounts),
                markets=len(state.plan.markets),
            )
            if state.journal:
                writer.flush(state.journal, barrier=True)
        except BaseException:
            writer.discard()
            raise
    except BaseException:
        with contextlib.suppress(OSError):  # where the disk still refuses, it stays, as a run that has not begun
            path.unlink()
        raise
    return writer


def _is_of(path: Path, state: SimulationState) -> bool:
    """Whether there is a checkpoint of the same run, that has come less far or as far: all of it is in `state`."""
    try:
        with explained(path), contextlib.closing(opened(path, apsw.SQLITE_OPEN_READONLY)) as connection:
            check_ours(connection, path)
            found = read_checkpoint(connection, path)
    except CheckpointError:
        return False
    return found.plan == state.plan and found.journal == state.journal[: len(found.journal)]


def make_anew(state: SimulationState, lost: CheckpointWriter, *, group: int) -> CheckpointWriter:
    """Write the checkpoint of `state` anew, whose file was removed from under `lost`, and return the writer to go on with.

    Raises:
        CheckpointError: there is something else in its place; nothing has changed.
        StorageError: it cannot be written; nothing has changed.
    """
    path, intents, balances = lost.path, lost.intents(), lost.opening_balances()
    if os.path.lexists(path) and not _is_of(path, state):
        raise CheckpointError(f"{path} is not the file that the run was saved in: move it away, and go on")
    guard = lost.guard if lost.guard.is_in_place else Guard.take(lock_of(path))
    try:
        with explained(path):
            for journal in journals(path):
                journal.unlink(missing_ok=True)
        run = state.slots[0].run if state.slots else state.id
        writer = make_checkpoint(
            path, guard, state, run=run, created_at=state.created_at, group=group, intents=intents, balances=balances
        )
    except BaseException:
        if guard is not lost.guard:
            guard.release()
        raise
    lost.discard()
    if guard is not lost.guard:
        lost.guard.abandon()
    return writer
