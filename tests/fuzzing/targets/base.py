"""What every target is, and what it may expect of whatever it lets in."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from orderbook_tui.core.words import harmless
from orderbook_tui.errors import ConfigError, OrderbookTuiError

LONGEST_MESSAGE = 1_000_000
"""Nobody reads more, and a log has to hold it."""


class Target(NamedTuple):
    """A place where something from outside comes in."""

    name: str
    make: Callable[[Random], bytes]
    """Make an input."""
    run: Callable[[bytes, Path], None]
    """Let it in, with an empty folder to work in; what escapes is a finding."""
    share: int = 1
    """How much of the time it gets, against the others."""


def check_words(error: OrderbookTuiError) -> None:
    """An error says itself in words, not too many, and those of a config steer no terminal."""
    text = str(error)
    assert text.strip(), f"{type(error).__name__} says nothing"
    assert len(text) < LONGEST_MESSAGE, f"{type(error).__name__} of {len(text)} characters"
    if isinstance(error, ConfigError):
        for problem in error.problems:
            check_said(str(problem))


def check_said(line: str) -> None:
    """A line that people are shown steers no terminal."""
    assert harmless(line) == line, f"would steer a terminal: {line!r:.300}"
