"""Run control: pause, step, stop, and the pace of a run, asked before every slot and between attempts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import anyio
import anyio.lowlevel


class Ending(StrEnum):
    """Why a run ended."""

    DONE = "done"
    QUIT = "quit"
    STOPPED = "stopped"


class RunControl:
    """What the person at the controls wants. `held` is all that a run at full speed ever looks at."""

    def __init__(self, slots_per_second: float | None = None) -> None:
        self.held = False
        self.paused = False
        self.stopping = False
        self.stepping = False
        """Whether a paused run may still finish one slot."""
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

    def begin(self) -> None:
        """A run begins. An earlier one may have had another event loop."""
        self._changed, self._due = None, 0.0
        self._note()

    def end(self) -> None:
        """A run has ended: what stopped it does not stop the next."""
        self.stopping = self.stepping = False
        self._note()

    def pause(self) -> None:
        """Hold the run before its next attempt."""
        self.paused = True
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

    async def admit(self) -> bool:
        """Wait until a slot may start; False: the run is to stop."""
        if not await self.admit_attempt():
            return False
        while self._rate is not None and not self.stepping:
            now = time.monotonic()
            # A slot that took long is caught up with, but for what is more than a second ago.
            if self._due < now - 1:
                self._due = now
            if now >= self._due:
                self._due += 1 / self._rate
                break
            with anyio.move_on_after(self._due - now):
                await self._change()
            if not await self.admit_attempt():
                return False
        return True

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
        self.held = self.paused or self.stopping or self._rate is not None
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
