"""One SQLite file: how it is opened, what its failures mean in words, and which values need another dress.

A text that is no valid Unicode (a lone surrogate in a venue's reply) and an integer past 64 bits do not fit a column. They
are kept as a BLOB: a letter that says what it is, and the bytes.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any, Final
from weakref import WeakValueDictionary

import apsw
import apsw.sqlite_extra

from orderbook_tui.engine.checkpoint_schema import (
    APPLICATION_ID,
    EARLIER,
    PAGE_SIZE,
    USER_VERSION,
    declared,
    fingerprint,
    schema_of,
)
from orderbook_tui.errors import CheckpointDamaged, CheckpointError, CheckpointInUse, CheckpointTooNew, StorageError

SUFFIX: Final = ".sqlite"
CHECKSUM_BYTES: Final = 8
"""What of each page is reserved for its checksum."""
BUSY_MS: Final = 1_000
_LEAVE_IT: Final = "it was left as it is: restore it from a copy, or delete it"
_COPY_ATTEMPTS: Final = 20
_ONE_THREAD: Final = apsw.SQLITE_OPEN_NOMUTEX
"""Who opens a file to read it closes it before anybody else has the connection: a lock round every value that is fetched
would be a sixth of the time that reading takes."""

_written_here: "WeakValueDictionary[Path, apsw.Connection]" = WeakValueDictionary()
"""The connections of this process that write. A reader here shares them: SQLite locks by process, and a second
descriptor on the same file, once closed, would take the writer's locks with it."""

TURN: Final = RLock()
"""Held by whoever uses such a connection: of two threads that do so at once, one would fail, not wait."""


def writing(path: Path, connection: apsw.Connection) -> None:
    """Note that `connection` writes the file at `path`."""
    _written_here[path] = connection


def writes_here(path: Path) -> bool:
    """Whether this process writes the file at `path`."""
    return path in _written_here


def writer_of(path: Path) -> apsw.Connection | None:
    """Return the connection of this process that writes the file at `path`."""
    return _written_here.get(path)


def done_writing(path: Path) -> None:
    """Forget what `writing` noted."""
    _written_here.pop(path, None)


def checksums() -> str | None:
    """Return the name of the VFS that puts a checksum on every page; None where apsw was built without it."""
    if "cksmvfs" not in apsw.vfs_names():
        with apsw.Connection(":memory:") as memory:
            try:
                apsw.sqlite_extra.load(memory, "cksumvfs")
            except (apsw.sqlite_extra.NotAvailable, apsw.Error):
                return None
    return "cksmvfs"


def opened(path: Path, flags: int) -> apsw.Connection:
    """Open the file at `path`, which exists, with everything off that a hostile file could use.

    Raises:
        CheckpointDamaged: beside it lies something that SQLite would take for its journal, and that is no file.
    """
    check_beside(path)
    connection = apsw.Connection(str(path), flags=flags | apsw.SQLITE_OPEN_NOFOLLOW, vfs=checksums())
    connection.set_busy_timeout(BUSY_MS)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 0)
    # The journal beside a damaged file is part of the evidence: only `CheckpointWriter.close` folds it in.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    for pragma in ("mmap_size=0", "cell_size_check=1", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def check_beside(path: Path) -> None:
    """Refuse what lies where SQLite keeps its journals and is no ordinary file: a link there would be followed.

    Raises:
        CheckpointDamaged: so it is.
    """
    for beside in (*journals(path), path.with_name(path.name + "-shm")):
        with suppress(FileNotFoundError):
            wrong = ordinary(beside)
            if wrong is not None:
                raise CheckpointDamaged(f"{beside} {wrong}: {path} was not opened beside it: remove it and try again")


