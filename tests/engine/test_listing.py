"""The list of a folder's checkpoints that is kept up to date: it reads what has changed, and nothing else."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.catalog import CheckpointStatus, SimulationInfo, list_checkpoints
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.listing import CheckpointListing
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.errors import StorageError
from tests.tui.screen import outage, simulation


def saved(folder: Path) -> Path:
    """The checkpoint of a run that was quit at slot 2."""
    run = simulation(folder, venue=outage(2))
    asyncio.run(run.run(PolicyDecider(RecoveryAction.QUIT)))
    run.close()
    return folder / f"{run.id}.sqlite"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read."""
    names: list[str] = []
    described = StatePersistence.described

    def noted(self: StatePersistence, path: Path) -> list[SimulationInfo]:
        names.append(path.name)
        return described(self, path)

    monkeypatch.setattr(StatePersistence, "described", noted)
    return names


def test_it_says_what_the_plain_list_says(tmp_path: Path) -> None:
    path = saved(tmp_path)
    shutil.copy(path, tmp_path / "copy.sqlite")
    (tmp_path / "other.sqlite").write_bytes(b"hello" * 1000)
    (tmp_path / "no id!.sqlite").write_bytes(b"")
    (tmp_path / "folder.sqlite").mkdir()
    (tmp_path / "link.sqlite").symlink_to(path)
    assert CheckpointListing(tmp_path).look() == list_checkpoints(tmp_path)


def test_it_says_what_a_run_is_made_of(tmp_path: Path) -> None:
    saved(tmp_path)
    (info,) = CheckpointListing(tmp_path).look()
    assert (info.accounts, info.markets, info.seed) == (4, 2, 1)


def test_nothing_is_read_again_that_has_not_changed(tmp_path: Path, read: list[str]) -> None:
    saved(tmp_path)
    listing = CheckpointListing(tmp_path)
    first = listing.look()
    read.clear()
    assert (listing.look(), read) == (first, [])


def test_what_has_changed_is_read_again(tmp_path: Path, read: list[str]) -> None:
    path = saved(tmp_path)
    shutil.copy(path, tmp_path / "copy.sqlite")
    listing = CheckpointListing(tmp_path)
    listing.look()
    read.clear()
    os.utime(path, ns=(1, 1))
    listing.look()
    assert read == [path.name]


def test_what_is_gone_is_listed_no_more(tmp_path: Path) -> None:
    path = saved(tmp_path)
    listing = CheckpointListing(tmp_path)
    listing.look()
    path.unlink()
    assert listing.look() == []


def test_a_look_reads_so_many_at_most_the_newest_first(tmp_path: Path) -> None:
    path = saved(tmp_path)
    for number in range(5):
        shutil.copy(path, copy := tmp_path / f"c{number}.sqlite")
        os.utime(copy, ns=(number, number))
    listing = CheckpointListing(tmp_path)
    assert {info.id for info in listing.look(2)} == {path.stem, "c4"}
    assert listing.unread == 4
    assert len(listing.look(4)) == 6
    assert listing.unread == 0


def test_a_checkpoint_that_this_process_writes_is_not_opened(tmp_path: Path, read: list[str]) -> None:
    async def script() -> None:
        task = asyncio.create_task(run.run(PolicyDecider(RecoveryAction.CONTINUE)))
        while run.stats.completed_slots < 2:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)
        run.pause()
        (info,) = CheckpointListing(tmp_path).look()
        assert (info.status, info.name, info.total_slots, info.markets) == (CheckpointStatus.RUNNING, "tiny", 8, 2)
        assert "this process" in info.reason
        run.stop()
        await task

    run = simulation(tmp_path, processor={"slots_per_second": 50})
    asyncio.run(script())
    assert read == []
    run.close()


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert CheckpointListing(tmp_path / "none").look() == []


def test_a_folder_that_cannot_be_read_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be listed"):
        CheckpointListing(tmp_path / "file").look()
