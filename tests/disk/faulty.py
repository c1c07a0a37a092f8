"""The program on a disk that fails while somebody says so: `python -m tests.disk.faulty SWITCH ARGUMENTS...`.

As long as there is a file at SWITCH, whatever it names (write, sync) fails with an I/O error.
"""

import sys
from pathlib import Path
from typing import Any

import apsw

_CODES = {"write": apsw.SQLITE_IOERR_WRITE, "sync": apsw.SQLITE_IOERR_FSYNC}


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


def main() -> None:
    """Be the program."""
    sys.argv[1:], switch = sys.argv[2:], Path(sys.argv[1])
    vfs = FailingVFS(switch)
    from orderbook_tui.cli import main as program

    try:
        program()
    finally:
        del vfs


if __name__ == "__main__":
    main()
