"""The bare loops: orders sent with the libraries alone, and nothing kept of them.

What is sent is what the tool sends: pairs of orders of the same accounts, markets, amounts and prices. Each worker places the
second order of a pair when the first is acknowledged, and begins the next pair when it has heard that both are filled, as a
run does, where nothing of a pair may meet the next.

    HTTP   one aiohttp session. It listens to the fills of every account on the exchange's stream, as whoever wants to know of
           the first order's fill must, and parses what comes. Its connections are there before the first order, as a run's are.
    FIX    the library's own initiator, with its numbers in memory

No status and no cancel is sent: a run sends none where every pair trades. What is left out is what the tool is for: budgets,
intents on the disk, looking up what is unknown, taking back what is left.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

import aiohttp
from fixcore.message.message import Message
from fixcore.session.session_id import SessionID

from tests.serving.exchange import ServedProcess
from tests.serving.fix_client import FixClient


class Order(NamedTuple):
    """What is to be sent for one slot, in words."""

    account: str
    market: str
    is_bid: bool
    quantity: str
    price: str
    counterparty: str


class Acknowledged(NamedTuple):
    """How long it took: all of it in seconds, and each order until its acknowledgement in ms."""

    seconds: float
    ms: list[float]


Send = Callable[[Order, str], Awaitable[None]]
"""Sends an order under a client order id, and returns when it is acknowledged."""


class Fills:
    """What was told of fills; each order has one, since both of a pair are for the same quantity."""

    def __init__(self) -> None:
        self._told: defaultdict[str, asyncio.Future[None]] = defaultdict(asyncio.get_running_loop().create_future)

    def tell(self, client_order_id: str) -> None:
        self._told[client_order_id].set_result(None)

    async def of(self, client_order_id: str) -> None:
        await self._told[client_order_id]


async def over_http(exchange: ServedProcess, orders: Sequence[Order], at_once: int, name: str) -> Acknowledged:
    """Send the orders with aiohttp, `name` being what their client order ids begin with."""
    accounts = sorted({order.account for order in orders})
    fills = Fills()
    async with AsyncExitStack() as left, aiohttp.ClientSession(exchange.http_url) as session:
        listening = []
        for account in accounts:
            socket = await left.enter_async_context(session.ws_connect("/stream", headers={"X-API-Key": exchange.key(account)}))
            await socket.send_json({"op": "subscribe", "channel": "fills"})
            assert (await socket.receive_json())["type"] == "subscribed"
            listening.append(asyncio.create_task(_listen(socket, fills)))

        async def send(order: Order, client_order_id: str) -> None:
            body = {
                "client_order_id": client_order_id,
                "market": order.market,
                "side": "buy" if order.is_bid else "sell",
                "type": "limit",
                "quantity": order.quantity,
                "price": order.price,
                "time_in_force": "GTC",
                "counterparty": order.counterparty,
            }
            async with session.post("/orders", json=body, headers={"X-API-Key": exchange.key(order.account)}) as response:
                answer = await response.json()
                assert response.status == 201, answer

        try:
            await asyncio.gather(*(_ask(session) for _ in range(at_once)))
            return await _timed(orders, at_once, name, send, fills)
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)


async def _ask(session: aiohttp.ClientSession) -> None:
    async with session.get("/health") as response:
        await response.read()


async def _listen(socket: aiohttp.ClientWebSocketResponse, fills: Fills) -> None:
    async for message in socket:
        fills.tell(json.loads(message.data)["client_order_id"])


async def over_fix(exchange: ServedProcess, orders: Sequence[Order], at_once: int, name: str) -> Acknowledged:
    """Send the orders with fixcore, as `name`, which is also what their ClOrdIDs begin with."""
    client = _Client(exchange.fix_port, name)
    async with client.initiator:
        await client.logged_on()
        took = await _timed(orders, at_once, name, client.send, client.fills)
        await client.session.send_logout()
        await client.logged_off()
    return took


class _Client(FixClient):
    """A session of its own that hears the first report about each order, and its fill."""

    def __init__(self, port: int, name: str) -> None:
        super().__init__(port, "FIX.4.4", name)
        self.fills = Fills()
        self._answers: dict[str, asyncio.Future[Message]] = {}

    def from_app(self, message: Message, session_id: SessionID) -> None:
        answer = self._answers.pop(message.get(11), None)
        if answer is not None:
            answer.set_result(message)
        elif message.get(150) == "F":
            self.fills.tell(message.get(11))

    async def send(self, order: Order, client_order_id: str) -> None:
        message = Message()
        message.header.set(35, "D")
        now = time.time()
        for tag, value in (
            (11, client_order_id),
            (1, order.account),
            (21, "1"),
            (55, order.market),
            (54, "1" if order.is_bid else "2"),
            (60, f"{time.strftime('%Y%m%d-%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}"),
            (38, order.quantity),
            (40, "2"),
            (44, order.price),
            (59, "1"),
            (20001, order.counterparty),
        ):
            message.set_field(tag, value)
        answer = self._answers[client_order_id] = asyncio.get_running_loop().create_future()
        await self.session.send_app(message)
        report = await answer
        assert report.get(39) == "0", report


async def _timed(orders: Sequence[Order], at_once: int, name: str, send: Send, fills: Fills) -> Acknowledged:
    """Have so many workers place pairs, one after another each; an account has one pair at a time, or pairs would mix."""
    ms: list[float] = []
    left: Iterator[int] = iter(range(0, len(orders), 2))
    turns = defaultdict[str, asyncio.Lock](asyncio.Lock)

    async def work() -> None:
        for first in left:
            one, other = sorted((orders[first].account, orders[first + 1].account))
            async with turns[one], turns[other]:
                await place(first)

    async def place(first: int) -> None:
        for number in (first, first + 1):
            started = time.perf_counter()
            await send(orders[number], f"{name}-{number}")
            ms.append((time.perf_counter() - started) * 1000)
        for number in (first, first + 1):
            await fills.of(f"{name}-{number}")

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return Acknowledged(time.perf_counter() - started, ms)
