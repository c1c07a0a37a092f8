"""Where a command writes: results to stdout or to a file, complaints and how far it is to stderr; harmless for a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import Any, TextIO

from orderbook_tui.core.words import harmless
from orderbook_tui.errors import ConfigError, Problem


class ToPeople:
    """A terminal that rows are written to: it gets them harmless. A file or a pipe gets them as they are."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, row: str) -> None:
        """Write a row, its own newlines escaped."""
        self._terminal.write(harmless(row.removesuffix("\n")) + "\n")


def complain(*lines: str) -> None:
    """Write lines to stderr."""
    for line in lines:
        print(harmless(line), file=sys.stderr)


def in_json(facts: Any, *, indent: int | None = None) -> str:
    """Return facts as JSON, on one line or indented."""
    import json

    return json.dumps(facts, indent=indent)


@contextmanager
def telling(what: str) -> Iterator[Callable[[float], None]]:
    """Have a terminal told how far something is that takes long; the line is gone when it is done."""
    begun, shown = monotonic(), False

    def told(share: float) -> None:
        nonlocal shown
        if sys.stderr.isatty() and monotonic() - begun > 0.5:
            shown = True
            print(f"\r{harmless(what)}: {share:4.0%}", end="", file=sys.stderr, flush=True)

    try:
        yield told
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextmanager
def to_write(path: str) -> Iterator[TextIO]:
    """Open a file for a result; that it cannot be opened is a problem of the option."""
    from orderbook_tui.engine.whole_file import whole_file

    with ExitStack() as open_files:
        try:
            out = open_files.enter_context(whole_file(path, replace=True))
        except OSError as error:
            raise ConfigError([Problem("--output", f"{path} cannot be written: {error.strerror}")]) from None
        yield out
