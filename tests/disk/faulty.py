"""What a process does that is to be the program on a disk with which something is the matter; each is a step of its nursery.

fail_while(SWITCH)       as long as there is a file at SWITCH, whatever it names (write, sync) fails with an I/O error
enter(PROCESS)           sees the file systems that this process sees
be_an_ordinary_user()    may open only what permissions allow, whoever it is
"""

import ctypes
import os
from pathlib import Path
from typing import Any, Final

import apsw

_CODES: Final = {"write": apsw.SQLITE_IOERR_WRITE, "sync": apsw.SQLITE_IOERR_FSYNC}
_MOUNTS: Final = 0x20000
"""CLONE_NEWNS: of all that setns can enter, the mounts."""
_CAPABILITIES: Final = 0x20080522, 0
"""The version of what capget and capset take, and the process: this one."""
_PERMISSIONS_DO_NOT_COUNT: Final = 1 << 1 | 1 << 2
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""


class FailingVFS(apsw.VFS):
    """SQLite's own VFS of this system, and a switch. To be made before the checksums are put upon it."""

    def __init__(self, switch: Path) -> None:
        self._switch = switch
        super().__init__("failing", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        return _FailingFile(self._switch, name, flags)


class _FailingFile(apsw.VFSFile):
    def __init__(self, switch: Path, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._switch = switch

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        self._fail("write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._fail("sync")
        super().xSync(flags)

    def excepthook(self, *_: object) -> bool:
        """Say nothing: SQLite tells whoever asked for it."""
        return True

    def _fail(self, what: str) -> None:
        try:
            wanted = self._switch.read_text()
        except OSError:
            return
        if what in wanted:
            error = apsw.IOError("disk I/O error")
            error.extendedresult = _CODES[what]  # type: ignore[attr-defined]
            raise error


def fail_while(switch: str) -> FailingVFS:
    """Fail while there is such a file. The VFS has to be kept."""
    return FailingVFS(Path(switch))


def enter(process: str) -> None:
    """See the file systems that another process sees."""
    mounts = os.open(f"/proc/{process}/ns/mnt", os.O_RDONLY)
    _call("setns", mounts, _MOUNTS)
    os.close(mounts)


def be_an_ordinary_user() -> None:
    """Have permissions count also for root."""
    about, sets = (ctypes.c_uint32 * 2)(*_CAPABILITIES), (ctypes.c_uint32 * 6)()
    _call("capget", about, sets)
    for kind in range(3):  # effective, permitted, inheritable
        sets[kind] &= ~_PERMISSIONS_DO_NOT_COUNT
    _call("capset", about, sets)


def _call(name: str, *arguments: Any) -> None:
    """Call the system where Python has no function for it."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)
