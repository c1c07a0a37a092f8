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
        self._watch: Watch | None = None
        self._rate = slots_per_second
        self._due = 0.0
        self._changed: anyio.Event | None = None
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
        self._changed, self._due = None, 0.0
        self._note()

    def end(self) -> None:
        """A run has ended: what stopped it does not stop the next."""
        self.stopping = self.stepping = False
        self._note()

    def pause(self) -> None:
        """Hold the run before its next attempt, also one that is part of a step."""
        self.paused, self.stepping = True, False
        self._note()

    def go(self) -> None:
        """Let a paused run go on. Its pace starts anew: nothing is caught up with in a burst."""
        self.paused, self._due = False, 0.0
        self._note()

    def step(self) -> None:
        """Let a paused run finish one slot."""
        self.paused = self.stepping = True
        self._note()

    def stop(self) -> None:
        """End the run before its next attempt."""
        self.stopping = True
        self._note()

    def step_taken(self) -> None:
        """Take back the leave that a step gave."""
        self.stepping = False
        self._note()

    def slot_ended(self, slot: ActionSlot) -> None:
        """Let whoever waits for it know that a slot has ended."""
        if self.stepping:
            self.step_taken()
        if self._watch is not None:
            self._watch.slot_ended(slot)

    async def admit(self, slot: ActionSlot | None = None) -> bool:
        """Wait until `slot` may start; False: the run is to stop."""
        while not self.stopping:
            if self.stepping:
                return True
            if self._watch is not None and slot is not None:
                self._watch.slot_due(slot)
            if self.paused:
                await self._change()
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
                    await self._change()
        return False

    async def admit_attempt(self) -> bool:
        """Wait until an attempt may start; False: the run is to stop."""
        while self.paused and not self.stepping and not self.stopping:
            await self._change()
        return not self.stopping

    async def wait(self, seconds: float) -> bool:
        """Sleep, or until the run is to stop (False)."""
        with anyio.move_on_after(seconds):
            await self.stopped()
        return not self.stopping

    async def stopped(self) -> None:
        """Wait until the run is to stop."""
        await anyio.lowlevel.checkpoint()
        while not self.stopping:
            await self._change()

    async def _change(self) -> None:
        if self._changed is None:
            self._changed = anyio.Event()
        await self._changed.wait()

    def _note(self) -> None:
        self.held = self.paused or self.stopping or self._rate is not None or self._watch is not None
        self.watching = self.stepping or self._watch is not None
        if self._changed is not None:
            self._changed.set()
            self._changed = None


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
