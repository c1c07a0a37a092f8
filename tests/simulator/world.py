"""One seed from its beginning to its end: a run that nothing interrupts, and the same run in all its troubles.

calm world     the run, once, without interruptions: how long it takes, and how it ends
troubled world the run, killed, resumed, refused by the disk, paused, and so on: it must end the same way
"""

import asyncio
import errno
import itertools
import signal
import traceback
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Final

from orderbook_tui.core.journal import Event
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.engine import checkpoint_file
from orderbook_tui.engine.fork import fork_checkpoint
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.wiring import fee_schedule
from orderbook_tui.errors import CheckpointError, StorageError
from tests.simulator import venue
from tests.simulator.checks import Checks
from tests.simulator.configs import Scenario
from tests.simulator.kernel import Disk, Kernel, Killed, Life
from tests.simulator.person import Person
from tests.simulator.virtual_time import Clock, Clocks, Stuck, VirtualLoop

MOST_LIVES: Final = 40
MOST_SECONDS: Final = 20
MOST_STEPS: Final = 200_000


class Violation(BaseException):
    """Something is not as it must be."""


class World:
    """One run with its venue, its disk, its clock and its person, over as many lives as it takes."""

    current: "World | None" = None

    def __init__(self, seed: int, scenario: Scenario, folder: Path, estimate: tuple[int, int, int] | None) -> None:
        self.seed, self.scenario, self.folder = seed, scenario, folder
        self.estimate = estimate
        """Steps, writes and orders taken outside of the calm run; None: this is the calm one."""
        self.clock = Clock(seed)
        self.disk = Disk()
        self.trace: list[str] = []
        self.lives = self.deaths = self.steps = self.writes = self.acceptances = 0
        self.violation = ""
        self.acknowledged = 0
        self._is_closed = False
        self.is_finished = False
        self.unsaved = 0
        """Executions that a process heard of, and did not live to save."""
        self.simulation: Simulation | None = None
        self.checks: Checks | None = None
        self.person = Person(seed, scenario, self, meddles=estimate is not None)
        self._chance = Random(f"{seed}:trouble")
        self._deaths_left = self._chance.choice((0, 1, 1, 2, 3)) if estimate else 0
        self._before: list[Event] = []
        self._life = Life(self.disk)
        self._ids = itertools.count(1)
        self.venue: venue.OutsideVenue | None = None
        if scenario.outside:
            fees, count = fee_schedule(scenario.config), scenario.config.accounts.generate
            names = [f"a-{number + 1}" for number in range(count.count if count is not None else 0)]
            self.venue = venue.OutsideVenue(seed, scenario.outside, fees, names, self)

    # What the parts of the world say

    def log(self, words: str) -> None:
        """Write a line of the trace."""
        if not self._life.dead:
            at = self.clock.monotonic_ns // 1_000 - 10**9
            self.trace.append(f"life {self.lives} step {self._life.steps} at {at / 1e6:.6f}: {words}")

    def violate(self, words: str) -> None:
        """Something is not as it must be: end here."""
        if self._life.dead:
            return
        if not self.violation:
            self.log(f"VIOLATION: {words}")
            self.violation = words
        raise Violation(words)

    def refused(self, error: StorageError) -> bool:
        """The disk refused something: mend it. Return whether the run has to be closed and resumed for that."""
        if self._life.dead:
            raise Killed
        self.log(f"refused: {_plain(error, self.folder)}")
        if not self.disk.heard(error) and not self.disk.failed:
            self.violate(f"refused without a fault of the disk: {error}")
        self._was_refused = True
        self.disk.mend()
        self.disk.failed = False
        return "close the run and resume it" in str(error)

    _was_refused = False

    def accepted(self) -> None:
        """An order has been taken outside: this may be the end of who sent it."""
        self.acceptances += 1
        self._life.acceptances += 1
        if self._life.acceptances == self._life.dies_at_acceptance:
            self._life.die(f"at acceptance {self._life.acceptances}")

    def look(self, simulation: Simulation) -> None:
        """Look at every screen."""
        assert self.checks is not None
        self.checks.screens("on the screens")

    def fork(self, simulation: Simulation) -> None:
        """Fork the checkpoint, look at the fork, and delete it."""
        if not simulation.id:
            return
        fault, self.disk.fault = self.disk.fault, None
        ahead, self.disk.writes_until_fault = self.disk.writes_until_fault, -1
        try:
            made = fork_checkpoint(self.folder, simulation.id, "fork")
        except CheckpointError as error:
            self.log(f"no fork: {_plain(error, self.folder)}")
        else:
            source, copy = Simulation.look(simulation.id, self.folder), Simulation.look(made, self.folder)
            if source.state_hash() != copy.state_hash():
                self.violate("a fork is another run than the one it was made from")
            StatePersistence(self.folder).delete(made)
        finally:
            self.disk.fault, self.disk.writes_until_fault = fault, ahead

    def stepped(self, where: str, *, whole: bool) -> None:
        """Something has happened to a slot; `whole`: all that follows from it has, too."""
        if not self._life.dead and self.checks is not None:
            self.log(where)
            if whole:
                self.checks.step(where)

    def moved(self, slot: ActionSlot, before: SlotState) -> None:
        """A slot has changed its state."""
        if not self._life.dead and self.checks is not None:
            self.checks.moved(slot, before)

    def saved(self, events: int) -> None:
        """So many events were reported saved."""
        if not self._life.dead and self.simulation is not None:
            self.acknowledged = max(self.acknowledged, events)

    def new_token(self, size: int) -> str:
        """What makes the id of a run its own."""
        return f"{next(self._ids):0{2 * size}x}"

    # How it goes on

    def run(self) -> None:
        """Live until everything is done that was meant to be done."""
        World.current, Clocks.current = self, self.clock
        if self.venue is not None:
            venue.PLACE = self.venue
        signal.signal(signal.SIGALRM, self._took_too_long)
        signal.alarm(MOST_SECONDS)
        try:
            while not (self.person.is_done and self._is_closed):
                if self.lives == MOST_LIVES:
                    self.violate(f"not done after {self.lives} lives")
                self._live()
            self._check_the_end()
        except Violation:
            pass
        finally:
            signal.alarm(0)
            World.current = Clocks.current = None
            venue.PLACE = venue._nobody

    def _took_too_long(self, number: int, frame: Any) -> None:
        self.violate(f"not done after {MOST_SECONDS} seconds: {''.join(traceback.format_stack(frame)[-3:])}")

    def _live(self) -> None:
        """Be one process, to its end."""
        self.lives += 1
        self._life = life = Life(self.disk)
        self._doom(life)
        self.simulation = self.checks = None
        self._is_closed = False
        loop = VirtualLoop(self.clock, self._before_step)
        loop.set_exception_handler(lambda loop, context: None)
        Kernel.life = life
        try:
            simulation = self._take_up()
            if self.venue is not None:
                self.venue.let_arrive()
            loop.run_until_complete(self.person.sit_down(simulation))
            self._let_go(simulation)
        except Killed:
            self._died(life)
        except Stuck as stuck:
            with suppress(Violation):
                self.violate(str(stuck))
            raise Violation(self.violation) from None
        except Exception as error:
            words = "".join(traceback.format_exception(error)[-6:])
            if life.dead:
                self._died(life)
            else:
                self.violate(f"{type(error).__name__}: {error}\n{words}")
        except BaseExceptionGroup:
            if not life.dead:
                if self.violation:
                    raise Violation(self.violation) from None
                raise
            self._died(life)
        finally:
            self.steps += life.steps
            self.writes += life.writes
            self._bury(life, loop)
        if self.violation:
            raise Violation(self.violation)

    def _doom(self, life: Life) -> None:
        """Draw when this life ends, and when the disk fails."""
        chance = self._chance
        if self.estimate is None:
            return
        steps, writes, acceptances = self.estimate
        if self._deaths_left and chance.random() < 0.9:
            if acceptances and chance.random() < 0.3:
                life.dies_at_acceptance = chance.randint(1, acceptances)
            elif chance.random() < 0.5:
                life.dies_at_step = 1 + int(steps * chance.random() ** 1.5)
            elif chance.random() < 0.3:
                life.dies_at_write = chance.randint(1, 15)
            else:
                life.dies_at_write = 1 + int(writes * chance.random() ** 1.5)
            life.tears = chance.choice((0, 1, 2))
        if chance.random() < 0.25:
            self.disk.writes_until_fault = int(writes * chance.random())
            self.disk.next_fault = chance.choice((errno.ENOSPC, errno.EIO))
            self.disk.writes_until_mended = chance.choice((-1, -1, 1, 10))

    def _before_step(self) -> None:
        if self.violation:
            raise Violation(self.violation)
        if self._life.steps > MOST_STEPS:
            self.violate(f"not done after {MOST_STEPS} steps")
        self._life.step()

    def _take_up(self) -> Simulation:
        """Begin the run, or resume it where there is a checkpoint of it."""
        # Where the disk let a checkpoint neither be made nor be removed, there are several: the last is the run.
        found = sorted(path.stem for path in self.folder.glob("*.sqlite"))[-1:]
        self.simulation = simulation = self._opened(found)
        self.checks = Checks(simulation, self.violate)
        kind = "resumed" if found else "begun"
        self.log(f"{kind} with {len(simulation.state.journal)} events, {simulation.status.value}")
        self._check_nothing_is_lost(simulation)
        self.checks.quick(kind)
        self.checks.invariants(kind)
        return simulation

    def _opened(self, found: list[str]) -> Simulation:
        while True:
            try:
                if found:
                    return Simulation.resume(found[0], self.folder)
                return Simulation.create(self.scenario.config, state_dir=self.folder)
            except StorageError as error:
                self.refused(error)

    def _check_nothing_is_lost(self, simulation: Simulation) -> None:
        journal, saved = simulation.state.journal, self.acknowledged
        if len(journal) < saved:
            self.violate(f"{saved} events were reported saved, {len(journal)} are there")
        if journal[:saved] != self._before[:saved]:
            self.violate(f"of {saved} events that were reported saved, some are others now")
        lost = [note for note in simulation.notes if "reported saved" in note]
        if lost:
            self.violate(lost[0])

    def _let_go(self, simulation: Simulation) -> None:
        """Close the run, and look at what is left of it."""
        assert self.checks is not None
        self.checks.quick("at the end of a life")
        self.checks.invariants("at the end of a life")
        if self.estimate is not None:
            self.checks.screens("at the end of a life")
        finished = simulation.status is RunStatus.DONE
        while True:
            try:
                simulation.close()
                break
            except StorageError as error:
                self.refused(error)
        self._remember(simulation)
        self.disk.mend()
        self._is_closed = True
        if simulation.id:
            self.acknowledged = len(simulation.state.journal)
            if self.estimate is not None:
                self.checks.listed(self.folder, finished=finished)
        self.is_finished = finished

    def _remember(self, simulation: Simulation | None) -> None:
        if simulation is not None:
            self._before = simulation.state.journal

    def _died(self, life: Life) -> None:
        self.deaths += 1
        self._deaths_left -= 1
        self._remember(self.simulation)
        at = self.clock.monotonic_ns // 1_000 - 10**9
        self.trace.append(f"life {self.lives} step {life.steps} at {at / 1e6:.6f}: killed {life.died_at}")

    def _bury(self, life: Life, loop: VirtualLoop) -> None:
        """Let go of everything of a life; nothing of it is written any more, and nothing heard of it."""
        self.clock.frozen = True
        life.dead = True
        for task in sorted(asyncio.all_tasks(loop), key=lambda task: (len(task.get_name()), task.get_name())):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            coroutine: Any = task.get_coro()
            with suppress(BaseException), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what was never to begin
                coroutine.close()
        loop.close()
        life.bury()
        for path in list(checkpoint_file._written_here):
            checkpoint_file.done_writing(path)
        Kernel.life = None
        self.clock.frozen = False
        self.clock.advance(int(self._chance.choice((0.1, 10, 3_600)) * 10**9))
        if self._chance.random() < 0.3:
            self.clock.jump(self._chance.choice((-10_000, -5, 5, 10_000)))
        self.disk.mend()

    def _check_the_end(self) -> None:
        """Everything is done: what is on the disk is what was in memory, and what the venue says."""
        simulation = self.simulation
        assert simulation is not None
        assert self.checks is not None
        ours = simulation.state_hash()
        self._life = Life(self.disk)
        if self.venue is not None:
            self._check_the_venue(simulation, self.venue)
        if self.estimate is None:
            return
        looked = Simulation.look(simulation.id, self.folder)
        if looked.state.recount() != simulation.stats:
            self.violate("what was read back counts otherwise")
        if looked.state_hash() != ours:
            self.violate("what was read back is another run")
        if self.is_finished and looked.status is not RunStatus.DONE:
            self.violate("a run that is done is not told to be done")
        broken = [name for name, holds in looked.invariants().items() if not holds]
        if broken:
            self.violate(f"read back, {', '.join(broken)} does not hold")
        extra = sorted(path.name for path in self.folder.iterdir() if path.suffix != ".sqlite")
        if extra and not self.deaths and not self._was_refused and not self.disk.failed:
            self.violate(f"left behind: {', '.join(extra)}")

    def _check_the_venue(self, simulation: Simulation, outside: venue.OutsideVenue) -> None:
        for order in outside.accepted():
            slot = simulation.slots[order.slot]
            theirs_of_slot = [each.order_id for each in outside.by_slot[order.slot]]
            if len(theirs_of_slot) > 1:
                if slot.state is SlotState.COMPLETED and slot.order_id not in theirs_of_slot:
                    self.violate(f"slot {slot.sequence} has order {slot.order_id}, which the venue does not know")
                continue
            unheard = any(not fill.reported for fill in order.fills)
            if slot.state is not SlotState.COMPLETED:
                if not any(attempt.failure and attempt.failure.kind == "unknown" for attempt in slot.attempts):
                    self.violate(f"the venue has an order of slot {slot.sequence}, which is {slot.state.value}")
            elif slot.order_id != order.order_id:
                self.violate(f"slot {slot.sequence} has order {slot.order_id}, the venue {order.order_id}")
            elif unheard:
                self.log(f"slot {slot.sequence}: not all of its executions were heard of")
            else:
                theirs = Counter((fill.lots, fill.price) for fill in order.fills)
                ours = Counter((fill.quantity, fill.price) for fill in slot.fills)
                # What was heard of and not saved dies with the process.
                self.unsaved += (theirs - ours).total() if self.deaths else 0
                if ours - theirs or (theirs != ours and not self.deaths):
                    self.violate(f"slot {slot.sequence} has other executions than the venue")
        known = {order.slot for order in outside.accepted()}
        for slot in simulation.slots:
            if slot.state is SlotState.COMPLETED and slot.sequence not in known:
                self.violate(f"slot {slot.sequence} is Completed, and the venue has no order of it")

    @property
    def unheard(self) -> int:
        """Executions at a venue outside that no living process was told."""
        orders = self.venue.accepted() if self.venue is not None else []
        return self.unsaved + sum(not fill.reported for order in orders for fill in order.fills)


def _plain(error: Exception, folder: Path) -> str:
    return str(error).replace(str(folder), "").splitlines()[0]
