"""The operating system of a world: it writes what a living process writes, sometimes not, and cleans up after a dead one.

Every write of the program passes here, whether SQLite makes it (through a VFS below the page checksums) or the program
itself. Each may be the last of its process (`Life.dies_at_write`), be torn in two by that, or fail for want of space.

Must be installed before the program opens its first file.
"""

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

import apsw

_FSYNC: Final = apsw.SQLITE_IOERR_FSYNC
_VFS: Final = "troubled"
_E = TypeVar("_E", bound=BaseException)


class Killed(BaseException):
    """The process is no more."""


class Disk:
    """Whether the disk takes what is written: `fault` is an `errno`, or nothing."""

    def __init__(self) -> None:
        self.fault: int | None = None
        self.failed = False
        """Whether something was refused that nobody has heard of yet."""
        self.refusals: list[BaseException] = []
        """What it refused with, and nobody has heard of yet: two may have happened before anybody is told of the first."""
        self.writes_until_fault = -1
        """So many writes are still taken before `next_fault` begins; none, where negative."""
        self.next_fault = errno.ENOSPC
        self.writes_until_mended = -1
        """A fault that passes by itself after so many refusals; only when somebody mends it, where negative."""

    def takes(self) -> int | None:
        """Count a write; return why it fails, where it does."""
        if self.writes_until_fault >= 0:
            if self.writes_until_fault == 0:
                self.fault = self.next_fault
            self.writes_until_fault -= 1
        fault = self.fault
        self.failed = self.failed or fault is not None
        if fault is not None and self.writes_until_mended >= 0:
            if self.writes_until_mended == 0:
                self.mend()
            else:
                self.writes_until_mended -= 1
        return fault

    def refusing(self, error: _E) -> _E:
        """Return `error`, as one that is of this disk."""
        self.refusals.append(error)
        return error

    def heard(self, error: BaseException | None) -> bool:
        """Whether a refusal that nobody has heard of before is what `error` came of. It is heard of now."""
        while error is not None:
            for place, each in enumerate(self.refusals):
                if each is error:
                    del self.refusals[place]
                    return True
            error = error.__cause__
        return False

    def mend(self) -> None:
        """Let everything be written again."""
        self.fault, self.writes_until_fault, self.writes_until_mended = None, -1, -1


