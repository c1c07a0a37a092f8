"""Asking an exchange: what is sent in a session is answered, refused, lost with the connection, or met by silence."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from orderbook_tui.config.fix import FixVenueSpec
from orderbook_tui.errors import OutcomeUnknown, VenueUnavailable
from orderbook_tui.venues.fix.correlation import Correlation, Waiting
from orderbook_tui.venues.fix.messages import Fields
from orderbook_tui.venues.fix.session import Line, Question

_T = TypeVar("_T")


class Lost(Exception):
    """The connection broke, and the answer went with it."""


class Asking:
    """Sends what wants an answer, and waits for that: for `order_timeout_ms`, and `logon_timeout_ms` for the session."""

    def __init__(self, spec: FixVenueSpec) -> None:
        self.waiting = Correlation()
        self.timeout, self.patience = spec.order_timeout_ms / 1000, spec.logon_timeout_ms / 1000
        self.no_answer = f"within {spec.order_timeout_ms} ms"
        self._last_id = 0

    async def answer(self, kind: str, waiting: Waiting, fields: Fields, limit: asyncio.Timeout | None = None) -> Any:
        """Send something, and return the answer; `limit` says otherwise how long it may take.

        Raises:
            TimeoutError: there is none.
            Lost: the connection broke.
            OrderError: it was refused, or nothing was sent.
        """
        line = waiting.line
        assert isinstance(line, Line)
        self.waiting.add(waiting)
        try:
            async with limit or asyncio.timeout(self.timeout):
                await line.send(Question(kind, waiting, fields))
                return await waiting.answer
        finally:
            self.waiting.remove(waiting)
            if waiting.answer.done() and not waiting.answer.cancelled():
                waiting.answer.exception()

    async def answered(self, line: Line, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Ask what can be asked again without harm, until it is answered or that has taken too long.

        Raises:
            VenueUnavailable: it has.
            OrderError: it was refused.
        """
        until = time.monotonic() + self.patience + self.timeout
        while True:
            await line.ready(self.patience)
            asked_at = time.monotonic()
            try:
                return await ask()
            except (TimeoutError, Lost, OutcomeUnknown) as error:
                is_silent = isinstance(error, TimeoutError)
                # Where nothing else came either, the other end may be gone: another connection may reach it.
                if time.monotonic() > until or (is_silent and not line.renew(asked_at)):
                    words = f"no answer to the question {self.no_answer}" if is_silent else str(error)
                    raise VenueUnavailable(words) from None

    def own_id(self, kind: str) -> str:
        """Return what a cancel or a question goes by that has a name of its own."""
        self._last_id = max(self._last_id + 1, time.time_ns() // 1000)
        return f"{kind}{self._last_id:x}"
