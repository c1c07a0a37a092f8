"""The FIX wire: messages between a run's sessions and the exchange, carried badly.

What comes is cut into messages (8=FIX...9=length...10=sum), and each goes on whole, once and in its place, unless its fault
says otherwise. Faults at the level of messages make numbers come twice, out of order, or not at all; those of the connection
leave a message cut in two, a side that hears nothing any more, or an exchange that gets what was on its way when the run has
long connected anew.
"""

import asyncio
import contextlib
import re
from collections.abc import Coroutine
from random import Random
from typing import Any, Final

from tests.wire.faults import Faults

MESSAGES: Final = {
    "delayed": 15,
    "delayed for long": 3,
    "in pieces": 10,
    "sent twice": 5,
    "held back": 5,
    "lost": 4,
    "garbled": 3,
    "garbage before it": 3,
    "cut before": 5,
    "cut inside": 5,
    "cut after": 5,
    "cut, and arrives later": 4,
    "silence from here on": 1,
}
"""Of a thousand messages, how many each fault befalls."""
_ADMINISTRATION: Final = 0.5
"""The session's own messages are fewer, but each fault in them costs a connection."""
_SOH: Final = b"\x01"
_KIND: Final = re.compile(rb"\x0135=([^\x01]*)")
_NAME: Final = re.compile(rb"\x01(?:41|11)=[^\x01]*?-([0-9a-z]+-[0-9a-z]+)\x01")
_SENDER: Final = re.compile(rb"\x0149=([^\x01]*)\x0156=([^\x01]*)")
_TRAILER: Final = 7
"""Bytes of `10=nnn` and its end."""


class Cut(Exception):
    """The connection is to end here."""


class FixWire:
    """A server on loopback that passes on what it gets to the exchange on `port`."""

    def __init__(self, port: int, faults: Faults) -> None:
        self._to, self._faults = port, faults
        self.port = 0
        self.requests = 0
        """How many messages the run has sent that are about orders."""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._late: set[asyncio.Task[None]] = set()

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
        for task in (*self._tasks, *self._late):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._late, return_exceptions=True)
        await asyncio.sleep(0)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done when the connection it was about may be gone."""
        task = asyncio.create_task(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        back: asyncio.StreamWriter | None = None
        lanes: list[_Lane] = []
        pumps: list[asyncio.Task[None]] = []
        try:
            # Cancelled is what it is when the wire is closed: asyncio would complain of that.
            with contextlib.suppress(OSError, asyncio.CancelledError):
                there, back = await asyncio.open_connection("127.0.0.1", self._to)
                lanes = [_Lane(self, self._faults, reader, back, is_ours=True), _Lane(self, self._faults, there, writer)]
                pumps = [asyncio.create_task(lane.run()) for lane in lanes]
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            writer.transport.abort()
            # What is still to arrive has a connection to arrive on.
            if back is not None and not any(lane.is_owed for lane in lanes):
                back.transport.abort()
            self._tasks.discard(task)


class _Lane:
    """One direction of one connection."""

    def __init__(
        self,
        wire: FixWire,
        faults: Faults,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        is_ours: bool = False,
    ) -> None:
        self._wire, self._faults, self._reader, self._writer, self._is_ours = wire, faults, reader, writer, is_ours
        self._held: list[bytes] = []
        self.is_owed = False
        """Whether something arrives here when the other side has gone."""

    async def run(self) -> None:
        """Carry messages until one of the sides ends, or a fault ends both."""
        waiting = b""
        with contextlib.suppress(OSError, Cut):
            while piece := await self._reader.read(1 << 16):
                waiting += piece
                while (message := _first(waiting)) is not None:
                    waiting = waiting[len(message) :]
                    await self._carry(message)
                if self._held and not waiting:
                    self._wire.later(self._release_after(0.05))
            await self._write(waiting)

    async def _carry(self, message: bytes) -> None:
        kind = _KIND.search(message)
        assert kind is not None
        is_about_order = kind[1] in (b"D", b"F", b"H")
        self._wire.requests += is_about_order and self._is_ours
        about, share = self._about(message, kind[1])
        fault, chance = self._faults.draw(about, MESSAGES, share)
        match fault:
            case "delayed":
                await asyncio.sleep(chance.uniform(0.005, 0.08))
            case "delayed for long":
                await asyncio.sleep(chance.uniform(0.2, 0.6))
            case "in pieces":
                middle = chance.randrange(1, len(message))
                await self._write(message[:middle])
                await asyncio.sleep(chance.uniform(0.0, 0.02))
                message = message[middle:]
            case "sent twice":
                await self._write(message)
            case "held back":
                self._held.append(message)
                return
            case "lost":
                return
            case "garbled":
                message = _garbled(message, chance)
            case "garbage before it":
                await self._write(chance.randbytes(chance.randrange(1, 40)))
            case "cut before":
                raise Cut
            case "cut inside":
                await self._write(message[: chance.randrange(1, len(message))])
                await asyncio.sleep(0)
                raise Cut
            case "cut after":
                await self._write(message)
                await asyncio.sleep(chance.choice([0.0, 0.002]))
                raise Cut
            case "cut, and arrives later":
                if self._is_ours:
                    self.is_owed = True
                    self._wire.later(self._written_after(chance.uniform(0.0, 0.8), message))
                raise Cut
            case "silence from here on":
                while await self._reader.read(1 << 16):
                    pass
                raise Cut
        await self._write(message)
        held, self._held = self._held, []
        for each in held:
            await self._write(each)

    def _about(self, message: bytes, kind: bytes) -> tuple[str, float]:
        """Return what a message is about, without what differs from run to run, and how much of the faults befalls such."""
        way = "to the exchange" if self._is_ours else "from the exchange"
        name = _NAME.search(message)
        if name is not None:
            return f"{way} {kind.decode()} {name[1].decode()}", 1.0
        names = _SENDER.search(message)
        return f"{way} {kind.decode()} {names[0].decode() if names is not None else ''}", _ADMINISTRATION

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def _release_after(self, seconds: float) -> None:
        """Let go of what is held back, though nothing has overtaken it."""
        await asyncio.sleep(seconds)
        held, self._held = self._held, []
        with contextlib.suppress(OSError):
            for each in held:
                await self._write(each)

    async def _written_after(self, seconds: float, message: bytes) -> None:
        await asyncio.sleep(seconds)
        with contextlib.suppress(OSError):
            await self._write(message)
        await asyncio.sleep(0.05)
        self._writer.transport.abort()


def _first(data: bytes) -> bytes | None:
    """Return the first whole message; None where there is none yet. What is no message goes on as it is."""
    if not data:
        return None
    start = data.find(b"9=")
    end = data.find(_SOH, start)
    if start < 0 or end < 0:
        return None
    length = data[start + 2 : end]
    whole = end + 1 + int(length) + _TRAILER
    return data[:whole] if len(data) >= whole else None


def _garbled(message: bytes, chance: Random) -> bytes:
    """Return a message with one letter changed somewhere in its body, so that its sum is wrong."""
    start = message.index(b"\x0135=") + 4
    place = chance.randrange(start, len(message) - _TRAILER)
    letter = message[place]
    if letter == 1:
        return message[: -_TRAILER + 3] + b"%03d\x01" % ((int(message[-4:-1]) + 1) % 256)
    return message[:place] + bytes([letter ^ 1 if letter ^ 1 != 1 else letter ^ 2]) + message[place + 1 :]
