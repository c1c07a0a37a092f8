"""From a checkpoint of an earlier format to one of today's, in its place: a crash leaves the one or the other.

old file -> its rows, with digest and chain -> <id>.sqlite-new -> read back and compared -> fsync -> <id>.sqlite
"""

from contextlib import closing
from pathlib import Path

import apsw
import msgspec

from orderbook_tui.engine.checkpoint_chain import CHAINED, PIECE, PlanDigest, Row
from orderbook_tui.engine.checkpoint_file import check_ours, explained, opened, reading
from orderbook_tui.engine.checkpoint_journal import count_events
from orderbook_tui.engine.checkpoint_plan import insert, insert_plan, making_tables, whole
from orderbook_tui.engine.checkpoint_reader import Checkpoint, noted_otherwise, read_checkpoint
from orderbook_tui.engine.checkpoint_rows import INTENTS, RowInserter
from orderbook_tui.engine.checkpoint_schema import JOURNAL_TABLES, PLAN_TABLES
from orderbook_tui.engine.progress import Told
from orderbook_tui.errors import CheckpointError


def upgraded(old: Checkpoint, told: Told) -> Checkpoint:
    """Write `old`, whose guard is held, in today's format, and return what was written. `told` hears how far it is.

    Raises:
        CheckpointError: what was written did not read the same.
        CheckpointInUse, StorageError: it cannot be written. Where anything fails, the old file stays as it is.
    """
    path = old.path
    with explained(path):
        _fold(path)
        with whole(path) as making:
            with reading(path, in_use_elsewhere=False) as source, making_tables(making) as target:
                _copy(source, target)
            with closing(opened(making, apsw.SQLITE_OPEN_READONLY)) as written:
                check_ours(written, making)
                new = msgspec.structs.replace(read_checkpoint(written, making, told), id=old.id, path=path)
            if _facts(new) != _facts(old):
                raise CheckpointError(f"{path} could not be brought to today's format: it was left as it is")
    return new


def _fold(path: Path) -> None:
    """Put what lies in a write-ahead journal into the file: it must not be there when another file takes its place."""
    with closing(opened(path, apsw.SQLITE_OPEN_READWRITE)) as connection:
        connection.pragma("journal_mode", "DELETE")


def _copy(source: apsw.Connection, target: apsw.Connection) -> None:
    """Write every row of `source` to `target`."""
    execute, written = source.execute, PlanDigest()
    for table in PLAN_TABLES:
        if table != "plan":
            insert(target, table, written.through(table, execute(f"SELECT * FROM {table} ORDER BY 1")))
    (about,) = execute("SELECT * FROM plan").fetchall()
    link = meant = insert_plan(target, about, written)
    inserter = RowInserter(target)
    for start in range(0, count_events(source), PIECE):
        rows: list[Row] = []
        for table in JOURNAL_TABLES:
            part = (start, start + PIECE)
            rows += execute(f"SELECT {CHAINED.index(table)}, *, NULL FROM {table} WHERE n >= ? AND n < ?", part)
        link = inserter.insert(sorted(rows, key=lambda row: row[1]), link)
    intents = execute("SELECT slot, number, client_order_id FROM intents ORDER BY place").fetchall()
    if intents:
        # When they were written is not known.
        inserter.insert([(INTENTS, place, *intent, 0, None) for place, intent in enumerate(intents)], meant)
    insert(target, "progress", execute("SELECT * FROM progress"))
    if not noted_otherwise(source):
        insert(target, "budget_snapshot", execute("SELECT * FROM budget_snapshot"))


def _facts(checkpoint: Checkpoint) -> tuple[object, ...]:
    """Return what one file must say as the other does."""
    return (
        checkpoint.plan,
        checkpoint.slots,
        checkpoint.journal,
        checkpoint.created_at,
        checkpoint.saved_at,
        checkpoint.finished,
        checkpoint.intents,
        checkpoint.snapshot,
    )
