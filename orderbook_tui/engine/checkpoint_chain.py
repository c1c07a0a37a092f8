"""Digests: how a reader knows that a plan and a journal are, to the last column, what was written, in the order of writing.

    plan       rows of each table -> digest of each table -> digest of these, 32 bytes    plan.digest
    journal    link before, rows of a commit -> digest of both, 16 bytes                  chain of the commit's last row

The first link follows the plan's digest, so a journal belongs to its plan; intents and opening balances have chains of their
own, which begin there too. A row is hashed as a MessagePack array of its columns, with `chain` NULL and without `digest`; one
of a chain has the place of its table in `CHAINED` in front, and the columns that the file's version has. A commit is an array
of such rows in their order, a table of the plan one array for every 10,000. The digest is BLAKE2b, which for so few bytes
takes half of SHA-256's time.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

import msgspec

from orderbook_tui.engine.checkpoint_schema import PLAN_TABLES

Row = tuple[Any, ...]

PIECE: Final = 10_000
"""Rows of a plan that are hashed together, and rows between two reports of how far reading has come: some 20 ms of work."""
LINK_BYTES: Final = 16
PLAN_BYTES: Final = 32
_packed: Final = msgspec.msgpack.Encoder().encode


def link(before: bytes, rows: Sequence[Row]) -> bytes:
    """Return the link of a commit of `rows`, the first of which follows `before`.

    Raises:
        UnicodeEncodeError, OverflowError, TypeError: a value is none that a column can hold.
    """
    return blake2b(before + _packed(rows), digest_size=LINK_BYTES).digest()


class PlanDigest:
    """Adds up to the digest of a plan, while its rows go by on their way into the file or out of it."""

    def __init__(self) -> None:
        self._tables = {table: blake2b(digest_size=PLAN_BYTES) for table in PLAN_TABLES}

    def pieces(self, table: str, rows: Iterable[Row]) -> Iterator[list[Row]]:
        """Yield all rows of a table, in order, piece by piece."""
        add, left = self._tables[table].update, iter(rows)
        while piece := list(islice(left, PIECE)):
            add(_packed(piece))
            yield piece

    def through(self, table: str, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield all rows of a table, in order."""
        for piece in self.pieces(table, rows):
            yield from piece

    def digest(self) -> bytes:
        """Return the digest of all tables."""
        return blake2b(b"".join(table.digest() for table in self._tables.values()), digest_size=PLAN_BYTES).digest()


class ChainCheck:
    """Follows a chain along its rows; `link` is the last that was found right."""

    def __init__(self, start: bytes) -> None:
        self.link = start
        self.links = 0
        self._since: list[Row] = []

    @property
    def is_whole(self) -> bool:
        """Whether the row that came last has a link."""
        return not self._since

    def first_misfit(self, rows: Sequence[Row], linked: Iterable[int]) -> Row | None:
        """Take the next rows, of which those in the places `linked` have a link; return the first whose link is wrong."""
        start = 0
        for place in linked:
            last = rows[place]
            commit = [*self._since, *rows[start:place], (*last[:-1], None)]
            expected = link(self.link, commit)
            if last[-1] != expected:
                return last
            self.link, start = expected, place + 1
            self.links += 1
            self._since.clear()
        self._since += rows[start:]
        return None
