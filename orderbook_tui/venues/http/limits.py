"""How many requests at a time, how many a second, and none while the exchange has asked for quiet."""

import asyncio
from time import monotonic
from types import TracebackType


class Limits:
    """To be entered around each request; it is left when the reply has come."""

    def __init__(self, in_flight: int, per_second: float | None, burst: int) -> None:
        self._places = asyncio.Semaphore(in_flight)
        self._interval = 1 / per_second if per_second else 0.0
        self._ahead = self._interval * (burst - 1)
        self._next = self._quiet_until = 0.0

    def hold(self, seconds: float) -> None:
        """Send nothing for so long."""
        self._quiet_until = max(self._quiet_until, monotonic() + seconds)

    async def __aenter__(self) -> None:
        await self._places.acquire()
        try:
            while (wait := self._wait()) > 0:  # noqa: ASYNC110 - it is time that is waited for
                await asyncio.sleep(wait)
        except BaseException:
            self._places.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.release()

    def _wait(self) -> float:
        """Return how long to wait; where it is nothing, a request is counted."""
        if not (self._quiet_until or self._interval):
            return 0.0
        now = monotonic()
        wait = max(self._quiet_until, self._next - self._ahead) - now
        if wait <= 0:
            self._next = max(self._next, now) + self._interval
        return wait
