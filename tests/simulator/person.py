"""The person at the controls: decides, meddles, leaves and comes back, and remembers what was meant to be done.

A decision is a function of (seed, slot, attempt), so that a run that is interrupted gets those of one that is not.
"""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import SlotState
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import Question
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.stopping import StopConditions
from orderbook_tui.errors import ScheduleError, StorageError
from tests.simulator.configs import Scenario

if TYPE_CHECKING:
    from tests.simulator.world import World

_ANSWERS = [RecoveryAction.RETRY, RecoveryAction.SKIP, RecoveryAction.CONTINUE, RecoveryAction.QUIT]


class Answers:
    """Decides about slots, after some thought."""

    by = "person"

    def __init__(self, seed: int) -> None:
        self._seed = seed

    async def decide(self, question: Question) -> RecoveryAction:
        slot = question.slot
        chance = Random(f"{self._seed}:decision:{slot.sequence}:{slot.attempt_count}")
        await asyncio.sleep(chance.choice((0, 0.5, 20)))
        weights = (5, 3, 4, 1) if slot.attempt_count < 9 else (0, 1, 1, 0)
        return chance.choices(_ANSWERS, weights)[0]


@dataclass
class Phase:
    """Something that is to be done with the run: "run" (some markets, or all), "revisit", or "skip" what has failed."""

    kind: str
    number: int = 0
    markets: tuple[str, ...] = ()
    chosen: dict[int, int] = field(default_factory=dict)
    """The slots that a revisit is about, with the attempts that they had had before it."""
    begun: bool = False


