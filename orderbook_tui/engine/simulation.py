"""Simulation: one run wired together. The screens, the command line and the tests drive this, and nothing below it.

config -> universe, schedule -> plan --+
checkpoint -> plan, journal -----------+--> state, budgets, settlement, venue --> processor --> checkpoint
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import uuid4

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.config.ccxt import lists_markets
from orderbook_tui.core.book import SelfTradePrevention
from orderbook_tui.core.exchange import Exchange
from orderbook_tui.core.invariants import invariants
from orderbook_tui.core.journal import Balance
from orderbook_tui.core.preflight import Preflight, preflight
from orderbook_tui.core.replay import Replayed, replay
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import SimulationStats, state_hash
from orderbook_tui.engine.bookkeeper import Bookkeeper, give_up
from orderbook_tui.engine.control import Ending, RunControl
from orderbook_tui.engine.course import Course
from orderbook_tui.engine.decisions import Decider, Question, decider_for
from orderbook_tui.engine.elsewhere import Elsewhere
from orderbook_tui.engine.executor import SlotExecutor
from orderbook_tui.engine.lineup import Lineup
from orderbook_tui.engine.pace import Pace
from orderbook_tui.engine.parallel import ParallelProcessor
from orderbook_tui.engine.persistence import Checkpoint, StatePersistence
from orderbook_tui.engine.placing import window_of
from orderbook_tui.engine.planning import pairs_with, plan_run
from orderbook_tui.engine.processor import SlotProcessor
from orderbook_tui.engine.progress import Progress, Told, naming, part, untold
from orderbook_tui.engine.reconciliation import Reconciliation
from orderbook_tui.engine.reconciling import Reconciling
from orderbook_tui.engine.recovery import recover
from orderbook_tui.engine.retry import Backoff
from orderbook_tui.engine.saving import Saving
from orderbook_tui.engine.state_folder import warnings
from orderbook_tui.engine.stopping import StopConditions, StopWatch
from orderbook_tui.engine.trust import CodeCheck, any_code
from orderbook_tui.engine.venue_markets import check_exchange_code
from orderbook_tui.engine.wiring import open_venue
from orderbook_tui.errors import CheckpointError, ConfigError, OrderbookTuiError, OrderError, Problem, ScheduleError

REAL_MONEY: Final = "is false: orders would be real, with real money, and nobody has confirmed that"
_MOST_STRAYS_NOTED: Final = 20
_READ: Final = 0.6
"""The share of resuming a run that goes into reading its checkpoint; the rest replays it."""


class RunStatus(StrEnum):
    """What a simulation is doing."""

    READY = "READY"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    WAITING = "WAITING FOR YOU"
    STOPPED = "STOPPED"
    DONE = "DONE"


class Simulation:
    """One run: made from a configuration with `create`, or from a checkpoint with `resume`."""

    def __init__(self, config: SimulatorConfig, replayed: Replayed, *, persistence: StatePersistence | None) -> None:
        self.config = config
        self.state, self.budgets, self._settlement = replayed
        self.control = RunControl(config.processor.slots_per_second)
        self.question: Question | None = None
        """What waits to be decided."""
        self._names = {account.id: account.name for account in self.state.plan.accounts}
        self.stopped_by = ""
        """What made the run pause by itself, in words; empty where nothing did."""
        self._stops = StopWatch(self.state, self.budgets, self.control, self._stop_here)
        self._pace = Pace()
        self._status = RunStatus.READY
        self._subscribers: list[Callable[[Simulation], None]] = []
        self._selected: Callable[[ActionSlot], bool] | None = None
        self._course: Course | Lineup | None = None
        """Where the run is, while it is going on."""
        self.notes: list[str] = []
        """What whoever runs it should know, in words: markets left out, events that a checkpoint has lost."""
        self.exchange: Exchange | None = None
        """The exchange, where it is in this process."""
        self._executor: SlotExecutor | None = None
        self._reconciling: Reconciling | None = None
        self._saving = Saving(self.state, self.budgets, config.processor, persistence)
        self._only_looked_at = False
        self._left: Checkpoint | None = None
        """What an earlier life left, until the venue is open."""
        self._check_code: CodeCheck = any_code
        self._may_leave_sandbox = False

    @classmethod
    def create(
        cls,
        config: SimulatorConfig,
        *,
        folder: Path = Path(),
        state_dir: Path | str | None = None,
        save: bool = True,
        slots: list[ActionSlot] | None = None,
        check_code: CodeCheck = any_code,
    ) -> "Simulation":
        """Plan a run. Nothing is written before it starts.

        `folder` is where the config's relative paths begin, `state_dir` where the checkpoint goes (as the config says,
        where omitted; nowhere with `save=False`), `slots` a schedule to run in place of the configured one. `check_code` is
        asked before a callable of the user's is imported (see `trust`).

        Raises:
            ConfigError: the configuration cannot be carried out; every problem at once.
            CodeNotAllowed: what `check_code` says.
        """
        if lists_markets(config.venue):
            check_exchange_code(config, check_code)  # planning asks the exchange
        planned = plan_run(config, folder, slots)
        persistence = StatePersistence(state_dir or config.state_dir) if save else None
        simulation = cls(config, replay(planned.plan, planned.slots), persistence=persistence)
        simulation.notes = [*planned.notes, *(warnings(persistence.folder) if persistence is not None else ())]
        simulation._check_code = check_code
        simulation._connect()
        return simulation

    @classmethod
    def look(cls, simulation_id: str, state_dir: Path | str) -> "Simulation":
        """Read a run from its checkpoint, to look at and not to run. Nothing is changed, also while another process runs it.

        Raises:
            CheckpointError: there is no such checkpoint, or it is damaged.
        """
        simulation = cls._restored(StatePersistence(state_dir).read(simulation_id), None)
        simulation._only_looked_at = True
        return simulation

    @classmethod
    def resume(
        cls,
        simulation_id: str,
        state_dir: Path | str,
        *,
        progress: Progress | None = None,
        check_code: CodeCheck = any_code,
    ) -> "Simulation":
        """Take up a run where its checkpoint left it. One that is done is only read.

        `progress` is called now and then, on the thread that resumes, with what is being done in a word and the share
        done of the whole, from 0.0 to 1.0. `check_code` is as in `create`; of a run that is done, it is asked before its slots
        are revisited.

        Raises:
            CheckpointError: there is no such checkpoint, it is damaged, or another process runs it.
            ConfigError: what it was made from can no longer be carried out.
        """
        persistence = StatePersistence(state_dir)
        reading, finished = part(naming(progress, "reading"), 0.0, _READ), part(naming(progress, "replaying"), _READ, 1.0)
        replaying = part(finished, 0.0, 0.9)
        reading(0.0)
        if persistence.is_finished(simulation_id):
            persistence.tidy(simulation_id)
            simulation = cls._restored(persistence.read(simulation_id, told=reading), persistence, replaying)
            simulation._check_code = check_code
            finished(1.0)
            return simulation
        checkpoint, writer = persistence.resume(simulation_id, group=1, told=reading)
        try:
            simulation = cls._restored(checkpoint, persistence, replaying)
            simulation.notes += warnings(persistence.folder)
            simulation._check_code = check_code
            simulation._connect()
        except BaseException:
            writer.close()
            raise
        simulation._saving.keep(writer)
        finished(1.0)
        return simulation

    @classmethod
    def _restored(cls, checkpoint: Checkpoint, persistence: StatePersistence | None, told: Told = untold) -> "Simulation":
        config = checkpoint.settings()
        simulation = cls(config, checkpoint.replay(told), persistence=persistence)
        simulation.notes = list(checkpoint.notes)
        for sequence, (attempt, generation) in checkpoint.generations.items():
            simulation.slots[sequence].recall_generation(attempt, generation)
        simulation._left = checkpoint
        # A run whose slots have all ended is done only once what it left open is cancelled, and that is saved.
        if checkpoint.finished:
            simulation._status = RunStatus.DONE
        return simulation

    # What it is

    @property
    def id(self) -> str:
        """The checkpoint's id; empty until the run has started."""
        return self.state.id

    @property
    def name(self) -> str:
        return self.state.plan.name

    @property
    def slots(self) -> list[ActionSlot]:
        return self.state.slots

    @property
    def stats(self) -> SimulationStats:
        return self.state.stats

    @property
    def status(self) -> RunStatus:
        return self._status

    @property
    def slots_per_second(self) -> float:
        """The pace of this process until now, while it was running."""
        return self._pace.slots_per_second(self.stats.ended_slots)

    @property
    def running_time(self) -> float:
        """Seconds that this process has spent running until now, without pauses and waiting for answers."""
        return self._pace.seconds

    @property
    def elapsed(self) -> float:
        """The `running_time`."""
        return self._pace.seconds

    @property
    def stop_conditions(self) -> StopConditions:
        """When the run is to pause by itself; may be set at any time. What has made it pause is off again.

        Raises (when set):
            ScheduleError: the slot is none of this run's, or the run is past it; nothing has changed.
        """
        return self._stops.conditions

    @stop_conditions.setter
    def stop_conditions(self, conditions: StopConditions) -> None:
        self._stops.arm(conditions, self._next_sequence())

    @property
    def in_flight(self) -> Sequence[int]:
        """The sequences of the slots whose attempt is under way: at most `processor.concurrency`."""
        return self._course.in_flight if self._course is not None else ()

    @property
    def is_unsaved(self) -> bool:
        """Whether something has happened that is not in the checkpoint yet."""
        return self._saving.is_unsaved

    def account_name(self, account_id: str) -> str:
        """Return what people call an account."""
        return self._names.get(account_id, account_id)

    def selected_slots(self) -> list[ActionSlot]:
        """Return the slots that this run is about: all, or those that `select` chose."""
        chosen = self._selected
        return self.slots if chosen is None else [slot for slot in self.slots if chosen(slot)]

    def failed_slots(self) -> list[int]:
        """Return the sequences of the slots that are Failed, which can be revisited or skipped."""
        failed = (slot.sequence for slot in self.slots if slot.state is SlotState.FAILED)
        return list(islice(failed, self.stats.failed_slots))

    def preflight(self) -> Preflight:
        """Return what a run from the start would be, slot by slot, without placing anything."""
        fresh = [
            ActionSlot(slot.sequence, slot.account_id, slot.action, slot.max_retries, slot.max_retries + 1)
            for slot in self.slots
        ]
        venue = self.config.venue
        prevention = venue.self_trade_prevention if venue.kind == "embedded" else SelfTradePrevention.CANCEL_NEWEST
        return preflight(self.state.plan, fresh, prevention)

    def state_hash(self) -> str:
        """Return the digest of the plan and all that came of it; equal for equal runs."""
        return state_hash(self.state, self.budgets)

    def check_code(self) -> None:
        """Check that the callable which the run needs may be imported, as it is before anything is placed or cancelled.

        Raises:
            CodeNotAllowed: nobody has allowed that.
        """
        venue = self.config.venue
        if venue.kind == "python":
            self._check_code(venue.target)
        elif venue.kind == "ccxt" and ":" in venue.exchange:
            self._check_code(venue.exchange)

    @property
    def is_for_real(self) -> bool:
        """Whether orders would be real ones, at an exchange outside its sandbox, and nobody has confirmed that."""
        venue = self.config.venue
        return venue.kind == "ccxt" and not venue.sandbox and not self._may_leave_sandbox

    def leave_sandbox(self) -> None:
        """Confirm that the orders of this run may be real ones. It holds until the program ends."""
        self._may_leave_sandbox = True

    @property
    def reconciliation(self) -> Reconciliation | None:
        """What came of comparing the ledger with the venue, at the last pause or at the end. It is in no checkpoint."""
        return self._reconciling.found if self._reconciling is not None else None

    @property
    def not_reconciled(self) -> str:
        """Why the ledger was not compared with the venue, in words; empty where it was."""
        if self.reconciliation is not None:
            return self.reconciliation.failed
        if self._reconciling is not None and not self._reconciling.can:
            return "the venue tells neither which orders are open nor what accounts hold"
        if self.config.venue.kind == "embedded":
            return "the exchange is in this process: its books are the run's own"
        return "the venue is asked at a pause and at the end of a run, and what it says is not saved"

    @property
    def can_reconcile(self) -> bool:
        """Whether `reconcile` can be called: the run is paused, at a venue that tells what it has."""
        paused = self._status is RunStatus.PAUSED and self._course is not None
        return paused and self._reconciling is not None and self._reconciling.can

    @property
    def is_reconciling(self) -> bool:
        """Whether a paused run is being compared with its venue."""
        return self._reconciling is not None and self._reconciling.is_under_way

    def invariants(self) -> dict[str, bool]:
        """Check what must be true of a run at any moment; return each rule's name and whether it holds."""
        return invariants(self.state, self.budgets, self._settlement, self.exchange)

    # What one may do with it

    def subscribe(self, changed: Callable[["Simulation"], None]) -> Callable[[], None]:
        """Have `changed` called whenever `status` or `question` changes; call what comes back to end that."""
        self._subscribers.append(changed)
        return lambda: self._subscribers.remove(changed)

    def select(self, markets: Collection[str] = (), accounts: Collection[str] = ()) -> None:
        """Run only the pairs on one of `markets`, and with one of `accounts` (ids or names); the rest stays Pending.

        Raises:
            ConfigError: a name that is none of the run's.
        """
        self._selected = pairs_with(self.state, markets, accounts)

    async def run(self, decider: Decider | None = None) -> Ending:
        """Run what is Pending, until it is done, somebody decides to quit, or `stop` is called.

        `decider` is asked about slots whose retries are spent; where omitted, it is what the config's
        `processor.on_failure` says: a policy, or the person at the terminal.

        Raises:
            CheckpointError: it was opened to look at, or is going on already.
            StorageError: the checkpoint cannot be written.
        """
        return await self._run(Course(self.slots, SlotState.PENDING), decider)

    async def revisit(self, decider: Decider | None = None, slots: Collection[int] | None = None) -> Ending:
        """Run the Failed slots once more, each with all its retries and its partner's unfilled remainder.

        `slots` are the sequences of those to run; all that are Failed, where omitted.

        Raises:
            ScheduleError: one of `slots` is not Failed; nothing has changed.
            CheckpointError, StorageError: as `run`.
        """
        chosen = self._failed_among(slots, "revisited")
        return await self._run(Course(chosen, SlotState.FAILED), decider, {slot.sequence for slot in chosen})

    def skip_failed(self, slots: Collection[int] | None = None, by: str = "person") -> None:
        """Give Failed slots up: they are Skipped, and no revisit runs them again. `by` is recorded as who decided that.

        `slots` are the sequences of those to skip; all that are Failed, where omitted.

        Raises:
            ScheduleError: one of `slots` is not Failed; nothing has changed.
            CheckpointError: it was opened to look at, or another process has it; nothing has changed.
            StorageError: the checkpoint cannot be written; that is tried again with the next.
        """
        chosen = self._failed_among(slots, "skipped")
        if not chosen:
            return
        if self._executor is None:
            self.check_code()
        self._open_checkpoint()
        for slot in chosen:
            # At a venue outside this process, what is left of the pair is taken back when the run goes on.
            if give_up(self.state, self._settlement, slot, by) and self._connect().elsewhere is None:
                self._connect().close_pair(slot)
        self._stops.overlook()
        if self._status is RunStatus.DONE:
            self._saving.finish()
        else:
            self._note_budgets()

    def pause(self) -> None:
        """Hold the run before its next attempt, and save."""
        self.control.pause()
        if self._status is RunStatus.RUNNING:
            self._become(RunStatus.PAUSED)
            self._note_budgets()

    def go(self) -> None:
        """Let a paused run go on."""
        self.stopped_by = ""
        self.control.go()
        if self._status is RunStatus.PAUSED:
            self._become(RunStatus.RUNNING)

    def step(self) -> None:
        """Let a paused run finish one slot."""
        self.stopped_by = ""
        self.control.step()
        if self._status is RunStatus.RUNNING:
            self._become(RunStatus.PAUSED)
        elif self._status is RunStatus.PAUSED:
            self.reconcile()

    def reconcile(self) -> None:
        """Compare the ledger of a paused run with its venue, as soon as nothing is under way; see `reconciliation`."""
        if self.can_reconcile and self._reconciling is not None:
            self._reconciling.begin()

    def stop(self) -> None:
        """End the run before its next attempt; `run` then returns, and everything is saved."""
        self.control.stop()

    def close(self) -> None:
        """Let go of the checkpoint. A run that was never started leaves none."""
        if self._status is RunStatus.DONE and self.is_unsaved:
            self._saving.finish()  # a fill came late, and could not be saved then
        self._saving.close()

    # How it runs

    async def _run(self, course: Course, decider: Decider | None, revisiting: Collection[int] = ()) -> Ending:
        if self._course is not None:
            raise OrderbookTuiError("the run is going on already")
        if self.is_for_real:
            raise ConfigError([Problem("venue.sandbox", REAL_MONEY)])
        executor = self._connect()
        self._open_checkpoint()
        elsewhere = executor.elsewhere
        if self._saving.writer is not None and elsewhere is not None:
            elsewhere.placing.keep_intents(self._saving.writer, window_of(self.config.processor.concurrency))
        bookkeeper = Bookkeeper(
            self.state,
            self.budgets,
            self._settlement,
            executor,
            self._saving.writer,
            revisiting=revisiting,
            asked=self._ask,
            failed=self._stops.attempt_failed,
            at_once=self.config.processor.concurrency,
        )
        processing, chosen = self.config.processor, self._selected
        processor = SlotProcessor(
            backoff=Backoff(processing.retry_base_delay_ms, processing.max_delay_ms, processing.jitter, self.config.seed),
            decider=decider or decider_for(processing.on_failure.value),
            control=self.control,
            observer=bookkeeper,
            failures=OrderError,
        )
        self.control.begin()
        lineup = self._lined_up(course) if processing.concurrency > 1 else None
        self._course = lineup or course
        self._become(RunStatus.PAUSED if self.control.paused else RunStatus.RUNNING)
        try:
            self._saving.watch()
            if elsewhere is not None:
                await self._take_up(elsewhere, bookkeeper)
            if lineup is not None:
                workers = ParallelProcessor(processor, self.control, lineup, processing.concurrency)
                results = await workers.process(bookkeeper.place_revisited if revisiting else executor.place)
            elif revisiting:
                results = await processor.revisit(course, bookkeeper.place_revisited)
            else:
                results = await processor.process_slots(filter(chosen, course) if chosen else course, executor.place)
            if revisiting:
                self.state.update_stats()
            await bookkeeper.tidy(everything=self._all_ended() and processing.cancel_open_orders_at_end)
            leaves_orders = self._leaves_orders(elsewhere)
            if leaves_orders:
                results.ending = Ending.STOPPED
            if elsewhere is not None and self._reconciling is not None:
                elsewhere.placing.withdraw()
                if self._all_ended():
                    await elsewhere.hear_the_last()
                await self._reconciling.ended()
                await self._reconciling.at_the_end(stopping=results.ending is Ending.STOPPED)
        finally:
            if elsewhere is not None and self._reconciling is not None:
                await self._reconciling.ended()
                await elsewhere.close()
                self._note_strays(elsewhere)
            self._saving.unwatch()
            self._course = self._stops.is_to_come = None
            self.control.end()
            if self.stopped_by:
                # What made this run pause holds no later one up.
                self.stopped_by = ""
                self.control.go()
            if revisiting:
                self.state.update_stats()
            self._become(RunStatus.STOPPED)
        self._note_budgets()
        if self._all_ended() and not leaves_orders:
            self._saving.finish()
            self._become(RunStatus.DONE)
        return results.ending

    def _leaves_orders(self, elsewhere: Elsewhere | None) -> bool:
        """Whether the run was stopped while what it left open was being taken back: that goes on when the run does."""
        if elsewhere is None or not (self.control.stopping and self._all_ended()):
            return False
        wanted = self.config.processor.cancel_open_orders_at_end and elsewhere.capabilities.cancel
        return wanted and bool(self.state.open_slots())

    def _note_strays(self, elsewhere: Elsewhere) -> None:
        """Have whoever runs it know what the venue told and what could not be settled."""
        new = [words for words in elsewhere.strays if words not in self.notes]
        self.notes += new[:_MOST_STRAYS_NOTED]
        if len(new) > _MOST_STRAYS_NOTED:
            self.notes.append(f"the venue told {len(new) - _MOST_STRAYS_NOTED} more things that could not be settled")

    def _lined_up(self, course: Course) -> Lineup:
        """Have the slots of a course run several at a time."""
        chosen, most = self._selected, self.config.processor.concurrency
        filtered = chosen is not None and course.wanted is SlotState.PENDING
        lineup = Lineup(filter(chosen, course) if filtered else course, course.wanted, self.slots, most)
        self._stops.is_to_come = lineup.is_to_come
        return lineup

    async def _take_up(self, elsewhere: Elsewhere, bookkeeper: Bookkeeper) -> None:
        """Connect, and settle and cancel what an earlier life left at the venue."""
        await elsewhere.open()
        if self._reconciling is not None:
            note = await self._reconciling.open(self._note_opening)
            self.notes += [note] if note and note not in self.notes else []
        unknown = await elsewhere.catch_up()
        if unknown:
            self.notes.append(f"the venue does not say what became of {unknown} orders that were open when the run ended")
        await bookkeeper.close_ended_pairs()

    def _ask(self, question: Question | None) -> None:
        """Note what waits to be decided, or (None) that nothing does."""
        self.question = question
        running = RunStatus.PAUSED if self.control.paused else RunStatus.RUNNING
        self._become(running if question is None else RunStatus.WAITING)

    def _stop_here(self, words: str) -> None:
        """Pause, for what one of the stop conditions says."""
        self.stopped_by = f"{self.stopped_by}; {words}" if self.stopped_by else words
        self.control.pause()
        if self._status is not RunStatus.WAITING:
            self._become(RunStatus.PAUSED)
        self._note_budgets()

    def _next_sequence(self) -> int:
        """Return the first slot that a run could still start with, or go on to."""
        if self._course is not None:
            return self._course.next_sequence
        return min([self.state.current_slot_index, *self.failed_slots()[:1]])

    def _failed_among(self, slots: Collection[int] | None, become: str) -> list[ActionSlot]:
        """Return those of the Failed slots that are meant, in order, to become what `become` says."""
        sequences = self.failed_slots() if slots is None else sorted(set(slots))
        for sequence in sequences:
            if not 0 <= sequence < len(self.slots):
                raise ScheduleError(f"there is no slot {sequence}: the schedule goes from slot 0 to slot {len(self.slots) - 1}")
            if self.slots[sequence].state is not SlotState.FAILED:
                state = self.slots[sequence].state.value
                raise ScheduleError(f"slot {sequence} is {state}: only one that is Failed can be {become}")
        return [self.slots[sequence] for sequence in sequences]

    def _all_ended(self) -> bool:
        return not self.stats.pending_slots

    def _connect(self) -> SlotExecutor:
        """Open the venue, with the open orders of an earlier life taken up."""
        if self._executor is None:
            self.check_code()
            venue, self.exchange = open_venue(self.config, self.state, self._saving.numbers_folder)
            self._executor = SlotExecutor(self.state, self._settlement, venue)
            elsewhere = self._executor.elsewhere
            if elsewhere is not None:
                elsewhere.is_stopping = lambda: self.control.stopping
                elsewhere.heard = self._heard
                if not self._saving.is_wanted:
                    self._name_orders()
                opening = self._left.opening_balances if self._left is not None else ()
                self._reconciling = Reconciling(
                    self.state, self.budgets, self._settlement, elsewhere, self.account_name, opening
                )
                if self._left is not None:
                    most = self.config.processor.concurrency
                    recover(self._left, self.state, self._settlement, elsewhere.placing, most)
            self._left = None
        return self._executor

    def _name_orders(self) -> None:
        """A run that is saved nowhere has no id, and its orders must not be taken for those of another such run."""
        name = f"unsaved-{uuid4().hex[:12]}"
        for slot in self.slots:
            slot.run = slot.run or name

    def _open_checkpoint(self) -> None:
        """Have a writer, unless nothing is to be saved."""
        if self._only_looked_at:
            raise CheckpointError(f"{self.id} was opened to look at: resume it to run it")
        self._saving.open()

    def _heard(self) -> None:
        """Save a fill that came by itself, unless whoever waits for it in a run does so first."""
        if self._course is None:
            self._save_late()
        else:
            asyncio.get_running_loop().call_soon(self._save_late)

    def _save_late(self) -> None:
        """Save a fill that came after its order was accepted. Where that fails, it is saved with what comes next."""
        with contextlib.suppress(CheckpointError):
            if self._status is RunStatus.DONE:
                self._saving.finish()  # it makes no run of it that is not done
            else:
                self._saving.commit()

    def _note_opening(self, balances: list[Balance]) -> None:
        """Save what accounts hold at the venue before the first order."""
        if self._saving.writer is not None:
            self._saving.writer.note_balances(balances, self.state.journal)

    def _note_budgets(self) -> None:
        """Save everything, with the budgets as they are, to be held against the journal when it is next read."""
        if self._course is not None and self._course.is_placing:
            self._saving.flush()  # what is locked for an order that is under way is in no journal yet
        else:
            self._saving.snapshot()

    def _become(self, status: RunStatus) -> None:
        self._status = status
        if self._reconciling is not None:
            if status is RunStatus.PAUSED and self._course is not None:
                self._reconciling.begin()
            else:
                self._reconciling.end()
        self._pace.note(running=status is RunStatus.RUNNING, ended=self.stats.ended_slots)
        for changed in list(self._subscribers):
            changed(self)
