"""Between a draft and its file: the tree that a configuration at hand would be, and writing one down safely."""

import os
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Final

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.config.fields import Section
from orderbook_tui.config.models import MarketSpec
from orderbook_tui.config.showing import file_text
from orderbook_tui.config.writing import Number, Tree
from orderbook_tui.core.market import Account
from orderbook_tui.core.money import written
from orderbook_tui.engine.whole_file import whole_file
from orderbook_tui.errors import ConfigError, Problem

_TAG: Final = "kind"
"""Says which section this is, so it is always written."""
_SQLITE: Final = "sqlite:///"


def tree_of_config(config: SimulatorConfig) -> Tree:
    """Return the tree of a file that says what `config` is, and leaves out what is so by default."""
    return {"name": config.name, **_section(config)}  # without one, it would be called as its file


def market_tree(spec: MarketSpec) -> Tree:
    """Return a market as an entry of the list of markets."""
    return _section(spec)


def account_tree(account: Account) -> Tree:
    """Return an account as an entry of the list of accounts."""
    return {"id": account.id} if account.name == account.id else {"id": account.id, "name": account.name}


def moved(tree: Tree, folder: Path, target: Path) -> Tree:
    """Return a tree whose relative files, of accounts and of a database, are the same ones, seen from another folder."""
    here, there = folder.resolve(), target.resolve()
    database = tree.get("database")
    url = database.get("url") if isinstance(database, Mapping) else None
    if isinstance(database, Mapping) and isinstance(url, str) and here != there:
        named = url.removeprefix(_SQLITE)
        if named != url and "${" not in named and not Path(named).is_absolute():
            tree = {**tree, "database": {**database, "url": _SQLITE + _seen(here / named, there)}}
    accounts = tree.get("accounts")
    file = accounts.get("file") if isinstance(accounts, Mapping) else None
    if not isinstance(accounts, Mapping) or not isinstance(file, str) or Path(file).is_absolute() or here == there:
        return tree
    return {**tree, "accounts": {**accounts, "file": _seen(here / file, there)}}


def _seen(file: Path, folder: Path) -> str:
    """Return the path of a file as it is from a folder."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on another drive
        return file.as_posix()


def write_file(path: Path, text: str, *, replace: bool) -> None:
    """Write a file: whole or not at all, and not over another one unless it may be replaced.

    Raises:
        ConfigError: there is a file already, or it cannot be written.
    """
    called = file_text(path)
    try:
        if path.is_dir():
            raise ConfigError([Problem(called, "this is a folder")])
        with whole_file(path, replace=replace) as out:
            out.write(text)
    except FileExistsError:
        raise ConfigError([Problem(called, "there is a file of that name already")]) from None
    except FileNotFoundError:
        raise ConfigError([Problem(called, "there is no such folder")]) from None
    except (OSError, ValueError) as error:
        raise ConfigError([Problem(called, f"cannot be written: {getattr(error, 'strerror', None) or error}")]) from None


def _section(section: Section) -> Tree:
    found: Tree = {}
    for key, field in type(section).model_fields.items():
        value = getattr(section, key)
        if key == _TAG or field.is_required() or value != field.default:
            found[key] = _value(value)
    return found


def _value(value: object) -> object:
    match value:
        case Section():
            return _section(value)
        case Mapping():
            return {key: _value(member) for key, member in value.items()}
        case list() | tuple():
            return [_value(member) for member in value]
        case StrEnum():
            return value.value
        case Decimal():
            return Number(written(value))
        case int() | float() if not isinstance(value, bool):
            return Number(repr(value))
    return value
