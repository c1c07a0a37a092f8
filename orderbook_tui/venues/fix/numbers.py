"""Sequence numbers of a FIX session, kept beside the checkpoint; and nothing else is.

    <folder>/<names>.numbers      next number to send, next number expected

No message is kept. So a counterparty that misses some of ours and asks for them again gets a gap fill: an order that was lost
on the way never comes back from the dead, and a password is in no file.

A file that a process left behind may be a little behind. What it says of ours is therefore reserved ahead: numbers may be
left out, which costs a gap fill, and none is used twice. What was expected is read with some steps back: reports that came, and
may not have got as far as the checkpoint, are sent again; each is settled once.
"""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fixcore.store.base import MessageStore

RESERVED: Final = 1_024
"""How many numbers are reserved at a time."""
STEPS_BACK: Final = 1_000
"""How many of the messages received last are asked for again by a later life."""
_NOTED_EVERY: Final = 64
_SUFFIX: Final = ".numbers"
_LONGEST_NAME: Final = 200


class NumberStore(MessageStore):
    """The numbers of one session, in a file, or in memory alone where `path` is None.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: it holds something else.
    """

    def __init__(self, path: Path | None) -> None:
        self._sender = self._target = 1
        self._reserved = 0
        self._created = datetime.now(tz=UTC)
        self._file: int | None = None
        if path is not None:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                self._read(os.pread(self._file, 100, 0))
            except BaseException:
                self.close()
                raise

    def _read(self, line: bytes) -> None:
        if line:
            sender, target = map(int, line.split())
            if sender < 1 or target < 1:
                raise ValueError(f"{line!r} are no sequence numbers")
            self._sender = self._reserved = sender
            # The first is the Logon's, of which there is no other.
            self._target = max(target - STEPS_BACK, min(target, 2))

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever received under these numbers, so that nothing is lost by beginning anew."""
        return self._target == 1

    def get(self, begin_seq: int, end_seq: int) -> list[bytes]:
        return []

    def set(self, seq_num: int, message: bytes) -> None:
        pass

    def next_sender_msg_seq_num(self) -> int:
        return self._sender

    def next_target_msg_seq_num(self) -> int:
        return self._target

    def incr_next_sender_msg_seq_num(self) -> None:
        self.set_next_sender_msg_seq_num(self._sender + 1)

    def incr_next_target_msg_seq_num(self) -> None:
        self._target += 1
        if self._target % _NOTED_EVERY == 0 or self._target == 2:
            self._note()

    def set_next_sender_msg_seq_num(self, seq_num: int) -> None:
        self._sender = seq_num
        if seq_num >= self._reserved:
            self._reserved = seq_num + RESERVED
            self._note(durably=True)

    def set_next_target_msg_seq_num(self, seq_num: int) -> None:
        self._target = seq_num
        self._note()

    def get_creation_time(self) -> datetime:
        return self._created

    def set_creation_time(self, when: datetime) -> None:
        self._created = when

    def reset(self) -> None:
        self._sender = self._target = 1
        self._reserved = RESERVED
        self._note(durably=True)

    def refresh(self) -> None:
        """There is nobody else who writes it."""

    def close(self) -> None:
        """Note where it stands, and let go of the file."""
        if self._file is not None:
            if self._reserved:
                self._reserved = self._sender
                self._note()
            os.close(self._file)
            self._file = None

    def _note(self, *, durably: bool = False) -> None:
        if self._file is not None:
            os.pwrite(self._file, b"%020d %020d\n" % (self._reserved, self._target), 0)
            if durably:
                os.fdatasync(self._file)


def path_in(folder: Path, version: str, sender: str, target: str) -> Path:
    """Return the file of a session's numbers, by the names that the config has for it."""
    names = "_".join(quote(name, safe="") for name in (version, sender, target))
    if len(names) > _LONGEST_NAME:
        names = hashlib.sha256(names.encode()).hexdigest()
    return folder / f"{names}{_SUFFIX}"