class Person:
    """Carries out what is meant to be done, over as many lives as it takes."""

    def __init__(self, seed: int, scenario: Scenario, world: "World", *, meddles: bool) -> None:
        self._seed, self._world = seed, world
        self.phases = [Phase("run", markets=markets) for markets in scenario.selects]
        if scenario.selects and scenario.revisits:
            self.phases.append(Phase("revisit", 100))
        self.phases.append(Phase("run"))
        self.phases += [Phase("revisit", number) for number in range(scenario.revisits)]
        if scenario.skips:
            self.phases.append(Phase("skip"))
        self._chance = Random(f"{seed}:person")
        self._meddles = self._chance.choice((0, 0, 2, 5)) if meddles else 0
        self._leaves = meddles

    @property
    def is_done(self) -> bool:
        """Whether everything that was meant to be done is."""
        return not self.phases

    async def sit_down(self, simulation: Simulation) -> None:
        """Go on with the run until everything is done, or it is left for a while."""
        meddling = asyncio.ensure_future(self._meddle(simulation)) if self._leaves else None
        try:
            while self.phases:
                try:
                    if not await self._carry_out(self.phases[0], simulation):
                        return
                except StorageError as error:
                    if self._world.refused(error):
                        return
                else:
                    self.phases.pop(0)
            # What a venue outside has still to report.
            await asyncio.sleep(30)
        finally:
            if meddling is not None:
                meddling.cancel()

    async def _carry_out(self, phase: Phase, simulation: Simulation) -> bool:
        """Carry a phase out; False: the run is left before it is done."""
        self._world.log(f"person: {phase.kind} {phase.number} {','.join(phase.markets)}")
        if phase.kind == "run":
            return await self._run(simulation, phase.markets)
        simulation.select()
        if not phase.begun:
            rate = 0.8 if phase.kind == "revisit" else 0.5
            chosen = [sequence for sequence in simulation.failed_slots() if self._is_chosen(phase, sequence, rate)]
            phase.chosen = {sequence: simulation.slots[sequence].attempt_count for sequence in chosen}
            phase.begun = True
        if phase.kind == "skip":
            return await self._skip(phase, simulation)
        while True:
            if not await self._finish_begun(phase, simulation):
                return False
            left = [
                sequence
                for sequence, attempts in phase.chosen.items()
                if simulation.slots[sequence].state is SlotState.FAILED and simulation.slots[sequence].attempt_count == attempts
            ]
            if not left:
                return True
            if self._is_over(await simulation.revisit(self._answers, left)):
                return False

    async def _run(self, simulation: Simulation, markets: tuple[str, ...]) -> bool:
        while True:
            simulation.select(markets)
            if all(slot.is_ended for slot in simulation.selected_slots()) and (markets or simulation.status is RunStatus.DONE):
                return True
            ending = await simulation.run(self._answers)
            if ending is Ending.DONE and not markets and simulation.status is not RunStatus.DONE:
                self._world.violate(f"a run that ended as done is {simulation.status.value}")
            if self._is_over(ending):
                return False

    async def _finish_begun(self, phase: Phase, simulation: Simulation) -> bool:
        """Run those of a revisit that were begun and interrupted: they are Pending again."""
        begun = [sequence for sequence in phase.chosen if not simulation.slots[sequence].is_ended]
        whole = len(self.phases) == 1 or all(later.kind != "run" for later in self.phases)
        if not begun and not (whole and simulation.status is not RunStatus.DONE and not simulation.stats.pending_slots):
            return True
        if not whole:
            simulation.select([simulation.slots[sequence].action.market.symbol for sequence in begun])
        while any(not simulation.slots[sequence].is_ended for sequence in begun) or whole:
            if self._is_over(await simulation.run(self._answers)):
                return False
            if simulation.status is RunStatus.DONE:
                break
        return True

    async def _skip(self, phase: Phase, simulation: Simulation) -> bool:
        left = [sequence for sequence in phase.chosen if simulation.slots[sequence].state is SlotState.FAILED]
        simulation.skip_failed(left)
        await asyncio.sleep(0)
        return await self._run(simulation, ())

    def _is_chosen(self, phase: Phase, sequence: int, rate: float) -> bool:
        return Random(f"{self._seed}:{phase.kind}:{phase.number}:{sequence}").random() < rate

    @property
    def _answers(self) -> Answers:
        return Answers(self._seed)

    def _is_over(self, ending: Ending) -> bool:
        """Whether the run is left after it has ended so."""
        self._world.log(f"person: it ended as {ending.value}")
        if ending is Ending.DONE or not self._leaves:
            return False
        return self._chance.random() < 0.2

    async def _meddle(self, simulation: Simulation) -> None:
        """Do things to the run while it goes on; and never leave it paused."""
        chance = self._chance
        while True:
            await asyncio.sleep(chance.choice((0, 0, 0.002, 0.3, 20)) if self._meddles else 20)
            try:
                if simulation.control.paused and not simulation.control.stepping:
                    self._world.log("person: goes on")
                    simulation.step() if self._meddles and chance.random() < 0.4 else simulation.go()
                if self._meddles:
                    self._meddles -= 1
                    self._do_something(simulation, chance)
            except StorageError as error:
                self._world.refused(error)

    def _do_something(self, simulation: Simulation, chance: Random) -> None:
        what = chance.choice(("pause", "pause", "stop", "condition", "clock", "clock", "look", "pace", "fork"))
        self._world.log(f"person: {what}")
        if what == "pause":
            simulation.pause()
        elif what == "stop":
            simulation.stop()
        elif what == "condition":
            slot = chance.randrange(len(simulation.slots))
            conditions = StopConditions(slot=slot, on_failure=True, on_depleted=True, on_verdict=chance.random() < 0.5)
            try:
                simulation.stop_conditions = conditions
            except ScheduleError:
                simulation.stop_conditions = StopConditions(on_failure=True)
        elif what == "clock":
            self._world.clock.jump(chance.choice((-86_400, -3_600, -1, 1, 7_200, 10**6)))
        elif what == "pace":
            simulation.control.slots_per_second = chance.choice((None, 3, 1000))
        elif what == "fork":
            self._world.fork(simulation)
        else:
            self._world.look(simulation)
