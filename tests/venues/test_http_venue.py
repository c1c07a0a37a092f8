"""What an exchange's replies mean for an order."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from orderbook_tui.core.exchange import Submission
from orderbook_tui.errors import ConfigError, NotSeen, OrderError, OutcomeUnknown, Rejected, VenueUnavailable
from orderbook_tui.venues.base import OrderReport
from tests.venues.http_exchange import PLACE, STATUS, ScriptedExchange, a_venue, an_exchange, talking

Scene = Callable[[ScriptedExchange], Awaitable[Any]]

OPEN = (201, {"order_id": "7"})
CANCEL = {"path": "/orders/{order_id}"}
FILL = {"execution_id": "e1", "price": "100", "quantity": "4", "fee": "1", "counterparty": "b"}


def at(scene: Scene) -> Any:
    """Play a scene at an exchange, and return what it gives."""

    async def play() -> Any:
        async with an_exchange() as exchange:
            return await scene(exchange)

    return asyncio.run(play())


def placed(*answers: Any, **section: Any) -> OrderReport:
    """What comes of placing the first order at an exchange that answers so."""

    async def scene(exchange: ScriptedExchange) -> Submission:
        exchange.answer("/orders", *answers)
        async with talking(exchange, **section) as (venue, slot, _):
            return await venue.place(slot, 10)

    found = at(scene)
    assert isinstance(found, OrderReport)
    return found


def sent(**section: Any) -> Any:
    """The request that places the first order."""

    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("*", OPEN)
        async with talking(exchange, **section) as (venue, slot, _):
            await venue.place(slot, 10)
        return exchange.asked[0]

    return at(scene)


def looked_up(*answers: Any, sends: bool = False, **section: Any) -> Submission | None:
    async def scene(exchange: ScriptedExchange) -> Submission | None:
        exchange.answer("/orders", OPEN)
        exchange.answer("/orders/run-0-0", *answers)
        async with talking(exchange, **{"status": STATUS, **section}) as (venue, slot, _):
            if sends:
                await venue.place(slot, 10)
            return await venue.look_up(slot, 10)

    found: Submission | None = at(scene)
    return found


def rules(*given: dict[str, Any]) -> dict[str, Any]:
    return {**PLACE, "outcomes": list(given)}


# Placing


def test_an_order_that_was_taken_has_the_id_that_the_exchange_gave_it() -> None:
    assert placed(OPEN).order_id == "7"


def test_numbers_of_the_body_are_written_digit_by_digit() -> None:
    assert '"q":10,' in sent().body


def test_the_same_client_order_id_goes_into_an_idempotency_header() -> None:
    assert sent(place={**PLACE, "idempotency_header": "Idempotency-Key"}).headers["Idempotency-Key"] == "run-0-0"


def test_the_exchange_is_told_its_own_words() -> None:
    body = {"s": "{symbol}", "side": "{side}", "tif": "{time_in_force}", "who": "{account.id}", "with": "{counterparty.id}"}
    asked = sent(
        place={"path": "/orders", "body": body},
        symbols={"BTC-USD": "XBT/USD"},
        sides={"buy": "B"},
        time_in_force={"gtc": "GoodTillCancel"},
        accounts={"a": {"id": "A-1"}, "b": {"id": "B-2"}},
    )
    assert asked.json == {"s": "XBT/USD", "side": "B", "tif": "GoodTillCancel", "who": "A-1", "with": "B-2"}


def test_a_form_is_sent_as_a_form() -> None:
    asked = sent(place={"path": "/orders", "body": {"a": "{side}", "n": 1}, "form": True})
    assert (asked.body, asked.headers["Content-Type"]) == ("a=buy&n=1", "application/x-www-form-urlencoded")


def test_a_refusal_is_for_good_and_in_the_words_of_the_exchange() -> None:
    with pytest.raises(Rejected, match="422: too small"):
        placed((422, {"error": {"code": "min", "message": "too small"}}))


def test_a_refusal_with_status_200_is_one_where_a_rule_says_so() -> None:
    place = rules({"status": [200], "when": "code != `0`", "outcome": "refused"}, {"status": [200], "outcome": "open"})
    with pytest.raises(Rejected):
        placed((200, {"code": 51008, "msg": "no margin"}), place=place)


def test_the_first_rule_that_holds_counts() -> None:
    place = rules({"status": ["2xx"], "outcome": "open"}, {"status": [201], "outcome": "refused"})
    assert placed(OPEN, place=place).order_id == "7"


def test_what_no_rule_knows_is_unknown() -> None:
    with pytest.raises(OutcomeUnknown, match="409"):
        placed((409, {"error": "duplicate"}))


@pytest.mark.parametrize("status", [500, 502, 503, 504, 301, 307])
def test_errors_of_the_server_and_redirects_are_unknown(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        placed((status, {"order_id": "7"}, {"Location": "/elsewhere"}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"order_id": "7"',
        b'{"order_id": NaN}',
        b'{"order_id": "7", "order_id": "8"}',
        b"[" * 100_000,
        b'{"a":' * 5_000,
        b'"\xff"',
        b"{}",
        b"[]",
        b'{"order_id": {"a": 1}}',
        b'{"order_id": true}',
        b'{"order_id": "%s"}' % (b"7" * 1_000),
        b'{"order_id": %s}' % (b"7" * 5_000),
    ],
)
def test_a_reply_without_a_readable_order_id_is_unknown(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        placed((201, body))


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_page_that_is_no_json_refuses_nothing(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        placed((status, b"<html>a machine in between</html>"))


def test_a_reply_about_another_order_is_unknown() -> None:
    with pytest.raises(OutcomeUnknown, match="about order run-5-0"):
        placed((201, {"order_id": "7", "client_order_id": "run-5-0"}))


def test_a_connection_that_is_refused_has_placed_nothing() -> None:
    async def scene() -> None:
        venue = a_venue("http://127.0.0.1:1")
        await venue.open(None)  # type: ignore[arg-type]
        try:
            await venue.place(venue.slots[0], 10)
        finally:
            await venue.close()

    with pytest.raises(VenueUnavailable):
        asyncio.run(scene())


async def _cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _half(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=201, headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"order_id": "7"}')
    assert request.transport is not None
    request.transport.close()
    return response


async def _silence(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response()


@pytest.mark.parametrize("answer", [_cut, _half])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_connection_that_breaks_is_unknown_and_the_order_is_sent_once(answer: Any, method: str) -> None:
    async def scene(exchange: ScriptedExchange) -> int:
        exchange.answer("/orders", OPEN, answer, OPEN)
        async with talking(exchange, place={**PLACE, "method": method}) as (venue, slot, _):
            await venue.place(slot, 10)
            with pytest.raises(OutcomeUnknown):
                await venue.place(slot, 10)
        return len(exchange.asked)

    assert at(scene) == 2


def test_silence_is_unknown() -> None:
    with pytest.raises(OutcomeUnknown, match="within 100 ms"):
        placed(_silence, timeout_ms=100)


def test_nobody_waits_for_an_answer_after_being_cancelled() -> None:
    async def scene(exchange: ScriptedExchange) -> bool:
        exchange.answer("/orders", _silence)
        async with talking(exchange) as (venue, slot, _):
            task = asyncio.create_task(venue.place(slot, 10))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return True

    assert at(scene)


# What is filled


def test_executions_in_the_reply_are_read_exactly() -> None:
    found = placed((201, {"order_id": "7", "fills": [FILL]}))
    assert [(e.price, e.quantity, e.maker_fee, e.outside, e.id) for e in found.executions] == [(100, 4, 1, "b", "e1")]


def test_totals_in_the_reply_are_in_lots_and_units() -> None:
    found = placed(
        (201, b'{"order_id": "7", "filled": 4, "cost": 396.0, "fee": "2"}'), reply={"notional": "cost", "fee": "fee"}
    )
    assert (found.filled, found.notional, found.fee) == (4, 396, 2)


def test_an_average_price_that_was_rounded_stands_for_whole_ticks() -> None:
    found = placed((201, b'{"order_id": "7", "filled": 3, "avg": 99.6666667}'), reply={"average_price": "avg"})
    assert found.notional == 299


def test_an_order_that_is_filled_without_figures_is_filled_whole() -> None:
    place = rules({"status": [201], "outcome": "filled"})
    found = placed(OPEN, place=place)
    assert (found.filled, found.closed) == (10, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": "101"},
        {"price": "-1"},
        {"price": "NaN"},
        {"price": None},
        {"price": True},
        {"price": [1]},
        {"price": "1e99"},
        {"quantity": "0"},
        {"quantity": "0.5"},
        {"execution_id": {"a": 1}},
        {"execution_id": "x" * 1_000},
    ],
)
def test_an_execution_that_can_be_none_of_the_order_is_told_and_not_settled(wrong: dict[str, Any]) -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("/orders", (201, {"order_id": "7", "fills": [{**FILL, **wrong}]}))
        async with talking(exchange) as (venue, slot, heard):
            report = await venue.place(slot, 10)
            return report.order_id, list(report.executions), len(heard.strays)

    assert at(scene) == ("7", [], 1)


def test_counterparties_are_known_by_what_the_exchange_calls_them() -> None:
    found = placed((201, {"order_id": "7", "fills": [{**FILL, "counterparty": "B-2"}]}), accounts={"b": {"id": "B-2"}})
    assert found.executions[0].outside == "b"


# Acknowledged, and decided later


def test_an_order_that_was_acknowledged_is_asked_about_until_it_is_decided() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("/orders", (202, {"order_id": "7"}))
        exchange.answer("/orders/7", (202, {"status": "new"}), (404, {}), (500, {}), (200, {"order_id": "7"}))
        poll = {"interval_ms": 5, "deadline_ms": 3000}
        async with talking(exchange, status={"path": "/orders/{order_id}"}, poll=poll) as (venue, slot, _):
            await venue.place(slot, 10)
        return exchange.paths("GET")

    assert at(scene) == ["/orders/7"] * 4


def test_an_order_that_was_acknowledged_may_be_refused_later() -> None:
    with pytest.raises(Rejected, match="no credit"):
        looked_up((200, {"status": "rejected", "reason": "no credit"}), sends=True, place={
            **PLACE, "outcomes": [{"status": [201], "outcome": "accepted"}]}, poll={"interval_ms": 5})  # fmt: skip


def test_an_order_that_is_not_decided_in_time_is_unknown() -> None:
    with pytest.raises(OutcomeUnknown, match="within 30 ms"):
        looked_up((202, {}), sends=True, place={**PLACE, "outcomes": [{"status": [201], "outcome": "accepted"}]},
                  poll={"interval_ms": 5, "deadline_ms": 30})  # fmt: skip


def test_orders_that_are_accepted_need_a_status() -> None:
    with pytest.raises(ConfigError, match=r"give venue\.status"):
        a_venue("http://127.0.0.1:1", place={**PLACE, "outcomes": [{"outcome": "accepted"}]})


# Asking


def test_an_order_that_is_there_is_found() -> None:
    found = looked_up((200, {"order_id": "7"}))
    assert found is not None
    assert found.order_id == "7"


def test_an_order_that_is_not_there_may_still_come() -> None:
    with pytest.raises(NotSeen):
        looked_up((404, {"error": "not found"}))


def test_a_fence_that_finds_nothing_is_believed() -> None:
    assert looked_up((404, {"error": "not found"}), fence={"path": "/orders/{client_order_id}"}) is None


def test_garbage_with_status_404_is_no_word_about_an_order() -> None:
    with pytest.raises(OutcomeUnknown):
        looked_up((404, b"<html>"), fence={"path": "/orders/{client_order_id}"})


def test_an_order_that_was_refused_is_not_there() -> None:
    assert looked_up((200, {"status": "REJECTED"})) is None


def test_an_order_that_the_exchange_drops_when_late_is_waited_for() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("/orders", (500, {}))
        exchange.answer("/orders/run-0-0", (404, {}))
        async with talking(exchange, status=STATUS, expires_after_ms=100) as (venue, slot, _):
            with pytest.raises(OrderError):
                await venue.place(slot, 10)
            begun = asyncio.get_running_loop().time()
            assert venue.capabilities.fence
            assert await venue.look_up(slot, 10) is None
            return asyncio.get_running_loop().time() - begun, len(exchange.paths("GET"))

    waited, times = at(scene)
    assert waited > 0.1
    assert times == 2


def test_a_status_by_order_id_alone_finds_no_order_whose_answer_was_lost() -> None:
    assert not a_venue("http://127.0.0.1:1", status={"path": "/orders/{order_id}"}).capabilities.look_up


# Cancelling


def cancelled(*answers: Any, status: Any = None, **section: Any) -> Any:
    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("/orders", OPEN)
        exchange.answer("/orders/7", *answers)
        exchange.answer("/orders/run-0-0", status)
        async with talking(exchange, cancel=CANCEL, **({"status": STATUS} if status else {}), **section) as (venue, slot, _):
            await venue.place(slot, 10)
            slot.begin(1)
            slot.complete("7", 1)
            slot.open = 10
            return await venue.cancel(slot)

    return at(scene)


def test_an_order_that_was_cancelled_is_closed() -> None:
    assert cancelled((200, {"ok": True})).closed


def test_what_was_filled_before_the_cancel_is_asked_for_where_the_reply_does_not_say() -> None:
    report = cancelled((200, {"ok": True}), status=(200, {"order_id": "7", "filled": "4"}))
    assert (report.closed, report.filled) == (True, 4)


def test_a_cancel_that_came_too_late_says_what_was_filled() -> None:
    report = cancelled((404, {}), status=(200, {"order_id": "7", "status": "filled"}))
    assert (report.closed, report.filled) == (True, 10)


def test_a_cancel_that_is_not_understood_leaves_open_what_is_open() -> None:
    with pytest.raises(OutcomeUnknown):
        cancelled((500, {}))


# Books


def test_balances_are_read_for_each_account() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("/balances", (200, b'[{"currency": "XBT", "free": 5, "used": "1"}, {"currency": "EUR", "free": 1}]'))
        async with talking(exchange, balances={"path": "/balances"}, headers={"X-Key": "{account}"}, assets={"BTC": "XBT"}) as (
            venue,
            _,
            _heard,
        ):
            return await venue.balances(["a", "b"]), [each.headers["X-Key"] for each in exchange.asked]

    balances, keys = at(scene)
    assert [(each.account, each.asset, each.available, each.locked) for each in balances] == [
        ("a", "BTC", 5, 1),
        ("b", "BTC", 5, 1),
    ]
    assert sorted(keys) == ["a", "b"]


def test_balances_in_smaller_units_than_the_assets_are_rounded_down() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("/balances", (200, b'[{"asset": "BTC", "available": "10.000000000123", "locked": 1.9}]'))
        async with talking(exchange, balances={"path": "/balances"}) as (venue, _, _heard):
            return await venue.balances(["a"])

    assert [(each.available, each.locked) for each in at(scene)] == [(10, 1)]


@pytest.mark.parametrize("answer", [(500, {}), (200, {"balances": "none"}), (200, [{"asset": "BTC", "free": "x"}]), (200, b"")])
def test_balances_that_cannot_be_read_are_none(answer: Any) -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("/balances", answer)
        async with talking(exchange, balances={"path": "/balances"}) as (venue, _, _heard):
            return await venue.balances(["a"])

    with pytest.raises(OutcomeUnknown):
        at(scene)


def test_open_orders_are_read() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        order = {"order_id": 7, "client_order_id": "run-0-0", "market": "BTC-USD", "remaining": "4"}
        exchange.answer("/open", (200, {"orders": [order, {"order_id": 8}]}))
        async with talking(exchange, open_orders={"path": "/open"}) as (venue, _, _heard):
            return await venue.open_orders(["a"])

    (order,) = at(scene)
    assert (order.client_order_id, order.order_id, order.market, order.left) == ("run-0-0", "7", "BTC-USD", 4)


def test_no_open_orders_are_none() -> None:
    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("/open", (200, {"orders": []}))
        async with talking(exchange, open_orders={"path": "/open"}) as (venue, _, _heard):
            return await venue.open_orders(["a"])

    assert at(scene) == []


# What it is called in a run without a name
