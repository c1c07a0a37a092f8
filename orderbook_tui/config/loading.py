"""From a file to a checked configuration, or to everything that is wrong with it.

    bytes --reading--> tree --draft--> config --checks--> the same config

Problems of all three steps are collected before one is raised.
"""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from orderbook_tui.config.checks import check
from orderbook_tui.config.draft import Draft
from orderbook_tui.config.facts import Facts, KnownAccounts
from orderbook_tui.config.models import SimulatorConfig
from orderbook_tui.config.reading import Document, read_bytes, read_json
from orderbook_tui.config.showing import file_text, place_text
from orderbook_tui.errors import ConfigError, Problem

MOST_PROBLEMS: Final = 1_000
"""Nobody reads more; the last one says that there are."""


def load_config(path: Path | str) -> SimulatorConfig:
    """Return the configuration in a file, which also gives the run its name where it says none itself.

    Raises:
        ConfigError: the file, or what it says, cannot be used; all problems at once.
    """
    path = Path(path)
    return config_in(read_bytes(path, file_text(path)), path)


def config_in(content: bytes, path: Path) -> SimulatorConfig:
    """Return the same of what was read from that file."""
    called = file_text(path)
    document = read_json(content, called)
    if isinstance(document.tree, dict) and path.stem:
        document.tree.setdefault("name", path.stem.encode("utf-8", "replace").decode())
    return _sound(_reading(document, path.parent, called))


def parse_config(
    content: bytes | str | Mapping[str, object], folder: Path | str = Path(), *, name: str = ""
) -> SimulatorConfig:
    """Return the configuration in a JSON text, or in the tree of one.

    `accounts.file` is looked for in `folder`; `name` is what problems of the whole text are said to be in.

    Raises:
        ConfigError: it cannot be used; all problems at once.
    """
    return _sound(read_config(content, folder, name=name))


class Reading(NamedTuple):
    """What could be read of a configuration, and all that is wrong with it."""

    config: SimulatorConfig
    problems: list[Problem]
    accounts: KnownAccounts | None
    """Its accounts, where nothing is wrong with them."""


def read_config(
    content: bytes | str | Mapping[str, object],
    folder: Path | str = Path(),
    *,
    name: str = "",
    known: KnownAccounts | None = None,
) -> Reading:
    """Return what can be read of the same; what was refused is at its default.

    `known` accounts were read before, and found sound: they take the place of those in `content`, which need not have any.

    Raises:
        ConfigError: it is no JSON.
    """
    document = read_json(content, name) if isinstance(content, bytes | str) else Document(dict(content), [])
    if known is not None and isinstance(document.tree, dict):
        document.tree["accounts"] = known.spec
    return _reading(document, Path(folder), name, known)


def _reading(document: Document, folder: Path, name: str, known: KnownAccounts | None = None) -> Reading:
    draft = Draft(document)
    facts = Facts(draft, folder, known)
    troubles = dict.fromkeys(draft.troubles)
    between = islice(check(facts), MOST_PROBLEMS + 1)
    troubles |= dict.fromkeys(trouble._replace(place=draft.original(trouble.place)) for trouble in between)
    problems = [Problem(place_text(place) or name, message) for place, message in troubles] + facts.file_problems()
    sound = not any(place[:1] == ("accounts",) for place, _ in troubles) and facts.is_sound("accounts")
    if len(problems) > MOST_PROBLEMS:
        problems[MOST_PROBLEMS:] = [Problem(name, "and more")]
    return Reading(draft.config, problems, facts.sound_accounts() if sound else None)


def _sound(reading: Reading) -> SimulatorConfig:
    if reading.problems:
        raise ConfigError(reading.problems)
    return reading.config
