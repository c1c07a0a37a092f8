"""Damage: one bit of a checkpoint's files is another, or a file ends too soon, and everything that can be read is read.

    folder = Damaged(left_behind("killed", ...), place)
    folder.outcome(Flip("sqlite", 4711, 3))    harmless | told | silent: ...

Each way of reading must say what it says of the sound files, or say by name that something is wrong.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from orderbook_tui.engine.checkpoint_file import reading
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.export import TABLES, ExportFormat, export
from orderbook_tui.engine.persistence import CheckpointStatus, StatePersistence
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.summary import summary
from orderbook_tui.errors import CheckpointError

PAGE: Final = 1024
FRAME: Final = PAGE + 24
"""A page in the write-ahead journal, with what is said of it."""
_ID: Final = "run"
_ALL_IS_WELL: Final = (CheckpointStatus.FINISHED, CheckpointStatus.INTERRUPTED)


@dataclass(frozen=True)
class Flip:
    """One bit of a file is the other."""

    file: str
    at: int
    bit: int

    def __str__(self) -> str:
        return f"--flip {self.file}:{self.at}:{self.bit}"

    def of(self, content: bytes) -> bytes:
        """Return the content with it."""
        changed = bytearray(content)
        changed[self.at] ^= 1 << self.bit
        return bytes(changed)


@dataclass(frozen=True)
class Cut:
    """A file ends after so many bytes."""

    file: str
    size: int

    def __str__(self) -> str:
        return f"--cut {self.file}:{self.size}"

    def of(self, content: bytes) -> bytes:
        """Return the content with it."""
        return content[: self.size]


Damage = Flip | Cut


def flips(files: Mapping[str, bytes], count: int, seed: int = 0) -> Iterator[Flip]:
    """Draw single bits over all files, each bit as likely as any other."""
    draw, sizes = random.Random(seed), [(file, len(content)) for file, content in sorted(files.items())]
    names, weights = [file for file, _ in sizes], [size for _, size in sizes]
    for _ in range(count):
        (file,) = draw.choices(names, weights)
        yield Flip(file, draw.randrange(len(files[file])), draw.randrange(8))


def cuts(files: Mapping[str, bytes]) -> Iterator[Cut]:
    """Return an end at every byte of the last page of the file, and of its write-ahead journal."""
    for file, last in (("sqlite", PAGE), ("sqlite-wal", FRAME)):
        size = len(files.get(file, b""))
        yield from (Cut(file, size - less) for less in range(1, min(last, size) + 1))


class Damaged:
    """A folder with a copy of sound files, which are damaged and put right again."""

    def __init__(self, sound: Mapping[str, bytes], folder: Path) -> None:
        # What a reader keeps beside a killed run's files is made anew by each.
        self.sound = {file: content for file, content in sound.items() if not file.endswith("-shm")}
        self._folder = folder
        self._restore()
        self._expected = {name: look(folder) for name, look in _LOOKS.items()}
        self._resumed = self._resume()
        self._full = _full(folder)
        self._restore()

    def outcome(self, damage: Damage, *, thorough: bool = False) -> str:
        """Return "harmless", "told", or what is silently another; `thorough` also makes every export of what is read."""
        path, content = self._path(damage.file), self.sound[damage.file]
        path.write_bytes(damage.of(content))
        try:
            return self._look(damage, thorough=thorough)
        finally:
            path.write_bytes(content)
            self._drop_memory()

    def _look(self, damage: Damage, *, thorough: bool) -> str:
        told = False
        for name, look in _LOOKS.items():
            try:
                found = look(self._folder)
            except _Told:
                told = True
                continue
            if found != self._expected[name] and not (name == "rows" and told):
                return f"silent: {name} {_difference(found, self._expected[name])}"
        if thorough and not told and _full(self._folder) != self._full:
            return "silent: summary or export"
        damaged = self._contents()
        try:
            found = self._resume()
        except _Told:
            changed = self._contents() != damaged
            self._restore()
            return "silent: what was refused was changed" if changed else "told"
        self._restore()
        if found.notes:
            return "told"
        if found != self._resumed:
            return f"silent: resumed {_difference(found, self._resumed)}"
        return "told" if told else "harmless"

    def _resume(self) -> Any:
        with _telling():
            checkpoint, writer = StatePersistence(self._folder).resume(_ID, group=1)
        writer.close()
        # Whether the clock may be relied on is for the program alone; where that cannot be told, it is not.
        return msgspec.structs.replace(checkpoint, clock_kept=False)

    def _path(self, file: str) -> Path:
        return self._folder / f"{_ID}.{file}"

    def _contents(self) -> dict[str, bytes]:
        # Whoever tries to take a checkpoint up is in its guard from then on.
        return {file: self._path(file).read_bytes() for file in self.sound if file != "lock"}

    def _restore(self) -> None:
        for path in self._folder.iterdir():
            path.unlink()
        for file, content in self.sound.items():
            self._path(file).write_bytes(content)

    def _drop_memory(self) -> None:
        self._path("sqlite-shm").unlink(missing_ok=True)


class _Told(Exception):
    """Whoever reads is told that something is wrong."""


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except CheckpointError as error:
        raise _Told from error


def _listed(folder: Path) -> Any:
    (info,) = StatePersistence(folder).list_simulations()
    if info.status not in _ALL_IS_WELL or info.reason:
        raise _Told
    return msgspec.structs.replace(info, size=0)


def _read(folder: Path) -> Any:
    with _telling():
        checkpoint = StatePersistence(folder).read(_ID)
    if checkpoint.notes:
        raise _Told
    return checkpoint


def _rows(folder: Path) -> Any:
    """Return every row of every table and view, through a connection as the program opens it."""
    found = {}
    path = folder / f"{_ID}.sqlite"
    with _telling(), reading(path, in_use_elsewhere=False) as connection:
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 1)
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name").fetchall()
        for (name,) in names:
            found[name] = connection.execute(f'SELECT * FROM "{name}"').fetchall()
    return found


_LOOKS: Final[dict[str, Callable[[Path], Any]]] = {"list": _listed, "read": _read, "rows": _rows}
"""The ways of reading that change nothing. What is shown and exported is made of what `read` gives."""


def _full(folder: Path) -> Any:
    """Return the summary and every export."""
    run = Simulation.look(_ID, folder)
    out = StringIO()
    for what in TABLES:
        export(run, what, ExportFormat.JSONL, out)
    return summary(run, Ending.DONE), out.getvalue()


def _difference(found: Any, expected: Any) -> str:
    """Say briefly where two differ."""
    if isinstance(found, dict):
        return ", ".join(f"{key}" for key in expected if found.get(key) != expected[key])
    fields = [field for field in expected.__struct_fields__ if getattr(found, field) != getattr(expected, field)]
    return "; ".join(f"{field} {getattr(found, field)!r:.60} instead of {getattr(expected, field)!r:.60}" for field in fields)
