"""Several slots at once: workers that take what the line-up gives out next, each running one slot as the processor does.

One worker at a time looks for what is next, and waits there for the controls; the others are at work, or queue behind it. So
pause, step, pace and stop conditions are asked about one slot after the other, as in a run without others beside it. What
ends the run in one worker ends it in all, each when its attempt under way has ended.
"""

import asyncio

import anyio

from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.control import Ending, RunControl, unwrapped
from orderbook_tui.engine.lineup import Lineup
from orderbook_tui.engine.processor import Executor, ProcessorResults, SlotProcessor


class ParallelProcessor:
    """Has `processor` run the slots of `lineup`, with `workers` of them at once at most."""

    def __init__(self, processor: SlotProcessor, control: RunControl, lineup: Lineup, workers: int) -> None:
        self._processor, self._control, self._lineup, self._workers = processor, control, lineup, workers
        self._door = asyncio.Lock()
        self._results = ProcessorResults()
        self._error: Exception | None = None

    async def process(self, executor: Executor) -> ProcessorResults:
        """Run them, and say what came of all of them. An error in one of them is raised when the others have ended."""
        with unwrapped():
            async with anyio.create_task_group() as group:
                for _ in range(self._workers):
                    group.start_soon(self._work, executor)
        if self._error is not None:
            raise self._error
        if self._results.ending is Ending.DONE and not self._lineup.is_over:
            self._results.ending = Ending.STOPPED
        return self._results

    async def _work(self, executor: Executor) -> None:
        lineup, results = self._lineup, self._results
        try:
            while True:
                # At full speed nobody has to be asked, and nobody waited for.
                slot = lineup.next if not (self._control.held or self._door.locked()) else None
                if slot is None and (slot := await self._due()) is None:
                    return
                lineup.start(slot)
                made = await self._processor.process_admitted(slot, executor)
                lineup.ended(slot)
                results.add(made)
                if made.ending is Ending.QUIT:
                    self._control.stop()
                self._control.news()
                await asyncio.sleep(0)  # or whoever meets a venue that answers at once would keep all others from theirs
        except Exception as error:
            self._error = self._error or error
            self._control.stop()

    async def _due(self) -> ActionSlot | None:
        """Wait until the slot that is next may start, and return it; None: there is none any more, or the run is to stop."""
        control, lineup = self._control, self._lineup
        async with self._door:
            while True:
                slot = lineup.next
                if control.stopping or (slot is None and lineup.is_over):
                    return None
                if slot is None:
                    await control.change()
                elif not control.held:
                    return slot
                elif self._is_behind_barrier(slot.sequence):
                    await control.change()
                elif await control.turn(slot):
                    return slot

    def _is_behind_barrier(self, sequence: int) -> bool:
        """Whether a slot has to wait until all before it have ended, as those have from which on the run is to pause."""
        watch = self._control.watch
        barrier = watch.barrier if watch is not None else None
        return barrier is not None and sequence >= barrier and not self._lineup.is_first_left(sequence)
