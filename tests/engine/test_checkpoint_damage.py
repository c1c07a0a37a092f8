"""Files that are not what was written: each gets a clear answer, and none is touched."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import apsw
import pytest

from orderbook_tui.core.journal import Balance
from orderbook_tui.engine.checkpoint_file import checksums
from orderbook_tui.engine.checkpoint_schema import CHAINED, JOURNAL_TABLES, PLAN_TABLES, SCHEMA, USER_VERSION
from orderbook_tui.engine.persistence import CheckpointStatus, Intent, StatePersistence
from orderbook_tui.errors import (
    CheckpointDamaged,
    CheckpointError,
    CheckpointNotFound,
    CheckpointTooNew,
)
from tests.damage.damage import Damaged, cuts, flips
from tests.damage.sound import left_behind
from tests.engine.checkpoints import a_fresh_run, a_played_run, contents, file_of, forge, saved

ID = "run"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished checkpoint of a played run, each slot of which was saved, with orders that were about to be placed, and what
    accounts held before."""
    folder = tmp_path_factory.mktemp("sound")
    played = a_played_run()
    id = saved(folder, played, group=1)  # noqa: A001
    with StatePersistence(folder).resume(id, group=1)[1] as writer:
        writer.note_balances([Balance("a", "USD", 5, 0), Balance("a", "BTC", 10**30, -1), Balance("\ud800", "USD", 7, 8)])
        writer.intend(played.state.journal, [Intent(0, 1, "run-0-0", 5)])
        writer.intend(played.state.journal, [Intent(1, 1, "run-1-0", 6), Intent(2, 1, "run-2-0", 7)])
        writer.finish(played.state.journal, played.budgets)
    return file_of(folder, id)


@pytest.fixture
def file(tmp_path: Path, sound: Path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copy(sound, file_of(tmp_path, ID)))


def status(file: Path) -> CheckpointStatus:
    (info,) = StatePersistence(file.parent).list_simulations()
    return info.status


def refused(file: Path, kind: type[CheckpointError], words: str) -> None:
    """Reading and resuming are refused with these words; nothing changes."""
    before = contents(file.parent)
    persistence = StatePersistence(file.parent)
    with pytest.raises(kind, match=words) as told:
        persistence.load(ID)
    assert str(file) in str(told.value)
    with pytest.raises(kind, match=words):
        persistence.resume(ID, group=1)
    persistence.list_simulations()
    assert contents(file.parent) == before


def spoil(file: Path, sql: str, values: tuple[Any, ...] = (), *, forged: bool = False) -> None:
    """Change a file so that only its content is wrong: every page has the right checksum.

    Where it is `forged`, digest and chain are those of what is there then.
    """
    with closing(apsw.Connection(str(file), vfs=checksums())) as connection:
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        connection.execute("PRAGMA ignore_check_constraints = 1").fetchall()
        connection.execute(sql, values or None).fetchall()
        if forged:
            forge(connection)


@pytest.mark.parametrize(
    "text", [b"\0", b"x" * 100, b"SQLite format 3\0", os.urandom(5000)], ids=["nul", "xs", "head", "random"]
)
def test_bytes_that_are_no_database_are_damaged(file: Path, text: bytes) -> None:
    file.write_bytes(text)
    refused(file, CheckpointDamaged, "damaged|not a checkpoint")


def test_an_empty_file_is_no_checkpoint(file: Path) -> None:
    file.write_bytes(b"")
    refused(file, CheckpointDamaged, "not a checkpoint")
    assert status(file) is CheckpointStatus.FOREIGN


@pytest.fixture(scope="module", params=["killed", "elsewhere"])
def damaged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    """What a killed process left: a file, its write-ahead journal and its guard."""
    return Damaged(left_behind(request.param, tmp_path_factory.mktemp("killed")), tmp_path_factory.mktemp("damaged"))


def test_a_file_cut_in_its_last_page_is_harmless_or_told(damaged: Damaged) -> None:
    outcomes = {str(cut): damaged.outcome(cut) for cut in islice(cuts(damaged.sound), 0, None, 97)}
    assert {cut: outcome for cut, outcome in outcomes.items() if outcome not in ("harmless", "told")} == {}
    assert list(outcomes.values()).count("told") > 10


