"""A JSON file as a tree, with nothing lost: numbers stay exact, duplicate keys and NaN are found where they stand.

Python's JSON reader lets the last of two equal keys win and takes NaN for a number. Its hooks see each object and number
but not where it is, so the hooks leave a mark (`_Object`, `Unreadable`) and a walk over the tree turns marks into places.
"""

import json
import os
import re
import select
import stat
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, NamedTuple

from orderbook_tui.config.fields import LARGEST_EXPONENT, MOST_DIGITS, is_in_range
from orderbook_tui.config.showing import Place, file_text, plain_text, shown
from orderbook_tui.errors import ConfigError, Problem

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_DEPTH: Final = 64
MAX_VALUES: Final = 200_000
"""What a file may hold of keys, entries and brackets: a wrong entry takes a thousand times its bytes in memory."""

_MOST_TROUBLES: Final = 1_000
_PATIENCE_MS: Final = 5_000
"""How long a pipe may have nothing to say."""


class Trouble(NamedTuple):
    """One thing that is wrong, and where in the tree."""

    place: Place
    message: str


class Unreadable:
    """Stands in the tree for a number that none could be made of."""

    def __init__(self, why: str) -> None:
        self.why = why


class Document(NamedTuple):
    """What was read, what was wrong with the reading of it, and where that has left no value to speak of."""

    tree: object
    troubles: list[Trouble]
    lost: frozenset[Place] = frozenset()


class _Object(dict[str, object]):
    """A JSON object that remembers what a later key of the same name has hidden."""

    __slots__ = ("hidden",)

    hidden: list[tuple[str, object]]


def read_bytes(path: Path, name: str | None = None, *, most: int = MAX_BYTES) -> bytes:
    """Return the content of a file or a pipe; `name` is what messages call it.

    Raises:
        ConfigError: it is not there, is something else, cannot be read, or has more than `most` bytes.
    """
    try:
        content = _content(path, most + 1)
    except FileNotFoundError:
        why = "there is no such file"
    except IsADirectoryError:
        why = "this is a folder, a JSON file is wanted"
    except PermissionError:
        why = "no permission to read this file"
    except (OSError, ValueError) as error:
        why = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    else:
        if len(content) <= most:
            return content
        why = f"the file is larger than {most // 1024**2} MiB"
    raise _whole_file(file_text(path) if name is None else name, why)