def check_ours(connection: apsw.Connection, path: Path) -> int:
    """Return the version of the file's format. Refuse a file that is no checkpoint, that a later version wrote, or whose
    tables, views and triggers are not exactly those of its version.

    Raises:
        CheckpointTooNew, CheckpointDamaged: so it is.
    """
    application, version = connection.pragma("application_id"), connection.pragma("user_version")
    if application != APPLICATION_ID:
        raise Foreign(f"{path} is not a checkpoint of this program: it was left as it is")
    if not 1 <= version <= USER_VERSION:
        raise CheckpointTooNew(
            f"{path} was written by a later version of the program: its format is {version}, this one reads {USER_VERSION}. "
            "Install that version to open it"
        )
    there = schema_of(connection)
    if there != declared() if version == USER_VERSION else fingerprint(there) != EARLIER[version]:
        raise CheckpointDamaged(f"{path}: its tables are not those of a checkpoint; {_LEAVE_IT}")
    # One byte of the file says where the checksums of its pages are, and is itself looked at by nobody else.
    if checksums() is not None and connection.reserve_bytes() != CHECKSUM_BYTES:
        raise CheckpointDamaged(f"{path} is damaged (its pages have no checksums); {_LEAVE_IT}")
    _check_length(path, connection.pragma("page_count"))
    return int(version)


def _check_length(path: Path, pages: int) -> None:
    """Refuse a file that ends before its last page, unless its write-ahead journal has the rest: it would be read as zeros."""
    there = path.stat().st_size // PAGE_SIZE
    if there < pages and not _in_journal(path).issuperset(range(there + 1, pages + 1)):
        raise CheckpointDamaged(f"{path} is damaged (it ends too soon); {_LEAVE_IT}")


def _in_journal(path: Path) -> set[int]:
    """Return the numbers of the pages of which the write-ahead journal has a version."""
    found = set()
    with suppress(FileNotFoundError), journals(path)[0].open("rb") as journal:
        salts = journal.read(_WAL_HEADER)[16:24]
        while len(frame := journal.read(_FRAME_HEADER + PAGE_SIZE)) == _FRAME_HEADER + PAGE_SIZE:
            # Frames of an earlier filling have other salts.
            if frame[8:16] == salts:
                found.add(int.from_bytes(frame[:4], "big"))
    return found


_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24


class Foreign(CheckpointDamaged):
    """The file is something else than a checkpoint."""


@contextmanager
def reading(path: Path, *, in_use_elsewhere: bool) -> Iterator[apsw.Connection]:
    """Open the checkpoint at `path` to read it, at one moment; nothing in its folder is changed.

    A run in another process has the file to itself, and a killed run in a folder closed to us needs its journal played
    back: both are read from a copy.
    """
    with explained(path):
        check_beside(path)
        shared = _written_here.get(path)
        if shared is not None:
            with TURN:
                yield shared
            return
        if in_use_elsewhere:
            with _copied(path) as copy, _at_one_moment(copy) as connection:
                yield connection
            return
        try:
            connection = opened(path, apsw.SQLITE_OPEN_READONLY | _ONE_THREAD)
            connection.pragma("schema_version")
        except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError):
            if not any(beside.exists() for beside in journals(path)):
                raise
            with _copied(path) as copy, _at_one_moment(copy) as connection:
                yield connection
            return
        try:
            connection.execute("BEGIN")
            check_ours(connection, path)
            yield connection
        finally:
            connection.close()


@contextmanager
def _at_one_moment(path: Path) -> Iterator[apsw.Connection]:
    connection = opened(path, apsw.SQLITE_OPEN_READWRITE | _ONE_THREAD)
    try:
        connection.execute("BEGIN")
        check_ours(connection, path)
        yield connection
    finally:
        connection.close()


@contextmanager
def _copied(path: Path) -> Iterator[Path]:
    """Copy a checkpoint and its write-ahead journal, as they were at one moment, while a run goes on.

    The journal is copied last. As long as it was not begun again meanwhile, which its header tells, it holds every page
    that has changed since the file's own copy began.
    """
    with tempfile.TemporaryDirectory(prefix="orderbook-tui-") as folder:
        copy = Path(folder) / path.name
        for _ in range(_COPY_ATTEMPTS):
            before = _heads(path)
            for source, target in zip((path, *journals(path)), (copy, *journals(copy)), strict=True):
                _copy(source, target)
            if before == _heads(path):
                break
        else:
            raise CheckpointInUse(f"{path} changes too fast to be read: try again, or pause its run")
        yield copy


