"""The HTTP wire: requests, replies and WebSocket frames between a run and the exchange, carried badly.

Each request goes to the exchange whole and at most once, unless its fault says otherwise. A copy that is late is sent even
when whoever sent the request has long gone.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import Coroutine
from random import Random
from typing import Any, Final, NamedTuple

from tests.wire.faults import Faults

REQUESTS: Final = {
    "delayed": 20,
    "overtaken": 8,
    "cut before": 10,
    "cut inside the request": 6,
    "cut after": 10,
    "cut inside the reply": 10,
    "sent twice": 12,
    "sent again later": 12,
    "refused by a gateway": 14,
    "done, and refused by a gateway": 10,
    "garbage": 6,
    "done, and garbage": 6,
    "half a reply": 8,
    "never answered": 4,
    "done, and never answered": 4,
    "arrives when nobody waits": 5,
}
"""Of a thousand requests, how many each fault befalls."""
FRAMES: Final = {"frame delayed": 15, "frame twice": 15, "frame lost with its connection": 10}
_BOOKS: Final = 0.15
"""Lists and balances are asked for all accounts in one go, so that a fault in one spoils all."""
_STATUSES: Final = {429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}
_ORDER: Final = re.compile(rb'-(\d+-\d+)(?:"|/| )')
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LATE_S: Final = (0.32, 1.5)
"""After how long a request comes whose sender no longer waits."""


class Message(NamedTuple):
    """A request or a reply, as bytes."""

    head: bytes
    body: bytes

    @property
    def bytes(self) -> bytes:
        return self.head + self.body


class Cut(Exception):
    """The connection is to end here."""


class HttpWire:
    """A server on loopback that passes on what it gets to the exchange on `port`."""

    def __init__(self, port: int, faults: Faults) -> None:
        self._to, self._faults = port, faults
        self.port = 0
        self.requests = 0
        """How many have come."""
        self._server: asyncio.Server | None = None
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._late: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._met, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def drained(self) -> None:
        """Wait until everything has arrived that is late."""
        while self._late:
            await asyncio.gather(*self._late)

    async def close(self) -> None:
        """Leave nothing open."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in (*self._writers, *(writer for _, writer in self._idle)):
            writer.transport.abort()
        await asyncio.sleep(0)

    # One connection of the run's

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            # Cancelled is what it is when the wire is closed: asyncio would complain of that.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError, Cut):
                while (request := await _message(reader)) is not None:
                    if b"\r\nupgrade: websocket" in request.head.lower():
                        await self._stream(request, reader, writer)
                        return
                    self.requests += 1
                    await self._carry(request, writer)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)
            self._writers.discard(writer)

    async def _carry(self, request: Message, writer: asyncio.StreamWriter) -> None:
        about, share = _about(request)
        fault, chance = self._faults.draw(about, REQUESTS, share)
        match fault:
            case "delayed":
                await asyncio.sleep(chance.uniform(0.005, 0.08))
            case "overtaken":
                await asyncio.sleep(chance.uniform(0.08, 0.25))
            case "cut before":
                raise Cut
            case "cut inside the request":
                self._later(self._begun(request.bytes[: chance.randrange(1, len(request.bytes))]))
                raise Cut
            case "sent twice":
                answers = await asyncio.gather(self._sent(request.bytes), self._sent(request.bytes))
                await _write(writer, chance.choice(answers))
                return
            case "sent again later":
                self._later(self._sent_after(chance.choice([0.001, chance.uniform(*_LATE_S)]), request.bytes))
            case "refused by a gateway":
                await _write(writer, _refusal(chance))
                return
            case "garbage":
                await self._garbage(writer, chance)
                return
            case "never answered":
                await asyncio.sleep(60)
                return
            case "arrives when nobody waits":
                self._later(self._sent_after(chance.uniform(*_LATE_S), request.bytes))
                await asyncio.sleep(60)
                return
        reply = await self._sent(request.bytes)
        match fault:
            case "cut after":
                raise Cut
            case "cut inside the reply":
                await _write(writer, reply[: chance.randrange(1, len(reply))])
                raise Cut
            case "done, and refused by a gateway":
                reply = _refusal(chance)
            case "done, and garbage":
                await self._garbage(writer, chance)
                return
            case "half a reply":
                await self._half(reply, writer, chance)
            case "done, and never answered":
                await asyncio.sleep(60)
                return
        await _write(writer, reply)

    async def _garbage(self, writer: asyncio.StreamWriter, chance: Random) -> None:
        """Answer something that is no reply of the exchange's."""
        kind = chance.randrange(4)
        if kind == 0:
            await _write(writer, chance.randbytes(chance.randrange(1, 300)))
            raise Cut
        status = chance.choice(["200 OK", "201 Created", "404 Not Found", "400 Bad Request"])
        await _write(writer, _reply(status, [b"<html>maintenance</html>", b"{}", b'{"order":'][kind - 1]))

    async def _half(self, reply: bytes, writer: asyncio.StreamWriter, chance: Random) -> None:
        """Promise more than comes."""
        length = _LENGTH.search(reply)
        assert length is not None
        more = b"\r\nContent-Length: %d" % (int(length[1]) + chance.choice([1, 7, 1000]))
        await _write(writer, reply[: length.start()] + more + reply[length.end() :])
        if chance.random() < 0.2:
            await asyncio.sleep(60)
        raise Cut

    # The exchange's side

    async def _sent(self, request: bytes) -> bytes:
        """Send a request to the exchange, and return its reply.

        Raises:
            Cut: the exchange is not there, or has gone.
        """
        for fresh in (False, True):
            try:
                reader, writer = (
                    self._idle.pop() if self._idle and not fresh else await asyncio.open_connection("127.0.0.1", self._to)
                )
            except OSError:
                raise Cut from None
            if writer.is_closing() or reader.at_eof():
                writer.transport.abort()
                continue
            try:
                writer.write(request)
                reply = await _message(reader)
            except (OSError, asyncio.IncompleteReadError):
                reply = None
            except BaseException:
                writer.transport.abort()
                raise
            if reply is None:
                writer.transport.abort()
                raise Cut
            self._idle.append((reader, writer))
            return reply.bytes
        raise Cut

    async def _begun(self, part: bytes) -> None:
        """Send the beginning of a request, and no more."""
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self._to)
            writer.write(part)
            await asyncio.sleep(0.01)
            writer.transport.abort()

    async def _sent_after(self, seconds: float, request: bytes) -> None:
        await asyncio.sleep(seconds)
        with contextlib.suppress(Cut):
            await self._sent(request)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    # WebSocket

    async def _stream(self, request: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers.add(back)
        upstream = asyncio.create_task(_pump(reader, back))
        try:
            back.write(request.bytes)
            await _write(writer, await there.readuntil(b"\r\n\r\n"))
            while True:
                frame = await _frame(there)
                fault, chance = self._faults.draw(_of_frame(frame), FRAMES)
                match fault:
                    case "frame delayed":
                        await asyncio.sleep(chance.uniform(0.005, 0.4))
                    case "frame twice":
                        await _write(writer, frame)
                    case "frame lost with its connection":
                        await _write(writer, frame[: chance.randrange(len(frame))])
                        raise Cut
                await _write(writer, frame)
        finally:
            upstream.cancel()
            back.transport.abort()
            self._writers.discard(back)
            await asyncio.gather(upstream, return_exceptions=True)


async def _message(reader: asyncio.StreamReader) -> Message | None:
    """Read a request or a reply; None where the other side has ended."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    length = _LENGTH.search(head)
    return Message(head, await reader.readexactly(int(length[1])) if length is not None else b"")


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """Read a WebSocket frame of a server, which is not masked."""
    head = await reader.readexactly(2)
    extended = {126: 2, 127: 8}.get(head[1] & 127, 0)
    more = await reader.readexactly(extended)
    return head + more + await reader.readexactly(int.from_bytes(more, "big") if extended else head[1] & 127)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(1 << 16):
            await _write(writer, piece)
        writer.transport.abort()


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


def _about(request: Message) -> tuple[str, float]:
    """Return what a request is about, without what differs from run to run, and how much of the faults befalls such."""
    method, target = request.head.split(b" ", 2)[:2]
    order = _ORDER.search(request.body) or _ORDER.search(request.head.split(b"\r\n", 1)[0])
    path = target.decode().partition("?")[0]
    if order is None:
        key = re.search(rb"x-api-key: *(\S+)", request.head, re.IGNORECASE)
        return f"{method.decode()} {path} {key[1].decode() if key else ''}", _BOOKS
    return f"{method.decode()} {path.rpartition('/')[2] == 'fence'} {order[1].decode()}", 1.0


def _of_frame(frame: bytes) -> str:
    with contextlib.suppress(ValueError):
        told = json.loads(frame[frame.index(b"{") :])
        return f"frame {told.get('seq', told.get('type'))}"
    return "frame"


def _refusal(chance: Random) -> bytes:
    status = chance.choice(list(_STATUSES))
    retry = b"Retry-After: %d\r\n" % chance.randrange(2) if status == 429 else b""
    return _reply(f"{status} {_STATUSES[status]}", b'{"error":{"code":"gateway","message":"not now"}}', retry)


def _reply(status: str, body: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n" % (status.encode(), len(body), headers) + body
