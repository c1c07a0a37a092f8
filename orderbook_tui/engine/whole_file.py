"""A file that is there whole, or not at all: it is written beside its place, and put there when all is written."""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO


@contextlib.contextmanager
def whole_file(path: Path | str, *, replace: bool) -> Iterator[TextIO]:
    """Open a text file that takes its place at `path` on a good end. A device or a pipe is written as it is.

    Raises:
        FileExistsError: there is one already, and it is not to be replaced.
        OSError: it cannot be written; what was there is there still.
    """
    path = Path(os.path.realpath(path))
    there = path.stat() if path.exists() else None
    if there is not None and not replace:
        raise FileExistsError(path)
    if there is not None and not stat.S_ISREG(there.st_mode):
        with path.open("w", **_AS_TEXT) as out:
            yield out
        return
    making = path.with_name(f".{path.name[:100]}-{secrets.token_hex(4)}")
    try:
        with making.open("x", **_AS_TEXT) as out:
            if there is not None:
                os.fchmod(out.fileno(), stat.S_IMODE(there.st_mode))
            yield out
            out.flush()
            os.fsync(out.fileno())
        if replace:
            making.rename(path)
        else:
            _put_new(making, path)
    finally:
        making.unlink(missing_ok=True)


def _put_new(making: Path, path: Path) -> None:
    """Give a file its name, unless somebody has just taken it."""
    try:
        os.link(making, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(path) from None
        making.rename(path)


_AS_TEXT: Final[dict[str, Any]] = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
