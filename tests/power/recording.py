"""What a run asks of the disk, in order: every create, write, truncate, sync, rename and unlink below one folder.

    SQLite        --> cksumvfs --> _RecordingVFS --> unix     its pages, with their checksums
    Python's own  --> os.open, os.pwrite, os.fsync, ...       the guard, the file of a plan, the folder

It has to be installed before the program first opens a checkpoint: `cksumvfs` wraps what is the default at that moment.
"""

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

_SYNCS_ITS_FOLDER: Final = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
"""Files whose first sync SQLite follows with one of their folder, where it may have made them."""


class Op(msgspec.Struct, array_like=True, omit_defaults=True):
    """Something that was asked of the disk, or (`mark`) promised meanwhile."""

    kind: str
    """open, write, truncate, sync, sync_folder, rename, unlink, mkdir or mark."""
    path: str = ""
    """Below the folder; of a mark: what was promised."""
    handle: int = 0
    """Which opening of a file a write, truncate or sync goes to."""
    at: int = 0
    """Offset, size, or what a mark counts."""
    data: bytes = b""
    to: str = ""
    moment: float = 0.0


class Recorder:
    """The record of what happens below `folder` in this process, from `install` on."""

    def __init__(self, folder: Path) -> None:
        self.folder = os.path.realpath(folder)
        self.ops: list[Op] = []
        self._handles = itertools.count(1)
        self._open: dict[int, int] = {}
        """Handles by Python's descriptors."""
        self._folders: dict[int, str] = {}
        """Folders by Python's descriptors."""
        self._vfs: apsw.VFS | None = None

    def install(self) -> None:
        """Record from now on."""
        assert "cksmvfs" not in apsw.vfs_names(), "the checksums are there already, and go round the recorder"
        self._vfs = _RecordingVFS(self)
        for name, wrap in (
            ("open", self._wrap_open), ("close", self._wrap_close), ("pwrite", self._wrap_pwrite),
            ("ftruncate", self._wrap_ftruncate), ("fsync", self._wrap_sync), ("fdatasync", self._wrap_sync),
            ("unlink", self._wrap_unlink), ("remove", self._wrap_unlink), ("rename", self._wrap_rename),
            ("replace", self._wrap_rename), ("mkdir", self._wrap_mkdir),
        ):  # fmt: skip
            setattr(os, name, wrap(getattr(os, name)))

    def mark(self, what: str, count: int = 0, *, name: str = "", moment: float = 0.0) -> None:
        """Note what was promised at this point."""
        self.ops.append(Op("mark", what, at=count, to=name, moment=moment))

    def saved(self, path: Path) -> None:
        """Write the record to a file elsewhere."""
        path.write_bytes(msgspec.msgpack.encode(self.ops))

    def below(self, path: Any) -> str | None:
        """Return the path below the folder; None where it is not."""
        if isinstance(path, int) or path is None:
            return None
        whole: str | bytes = os.path.abspath(os.fspath(path))  # noqa: PTH100 - a link in the last place is not to be followed
        if isinstance(whole, bytes) or not whole.startswith(self.folder + "/") or whole.endswith("-shm"):
            return "" if whole == self.folder else None
        return whole[len(self.folder) + 1 :]

    def opened(self, below: str) -> int:
        """Note that a file was opened to write; return its handle."""
        handle = next(self._handles)
        self.ops.append(Op("open", below, handle))
        return handle

    def _wrap_open(self, real: Callable[..., int]) -> Callable[..., int]:
        def recorded(path: Any, flags: int, *more: Any, **others: Any) -> int:
            descriptor = real(path, flags, *more, **others)
            below = self.below(path)
            if below is not None:
                if os.path.isdir(path):  # noqa: PTH112
                    self._folders[descriptor] = below
                elif flags & (os.O_WRONLY | os.O_RDWR):
                    self._open[descriptor] = self.opened(below)
                    if flags & os.O_TRUNC:
                        self.ops.append(Op("truncate", handle=self._open[descriptor]))
            return descriptor

        return recorded

    def _wrap_close(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def recorded(descriptor: int) -> None:
            self._open.pop(descriptor, None)
            self._folders.pop(descriptor, None)
            real(descriptor)

        return recorded

    def _wrap_pwrite(self, real: Callable[..., int]) -> Callable[..., int]:
        def recorded(descriptor: int, data: bytes, offset: int) -> int:
            written = real(descriptor, data, offset)
            if descriptor in self._open:
                self.ops.append(Op("write", handle=self._open[descriptor], at=offset, data=bytes(data[:written])))
            return written

        return recorded

    def _wrap_ftruncate(self, real: Callable[..., None]) -> Callable[..., None]:
        def recorded(descriptor: int, size: int) -> None:
            real(descriptor, size)
            if descriptor in self._open:
                self.ops.append(Op("truncate", handle=self._open[descriptor], at=size))

        return recorded

    def _wrap_sync(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def recorded(descriptor: int) -> None:
            real(descriptor)
            if descriptor in self._open:
                self.ops.append(Op("sync", handle=self._open[descriptor]))
            elif descriptor in self._folders:
                self.ops.append(Op("sync_folder", self._folders[descriptor]))

        return recorded

    def _wrap_unlink(self, real: Callable[..., None]) -> Callable[..., None]:
        def recorded(path: Any, **others: Any) -> None:
            real(path, **others)
            below = self.below(path)
            if below:
                self.ops.append(Op("unlink", below))

        return recorded

    def _wrap_rename(self, real: Callable[..., None]) -> Callable[..., None]:
        def recorded(source: Any, target: Any, **others: Any) -> None:
            real(source, target, **others)
            below, to = self.below(source), self.below(target)
            if below and to:
                self.ops.append(Op("rename", below, to=to))

        return recorded

    def _wrap_mkdir(self, real: Callable[..., None]) -> Callable[..., None]:
        def recorded(path: Any, *more: Any, **others: Any) -> None:
            real(path, *more, **others)
            below = self.below(path)
            if below:
                self.ops.append(Op("mkdir", below))

        return recorded


class _RecordingVFS(apsw.VFS):
    """SQLite's own VFS of this system, and a note of what changes the disk."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        super().__init__("recording", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        below = self._recorder.below(path)
        if below is None or not flags[0] & apsw.SQLITE_OPEN_READWRITE:
            return apsw.VFSFile("unix", name, flags)
        return _RecordingFile(self._recorder, below, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        below = self._recorder.below(filename)
        if below:
            self._recorder.ops.append(Op("unlink", below))
            if syncdir:
                self._recorder.ops.append(Op("sync_folder", os.path.dirname(below)))  # noqa: PTH120


class _RecordingFile(apsw.VFSFile):
    def __init__(self, recorder: Recorder, below: str, name: Any, flags: list[int]) -> None:
        asked = flags[0]
        super().__init__("unix", name, flags)
        self._ops, self._below = recorder.ops, below
        self._handle = recorder.opened(below)
        self._syncs_folder = bool(asked & apsw.SQLITE_OPEN_CREATE and asked & _SYNCS_ITS_FOLDER)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._ops.append(Op("write", handle=self._handle, at=offset, data=bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._ops.append(Op("truncate", handle=self._handle, at=newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._ops.append(Op("sync", handle=self._handle))
        if self._syncs_folder:
            self._syncs_folder = False
            self._ops.append(Op("sync_folder", os.path.dirname(self._below)))  # noqa: PTH120
