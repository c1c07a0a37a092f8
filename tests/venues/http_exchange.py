"""A small exchange of the tests' own over HTTP, that answers what it is told to, and venues that speak to it."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

from aiohttp import WSMsgType, web

from orderbook_tui.config.http import HttpVenueSpec
from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import SimulationState
from orderbook_tui.venues.http.venue import HttpVenue
from tests.builders import a_plan, ask, bid, slots_of, small_market

MARKET = small_market()
PLACE: dict[str, Any] = {"path": "/orders", "body": {"id": "{client_order_id}", "q": "{quantity:number}", "p": "{price}"}}
STATUS = {"path": "/orders/{client_order_id}"}
TEN_PERCENT = 10**9


class Asked(NamedTuple):
    """A request as the exchange got it."""

    method: str
    target: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = web.StreamResponse | Callable[[web.Request], Awaitable[web.StreamResponse]]


class ScriptedExchange:
    """Answers each path with what was put there, one after another; the last answer stays."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.subscribed: list[Any] = []
        self.on_socket: list[Callable[[web.WebSocketResponse], Awaitable[None]]] = []
        self._answers: dict[str, list[Answer | tuple[int, Any]]] = {}

    def answer(self, path: str, *answers: Any) -> None:
        """Put answers there: (status, JSON), (status, JSON, headers), or what handles a request."""
        self._answers[path] = list(answers)

    def paths(self, method: str | None = None) -> list[str]:
        return [each.target for each in self.asked if method in (None, each.method)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(
            Asked(request.method, request.raw_path, dict(request.headers), (await request.read()).decode("utf-8", "replace"))
        )
        waiting = self._answers.get(request.path) or self._answers.get("*") or [(404, {"error": "nothing there"})]
        found: Any = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if callable(found):
            answer: web.StreamResponse = await found(request)
            return answer
        status, body, *headers = found
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(status=status, body=content, headers=headers[0] if headers else None)

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=1 << 22)
        await socket.prepare(request)
        self.asked.append(Asked("STREAM", request.raw_path, dict(request.headers), ""))
        self.sockets.append(socket)
        if self.on_socket:
            await self.on_socket.pop(0)(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.subscribed.append(json.loads(message.data))
                await socket.send_json({"type": "subscribed"})
        return socket


@asynccontextmanager
async def an_exchange() -> AsyncIterator[ScriptedExchange]:
    """Serve one on a free port of this machine."""
    exchange = ScriptedExchange()
    application = web.Application(client_max_size=1 << 24)
    application.router.add_get("/stream", exchange.stream)
    application.router.add_route("*", "/{anything:.*}", exchange.handle)
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        exchange.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield exchange
    finally:
        for socket in exchange.sockets:
            await socket.close()
        await runner.cleanup()


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.executions: list[Execution] = []
        self.ended: list[ActionSlot] = []
        self.strays: list[str] = []

    def executed(self, execution: Execution) -> None:
        self.executions.append(execution)

    def closed(self, slot: ActionSlot) -> None:
        self.ended.append(slot)

    def stray(self, words: str, slot: ActionSlot | None = None) -> None:
        self.strays.append(words)


def a_pair() -> list[ActionSlot]:
    """Slots of a pair of 10 lots at 100, of accounts a and b."""
    slots = slots_of(("a", bid(MARKET, 10, 100, only="b")), ("b", ask(MARKET, 10, 100, only="a")))
    for slot in slots:
        slot.run = "run"
    return slots


def a_venue(url: str, slots: Iterable[ActionSlot] | None = None, **section: Any) -> HttpVenue:
    """A venue of two slots at that exchange."""
    slots = list(slots or a_pair())
    spec = HttpVenueSpec.model_validate({"base_url": url, "place": PLACE, "timeout_ms": 2000, **section})
    return HttpVenue(spec, SimulationState(slots, plan=a_plan(slots, fees=FeeSchedule(TEN_PERCENT, TEN_PERCENT))))


@asynccontextmanager
async def talking(exchange: ScriptedExchange, **section: Any) -> AsyncIterator[tuple[HttpVenue, ActionSlot, Heard]]:
    """An open venue, the first slot of its pair, and what hears."""
    heard = Heard()
    venue = a_venue(exchange.url, **section)
    await venue.open(heard)
    try:
        yield venue, venue.slots[0], heard
    finally:
        await venue.close()


@contextmanager
def exchange_in_a_thread() -> Iterator[ScriptedExchange]:
    """Serve one from a loop of its own, for programs that bring theirs."""
    started: Future[ScriptedExchange] = Future()
    loop = asyncio.new_event_loop()

    async def serve(ended: asyncio.Event) -> None:
        async with an_exchange() as exchange:
            started.set_result(exchange)
            await ended.wait()

    ended = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(ended),), daemon=True)
    thread.start()
    try:
        yield started.result(10)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()
