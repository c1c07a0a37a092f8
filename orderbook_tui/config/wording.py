"""What pydantic found wrong, in our words: short, at the place in the file, naming what would be right.

scheduler.min_amont: unknown key (did you mean min_amount?)
seed: expected a whole number, got "x"
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orderbook_tui.config.fields import UNKNOWN_KIND, WORDS, Section
from orderbook_tui.config.models import STRATEGY_MAP, STRATEGY_NAME, MatchWith, SimulatorConfig
from orderbook_tui.config.reading import Trouble
from orderbook_tui.config.showing import Place, number_text, plain_text, shown
from orderbook_tui.config.venue import EMBEDDED, PYTHON, EmbeddedVenue, PythonVenue

_TAGS: Final[Mapping[str | int, type[Section] | None]] = {
    EMBEDDED: EmbeddedVenue,
    PYTHON: PythonVenue,
    STRATEGY_MAP: MatchWith,
    STRATEGY_NAME: None,
}
"""What pydantic puts into a place for the alternative it has chosen; no part of the file."""

MISSING: Final = "missing"
UNKNOWN_KEY: Final = "unknown key"

_LONGEST_GUESSED_KEY: Final = 40


def findings(error: ValidationError, root: type[Section] = SimulatorConfig) -> list[tuple[Trouble, Place | None]]:
    """Return each trouble of `error`, with the place that an unknown key was probably meant for."""
    found: list[tuple[Trouble, Place | None]] = []
    for details in error.errors(include_url=False):
        raw = tuple(part for part in details["loc"] if part != "[key]")
        place = tuple(part for part in raw if part not in _TAGS)
        if details["type"] == "extra_forbidden":
            key = str(place[-1])
            meant = _nearest(key, _section(root, raw[:-1]))
            hint = f" (did you mean {meant}?)" if meant else _elsewhere(key, place)
            found.append((Trouble(place, f"{UNKNOWN_KEY}{hint}"), (*place[:-1], meant) if meant else None))
        elif details["type"] == UNKNOWN_KIND:
            found.append((_unknown_kind(place, details), None))
        else:
            found.append((Trouble(place, _words(details)), None))
    return found


def alternatives(names: Sequence[str], most: int = 5) -> str:
    """Return names for the end of a message: `BTC, ETH and 7 more`."""
    listed = ", ".join(plain_text(name) for name in names[:most])
    return listed if len(names) <= most else f"{listed} and {len(names) - most} more"


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that `name` was probably meant to be."""
    if len(name) > _LONGEST_GUESSED_KEY or len(known) > 1000:
        return None
    import difflib  # only a mistake needs it

    plain = {re.sub(r"[^a-z0-9]", "", each.lower()): each for each in known if len(each) <= _LONGEST_GUESSED_KEY}
    close = difflib.get_close_matches(re.sub(r"[^a-z0-9]", "", name.lower()), plain, n=1, cutoff=0.7)
    return plain[close[0]] if close else None


def _nearest(key: str, section: type[Section] | None) -> str | None:
    return nearest(key, tuple(section.model_fields)) if section else None


def _elsewhere(key: str, place: Place) -> str:
    """Say where a key belongs that stands in the wrong section."""
    homes = [
        name
        for name, field in SimulatorConfig.model_fields.items()
        for section in _sections(field.annotation)
        if key in section.model_fields and name != place[0]
    ]
    if key in SimulatorConfig.model_fields:
        return f" here ({key} belongs at the top of the file)"
    return f" here ({key} belongs in {homes[0]})" if len(set(homes)) == 1 else ""


def _section(root: type[Section], raw: Sequence[str | int]) -> type[Section] | None:
    """Return the section that stands at a place."""
    section: type[Section] | None = root
    for part in raw:
        if isinstance(part, int):
            continue
        if part in _TAGS:
            section = _TAGS[part]
            continue
        field = section.model_fields.get(part) if section else None
        if field is None:
            return None
        section = next(iter(_sections(field.annotation)), None)
    return section


def _sections(annotation: object) -> list[type[Section]]:
    """Return the sections that a field may hold, looking through tuples and unions."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for argument in get_args(annotation) for section in _sections(argument)]


def _unknown_kind(place: Place, details: ErrorDetails) -> Trouble:
    value = details["input"]
    if isinstance(value, Mapping):
        return Trouble((*place, "kind"), f"{details['msg']}, got {shown(value.get('kind'))}")
    return Trouble(place, f"expected an object, got {shown(value)}")


def _words(details: ErrorDetails) -> str:
    value, bounds = shown(details["input"]), details.get("ctx", {})
    match details["type"]:
        case "words":
            words = str(bounds[WORDS])
            return words if "got " in words or not words.startswith("expected") else f"{words}, got {value}"
        case "missing":
            return MISSING
        case "greater_than":
            return f"{value} is not above {bounds['gt']}"
        case "greater_than_equal":
            return f"{value} is below the least, {_bound(bounds['ge'])}"
        case "less_than":
            return f"{value} is not below {bounds['lt']}"
        case "less_than_equal":
            return f"{value} is above the most, {_bound(bounds['le'])}"
        case "enum" | "literal_error":
            return f"expected {_choices(str(bounds['expected']))}, got {value}"
        case "string_too_short":
            return "is empty, some text is wanted"
        case "string_too_long":
            return f"{value} is too long: at most {bounds['max_length']} characters"
        case "too_long":
            return _size(bounds, "at most", "max_length")
        case "too_short":
            return _size(bounds, "at least", "min_length")
        case "invalid_key":
            return "a key is text"
    expected = _EXPECTED.get(details["type"])
    return f"expected {expected}, got {value}" if expected else f"{value} is not acceptable here"


def _bound(bound: object) -> str:
    return number_text(Decimal(str(bound)))


def _choices(expected: str) -> str:
    return expected.replace("'", '"')


def _size(bounds: Mapping[str, object], limit: str, key: str) -> str:
    wanted, actual = bounds[key], bounds["actual_length"]
    return f"expected {limit} {wanted} {'entry' if wanted == 1 else 'entries'}, got {actual or 'more'}"


_EXPECTED: Final = {
    "string_type": "text",
    "string_unicode": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "mapping_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
