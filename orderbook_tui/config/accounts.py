"""Accounts: made up from a prefix and a count, or read from a JSON file.

    generate("desk", 2)    desk-1, desk-2
    read_accounts(path)    ["alice", "bob"], [{"id": "...", "name": "alice"}, ...] or {"accounts": [...]}

Prefix and number determine the id of a generated account, on any machine.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha1
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic import Field, ValidationError

from orderbook_tui.config.fields import Section
from orderbook_tui.config.models import MAX_ACCOUNTS, AccountSpec
from orderbook_tui.config.reading import Trouble, read_bytes, read_json
from orderbook_tui.config.showing import Place, file_text, place_text, shown
from orderbook_tui.config.wording import findings
from orderbook_tui.core.market import Account
from orderbook_tui.errors import ConfigError, Problem

NAMESPACE: Final = UUID("6f1d2c1e-5a0b-5c57-9d3e-0b7a4c0e8f21")
"""The namespace of generated ids. It never changes: checkpoints and budgets name accounts by these ids."""


_MOST_BYTES: Final = 128 * 1024 * 1024
"""Room for a million accounts as `accounts generate` writes them."""
_MOST_VALUES: Final = 4 * MAX_ACCOUNTS
_MOST_PROBLEMS: Final = 1_000
_MOST_KEYS: Final = 100
_PIECE: Final = 10_000
"""Entries that are looked at together. After a piece in which something is wrong, no further one is."""


class _AccountFile(Section):
    accounts: tuple[AccountSpec, ...] = Field(max_length=MAX_ACCOUNTS)


def generate(prefix: str, count: int) -> list[Account]:
    """Return accounts `prefix`-1 to `prefix`-`count`, each with the version 5 UUID of its name."""
    return [Account(_uuid5(name), name) for name in (f"{prefix}-{number}" for number in range(1, count + 1))]


def read_accounts(path: Path, name: str | None = None) -> list[Account]:
    """Return the accounts of a JSON file; `name` is what messages call the file.

    Raises:
        ConfigError: the file cannot be read, or not as accounts; all that is wrong with it.
    """
    called = file_text(path) if name is None else name
    document = read_json(read_bytes(path, called, most=_MOST_BYTES), called, most_values=_MOST_VALUES)
    tree = document.tree
    bare = isinstance(tree, list)
    entries = tree if isinstance(tree, list) else tree.get("accounts") if isinstance(tree, dict) else None
    texts: set[object] = set()
    troubles = list(document.troubles)
    if isinstance(entries, list):
        texts = {index for index, entry in enumerate(entries) if isinstance(entry, str)}
        entries = [{"name": entry} if isinstance(entry, str) else entry for entry in entries]
        tree = {"accounts": entries} if bare else {**tree, "accounts": entries}  # type: ignore[dict-item]
    elif not isinstance(tree, dict):
        raise ConfigError([Problem(called, f"expected a list of accounts, got {shown(tree)}")])
    accounts: list[Account] = []
    specs, refused = _specs(tree, entries)
    for place, message in refused:
        if place[:1] == ("accounts",) and place[2:] == ("name",) and place[1] in texts:
            place = place[:-1]
        place = place[1:] if bare else place
        if place not in document.lost:
            troubles.append(Trouble(place, message))
    if not refused:
        beyond = list(islice(account_troubles(specs), _MOST_PROBLEMS + 1))
        troubles += [trouble if bare else Trouble(("accounts", *trouble.place), trouble.message) for trouble in beyond]
        accounts = [] if beyond else listed(specs)
    if troubles:
        problems = [Problem(_path(called, place_text(place)), message) for place, message in troubles[:_MOST_PROBLEMS]]
        raise ConfigError(problems if len(troubles) <= _MOST_PROBLEMS else [*problems, Problem(called, "and more")])
    return accounts


def _specs(tree: Mapping[str, object], entries: object) -> tuple[list[AccountSpec], list[Trouble]]:
    """Return the accounts of a file, or what is wrong in the first piece of it that is not right."""
    if not isinstance(entries, list):
        return _piece(tree, 0)
    if len(entries) > MAX_ACCOUNTS:
        return [], [Trouble(("accounts",), f"expected at most {MAX_ACCOUNTS} entries, got {len(entries)}")]
    specs: list[AccountSpec] = []
    for start in range(0, max(len(entries), 1), _PIECE):
        piece = entries[start : start + _PIECE]
        found, refused = _piece({**tree, "accounts": piece}, start)
        if refused:
            return [], refused
        specs += found
    return specs, []


def _piece(tree: Mapping[str, object], start: int) -> tuple[list[AccountSpec], list[Trouble]]:
    """Return the accounts of a piece that begins with the entry number `start`, or what is wrong with it."""
    entries = tree.get("accounts")
    crowded: list[tuple[Place, Mapping[str, object]]] = [((), tree)] if len(tree) > _MOST_KEYS else []
    if isinstance(entries, list):
        crowded += [
            (("accounts", start + at), each)
            for at, each in enumerate(entries)
            if isinstance(each, Mapping) and len(each) > _MOST_KEYS
        ]
    if crowded:  # each unknown key would be a trouble of its own
        return [], [Trouble(place, f"holds {len(each)} keys, id and name are wanted") for place, each in crowded]
    try:
        return list(_AccountFile.model_validate(tree).accounts), []
    except ValidationError as error:
        found = [trouble for trouble, _ in findings(error, _AccountFile)]
    return [], [
        Trouble((place[0], place[1] + start, *place[2:]), message) if len(place) > 1 and isinstance(place[1], int) else trouble
        for trouble in found
        for place, message in (trouble,)
    ]


def listed(specs: Sequence[AccountSpec]) -> list[Account]:
    """Return the accounts of a list that has no `account_troubles`."""
    return [Account(spec.id or spec.name or "", spec.name or "") for spec in specs]


def account_troubles(specs: Sequence[AccountSpec], number: Callable[[int], object] = lambda index: index) -> Iterator[Trouble]:
    """Find accounts without id and name, and ids and names that stand for more than one account.

    `number` says by which number the file knows the entry at an index.
    """
    owners: dict[str, tuple[int, str]] = {}
    for place, spec in enumerate(specs):
        if spec.id is None and spec.name is None:
            yield Trouble((place,), "an account needs an id or a name")
        for key, text in (("id", spec.id), ("name", spec.name)):
            if text is None:
                continue
            owner, owned_as = owners.setdefault(text, (place, key))
            if owner != place:
                yield Trouble((place, key), f"{shown(text)} is already the {owned_as} of account [{number(owner)}]")


def _uuid5(name: str) -> str:
    # What uuid.uuid5 computes, in a third of its time: there may be a million.
    digits = bytearray(sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    digits[6] = digits[6] & 0x0F | 0x50
    digits[8] = digits[8] & 0x3F | 0x80
    text = digits.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _path(file: str, inside: str) -> str:
    return f"{file}: {inside}" if inside else file
