"""Files that are not what was written: each gets a clear answer, and none is touched."""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from orderbook_tui.engine.checkpoint_file import checksums
from orderbook_tui.engine.persistence import CheckpointStatus, StatePersistence
from orderbook_tui.errors import (
    CheckpointDamaged,
    CheckpointError,
    CheckpointNotFound,
    CheckpointTooNew,
)
from tests.engine.checkpoints import a_fresh_run, a_played_run, contents, file_of, saved

ID = "run"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished checkpoint of a played run."""
    folder = tmp_path_factory.mktemp("sound")
    return file_of(folder, saved(folder, a_played_run()))


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


def spoil(file: Path, sql: str) -> None:
    """Change a file so that only its content is wrong: every page has the right checksum."""
    with closing(apsw.Connection(str(file), vfs=checksums())) as connection:
        connection.execute("PRAGMA ignore_check_constraints = 1").fetchall()
        connection.execute(sql).fetchall()


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


def test_a_file_cut_anywhere_is_damaged(file: Path, sound: Path) -> None:
    whole = sound.read_bytes()
    for size in range(1, len(whole), 997):
        file.write_bytes(whole[:size])
        with pytest.raises(CheckpointDamaged):
            StatePersistence(file.parent).load(ID)
        assert file.read_bytes() == whole[:size]


def test_any_flipped_bit_is_harmless_or_told(file: Path, sound: Path) -> None:
    whole, draw = sound.read_bytes(), random.Random(1)
    expected = StatePersistence(sound.parent).read(sound.stem)
    told = 0
    for _ in range(200):
        spoiled = bytearray(whole)
        spoiled[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        file.write_bytes(spoiled)
        try:
            found = StatePersistence(file.parent).read(ID)
            assert (found.plan, found.slots, found.journal) == (expected.plan, expected.slots, expected.journal)
        except CheckpointError:
            told += 1
    assert told > 100


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
    spoil(file, "PRAGMA user_version = 2")
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
        ("DELETE FROM plan", "cannot be read"),
        ("DELETE FROM progress", "cannot be read"),
        ("DELETE FROM accounts", "cannot be read"),
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
        ("DROP VIEW ledger", "its tables"),
        ("ALTER TABLE fills ADD COLUMN x INT", "its tables"),
        ("CREATE TRIGGER t AFTER INSERT ON attempts BEGIN DELETE FROM attempts; END", "its tables"),
    ],
)
def test_rows_that_no_run_could_have_left_are_damage(file: Path, sql: str, words: str) -> None:
    spoil(file, sql)
    before = contents(file.parent)
    with pytest.raises(CheckpointDamaged, match=words):
        StatePersistence(file.parent).load(ID)
    assert contents(file.parent) == before


def test_a_damaged_file_is_listed_and_may_be_deleted(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])
    assert status(file) is CheckpointStatus.DAMAGED
    StatePersistence(file.parent).delete(ID)
    with pytest.raises(CheckpointNotFound):
        StatePersistence(file.parent).read(ID)


def test_a_change_by_hand_with_a_plain_sqlite_is_told(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("UPDATE attempts SET ended = ended + 1")
    refused(file, CheckpointDamaged, "a page is not what was written")


def test_what_was_left_half_made_is_no_checkpoint_and_is_swept(tmp_path: Path) -> None:
    half = tmp_path / "half.sqlite-new"
    half.write_bytes(b"SQLite format 3\0")
    assert StatePersistence(tmp_path).list_simulations() == []
    StatePersistence(tmp_path).create(a_fresh_run(), group=1).close()
    assert not half.exists()
