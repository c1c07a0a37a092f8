"""Checkpoints of format version 1, as an earlier version of the program left them: read as they are, written anew to go on.

`version-1-finished` and `version-1-interrupted` are runs of one configuration; the latter was stopped after twelve records.
`version-1-intents` was killed while its slot 1 was being placed by `accepting`.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import apsw
import pytest

from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import state_hash
from orderbook_tui.engine import checkpoint_upgrade
from orderbook_tui.engine.checkpoint_schema import EARLIER, USER_VERSION
from orderbook_tui.engine.fork import fork_checkpoint
from orderbook_tui.engine.persistence import CheckpointStatus, Intent, StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.verifying import verify
from orderbook_tui.errors import CheckpointDamaged, CheckpointError, StorageError
from tests.engine.checkpoints import contents, file_of
from tests.engine.runs import ByAttempts, run
from tests.engine.test_checkpoint_damage import spoil

FILES = Path(__file__).with_name("files")
FINISHED, INTERRUPTED, INTENTS = "version-1-finished", "version-1-interrupted", "version-1-intents"
HASHES = {
    FINISHED: "c036077b32e99fa94fd3c80f6e99f74bbfca63ffd2d6e59a506d197a8f019d6d",
    INTERRUPTED: "9b123e6d42ea28dbb6f47505b91978e1bb4f643b808d511eb3127f6539406cf8",
    INTENTS: "1f94da3c40b661546e19f0d1d0911bf2699b7a6162f579d30ac2ada1dea45c80",
}
ALL = tuple(HASHES)


def accepting(slot: ActionSlot) -> str:
    """What `version-1-intents` places its orders with."""
    return f"order-{slot.sequence}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copies of the files that a test may write to."""
    for file in FILES.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path


def hash_of(folder: Path, simulation_id: str) -> str:
    replayed = StatePersistence(folder).read(simulation_id).replay()
    return state_hash(replayed.state, replayed.budgets)


def version_of(folder: Path, simulation_id: str) -> int:
    return StatePersistence(folder).read(simulation_id).version


def test_each_is_listed_with_how_far_it_has_come(folder: Path) -> None:
    listed = {info.id: (info.status, info.completed, info.skipped) for info in StatePersistence(folder).list_simulations()}
    assert listed == {
        FINISHED: (CheckpointStatus.FINISHED, 19, 1),
        INTERRUPTED: (CheckpointStatus.INTERRUPTED, 4, 1),
        INTENTS: (CheckpointStatus.INTERRUPTED, 1, 0),
    }


@pytest.mark.parametrize("simulation_id", ALL)
def test_each_is_read_to_the_state_that_was_saved_and_stays_as_it_is(folder: Path, simulation_id: str) -> None:
    before = contents(folder)
    assert hash_of(folder, simulation_id) == HASHES[simulation_id]
    assert version_of(folder, simulation_id) == 1
    assert not verify(folder, simulation_id).wrong
    assert contents(folder) == before


def test_the_versions_that_can_be_read_are_those_before_todays() -> None:
    assert set(EARLIER) == set(range(1, USER_VERSION))


def test_a_finished_run_is_shown_with_what_happened_in_it(folder: Path) -> None:
    simulation = Simulation.look(FINISHED, folder)
    assert simulation.status is RunStatus.DONE
    assert (simulation.stats.total_matches, sum(len(slot.decisions) for slot in simulation.slots)) == (8, 8)


@pytest.mark.parametrize("simulation_id", ALL)
def test_taking_one_up_brings_it_to_todays_format_with_all_that_is_in_it(folder: Path, simulation_id: str) -> None:
    old = StatePersistence(folder).read(simulation_id)
    new, writer = StatePersistence(folder).resume(simulation_id, group=1)
    writer.close()
    assert (new.version, new.plan, new.slots, new.journal) == (USER_VERSION, old.plan, old.slots, old.journal)
    assert (new.created_at, new.saved_at, new.finished, new.snapshot) == (
        old.created_at,
        old.saved_at,
        old.finished,
        old.snapshot,
    )
    assert (hash_of(folder, simulation_id), version_of(folder, simulation_id)) == (HASHES[simulation_id], USER_VERSION)
    assert not verify(folder, simulation_id).wrong
    assert sorted(contents(folder)) == sorted(f"{name}.sqlite" for name in ALL)


def test_an_order_that_was_about_to_be_placed_is_still_known_to_be(folder: Path) -> None:
    expected = (Intent(1, 1, "simulation-20261123T143607Z-a023-1-0"),)
    assert StatePersistence(folder).read(INTENTS).intents == expected
    checkpoint, writer = StatePersistence(folder).resume(INTENTS, group=1)
    writer.close()
    assert checkpoint.intents == expected


