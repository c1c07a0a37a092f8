"""A disk that forgets: what may be there after a loss of power, given what was asked of it before.

What was synced is there. Of what was not, any part may be: each sector that was written by itself, or half of it, a new
size without the bytes, a name or its absence. A name is durable once its folder was synced, and only then.
"""

import random
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Final

from tests.power.recording import Op

SECTOR: Final = 512
MOODS: Final = ("none", "all", "first", "half", "few", "most", "all but one", "only one")
"""How much of what was not synced is there."""

Keep = Callable[[int, int], bool]
"""Whether the i-th of n things that were not synced is there."""


class _File:
    """What one file holds: for the process, and for sure."""

    def __init__(self, content: bytes = b"") -> None:
        self.live = bytearray(content)
        self.synced = bytes(content)
        self.pending: list[tuple[int, bytes | None]] = []
        """What was asked since the last sync: a write at an offset, or a truncation to a size."""

    def write(self, offset: int, data: bytes) -> None:
        _put(self.live, offset, data)
        # Each sector goes its own way.
        begin = 0
        while begin < len(data):
            end = min(len(data), (offset + begin) // SECTOR * SECTOR + SECTOR - offset)
            self.pending.append((offset + begin, data[begin:end]))
            begin = end

    def truncate(self, size: int) -> None:
        _cut(self.live, size)
        self.pending.append((size, None))

    def sync(self) -> None:
        self.synced = bytes(self.live)
        self.pending.clear()

    def after_a_loss(self, keep: Keep, draw: random.Random) -> bytes:
        """Return what may be found in it."""
        found, torn = bytearray(self.synced), draw.random() < 0.25
        for number, (at, data) in enumerate(self.pending):
            if keep(number, len(self.pending)):
                if data is None:
                    _cut(found, at)
                elif torn and draw.random() < 0.2:
                    half = draw.randrange(len(data) + 1)
                    _put(found, *((at, data[:half]) if draw.random() < 0.5 else (at + half, data[half:])))
                else:
                    _put(found, at, data)
            elif data is not None and draw.random() < 0.05:
                # The size is there, the bytes are not: zeros, or what somebody deleted.
                there = max(at + len(data) - len(found), 0)
                found += bytes(there) if draw.random() < 0.5 else draw.randbytes(there)
        return bytes(found)


class Disk:
    """The folder that a record was made in, played through as far as `play` was told."""

    def __init__(self) -> None:
        self._names: dict[str, _File | None] = {}
        """What the process sees below the folder; a folder has no content."""
        self._durable: dict[str, _File | None] = {}
        self._pending: list[tuple[str, Op, _File | None]] = []
        """Changes of names since their folder was synced, with the folder."""
        self._handles: dict[int, _File] = {}

    def play(self, op: Op) -> None:
        """Do what was asked."""
        if op.kind == "open":
            file = self._names.get(op.path)
            if file is None:
                file = self._names[op.path] = _File()
                self._note(op, file)
            self._handles[op.handle] = file
        elif op.kind == "write":
            self._handles[op.handle].write(op.at, op.data)
        elif op.kind == "truncate":
            self._handles[op.handle].truncate(op.at)
        elif op.kind == "sync":
            self._handles[op.handle].sync()
        elif op.kind == "sync_folder":
            for folder, change, file in self._pending:
                if folder == op.path:
                    _change(self._durable, change, file)
            self._pending = [entry for entry in self._pending if entry[0] != op.path]
        elif op.kind in ("rename", "unlink", "mkdir"):
            self._note(op, self._names.get(op.path))
            _change(self._names, op, self._names.get(op.path))

    def live(self) -> dict[str, bytes]:
        """Return every file as the process sees it."""
        return {name: bytes(file.live) for name, file in self._names.items() if file is not None}

    def after_a_loss(self, draw: random.Random) -> dict[str, bytes]:
        """Return the files that may be found after the power went now."""
        names, keep = dict(self._durable), _keeping(draw.choice(MOODS), draw)
        for number, (_, op, file) in enumerate(self._pending):
            if keep(number, len(self._pending)):
                _change(names, op, file)
        moods = [draw.choice(MOODS) if draw.random() < 0.5 else None for _ in names]
        common = draw.choice(MOODS)
        found = {}
        for (name, file), mood in zip(names.items(), moods, strict=True):
            # Who is in no folder is nowhere.
            if file is not None and all(str(over) in names for over in list(PurePosixPath(name).parents)[:-1]):
                found[name] = file.after_a_loss(_keeping(mood or common, draw), draw)
        return found

    def _note(self, op: Op, file: _File | None) -> None:
        folder = str(PurePosixPath(op.path).parent)
        self._pending.append(("" if folder == "." else folder, op, file))


def _change(names: dict[str, _File | None], op: Op, file: _File | None) -> None:
    if op.kind in ("open", "mkdir"):
        names[op.path] = file
    elif op.kind == "unlink":
        names.pop(op.path, None)
    else:
        names.pop(op.path, None)
        names[op.to] = file


def _keeping(mood: str, draw: random.Random) -> Keep:
    """Return how a mood chooses among n things."""
    share = draw.random()
    if mood in ("none", "all"):
        return lambda number, count: mood == "all"
    if mood == "first":
        return lambda number, count: number < share * (count + 1)
    if mood in ("all but one", "only one"):
        return lambda number, count: (number == int(share * count)) is (mood == "only one")
    likely = {"half": 0.5, "few": 0.1, "most": 0.9}[mood]
    return lambda number, count: draw.random() < likely


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if offset > len(content):
        content += bytes(offset - len(content))
    content[offset : offset + len(data)] = data


def _cut(content: bytearray, size: int) -> None:
    del content[size:]
    content += bytes(size - len(content))