def test_any_flipped_bit_is_harmless_or_told(damaged: Damaged) -> None:
    outcomes = {str(flip): damaged.outcome(flip) for flip in flips(damaged.sound, 60)}
    assert {flip: outcome for flip, outcome in outcomes.items() if outcome not in ("harmless", "told")} == {}
    assert list(outcomes.values()).count("told") > 30


def test_a_foreign_database_is_said_to_be_one_and_not_deleted(tmp_path: Path) -> None:
    file = file_of(tmp_path, ID)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE plan(name)")
    refused(file, CheckpointDamaged, "not a checkpoint of this program")
    assert status(file) is CheckpointStatus.FOREIGN
    with pytest.raises(CheckpointDamaged):
        StatePersistence(tmp_path).delete(ID)
    assert file.exists()


def test_a_file_of_a_later_version_is_said_to_be_one(file: Path) -> None:
    spoil(file, f"PRAGMA user_version = {USER_VERSION + 1}")
    refused(file, CheckpointTooNew, "later version")
    assert status(file) is CheckpointStatus.TOO_NEW


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.symlink_to("/etc/passwd"), "is a link"),
        (lambda path: path.symlink_to("nowhere"), "is a link"),
        (os.mkfifo, "no ordinary file"),
    ],
)
def test_what_is_no_file_is_said_to_be_none(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    make(file_of(tmp_path, ID))
    refused(file_of(tmp_path, ID), CheckpointDamaged, words)
    (info,) = StatePersistence(tmp_path).list_simulations()
    assert (info.status, words in info.reason) == (CheckpointStatus.FOREIGN, True)


def test_a_link_in_the_place_of_the_guard_is_not_followed(file: Path) -> None:
    target = file.parent / "target"
    file.with_suffix(".lock").symlink_to(target)
    with pytest.raises(CheckpointError, match="cannot be locked"):
        StatePersistence(file.parent).resume(ID, group=1)
    assert not target.exists()


@pytest.mark.parametrize("suffix", ["-wal", "-journal", "-shm"])
@pytest.mark.parametrize("make", [lambda path: path.symlink_to("target"), lambda path: path.mkdir(), os.mkfifo])
def test_what_sqlite_would_take_for_its_journal_is_not_followed(file: Path, suffix: str, make: Callable[[Path], None]) -> None:
    make(file.with_name(file.name + suffix))
    refused(file, CheckpointDamaged, "is a link|is a folder|no ordinary file")
    assert not (file.parent / "target").exists()
    assert status(file) is CheckpointStatus.DAMAGED


@pytest.mark.parametrize("reserved", [0, 7, 9])
def test_a_file_whose_page_checksums_were_turned_off_is_damaged(file: Path, reserved: int) -> None:
    whole = bytearray(file.read_bytes())
    whole[20] = reserved
    file.write_bytes(whole)
    refused(file, CheckpointDamaged, "damaged")


def test_a_file_with_a_name_that_is_no_id_is_listed_as_such(file: Path) -> None:
    file.rename(file.with_name("no id.sqlite"))
    (info,) = StatePersistence(file.parent).list_simulations()
    assert (info.status, "no id of a simulation" in info.reason) == (CheckpointStatus.FOREIGN, True)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE attempts SET slot = 40 WHERE n = 0", "there are 40"),
        ("UPDATE attempts SET slot = 9223372036854775807 WHERE n = 0", "there are 40"),
        ("UPDATE attempts SET slot = -1 WHERE n = 0", "there are 40"),
        ("UPDATE attempts SET number = 9 WHERE n = 0", "attempt 9 of slot 0"),
        ("UPDATE fills SET taker = 40", "there are 40"),
        ("UPDATE fills SET quantity = 9223372036854775807", "are open"),
        ("UPDATE fills SET price = 9223372036854775807", "has .* locked"),
        ("UPDATE fills SET maker = -2, taker = -2", "neither side"),
        ("UPDATE decisions SET slot = 0", "slot 0 is"),
        ("UPDATE decisions SET action = 'dance'", "cannot be read"),
        ("UPDATE attempts SET kind = 'odd', code = 'x', message = '' WHERE n = 0", "cannot be read"),
        ("UPDATE cancels SET slot = slot + 2", "nothing open|places? slot|tries slot|are open"),
        ("DELETE FROM attempts WHERE n = 0", "events long"),
        ("UPDATE progress SET events = 9", "were counted"),
        ("DELETE FROM accounts", "cannot be read"),
        ("DELETE FROM progress", "cannot be read"),
        ("DELETE FROM plan_slots WHERE sequence = 39", "40 slots were planned"),
        ("UPDATE plan_slots SET sequence = 99 WHERE sequence = 39", "40 slots were planned"),
        ("UPDATE plan_slots SET market = 7", "cannot be read"),
        ("UPDATE plan_slots SET strategy = -9", "cannot be read"),
        ("UPDATE plan SET total_slots = 9223372036854775807", "slots were planned"),
        ("UPDATE markets SET tick_size = 'NaN'", "cannot be read"),
        ("UPDATE markets SET tick_size = '1e999999'", "cannot be read"),
        ("UPDATE markets SET base_per_lot = 5", "other units"),
        ("UPDATE plan_budgets SET initial = 1", "available"),
        ("UPDATE budget_snapshot SET spent = spent + 1", "was noted"),
        ("UPDATE opening_balances SET locked = CAST('sx' AS BLOB)", "opening balance is none"),
        ("UPDATE opening_balances SET account = CAST('i0x1' AS BLOB)", "opening balance is none"),
        ("DELETE FROM opening_balances WHERE place = 1", "its last opening balance has the place 2, but 2 of them"),
    ],
)
def test_rows_that_no_run_could_have_left_are_damage_also_where_they_are_forged(file: Path, sql: str, words: str) -> None:
    spoil(file, sql, forged=True)
    before = contents(file.parent)
    with pytest.raises(CheckpointDamaged, match=words):
        StatePersistence(file.parent).load(ID)
    assert contents(file.parent) == before


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM plan", "cannot be read"),
        ("DROP VIEW ledger", "its tables"),
        ("ALTER TABLE fills ADD COLUMN x INT", "its tables"),
        ("CREATE TABLE more(x)", "its tables"),
        ("CREATE UNIQUE INDEX more ON attempts(slot, number)", "its tables"),
        ("CREATE TRIGGER t AFTER INSERT ON attempts BEGIN DELETE FROM attempts; END", "its tables"),
        ("DROP TRIGGER attempts_update", "its tables"),
    ],
)
def test_tables_that_are_not_ours_are_damage(file: Path, sql: str, words: str) -> None:
    spoil(file, sql)
    refused(file, CheckpointDamaged, words)


