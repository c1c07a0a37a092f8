"""A FIX session, kept up: it connects, logs on, and connects again until it is closed.

The library's `Session` does what FIX demands of one: numbers, gaps, resending, heartbeats. A connection has one of its own, and
all of them share the store of the numbers. What they say of it goes to the `Ears`; the library's logging goes nowhere.
"""

import asyncio
import contextlib
import logging
import os
import ssl
import time
from typing import Any, Final, Protocol

from fixcore.application import Application
from fixcore.log.base import Log
from fixcore.message.message import Message
from fixcore.session.session import Session
from fixcore.session.session_id import SessionID
from fixcore.session.session_settings import SessionSettings
from fixcore.session.state import SessionState
from fixcore.transport.framer import MessageFramer

from orderbook_tui.config.fix import FixVenueSpec
from orderbook_tui.environment import hide
from orderbook_tui.errors import OutcomeUnknown, Rejected, VenueUnavailable
from orderbook_tui.venues.fix.correlation import Waiting
from orderbook_tui.venues.fix.numbers import NumberStore

_FIRST_WAIT_S: Final = 0.05
_LOGGING_OUT_S: Final = 1.0
_READ: Final = 1 << 16
_TOO_LOW: Final = ("too low", "toolow", "expecting", "expected")
"""What is in the words of those who do not accept a sequence number: there is no code for it."""


class Question(Message):
    """A message that an answer is waited for."""

    __slots__ = ("waiting",)

    def __init__(self, kind: str, waiting: Waiting, fields: dict[int, str]) -> None:
        super().__init__()
        self.waiting = waiting
        self.header.set(35, kind)
        for tag, value in fields.items():
            self.set_field(tag, value)


class Ears(Protocol):
    """Who hears what is said in sessions."""

    def numbered(self, line: "Line", waiting: Waiting, number: int) -> None:
        """A message is about to be sent under this number."""
        ...

    def heard(self, line: "Line", message: Any) -> None:
        """An application message has come, in its order."""
        ...

    def refused(self, line: "Line", number: int, words: str) -> None:
        """The message of this number was refused."""
        ...

    def lost(self, line: "Line", words: str) -> None:
        """The connection is gone: answers to what was sent there may never come."""
        ...


