"""Templates: texts with placeholders, made into paths, queries, headers and bodies. What is put in stays in its place.

path, query    percent-encoded, also every `/`; a part that is `.` or `..` is refused
header         refused where it holds a control character
JSON           encoded as text, or as a number if it is one
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import quote

from orderbook_tui.config.placeholders import Placeholder, Variable, parts
from orderbook_tui.errors import OrderbookTuiError

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class Unfit(OrderbookTuiError):
    """A value that cannot stand where its placeholder is; nothing was sent."""


class Values(Protocol):
    """What placeholders stand for."""

    def value(self, name: str) -> str:
        """Return the text of a placeholder, empty where there is nothing.

        Raises:
            Unfit: it is not known, and a request without it would be another one.
        """
        ...

    def variable(self, variable: Variable) -> str:
        """Return a variable of the environment."""
        ...


Render = Callable[[Values], str | None]
"""What makes a piece of a request; None leaves it out."""


def names(texts: Sequence[str]) -> set[str]:
    """Return the first words of all placeholders in some texts; that of a variable that names the account is `account`."""
    found = set()
    for text in texts:
        for part in parts(text):
            if isinstance(part, Placeholder):
                found.add(part.name.partition(".")[0])
            elif isinstance(part, Variable) and part.is_of_account:
                found.add("account")
    return found


def texts_in(tree: object) -> list[str]:
    """Return all texts in a JSON tree, but for its keys."""
    if isinstance(tree, str):
        return [tree]
    if isinstance(tree, Mapping):
        return [text for member in tree.values() for text in texts_in(member)]
    return [text for member in tree for text in texts_in(member)] if isinstance(tree, list | tuple) else []


def text(template: str, encode: Callable[[str], str] = str) -> Render:
    """Return what renders a text, `encode` being applied to what is put in; None where it is one placeholder that is empty."""
    taken_apart = parts(template)
    match taken_apart:
        case ():
            return lambda values: ""
        case (str(literal),):
            return lambda values: literal
        case (Placeholder(name, _, True),):
            return lambda values: encode(found) if (found := values.value(name)) else None
        case (Placeholder(name, _, False),):
            return lambda values: encode(values.value(name))
    pieces = tuple(map(_piece, taken_apart))
    return lambda values: "".join([each if isinstance(each, str) else encode(each(values)) for each in pieces])


def _piece(part: str | Placeholder | Variable) -> str | Callable[[Values], str]:
    match part:
        case str():
            return part
        case Placeholder():
            name = part.name
            return lambda values: values.value(name)
    return lambda values: values.variable(part)


def path(template: str) -> Render:
    """Return what renders a path."""
    return text(template, _in_path)


def pairs(templates: Mapping[str, str]) -> Callable[[Values], str]:
    """Return what renders `key=value&...` for a query or a form."""
    ready = [(f"{encoded(key)}=", text(template, encoded)) for key, template in templates.items()]

    def render(values: Values) -> str:
        return "&".join([key + found for key, one in ready if (found := one(values)) is not None])

    return render


def headers(templates: Mapping[str, str]) -> Callable[[Values], dict[str, str]]:
    """Return what renders headers."""
    ready = [(name, text(template)) for name, template in templates.items()]

    def render(values: Values) -> dict[str, str]:
        found = {}
        for name, one in ready:
            value = one(values)
            if value is None:
                continue
            if _CONTROL.search(value) or not value.isprintable():
                raise Unfit(f"the header {name} would hold a control character")
            found[name] = value
        return found

    return render


def body(tree: object) -> Render:
    """Return what renders a JSON tree."""
    match tree:
        case str():
            return _json_text(tree)
        case Mapping():
            members = [(f"{json.dumps(key)}:", body(member)) for key, member in tree.items()]

            def of_object(values: Values) -> str:
                return "{" + ",".join([key + found for key, one in members if (found := one(values)) is not None]) + "}"

            return of_object
        case list() | tuple():
            entries = [body(member) for member in tree]

            def of_list(values: Values) -> str:
                return "[" + ",".join([found for one in entries if (found := one(values)) is not None]) + "]"

            return of_list
    constant = json.dumps(tree)
    return lambda values: constant


def _json_text(template: str) -> Render:
    match parts(template):
        case (Placeholder() as only,) if only.kind != "text":
            return _json_number(only)
        case (str(literal),):
            constant = json.dumps(literal)
            return lambda values: constant
    plain = text(template)
    encode = json.dumps

    def render(values: Values) -> str | None:
        found = plain(values)
        return None if found is None else encode(found)

    return render


def _json_number(placeholder: Placeholder) -> Render:
    wanted, what = (_NUMBER, "number") if placeholder.kind == "number" else (_WHOLE, "whole number")

    def render(values: Values) -> str | None:
        found = values.value(placeholder.name)
        if not found and placeholder.is_optional:
            return None
        if not wanted.fullmatch(found):
            raise Unfit(f"{{{placeholder.name}}} is no {what}: {found[:60]!r}")
        return found

    return render


def encoded(value: str) -> str:
    """Return a value as it stands in a query: whatever could end it there is encoded."""
    return quote(value, safe="", errors="replace")


def _in_path(value: str) -> str:
    if value in (".", "..", ""):
        raise Unfit(f"a part of the path would be {value!r}, which leads elsewhere")
    return quote(value, safe="", errors="replace")
