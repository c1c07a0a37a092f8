"""A user's own code: imported by name, looked at for what it takes, and called whether it is plain or async.

Everything about it is the user's: importing, asking for an attribute, calling and even the text of an error may raise anything.
"""

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from orderbook_tui.errors import ConfigError, Problem
from orderbook_tui.venues.threads import in_a_daemon_thread

LONGEST_ERROR: Final = 10_000
"""How much of an error a run keeps."""


def imported(target: str, path: str = "venue.target") -> Any:
    """Import `package.module:name`, looking in the working folder too; `path` is where the config says so.

    Raises:
        ConfigError: the module or the name is not there, or the import failed.
    """
    module_name, _, name = target.partition(":")
    folder = str(Path.cwd())
    added = folder not in sys.path
    if added:
        sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # the module is the user's: anything may come out of it
        raise ConfigError([Problem(path, f"{target} cannot be imported: {words(error)}")]) from error
    finally:
        if added:
            sys.path.remove(folder)
    return found


async def answer(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call what may be plain or async, and wait for what it answers; what is plain does not keep the event loop."""
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        return await function(*arguments)
    found = await in_a_daemon_thread(function, *arguments)
    return await found if inspect.isawaitable(found) else found


def can_be_called_with(function: Callable[..., Any], count: int) -> bool:
    """Whether a function takes so many arguments; one that does not say is taken to."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # it has no signature to look at
        return True
    return True


def takes_two(function: Callable[..., Any]) -> bool:
    """Whether a function is to get the settlement handle too."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return False
    parameters = signature.parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is p.empty]
    return len(required) >= 2 or any(p.kind is p.VAR_POSITIONAL for p in parameters)


def words(error: BaseException) -> str:
    """Return what a user's error says, cut where it is too long to be kept; one that cannot say itself has its name."""
    kind = type(error).__name__
    try:
        text = str(error)
    except Exception:  # its `__str__` is the user's too
        return kind
    return f"{kind}: {text[:LONGEST_ERROR]}{'...' if len(text) > LONGEST_ERROR else ''}" if text else kind
