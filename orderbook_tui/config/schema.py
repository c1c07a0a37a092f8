"""The JSON Schema of simulator.json, for editors that check and complete while one types."""

from typing import Final

from orderbook_tui.config.fields import NUMBER_PATTERN
from orderbook_tui.config.models import SimulatorConfig

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_BOUNDS: Final = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def json_schema() -> dict[str, object]:
    """Return the JSON Schema (draft 2020-12). It says what each section admits, not what sections must agree on."""
    schema = SimulatorConfig.model_json_schema()
    _tidy(schema)
    return {"$schema": DIALECT, **schema, "title": "orderbook-tui simulator.json"}


def _tidy(node: object) -> None:
    """Say what an amount may be: a number within its bounds, or text that reads as one."""
    if isinstance(node, list):
        for member in node:
            _tidy(member)
    elif isinstance(node, dict):
        for branch in node.get("anyOf", ()):
            if branch == {"type": "number"}:
                branch |= {_BOUNDS[bound]: node.pop(bound) for bound in _BOUNDS if bound in node}
            elif branch.get("type") == "string" and "anyOf" in node and {"type": "null"} not in node["anyOf"]:
                branch["pattern"] = f"^{NUMBER_PATTERN}$"
        for member in node.values():
            _tidy(member)
