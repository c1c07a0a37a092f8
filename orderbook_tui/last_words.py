"""What Python would print on stderr by itself, made harmless: an error that nobody caught, a warning, a line of a log.

All of these may quote text from outside.
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orderbook_tui.core.words import harmless


def tell(text: str) -> None:
    """Write lines to stderr."""
    from orderbook_tui.environment import hide

    for line in text.rstrip("\n").split("\n"):
        print(harmless(hide(line)), file=sys.stderr)


def tell_whole(error: BaseException) -> None:
    """Write an error to stderr with all there is to know of it: it is a fault of the program."""
    import traceback

    tell("".join(traceback.format_exception(error)))


@contextmanager
def telling_warnings() -> Iterator[None]:
    """Write warnings, such as those of a user's own code, harmlessly."""

    def show(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: str | None = None) -> None:
        tell(warnings.formatwarning(message, category, filename, lineno, line))

    before, warnings.showwarning = warnings.showwarning, show
    try:
        yield
    finally:
        warnings.showwarning = before


def tell_logs() -> None:
    """Write what a library logs, where nobody has said where logs go, harmlessly: the event loop logs errors so."""
    import logging

    from orderbook_tui.environment import hide

    class Harmless(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return "\n".join(map(harmless, hide(super().format(record)).split("\n")))

    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Harmless())
