"""The stream: what a subscriber is told, from when on, and what becomes of one that does not listen."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.serving import stream
from orderbook_tui.serving.openapi import description
from orderbook_tui.serving.orders import Reason
from orderbook_tui.serving.served import ServedExchange
from tests.serving.exchange import in_this_loop
from tests.serving.test_rest import check_shape

Talk = Callable[[ServedExchange, ClientSession], Coroutine[Any, Any, None]]


def talking(talk: Talk) -> None:
    async def run() -> None:
        async with in_this_loop() as (exchange, client), asyncio.timeout(20):
            await talk(exchange, client)

    asyncio.run(run())


def place(
    exchange: ServedExchange, account: str, name: str, side: Side, *, time_in_force: TimeInForce = TimeInForce.GTC
) -> None:
    owner = exchange.account(account)
    assert owner is not None
    order = exchange.new_order(owner, name, "BTC-USD", side, Decimal(100), Decimal("0.001"), time_in_force)
    exchange.place(order)


def trade(exchange: ServedExchange, name: str) -> None:
    """alice buys from bob: two events of acceptance, and two fills."""
    place(exchange, "alice", f"a{name}", Side.BID)
    place(exchange, "bob", f"b{name}", Side.ASK)


async def subscribed(client: ClientSession, key: str, since: int | None = None) -> ClientWebSocketResponse:
    told_by = await client.ws_connect(f"/stream?key={key}")
    await told_by.send_json({"op": "subscribe", "channel": "fills"} | ({} if since is None else {"since": since}))
    assert (await told_by.receive_json())["type"] == "subscribed"
    return told_by


def test_each_account_is_told_its_own_fills() -> None:
    async def talk(exchange: ServedExchange, client: ClientSession) -> None:
        alice, bob = await subscribed(client, "key-alice"), await subscribed(client, "key-bob")
        trade(exchange, "1")
        told = [await told_by.receive_json() for told_by in (alice, bob)]
        assert [(fill["client_order_id"], fill["liquidity"], fill["counterparty"]) for fill in told] == [
            ("a1", "maker", "bob"),
            ("b1", "taker", "alice"),
        ]
        for fill in told:
            check_shape(description()["components"]["schemas"]["FillMessage"], fill)

    talking(talk)


def test_what_was_missed_is_replayed_and_nothing_twice() -> None:
    async def talk(exchange: ServedExchange, client: ClientSession) -> None:
        for number in range(3):
            trade(exchange, str(number))
        told_by = await subscribed(client, "key-operator", 0)
        told = [await told_by.receive_json() for _ in range(6)]
        assert [fill["seq"] for fill in told] == [3, 4, 7, 8, 11, 12]
        await told_by.close()
        trade(exchange, "3")
        told_by = await subscribed(client, "key-operator", told[2]["seq"])
        trade(exchange, "4")
        assert [(await told_by.receive_json())["seq"] for _ in range(7)] == [8, 11, 12, 15, 16, 19, 20]

    talking(talk)


def test_without_since_only_what_is_to_come_is_told() -> None:
    async def talk(exchange: ServedExchange, client: ClientSession) -> None:
        trade(exchange, "1")
        told_by = await subscribed(client, "key-alice")
        trade(exchange, "2")
        assert (await told_by.receive_json())["client_order_id"] == "a2"

    talking(talk)


def test_a_cancel_that_the_owner_did_not_ask_for_is_told_and_no_other() -> None:
    async def talk(exchange: ServedExchange, client: ClientSession) -> None:
        told_by = await subscribed(client, "key-alice")
        for name in ("own", "operator's"):
            place(exchange, "alice", name, Side.BID)
            order = exchange.ledger.order("alice", name)
            assert order is not None
            exchange.cancel(order, Reason.REQUESTED if name == "own" else Reason.OPERATOR)
        place(exchange, "alice", "ioc", Side.BID, time_in_force=TimeInForce.IOC)
        told = [await told_by.receive_json() for _ in range(2)]
        assert [(each["type"], each["client_order_id"], each["status"], each["reason"]) for each in told] == [
            ("order", "operator's", "cancelled", "operator"),
            ("order", "ioc", "cancelled", "time_in_force"),
        ]
        check_shape(description()["components"]["schemas"]["CancelMessage"], told[0])

    talking(talk)


def test_a_stream_needs_a_key() -> None:
    async def talk(exchange: ServedExchange, client: ClientSession) -> None:
        with pytest.raises(WSServerHandshakeError, match="401"):
            await client.ws_connect("/stream?key=wrong")
        told_by = await client.ws_connect("/stream", headers={"X-API-Key": "key-alice"})
        await told_by.close()

    talking(talk)


def test_nonsense_is_answered_and_the_stream_goes_on() -> None:
    async def talk(exchange: ServedExchange, client: ClientSession) -> None:
        told_by = await client.ws_connect("/stream?key=key-alice")
        for text in ("", "{", '{"op": "sing"}', '{"op": "subscribe", "since": "x"}', "[" * 3000):
            await told_by.send_str(text)
            assert (await told_by.receive_json())["type"] == "error"
        for since in (10**30, -5):
            await told_by.send_json({"op": "subscribe", "since": since})
            assert (await told_by.receive_json())["type"] == "subscribed"

    talking(talk)


def test_who_does_not_read_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LONGEST_WAIT_S", 0.2)

    async def talk(exchange: ServedExchange, client: ClientSession) -> None:
        for number in range(500):
            trade(exchange, str(number))
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with client.get("/health") as answer:
            connection.connect((answer.url.host, answer.url.port))
        reader, writer = await asyncio.open_connection(sock=connection, limit=64)
        writer.write(
            b"GET /stream?key=key-operator HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        # A masked text frame whose mask is zero: the text as it is.
        text = b'{"op":"subscribe","since":0}'
        writer.write(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
        await asyncio.sleep(1)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(100_000_000)
        writer.close()
        assert (await (await subscribed(client, "key-operator", 0)).receive()).type is WSMsgType.TEXT

    talking(talk)
