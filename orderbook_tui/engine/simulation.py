"""Simulation: one run wired together. The screens, the command line and the tests drive this, and nothing below it.

config -> universe, schedule -> plan --+
checkpoint -> plan, journal -----------+--> state, budgets, settlement, venue --> processor --> checkpoint
"""

import time
from collections.abc import Callable, Collection, Iterable
from enum import StrEnum
from pathlib import Path

from orderbook_tui.config import SimulatorConfig, scheduler_config, universe
from orderbook_tui.core.book import SelfTradePrevention
from orderbook_tui.core.exchange import Exchange
from orderbook_tui.core.invariants import invariants
from orderbook_tui.core.preflight import Preflight, preflight
from orderbook_tui.core.replay import Replayed, replay
from orderbook_tui.core.scheduler import SlotScheduler
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import Plan, SimulationStats, state_hash
from orderbook_tui.engine.bookkeeper import Bookkeeper
from orderbook_tui.engine.control import Ending, RunControl
from orderbook_tui.engine.decisions import Decider, Question, decider_for
from orderbook_tui.engine.executor import SlotExecutor
from orderbook_tui.engine.persistence import GROUP, Checkpoint, CheckpointWriter, StatePersistence
from orderbook_tui.engine.processor import SlotProcessor
from orderbook_tui.engine.retry import Backoff
from orderbook_tui.engine.wiring import fee_schedule, open_venue
from orderbook_tui.errors import CheckpointError, ConfigError, OrderError, Problem, ScheduleError


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
        self.elapsed = 0.0
        """Seconds that this process has spent running."""
        self._ended_before = self.stats.ended_slots
        self._status = RunStatus.READY
        self._subscribers: list[Callable[[Simulation], None]] = []
        self._selected: Callable[[ActionSlot], bool] | None = None
        self._started: float | None = None
        self.notes: list[str] = []
        """What whoever runs it should know, in words: markets left out, events that a checkpoint has lost."""
        self.exchange: Exchange | None = None
        """The exchange, where it is in this process."""
        self._executor: SlotExecutor | None = None
        self._persistence = persistence
        self._writer: CheckpointWriter | None = None
        self._only_looked_at = False

    @classmethod
    def create(
        cls,
        config: SimulatorConfig,
        *,
        folder: Path = Path(),
        state_dir: Path | str | None = None,
        save: bool = True,
        slots: list[ActionSlot] | None = None,
    ) -> "Simulation":
        """Plan a run. Nothing is written before it starts.

        `folder` is where the config's relative paths begin, `state_dir` where the checkpoint goes (as the config says,
        where omitted; nowhere with `save=False`), `slots` a schedule to run in place of the configured one.

        Raises:
            ConfigError: the configuration cannot be carried out; every problem at once.
        """
        described = universe(config, folder)
        given = slots
        try:
            if slots is None:
                scheduler = SlotScheduler(scheduler_config(config, described.accounts))
                slots = scheduler.generate_schedule(described.accounts, described.markets)
        except ScheduleError as error:
            raise ConfigError([Problem("scheduler", str(error))]) from error
        plan = Plan(
            name=config.name,
            config=config.model_dump_json(),
            accounts=tuple(described.accounts),
            markets=tuple(described.markets),
            assets=tuple(described.assets.values()),
            budgets=described.budgets,
            fees=fee_schedule(config),
        )
        if given is not None:
            try:
                plan.check_slots(given)
            except ScheduleError as error:
                raise ConfigError([Problem("slots", str(error))]) from error
        persistence = StatePersistence(state_dir or config.state_dir) if save else None
        simulation = cls(config, replay(plan, slots), persistence=persistence)
        simulation.notes = [f"{market.symbol} is {market.status}: it gets no slots" for market in described.left_out]
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
    def resume(cls, simulation_id: str, state_dir: Path | str) -> "Simulation":
        """Take up a run where its checkpoint left it. One that is done is only read.

        Raises:
            CheckpointError: there is no such checkpoint, it is damaged, or another process runs it.
            ConfigError: what it was made from can no longer be carried out.
        """
        persistence = StatePersistence(state_dir)
        if persistence.is_finished(simulation_id):
            return cls._restored(persistence.read(simulation_id), persistence)
        checkpoint, writer = persistence.resume(simulation_id, group=1)
        try:
            simulation = cls._restored(checkpoint, persistence)
            simulation._connect()
        except BaseException:
            writer.close()
            raise
        simulation._keep(writer)
        for intent in checkpoint.intents:
            simulation._doubt(intent.slot)
        return simulation

    @classmethod
    def _restored(cls, checkpoint: Checkpoint, persistence: StatePersistence | None) -> "Simulation":
        config = SimulatorConfig.model_validate_json(checkpoint.plan.config or "{}")
        simulation = cls(config, checkpoint.replay(), persistence=persistence)
        simulation.notes = list(checkpoint.notes)
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
        """The pace of this process until now."""
        seconds = self.running_time
        return (self.stats.ended_slots - self._ended_before) / seconds if seconds else 0.0

    @property
    def running_time(self) -> float:
        """Seconds that this process has spent running, until now."""
        return self.elapsed + (time.monotonic() - self._started if self._started is not None else 0.0)

    def account_name(self, account_id: str) -> str:
        """Return what people call an account."""
        return self._names.get(account_id, account_id)

    def selected_slots(self) -> list[ActionSlot]:
        """Return the slots that this run is about: all, or those that `select` chose."""
        chosen = self._selected
        return self.slots if chosen is None else [slot for slot in self.slots if chosen(slot)]

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
        known = {market.symbol for market in self.state.plan.markets}
        ids = {name: account.id for account in self.state.plan.accounts for name in (account.name, account.id)}
        problems = [Problem("--market", f"{name} is no market of this run") for name in markets if name not in known]
        problems += [Problem("--account", f"{name} is no account of this run") for name in accounts if name not in ids]
        if problems:
            raise ConfigError(problems)
        wanted = {ids[name] for name in accounts}

        def chosen(slot: ActionSlot) -> bool:
            if markets and slot.action.market.symbol not in markets:
                return False
            return not wanted or slot.account_id in wanted or self.slots[slot.partner].account_id in wanted

        self._selected = chosen if markets or accounts else None

    async def run(self, decider: Decider | None = None) -> Ending:
        """Run what is Pending, until it is done, somebody decides to quit, or `stop` is called.

        `decider` is asked about slots whose retries are spent; where omitted, it is what the config's
        `processor.on_failure` says: a policy, or the person at the terminal.

        Raises:
            StorageError: the checkpoint cannot be written.
        """
        chosen = self._selected
        pending = self.slots if chosen is None else filter(chosen, self.slots)
        return await self._run(pending, decider, revisiting=False)

    async def revisit(self, decider: Decider | None = None) -> Ending:
        """Run the Failed slots once more, each with all its retries and its partner's unfilled remainder."""
        return await self._run(self.slots, decider, revisiting=True)

    def pause(self) -> None:
        """Hold the run before its next attempt, and save."""
        self.control.pause()
        if self._status is RunStatus.RUNNING:
            self._become(RunStatus.PAUSED)
            self._note_budgets()

    def go(self) -> None:
        """Let a paused run go on."""
        self.control.go()
        if self._status is RunStatus.PAUSED:
            self._become(RunStatus.RUNNING)

    def step(self) -> None:
        """Let a paused run finish one slot."""
        self.control.step()
        if self._status is RunStatus.RUNNING:
            self._become(RunStatus.PAUSED)

    def stop(self) -> None:
        """End the run before its next attempt; `run` then returns, and everything is saved."""
        self.control.stop()

    def close(self) -> None:
        """Let go of the checkpoint. A run that was never started leaves none."""
        if self._writer is not None:
            self._flush()
            self._writer.close()
            self._writer = None

    # How it runs

    async def _run(self, slots: Iterable[ActionSlot], decider: Decider | None, *, revisiting: bool) -> Ending:
        if self._only_looked_at:
            raise CheckpointError(f"{self.id} was opened to look at: resume it to run it")
        processing, config = self.config.processor, self.config
        executor = self._connect()
        self._open_checkpoint(executor)
        bookkeeper = Bookkeeper(
            self.state, self.budgets, self._settlement, executor, self._writer, revisiting=revisiting, asked=self._ask
        )
        processor = SlotProcessor(
            backoff=Backoff(processing.retry_base_delay_ms, processing.max_delay_ms, processing.jitter, config.seed),
            decider=decider or decider_for(processing.on_failure.value),
            control=self.control,
            observer=bookkeeper,
            failures=OrderError,
        )
        self.control.begin()
        self._started = time.monotonic()
        self._become(RunStatus.PAUSED if self.control.paused else RunStatus.RUNNING)
        try:
            work = processor.revisit if revisiting else processor.process_slots
            ending = (await work(slots, executor.place)).ending
            if revisiting:
                self.state.update_stats()
            bookkeeper.tidy(everything=self._all_ended() and processing.cancel_open_orders_at_end)
        finally:
            self.elapsed, self._started = self.running_time, None
            self.control.end()
            if revisiting:
                self.state.update_stats()
            self._become(RunStatus.STOPPED)
        self._note_budgets()
        if self._all_ended():
            if self._writer is not None:
                self._writer.finish(self.state.journal, self.budgets)
            self._become(RunStatus.DONE)
        return ending

    def _ask(self, question: Question | None) -> None:
        """Note what waits to be decided, or (None) that nothing does."""
        self.question = question
        running = RunStatus.PAUSED if self.control.paused else RunStatus.RUNNING
        self._become(running if question is None else RunStatus.WAITING)

    def _all_ended(self) -> bool:
        return not self.stats.pending_slots

    def _connect(self) -> SlotExecutor:
        """Open the venue, with the open orders of an earlier life taken up."""
        if self._executor is None:
            venue, self.exchange = open_venue(self.config, self.state)
            self._executor = SlotExecutor(self.state, self._settlement, venue)
        return self._executor

    def _open_checkpoint(self, executor: SlotExecutor) -> None:
        if self._persistence is not None and self._writer is None:
            group = 1 if self.config.processor.save_after_each_slot else GROUP
            if self.state.id:
                self._keep(self._persistence.take_up(self.state, group=group))
            else:
                self._keep(self._persistence.create(self.state, group=group))
        if self._writer is not None:
            executor.keep_intents(self._writer)

    def _keep(self, writer: CheckpointWriter) -> None:
        self._writer = writer
        writer.group = 1 if self.config.processor.save_after_each_slot else GROUP

    def _doubt(self, sequence: int) -> None:
        """An earlier life meant to place this slot's order and did not live to see the answer: it may exist."""
        slot = self.slots[sequence]
        if slot.state is not SlotState.PENDING:
            return
        now = time.time_ns()
        slot.begin(now)
        self.state.doubt(slot, now)
        slot.move(SlotState.PENDING)

    def _note_budgets(self) -> None:
        """Save everything, with the budgets as they are, to be held against the journal when it is next read."""
        if self._writer is not None:
            self._writer.snapshot(self.state.journal, self.budgets)

    def _flush(self) -> None:
        if self._writer is not None:
            self._writer.flush(self.state.journal, barrier=True)

    def _become(self, status: RunStatus) -> None:
        self._status = status
        for changed in list(self._subscribers):
            changed(self)
