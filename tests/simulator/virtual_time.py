"""Virtual time: clocks that stand still until they are looked at, and an event loop that jumps to its next timer.

The clocks of `time` are replaced once, before the program is imported, and are the real ones while nobody simulates.
"""

import asyncio
import heapq
import time
from collections.abc import Callable
from typing import Any, Final

EPOCH_NS: Final = 1_767_225_600 * 10**9
_SECOND: Final = 10**9


class Stuck(Exception):
    """Everything waits, and nothing will ever happen."""


class Clock:
    """The clocks of one world. Each look takes a little time, so that work takes some."""

    def __init__(self, seed: int) -> None:
        self.monotonic_ns = 1_000 * _SECOND
        self.wall_ns = EPOCH_NS
        self.frozen = False
        """While a dead process is cleaned up, no time passes."""
        self._drawn = seed | 1

    def tick(self) -> None:
        """Let a look at a clock take its time: 1 to 128 microseconds."""
        if not self.frozen:
            self._drawn = (self._drawn * 6364136223846793005 + 1442695040888963407) % 2**64
            self.advance(1_000 * (1 + (self._drawn >> 57)))

    def advance(self, nanoseconds: int) -> None:
        """Let time pass."""
        self.monotonic_ns += nanoseconds
        self.wall_ns += nanoseconds

    def jump(self, seconds: float) -> None:
        """Set the clock on the wall, forwards or backwards."""
        self.wall_ns += int(seconds * _SECOND)


class Clocks:
    """Which clock the program sees: that of `current`, or the real one."""

    current: Clock | None = None


def install() -> None:
    """Put the clocks of `time` into our hands."""
    if getattr(time.time_ns, "is_virtual", False):
        return
    real = {name: getattr(time, name) for name in ("time_ns", "time", "monotonic", "monotonic_ns", "sleep")}

    def shown(name: str, read: Callable[[Clock], Any]) -> Callable[[], Any]:
        genuine = real[name]

        def look() -> Any:
            clock = Clocks.current
            if clock is None:
                return genuine()
            clock.tick()
            return read(clock)

        look.is_virtual = True  # type: ignore[attr-defined]
        return look

    def sleep(seconds: float) -> None:
        if Clocks.current is None:
            real["sleep"](seconds)
        else:
            Clocks.current.advance(int(seconds * _SECOND))

    time.time_ns = shown("time_ns", lambda clock: clock.wall_ns)
    time.time = shown("time", lambda clock: clock.wall_ns / _SECOND)
    time.monotonic = shown("monotonic", lambda clock: clock.monotonic_ns / _SECOND)
    time.monotonic_ns = shown("monotonic_ns", lambda clock: clock.monotonic_ns)
    time.sleep = sleep  # type: ignore[assignment]


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs one callback a step, and asks `before_step` before each. It waits for nothing: time jumps."""

    def __init__(self, clock: Clock, before_step: Callable[[], None]) -> None:
        super().__init__()
        self._clock, self._before_step = clock, before_step

    def time(self) -> float:
        return self._clock.monotonic_ns / _SECOND

    def _run_once(self) -> None:
        ready: Any = self._ready  # type: ignore[attr-defined]
        timers: Any = self._scheduled  # type: ignore[attr-defined]
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
        if not ready:
            if not timers:
                raise Stuck("everything waits, and nothing will ever happen")
            ahead = int(timers[0]._when * _SECOND) + 1 - self._clock.monotonic_ns
            if ahead > 0:
                self._clock.advance(ahead)
        now = self.time()
        while timers and timers[0]._when <= now:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            if not timer._cancelled:
                ready.append(timer)
        if ready:
            self._before_step()
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()
        self._timer_cancelled_count = 0

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none: nothing is outside."""

    def _write_to_self(self) -> None:
        """Nobody has to be woken up: there are no threads."""
