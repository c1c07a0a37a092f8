"""The connection that a checkpoint is written through: opened so, switched between its two journals, told from another file's.

DELETE: one file that stands alone, for whoever reads or copies it     WAL: a commit is an append, for a run that goes on
"""

from pathlib import Path
from typing import Final

import apsw

from orderbook_tui.engine.checkpoint_file import check_ours, opened

WAL_PAGES: Final = 32_000
"""Pages in the write-ahead journal before they are folded into the file: about 32 MB."""


def connected(path: Path) -> apsw.Connection:
    """Open a checkpoint to write it. Nothing in it changes before something is written."""
    connection = opened(path, apsw.SQLITE_OPEN_READWRITE)
    try:
        for pragma in ("locking_mode=EXCLUSIVE", "synchronous=NORMAL", f"wal_autocheckpoint={WAL_PAGES}"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        check_ours(connection, path)
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 1)  # they are ours, and would stop a mistake of ours
    except BaseException:
        connection.close()
        raise
    return connection


def switch(connection: apsw.Connection, mode: str) -> None:
    """Have transactions written in another way; the file's first page, which says in which, is changed with that."""
    # A rollback journal keeps that page meanwhile. Synced once, as is normal, it may be torn and yet look whole.
    connection.pragma("synchronous", "FULL")
    try:
        connection.pragma("journal_mode", mode)
    finally:
        connection.pragma("synchronous", "NORMAL")


def file_at(path: Path) -> tuple[int, int] | None:
    """Return what tells the file at `path` from any other; None where there is none."""
    try:
        about = path.lstat()
    except OSError:
        return None
    return about.st_dev, about.st_ino
