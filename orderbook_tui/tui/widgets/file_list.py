"""The folders of a folder, and the files in it that may be configs."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from rich.segment import Segment

from orderbook_tui.tui.figures import ago, fit, fit_middle, name, size
from orderbook_tui.tui.theme import Inks
from orderbook_tui.tui.widgets.cursor_list import CursorList

_SUFFIX: Final = ".json"
_MOST: Final = 50_000


class Entry(NamedTuple):
    """A line of the list."""

    called: str
    is_folder: bool
    size: int = 0
    saved_at: int = 0


def entries(folder: Path) -> tuple[Path, list[Entry]]:
    """Return where a folder really is, and what is in it: the way up, folders, files.

    Raises:
        OSError: it cannot be read.
    """
    folder, found = folder.resolve(), []
    with os.scandir(folder) as listed:
        for place, entry in enumerate(listed):
            if place >= _MOST:
                break
            try:
                if entry.is_dir():
                    if not entry.name.startswith("."):
                        found.append(Entry(entry.name, is_folder=True))
                elif entry.name.casefold().endswith(_SUFFIX) and entry.is_file():
                    facts = entry.stat()
                    found.append(Entry(entry.name, is_folder=False, size=facts.st_size, saved_at=facts.st_mtime_ns))
            except OSError:
                continue
    found.sort(key=lambda entry: (not entry.is_folder, entry.called.casefold()))
    return folder, [Entry("..", is_folder=True), *found]


class FileList(CursorList):
    """Shows the entries that it is given; Enter or a click chooses one."""

    HEADER: ClassVar[bool] = False
    BINDINGS: ClassVar = []

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.entries: list[Entry] = []

    @property
    def count(self) -> int:
        return len(self.entries)

    def show(self, found: list[Entry], at: str = "") -> None:
        """Show entries, the cursor on the one that is called so, or else on the first file."""
        self.entries = found
        files = (place for place, entry in enumerate(found) if not entry.is_folder)
        wanted = (place for place, entry in enumerate(found) if entry.called == at)
        self.rows_changed()
        self.scroll_to(y=0, animate=False, force=True, immediate=True)
        self.move_to(next(wanted, next(files, 0)))

    def row(self, place: int, ink: Inks) -> Sequence[Segment]:
        entry = self.entries[place]
        if entry.is_folder:
            return [Segment(f"{name(entry.called)}/", ink.plain)]
        width = max(self.size.width - 28, 8)
        facts = f"{size(entry.size):>9}  {fit(ago(entry.saved_at), 14, right=True)}"
        return [Segment(fit_middle(name(entry.called), width), ink.strong), Segment(f" {facts}", ink.muted)]
