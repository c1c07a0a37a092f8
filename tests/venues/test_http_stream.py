"""Executions as an exchange tells them over WebSocket."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from orderbook_tui.venues.http.venue import HttpVenue
from tests.venues.http_exchange import STATUS, Heard, ScriptedExchange, talking
from tests.venues.test_http_venue import OPEN, at

STREAM: dict[str, Any] = {
    "url": "/stream",
    "subscribe": [{"op": "subscribe", "since": "{since:int?}"}],
    "subscribed": "type == 'subscribed'",
    "is_closed": "type == 'order' && status == 'cancelled'",
    "sequence": "seq",
    "reconnect_ms": 10,
}


def a_fill(number: int = 1, **more: Any) -> dict[str, Any]:
    facts = {"execution_id": f"e{number}", "price": "100", "quantity": "4", "fee": "0", "counterparty": "b"}
    return {"type": "fill", "seq": number, "client_order_id": "run-0-0", **facts, **more}


async def until(holds: Any) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - the other side has no event for it
            await asyncio.sleep(0.005)


def heard_of(*messages: Any, waiting_for: Any = None) -> Heard:
    """What is heard of some messages."""

    async def scene(exchange: ScriptedExchange) -> Heard:
        async with talking(exchange, stream=STREAM) as (_, _slot, heard):
            for message in messages:
                if isinstance(message, str):
                    await exchange.sockets[0].send_str(message)
                else:
                    await exchange.sockets[0].send_json(message)
            await until(lambda: waiting_for(heard) if waiting_for else heard.executions)
            return heard

    found: Heard = at(scene)
    return found


def names(heard: Heard) -> list[str | None]:
    return [execution.id for execution in heard.executions]


def test_a_fill_is_heard() -> None:
    (execution,) = heard_of(a_fill()).executions
    assert (execution.maker, execution.price, execution.quantity, execution.outside) == (0, 100, 4, "b")


def test_what_is_no_fill_is_overheard() -> None:
    assert names(heard_of({"type": "hello"}, "no json", "[1, 2]", "null", "[" * 5_000, a_fill())) == ["e1"]


def test_fills_may_come_several_at_a_time() -> None:
    async def scene(exchange: ScriptedExchange) -> Heard:
        stream = {**STREAM, "is_fill": "fills", "fills": "fills"}
        async with talking(exchange, stream=stream) as (_, _slot, heard):
            await exchange.sockets[0].send_json({"fills": [a_fill(1), a_fill(2)]})
            await until(lambda: len(heard.executions) == 2)
            return heard

    assert names(at(scene)) == ["e1", "e2"]


def test_an_order_that_the_exchange_closes_is_heard_of() -> None:
    message = {"type": "order", "status": "cancelled", "client_order_id": "run-0-0"}
    assert len(heard_of(message, waiting_for=lambda heard: heard.ended).ended) == 1


@pytest.mark.parametrize("wrong", [{"price": "NaN"}, {"quantity": None}, {"price": "101"}])
def test_a_fill_that_can_be_none_is_told_of(wrong: dict[str, Any]) -> None:
    heard = heard_of(a_fill(**wrong), waiting_for=lambda heard: heard.strays)
    assert heard.executions == []


def test_a_fill_of_an_order_that_is_dead_is_told_of() -> None:
    heard = heard_of(a_fill(client_order_id="run-0-5"), waiting_for=lambda heard: heard.strays)
    assert heard.strays == ["order run-0-5 is none that is expected any more"]


def test_fills_of_others_are_nobodys() -> None:
    assert names(heard_of(a_fill(1, client_order_id="other-0-0"), a_fill(2))) == ["e2"]


def test_a_fill_by_order_id_waits_for_the_answer_to_the_order() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("/orders", OPEN)
        async with talking(exchange, stream=STREAM) as (venue, slot, heard):
            fill = {**a_fill(), "order_id": "7"}
            del fill["client_order_id"]
            await exchange.sockets[0].send_json(fill)
            await exchange.sockets[0].send_json(fill)
            await asyncio.sleep(0.05)
            before = names(heard)
            await venue.place(slot, 10)
            await until(lambda: heard.executions)
            return before, names(heard)

    assert at(scene) == ([], ["e1"])


def test_a_lost_connection_is_made_again_from_where_it_was() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        async with talking(exchange, stream=STREAM) as (_, _slot, heard):
            await exchange.sockets[0].send_json(a_fill(17))
            await until(lambda: heard.executions)
            await exchange.sockets[0].close()
            await until(lambda: len(exchange.subscribed) == 2)
            await exchange.sockets[1].send_json(a_fill(18))
            await until(lambda: len(heard.executions) == 2)
            return exchange.subscribed

    assert at(scene) == [{"op": "subscribe"}, {"op": "subscribe", "since": 17}]


def test_what_was_missed_while_nobody_listened_is_asked_for() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        fill = a_fill(9)
        exchange.answer("/orders", OPEN)
        exchange.answer("/orders/run-0-0", (200, {"order_id": "7", "status": "filled", "fills": [fill]}))
        async with talking(exchange, stream=STREAM, status=STATUS) as (venue, slot, heard):
            await venue.place(slot, 10)
            slot.open = 10
            await exchange.sockets[0].close()
            await until(lambda: heard.ended)
            return names(heard)

    assert at(scene) == ["e9"]


async def _refuse(socket: web.WebSocketResponse) -> None:
    await socket.close()


async def _shout(socket: web.WebSocketResponse) -> None:
    await socket.send_str("x" * (1 << 21))


@pytest.mark.parametrize("behaviour", [_refuse, _shout])
def test_an_exchange_that_breaks_the_connection_is_connected_to_again(behaviour: Any) -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.on_socket = [behaviour, behaviour]
        async with talking(exchange, stream=STREAM) as (_, _slot, heard):
            await until(lambda: len(exchange.subscribed) >= 1 and len(exchange.sockets) >= 3)
            await exchange.sockets[-1].send_json(a_fill())
            await until(lambda: heard.executions)
            return names(heard)

    assert at(scene) == ["e1"]


def test_accounts_with_keys_of_their_own_have_connections_of_their_own() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        async with talking(exchange, stream=STREAM, headers={"X-Key": "key-{account}"}):
            return sorted(each.headers["X-Key"] for each in exchange.asked)

    assert at(scene) == ["key-a", "key-b"]


def test_one_key_has_one_connection() -> None:
    async def scene(exchange: ScriptedExchange) -> int:
        async with talking(exchange, stream=STREAM, headers={"X-Key": "key"}):
            return len(exchange.sockets)

    assert at(scene) == 1


def test_an_order_that_is_closed_before_its_fill_is_told_is_asked_about() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("/orders", OPEN)
        exchange.answer("/orders/run-0-0", (200, {"order_id": "7", "status": "cancelled", "fills": [a_fill(3)]}))
        async with talking(exchange, stream=STREAM, status=STATUS) as (_, _slot, heard):
            await exchange.sockets[0].send_json({"type": "order", "status": "cancelled", "client_order_id": "run-0-0"})
            await until(lambda: heard.ended)
            return names(heard)

    assert at(scene) == ["e3"]


def test_a_subscription_may_be_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_TEST", "Jefe")
    stream = {**STREAM, "subscribe": [{"sign": "{signature}"}], "sign": "what do ya want for nothing?"}

    async def scene(exchange: ScriptedExchange) -> Any:
        async with talking(exchange, stream=stream, signing={"secret": "${env:SECRET_OF_TEST}"}):
            return exchange.subscribed

    signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert at(scene) == [{"sign": signature}]


def test_a_stream_that_is_refused_is_told_of() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("/other", (401, {}))
        async with talking(exchange, stream={**STREAM, "url": "/other"}) as (_, _slot, heard):
            await until(lambda: heard.strays)
            return heard.strays[0]

    assert "401" in at(scene)


def test_nothing_is_left_of_a_stream_that_was_closed() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        venue: HttpVenue
        async with talking(exchange, stream=STREAM) as (venue, _slot, _heard):
            pass
        return venue.listener, len(asyncio.all_tasks()) < 10

    assert at(scene)[0] is None
