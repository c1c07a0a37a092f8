import json
from typing import cast

import pytest

from orderbook_tui.config import json_schema

Node = dict[str, object]


def keys_of(section: str) -> dict[str, Node]:
    schema = json_schema()
    node = schema if section == "SimulatorConfig" else cast(dict[str, Node], schema["$defs"])[section]
    return cast(dict[str, Node], node["properties"])


def test_it_says_which_dialect_it_is_written_in() -> None:
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_it_can_be_printed() -> None:
    assert json.loads(json.dumps(json_schema())) == json_schema()


def test_an_amount_may_be_a_number_or_text() -> None:
    number, text = cast(list[Node], keys_of("SchedulerSpec")["min_amount"]["anyOf"])
    assert (number["type"], number["exclusiveMinimum"]) == ("number", 0)
    assert text["type"] == "string"


@pytest.mark.parametrize("section", ["GenerateSpec", "ProcessorSpec", "OutageSpec", "AssetSpec", "MarketSpec", "FeesSpec"])
def test_bounds_are_said_in_the_words_of_json_schema(section: str) -> None:
    text = json.dumps(keys_of(section))
    assert "inimum" in text
    assert '"ge"' not in text
    assert '"gt"' not in text


@pytest.mark.parametrize(
    "section",
    [
        "SimulatorConfig",
        "AccountsSpec",
        "BudgetSpec",
        "OutageSpec",
        "SchedulerSpec",
        "ProcessorSpec",
        "MarketSpec",
        "EmbeddedVenueSpec",
    ],
)
def test_every_key_is_described(section: str) -> None:
    assert [key for key, node in keys_of(section).items() if "description" not in node] == []


def test_unknown_keys_are_refused_in_every_section() -> None:
    sections = cast(dict[str, Node], json_schema()["$defs"]).values()
    assert all(node["additionalProperties"] is False for node in sections if node["type"] == "object")
