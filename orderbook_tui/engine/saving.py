"""The checkpoint of a run, as the run sees it: there from its start, in step at every barrier, and mended where it was lost.

Nothing is lost with the file: all of a run is in its state. A file that was removed, or replaced, is written anew from that as
soon as the run goes on, or is let go of.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from orderbook_tui.config.models import Durability, ProcessorSpec
from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.core.journal import Balance
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.checkpoint_writer import BARRIER_S
from orderbook_tui.engine.persistence import GROUP, CheckpointWriter, StatePersistence
from orderbook_tui.errors import CheckpointError


class Saving:
    """Saves `state` in `persistence`; nowhere, where that is None."""

    def __init__(
        self,
        state: SimulationState,
        budgets: Iterable[AccountBudget],
        processing: ProcessorSpec,
        persistence: StatePersistence | None,
    ) -> None:
        self._state, self._budgets, self._processing, self._persistence = state, budgets, processing, persistence
        self.writer: CheckpointWriter | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether the run is saved at all."""
        return self._persistence is not None

    @property
    def is_unsaved(self) -> bool:
        """Whether something has happened that is not in the checkpoint yet."""
        return self.writer is not None and self.writer.written < len(self._state.journal)

    def numbers_folder(self) -> Path | None:
        """Return where a venue keeps the sequence numbers of its sessions; None where nothing is kept."""
        return None if self._persistence is None else self._persistence.numbers_folder(self._state.id)

    def keep(self, writer: CheckpointWriter) -> None:
        """Save with `writer` from here on."""
        self.writer = writer
        writer.group, writer.durability = self._group, self._processing.durability

    def open(self) -> None:
        """Have a checkpoint, with all in it that has happened so far.

        Raises:
            CheckpointInUse: another process has it.
            CheckpointError: there is another run in its place.
            StorageError: it cannot be written.
        """
        if self._persistence is None:
            return
        if self.writer is None:
            take = self._persistence.take_up if self._state.id else self._persistence.create
            self.keep(take(self._state, group=self._group))
        elif self.writer.is_lost:
            self._write_anew()
        if self.is_unsaved:
            self.flush()  # what could not be saved before is saved before more is placed, or nothing is

    def note_opening(self, balances: Sequence[Balance]) -> None:
        """Save what accounts hold at the venue before the first order."""
        if self.writer is not None:
            self.writer.note_balances(balances, self._state.journal)

    def flush(self) -> None:
        """Save everything, on the disk."""
        if self.writer is not None:
            self.writer.flush(self._state.journal, barrier=True)

    def commit(self) -> None:
        """Save everything, so that it survives this process."""
        if self.writer is not None:
            self.writer.flush(self._state.journal, barrier=False)

    def watch(self) -> None:
        """From here on, have on the disk in time what its durability promises, also where no further slot ends for long."""
        if self.writer is not None and self._processing.durability is not Durability.PROCESS:
            self._timer = asyncio.get_running_loop().call_later(BARRIER_S, self._look)

    def unwatch(self) -> None:
        """End what `watch` began."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        with contextlib.suppress(CheckpointError):  # the next slot meets it too, and then the run stops
            if self.writer is not None and self.writer.is_overdue:
                self.flush()
        self.watch()

    def snapshot(self) -> None:
        """Save everything, with the budgets as they are, to be held against the journal when it is next read."""
        if self.writer is not None:
            self.writer.snapshot(self._state.journal, self._budgets)

    def finish(self) -> None:
        """Save everything, and that the run is done."""
        if self.writer is not None:
            self.writer.finish(self._state.journal, self._budgets)

    def close(self) -> None:
        """Save what is left to be saved, and let go of the checkpoint.

        Raises:
            StorageError: not all could be saved; the checkpoint is ours still, and this may be called again.
        """
        if self.writer is None:
            return
        if self.writer.is_lost:
            self._write_anew()
        if self.is_unsaved or self.writer.unsynced:  # a run that was only opened was not saved just now
            self.flush()
        self.writer.close()
        self.writer = None

    def _write_anew(self) -> None:
        assert self.writer is not None
        assert self._persistence is not None
        lost, self.writer = self.writer, None
        try:
            writer = self._persistence.write_anew(self._state, lost, group=self._group)
        except CheckpointError:
            self.writer = lost
            raise
        self.keep(writer)

    @property
    def _group(self) -> int:
        each = self._processing.save_after_each_slot or self._processing.durability is Durability.SLOT
        return 1 if each else GROUP
