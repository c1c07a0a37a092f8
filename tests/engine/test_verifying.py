"""Verifying a checkpoint: what is sound is said to be, what is not is named, and nothing is changed."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from orderbook_tui.engine import verifying
from orderbook_tui.engine.guard import Guard, lock_of
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.verifying import Verified, verify
from orderbook_tui.errors import CheckpointNotFound
from tests.engine.checkpoints import contents, file_of
from tests.engine.runs import ByAttempts, finished, taken_up
from tests.engine.test_checkpoint_damage import spoil
from tests.engine.test_fork import MIXED, RESTING, interrupted

NAMES = ["pages", "plan", "journal", "progress", "budgets", "invariants", "views", "saved"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    return file_of(folder, finished(folder, ByAttempts(), **MIXED).id)


@pytest.fixture
def file(tmp_path: Path, sound: Path) -> Path:
    return Path(shutil.copy(sound, file_of(tmp_path, "run")))


def wrong(file: Path) -> dict[str, str]:
    """What verifying finds wrong with a file, which stays as it is."""
    before = contents(file.parent)
    found = verify(file.parent, "run")
    assert contents(file.parent) == before
    return {check.name: check.words for check in found.wrong}


def names(found: Verified) -> list[str]:
    return [check.name for check in found.checks]


@pytest.mark.parametrize("sections", [MIXED, RESTING], ids=["mixed", "resting"])
def test_a_finished_and_an_interrupted_run_are_sound(tmp_path: Path, sections: dict[str, Any]) -> None:
    for simulation in (finished(tmp_path, ByAttempts(), **sections), interrupted(tmp_path, **sections)):
        before = contents(tmp_path)
        found = verify(tmp_path, simulation.id)
        assert (found.wrong, names(found)) == ((), NAMES)
        assert contents(tmp_path) == before


def test_a_run_is_verified_while_it_goes_on(tmp_path: Path) -> None:
    simulation = interrupted(tmp_path)
    again = taken_up(tmp_path, simulation)
    assert verify(tmp_path, simulation.id).wrong == ()
    again.close()


def test_told_how_far_it_is_it_never_falls_back(file: Path) -> None:
    heard: list[float] = []
    verify(file.parent, "run", heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


@pytest.mark.parametrize(
    ("sql", "name", "words"),
    [
        ("UPDATE plan_slots SET price = price + 1 WHERE sequence = 3", "journal", "its plan is not what was written"),
        ("UPDATE attempts SET ended = ended + 1 WHERE n = 0", "journal", "its chain is broken"),
        ("UPDATE budget_snapshot SET spent = spent + 1", "budgets", "was noted"),
        ("UPDATE progress SET completed = completed - 1", "progress", "were noted"),
        ("DROP TRIGGER attempts_delete", "file", "its tables"),
    ],
)
def test_what_is_wrong_is_named(file: Path, sql: str, name: str, words: str) -> None:
    spoil(file, sql)
    found = wrong(file)
    assert list(found) == [name]
    assert words in found[name]


def test_a_page_that_is_not_what_was_written_is_told_also_where_nothing_reads_it(file: Path) -> None:
    whole = file.read_bytes()
    for place in range(1024 + 500, len(whole), 1024):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        assert wrong(file)


def test_views_that_say_something_else_are_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "undressed", lambda value: "x" if value == "Completed" else value)
    assert "but the view says" in wrong(file)["views"]


def test_views_of_a_long_run_are_not_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "MOST_SLOTS_OF_VIEWS", 3)
    (views,) = (check for check in verify(file.parent, "run").checks if check.name == "views")
    assert (views.holds, "not read" in views.words) == (True, True)


def test_records_that_were_reported_saved_and_are_not_there_are_told(tmp_path: Path) -> None:
    simulation = interrupted(tmp_path)
    guard = Guard.take(lock_of(file_of(tmp_path, simulation.id)))
    guard.acknowledge(10_000)
    guard.abandon()
    (check,) = verify(tmp_path, simulation.id).wrong
    assert check.name == "saved"
    assert "reported saved are not in the file" in check.words


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(CheckpointNotFound):
        verify(tmp_path, "run")


def test_a_journal_without_its_last_link_is_told(file: Path) -> None:
    last = len(StatePersistence(file.parent).read("run").journal)
    for table in ("attempts", "fills", "cancels", "decisions"):
        spoil(file, f"UPDATE {table} SET chain = NULL WHERE n = {last - 1}")
    assert "has no link" in wrong(file)["journal"]
