"""The JSON Schema of simulator.json, for editors that check and complete while one types."""

from typing import Any, Final

from orderbook_tui.config.descriptions import descriptions
from orderbook_tui.config.fields import NUMBER_PATTERN, Section
from orderbook_tui.config.models import SimulatorConfig

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_BOUNDS: Final = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def json_schema() -> dict[str, object]:
    """Return the JSON Schema (draft 2020-12). It says what each section admits, not what sections must agree on."""
    schema = SimulatorConfig.model_json_schema()
    _describe(schema, SimulatorConfig)
    for section in Section.__subclasses__():
        _describe(schema["$defs"].get(section.__name__, {}), section)
    _tidy(schema)
    return {"$schema": DIALECT, **schema, "title": "orderbook-tui simulator.json"}


def _describe(node: dict[str, Any], section: type[Section]) -> None:
    texts = descriptions(section)
    for key, member in node.get("properties", {}).items():
        if key in texts:
            member["description"] = texts[key]


def _tidy(node: object) -> None:
    """Say what an amount may be: a number within its bounds, or text that reads as one."""
    if isinstance(node, list):
        for member in node:
            _tidy(member)
    elif isinstance(node, dict):
        branches = node.get("anyOf", [node])
        kinds = {branch.get("type") for branch in branches}
        bounds = {_BOUNDS[bound]: node.pop(bound) for bound in _BOUNDS if bound in node}
        for branch in branches:
            if branch.get("type") in {"number", "integer"}:
                branch.update(bounds)
            elif branch.get("type") == "string" and "number" in kinds:
                branch["pattern"] = f"^{NUMBER_PATTERN}$"
        for member in node.values():
            _tidy(member)
