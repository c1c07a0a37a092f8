"""The checkpoint under a run: what the run does where its file is lost, and what each durability waits for."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from orderbook_tui.core.journal import Execution, RecoveryAction
from orderbook_tui.engine.checkpoint_writer import CheckpointWriter
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import Question
from orderbook_tui.engine.persistence import CheckpointStatus, StatePersistence
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import CheckpointError, StorageError
from tests.engine.runs import a_simulation, faults, finished, run, stopping_after

ASKED_ONCE = faults(outages=[{"from_slot": 9, "slots": 1, "attempts": 9}])
"""Slot 9 fails until somebody says what becomes of it: that is a barrier."""


def half_run(folder: Path, **sections: Any) -> Simulation:
    """A run that was stopped in its middle, and is still open."""
    simulation = a_simulation(folder, venue=ASKED_ONCE, **sections)
    with stopping_after(simulation, 5):
        run(simulation)
    return simulation


class Meanwhile:
    """Skips, after something has happened."""

    by = "policy"

    def __init__(self, happening: Callable[[], None]) -> None:
        self.happening = happening

    async def decide(self, question: Question) -> RecoveryAction:
        self.happening()
        return RecoveryAction.SKIP


def as_undisturbed(folder: Path, simulation: Simulation) -> bool:
    """Whether the checkpoint says of the run what it would had nothing happened."""
    saved = Simulation.look(simulation.id, folder)
    return saved.state_hash() == finished(venue=ASKED_ONCE).state_hash() and all(saved.invariants().values())


def removed(folder: Path, file: Path) -> None:
    shutil.rmtree(folder)


def unlinked(folder: Path, file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("lose", [removed, unlinked])
def test_a_file_that_was_removed_is_noticed_at_the_next_barrier_and_written_anew_when_the_run_goes_on(
    tmp_path: Path, lose: Callable[[Path, Path], None]
) -> None:
    folder = tmp_path / "runs"
    simulation = half_run(folder)
    with pytest.raises(StorageError, match="was removed, or replaced"):
        run(simulation, Meanwhile(lambda: lose(folder, folder / f"{simulation.id}.sqlite")))
    assert simulation.is_unsaved

    assert run(simulation) is Ending.DONE
    simulation.close()
    assert as_undisturbed(folder, simulation)
    assert [path.name for path in folder.iterdir()] == [f"{simulation.id}.sqlite"]


def test_a_run_that_is_let_go_of_leaves_its_checkpoint_even_where_the_folder_was_removed(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    simulation = half_run(folder)
    shutil.rmtree(folder)
    simulation.close()

    again = Simulation.resume(simulation.id, folder)
    assert again.stats == simulation.stats
    assert run(again) is Ending.DONE
    again.close()
    assert as_undisturbed(folder, again)


def test_a_folder_that_is_put_back_is_gone_on_with(tmp_path: Path) -> None:
    folder, away = tmp_path / "runs", tmp_path / "away"
    simulation = half_run(folder)
    folder.rename(away)
    away.rename(folder)

    assert run(simulation) is Ending.DONE
    simulation.close()
    assert as_undisturbed(folder, simulation)


def test_another_file_in_the_place_of_the_checkpoint_is_left_alone(tmp_path: Path) -> None:
    simulation = half_run(tmp_path)
    file = tmp_path / f"{simulation.id}.sqlite"
    file.rename(tmp_path / "away")
    file.write_text("somebody's own")

    with pytest.raises(CheckpointError, match="move it away"):
        run(simulation)
    assert file.read_text() == "somebody's own"
    file.unlink()
    assert run(simulation) is Ending.DONE
    simulation.close()
    assert as_undisturbed(tmp_path, simulation)


def test_an_older_copy_of_the_same_run_in_its_place_is_written_over(tmp_path: Path) -> None:
    simulation = half_run(tmp_path)
    file = tmp_path / f"{simulation.id}.sqlite"
    older = tmp_path / "older"
    shutil.copy(file, older)
    file.unlink()
    older.rename(file)

    assert run(simulation) is Ending.DONE
    simulation.close()
    assert as_undisturbed(tmp_path, simulation)


@pytest.mark.parametrize(
    ("durability", "each", "expected"),
    [
        ("process", True, range(1, 9)),
        ("second", True, range(1, 9)),
        ("slot", True, range(40, 60)),
        ("slot", False, range(40, 60)),
    ],
)
def test_a_durability_says_how_often_a_run_waits_for_the_disk(
    tmp_path: Path, durability: str, each: bool, expected: range
) -> None:
    waited = 0
    durably = CheckpointWriter._commit_durably

    def count(*arguments: Any, **named: Any) -> None:
        nonlocal waited
        waited += 1
        durably(*arguments, **named)

    with patch.object(CheckpointWriter, "_commit_durably", count):
        simulation = finished(tmp_path, processor={"durability": durability, "save_after_each_slot": each})

    assert len(simulation.slots) == 40
    assert waited in expected


def test_a_fill_that_comes_after_the_run_is_done_leaves_it_done(tmp_path: Path) -> None:
    simulation = a_simulation(
        tmp_path, accounts={"generate": {"count": 2}}, venue={"kind": "python", "target": "tests.venues.callables:plain"}
    )
    assert run(simulation) is Ending.DONE
    slot = simulation.slots[0]
    assert slot.open
    late = Execution(0, -1, slot.action.price, 1, 0, 0, 1, slot.action.matching_strategy.account)
    elsewhere = simulation._connect().elsewhere
    assert elsewhere is not None
    elsewhere.executed(late)
    simulation.close()

    (info,) = StatePersistence(tmp_path).list_simulations()
    assert info.status is CheckpointStatus.FINISHED
    assert Simulation.look(simulation.id, tmp_path).slots[0].filled == 1
