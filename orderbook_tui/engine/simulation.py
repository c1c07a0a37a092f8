"""Simulation: one run wired together. The screens, the command line and the tests drive this, and nothing below it.

config -> universe, schedule -> plan --+
checkpoint -> plan, journal -----------+--> state, budgets, settlement, venue --> run --> checkpoint
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.config.ccxt import lists_markets
from orderbook_tui.core.exchange import Exchange
from orderbook_tui.core.invariants import invariants
from orderbook_tui.core.preflight import Preflight
from orderbook_tui.core.replay import Replayed, replay
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import SimulationStats, state_hash
from orderbook_tui.engine.bookkeeper import give_up
from orderbook_tui.engine.connection import Connection, connect
from orderbook_tui.engine.consent import REAL_MONEY, check_code_of, trades_for_real
from orderbook_tui.engine.control import Ending, RunControl
from orderbook_tui.engine.course import Course
from orderbook_tui.engine.decisions import Decider, Question
from orderbook_tui.engine.earlier_life import EarlierLife, look_at, take_up
from orderbook_tui.engine.failed_slots import failed_among, failed_slots
from orderbook_tui.engine.persistence import Checkpoint, StatePersistence
from orderbook_tui.engine.planning import pairs_with, plan_run, preflight_of
from orderbook_tui.engine.progress import Progress
from orderbook_tui.engine.reconciliation import Reconciliation
from orderbook_tui.engine.reconciling import why_not_compared
from orderbook_tui.engine.run import Run, RunStatus
from orderbook_tui.engine.saving import Saving
from orderbook_tui.engine.state_folder import warnings
from orderbook_tui.engine.stopping import StopConditions
from orderbook_tui.engine.trust import CodeCheck, any_code
from orderbook_tui.engine.venue_markets import check_exchange_code
from orderbook_tui.errors import CheckpointError, ConfigError, OrderbookTuiError, Problem

__all__ = ["RunStatus", "Simulation"]


class Simulation:
    """One run: made from a configuration with `create`, or from a checkpoint with `resume`."""

    def __init__(self, config: SimulatorConfig, replayed: Replayed, *, persistence: StatePersistence | None) -> None:
        self.config = config
        self._replayed = replayed
        self.state, self.budgets, self._settlement = replayed
        self._names = {account.id: account.name for account in self.state.plan.accounts}
        self._subscribers: list[Callable[[Simulation], None]] = []
        self._saving = Saving(self.state, self.budgets, config.processor, persistence)
        self._run = Run(config, replayed, self._saving, self._tell)
        self._left: Checkpoint | None = None
        """What an earlier life left, until the venue is connected."""
        self._only_looked_at = False
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
        simulation.notes.extend([*planned.notes, *(warnings(persistence.folder) if persistence is not None else ())])
        simulation._check_code = check_code
        simulation._connect()
        return simulation

    @classmethod
    def look(cls, simulation_id: str, state_dir: Path | str) -> "Simulation":
        """Read a run from its checkpoint, to look at and not to run. Nothing is changed, also while another process runs it.

        Raises:
            CheckpointError: there is no such checkpoint, or it is damaged.
        """
        simulation = cls._after(look_at(StatePersistence(state_dir), simulation_id), None)
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
        earlier = take_up(persistence, simulation_id, progress)
        try:
            simulation = cls._after(earlier, persistence)
            simulation._check_code = check_code
            if earlier.writer is not None:
                simulation.notes.extend(warnings(persistence.folder))
                simulation._connect()
                simulation._saving.keep(earlier.writer)
        except BaseException:
            earlier.let_go()
            raise
        if progress is not None:
            progress("replaying", 1.0)
        return simulation

    @classmethod
    def _after(cls, earlier: EarlierLife, persistence: StatePersistence | None) -> "Simulation":
        simulation = cls(earlier.config, earlier.replayed, persistence=persistence)
        simulation.notes.extend(earlier.checkpoint.notes)
        simulation._left = earlier.checkpoint
        # A run whose slots have all ended is done only once what it left open is cancelled, and that is saved.
        if earlier.checkpoint.finished:
            simulation._run.status = RunStatus.DONE
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
        return self._run.status

    @property
    def question(self) -> Question | None:
        """What waits to be decided."""
        return self._run.question

    @property
    def notes(self) -> list[str]:
        """What whoever runs it should know, in words: markets left out, events that a checkpoint has lost."""
        return self._run.notes

    @property
    def control(self) -> RunControl:
        """The controls: pause, step, stop and the pace of the run."""
        return self._run.control

    @property
    def exchange(self) -> Exchange | None:
        """The exchange, where it is in this process."""
        return self._run.connection.exchange if self._run.connection is not None else None

    @property
    def slots_per_second(self) -> float:
        """The pace of this process until now, while it was running."""
        return self._run.pace.slots_per_second(self.stats.ended_slots)

    @property
    def running_time(self) -> float:
        """Seconds that this process has spent running until now, without pauses and waiting for answers."""
        return self._run.pace.seconds

    @property
    def elapsed(self) -> float:
        """The `running_time`."""
        return self._run.pace.seconds

    @property
    def stopped_by(self) -> str:
        """What made the run pause by itself, in words; empty where nothing did."""
        return self._run.stops.words

    @property
    def stop_conditions(self) -> StopConditions:
        """When the run is to pause by itself; may be set at any time. What has made it pause is off again.

        Raises (when set):
            ScheduleError: the slot is none of this run's, or the run is past it; nothing has changed.
        """
        return self._run.stops.conditions

    @stop_conditions.setter
    def stop_conditions(self, conditions: StopConditions) -> None:
        self._run.stop_at(conditions)

    @property
    def in_flight(self) -> Sequence[int]:
        """The sequences of the slots whose attempt is under way: at most `processor.concurrency`."""
        return self._run.course.in_flight if self._run.course is not None else ()

    @property
    def is_unsaved(self) -> bool:
        """Whether something has happened that is not in the checkpoint yet."""
        return self._saving.is_unsaved

    def account_name(self, account_id: str) -> str:
        """Return what people call an account."""
        return self._names.get(account_id, account_id)

    def selected_slots(self) -> list[ActionSlot]:
        """Return the slots that this run is about: all, or those that `select` chose."""
        chosen = self._run.chosen
        return self.slots if chosen is None else [slot for slot in self.slots if chosen(slot)]

    def failed_slots(self) -> list[int]:
        """Return the sequences of the slots that are Failed, which can be revisited or skipped."""
        return failed_slots(self.state)

    def preflight(self) -> Preflight:
        """Return what a run from the start would be, slot by slot, without placing anything."""
        return preflight_of(self.config, self.state)

    def state_hash(self) -> str:
        """Return the digest of the plan and all that came of it; equal for equal runs."""
        return state_hash(self.state, self.budgets)

    def check_code(self) -> None:
        """Check that the callable which the run needs may be imported, as it is before anything is placed or cancelled.

        Raises:
            CodeNotAllowed: nobody has allowed that.
        """
        check_code_of(self.config, self._check_code)

    @property
    def is_for_real(self) -> bool:
        """Whether orders would be real ones, at an exchange outside its sandbox, and nobody has confirmed that."""
        return trades_for_real(self.config) and not self._may_leave_sandbox

    def leave_sandbox(self) -> None:
        """Confirm that the orders of this run may be real ones. It holds until the program ends."""
        self._may_leave_sandbox = True

    @property
    def reconciliation(self) -> Reconciliation | None:
        """What came of comparing the ledger with the venue, at the last pause or at the end. It is in no checkpoint."""
        return self._run.reconciling.found if self._run.reconciling is not None else None

    @property
    def not_reconciled(self) -> str:
        """Why the ledger was not compared with the venue, in words; empty where it was."""
        return why_not_compared(self._run.reconciling, is_embedded=self.config.venue.kind == "embedded")

    @property
    def can_reconcile(self) -> bool:
        """Whether `reconcile` can be called: the run is paused, at a venue that tells what it has."""
        return self._run.can_reconcile

    @property
    def is_reconciling(self) -> bool:
        """Whether a paused run is being compared with its venue."""
        return self._run.reconciling is not None and self._run.reconciling.is_under_way

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
        self._run.chosen = pairs_with(self.state, markets, accounts)

    async def run(self, decider: Decider | None = None) -> Ending:
        """Run what is Pending, until it is done, somebody decides to quit, or `stop` is called.

        `decider` is asked about slots whose retries are spent; where omitted, it is what the config's
        `processor.on_failure` says: a policy, or the person at the terminal.

        Raises:
            CheckpointError: it was opened to look at, or is going on already.
            StorageError: the checkpoint cannot be written.
        """
        return await self._go_through(Course(self.slots), decider)

    async def revisit(self, decider: Decider | None = None, slots: Collection[int] | None = None, by: str = "person") -> Ending:
        """Run the Failed slots once more, each with all its retries and its partner's unfilled remainder.

        `slots` are the sequences of those to run; all that are Failed, where omitted. They become Pending, and that is saved
        before the first is run, with `by`: a run that is interrupted before the last goes on with them.

        Raises:
            ScheduleError: one of `slots` is not Failed; nothing has changed.
            CheckpointError, StorageError: as `run`.
        """
        chosen = failed_among(self.state, slots, "revisited")
        return await self._go_through(Course(chosen), decider, chosen, by)

    def skip_failed(self, slots: Collection[int] | None = None, by: str = "person") -> None:
        """Give Failed slots up: they are Skipped, and no revisit runs them again. `by` is recorded as who decided that.

        `slots` are the sequences of those to skip; all that are Failed, where omitted.

        Raises:
            ScheduleError: one of `slots` is not Failed; nothing has changed.
            CheckpointError: it was opened to look at, or another process has it; nothing has changed.
            StorageError: the checkpoint cannot be written; that is tried again with the next.
        """
        chosen = failed_among(self.state, slots, "skipped")
        if not chosen:
            return
        self._open_checkpoint()
        for slot in chosen:
            give_up(self.state, self._settlement, slot, by)
        self._run.stops.overlook()
        self._run.save()

    def pause(self) -> None:
        """Hold the run before its next attempt, and save."""
        self._run.pause()

    def go(self) -> None:
        """Let a paused run go on."""
        self._run.go()

    def step(self) -> None:
        """Let a paused run finish one slot."""
        self._run.step()

    def reconcile(self) -> None:
        """Compare the ledger of a paused run with its venue, as soon as nothing is under way; see `reconciliation`."""
        self._run.reconcile()

    def stop(self) -> None:
        """End the run before its next attempt; `run` then returns, and everything is saved."""
        self.control.stop()

    def close(self) -> None:
        """Let go of the checkpoint. A run that was never started leaves none."""
        if self.status is RunStatus.DONE and self.is_unsaved:
            self._run.save()  # a fill came late, and could not be saved then
        self._saving.close()

    # What that takes

    async def _go_through(
        self, course: Course, decider: Decider | None, revisiting: Collection[ActionSlot] = (), by: str = ""
    ) -> Ending:
        if self._run.course is not None:
            raise OrderbookTuiError("the run is going on already")
        if self.is_for_real:
            raise ConfigError([Problem("venue.sandbox", REAL_MONEY)])
        connection = self._connect()
        self._open_checkpoint()
        return await self._run.go_through(course, connection, decider, revisiting, by)

    def _connect(self) -> Connection:
        """Connect with the venue, with the open orders of an earlier life taken up."""
        connection = self._run.connection
        if connection is None:
            self.check_code()
            connection = connect(self.config, self._replayed, self._left, self._saving, self.account_name)
            self._run.use(connection)
            self._left = None
        return connection

    def _open_checkpoint(self) -> None:
        """Have a writer, unless nothing is to be saved."""
        if self._only_looked_at:
            raise CheckpointError(f"{self.id} was opened to look at: resume it to run it")
        self._saving.open()

    def _tell(self) -> None:
        for changed in list(self._subscribers):
            changed(self)
