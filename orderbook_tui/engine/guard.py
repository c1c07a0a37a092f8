"""The guard of a checkpoint: a locked file beside it, so that one process writes and any other is told who does.

    <id>.lock    records completed failed skipped   how far the run is: the records with each commit, the rest at barriers
                 {"pid": 4711, "since": ...}        who has it, and what it is called

The lock dies with its process, so a file that was left behind stands in nobody's way. What it says is still of use: a
killed process loses nothing that was reported saved, but a power cut may, and `boot` tells the two apart.
"""

import contextlib
import fcntl
import json
import os
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from orderbook_tui.errors import CheckpointInUse, StorageError

_COUNTS: Final = b"%020d %020d %020d %020d\n"
_COUNTS_WIDTH: Final = 84
_MOST_BYTES: Final = 16_384
_ATTEMPTS: Final = 5
_A_SECOND: Final = 1_000_000_000


class Holder(msgspec.Struct, frozen=True):
    """What a guard file says: who has the checkpoint since when, and how far its run has come."""

    pid: int = 0
    since: str = ""
    boot: str = ""
    """The boot of the machine in which `records` was last reported."""
    name: str = ""
    created_at: int = 0
    total_slots: int = 0
    records: int = 0
    """Records that were reported saved: events of the journal, and what was noted before orders were placed elsewhere."""
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    accounts: int = 0
    markets: int = 0
    clock: int = 0
    """How far the wall clock was ahead of the one that nobody sets, in nanoseconds, when it took the checkpoint."""

    def in_words(self) -> str:
        """Say who has the checkpoint."""
        if not self.pid:
            return "another process"
        who = "this process" if self.pid == os.getpid() else "process"
        return f"{who} {self.pid}, since {self.since}"


class Guard:
    """The lock on one checkpoint, held from `take` to `release`."""

    def __init__(self, path: Path, descriptor: int, left: Holder | None) -> None:
        self.path = path
        self.left = left
        """What the last holder left behind, where it was killed."""
        self._descriptor = descriptor
        # What is known of the last holder's machine and clock holds until this one describes itself: it may be killed before.
        boot, clock = (left.boot, left.clock) if left else (boot_id(), _clock())
        self._holder = Holder(os.getpid(), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", boot, clock=clock)
        self._write(left.records if left else 0)

    @classmethod
    def take(cls, path: Path) -> "Guard":
        """Lock the guard file at `path`, and write who holds it.

        Raises:
            CheckpointInUse: somebody else holds it.
            StorageError: the file cannot be made.
        """
        for attempt in range(_ATTEMPTS):
            descriptor = _open(path, os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # A reader that looks who holds it locks it for a moment.
                if attempt == _ATTEMPTS - 1:
                    holder = _read(descriptor) or Holder()
                    os.close(descriptor)
                    raise CheckpointInUse(f"{path.stem} is in use by {holder.in_words()}: wait for it, or end it") from None
                time.sleep(0.01)
            except OSError as error:
                os.close(descriptor)
                raise StorageError(f"{path} cannot be locked: {error.strerror}") from None
            else:
                # The file may have been released, and so removed, between opening and locking it.
                if _is_at(path, descriptor):
                    return cls._begin(path, descriptor)
            os.close(descriptor)
        raise CheckpointInUse(f"{path.stem} is being opened and closed by others: try again")

    @classmethod
    def _begin(cls, path: Path, descriptor: int) -> "Guard":
        """Write who holds the file that has been locked; where that fails, leave no file that was not there before."""
        left = _read(descriptor)
        try:
            return cls(path, descriptor, left)
        except OSError as error:
            if left is None:
                with contextlib.suppress(OSError):
                    path.unlink()
            os.close(descriptor)
            raise StorageError(f"{path} cannot be written: {error.strerror}") from None

    def describe(
        self, *, name: str, created_at: int, total_slots: int, records: int, accounts: int = 0, markets: int = 0
    ) -> None:
        """Say what the checkpoint is, and count `records` as reported by this process.

        Raises:
            StorageError: it cannot be written.
        """
        self._holder = msgspec.structs.replace(
            self._holder,
            name=name[:200].encode(errors="replace").decode(),
            created_at=created_at,
            total_slots=total_slots,
            accounts=accounts,
            markets=markets,
            boot=boot_id(),
            clock=_clock(),
        )
        try:
            self._write(records)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written: {error.strerror}") from None

    def acknowledge(self, records: int) -> None:
        """Note that so many records are reported saved. It may be lost with the power: it is not synced."""
        # They are saved, whether or not that can be noted here: a disk that fails is told of by the file itself.
        try:  # noqa: SIM105 - done with every commit, where `suppress` would take as long as the write
            os.pwrite(self._descriptor, b"%020d" % records, 0)
        except OSError:
            pass

    def report(self, records: int, completed: int, failed: int, skipped: int) -> None:
        """Note how far the run is, for whoever lists the checkpoints meanwhile."""
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, _COUNTS % (records, completed, failed, skipped), 0)

    def release(self) -> None:
        """Give the lock up, and remove the file."""
        if self._descriptor >= 0:
            # Still locked, so nobody else's; a folder gone or closed to us leaves a file that stands in nobody's way.
            with contextlib.suppress(OSError):
                if _is_at(self.path, self._descriptor):
                    self.path.unlink()
            self.abandon()

    @property
    def is_in_place(self) -> bool:
        """Whether the file that is locked is the one that others would look at."""
        return self._descriptor >= 0 and _is_at(self.path, self._descriptor)

    def abandon(self) -> None:
        """Give the lock up and leave the file, with what it says, for whoever comes next."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, records: int) -> None:
        text = _COUNTS % (records, 0, 0, 0) + json.dumps(msgspec.to_builtins(self._holder)).encode() + b"\n"
        os.pwrite(self._descriptor, text, 0)
        os.ftruncate(self._descriptor, len(text))


def holder_of(path: Path) -> Holder | None:
    """Return who holds the guard file at `path`; None where nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor) or Holder()
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def left_behind(path: Path) -> Holder | None:
    """Return what a guard file says that nobody holds any more; None where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return _read(descriptor)
    finally:
        os.close(descriptor)


def clock_was_kept(left: Holder | None) -> bool:
    """Whether the wall clock goes on as it did when the last holder took the checkpoint; False where nobody can tell."""
    return left is not None and left.boot != "" and left.boot == boot_id() and abs(left.clock - _clock()) < _A_SECOND


def _clock() -> int:
    return time.time_ns() - int(time.monotonic() * 1e9)


def boot_id() -> str:
    """Return what names this run of the machine; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _open(path: Path, flags: int) -> int:
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    except OSError as error:
        raise StorageError(f"{path} cannot be locked: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise StorageError(f"{path} cannot be locked: it is no ordinary file")
    return descriptor


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one that lies at `path` now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def _read(descriptor: int) -> Holder | None:
    """Return what the file says; None where it says nothing that can be understood."""
    try:
        text = os.pread(descriptor, _MOST_BYTES, 0)
        records, completed, failed, skipped = map(int, text[:_COUNTS_WIDTH].split())
        said = msgspec.json.decode(text[_COUNTS_WIDTH:], type=Holder)
        return msgspec.structs.replace(said, records=records, completed=completed, failed=failed, skipped=skipped)
    except (OSError, ValueError, msgspec.DecodeError):
        return None


def lock_of(path: Path) -> Path:
    """Return the guard file of the checkpoint at `path`."""
    return path.with_suffix(".lock")
