"""A slow venue in a process of its own: it outlives whoever trades there, and remembers every order that it took.

Requests and answers are lines of JSON on a Unix socket. Each book is a venue of its own:

    {"do": "place", "book": b, "id": client order id, "slot": n, "attempt": m}   -> {"order": number} | {"refused": why}
    {"do": "look up", "book": b, "id": client order id}                          -> {"order": number} | {"order": null}
    {"do": "tell", "book": b}                                                    -> {"orders": [[id, slot, number], ...]}

An order arrives late, and later still where who sent it has died: it may be looked up, and declared absent, before it is
there. What was declared absent is refused when it arrives.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.kills.ending import end_with

SHORT_S: Final = 0.004
"""The longest that an order is on its way; the answer takes half of that."""
LONG_S: Final = 1.0
"""The longest that an order is on its way whose sender has died."""
DEDUPLICATING: Final = "once"
"""A book whose name ends so takes each client order id once; others take all that comes."""
PROMPT: Final = "prompt"
"""A book whose name begins so answers at once."""
BUSY_FOR: Final = 7
"""One slot of so many is refused at its first attempt, by a book that does not deduplicate."""


class Book:
    """The orders of one venue."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.orders: list[tuple[str, int, int]] = []
        self.absent: set[str] = set()
        self.on_their_way = 0
        self.quiet = asyncio.Event()
        """Set while nothing is on its way."""
        self.quiet.set()
        self.late = Counter[str]()

    def number(self, order: str) -> int | None:
        """Return the number of the order of this client order id."""
        return next((number for client, _, number in self.orders if client == order), None)

    def take(self, order: str, slot: int, attempt: int) -> dict[str, Any]:
        """An order has arrived."""
        if order in self.absent:
            self.late["refused"] += 1
            return {"refused": "it was declared absent"}
        if not self.name.endswith(DEDUPLICATING) and slot % BUSY_FOR == 0 and attempt == 1:
            return {"refused": "try again later"}
        known = self.number(order) if self.name.endswith(DEDUPLICATING) else None
        if known is not None:
            self.late["known"] += 1
            return {"order": known}
        self.orders.append((order, slot, len(self.orders) + 1))
        return {"order": len(self.orders)}

    def look_up(self, order: str) -> dict[str, Any]:
        """Say which order that is; where there is none, there never will be."""
        number = self.number(order)
        if number is None:
            self.absent.add(order)
            self.late["absent"] += 1
        else:
            self.late["found"] += 1
        return {"order": number}


class _Server:
    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._books: dict[str, Book] = {}

    async def serve(self, listening: socket.socket) -> None:
        server = await asyncio.start_unix_server(self._talk, sock=listening)
        async with server:
            await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                answer = await self._answer(json.loads(line), reader)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, request: dict[str, Any], reader: asyncio.StreamReader) -> dict[str, Any]:
        book = self._books.setdefault(request["book"], Book(request["book"]))
        if request["do"] == "tell":
            await book.quiet.wait()
            return {"orders": self._books.pop(book.name).orders, "late": book.late}
        prompt = book.name.startswith(PROMPT)
        if request["do"] == "look up":
            answer = book.look_up(request["id"])
        else:
            book.on_their_way += 1
            book.quiet.clear()
            try:
                if not prompt:
                    await asyncio.sleep(self._chance.uniform(0, SHORT_S))
                    if reader.at_eof():
                        await asyncio.sleep(self._chance.uniform(0, LONG_S))
                answer = book.take(request["id"], request["slot"], request["attempt"])
            finally:
                book.on_their_way -= 1
                if not book.on_their_way:
                    book.quiet.set()
        if not prompt:
            await asyncio.sleep(self._chance.uniform(0, SHORT_S / 2))
        return answer


class SlowVenue:
    """The venue's process, from entering this to leaving it. Its socket is the file `path`."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path, self._seed = path, seed

    def __enter__(self) -> Self:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self.path))
            listening.listen(64)
            parent = os.getpid()
            self._process = os.fork()
            if self._process == 0:
                try:
                    end_with(parent)
                    asyncio.run(_Server(self._seed).serve(listening))
                finally:
                    os._exit(1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        self.path.unlink()

    def tell(self, book: str) -> tuple[list[tuple[str, int, int]], dict[str, int]]:
        """Return the orders of a book once nothing is on its way there any more, and forget it."""
        told = asked(self.path, {"do": "tell", "book": book})
        return [(client, slot, number) for client, slot, number in told["orders"]], told["late"]


def asked(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Ask the venue behind the socket `path`, and wait for the answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        with connection.makefile("rw") as lines:
            lines.write(json.dumps(request) + "\n")
            lines.flush()
            answer = lines.readline()
    if not answer:
        raise ConnectionResetError("the venue hung up")
    found: dict[str, Any] = json.loads(answer)
    return found
