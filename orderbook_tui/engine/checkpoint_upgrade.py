"""From a checkpoint of an earlier format to one of today's, in its place: a crash leaves the one or the other.

old file -> its rows, with digest and chain -> <id>.sqlite-new -> read back and compared -> fsync -> <id>.sqlite
"""

from contextlib import closing
from pathlib import Path

import apsw
import msgspec

from orderbook_tui.engine.checkpoint_chain import PIECE, PlanDigest, Row
from orderbook_tui.engine.checkpoint_file import check_ours, explained, opened, reading
from orderbook_tui.engine.checkpoint_journal import count_events
from orderbook_tui.engine.checkpoint_plan import insert, insert_plan, making_tables, whole
from orderbook_tui.engine.checkpoint_reader import Checkpoint, noted_otherwise, read_checkpoint
from orderbook_tui.engine.checkpoint_rows import INTENTS, RowInserter
from orderbook_tui.engine.checkpoint_schema import CHAINED, JOURNAL_TABLES, PLAN_TABLES
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
    """Write every row of `source` to `target`; those of version 1 have no digest and no links, which are made anew anyway."""
    execute, written, has_links = source.execute, PlanDigest(), source.pragma("user_version") > 1
    for table in PLAN_TABLES:
        if table != "plan":
            insert(target, table, written.through(table, execute(f"SELECT * FROM {table} ORDER BY 1")))
    (about,) = execute("SELECT * FROM plan").fetchall()
    link = meant = insert_plan(target, about[:-1] if has_links else about, written)
    inserter = RowInserter(target)
    for start in range(0, count_events(source), PIECE):
        rows: list[Row] = []
        for table in JOURNAL_TABLES:
            found = execute(f"SELECT {CHAINED.index(table)}, * FROM {table} WHERE n >= ? AND n < ?", (start, start + PIECE))
            # What a venue calls an execution came with version 3.
            new = (None, None) if table == "fills" else (None,)
            rows += [(*(row[:-1] if has_links else row), *new) for row in found]
        link = inserter.insert(sorted(rows, key=lambda row: row[1]), link)
    # When those of version 1 were written is not known.
    at = "at" if has_links else "0"
    intents = execute(f"SELECT slot, number, client_order_id, {at} FROM intents ORDER BY place").fetchall()
    if intents:
        inserter.insert([(INTENTS, place, *intent, None) for place, intent in enumerate(intents)], meant)
    insert(target, "progress", execute("SELECT * FROM progress"))
    if has_links or not noted_otherwise(source):
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
        checkpoint.generations,
        checkpoint.snapshot,
    )