def journals(path: Path) -> tuple[Path, Path]:
    """Return where SQLite keeps what is not in the file yet, or would have to be taken back."""
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-journal")


def _heads(path: Path) -> list[bytes]:
    heads = []
    for journal in journals(path):
        try:
            with journal.open("rb") as file:
                heads.append(file.read(32))
        except FileNotFoundError:
            heads.append(b"")
    return heads


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with (
        suppress(FileNotFoundError),
        os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW), "rb") as taken,
        target.open("wb") as made,
    ):
        shutil.copyfileobj(taken, made, 1 << 20)


def ordinary(path: Path) -> str | None:
    """Return why what is at `path` cannot be a checkpoint, judged from outside; None where it can."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "is a link, and links are not followed"
    if stat.S_ISDIR(mode):
        return "is a folder"
    return None if stat.S_ISREG(mode) else "is no ordinary file"


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into our errors, in words."""
    try:
        yield
    except (apsw.Error, OSError, MemoryError, UnicodeDecodeError) as error:
        raise in_words(path, error) from error


def in_words(path: Path, error: BaseException) -> CheckpointError:
    """Return our error for one of SQLite's or the system's: the file, the reason, and what to do."""
    if isinstance(error, OSError):
        return StorageError(f"{path}: {error.strerror or error}: mend that and try again")
    if isinstance(error, MemoryError):
        return StorageError(f"{path}: there is not enough memory to read it")
    reason = str(error).removeprefix(type(error).__name__).lstrip(": ")
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return CheckpointInUse(f"{path} is open in another program: close it there and try again")
    if isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) in _DAMAGE:
        return CheckpointDamaged(f"{path} is damaged (a page is not what was written); {_LEAVE_IT}")
    if isinstance(error, apsw.ConstraintError):
        return CheckpointError(f"{path} does not take this: {reason}")
    if isinstance(error, apsw.FullError):
        return StorageError(f"{path}: the disk is full: free some space and try again")
    if isinstance(error, apsw.ReadOnlyError):
        return StorageError(f"{path} cannot be written: the file or its folder is read-only")
    if isinstance(error, (apsw.CantOpenError, apsw.PermissionsError, apsw.AuthError)):
        return StorageError(f"{path} cannot be opened ({reason}): check that file and folder are there, and whose they are")
    if isinstance(error, (apsw.IOError, apsw.NoMemError, apsw.NoLFSError, apsw.InterruptError, apsw.ProtocolError)):
        return StorageError(f"{path}: the disk or the system failed ({reason}): mend that and try again")
    return CheckpointDamaged(f"{path} is damaged ({reason}); {_LEAVE_IT}")


_DAMAGE: Final = {apsw.SQLITE_IOERR_DATA, apsw.SQLITE_IOERR_CORRUPTFS, apsw.SQLITE_IOERR_SHORT_READ}


_LONGEST_NUMBER: Final = 3_000
"""Hexadecimal digits: an order id has a thousand decimal ones at most."""


def dressed(value: Any) -> Any:
    """Return `value` as a column can hold it: the plain text or number that it is, or a BLOB."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return b"s" + value.encode("utf-8", "surrogatepass")
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value) if -(2**63) <= value < 2**63 else b"i" + hex(value).encode()
    return value


def undressed(value: Any) -> Any:
    """Return what `dressed` was given.

    Raises:
        ValueError: it was given nothing that comes out so; a number longer than Python would write is none of ours either.
    """
    if not isinstance(value, bytes):
        return value
    if value[:1] != b"i":
        return value[1:].decode("utf-8", "surrogatepass")
    if len(value) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(value) - 1} hexadecimal digits")
    return int(value[1:], 16)
