"""jmespath over replies: numbers stay exact, and an expression that fails on a reply gives nothing."""

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature

from orderbook_tui.errors import ConfigError, Problem

Search = Callable[[Any], Any]


class _Exact(Functions):  # type: ignore[misc]  # jmespath has no types
    """The functions of jmespath, for numbers that are Decimals too."""

    def _get_allowed_pytypes(self, types: Any) -> Any:
        allowed, within = super()._get_allowed_pytypes(types)
        with_decimals = [(*kinds, "Decimal") if "float" in kinds else kinds for kinds in within]
        return ([*allowed, "Decimal"] if "float" in allowed else allowed), with_decimals

    @signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_number(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            return None
        return number if number.is_finite() else None


_OPTIONS: Final = jmespath.Options(custom_functions=_Exact())


class NotJson(ValueError):
    """A text that is no JSON, or has a key twice, or a number that is none."""


def compiled(expression: str | None, place: str) -> Search:
    """Return what searches a tree; it gives None where the expression does.

    Raises:
        ConfigError: it is no jmespath.
    """
    if expression is None:
        return lambda tree: None
    try:
        parsed = jmespath.compile(expression)
    except JMESPathError as error:
        raise ConfigError([Problem(place, f"this is no jmespath: {str(error).splitlines()[0]}")]) from None
    plain = _plain(parsed.parsed)
    if plain is not None:
        return plain
    search, options = parsed.search, _OPTIONS

    def find(tree: Any) -> Any:
        try:
            return search(tree, options)
        except (JMESPathError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError, RecursionError):
            return None  # the tree is the exchange's, and anything may be in it

    return find


def _plain(node: Any) -> Search | None:
    """Return a quicker way for the plainest of expressions, which most are; None for others.

    These are `a.b`, `a.b == 'text'`, and two of such with `||` or `&&` between.
    """
    children = node["children"]
    match node["type"]:
        case "field":
            return _field(node["value"])
        case "subexpression":
            fields = [child["value"] for child in children if child["type"] == "field"]
            return _fields(fields) if len(fields) == len(children) else None
        case "or_expression":
            first, second = map(_plain, children)
            return None if first is None or second is None else _either(first, second)
        case "and_expression":
            first, second = map(_plain, children)
            return None if first is None or second is None else _both(first, second)
        case "comparator" if node["value"] in ("eq", "ne") and children[1]["type"] == "literal":
            found, wanted = _plain(children[0]), children[1]["value"]
            if found is None or not isinstance(wanted, str):
                return None
            return _equals(found, wanted, is_wanted=node["value"] == "eq")
    return None


def _field(name: str) -> Search:
    return lambda tree: tree.get(name) if isinstance(tree, dict) else None


def _fields(names: list[str]) -> Search:
    def find(tree: Any) -> Any:
        for name in names:
            if not isinstance(tree, dict):
                return None
            tree = tree.get(name)
        return tree

    return find


def _either(first: Search, second: Search) -> Search:
    return lambda tree: found if is_true(found := first(tree)) else second(tree)


def _both(first: Search, second: Search) -> Search:
    return lambda tree: second(tree) if is_true(found := first(tree)) else found


def _equals(search: Search, wanted: str, *, is_wanted: bool) -> Search:
    return lambda tree: (search(tree) == wanted) is is_wanted


def is_true(found: Any) -> bool:
    """Whether jmespath takes a value for true: all but null, false and what is empty."""
    return not (found is None or found is False or (not found and isinstance(found, str | list | dict)))


def read(content: bytes | str) -> Any:
    """Return the tree of a JSON text.

    Raises:
        NotJson: it is none, or none that says one thing.
    """
    try:
        text = content if isinstance(content, str) else content.decode()
        return _DECODER.decode(text)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise NotJson(str(error)) from None


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(members)
    if len(tree) != len(members):
        raise NotJson("a key stands twice in one object")
    return tree


def _constant(name: str) -> None:
    raise NotJson(f"{name} is no number")


_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_object)
