"""A run as it goes on: its slots are gone through, watched, paused and saved; its status says what it is doing.

    connected -> what was open before is settled -> slots -> what must not stay open is cancelled -> compared -> saved

It may go through several courses of slots, one after another: those that are Pending, then those that have Failed.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection
from enum import StrEnum

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.core.replay import Replayed
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.bookkeeper import Bookkeeper
from orderbook_tui.engine.connection import Connection
from orderbook_tui.engine.control import Ending, RunControl
from orderbook_tui.engine.course import Course
from orderbook_tui.engine.decisions import Decider, Question
from orderbook_tui.engine.failed_slots import failed_slots
from orderbook_tui.engine.lineup import Lineup
from orderbook_tui.engine.pace import Pace
from orderbook_tui.engine.processing import Chosen, processor_of, run_slots, to_run
from orderbook_tui.engine.reconciling import Reconciling
from orderbook_tui.engine.saving import Saving
from orderbook_tui.engine.stopping import StopConditions, StopWatch
from orderbook_tui.errors import CheckpointError


class RunStatus(StrEnum):
    """What a simulation is doing."""

    READY = "READY"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    WAITING = "WAITING FOR YOU"
    STOPPED = "STOPPED"
    DONE = "DONE"


class Run:
    """Runs the slots of what was `replayed`; `changed` is called whenever `status` or `question` changes."""

    def __init__(self, config: SimulatorConfig, replayed: Replayed, saving: Saving, changed: Callable[[], None]) -> None:
        self._config, self._saving, self._changed = config, saving, changed
        self._state, self._budgets, self._settlement = replayed
        self.control = RunControl(config.processor.slots_per_second)
        self.stops = StopWatch(self._state, self._budgets, self.control, self._stop_here)
        self.pace = Pace()
        self.status = RunStatus.READY
        self.question: Question | None = None
        """What waits to be decided."""
        self.chosen: Chosen | None = None
        """Which of the slots that are Pending are run; None: all."""
        self.notes: list[str] = []
        """What whoever runs it should know, in words."""
        self.course: Course | Lineup | None = None
        """Where the run is, while it is going on."""
        self.connection: Connection | None = None

    def use(self, connection: Connection) -> None:
        """Trade at this venue, and save what it tells by itself."""
        connection.listen(self._heard, lambda: self.control.stopping)
        self.connection = connection

    async def go_through(
        self,
        course: Course,
        connection: Connection,
        decider: Decider | None,
        revisiting: Collection[ActionSlot] = (),
        by: str = "",
    ) -> Ending:
        """Run the slots of a course. Return why that ended, with all of it saved.

        Those that are `revisiting` are Failed, and are to be run once more, as `by` says: whatever else is chosen.

        Raises:
            StorageError: the checkpoint cannot be written.
        """
        spec = self._config.processor
        connection.keep_intents(self._saving.writer, spec.concurrency)
        bookkeeper = self._bookkeeper(connection)
        processor = processor_of(self._config, self.control, bookkeeper, decider)
        chosen = None if revisiting else self.chosen
        slots = self._begin(course, chosen)
        try:
            self._saving.watch()
            await connection.open(self._saving.note_opening, self._note)
            await bookkeeper.close_ended_pairs()
            if revisiting:
                bookkeeper.revisit(revisiting, by)
            results = await run_slots(processor, self.control, slots, chosen, connection.executor.place, spec.concurrency)
            if self._all_ended and spec.cancel_open_orders_at_end:
                await bookkeeper.cancel_everything()
            leaves_orders = self._leaves_orders(connection)
            if leaves_orders:
                results.ending = Ending.STOPPED
            await connection.finish(all_ended=self._all_ended, stopping=results.ending is Ending.STOPPED)
        finally:
            await connection.close()
            self.notes += connection.strays(self.notes)
            self._end()
        self.save()
        if self._all_ended and not leaves_orders:
            self._saving.finish()
            self._become(RunStatus.DONE)
        return results.ending

    def pause(self) -> None:
        """Hold the run before its next attempt, and save."""
        self.control.pause()
        if self.status is RunStatus.RUNNING:
            self._become(RunStatus.PAUSED)
            self.save()

    def go(self) -> None:
        """Let a paused run go on."""
        self.stops.words = ""
        self.control.go()
        if self.status is RunStatus.PAUSED:
            self._become(RunStatus.RUNNING)

    def step(self) -> None:
        """Let a paused run finish one slot."""
        self.stops.words = ""
        self.control.step()
        if self.status is RunStatus.RUNNING:
            self._become(RunStatus.PAUSED)
        elif self.status is RunStatus.PAUSED:
            self.reconcile()

    def stop_at(self, conditions: StopConditions) -> None:
        """Pause for these. Raises as `StopWatch.arm` does."""
        self.stops.arm(conditions, self.next_sequence)

    def reconcile(self) -> None:
        """Compare the ledger of a paused run with its venue, as soon as nothing is under way."""
        if self.can_reconcile and self.reconciling is not None:
            self.reconciling.begin()

    @property
    def reconciling(self) -> Reconciling | None:
        """What compares; None before the run is connected, and at a venue in this process."""
        return self.connection.reconciling if self.connection is not None else None

    @property
    def can_reconcile(self) -> bool:
        """Whether the run is paused, at a venue that tells what it has."""
        paused = self.status is RunStatus.PAUSED and self.course is not None
        return paused and self.reconciling is not None and self.reconciling.can

    @property
    def next_sequence(self) -> int:
        """The first slot that the run could still start with, or go on to."""
        if self.course is not None:
            return self.course.next_sequence
        return min([self._state.current_slot_index, *failed_slots(self._state)[:1]])

    def save(self) -> None:
        """Save everything, with the budgets as they are, to be held against the journal when it is next read."""
        if self.status is RunStatus.DONE:
            self._saving.finish()
        elif self.course is not None and self.course.is_placing:
            self._saving.flush()  # what is locked for an order that is under way is in no journal yet
        else:
            self._saving.snapshot()

    def _bookkeeper(self, connection: Connection) -> Bookkeeper:
        return Bookkeeper(
            self._state,
            self._budgets,
            self._settlement,
            connection.executor,
            self._saving.writer,
            asked=self._ask,
            failed=self.stops.attempt_failed,
            at_once=self._config.processor.concurrency,
        )

    def _begin(self, course: Course, chosen: Chosen | None) -> Course | Lineup:
        """Go through a course from here on; return it, lined up where several slots may be under way at once."""
        self.control.begin()
        slots: Course | Lineup = course
        most = self._config.processor.concurrency
        if most > 1:
            slots = Lineup(to_run(course, chosen), self._state.slots, most)
            self.stops.is_to_come = slots.is_to_come
        self.course = slots
        self._become(self._going_on)
        return slots

    def _end(self) -> None:
        """The course is gone through, or given up."""
        self._saving.unwatch()
        self.course = None
        self.control.end()
        self.stops.run_ended()
        self._become(RunStatus.STOPPED)

    def _leaves_orders(self, connection: Connection) -> bool:
        """Whether the run was stopped while what it left open was being taken back: that goes on when the run does."""
        if not (self.control.stopping and self._all_ended and connection.can_cancel_later):
            return False
        return self._config.processor.cancel_open_orders_at_end and bool(self._state.open_slots())

    @property
    def _all_ended(self) -> bool:
        return not self._state.stats.pending_slots

    @property
    def _going_on(self) -> RunStatus:
        return RunStatus.PAUSED if self.control.paused else RunStatus.RUNNING

    def _note(self, words: str) -> None:
        """Have whoever runs it know something, once."""
        if words not in self.notes:
            self.notes.append(words)

    def _ask(self, question: Question | None) -> None:
        """Note what waits to be decided, or (None) that nothing does."""
        self.question = question
        self._become(self._going_on if question is None else RunStatus.WAITING)

    def _stop_here(self) -> None:
        """Pause, for what one of the stop conditions says."""
        self.control.pause()
        if self.status is not RunStatus.WAITING:
            self._become(RunStatus.PAUSED)
        self.save()

    def _heard(self) -> None:
        """Save a fill that came by itself, unless whoever waits for it in a run does so first."""
        if self.course is None:
            self._save_late()
        else:
            asyncio.get_running_loop().call_soon(self._save_late)

    def _save_late(self) -> None:
        """Save a fill that came after its order was accepted. Where that fails, it is saved with what comes next."""
        with contextlib.suppress(CheckpointError):
            if self.status is RunStatus.DONE:
                self._saving.finish()  # it makes no run of it that is not done
            else:
                self._saving.commit()

    def _become(self, status: RunStatus) -> None:
        self.status = status
        if self.reconciling is not None:
            if status is RunStatus.PAUSED and self.course is not None:
                self.reconciling.begin()
            else:
                self.reconciling.end()
        self.pace.note(running=status is RunStatus.RUNNING, ended=self._state.stats.ended_slots)
        self._changed()
