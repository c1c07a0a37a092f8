"""What goes over the wire: templates, signatures, limits, and what a client refuses to read."""

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import quote

import jmespath
import pytest
from yarl import URL

from orderbook_tui.core.market import Account
from orderbook_tui.errors import ConfigError, OutcomeUnknown, Rejected, VenueUnavailable
from orderbook_tui.venues.http.client import LARGEST_REPLY, Reply, Request
from orderbook_tui.venues.http.expressions import compiled, read
from orderbook_tui.venues.http.limits import Limits
from tests.builders import ask, bid, slots_of
from tests.venues.http_exchange import MARKET, PLACE, ScriptedExchange, a_venue, an_exchange, talking
from tests.venues.test_http_venue import OPEN, at, placed, sent

HOSTILE = 'a"\\}{{account}}${env:HOME}\r\nX-Evil: 1\t/../?x=1&y=2#<b>é'


def sent_by(account: str, **section: Any) -> Any:
    """The request that places the order of an account of that name."""

    async def scene(exchange: ScriptedExchange) -> Any:
        exchange.answer("*", OPEN)
        slots = slots_of((account, bid(MARKET, 10, 100)), ("b", ask(MARKET, 10, 100)))
        venue = a_venue(exchange.url, slots, **section)
        await venue.open(None)  # type: ignore[arg-type]
        try:
            await venue.place(slots[0], 10)
        finally:
            await venue.close()
        return exchange.asked[0]

    return at(scene)


# Templates


def test_a_name_cannot_break_out_of_json() -> None:
    assert sent_by(HOSTILE, place={"path": "/orders", "body": {"who": "{account}", "x": "<{account}>"}}).json == {
        "who": HOSTILE,
        "x": f"<{HOSTILE}>",
    }


def test_a_name_cannot_break_out_of_a_path() -> None:
    assert sent_by("../../admin?x#", place={"path": "/of/{account}/orders"}).target == "/of/..%2F..%2Fadmin%3Fx%23/orders"


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(Rejected):
        sent_by(name, place={"path": "/of/{account}/orders"})


def test_a_name_cannot_break_out_of_a_query() -> None:
    assert sent_by("a&b=c d", place={"path": "/o", "query": {"who": "{account}"}}).target == "/o?who=a%26b%3Dc%20d"


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1", "a\0", "a\x1b[2J", "a\u202e"])
def test_a_name_that_would_break_out_of_a_header_is_refused(name: str) -> None:
    with pytest.raises(Rejected, match="control character"):
        sent_by(name, headers={"X-Account": "{account}"})


def test_what_is_put_in_is_not_looked_through_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_OF_TEST", "{side}-$x")
    asked = sent(
        headers={"X-Token": "${env:TOKEN_OF_TEST}"}, place={"path": "/o", "body": "{account}", "query": {"a": "{{x}}"}}
    )
    assert (asked.headers["X-Token"], asked.target) == ("{side}-$x", "/o?a={x}")


def test_a_key_whose_placeholder_is_empty_is_left_out() -> None:
    place = {
        "path": "/o",
        "body": {"with": "{counterparty?}", "n": "{counterparty:number?}", "x": 1},
        "query": {"w": "{counterparty?}"},
    }
    asked = sent_by("a", place=place)
    assert (asked.json, asked.target) == ({"x": 1}, "/o")


def test_text_that_is_no_number_is_not_sent_as_one() -> None:
    with pytest.raises(Rejected, match="no number"):
        sent(place={"path": "/o", "body": {"n": "{market:number}"}})


def test_constants_of_the_body_stay_what_they_are() -> None:
    tree: dict[str, Any] = {"a": [1, 2.5, None, True, {}], "b": "text"}
    assert sent(place={"path": "/o", "body": tree}).json == tree


def test_accounts_have_values_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_test_a_1", "one")
    monkeypatch.setenv("KEY_b", "two")
    asked = sent_by("test-a.1", headers={"X-Key": "{account.key}"}, accounts={"*": {"key": "${env:KEY_{account}}"}})
    assert asked.headers["X-Key"] == "one"


def test_a_missing_variable_is_said_before_anything_is_placed() -> None:
    with pytest.raises(ConfigError, match="the environment has no KEY_OF_b"):
        a_venue(
            "http://127.0.0.1:1",
            headers={"X-Key": "{account.key}"},
            accounts={"a": {"key": "k"}, "b": {"key": "${env:KEY_OF_b}"}},
        )


def test_an_account_without_a_value_is_said_before_anything_is_placed() -> None:
    with pytest.raises(ConfigError, match="account b has no key"):
        a_venue("http://127.0.0.1:1", headers={"X-Key": "{account.key}"}, accounts={"a": {"key": "k"}})


@pytest.mark.parametrize("url", ["ftp://x", "example.com", "http://", "http://user:pass@x", "http://x/?a=1", "http://x:99999"])
def test_what_is_no_url_of_an_exchange_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"venue\.base_url"):
        a_venue(url)


