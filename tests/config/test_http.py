"""The section of an exchange with a REST API: what it refuses, and where."""

import json
from pathlib import Path
from typing import Any

import pytest

from orderbook_tui.config import json_schema, load_config, parse_config
from orderbook_tui.config.http import HttpVenueSpec
from orderbook_tui.config.placeholders import Placeholder, Variable, parts
from tests.config.wrong import problems

LEAST: dict[str, Any] = {"kind": "http", "base_url": "http://x", "place": {"path": "/orders"}}
CONFIGS = Path(__file__).parents[2] / "configs"


def spec(**section: Any) -> HttpVenueSpec:
    venue = parse_config({"venue": {**LEAST, **section}}).venue
    assert isinstance(venue, HttpVenueSpec)
    return venue


def wrong(**section: Any) -> list[str]:
    return problems({"venue": {**LEAST, **section}})


def test_a_url_and_a_way_to_place_are_enough() -> None:
    assert spec().place.path == "/orders"


def test_both_are_needed() -> None:
    assert problems({"venue": {"kind": "http"}}) == ["venue.base_url: missing", "venue.place: missing"]


def test_what_was_read_is_read_again_as_it_was() -> None:
    config = load_config(CONFIGS / "venue-http.json")
    assert parse_config(config.model_dump_json()) == config


def test_constants_of_a_body_are_read_again_as_they_were() -> None:
    body = {"a": 1.5, "b": [1, None, True, "x"]}
    config = parse_config({"venue": {**LEAST, "place": {"path": "/", "body": body}}})
    assert parse_config(config.model_dump_json()) == config
    assert json.loads(config.model_dump_json())["venue"]["place"]["body"] == body


BRACE = "placeholders are {name}, a brace itself is written {{ or }}"


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"place": {"path": "/{"}}, f'venue.place.path: a lone brace in "/{{": {BRACE}'),
        ({"place": {"path": "/", "body": {"a": [{"b": "}"}]}}}, f'venue.place.body: a lone brace in "}}": {BRACE}'),
        ({"headers": {"X-Key": "${env:A-B}"}}, f'venue.headers.X-Key: a lone brace in "${{env:A-B}}": {BRACE}'),
        (
            {"headers": {"X-Order": "{client_order_id}"}},
            "venue.headers.X-Order: {client_order_id} is no placeholder here: there are account, nonce, timestamp_iso, "
            "timestamp_ms, timestamp_s",
        ),
        ({"headers": {"X Key": "a"}}, 'venue.headers["X Key"]: "X Key" is no name of a header'),
        (
            {"place": {"path": "/", "outcomes": [{"outcome": "done"}]}},
            'venue.place.outcomes[0].outcome: expected "open", "filled", "cancelled", "accepted", "refused", "retry", '
            '"not_found" or "unknown", got "done"',
        ),
        (
            {"place": {"path": "/", "outcomes": [{"status": ["9xx"], "outcome": "open"}]}},
            'venue.place.outcomes[0].status[0]: expected a status such as 200, or a class of them such as "2xx", got "9xx"',
        ),
        ({"place": {"path": "/", "boddy": {}}}, "venue.place.boddy: unknown key (did you mean body?)"),
        ({"tls": "off"}, 'venue.tls: expected "verify" or "insecure", got "off"'),
        (
            {"signing": {"secret": "abc"}},
            "venue.signing.secret: the secret itself is in it: take it from the environment, as in ${env:API_SECRET}",
        ),
        ({"max_in_flight": 0}, "venue.max_in_flight: 0 is below the least, 1"),
        ({"sides": {"bid": "b"}}, 'venue.sides.bid: expected "buy" or "sell", got "bid"'),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(section: dict[str, Any], problem: str) -> None:
    assert wrong(**section) == [problem]


def test_a_placeholder_that_is_none_is_refused_with_those_that_there_are() -> None:
    (problem,) = wrong(place={"path": "/{order}"})
    assert problem.startswith("venue.place.path: {order} is no placeholder here: there are account, base, client_order_id, ")


def test_a_text_is_taken_apart() -> None:
    assert parts("a{{b}}${env:KEY_{account}}{price:number?}{side}") == (
        "a{b}",
        Variable("KEY_{account}"),
        Placeholder("price", "number", is_optional=True),
        Placeholder("side"),
    )


@pytest.mark.parametrize(
    "section",
    [
        "HttpVenueSpec",
        "OperationSpec",
        "RuleSpec",
        "ReplySpec",
        "FillSpec",
        "StreamSpec",
        "SigningSpec",
        "PollSpec",
        "BalancesSpec",
        "OpenOrdersSpec",
    ],
)
def test_every_key_is_described(section: str) -> None:
    definitions: Any = json_schema()["$defs"]
    assert [key for key, node in definitions[section]["properties"].items() if "description" not in node] == []
