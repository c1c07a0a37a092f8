"""The stream: fills, and cancels that nobody asked for, as they happen, over WebSocket.

    client   {"op": "subscribe", "channel": "fills", "since": 17}
    server   {"type": "subscribed", ...}, then {"type": "fill", "seq": 21, ...}, {"type": "order", "seq": 22, ...}

A subscriber is a place in the ledger's list of events, nothing is queued for it: one that reads slowly holds no memory, and one
that does not read at all is disconnected. It comes back with `since` and has missed nothing.
"""

import asyncio
from contextlib import suppress
from typing import Final, Literal

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from orderbook_tui.serving.documents import event_document
from orderbook_tui.serving.keys import Caller, KeyRing, Unauthorized
from orderbook_tui.serving.orders import Event, EventKind, Reason
from orderbook_tui.serving.served import ServedExchange

LONGEST_WAIT_S: Final = 10.0
"""How long a subscriber may leave a message unread that its buffer has no room for."""
_LARGEST_MESSAGE: Final = 4096
_PIECE: Final = 1000
"""Events that are looked through before others get their turn."""


class Subscribe(msgspec.Struct, forbid_unknown_fields=True):
    """What a client sends."""

    op: Literal["subscribe"]
    channel: Literal["fills"] = "fills"
    since: int | None = None
    """The last event that the client has seen; None: only what happens from now on."""


_decode = msgspec.json.Decoder(Subscribe).decode
_encode = msgspec.json.Encoder().encode


class Stream:
    """The subscribers of all accounts."""

    def __init__(self, exchange: ServedExchange, keys: KeyRing) -> None:
        self._exchange = exchange
        self._keys = keys
        self._news = asyncio.Event()
        self._sockets: set[web.WebSocketResponse] = set()
        exchange.listeners.append(self._listen)

    async def close(self, _: web.Application) -> None:
        """Say goodbye to all subscribers."""
        for socket in list(self._sockets):
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(socket.close(code=WSCloseCode.GOING_AWAY, message=b"the exchange is ending"), 1)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one subscriber from its first word to its last."""
        caller = self._keys.caller(request.headers, request.method, request.raw_path, b"", key=request.query.get("key"))
        if caller.account is None and not caller.is_operator:
            raise Unauthorized("that key is nobody's")
        socket = web.WebSocketResponse(heartbeat=30, max_msg_size=_LARGEST_MESSAGE, compress=False)
        await socket.prepare(request)
        self._sockets.add(socket)
        telling: asyncio.Task[None] | None = None
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                try:
                    wanted = _decode(message.data)
                except (msgspec.DecodeError, RecursionError) as error:
                    await socket.send_str(_text({"type": "error", "code": "malformed", "message": str(error)}))
                    continue
                last = len(self._exchange.ledger.events)
                since = last if wanted.since is None else min(max(wanted.since, 0), last)
                if telling is not None:
                    await _ended(telling)
                await socket.send_str(
                    _text({"type": "subscribed", "channel": wanted.channel, "since": since, "last_seq": last})
                )
                telling = asyncio.create_task(self._tell(socket, caller, since, request))
        finally:
            self._sockets.discard(socket)
            if telling is not None:
                await _ended(telling)
        return socket

    def _listen(self, events: list[Event]) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _tell(self, socket: web.WebSocketResponse, caller: Caller, seen: int, request: web.Request) -> None:
        """Send everything after `seen` that concerns the caller, and what comes later."""
        events = self._exchange.ledger.events
        account = None if caller.account is None else caller.account.id
        try:
            while True:
                news = self._news
                while seen < len(events) and not self._exchange.failed:
                    for event in events[seen : seen + _PIECE]:
                        seen = event.seq
                        if _is_news(event) and account in (None, event.order.new.account.id):
                            async with asyncio.timeout(LONGEST_WAIT_S):
                                await socket.send_str(_text(event_document(event)))
                    await asyncio.sleep(0)
                await news.wait()
        except TimeoutError:
            # Nothing more can be told to whoever does not read, not even goodbye.
            if request.transport is not None:
                request.transport.abort()
        except (ConnectionError, RuntimeError):
            pass  # it has gone: whoever reads its messages sees that too


def _is_news(event: Event) -> bool:
    """Whether the owner of the order cannot know it from an answer."""
    return event.kind is EventKind.FILL or (event.kind is EventKind.CANCELLED and event.reason is not Reason.REQUESTED)


def _text(document: dict[str, object]) -> str:
    return _encode(document).decode()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
