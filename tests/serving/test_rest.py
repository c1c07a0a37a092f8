"""The REST face: what each request answers, and that the description says so."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiohttp import ClientSession

from orderbook_tui.serving.keys import KeyRing
from orderbook_tui.serving.openapi import description
from orderbook_tui.serving.rest import Rest
from tests.serving.exchange import TWO_TRADERS, in_this_loop

ALICE, BOB = {"X-API-Key": "key-alice"}, {"X-API-Key": "key-bob"}
OPERATOR = {"X-API-Key": "key-operator"}

Talk = Callable[[ClientSession], Coroutine[Any, Any, None]]


def talking(talk: Talk, **config: Any) -> None:
    async def run() -> None:
        async with in_this_loop(TWO_TRADERS | config) as (_, client):
            await talk(client)

    asyncio.run(run())


def an_order(name: str, side: str = "buy", price: str = "100", quantity: str = "1", **more: object) -> dict[str, object]:
    return {"client_order_id": name, "market": "BTC-USD", "side": side, "price": price, "quantity": quantity} | more


async def ask(
    client: ClientSession, method: str, path: str, headers: dict[str, str] | None = None, body: object = None
) -> tuple[int, Any]:
    """Return the status and the answer, which must be what the description says."""
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    async with client.request(method, path, headers=ALICE if headers is None else headers, data=data) as answer:
        document = await answer.json()
        check_described(method, path.partition("?")[0], answer.status, document)
        return answer.status, document


def check_described(method: str, path: str, status: int, document: object) -> None:
    """Check an answer against the description's schema for it."""
    paths = description()["paths"]
    for template, operations in paths.items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in operations:
            responses = operations[method.lower()]["responses"]
            check_shape(responses[str(status)]["content"]["application/json"]["schema"], document)


