"""What can go wrong with the disk under a run, how it is brought about, and how it is mended.

with trouble(tmp_path) as disk:
    start the program after the steps disk.before, with its checkpoints in disk.state_dir
    disk.begin(process)
    disk.mend()
"""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.nursery import Step

NO_LIMIT: Final = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def _nothing(*_: object) -> None:
    """Nothing is to be done."""


@dataclass
class Disk:
    """A place for checkpoints, and what can happen to it."""

    state_dir: Path
    """As the program sees it."""
    seen: Path
    """As we see it."""
    before: Sequence[Step] = ()
    """What the process does first that is to be the program there."""
    begin: Callable[[int], None] = _nothing
    """Bring the trouble about, under the process of this number."""
    mend: Callable[[], None] = _nothing
    reason: str = ""
    """What the program says is the matter."""
    is_mounted: bool = False
    """Whether only a program that is started so sees what is in `state_dir`."""
    keeps: bool = True
    """Whether what was saved is still there when the program has ended."""


Trouble = Callable[[Path], AbstractContextManager[Disk]]


@contextmanager
def a_full_disk(folder: Path) -> Iterator[Disk]:
    """A small file system in memory, which somebody else fills up."""
    with _in_memory(folder, "size=1m") as disk:
        filler = disk.seen / "filler"

        def fill(_: int) -> None:
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(4096))

        disk.begin, disk.mend, disk.reason = fill, filler.unlink, "the disk is full"
        yield disk


@contextmanager
def a_limit_on_the_size_of_files(folder: Path) -> Iterator[Disk]:
    """RLIMIT_FSIZE: no file of the process may grow."""
    disk = Disk(folder / "state", folder / "state", reason="the disk or the system failed")
    processes: list[int] = []

    def limit(process: int) -> None:
        processes.append(process)
        resource.prlimit(process, resource.RLIMIT_FSIZE, (2048, resource.RLIM_INFINITY))

    def lift() -> None:
        with suppress(ProcessLookupError):
            resource.prlimit(processes[0], resource.RLIMIT_FSIZE, NO_LIMIT)

    disk.begin, disk.mend = limit, lift
    yield disk


def _failing(what: str) -> Trouble:
    @contextmanager
    def failing(folder: Path) -> Iterator[Disk]:
        switch = folder / "switch"
        disk = Disk(folder / "state", folder / "state", [("tests.disk.faulty:fail_while", str(switch))])
        disk.begin, disk.mend = lambda _: _write(switch, what), switch.unlink
        disk.reason = "the disk or the system failed"
        yield disk

    return failing


@contextmanager
def a_removed_folder(folder: Path) -> Iterator[Disk]:
    """The folder goes, with all that is in it."""
    disk = Disk(folder / "state", folder / "state", reason="was removed", keeps=False)
    disk.begin = lambda _: shutil.rmtree(disk.seen)
    yield disk


@contextmanager
def a_removed_file(folder: Path) -> Iterator[Disk]:
    """The files of the run go; their folder stays."""
    disk = Disk(folder / "state", folder / "state", reason="was removed", keeps=False)

    def remove(_: int) -> None:
        for path in disk.seen.iterdir():
            path.unlink()

    disk.begin = remove
    yield disk


@contextmanager
def a_closed_folder(folder: Path) -> Iterator[Disk]:
    """Nobody may enter the folder any more."""
    disk = Disk(folder / "state", folder / "state", [("tests.disk.faulty:be_an_ordinary_user",)], reason="Permission denied")
    disk.begin = lambda _: disk.seen.chmod(0)
    disk.mend = lambda: disk.seen.chmod(0o700)
    try:
        yield disk
    finally:
        if disk.seen.exists():
            disk.seen.chmod(0o700)


@contextmanager
def a_read_only_file_system(folder: Path) -> Iterator[Disk]:
    """A file system that takes nothing; it is so before the run begins, as one with an open file cannot become so."""
    with _in_memory(folder, "size=1m") as disk:

        def remount(how: str) -> None:
            [(_, holder)] = disk.before
            command = ["nsenter", "--mount", f"--target={holder}", "mount", "-o", f"remount,{how}", str(disk.state_dir)]
            subprocess.run(command, check=True)

        disk.begin, disk.mend = lambda _: remount("ro"), lambda: remount("rw")
        disk.reason = "Read-only file system"
        yield disk


TROUBLES: Final[dict[str, Trouble]] = {
    "full": a_full_disk,
    "limited": a_limit_on_the_size_of_files,
    "failing-writes": _failing("write"),
    "failing-syncs": _failing("sync"),
    "folder-removed": a_removed_folder,
    "file-removed": a_removed_file,
    "folder-closed": a_closed_folder,
}
"""Those that come about in the middle of a run."""


@contextmanager
def _in_memory(folder: Path, options: str) -> Iterator[Disk]:
    """Mount a file system in memory, in a namespace of its own, which goes with the process that holds it."""
    state_dir = folder / "state"
    state_dir.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a file system of our own takes root: this trouble was not tested")
    mount = f"mount -t tmpfs -o {options},mode=700 tmpfs '{state_dir}' && echo ready && exec cat"
    holder = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != "ready\n":
            pytest.skip(f"a file system of our own cannot be mounted, this trouble was not tested: {holder.stderr.read()}")
        enter = "tests.disk.faulty:enter", str(holder.pid)
        yield Disk(state_dir, Path(f"/proc/{holder.pid}/root{state_dir}"), [enter], is_mounted=True)
    finally:
        holder.communicate()


def _write(path: Path, text: str) -> None:
    path.write_text(text)