class Life:
    """One process: what it holds, how much it has done, and when it dies."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.dead = False
        self.steps = self.writes = self.acceptances = 0
        self.dies_at_step = self.dies_at_write = self.dies_at_acceptance = -1
        self.tears = 0
        """How the last write goes: 0 not at all, 1 half, 2 whole."""
        self.descriptors: set[int] = set()
        self.connections: list[apsw.Connection] = []
        self.died_at = ""

    def die(self, where: str) -> None:
        """End here.

        Raises:
            Killed: always.
        """
        if not self.dead:
            self.dead, self.died_at = True, where
        raise Killed(where)

    def step(self) -> None:
        """Count a step of the event loop."""
        self.steps += 1
        if self.dead or self.steps == self.dies_at_step:
            self.die(f"at step {self.steps}")

    def write(self, what: str, do: Callable[[], Any], half: Callable[[], Any] | None = None) -> Any:
        """Carry a write out, unless this is where the process ends or the disk refuses.

        Raises:
            OSError: the disk refused.
            Killed: that was the last one.
        """
        if self.dead:
            raise Killed(self.died_at)
        self.writes += 1
        if self.writes == self.dies_at_write:
            if self.tears == 2:
                do()
            elif self.tears == 1 and half is not None:
                half()
            self.die(f"at write {self.writes} ({what})")
        fault = self.disk.takes()
        if fault is not None:
            raise self.disk.refusing(OSError(fault, os.strerror(fault)))
        return do()

    def bury(self) -> None:
        """Let go of everything that the process held, as the system does: nothing more is written."""
        self.dead = True
        for connection in self.connections:
            with suppress(BaseException):
                connection.close(force=True)
        self.connections.clear()
        for descriptor in self.descriptors:
            with suppress(OSError):
                _real["close"](descriptor)
        self.descriptors.clear()


class Kernel:
    """Whose process runs."""

    life: Life | None = None


_real: dict[str, Callable[..., Any]] = {}


def install() -> None:
    """Put every write of this process into our hands."""
    if _real:
        return
    for name in ("open", "close", "fdopen", "pwrite", "write", "ftruncate", "fsync", "fdatasync", "rename", "replace", "unlink",
                 "mkdir", "link"):  # fmt: skip
        _real[name] = getattr(os, name)
    for name in ("pwrite", "write", "ftruncate", "rename", "replace", "unlink", "mkdir", "link"):
        setattr(os, name, _written(name))
    for name in ("fsync", "fdatasync"):
        setattr(os, name, _synced(name))
    os.open, os.close, os.fdopen = _open, _close, _fdopen  # type: ignore[assignment]
    _keep.append(_VirtualFiles())
    apsw.connection_hooks.append(_note)


def _written(name: str) -> Callable[..., Any]:
    do = _real[name]

    def call(*arguments: Any, **named: Any) -> Any:
        life = Kernel.life
        if life is None:
            return do(*arguments, **named)
        half = None
        if name == "pwrite":
            descriptor, content, offset = arguments
            half = lambda: do(descriptor, bytes(content)[: len(content) // 2], offset)  # noqa: E731
        return life.write(name, lambda: do(*arguments, **named), half)

    return call


def _synced(name: str) -> Callable[..., Any]:
    do = _real[name]

    def call(descriptor: int) -> Any:
        life = Kernel.life
        # A process that dies loses nothing that the system has: nothing need be waited for.
        return do(descriptor) if life is None else life.write(name, lambda: None)

    return call


def _open(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
    life = Kernel.life
    do: Callable[[], int] = lambda: _real["open"](path, flags, *arguments, **named)  # noqa: E731
    if life is None:
        return do()
    descriptor: int = life.write("open", do) if flags & (os.O_CREAT | os.O_TRUNC) else do()
    life.descriptors.add(descriptor)
    return descriptor


def _close(descriptor: int) -> None:
    life = Kernel.life
    if life is not None:
        if life.dead:
            return  # the system has closed it already
        life.descriptors.discard(descriptor)
    _real["close"](descriptor)


def _fdopen(descriptor: int, *arguments: Any, **named: Any) -> Any:
    if Kernel.life is not None:
        Kernel.life.descriptors.discard(descriptor)
    return _real["fdopen"](descriptor, *arguments, **named)


def _note(connection: apsw.Connection) -> None:
    if Kernel.life is not None:
        Kernel.life.connections.append(connection)


class _VirtualFiles(apsw.VFS):
    """SQLite's way to the files. It is the default one, so what is loaded later (the page checksums) stands on it."""

    def __init__(self) -> None:
        super().__init__(_VFS, "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        life = Kernel.life
        if life is not None and flags[0] & apsw.SQLITE_OPEN_CREATE and not flags[0] & apsw.SQLITE_OPEN_MEMORY:
            return _counted("open", lambda: _VirtualFile(name, flags))  # type: ignore[no-any-return]
        return _VirtualFile(name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802
        _counted("delete", lambda: super(_VirtualFiles, self).xDelete(name, syncdir))


class _VirtualFile(apsw.VFSFile):
    """One of SQLite's files."""

    def __init__(self, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)

    def xWrite(self, content: Any, offset: int) -> None:  # noqa: N802
        write = super().xWrite
        _counted("page", lambda: write(content, offset), lambda: write(bytes(content)[: len(content) // 2], offset))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        truncate = super().xTruncate
        _counted("truncate", lambda: truncate(size))

    def xSync(self, flags: int) -> None:  # noqa: N802
        _counted("sync", lambda: None, sync=True)


def _counted(what: str, do: Callable[[], Any], half: Callable[[], Any] | None = None, *, sync: bool = False) -> Any:
    """Carry a write of SQLite's out, and say in its own words why it failed."""
    life = Kernel.life
    if life is None:
        return do()
    if life.dead:
        raise apsw.IOError("the process is dead")
    try:
        return life.write(what, do, half)
    except OSError as error:
        if _is_closing():
            return None
        if error.errno == errno.ENOSPC and not sync:
            raise life.disk.refusing(apsw.FullError("disk full")) from None
        refusal: Any = apsw.IOError("the disk failed")
        refusal.extendedresult = _FSYNC if sync else apsw.SQLITE_IOERR_WRITE
        raise life.disk.refusing(refusal) from None


def _is_closing() -> bool:
    """Whether a connection is being closed right now. SQLite then passes over what fails; a VFS in Python would not."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_name in ("close", "discard")


_keep: list[apsw.VFS] = []
