"""Keys of one's own: which ids there are, and whether the keys that somebody chose can be had.

An id says where it holds: `slots.follow` on the Slots screen, `decide.retry` in the dialog that it names, and `run.`,
`show.` and `app.` on all screens. Two ids that hold in the same place cannot share a key.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

from textual.binding import Binding
from textual.dom import DOMNode

from orderbook_tui.tui.places import PLACES

_EVERYWHERE: Final = ("run", "show", "app")


@cache
def owners() -> tuple[type[DOMNode], ...]:
    """Return every class of the screens that has keys of its own."""
    from orderbook_tui.tui import app, screens, widgets

    modules = [app]
    for package in (screens, widgets):
        modules += [import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)]
    classes = dict.fromkeys(
        member
        for module in modules
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, DOMNode)
        and member.__module__ == module.__name__
        and "BINDINGS" in vars(member)
    )
    return tuple(classes)


def bindings_of(owner: type[Any]) -> Iterator[Binding]:
    """Yield the bindings that a class declares itself."""
    for binding in vars(owner).get("BINDINGS", ()):
        assert isinstance(binding, Binding)
        yield binding


def default_keys() -> dict[str, str]:
    """Return the keys of every id, as they are without settings."""
    return {binding.id: binding.key for owner in owners() for binding in bindings_of(owner) if binding.id}


def checked(keys: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return those of `keys` that can be had, and what is wrong with the others, in words."""
    defaults = default_keys()
    complaints = [f"keys: nothing is called {called}" for called in keys if called not in defaults]
    kept = {}
    for called, chosen in keys.items():
        spelled = ",".join(part.strip() for part in chosen.split(",") if part.strip())
        if called in defaults and not spelled:
            complaints.append(f"keys: {called} has no key; its own is {defaults[called]}")
        elif called in defaults:
            kept[called] = spelled
    for called in list(kept):
        if clash := _clash(called, defaults | kept):
            other, key = clash
            complaints.append(f"keys: {called} cannot be {key}: that is {other}")
            del kept[called]
    return kept, complaints


def _clash(called: str, keys: Mapping[str, str]) -> tuple[str, str] | None:
    """Return an id that holds where `called` does and has a key of it, and that key."""
    wanted = set(keys[called].split(","))
    for other, theirs in keys.items():
        shared = wanted & set(theirs.split(","))
        if other != called and shared and _meet(called.partition(".")[0], other.partition(".")[0]):
            return other, min(shared)
    return None


def _meet(one: str, other: str) -> bool:
    """Whether ids of two prefixes hold in the same place."""
    if one == other or (one in _EVERYWHERE and other in _EVERYWHERE):
        return True
    return (one in PLACES and other in _EVERYWHERE) or (other in PLACES and one in _EVERYWHERE)