class Line(Application):
    """One session, of `names` as the config has them; `logon` is what the Logon says beyond what the library puts there."""

    def __init__(
        self, spec: FixVenueSpec, identity: SessionID, names: tuple[str, str], logon: dict[int, str], ears: Ears
    ) -> None:
        self.identity, self.names = identity, names
        self._spec, self._logon, self._ears = spec, logon, ears
        self._store = NumberStore(None)
        self._numbers_are_in = ""
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._why = "it has not connected yet"
        self._refusal = ""
        """Why the exchange will not have us, where no waiting cures that."""
        self._closing = False
        self._writer: asyncio.StreamWriter | None = None
        self._last_heard = 0.0
        self._logon_number = 0
        """Under which number this connection began."""
        self._secure = ssl.create_default_context() if spec.tls else None
        silence()

    def __str__(self) -> str:
        return hide(f"{self.names[0]} to {self.names[1]} at {self._spec.host}:{self._spec.port}")

    # What the venue does with it

    def open(self, store: NumberStore, numbers_are_in: str) -> None:
        """Begin to connect, with the numbers of `store`; `numbers_are_in` says where a person finds them."""
        self._store, self._numbers_are_in = store, numbers_are_in
        self._closing = False
        self._refusal, self._why = "", "it has not connected yet"
        self._news = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._keep_up(), name=f"fix {self}")

    async def close(self) -> None:
        """Log out, and leave nothing open."""
        self._closing = True
        task, self._task = self._task, None
        try:
            if task is not None:
                await self._end(task, self._session)
        finally:
            self._store.close()

    async def _end(self, task: asyncio.Task[None], session: Any) -> None:
        if session is not None and session.is_logged_on:
            with contextlib.suppress(TimeoutError, OSError, RuntimeError):
                async with asyncio.timeout(_LOGGING_OUT_S):
                    await session.send_logout()
                    await asyncio.shield(task)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    @property
    def is_up(self) -> bool:
        return self._session is not None and bool(self._session.is_logged_on)

    async def ready(self, within: float) -> None:
        """Wait until it is logged on.

        Raises:
            VenueUnavailable: it is not, within so many seconds; nothing was sent.
        """
        if not self.is_up and not await self._comes_up(within):
            raise VenueUnavailable(f"not logged on as {self}: {self._refusal or self._why}")

    def renew(self, silent_since: float) -> bool:
        """End a connection in which nothing was said since (by the clock that nobody sets); return whether it was so."""
        if self._last_heard > silent_since or self._writer is None:
            return False
        self._why = "it has become silent"
        self._writer.close()
        return True

    async def _comes_up(self, within: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not (self._refusal or self.is_up):
                    # It is still set of a session that has begun to log out: nothing would be waited for.
                    self._news.clear()
                    await self._news.wait()
        return self.is_up

    async def send(self, question: Question) -> None:
        """Send a message.

        Raises:
            VenueUnavailable: nothing was sent.
            OutcomeUnknown: the connection broke.
            Rejected: it has text that FIX does not carry.
        """
        session = self._session
        if session is None or not session.is_logged_on:
            raise VenueUnavailable(f"not logged on as {self}: {self._why}")
        try:
            await session.send_app(question)
        except UnicodeEncodeError:
            raise Rejected("the order has text that FIX does not carry") from None
        except OSError as error:
            raise OutcomeUnknown(f"the connection broke: {_reason(error)}") from error

    # How it is kept up

    async def _keep_up(self) -> None:
        wait = 0.0
        while not self._closing:
            self._session = None
            try:
                async with asyncio.timeout(self._spec.logon_timeout_ms / 1000):
                    streams = await asyncio.open_connection(self._spec.host, self._spec.port, ssl=self._secure)
            except (OSError, TimeoutError) as error:
                self._why = _reason(error)
            else:
                if await self._converse(*streams):
                    wait = 0.0
            if not self._closing:
                await asyncio.sleep(wait)
            wait = min(wait * 2 or _FIRST_WAIT_S, self._spec.reconnect_ms / 1000)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Speak until the connection ends; return whether it was logged on."""
        session = self._session = Session(self.identity, self._settings(), self, self._store, _Quiet(self))
        self._writer = writer
        was_up, self._why = False, "the connection has ended"

        async def send(message: bytes) -> None:
            writer.write(message)
            await writer.drain()

        async def close() -> None:
            writer.close()

        framer = MessageFramer()
        logon_timeout = asyncio.get_running_loop().call_later(
            self._spec.logon_timeout_ms / 1000, self._check_logged_on, session, writer
        )
        try:
            await session.on_connect(send, close)
            while received := await reader.read(_READ):
                self._last_heard = time.monotonic()
                for raw in framer.feed(received):
                    if session.state is SessionState.LOGON_TIMEOUT:
                        self._look_at_logon(raw)
                    elif b"\x0135=2\x01" in raw:
                        raw = self._asked_to_resend(raw, writer)
                    await session.on_data(raw)
                was_up = was_up or session.is_logged_on
        except OSError as error:
            self._why = _reason(error)
        except ValueError as error:  # a header that cannot be read: the library lets it through
            self._why = f"what it says cannot be read: {error}"
        finally:
            logon_timeout.cancel()
            self._session = self._writer = None
            self._news.clear()
            await session.on_disconnect()
            self._ears.lost(self, f"the connection of {self} was lost: {self._why}")
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        return was_up

    def _settings(self) -> SessionSettings:
        settings = SessionSettings()
        settings.set_session(
            self.identity,
            {
                "ConnectionType": "initiator",
                "HeartBtInt": str(self._spec.heartbeat_s),
                "LogonTimeout": str(max(1, self._spec.logon_timeout_ms // 1000)),
                # Nothing was received under new numbers: nothing is lost with what the other side remembers of older ones.
                "ResetOnLogon": "Y" if self._spec.reset_on_logon or self._store.is_new else "N",
            },
        )
        return settings

    def _check_logged_on(self, session: Session, writer: asyncio.StreamWriter) -> None:
        if not session.is_logged_on:
            self._why = "it does not answer the Logon"
            writer.close()

    def _asked_to_resend(self, raw: bytes, writer: asyncio.StreamWriter) -> bytes:
        """Return a ResendRequest as the library is to answer it: with a gap fill over what was sent in earlier connections.

        What was sent since the Logon is on its way, and not to be skipped. Where we miss something ourselves it is answered
        here and now: the library would keep it until that has come; where the other side does the same with ours, both wait
        for ever. That the library then answers it a second time does no harm.
        """
        try:
            request = Message.decode(raw)
            number, begin, end = (int(request.get(tag, "0")) for tag in (34, 7, 16))
        except ValueError:
            return raw
        if not 0 < begin <= self._logon_number:
            return raw
        end = min(end or self._logon_number, self._logon_number)
        if number > self._store.next_target_msg_seq_num():
            writer.write(self._gap_fill(begin, end + 1))
        request.set_field(16, str(end))
        return bytes(request.encode())

    def _gap_fill(self, begin: int, after: int) -> bytes:
        fill, now, ours = Message(), time.strftime("%Y%m%d-%H:%M:%S", time.gmtime()), self.identity
        for tag, value in {
            35: "4",
            8: ours.begin_string,
            49: ours.sender_comp_id,
            56: ours.target_comp_id,
            34: str(begin),
            43: "Y",
            52: now,
            122: now,
            123: "Y",
            36: str(after),
        }.items():
            fill.set_field(tag, value)
        return bytes(fill.encode())

    def _look_at_logon(self, raw: bytes) -> None:
        """Take note of why the exchange does not accept our numbers, or we cannot accept its own."""
        fields = _fields(raw)
        kind = fields.get(b"35", b"")
        if kind == b"5":
            words = fields.get(b"58", b"").decode("latin-1")
            self._why = f"it logs us out: {hide(words)}" if words else "it logs us out, without saying why"
            if any(sign in words.lower() for sign in _TOO_LOW) and "seq" in words.lower():
                self._refuse(f"it does not accept our sequence number ({hide(words)})")
        elif kind == b"A" and fields.get(b"141") != b"Y":
            expected, number = self._store.next_target_msg_seq_num(), fields.get(b"34", b"")
            if number.isdigit() and int(number) < expected:
                self._refuse(f"it has begun anew: its number is {int(number)}, and {expected} is expected")

    def _refuse(self, words: str) -> None:
        if self._numbers_are_in:
            words += (
                f". If another program has used this session, remove {self._numbers_are_in} and resume the run: it then begins "
                "with new numbers, and asks what became of its orders"
            )
        self._refusal = words
        self._news.set()

    # What the library says (see `fixcore.application`)

    def on_logon(self, session_id: SessionID) -> None:
        self._refusal = ""
        self._news.set()

    def on_logout(self, session_id: SessionID) -> None:
        self._news.clear()

    def to_admin(self, message: Any, session_id: SessionID) -> None:
        if message.msg_type == "A":
            self._logon_number = int(message.header.get(34))
            for tag, value in self._logon.items():
                message.set_field(tag, value)

    def to_app(self, message: Any, session_id: SessionID) -> None:
        if isinstance(message, Question):
            self._ears.numbered(self, message.waiting, int(message.header.get(34)))

    def from_admin(self, message: Any, session_id: SessionID) -> None:
        kind = message.msg_type
        words = message.get(58)
        if kind == "3":
            number = message.get(45)
            if number.isdigit():
                self._ears.refused(self, int(number), words or f"session reject, reason {message.get(373, '?')}")
        elif kind == "5":
            self._why = f"it logs us out: {hide(words)}" if words else "it logs us out"

    def from_app(self, message: Any, session_id: SessionID) -> None:
        self._ears.heard(self, message)

    def event(self, words: str) -> None:
        """Take note of what the library says why a session ends."""
        if "too low" in words:
            self._why = words


class _Quiet(Log):
    """The library's log: nothing is written, least of all the Logon."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def on_incoming(self, message: str) -> None:
        pass

    def on_outgoing(self, message: str) -> None:
        pass

    def on_event(self, text: str) -> None:
        self._line.event(text)


def _fields(raw: bytes) -> dict[bytes, bytes]:
    parts = (part.partition(b"=") for part in raw.split(b"\x01"))
    return {tag: value for tag, _, value in parts}


def silence() -> None:
    """Keep the library's own logging from the terminal, where Python puts what nobody has asked for."""
    library = logging.getLogger("fixcore")
    if not library.handlers:
        library.addHandler(logging.NullHandler())
        library.propagate = False


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