def another(value: object, column: str) -> object:
    """A value that a column with this one could hold as well."""
    if value is None:
        return {"chain": b"x" * 16, "kind": "unknown"}.get(column, "1")
    if isinstance(value, str):
        return {"gtc": "ioc", "any": "match_with", "active": "inactive", "retry": "skip"}.get(value, value + "0")
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    assert isinstance(value, int)
    return value + 1_000_000


COLUMNS = [
    (table, str(column))
    for table in (*PLAN_TABLES, *CHAINED)
    for (column,) in apsw.Connection(":memory:").execute(SCHEMA + f"SELECT name FROM pragma_table_info('{table}')")
]


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda word: word)
def test_any_column_of_plan_and_journal_that_is_changed_is_told(file: Path, table: str, column: str) -> None:
    """In the first row, and in the last."""
    for end in ("min", "max"):
        shutil.copy(file, file_of(file.parent, "copy"))
        with closing(apsw.Connection(str(file), vfs=checksums())) as connection:
            ((row, value),) = connection.execute(
                f"SELECT rowid, {column} FROM {table} WHERE rowid = (SELECT {end}(rowid) FROM {table})"
            )
        spoil(file, f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (another(value, column), row))
        with pytest.raises(CheckpointDamaged):
            StatePersistence(file.parent).load(ID)
        with pytest.raises(CheckpointDamaged):
            StatePersistence(file.parent).resume(ID, group=1)
        file_of(file.parent, "copy").replace(file)
    StatePersistence(file.parent).load(ID)


