"""What a person has settled for this program: a theme, and keys of their own. One JSON file in the platform's config folder.

    {"theme": "orderbook-light", "keys": {"run.step": "n,z", "slots.follow": "F"}}

A file that cannot be understood is complained about and left as it is: what somebody wrote is not written over.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

import msgspec
from platformdirs import user_config_path

from orderbook_tui.config.reading import read_bytes
from orderbook_tui.config.showing import file_text
from orderbook_tui.core.words import harmless
from orderbook_tui.errors import ConfigError, Problem

PROGRAM: Final = "orderbook-tui"
_MOST_BYTES: Final = 1024 * 1024


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be settled."""

    theme: str = ""
    """The name of a theme; empty: the usual one."""
    keys: dict[str, str] = {}
    """Keys by the id of what they do; several are separated by commas."""


def settings_path() -> Path:
    """Return where the settings of whoever runs this are."""
    return user_config_path(PROGRAM, appauthor=False) / "settings.json"


def read_settings(path: Path) -> Settings:
    """Return what a file says; the defaults where there is none.

    Raises:
        ConfigError: it cannot be read, or says something else than settings.
    """
    if not os.path.lexists(path):
        return Settings()
    try:
        return msgspec.json.decode(read_bytes(path, most=_MOST_BYTES), type=Settings)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(path, f"{error}: expected such as " + '{"theme": "orderbook-light", "keys": {"run.step": "n"}}') from None


def remember_theme(path: Path, theme: str) -> None:
    """Write a theme into the settings, leaving the rest as it is.

    Raises:
        ConfigError: the file cannot be understood or written; nothing has changed.
    """
    keys = read_settings(path).keys
    content: dict[str, Any] = {"theme": theme} | ({"keys": keys} if keys else {})
    making = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        making.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        making.replace(path)
    except OSError as error:
        making.unlink(missing_ok=True)
        raise _wrong(path, f"cannot be written: {error.strerror}") from None


def _wrong(path: Path, message: str) -> ConfigError:
    return ConfigError([Problem(file_text(path), harmless(message))])
