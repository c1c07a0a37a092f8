"""Run control: pause, step, stop, and the pace of a run, asked before every slot and between attempts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Protocol

import anyio
import anyio.lowlevel

from orderbook_tui.core.slot import ActionSlot


class Ending(StrEnum):
    """Why a run ended."""

    DONE = "done"
    QUIT = "quit"
    STOPPED = "stopped"


class Watch(Protocol):
    """Looks on while slots are run, and may pause the run."""

    @property
    def barrier(self) -> int | None:
        """The slot that is to start, as all that follow it, only when all before it have ended; None: there is none."""
        ...

    def slot_due(self, slot: ActionSlot) -> None:
        """A slot is the next to start."""
        ...

    def slot_ended(self, slot: ActionSlot) -> None:
        """A slot is Completed, Failed or Skipped, and what follows from that is done."""
        ...


class RunControl:
    """What the person at the controls wants. `held` and `watching` are all that a run at full speed ever looks at."""

    def __init__(self, slots_per_second: float | None = None) -> None:
        self.held = False
        """Whether a slot has to be admitted before it starts."""
        self.watching = False
        """Whether somebody waits for the end of a slot."""
        self.paused = False
        self.stopping = False
        self.stepping = False
        """Whether a paused run may still finish one slot."""
        self._asking = False
        """Whether a question waits to be answered: nothing starts meanwhile."""
        self._stepper: int | None = None
        """The slot that a step lets finish, once that is settled."""
        self._due_again: set[int] = set()
        """Slots of a paused run that are under way, and wait for another attempt."""
        self._watch: Watch | None = None
        self._rate = slots_per_second
        self._due = 0.0
        self._changed: anyio.Event | None = None
        self._stopped: anyio.Event | None = None
        self._note()

    @property
    def slots_per_second(self) -> float | None:
        """The pace; None: as fast as it goes. It may change at any time."""
        return self._rate

    @slots_per_second.setter
    def slots_per_second(self, rate: float | None) -> None:
        if rate is not None and not rate > 0:
            raise ValueError(f"a pace of {rate} slots a second is not positive")
        self._rate, self._due = rate, 0.0
        self._note()

    @property
    def watch(self) -> Watch | None:
        """Who looks on, slot by slot. It may change at any time."""
        return self._watch

    @watch.setter
    def watch(self, watch: Watch | None) -> None:
        self._watch = watch
        self._note()

    def begin(self) -> None:
        """A run begins. An earlier one may have had another event loop."""
        self._changed, self._stopped, self._due = None, None, 0.0
        self._asking = False
        self._note()

    def end(self) -> None:
        """A run has ended: what stopped it does not stop the next."""
        self.stopping = False
        self.step_taken()

    def pause(self) -> None:
        """Hold the run before its next attempt, also one that is part of a step."""
        self.paused = True
        self.step_taken()

    def go(self) -> None:
        """Let a paused run go on. Its pace starts anew: nothing is caught up with in a burst."""
        self.paused, self._due = False, 0.0
        self.step_taken()

    def step(self) -> None:
        """Let a paused run finish one slot."""
        self.paused = self.stepping = True
        self._note()

    def stop(self) -> None:
        """End the run before its next attempt."""
        self.stopping = True
        self._note()
        if self._stopped is not None:
            self._stopped.set()

    def step_taken(self) -> None:
        """Take back the leave that a step gave."""
        self.stepping, self._stepper = False, None
        self._note()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Have nothing start as long as a question waits: neither a slot nor another attempt."""
        self._asking = True
        self._note()
        try:
            yield
        finally:
            self._asking = False
            self._note()

    def slot_ended(self, slot: ActionSlot) -> None:
        """Let whoever waits for it know that a slot has ended."""
        if self.stepping and self._stepper in (None, slot.sequence):
            self.step_taken()
        if self._watch is not None:
            self._watch.slot_ended(slot)

    async def admit(self, slot: ActionSlot | None = None) -> bool:
        """Wait until `slot` may start; False: the run is to stop."""
        while not self.stopping:
            if await self.turn(slot):
                return True
        return False

    async def turn(self, slot: ActionSlot | None = None) -> bool:
        """Return whether `slot` may start right now; otherwise wait until something has changed."""
        if self.stopping:
            return False
        if self._asking:
            await self.change()
        elif self.stepping:
            # What is under way already goes first.
            if self._stepper is None and not self._due_again:
                self._stepper = slot.sequence if slot is not None else None
                return True
            await self.change()
        else:
            if self._watch is not None and slot is not None:
                self._watch.slot_due(slot)
            if self.paused:
                await self.change()
            elif self._rate is None:
                return True
            else:
                now = time.monotonic()
                # A slot that took long is caught up with, but for what is more than a second ago.
                if self._due < now - 1:
                    self._due = now
                if now >= self._due:
                    self._due += 1 / self._rate
                    return True
                with anyio.move_on_after(self._due - now):
                    await self.change()
        return False

    async def admit_attempt(self, slot: ActionSlot | None = None) -> bool:
        """Wait until another attempt (of `slot`) may start; False: the run is to stop."""
        sequence = slot.sequence if slot is not None else -1
        try:
            while not self.stopping and (self._asking or (self.paused and not self._may_step(sequence))):
                self._due_again.add(sequence)
                await self.change()
        finally:
            self._due_again.discard(sequence)
        return not self.stopping

    def _may_step(self, sequence: int) -> bool:
        """Whether a step lets this slot, which is under way, finish: of several the first of the schedule."""
        if self.stepping and self._stepper is None and sequence <= min(self._due_again, default=sequence):
            self._stepper = sequence
        return self.stepping and self._stepper == sequence

    async def wait(self, seconds: float) -> bool:
        """Sleep, or until the run is to stop (False)."""
        with anyio.move_on_after(seconds):
            await self.stopped()
        return not self.stopping

    async def stopped(self) -> None:
        """Wait until the run is to stop."""
        await anyio.lowlevel.checkpoint()
        while not self.stopping:
            if self._stopped is None:
                self._stopped = anyio.Event()
            await self._stopped.wait()

    async def change(self) -> None:
        """Wait until something changes: what is wanted of the run or, as `news` says, what has come of it."""
        if self._changed is None:
            self._changed = anyio.Event()
        await self._changed.wait()

    def news(self) -> None:
        """Have whoever waits for a change look again."""
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    def _note(self) -> None:
        self.held = self.paused or self.stopping or self._asking or self._rate is not None or self._watch is not None
        self.watching = self.stepping or self._watch is not None
        self.news()


@contextmanager
def unwrapped() -> Iterator[None]:
    """Let the one error that came out of a task group pass as itself, not as a group of one."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from error.__cause__
