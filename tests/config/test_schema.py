import json
from typing import cast

import pytest

from orderbook_tui.config import json_schema

Node = dict[str, "Node"]


def section(name: str) -> Node:
    schema = cast(Node, json_schema())
    return schema["$defs"][name]["properties"]


def test_it_says_which_dialect_it_is_written_in() -> None:
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_it_can_be_printed() -> None:
    assert json.loads(json.dumps(json_schema())) == json_schema()


def test_an_amount_may_be_a_number_or_text() -> None:
    number, text = cast(list[Node], section("SchedulerSpec")["min_amount"]["anyOf"])
    assert (number["type"], number["exclusiveMinimum"], text["type"]) == ("number", 0, "string")


@pytest.mark.parametrize("name", ["SimulatorConfig", "SchedulerSpec", "ProcessorSpec", "MarketSpec", "EmbeddedVenue"])
def test_every_key_is_described(name: str) -> None:
    keys = cast(Node, json_schema()["properties"]) if name == "SimulatorConfig" else section(name)
    assert [key for key, node in keys.items() if "description" not in node] == []


def test_unknown_keys_are_refused_everywhere() -> None:
    sections = cast(Node, json_schema()["$defs"]).values()
    objects = [node for node in sections if cast(str, node["type"]) == "object"]
    assert all(cast(bool, node["additionalProperties"]) is False for node in objects)