def test_an_interrupted_run_goes_on_to_where_it_would_have_ended(folder: Path) -> None:
    simulation = Simulation.resume(INTERRUPTED, folder)
    run(simulation, ByAttempts())
    simulation.close()
    assert simulation.state_hash() == hash_of(folder, INTERRUPTED) == HASHES[FINISHED]


def test_a_finished_run_may_be_revisited(folder: Path) -> None:
    simulation = Simulation.resume(FINISHED, folder)
    run(simulation)
    simulation.close()
    assert (hash_of(folder, FINISHED), version_of(folder, FINISHED)) == (HASHES[FINISHED], USER_VERSION)


def test_a_fork_is_of_todays_format_and_the_original_stays_as_it_is(folder: Path) -> None:
    before = contents(folder)
    forked = fork_checkpoint(folder, INTERRUPTED)
    assert (hash_of(folder, forked), version_of(folder, forked)) == (HASHES[INTERRUPTED], USER_VERSION)
    assert contents(folder).items() >= before.items()


def test_what_lies_in_a_write_ahead_journal_comes_along(folder: Path) -> None:
    file = file_of(folder, INTERRUPTED)
    connection = apsw.Connection(str(file), vfs="cksmvfs")
    connection.execute("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0").fetchall()
    connection.execute("INSERT INTO decisions VALUES(17, 3, 1, 'retry', 'a person', 5)")
    killed = folder / "killed"
    killed.mkdir()
    for left in folder.glob(f"{file.name}*"):
        shutil.copy(left, killed)
    connection.close()
    checkpoint, writer = StatePersistence(killed).resume(INTERRUPTED, group=1)
    writer.close()
    assert (checkpoint.version, len(checkpoint.journal)) == (USER_VERSION, 18)
    assert list(contents(killed)) == [file.name]


def test_a_crash_at_any_step_of_it_loses_nothing(tmp_path: Path) -> None:
    simulation_id = INTENTS

    def attempt(folder: Path, steps: int) -> bool:
        """Have a process of its own take it up, and die at the last of so many steps; return whether it came to the end."""
        process = os.fork()
        if process == 0:
            left = steps

            def dying(then: Callable[..., object]) -> Callable[..., object]:
                def step(*args: object, **named: object) -> object:
                    nonlocal left
                    left -= 1
                    if not left:
                        os._exit(9)
                    return then(*args, **named)

                return step

            for where, name in (
                (os, "fsync"), (os, "open"), (Path, "rename"), (Path, "unlink"), (checkpoint_upgrade, "insert"),
                (checkpoint_upgrade, "opened"), (checkpoint_upgrade, "read_checkpoint"), (checkpoint_upgrade, "_fold"),
            ):  # fmt: skip
                setattr(where, name, dying(getattr(where, name)))
            try:
                StatePersistence(folder).resume(simulation_id, group=1)
            except BaseException:
                os._exit(8)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        assert status in (0, 9)
        return status == 0

    versions, done = [], False
    for steps in range(1, 100):
        folder = tmp_path / str(steps)
        folder.mkdir()
        shutil.copy(file_of(FILES, simulation_id), folder)
        done = attempt(folder, steps)
        versions.append(version_of(folder, simulation_id))
        assert hash_of(folder, simulation_id) == HASHES[simulation_id]
        checkpoint, writer = StatePersistence(folder).resume(simulation_id, group=1)
        writer.close()
        assert (checkpoint.version, hash_of(folder, simulation_id)) == (USER_VERSION, HASHES[simulation_id])
        StatePersistence(folder)._sweep()
        assert list(contents(folder)) == [f"{simulation_id}.sqlite"]
        if done:
            break
    assert done
    assert versions == sorted(versions)
    assert set(versions) == {1, USER_VERSION}


def test_what_does_not_read_back_the_same_takes_nobodys_place(folder: Path) -> None:
    before = contents(folder)
    with (
        patch.object(checkpoint_upgrade, "RowInserter", side_effect=StorageError("the disk is full")),
        pytest.raises(StorageError),
    ):
        StatePersistence(folder).resume(FINISHED, group=1)
    with (
        patch.object(checkpoint_upgrade, "_facts", side_effect=[1, 2]),
        pytest.raises(CheckpointError, match="could not be brought to today's format"),
    ):
        StatePersistence(folder).resume(FINISHED, group=1)
    assert contents(folder) == before


@pytest.mark.parametrize("sql", ["CREATE TABLE more(x)", "DROP VIEW ledger", "PRAGMA user_version = 2"])
def test_tables_that_are_not_those_of_the_version_are_damage(folder: Path, sql: str) -> None:
    spoil(file_of(folder, FINISHED), sql)
    with pytest.raises(CheckpointDamaged, match="its tables"):
        StatePersistence(folder).read(FINISHED)
