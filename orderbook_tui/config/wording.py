"""What pydantic found wrong, in our words: short, at the place in the file, naming what would be right.

    scheduler.min_amont: unknown key (did you mean min_amount?)
    seed: expected a whole number, got "x"

A key that is unknown where it stands may be misspelt, or stand in the wrong section.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orderbook_tui.config.ccxt import CcxtVenueSpec
from orderbook_tui.config.fields import UNKNOWN_KIND, WORDS, Section
from orderbook_tui.config.fix import FixVenueSpec
from orderbook_tui.config.http import HttpVenueSpec
from orderbook_tui.config.models import STRATEGY_MAP, STRATEGY_NAME, MatchWith, SimulatorConfig
from orderbook_tui.config.reading import Trouble
from orderbook_tui.config.showing import Place, number_text, plain_text, shown
from orderbook_tui.config.venue import CCXT, EMBEDDED, FIX, HTTP, PYTHON, EmbeddedVenueSpec, PythonVenueSpec

_TAGS: Final[Mapping[str | int, type[Section] | None]] = {
    EMBEDDED: EmbeddedVenueSpec,
    PYTHON: PythonVenueSpec,
    HTTP: HttpVenueSpec,
    FIX: FixVenueSpec,
    CCXT: CcxtVenueSpec,
    STRATEGY_MAP: MatchWith,
    STRATEGY_NAME: None,
}
"""What pydantic puts into a place for the alternative it has chosen; no part of the file."""

MISSING: Final = "missing"
UNKNOWN_KEY: Final = "unknown key"

_LONGEST_GUESSED_KEY: Final = 40
_MOST_GUESSES: Final = 200
_MOST_HINTS: Final = 1000


def findings(error: ValidationError, root: type[Section] = SimulatorConfig) -> list[tuple[Trouble, Place | None]]:
    """Return each trouble of `error`, with the place that an unknown key was probably meant for."""
    found: list[tuple[Trouble, Place | None]] = []
    for details in error.errors(include_url=False):
        raw = tuple(part for part in details["loc"] if part != "[key]")
        place = tuple(part for part in raw if part not in _TAGS)
        if details["type"] == "extra_forbidden":
            raw = details["loc"]
            place = (
                *(part for part in raw[:-1] if part not in _TAGS),
                raw[-1],
            )  # a key may be called as pydantic calls its own
            meant = _meant(place, _section(root, raw[:-1])) if len(found) < _MOST_HINTS else None
            found.append((Trouble(place, UNKNOWN_KEY + _hint(place, meant)), meant))
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
    if len(name) > _LONGEST_GUESSED_KEY or len(known) > _MOST_GUESSES:
        return None
    import difflib  # only a mistake needs it

    guesses = {_skeleton(each): each for each in known if len(each) <= _LONGEST_GUESSED_KEY}
    close = difflib.get_close_matches(_skeleton(name), guesses, n=1, cutoff=0.7)
    return guesses[close[0]] if close else None


def _skeleton(name: str) -> str:
    """Return what is left of a name when case and punctuation do not count."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _meant(place: Place, section: type[Section] | None) -> Place | None:
    """Return where the value of an unknown key was probably meant to stand."""
    key = str(place[-1])
    if section is None:
        return None
    at_home = _home(key) if len(place) <= 2 else None
    if at_home is not None and at_home != place:
        return at_home
    near = nearest(key, tuple(section.model_fields))
    return (*place[:-1], near) if near else None


def _home(key: str) -> Place | None:
    """Return where a key stands at the top of the file, or in the one section that has it."""
    fields = SimulatorConfig.model_fields
    if key in fields:
        return (key,)
    homes = [name for name, field in fields.items() if any(key in home.model_fields for home in sections(field.annotation))]
    return (homes[0], key) if len(homes) == 1 else None


def _hint(place: Place, meant: Place | None) -> str:
    if meant is None:
        return ""
    if meant[:-1] == place[:-1]:
        return f" (did you mean {meant[-1]}?)"
    return f" here ({meant[-1]} belongs {f'in {meant[0]}' if len(meant) > 1 else 'at the top of the file'})"


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
        section = next(iter(sections(field.annotation)), None)
    return section


def sections(annotation: object) -> list[type[Section]]:
    """Return the sections that a field may hold, looking through tuples and unions."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for argument in get_args(annotation) for section in sections(argument)]


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
    return f"expected {limit} {wanted} {'entry' if wanted == 1 else 'entries'}, got {'more' if actual is None else actual}"


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
