"""Standard streams that hold: what nobody can read any more is dropped, and must not end a run."""

import contextlib
import os
import sys
from typing import TextIO


def open_missing() -> None:
    """Have the standard streams that were closed before us lead nowhere, or the first file we open would take their place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest number that is free, which is the stream's own.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def drop(stream: TextIO) -> None:
    """Let everything that is still written to a stream go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Droppable:
    """A stream for what need not be read: once it cannot be written, as on a terminal that has gone, it is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:
        return self._stream.encoding

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the stream's own descriptor."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write `text`, or drop it."""
        try:
            return self._stream.write(text)
        except OSError:
            drop(self._stream)
            return len(text)

    def flush(self) -> None:
        """Write what waits, or drop it."""
        try:
            self._stream.flush()
        except OSError:
            drop(self._stream)
