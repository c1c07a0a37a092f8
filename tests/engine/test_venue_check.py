"""`venue check`: one conversation with the exchange, and what the rules make of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from orderbook_tui import cli
from orderbook_tui.errors import ConfigError
from tests.venues.http_exchange import ScriptedExchange, exchange_in_a_thread

SECTION: dict[str, Any] = {
    "kind": "http",
    "place": {"path": "/orders", "body": {"id": "{client_order_id}", "price": "{price}", "quantity": "{quantity}"}},
    "status": {"path": "/status"},
    "cancel": {"path": "/cancel"},
    "balances": {"path": "/balances"},
}
BALANCES = (200, {"balances": [{"asset": "USD", "available": "1"}]})


@pytest.fixture
def exchange() -> Iterator[ScriptedExchange]:
    with exchange_in_a_thread() as exchange:
        exchange.answer("/balances", BALANCES)
        exchange.answer("/status", (404, {"error": "no such order"}))
        exchange.answer("/orders", (201, {"order_id": "7"}))
        exchange.answer("/cancel", (200, {"filled": "0"}))
        yield exchange


def check(exchange: ScriptedExchange, folder: Path, *options: str, **section: Any) -> Result:
    config = folder / "config.json"
    config.write_text(json.dumps({"venue": {**SECTION, "base_url": exchange.url, **section}}))
    return CliRunner().invoke(cli.cli, ["venue", "check", str(config), *options], standalone_mode=False)


def conversation(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)["conversation"]
    return found


def test_a_configuration_that_fits_is_understood(exchange: ScriptedExchange, tmp_path: Path) -> None:
    result = check(exchange, tmp_path)
    assert result.return_value == 0
    assert result.stdout.endswith("\nUnderstood\n")


def test_nothing_is_placed_unless_that_is_wanted(exchange: ScriptedExchange, tmp_path: Path) -> None:
    check(exchange, tmp_path)
    assert exchange.paths() == ["/balances", "/status"]


def test_an_order_that_is_placed_is_small_far_from_the_market_and_cancelled(exchange: ScriptedExchange, tmp_path: Path) -> None:
    check(exchange, tmp_path, "--place", "--market", "ETH-USD")
    assert exchange.paths() == ["/balances", "/orders", "/status", "/cancel"]
    assert (exchange.asked[1].json["quantity"], exchange.asked[1].json["price"]) == ("0.000001", "1500")


def test_an_order_of_which_nothing_is_known_is_cancelled_too(exchange: ScriptedExchange, tmp_path: Path) -> None:
    exchange.answer("/orders", (500, {}))
    result = check(exchange, tmp_path, "--place")
    assert exchange.paths("DELETE") == ["/cancel"]
    assert result.return_value == 1


def test_it_says_which_rule_holds_and_why_others_do_not(exchange: ScriptedExchange, tmp_path: Path) -> None:
    outcomes = [
        {"status": [200], "outcome": "open"},
        {"when": "error == 'gone'", "outcome": "refused"},
        {"status": ["4xx"], "when": "error", "outcome": "not_found"},
    ]
    said = conversation(check(exchange, tmp_path, "--format", "json", status={"path": "/status", "outcomes": outcomes}))[-1]
    assert [rule["why_not"] for rule in said["rules"]] == ["the status is 404", "it gives false", ""]
    assert said["outcome"] == "not_found"


def test_it_says_what_each_expression_gives(exchange: ScriptedExchange, tmp_path: Path) -> None:
    said = conversation(check(exchange, tmp_path, "--format", "json", reply={"reason": "error"}))[-1]
    assert said["expressions"]["reason"] == ["error", '"no such order"']


@pytest.mark.parametrize("answer", [(500, {}), (200, b"<html>"), (302, {}), (429, {})])
def test_what_is_not_understood_is_said_and_counts(exchange: ScriptedExchange, tmp_path: Path, answer: Any) -> None:
    exchange.answer("/status", answer)
    result = check(exchange, tmp_path)
    assert result.return_value == 1
    assert "NOT understood" in result.stdout


def test_an_exchange_that_is_not_there_is_said(exchange: ScriptedExchange, tmp_path: Path) -> None:
    result = check(exchange, tmp_path, base_url="http://127.0.0.1:1")
    assert result.return_value == 1
    assert "no connection to the exchange" in result.stdout


@pytest.mark.parametrize("options", [["--account", "nobody"], ["--market", "XXX"]])
def test_who_is_not_of_the_run_is_refused(exchange: ScriptedExchange, tmp_path: Path, options: list[str]) -> None:
    assert isinstance(check(exchange, tmp_path, *options).exception, ConfigError)


def test_a_venue_of_another_kind_has_no_conversation(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    result = CliRunner().invoke(cli.cli, ["venue", "check", str(tmp_path / "config.json")], standalone_mode=False)
    assert isinstance(result.exception, ConfigError)