@pytest.mark.parametrize("table", ["accounts", "plan_slots", "attempts", "decisions", "intents", "opening_balances"])
def test_two_rows_that_changed_places_are_told(file: Path, table: str) -> None:
    with closing(apsw.Connection(str(file), vfs=checksums())) as connection:
        (first,), (second,) = connection.execute(f"SELECT rowid FROM {table} LIMIT 2")
    spoil(
        file,
        f"UPDATE {table} SET rowid = -1 WHERE rowid = {first}; UPDATE {table} SET rowid = {first} WHERE rowid = {second}; "
        f"UPDATE {table} SET rowid = {second} WHERE rowid = -1",
    )
    with pytest.raises(CheckpointDamaged):
        StatePersistence(file.parent).load(ID)


def test_a_commit_that_was_taken_from_the_middle_is_told(file: Path) -> None:
    closed_up = "".join(f"UPDATE {table} SET n = n - 1 WHERE n > 20;" for table in JOURNAL_TABLES)
    spoil(file, "".join(f"DELETE FROM {table} WHERE n = 20;" for table in JOURNAL_TABLES) + closed_up)
    spoil(file, "UPDATE progress SET events = events - 1; DELETE FROM budget_snapshot")
    refused(file, CheckpointDamaged, "its chain is broken there")


def test_an_end_that_was_cut_off_is_told_by_what_was_counted(file: Path) -> None:
    last = len(StatePersistence(file.parent).read(ID).journal) - 1
    spoil(file, "".join(f"DELETE FROM {table} WHERE n = {last};" for table in JOURNAL_TABLES))
    refused(file, CheckpointDamaged, "were counted|has no link")


def test_an_opening_balance_that_was_cut_off_is_told(file: Path) -> None:
    spoil(file, "DELETE FROM opening_balances WHERE place = 2")
    refused(file, CheckpointDamaged, "its last opening balance has no link")


def test_the_journal_of_another_plan_is_told(file: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("other")
    other = file_of(folder, saved(folder, a_played_run(seed=2)))
    with closing(apsw.Connection(str(other), vfs=checksums())) as connection:
        rows = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in JOURNAL_TABLES}
    spoil(file, "".join(f"DELETE FROM {table};" for table in JOURNAL_TABLES))
    with closing(apsw.Connection(str(file), vfs=checksums())) as connection:
        for table, those in rows.items():
            connection.executemany(f"INSERT INTO {table} VALUES({','.join('?' * len(those[0]))})", those)
    refused(file, CheckpointDamaged, "its chain is broken there")


@pytest.mark.parametrize(
    "sql",
    [f"{change} {table}" for table in CHAINED for change in ("DELETE FROM",)]
    + [f"UPDATE {table} SET {column} = {column}" for table, column in COLUMNS],
)
def test_any_other_program_is_told_that_what_is_written_stays(file: Path, sql: str) -> None:
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as connection,
        pytest.raises(sqlite3.IntegrityError, match=r"the plan never changes|the journal is only ever appended to"),
    ):
        connection.execute(sql)


def test_a_damaged_file_is_listed_and_may_be_deleted(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])
    assert status(file) is CheckpointStatus.DAMAGED
    StatePersistence(file.parent).delete(ID)
    with pytest.raises(CheckpointNotFound):
        StatePersistence(file.parent).read(ID)


def test_a_change_by_hand_with_a_plain_sqlite_is_told(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("UPDATE progress SET failed = failed + 1")
    refused(file, CheckpointDamaged, "a page is not what was written")


def test_what_was_left_half_made_is_no_checkpoint_and_is_swept(tmp_path: Path) -> None:
    half = tmp_path / "half.sqlite-new"
    half.write_bytes(b"SQLite format 3\0")
    assert StatePersistence(tmp_path).list_simulations() == []
    StatePersistence(tmp_path).create(a_fresh_run(), group=1).close()
    assert not half.exists()
