"""The list of a folder's checkpoints, kept up to date: a look reads only what has changed since the last one."""

import os
from pathlib import Path
from typing import Final

from orderbook_tui.engine.checkpoint_file import SUFFIX, writes_here
from orderbook_tui.engine.checkpoint_info import CheckpointStatus, SimulationInfo, running_elsewhere
from orderbook_tui.engine.guard import Holder, left_behind, lock_of
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.errors import StorageError

Marks = tuple[tuple[str, int, int], ...]
"""Size and time of last change of a checkpoint's file and of those beside it: as long as they stay, so does it."""

AT_ONCE: Final = 200
"""How many checkpoints one look reads at most."""
_FAMILY: Final = (SUFFIX, f"{SUFFIX}-wal", f"{SUFFIX}-journal", lock_of(Path("any")).suffix)


class CheckpointListing:
    """The checkpoints of one folder. It belongs to one thread at a time, which need not be always the same."""

    def __init__(self, state_dir: Path | str) -> None:
        self.unread = 0
        """How many checkpoints the last look has left to the next."""
        self._persistence = StatePersistence(state_dir)
        self._known: dict[str, tuple[Marks, list[SimulationInfo]]] = {}

    def look(self, at_once: int = AT_ONCE) -> list[SimulationInfo]:
        """Return every checkpoint that has been read, the one saved last first; one that cannot be read says why.

        Raises:
            StorageError: the folder cannot be read.
        """
        found = self._scanned()
        self._known = {file: known for file, known in self._known.items() if file in found}
        changed = [file for file, marks in found.items() if self._is_news(file, marks)]
        changed.sort(key=lambda file: _newest(found[file]), reverse=True)
        self.unread = max(len(changed) - at_once, 0)
        for file in changed[:at_once]:
            self._known[file] = found[file], self._read(self._persistence.folder / file, found[file])
        infos = [info for _, known in self._known.values() for info in known]
        return sorted(infos, key=lambda info: (info.saved_at, info.id), reverse=True)

    def _is_news(self, file: str, marks: Marks) -> bool:
        before, infos = self._known.get(file, ((), []))
        # A process that is killed lets go of its checkpoint without a trace.
        return marks != before or any(info.status is CheckpointStatus.RUNNING for info in infos)

    def _read(self, path: Path, marks: Marks) -> list[SimulationInfo]:
        if not writes_here(path):
            return self._persistence.described(path)
        # Its connection belongs to the run, which may need it at this very moment: its guard says what there is to say.
        size = next((size for file, size, _ in marks if file == path.name), 0)
        known = SimulationInfo(id=path.stem, path=path, status=CheckpointStatus.RUNNING, size=size)
        return [running_elsewhere(known, left_behind(lock_of(path)) or Holder())]

    def _scanned(self) -> dict[str, Marks]:
        """Return what is in the folder, by the name of each checkpoint's file."""
        folder = self._persistence.folder
        try:
            entries = {entry.name: entry for entry in os.scandir(folder)}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageError(f"{folder} cannot be listed: {error.strerror}") from None
        stems = [file.removesuffix(SUFFIX) for file in entries if file.endswith(SUFFIX) and file != SUFFIX]
        return {
            stem + SUFFIX: tuple(_marks(entries[stem + ending]) for ending in _FAMILY if stem + ending in entries)
            for stem in stems
        }


def _marks(entry: os.DirEntry[str]) -> tuple[str, int, int]:
    try:
        about = entry.stat(follow_symlinks=False)
    except OSError:
        return entry.name, 0, 0
    return entry.name, about.st_size, about.st_mtime_ns


def _newest(marks: Marks) -> int:
    return max(changed for _, _, changed in marks)
