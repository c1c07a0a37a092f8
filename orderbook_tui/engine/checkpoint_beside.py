"""Reading a checkpoint that this process writes, from any thread, while its run goes on."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from orderbook_tui.engine.checkpoint_file import TURN, explained, writer_of
from orderbook_tui.errors import CheckpointInUse


@contextmanager
def reading_beside_writer(path: Path) -> Iterator[apsw.Connection]:
    """Open a copy, in memory, of the checkpoint at `path` as it is after a commit; the run waits only while it is made.

    Raises:
        CheckpointInUse: it has just been closed.
    """
    with explained(path), closing(apsw.Connection(":memory:")) as copy:
        with TURN:
            writer = writer_of(path)
            if writer is None:
                raise CheckpointInUse(f"{path} has just been closed: try again")
            with copy.backup("main", writer, "main") as pages:
                pages.step(-1)
        yield copy
