"""The form: the keys of a configuration that are edited one by one, each with its text, and what typed text means.

    tree --fields_of--> fields --typed--> the value that the key then has

A field's text is what one would type. Text that is no such value goes into the tree as text, so that it is refused in the
loader's own words.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Final, Literal, NamedTuple, get_args, get_origin

from pydantic_core import PydanticUndefined

from orderbook_tui.config.descriptions import descriptions
from orderbook_tui.config.fields import NUMBER_PATTERN, Section
from orderbook_tui.config.models import BudgetSpec, BudgetsSpec, GenerateSpec, ProcessorSpec, SchedulerSpec, SimulatorConfig
from orderbook_tui.config.showing import Place, place_text
from orderbook_tui.config.writing import Number, Tree
from orderbook_tui.core.money import written

Kind = Literal["number", "integer", "text", "flag", "choice", "map"]

STRATEGY: Final = ("scheduler", "matching_strategy")
MATCH_WITH: Final = (*STRATEGY, "match_with")
BUDGETS: Final = ("budget", "budgets")


class Absent:
    """Stands for a key that is not in the tree."""


ABSENT: Final = Absent()


class FormField(NamedTuple):
    """One key, as a form shows it."""

    path: str
    label: str
    section: str
    """The section that it belongs to; empty for keys at the top of the file."""
    kind: Kind
    text: str
    """The value as one would type it; the default's where there is none."""
    default: str
    help: str
    choices: tuple[str, ...] = ()
    """What may be chosen; of a text, what is there to be named."""
    optional: bool = False
    """Whether it may be empty."""


def fields_of(tree: Tree, accounts: Sequence[str] = (), assets: Sequence[str] = ()) -> Iterator[FormField]:
    """Yield every field of a tree; `accounts` and `assets` are what budgets may name."""
    yield from _plain_fields(tree)
    suggestions = {"account_id": tuple(accounts), "asset_id": tuple(assets)}
    for index, row in enumerate(budget_rows(tree)):
        yield from _budget_fields(row, index, suggestions)


def field_at(tree: Tree, path: str) -> FormField | None:
    """Return one field of a tree, without making the others; None where there is none at that path."""
    found, rows = _BUDGET_PATH.fullmatch(path), budget_rows(tree)
    if found is None:
        return next((field for field in _plain_fields(tree) if field.path == path), None)
    index = int(found[1])
    fields = _budget_fields(rows[index], index, {}) if index < len(rows) else ()
    return next((field for field in fields if field.path == path), None)


def budget_rows(tree: Tree) -> list[object]:
    """Return the budget specs of a tree, or the default ones."""
    rows = value_at(tree, BUDGETS)
    if isinstance(rows, list):
        return rows
    from_database = value_at(tree, ("database", "budgets")) is not ABSENT
    default = BudgetsSpec().budgets if rows is ABSENT and not from_database else ()
    return [{"amount": Number(written(spec.amount))} for spec in default]


def value_at(tree: object, place: Place) -> object:
    """Return what stands at a place of a tree, or `ABSENT`."""
    for part in place:
        if isinstance(part, int):
            tree = tree[part] if isinstance(tree, list) and part < len(tree) else ABSENT
        else:
            tree = tree.get(part, ABSENT) if isinstance(tree, dict) else ABSENT
    return tree


def number(text: str) -> Number | None:
    """Return the JSON number that `text` is, or is another way of writing: `.5`, `+5`, `5.`."""
    if _JSON_NUMBER.fullmatch(text):
        return Number(text)
    if len(text) <= 200 and _ANY_NUMBER.fullmatch(text):
        return Number(Decimal(text))
    return None


def typed(field: FormField, text: str) -> object:
    """Return the value that `text` in a field stands for; the text itself, where it stands for none."""
    short = text.strip()
    if field.optional and short in {"", "null"}:
        return None
    match field.kind:
        case "number" | "integer":
            return number(short) or text
        case "flag":
            return {"true": True, "false": False}.get(short, text)
        case "map":
            found = _map(short, *_MARKS[field.path])
            return text if found is None else found
        case "choice":
            return short
        case "text":
            return text


