"""Keys: who may do what, and what a signed request must show."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from orderbook_tui.errors import ConfigError
from orderbook_tui.serving.keys import Entry, read_keys, signature
from tests.serving.exchange import in_this_loop

KEYS = {"alice": Entry("ka", "sa"), "bob": Entry("kb"), "*": Entry("ko")}


def status(headers: dict[str, str], path: str = "/orders?status=open", keys: dict[str, Entry] | None = KEYS) -> int:
    async def run() -> int:
        async with in_this_loop(keys=keys) as (_, client), client.get(path, headers=headers) as answer:
            return answer.status

    return asyncio.run(run())


def signed(secret: str = "sa", *, age_ms: int = 0, path: str = "/orders?status=open") -> dict[str, str]:
    timestamp = str(time.time_ns() // 1_000_000 - age_ms)
    return {"X-API-Key": "ka", "X-Timestamp": timestamp, "X-Signature": signature(secret, timestamp, "GET", path, b"")}


def test_a_missing_or_wrong_key_is_refused() -> None:
    assert status({}) == 401
    assert status({"X-API-Key": "wrong"}) == 401
    assert status({"X-API-Key": "key-bob"}) == 401
    assert status({"X-API-Key": "kb"}) == 200


def test_without_a_file_the_key_is_the_account_s_name() -> None:
    assert status({"X-API-Key": "key-bob"}, keys=None) == 200
    assert status({"X-API-Key": "key-carol"}, keys=None) == 401


def test_a_key_with_a_secret_must_sign() -> None:
    assert status({"X-API-Key": "ka"}) == 401
    assert status(signed()) == 200


def test_a_wrong_an_old_or_a_moved_signature_is_refused() -> None:
    assert status(signed("other")) == 401
    assert status(signed(age_ms=120_000)) == 401
    assert status(signed(path="/orders?status=filled")) == 401
    assert status(signed() | {"X-Timestamp": "1"}) == 401


def test_a_signature_covers_the_body() -> None:
    async def run() -> list[int]:
        found = []
        async with in_this_loop(keys=KEYS) as (_, client):
            body = b'{"client_order_id":"a","market":"BTC-USD","side":"buy","price":"1","quantity":"1"}'
            timestamp = str(time.time_ns() // 1_000_000)
            headers = {"X-API-Key": "ka", "X-Timestamp": timestamp}
            headers["X-Signature"] = signature("sa", timestamp, "POST", "/orders", body)
            for sent in (body.replace(b'"1"', b'"2"'), body):
                async with client.post("/orders", data=sent, headers=headers) as answer:
                    found.append(answer.status)
        return found

    assert asyncio.run(run()) == [401, 201]


def test_an_account_s_key_is_for_no_other_account() -> None:
    assert status({"X-API-Key": "kb", "X-Account": "alice"}) == 401
    assert status({"X-API-Key": "ko", "X-Account": "alice"}) == 200
    assert status({"X-API-Key": "ko", "X-Account": "nobody"}) == 401


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "Expecting"),
        ('{"alice": {"key": "a"}, "alice": {"key": "b"}}', "twice"),
        ('{"alice": {"secret": "a"}}', "key"),
        ('{"alice": {"key": 5}}', "str"),
        ("[]", "object"),
    ],
)
def test_a_file_of_keys_that_is_none_is_refused_in_words(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=words):
        read_keys(path)


@pytest.mark.parametrize(
    "entries",
    [{"carol": Entry("a")}, {"alice": Entry("")}, {"alice": Entry("a"), "bob": Entry("a")}],
)
def test_keys_for_nobody_empty_or_shared_are_refused(entries: dict[str, Entry]) -> None:
    with pytest.raises(ConfigError, match="--keys"):
        status({}, keys=entries)


def test_a_file_of_keys_is_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"alice": {"key": "a", "secret": "s"}, "*": {"key": "o"}}))
    assert read_keys(path) == {"alice": Entry("a", "s"), "*": Entry("o")}
