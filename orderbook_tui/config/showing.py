"""How a place in a file and a value found there are shown to a person: short, on one line, never raw.

    ("accounts", "list", 2, "id")  ->  accounts.list[2].id
    "two\\nlines"                   ->  "two\\nlines", as JSON would write it

Text from outside may hold anything, so whatever could steer a terminal is shown as an escape (see `core.words`).
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import Final

from orderbook_tui.core.words import harmless

Place = tuple[str | int, ...]
"""Where something stands in a tree of objects and lists: the keys and indexes that lead to it."""

_LONGEST: Final = 60
_DEEPEST: Final = 10
_LONGEST_MESSAGE: Final = 400
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")


def place_text(place: Place) -> str:
    """Return a place as a path: `markets[0].tick_size`; unusual keys are quoted."""
    if len(place) > _DEEPEST:
        return f"{place_text(place[:_DEEPEST])}... ({len(place)} levels)"
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{shown(part)}]"
    return text


def shown(value: object) -> str:
    """Return a value as JSON would write it, cut to one short line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return _number(value)
        case Decimal() | float():
            return _cut(str(value))
        case str():
            return _quoted(value)
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
    return f"a {type(value).__name__}"


def plain_text(text: str) -> str:
    """Return text for use inside a sentence, without quotes; what could steer a terminal is escaped, what is long is cut."""
    return harmless(_cut(text))


def file_text(path: PurePath | str) -> str:
    """Return the path of a file whole, however long it is, with what could steer a terminal escaped."""
    return harmless(str(path))


def message_text(error: Exception) -> str:
    """Return what an error of the core says; it quotes the names of assets and markets as they are."""
    text = str(error)
    return harmless(text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}...")


def number_text(number: Decimal) -> str:
    """Return a number as a person would write it: without an exponent where that is short."""
    return _cut(format(number, "f") if -20 < number.adjusted() < 20 else str(number))


def _number(value: int) -> str:
    # Python refuses to write out integers of more than 4300 digits.
    return _cut(str(value)) if abs(value) < 10**_LONGEST else "a number of more than 60 digits"


def _quoted(text: str) -> str:
    shortened = _cut(text)
    return harmless(json.dumps(shortened, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 15]}... ({len(text)} characters)"