def shown_text(value: object, mark: str = ":") -> str:
    """Return a value as one would type it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return str(value)
        case Mapping():
            plain = all(_is_plain(str(part), mark) for pair in value.items() for part in pair)
            if plain and all(isinstance(member, str) for member in value.values()):
                return ", ".join(f"{key}{mark}{member}" for key, member in value.items())
    return json.dumps(value, ensure_ascii=False)


def value_text(value: object) -> str:
    """Return a value of a model as one would type it."""
    match value:
        case Decimal():
            return written(value)
        case StrEnum():
            return value.value
        case int() | float() if not isinstance(value, bool):
            return repr(value)
    return shown_text(value)


def _plain_fields(tree: Tree) -> Iterator[FormField]:
    """Yield every field but those of the budgets."""
    for key in ("name", "seed", "state_dir"):
        yield _field(tree, SimulatorConfig, (key,))
    from_database = value_at(tree, ("database", "accounts")) is not ABSENT
    if isinstance(value_at(tree, ("accounts", "generate")), Mapping) or not ("accounts" in tree or from_database):
        for key in GenerateSpec.model_fields:
            yield _field(tree, GenerateSpec, ("accounts", "generate", key))
    yield from _section_fields(tree, SchedulerSpec, ("scheduler",))
    yield from _section_fields(tree, ProcessorSpec, ("processor",))


def _budget_fields(row: object, index: int, suggestions: Mapping[str, tuple[str, ...]]) -> Iterator[FormField]:
    path, heading, said = place_text((*BUDGETS, index)), BUDGETS[0], row if isinstance(row, dict) else {}
    for key in BudgetSpec.model_fields:
        shape = _shape(BudgetSpec, key)
        value = said.get(key, ABSENT)
        text = shape.default if value is ABSENT else shown_text(value)
        yield FormField(
            f"{path}.{key}", key, heading, shape.kind, text, shape.default, shape.help, suggestions.get(key, ()), shape.optional
        )


def _section_fields(tree: Tree, section: type[Section], place: Place) -> Iterator[FormField]:
    for key, field in section.model_fields.items():
        here = (*place, key)
        if here == STRATEGY:
            yield from _strategy_fields(tree)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _section_fields(tree, field.annotation, here)
        elif key != "overrides":  # these belong to single slots
            yield _field(tree, section, here)


def _strategy_fields(tree: Tree) -> Iterator[FormField]:
    value = value_at(tree, STRATEGY)
    named = value_at(tree, MATCH_WITH)
    texts = descriptions(SchedulerSpec)
    default = str(SchedulerSpec.model_fields["matching_strategy"].default)
    chosen = default if value is ABSENT else "match_with" if named is not ABSENT else shown_text(value)
    yield FormField(
        place_text(STRATEGY), STRATEGY[-1], "scheduler", "choice", chosen, default, texts["matching_strategy"],
        ("sequential_next", "any", "match_with"),
    )  # fmt: skip
    text = "" if named is ABSENT else shown_text(named)
    yield FormField(place_text(MATCH_WITH), MATCH_WITH[-1], "scheduler", "map", text, "", _MATCH_WITH_HELP)


def _field(tree: Tree, section: type[Section], place: Place) -> FormField:
    key = str(place[-1])
    kind, choices, optional, default, words = _shape(section, key)
    value = value_at(tree, place)
    path = place_text(place)
    text = default if value is ABSENT else shown_text(value, _MARKS[path][0]) if path in _MARKS else shown_text(value)
    heading = str(place[0]) if len(place) > 1 else ""
    return FormField(path, key, heading, kind, text, default, words, choices, optional)


class _Shape(NamedTuple):
    """What all values of a key have in common."""

    kind: Kind
    choices: tuple[str, ...]
    optional: bool
    default: str
    help: str


@cache
def _shape(section: type[Section], key: str) -> _Shape:
    known = section.model_fields[key]
    default = "" if known.default is PydanticUndefined else value_text(known.default)
    return _Shape(*_kind(known.annotation), default, descriptions(section)[key])


def _kind(annotation: object) -> tuple[Kind, tuple[str, ...], bool]:
    """Return which kind of value a key has, which there are to choose from, and whether it may be null."""
    parts = [part for part in get_args(annotation) if part is not type(None)]
    optional = type(None) in get_args(annotation) and get_origin(annotation) is not Annotated
    if optional or get_origin(annotation) is Annotated:
        kind, choices, _ = _kind(parts[0])
        return kind, choices, optional
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return "choice", tuple(choice.value for choice in annotation), False
    return _KINDS[get_origin(annotation) or annotation], (), False


_KINDS: Final[Mapping[object, Kind]] = {
    bool: "flag",
    int: "integer",
    float: "number",
    Decimal: "number",
    str: "text",
    dict: "map",
}

_MATCH_WITH_HELP: Final = "Account to account, by id or name; one direction is enough: alice:bob, carol:dave"

_MARKS: Final = {place_text(MATCH_WITH): (":", False), "scheduler.market_weights": ("=", True)}
"""How each map is typed: what stands between the two of an entry, and whether the second is a number."""

_BUDGET_PATH: Final = re.compile(r"budget\.budgets\[([0-9]{1,9})\]\.\w+")
_JSON_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ANY_NUMBER: Final = re.compile(NUMBER_PATTERN)


def _map(text: str, mark: str, counts: bool) -> Tree | None:
    """Return the object that `a:b, c:d` means, or a JSON object; None where it is neither."""
    if text.startswith("{"):
        try:
            found = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number, object_pairs_hook=_once)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) and all(isinstance(member, str) for member in found.values()) else None
    pairs: list[tuple[str, object]] = []
    for entry in filter(None, map(str.strip, text.split(","))):
        key, there, value = (part.strip() for part in entry.partition(mark))
        if not there or not key:
            return None
        pairs.append((key, (number(value) or value) if counts else value))
    return dict(pairs) if len(dict(pairs)) == len(pairs) else None


def _once(pairs: list[tuple[str, object]]) -> Tree:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key is given twice")
    return dict(pairs)


def _is_plain(part: str, mark: str) -> bool:
    return bool(part) and part == part.strip() and not any(letter in part for letter in (",", mark, "{"))
