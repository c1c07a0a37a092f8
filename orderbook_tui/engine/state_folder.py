"""The folder of the checkpoints: whether a run may be kept there, and whether it will fit.

A folder on another machine is refused: its locks do not hold, so two processes could write one checkpoint. A folder that
somebody else may write to is used, with a warning: checkpoints there can be removed, or put in place of others.
"""

import os
from pathlib import Path
from typing import Final

from orderbook_tui.engine.ownership import stranger, user_name, writer_besides
from orderbook_tui.errors import StorageError

NETWORK_FILE_SYSTEMS: Final = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre", "ncp", "ncpfs", "nfs", "nfs4"),
        *("orangefs", "panfs", "pvfs2", "smb2", "smb3", "smbfs", "fuse.ceph", "fuse.ceph-fuse", "fuse.curlftpfs", "fuse.davfs"),
        *("fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys", "fuse.juicefs", "fuse.mfs", "fuse.moosefs"),
        *("fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs"),
    }
)
"""Kinds of file system, as Linux calls them, whose files other machines may write at the same time. What a virtual machine
shares with its host (virtiofs, vboxsf) is not among them: there the locks hold among all processes of the guest."""

_MOUNTS: Final = Path("/proc/self/mounts")

# What a run takes at least, measured: its plan, what comes of each slot, and a journal that is folded in at 32 MiB.
_EMPTY: Final = 24_000
_PER_SLOT: Final = 80
_PER_ACCOUNT: Final = 400
_JOURNAL_PER_COMMIT: Final = 1_500
_LONGEST_JOURNAL: Final = 32 << 20


def check_place(folder: Path) -> None:
    """Refuse a folder on another machine.

    Raises:
        StorageError: it is on a network file system.
    """
    kind = file_system(folder)
    if kind in NETWORK_FILE_SYSTEMS:
        raise StorageError(
            f"{folder} is on a network file system ({kind}), where locks do not keep others from writing the same checkpoint: "
            "choose a folder of this machine with --state-dir"
        )


def check_room(folder: Path, *, slots: int, accounts: int, group: int) -> None:
    """Refuse a run that will not fit. `group` is how many slots are saved with one commit.

    Raises:
        StorageError: even without a single retry, it needs more than is free.
    """
    needed, free = least_needed(slots=slots, accounts=accounts, group=group), _free(folder)
    if free is not None and free < needed:
        raise StorageError(
            f"{slots:,} slots need about {_size(needed)}, {_size(free)} are free in {folder}: free some space, or choose "
            "another folder with --state-dir"
        )


def least_needed(*, slots: int, accounts: int, group: int) -> int:
    """Return how many bytes the files of a run take at their largest, if every slot goes through at once."""
    journal = min(slots // group * _JOURNAL_PER_COMMIT, _LONGEST_JOURNAL)
    return _EMPTY + slots * _PER_SLOT + accounts * _PER_ACCOUNT + journal


def warnings(folder: Path) -> list[str]:
    """Return what whoever keeps checkpoints in a folder should know of it, in words. One that is yet to be made is private."""
    try:
        about = folder.stat()
    except OSError:
        return []
    if about.st_uid not in (os.geteuid(), 0):
        owner = user_name(about.st_uid)
        return [f"{folder} belongs to {owner}, who can remove or replace what is saved there"]
    if who := stranger(about) or writer_besides(about):
        what = "can be added, and put in place of others" if stranger(about) else "can be added"
        return [f"{folder} is not private ({who}): checkpoints {what}. chmod 700 makes it so"]
    return []


def file_system(folder: Path) -> str:
    """Return the kind of file system that a folder is on, or will be made on; empty where the system does not say."""
    try:
        table = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
    where, kind, longest = os.path.realpath(folder), "", -1
    for line in table.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = _unescaped(fields[1])
        inside = where == point or where.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= longest:  # of two mounts on one point the later one is seen
            kind, longest = fields[2], len(point)
    return kind


def _unescaped(point: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, character)
    return point


def _free(folder: Path) -> int | None:
    """Return how many bytes may still be written to where a folder is, or will be made; None where nobody says."""
    for place in (folder, *folder.parents):
        try:
            room = os.statvfs(place)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return room.f_bavail * room.f_frsize if room.f_blocks else None
    return None


def _size(count: int) -> str:
    return (
        f"{count / 1e6:,.0f} MB" if count >= 10**7 else f"{count / 1e6:.1f} MB" if count >= 10**5 else f"{count / 1e3:.0f} kB"
    )