def check_shape(schema: dict[str, Any], document: object, where: str = "") -> None:
    """A small structural validator: enough for the schemas that we write."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        return check_shape(description()["components"]["schemas"][name], document, f"{where}<{name}>")
    if "anyOf" in schema:
        fitting = [each for each in schema["anyOf"] if fits(each, document)]
        assert fitting, f"{where}: {document}"
        return None
    if "const" in schema:
        assert document == schema["const"], f"{where}: {document}"
    kinds = schema.get("type", [])
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", type(None): "null"}
    if kinds:
        assert names[type(document)] in ([kinds] if isinstance(kinds, str) else kinds), f"{where}: {document!r}"
    if "enum" in schema:
        assert document in schema["enum"], f"{where}: {document}"
    if "pattern" in schema and isinstance(document, str):
        assert re.search(schema["pattern"], document), f"{where}: {document}"
    if isinstance(document, dict) and "properties" in schema:
        assert set(schema["required"]) <= set(document) <= set(schema["properties"]), f"{where}: {sorted(document)}"
        for key, value in document.items():
            check_shape(schema["properties"][key], value, f"{where}.{key}")
    if isinstance(document, list):
        for each in document:
            check_shape(schema["items"], each, f"{where}[]")
    return None


def fits(schema: dict[str, Any], document: object) -> bool:
    try:
        check_shape(schema, document)
    except AssertionError:
        return False
    return True


def test_an_order_rests_trades_and_is_cancelled() -> None:
    async def talk(client: ClientSession) -> None:
        status, answer = await ask(client, "POST", "/orders", body=an_order("a1"))
        assert (status, answer["order"]["status"], answer["order"]["remaining"]) == (201, "open", "1")
        status, answer = await ask(client, "POST", "/orders", BOB, an_order("b1", "sell", "90", "0.4", time_in_force="IOC"))
        assert status == 201
        order = answer["order"]
        assert (order["status"], order["filled"], order["notional"], order["fee"]) == ("filled", "0.4", "40", "0.08")
        assert order["fills"][0] | {"at": ""} == {
            "execution_id": "1-taker", "price": "100", "quantity": "0.4", "fee": "0.08",
            "liquidity": "taker", "counterparty": "alice", "at": "",
        }  # fmt: skip
        _, answer = await ask(client, "GET", "/orders/a1")
        assert (answer["order"]["status"], answer["order"]["fee"]) == ("open", "0.04")
        _, answer = await ask(client, "GET", "/orders?status=open")
        assert [each["client_order_id"] for each in answer["orders"]] == ["a1"]
        status, answer = await ask(client, "DELETE", "/orders/a1")
        assert (status, answer["order"]["status"], "note" in answer) == (200, "cancelled", False)
        assert (await ask(client, "DELETE", "/orders/a1"))[1]["note"] == "already_cancelled"
        assert (await ask(client, "DELETE", "/orders/b1", BOB))[1]["note"] == "already_filled"
        _, answer = await ask(client, "GET", "/balances")
        assert {each["asset"]: (each["available"], each["locked"]) for each in answer["balances"]} == {
            "BTC": ("100000.4", "0"), "ETH": ("100000", "0"), "USD": ("99959.96", "0"),
        }  # fmt: skip

    talking(talk)


def test_the_same_order_again_is_the_one_that_there_is() -> None:
    async def talk(client: ClientSession) -> None:
        _, first = await ask(client, "POST", "/orders", body=an_order("a1"))
        assert await ask(client, "POST", "/orders", body=an_order("a1", price="100.00")) == (200, first)
        assert (await ask(client, "POST", "/orders", BOB, an_order("a1")))[0] == 201
        assert len((await ask(client, "GET", "/orders"))[1]["orders"]) == 1

    talking(talk)


def test_another_order_under_a_used_id_is_refused() -> None:
    async def talk(client: ClientSession) -> None:
        await ask(client, "POST", "/orders", body=an_order("a1"))
        status, answer = await ask(client, "POST", "/orders", body=an_order("a1", quantity="2"))
        assert (status, answer["error"]["code"]) == (409, "duplicate_client_order_id")

    talking(talk)


def test_a_fence_makes_an_unused_id_dead_and_shows_a_used_one() -> None:
    async def talk(client: ClientSession) -> None:
        status, answer = await ask(client, "POST", "/orders/a1/fence")
        assert (status, answer["error"]["code"], answer["error"]["fenced"]) == (404, "not_found", True)
        status, answer = await ask(client, "POST", "/orders", body=an_order("a1"))
        assert (status, answer["error"]["code"]) == (410, "dead_client_order_id")
        assert (await ask(client, "POST", "/orders", BOB, an_order("a1")))[0] == 201
        status, answer = await ask(client, "POST", "/orders/a1/fence", BOB)
        assert (status, answer["order"]["account"]) == (200, "bob")

    talking(talk)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"price": "1000000"}, "insufficient_funds"),
        ({"price": "100.001"}, "invalid_price"),
        ({"price": "0"}, "invalid_price"),
        ({"price": "-5"}, "invalid_price"),
        ({"price": "1e60", "quantity": "1000"}, "invalid_price"),
        ({"side": "sell", "price": "1e16"}, "invalid_price"),
        ({"quantity": "0.0000001"}, "invalid_quantity"),
        ({"quantity": "0"}, "invalid_quantity"),
        ({"quantity": "1e30"}, "invalid_quantity"),
        ({"market": "DOGE-USD"}, "unknown_market"),
        ({"counterparty": "carol"}, "unknown_counterparty"),
        ({"counterparty": "alice"}, "unknown_counterparty"),
        ({"time_in_force": "FOK"}, "cannot_fill"),
    ],
)
def test_a_refused_order_says_why_and_leaves_no_trace(fields: dict[str, object], code: str) -> None:
    async def talk(client: ClientSession) -> None:
        status, answer = await ask(client, "POST", "/orders", body=an_order("a1") | fields)
        assert (status, answer["error"]["code"]) == (422, code)
        assert (await ask(client, "GET", "/orders/a1"))[0] == 404
        assert (await ask(client, "POST", "/orders", body=an_order("a1")))[0] == 201

    talking(talk)


def test_a_post_only_order_that_would_take_is_refused() -> None:
    async def talk(client: ClientSession) -> None:
        await ask(client, "POST", "/orders", body=an_order("a1"))
        status, answer = await ask(client, "POST", "/orders", BOB, an_order("b1", "sell", time_in_force="POST_ONLY"))
        assert (status, answer["error"]["code"]) == (422, "would_take")

    talking(talk)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 10_000,
        b'{"client_order_id": "a"}',
        an_order("a1", side="hold"),
        an_order("a1", type="market"),
        an_order("a1") | {"price": None},
        an_order("a1", surplus=1),
        an_order(""),
        an_order("a/b"),
        an_order("a" * 200),
    ],
)
def test_a_malformed_order_is_answered_with_400(body: object) -> None:
    async def talk(client: ClientSession) -> None:
        status, answer = await ask(client, "POST", "/orders", body=body)
        assert (status, answer["error"]["code"]) == (400, "malformed")

    talking(talk)


def test_a_number_that_is_none_is_an_invalid_price() -> None:
    async def talk(client: ClientSession) -> None:
        for number in ("nan", "Infinity", "1e99999999"):
            status, answer = await ask(client, "POST", "/orders", body=an_order("a1", price=number))
            assert (status, answer["error"]["code"]) == (422, "invalid_price")

    talking(talk)


def test_a_json_number_is_read_exactly() -> None:
    async def talk(client: ClientSession) -> None:
        body = b'{"client_order_id":"a","market":"BTC-USD","side":"buy","price":12345678.91,"quantity":0.000123}'
        assert (await ask(client, "POST", "/orders", body=body))[1]["order"]["price"] == "12345678.91"

    talking(talk)


def test_what_is_not_there_is_answered_in_json() -> None:
    async def talk(client: ClientSession) -> None:
        for method, path, expected in (
            ("GET", "/nothing", 404), ("GET", "/orders/none", 404), ("DELETE", "/orders/none", 404), ("PUT", "/orders", 405),
        ):  # fmt: skip
            status, answer = await ask(client, method, path)
            assert (status, set(answer["error"])) == (expected, {"code", "message"})

    talking(talk)


def test_a_suspended_market_takes_no_orders() -> None:
    async def talk(client: ClientSession) -> None:
        status, answer = await ask(client, "POST", "/orders", body=an_order("a1"))
        assert (status, answer["error"]["code"]) == (422, "market_not_active")
        _, answer = await ask(client, "GET", "/markets")
        assert [each["status"] for each in answer["markets"]] == ["active", "suspended"]

    market = {"symbol": "BTC-USD", "base": "BTC", "quote": "USD", "reference_price": 1, "status": "suspended"}
    talking(talk, markets=[{**market, "symbol": "BTC-EUR", "quote": "EUR", "status": "active"}, market])


def test_a_price_outside_the_band_is_refused() -> None:
    async def talk(client: ClientSession) -> None:
        status, answer = await ask(client, "POST", "/orders", body=an_order("a1", price="112"))
        assert (status, answer["error"]["code"]) == (422, "invalid_price")
        _, answer = await ask(client, "GET", "/markets")
        assert (answer["markets"][0]["lowest_price"], answer["markets"][0]["highest_price"]) == ("90", "110")

    rules = {"regulation": {"kind": "regulated", "band": 0.1}, "reference_price": 100}
    talking(talk, markets=[{"symbol": "BTC-USD", "base": "BTC", "quote": "USD"} | rules])


def test_the_operator_acts_for_the_account_that_it_names() -> None:
    async def talk(client: ClientSession) -> None:
        await ask(client, "POST", "/orders", OPERATOR | {"X-Account": "alice"}, an_order("a1"))
        assert (await ask(client, "GET", "/orders/a1"))[0] == 200
        status, answer = await ask(client, "GET", "/balances", OPERATOR)
        assert (status, answer["error"]["code"]) == (400, "account_required")
        _, answer = await ask(client, "GET", "/accounts/me", OPERATOR)
        assert answer == {"account": None, "operator": True}
        _, answer = await ask(client, "GET", "/accounts/me")
        assert answer == {"account": {"id": "alice", "name": "alice"}, "operator": False}

    talking(talk)


def test_requests_from_a_page_of_another_machine_are_refused() -> None:
    async def talk(client: ClientSession) -> None:
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}):
            assert (await ask(client, "GET", "/balances", ALICE | headers))[0] == 403
        assert (await ask(client, "GET", "/balances", ALICE | {"Origin": "http://localhost:3000"}))[0] == 200

    talking(talk)


def test_every_route_is_described_and_nothing_else() -> None:
    async def run() -> None:
        async with in_this_loop() as (exchange, client):
            async with client.get("/openapi.json") as answer:
                assert await answer.json() == description()
            routes = Rest(exchange, KeyRing(exchange), print).application().router.routes()
            assert {(route.method.lower(), route.resource.canonical) for route in routes if route.resource} == {
                (method, path) for path, operations in description()["paths"].items() for method in operations
            }

    asyncio.run(run())