def _content(path: Path, most: int) -> bytes:
    """Return what is at `path`, at most so many bytes of it. A pipe that nobody writes to is not waited for for long."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise ValueError("this is a device, a JSON file is wanted")
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        parts: list[bytes] = []
        while most > 0:
            if not poll.poll(_PATIENCE_MS):
                raise ValueError("nothing comes out of this pipe")
            part = os.read(descriptor, min(most, 1 << 20))
            if not part:
                break
            parts.append(part)
            most -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def read_json(content: bytes | str, name: str = "", *, most_values: int = MAX_VALUES) -> Document:
    """Return the tree of a JSON text; `name` is what messages about the whole of it call it.

    Raises:
        ConfigError: it is no JSON, or holds more than `most_values`, so there is no tree.
    """
    text = content if isinstance(content, str) else _text(content, name)
    if not text.strip():
        raise _whole_file(name, "the file is empty, a JSON object is wanted: {} is one")
    if sum(map(text.count, ",[{")) > most_values:
        raise _whole_file(
            name, f"this holds more than {most_values:,} values: a long list of accounts goes into a file of its own"
        )
    marks: list[object] = []

    def mark(why: str) -> Unreadable:
        marks.append(why)
        return Unreadable(why)

    def whole(digits: str) -> int | Unreadable:
        if len(digits) > MOST_DIGITS:
            return mark(f"{plain_text(digits)} is out of range: at most {MOST_DIGITS} digits")
        return int(digits)

    def fraction(digits: str) -> Decimal | Unreadable:
        try:
            number = Decimal(digits)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and is_in_range(number):
            return number
        limits = f"at most {MOST_DIGITS} digits, and no more than 10^{LARGEST_EXPONENT}"
        return mark(f"{plain_text(digits)} is out of range: {limits}")

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        marks.append(pairs)
        found = _Object()
        found.hidden = []
        for key, value in pairs:
            if key in found:
                found.hidden.append((key, found[key]))
            found[key] = value
        return found

    try:
        tree = json.loads(
            text,
            object_pairs_hook=members,
            parse_int=whole,
            parse_float=fraction,
            parse_constant=lambda constant: mark(f"{constant} is not a number"),
        )
    except json.JSONDecodeError as error:
        raise _whole_file(name, _syntax(error)) from None
    except RecursionError:
        raise _whole_file(name, f"nested too deeply: at most {MAX_DEPTH} levels") from None
    # Lone surrogates and NULs come in as \u escapes, or with text that Python code has passed in.
    suspect = marks or "\\u" in text or text.count("[") + text.count("{") > MAX_DEPTH or not _is_clean(text)
    if not suspect:
        return Document(tree, [])
    troubles, lost = _troubles(tree)
    return Document(tree, troubles, frozenset(lost))


def _text(content: bytes, name: str) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _whole_file(name, "this is UTF-16, the file must be UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        why = f"line {line}: byte 0x{content[error.start]:02x} is not UTF-8, the file must be"
        raise _whole_file(name, why) from None


def _is_clean(text: str) -> bool:
    return text.isascii() or not _BROKEN.search(text)


def _troubles(tree: object) -> tuple[list[Trouble], set[Place]]:
    """Walk the tree, in the order of the file, for what the reader let pass, and where no value is left of it."""
    lost: set[Place] = set()
    troubles: list[Trouble] = []
    waiting: list[tuple[Place, object]] = [((), tree)]
    while waiting and len(troubles) <= _MOST_TROUBLES:
        place, value = waiting.pop()
        if isinstance(value, Unreadable):
            troubles.append(Trouble(place, value.why))
            lost.add(place)
        elif isinstance(value, str):
            if broken := _BROKEN.search(value):
                troubles.append(Trouble(place, _broken(value, broken)))
                lost.add(place)
        elif isinstance(value, dict | list) and len(place) >= MAX_DEPTH:
            troubles.append(Trouble(place, f"nested too deeply: at most {MAX_DEPTH} levels"))
        elif isinstance(value, dict):
            members: list[tuple[str, object]] = list(value.items())
            for key, _ in members:
                if broken := _BROKEN.search(key):
                    troubles.append(Trouble((*place, key), f"in this key, {_broken(key, broken)}"))
                    del value[key]  # pydantic would stumble over it and miss the rest of the object
            if isinstance(value, _Object):
                counts: dict[str, int] = {}
                for key, _ in value.hidden:
                    counts[key] = counts.get(key, 1) + 1
                for key, times in counts.items():
                    message = f"duplicate key, given {'twice' if times == 2 else f'{times} times'}"
                    troubles.append(Trouble((*place, key), message))
                members = value.hidden + members
            waiting.extend(((*place, key), member) for key, member in reversed(members))
        elif isinstance(value, list):
            waiting.extend(((*place, index), value[index]) for index in range(len(value) - 1, -1, -1))
    return troubles, lost


def _broken(text: str, found: re.Match[str]) -> str:
    what = "a NUL character" if found[0] == "\0" else "half of a surrogate pair"
    return f"{shown(text)} holds {what}, which is no text"


def _syntax(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos : error.pos + 2]
    if rest[:1] == "#" or rest in ("//", "/*"):
        what = "JSON has no comments"
    elif rest[:1] == "'":
        what = "JSON text stands in double quotes"
    elif rest == "" and not error.msg.startswith("Unterminated"):
        what = "the file ends too early"
    else:
        what = next((words for start, words in _SYNTAX if error.msg.startswith(start)), f"no JSON: {error.msg}")
    return f"line {error.lineno}, column {error.colno}: {what}"


def _whole_file(name: str, why: str) -> ConfigError:
    return ConfigError([Problem(name, why)])


_BROKEN: Final = re.compile("[\0\ud800-\udfff]")

_SYNTAX: Final = (
    ("Expecting ',' delimiter", "expected a comma or a closing bracket"),
    ("Expecting ':' delimiter", "expected a colon after the key"),
    ("Expecting property name", "expected a key in double quotes"),
    ("Illegal trailing comma", "a comma before a closing bracket"),
    ("Expecting value", "expected a value"),
    ("Extra data", "expected nothing more after the end of the JSON value"),
    ("Unterminated string", "this text has no closing quote"),
    ("Invalid control character", "a control character or line break inside text; write it as an escape"),
    ("Invalid \\", "an unknown escape; a backslash itself is written \\\\"),
    ("Unexpected UTF-8 BOM", "a byte order mark inside the text"),
)