def test_all_is_below_the_base_url() -> None:
    async def scene(exchange: ScriptedExchange) -> str:
        exchange.answer("*", OPEN)
        exchange.url += "/api/v1/"
        async with talking(exchange) as (venue, slot, _):
            await venue.place(slot, 10)
        return exchange.asked[0].target

    assert at(scene) == "/api/v1/orders"


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"venue\.place\.outcomes\[0\]\.when: this is no jmespath"):
        a_venue("http://127.0.0.1:1", place={**PLACE, "outcomes": [{"when": "a[", "outcome": "open"}]})


# Signatures


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_request_is_signed_over_what_is_sent(monkeypatch: pytest.MonkeyPatch, algorithm: str) -> None:
    monkeypatch.setenv("SECRET_OF_TEST", "s3cret-of-a")
    asked = sent(place={**PLACE, "query": {"x": "1"}}, signing={"secret": "${env:SECRET_OF_TEST}", "algorithm": algorithm})
    message = f"{asked.headers['X-Timestamp']}POST/orders?x=1{asked.body}"
    assert asked.headers["X-Signature"] == hmac.new(b"s3cret-of-a", message.encode(), algorithm).hexdigest()


def test_a_known_message_has_the_known_signature() -> None:
    # RFC 4231, test case 2
    signing = {"secret": "{account.secret}", "message": "what do ya want for nothing?", "headers": {"X-S": "{signature}"}}
    asked = sent(signing=signing, accounts={"a": {"secret": "Jefe"}, "b": {"secret": "x"}})
    assert asked.headers["X-S"] == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_a_signature_may_go_into_the_query_in_base64() -> None:
    signing = {
        "secret": "{account.secret}",
        "secret_encoding": "hex",
        "message": "{query}",
        "encoding": "base64",
        "headers": {},
        "query": {"signature": "{signature}"},
    }
    accounts = {"*": {"secret": "4a656665"}}
    asked = sent(place={"path": "/o", "query": {"t": "1"}}, signing=signing, accounts=accounts)
    digest = hmac.new(b"Jefe", b"t=1", hashlib.sha256).digest()
    query = dict(pair.split("=", 1) for pair in asked.target.partition("?")[2].split("&"))
    assert query["t"] == "1"
    assert query["signature"].replace("%2B", "+").replace("%2F", "/").replace("%3D", "=") == base64.b64encode(digest).decode()


SIGNATURE = "a+b/c="


@pytest.mark.parametrize(
    "written",
    [
        SIGNATURE,
        quote(SIGNATURE),
        quote(SIGNATURE, safe=""),
        quote(SIGNATURE, safe="").lower(),
        quote(quote(SIGNATURE, safe=""), safe=""),
        str(URL("/").with_query(s=SIGNATURE)).removeprefix("/?s="),
        "a b/c=",
        r"a+b\/c=",
        r"a\u002bb/c\u003d",
    ],
)
def test_a_signature_is_not_shown_however_it_is_written(written: str) -> None:
    request = Request("place", "GET", f"/o?s={written}", {}, None, SIGNATURE)
    reply = Reply(request, 401, {}, f"bad signature {written}&t=1".encode(), None)

    assert reply.words() == "bad signature (signature)&t=1"
    assert request.unsigned(request.target) == "/o?s=(signature)"


def test_the_moment_is_the_same_in_all_of_a_request() -> None:
    asked = sent(place={"path": "/o", "body": {"t": "{timestamp_ms:int}"}}, headers={"X-T": "{timestamp_ms}"})
    assert str(asked.json["t"]) == asked.headers["X-T"]


# Limits


def test_no_more_requests_than_allowed_are_under_way() -> None:
    async def scene() -> int:
        limits, now, most = Limits(3, None, 1), 0, 0

        async def one() -> None:
            nonlocal now, most
            async with limits:
                now += 1
                most = max(most, now)
                await asyncio.sleep(0.001)
                now -= 1

        await asyncio.gather(*(one() for _ in range(20)))
        return most

    assert asyncio.run(scene()) == 3


def test_requests_keep_to_the_rate_after_the_burst() -> None:
    async def scene() -> float:
        limits, begun = Limits(100, 100, 5), time.monotonic()

        async def one() -> None:
            async with limits:
                pass

        await asyncio.gather(*(one() for _ in range(15)))
        return time.monotonic() - begun

    assert asyncio.run(scene()) >= 0.099


def test_an_exchange_that_asks_for_quiet_gets_it() -> None:
    async def scene(exchange: ScriptedExchange) -> float:
        exchange.answer("/orders", (429, b"slow down", {"Retry-After": "1"}), OPEN)
        async with talking(exchange, most_retry_after_ms=200) as (venue, slot, _):
            with pytest.raises(VenueUnavailable):
                await venue.place(slot, 10)
            begun = time.monotonic()
            await venue.place(slot, 10)
            return time.monotonic() - begun

    assert 0.19 <= at(scene) < 0.9


