"""A configuration as the JSON text that a person would write: keys in the order of the models, short things on one line.

text --tree_of--> tree, in which a number is the digits that stood there --text_of--> the same text, tidied
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from orderbook_tui.config.fields import Section
from orderbook_tui.config.models import SimulatorConfig
from orderbook_tui.config.wording import sections

Tree = dict[str, object]

Kinds = tuple[type[Section], ...]

_WIDEST: Final = 110
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)
_TOP: Final = frozenset(SimulatorConfig.model_fields)


class Number(str):
    """A number in a JSON text, digit by digit."""

    __slots__ = ()


def tree_of(text: str) -> Tree:
    """Return the tree of the JSON text of an object."""
    tree: Tree = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)
    return tree


def text_of(tree: Mapping[str, object], *, section: Callable[[str, object], str] | None = None) -> str:
    """Return a tree as the text of a file; `section` is asked for the text of each section, where it is given."""
    written = section or section_text
    keys = (*(key for key in _known((SimulatorConfig,)) if key in tree), *(key for key in tree if key not in _TOP))
    lines = [f"  {_quoted(key)}: {written(key, tree[key])}" for key in keys]
    return "{\n" + ",\n".join(lines) + "\n}\n" if lines else "{}\n"


def section_text(key: str, value: object) -> str:
    """Return the text of what stands under a key at the top of a file."""
    return _text(_ordered(value, _known((SimulatorConfig,)).get(key, ())), key, "  ")


def _ordered(value: object, kinds: Kinds) -> object:
    """Return a value with the keys of its sections in the order of the models; keys that are in none come last."""
    if not kinds:
        return value
    if isinstance(value, list):
        return [_ordered(entry, kinds) for entry in value]
    if not isinstance(value, Mapping):
        return value
    known = _known(kinds)
    found = {key: _ordered(value[key], within) for key, within in known.items() if key in value}
    return found if len(found) == len(value) else {**found, **{key: value[key] for key in value if key not in known}}


@cache
def _known(kinds: Kinds) -> dict[str, Kinds]:
    """Return the keys of a section that is one of these, each with the sections that it may hold."""
    return {key: tuple(sections(field.annotation)) for kind in kinds for key, field in kind.model_fields.items()}


def _text(value: object, key: str, indent: str) -> str:
    """Return a value: on one line if it is short and no list of objects, nor a section of the file."""
    is_list = isinstance(value, list)
    expands = isinstance(value, Mapping) and indent == "  "
    expands = expands or (isinstance(value, list) and any(isinstance(entry, Mapping) for entry in value))
    if not expands and len(indent) + len(key) + len(line := _line(value)) <= _WIDEST:
        return line
    deeper = indent + "  "
    if isinstance(value, Mapping) and value:
        inside = [f"{deeper}{_quoted(name)}: {_text(member, name, deeper)}" for name, member in value.items()]
    elif isinstance(value, list) and value:
        inside = [deeper + _text(member, "", deeper) for member in value]
    else:
        return _line(value)
    start, end = "[]" if is_list else "{}"
    return f"{start}\n" + ",\n".join(inside) + f"\n{indent}{end}"


def _line(value: object) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(key)}: {_line(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_line, value)) + "]"
    return _quoted(value)


def _quoted(value: object) -> str:
    return _ENCODER.encode(value)
