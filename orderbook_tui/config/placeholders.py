"""Placeholders in the texts of a venue's section: `{quantity}` stands for what an order has, `${env:NAME}` for a secret.

    {name}           its text                      {name?}          may be empty: then the key that holds it alone is left out
    {name:number}    a JSON number, digit by digit {name:int}       a whole one
    {name:string}    text, as without it           {{ and }}        a brace itself
    ${env:NAME}      a variable of the environment; in NAME, {account} and {account.id} may stand, written as a variable can be

A text is taken apart once; what is put in is never looked through for placeholders again.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from orderbook_tui.config.fields import refuse
from orderbook_tui.config.showing import shown

Kind = Literal["text", "number", "int"]


class Placeholder(NamedTuple):
    """What stands between braces."""

    name: str
    kind: Kind = "text"
    is_optional: bool = False


class Variable(NamedTuple):
    """A variable of the environment; its name may hold placeholders of the account."""

    name: str

    @property
    def is_of_account(self) -> bool:
        return "{" in self.name


Part = str | Placeholder | Variable

TIME: Final = frozenset({"timestamp_ms", "timestamp_s", "timestamp_iso", "nonce"})
ACCOUNT: Final = frozenset({"account"})
ORDER: Final = frozenset(
    {
        "client_order_id",
        "order_id",
        "market",
        "symbol",
        "base",
        "quote",
        "side",
        "quantity",
        "price",
        "notional",
        "time_in_force",
        "counterparty",
        "sequence",
    }
)
SIGNED: Final = frozenset({"method", "path", "query", "target", "body"})

_TOKEN: Final = re.compile(
    r"\$\{env:(?P<variable>(?:[A-Za-z0-9_]|\{account(?:\.id)?\})+)\}"
    r"|(?P<brace>\{\{|\}\})"
    r"|\{(?P<name>[a-z_]+(?:\.[A-Za-z0-9_]+)?)(?::(?P<kind>number|int|string))?(?P<optional>\?)?\}"
    r"|(?P<wrong>\$\{env|[{}])"
)


def parts(text: str) -> tuple[Part, ...]:
    """Take a text apart. What is no placeholder stays as it is: `check` refuses it when a configuration is read."""
    return tuple(_parts(text))


def check(text: str, known: frozenset[str]) -> str:
    """Return `text`; refuse one that has a placeholder which is none, or that has no value where it stands."""
    for found in _TOKEN.finditer(text):
        if found["wrong"]:
            refuse(f"a lone brace in {shown(text)}: placeholders are {{name}}, a brace itself is written {{{{ or }}}}")
        name = found["name"]
        if name is not None and name not in known and (name.partition(".")[0] not in known or not _has_parts(name)):
            refuse(f"{{{name}}} is no placeholder here: there are {', '.join(sorted(known))}")
    return text


def _has_parts(name: str) -> bool:
    return name.startswith(("account.", "counterparty."))


def _parts(text: str) -> Iterator[Part]:
    literal, end = "", 0
    for found in _TOKEN.finditer(text):
        literal += text[end : found.start()]
        end = found.end()
        if found["brace"] or found["wrong"]:
            literal += found[0][0] if found["brace"] else found[0]
            continue
        if literal:
            yield literal
            literal = ""
        if found["variable"]:
            yield Variable(found["variable"])
        else:
            kind: Kind = "number" if found["kind"] == "number" else "int" if found["kind"] == "int" else "text"
            yield Placeholder(found["name"], kind, bool(found["optional"]))
    literal += text[end:]
    if literal:
        yield literal