def test_the_moment_in_a_request_is_that_of_sending_it() -> None:
    async def scene(exchange: ScriptedExchange) -> float:
        exchange.answer("/orders", (429, {}, {"Retry-After": "1"}), OPEN)
        place = {"path": "/orders", "body": {"t": "{timestamp_ms:int}"}}
        async with talking(exchange, most_retry_after_ms=300, place=place) as (venue, slot, _):
            with pytest.raises(VenueUnavailable):
                await venue.place(slot, 10)
            await venue.place(slot, 10)
        first, second = (asked.json["t"] for asked in exchange.asked)
        return float(second - first)

    assert at(scene) >= 290


@pytest.mark.parametrize("wanted", ["Wed, 21 Oct 2015 07:28:00 GMT", "soon", "-1", "1e9", "é"])
def test_a_wish_for_quiet_that_means_nothing_is_overheard(wanted: str) -> None:
    async def scene(exchange: ScriptedExchange) -> None:
        exchange.answer("/orders", (429, {}, {"Retry-After": wanted}), OPEN)
        async with talking(exchange) as (venue, slot, _):
            with pytest.raises(VenueUnavailable):
                await venue.place(slot, 10)
            async with asyncio.timeout(1):
                await venue.place(slot, 10)

    at(scene)


# Hostile replies


@pytest.mark.parametrize("headers", [{}, {"Transfer-Encoding": "chunked"}])
def test_a_reply_that_is_too_large_is_not_read(headers: dict[str, str]) -> None:
    with pytest.raises(OutcomeUnknown):
        placed((201, b'{"order_id": "%s"}' % (b"x" * LARGEST_REPLY)))


def test_a_compressed_reply_is_not_blown_up() -> None:
    bomb = gzip.compress(b'{"order_id": "7"}' + b" " * 50_000_000)
    with pytest.raises(OutcomeUnknown):
        placed((201, bomb, {"Content-Encoding": "gzip"}))


def test_a_refusal_is_short_and_harmless_to_keep() -> None:
    with pytest.raises(Rejected) as refused:
        placed((422, {"error": {"message": "\ud800\0" + "x" * 100_000}}))
    assert len(str(refused.value)) < 500
    str(refused.value).encode()


def test_numbers_of_replies_stay_exact() -> None:
    tree = read(b'{"a": 0.1000000000000000055, "b": [1.10, 2.2]}')
    assert str(compiled("a", "")(tree)) == "0.1000000000000000055"
    assert str(compiled("sum(b)", "")(tree)) == "3.30"
    assert str(compiled("to_number('0.10')", "")(tree)) == "0.10"


@pytest.mark.parametrize("expression", ["sum(a)", "a[*].b | [0].c", "to_number(a)", "length(a)", "a > b"])
@pytest.mark.parametrize("tree", [None, 1, "x", [], {"a": 1}, {"a": {"b": [None]}}, {"a": [None, "x", 1]}])
def test_an_expression_that_fails_gives_nothing(expression: str, tree: Any) -> None:
    compiled(expression, "")(tree)


@pytest.mark.parametrize("expression", ["a", "a.b", "a || b", "a.b || c", "a == 'x'", "a.b != 'x'", "a || b == 'x'", "a && b"])
@pytest.mark.parametrize(
    "tree",
    [
        None,
        0,
        "",
        [],
        {},
        {"a": None, "b": 1},
        {"a": {"b": "x"}, "c": 2},
        {"a": "x"},
        {"a": [], "b": "x"},
        {"a": 0},
        [{"a": 1}],
    ],
)
def test_what_is_plain_is_read_as_jmespath_reads_it(expression: str, tree: Any) -> None:
    assert compiled(expression, "")(tree) == jmespath.search(expression, tree)


def test_accounts_are_found_by_name_and_id() -> None:
    venue = a_venue("http://127.0.0.1:1")
    venue.accounts._accounts["a"] = Account("a", "alice")
    assert venue.accounts.id_of("alice") == "a"
    assert venue.accounts.id_of("stranger") == "stranger"


def test_what_is_sent_is_json() -> None:
    assert json.loads(sent().body) == {"id": "run-0-0", "q": 10, "p": "100"}


def test_a_server_of_many_is_asked_at_once() -> None:
    async def play() -> int:
        async with an_exchange() as exchange:
            exchange.answer("/balances", (200, []))
            async with talking(exchange, balances={"path": "/balances"}) as (venue, _, _heard):
                await venue.balances([f"account-{number}" for number in range(300)])
            return len(exchange.asked)

    assert asyncio.run(play()) == 300
