"""The terminal is the app's alone while it is open: what else writes to it would garble the screen, or steer it.

A user's venue prints, logs through a stream that it took before the app opened, or starts a program that prints: all of that
goes to file descriptors 1 and 2. While the app is open these lead nowhere, unless they were redirected, and the app draws on a
descriptor of its own.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_terminal() -> Iterator[None]:
    """Keep the terminal that stdout is for whoever draws on `sys.__stderr__`, as Textual does."""
    outputs = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    _flush()
    kept = {number: os.dup(number) for number in (1, 2) if os.isatty(number)}
    terminal = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in kept:
        os.dup2(nowhere, number)
    os.close(nowhere)
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = terminal  # type: ignore[misc]
    try:
        yield
    finally:
        _flush()
        sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = outputs  # type: ignore[misc]
        _flush()
        for number, descriptor in kept.items():
            os.dup2(descriptor, number)
            os.close(descriptor)
        terminal.close()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
