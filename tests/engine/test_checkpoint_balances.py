"""Opening balances: what accounts held before anything was placed is noted once, and is there as long as the run is."""

import shutil
from pathlib import Path
from unittest.mock import patch

import pytest

from orderbook_tui.core.journal import Attempt, Balance
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.checkpoint_writer import CheckpointWriter
from orderbook_tui.engine.fork import fork_checkpoint
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.verifying import verify
from orderbook_tui.errors import CheckpointError, StorageError
from tests.builders import TRANSIENT
from tests.engine.checkpoints import a_fresh_run, a_played_run, file_of, saved

BALANCES = (
    Balance("a", "USD", 10**15, 0),
    Balance("a", "BTC", 2**63 - 1, 2**63 - 1),
    Balance("\ud800 \0", "", -(2**63), 0),
    Balance("b", "ETH", 10**30, -(10**30)),
    *(Balance(f"account-{number}", "USD", number, -number) for number in range(20)),
)
FAILED = Attempt(0, 1, 1, 2, None, TRANSIENT)


@pytest.fixture
def state() -> SimulationState:
    return a_fresh_run()


@pytest.fixture
def writer(tmp_path: Path, state: SimulationState) -> CheckpointWriter:
    return StatePersistence(tmp_path).create(state, group=1)


def noted(folder: Path, simulation_id: str) -> tuple[Balance, ...]:
    return StatePersistence(folder).read(simulation_id).opening_balances


@pytest.mark.parametrize("balances", [BALANCES[:1], BALANCES])
def test_what_was_noted_comes_back(
    tmp_path: Path, state: SimulationState, writer: CheckpointWriter, balances: tuple[Balance, ...]
) -> None:
    with writer:
        writer.note_balances(balances)
        writer.slot_ended([FAILED])
    assert noted(tmp_path, state.id) == balances
    assert StatePersistence(tmp_path).read(state.id).journal == [FAILED]
    assert not verify(tmp_path, state.id).wrong


def test_a_run_that_noted_none_has_none(tmp_path: Path, state: SimulationState, writer: CheckpointWriter) -> None:
    with writer:
        writer.note_balances(())
    assert noted(tmp_path, state.id) == ()


def test_when_it_returns_they_survive_the_process(tmp_path: Path, state: SimulationState, writer: CheckpointWriter) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()
    with writer:
        writer.note_balances(BALANCES)
        for left in tmp_path.glob(f"{state.id}.sqlite*"):
            shutil.copy(left, killed)
    assert noted(killed, state.id) == BALANCES


def test_a_later_life_knows_them(tmp_path: Path, state: SimulationState, writer: CheckpointWriter) -> None:
    with writer:
        writer.note_balances(BALANCES)
    checkpoint, again = StatePersistence(tmp_path).resume(state.id, group=1)
    with again:
        assert tuple(again.opening_balances()) == checkpoint.opening_balances == BALANCES


def test_they_are_noted_once(tmp_path: Path, state: SimulationState, writer: CheckpointWriter) -> None:
    with writer:
        writer.note_balances(BALANCES)
        writer.note_balances(BALANCES)
        with pytest.raises(CheckpointError, match="noted other opening balances already"):
            writer.note_balances(BALANCES[1:])
        writer.slot_ended([FAILED])
    assert noted(tmp_path, state.id) == BALANCES


def test_what_had_happened_by_then_is_saved_with_them(tmp_path: Path, state: SimulationState, writer: CheckpointWriter) -> None:
    with writer:
        writer.note_balances(BALANCES, [FAILED])
        assert writer.written == 1
    assert StatePersistence(tmp_path).read(state.id).journal == [FAILED]


def test_what_could_not_be_saved_is_noted_by_the_next_call(
    tmp_path: Path, state: SimulationState, writer: CheckpointWriter
) -> None:
    with writer:
        with (
            patch.object(writer, "_insert", side_effect=OSError(28, "No space left on device")),
            pytest.raises(StorageError, match="No space left"),
        ):
            writer.note_balances(BALANCES)
        assert writer.opening_balances() == []
        writer.note_balances(BALANCES)
    assert noted(tmp_path, state.id) == BALANCES


@pytest.mark.parametrize("kept", [True, False])
def test_a_disk_that_may_not_have_kept_them_is_read_first(
    tmp_path: Path, state: SimulationState, writer: CheckpointWriter, kept: bool
) -> None:
    with writer:
        writer.flush([FAILED], barrier=True)
        if kept:
            writer.note_balances(BALANCES)
        writer._distrusts_disk, writer._appending = True, False
        writer.note_balances(BALANCES, [FAILED])
    assert noted(tmp_path, state.id) == BALANCES
    assert not verify(tmp_path, state.id).wrong


def test_a_file_that_is_written_anew_has_them(tmp_path: Path, state: SimulationState, writer: CheckpointWriter) -> None:
    writer.note_balances(BALANCES)
    file_of(tmp_path, state.id).unlink()
    with StatePersistence(tmp_path).write_anew(state, writer, group=1) as again:
        assert tuple(again.opening_balances()) == BALANCES
    assert noted(tmp_path, state.id) == BALANCES


def test_those_that_were_noted_in_a_file_without_a_name_are_in_the_new_one(
    tmp_path: Path, state: SimulationState, writer: CheckpointWriter
) -> None:
    state.journal.append(FAILED)
    writer.flush(state.journal, barrier=True)
    file_of(tmp_path, state.id).unlink()
    with pytest.raises(StorageError, match="was removed"):
        writer.note_balances(BALANCES)
    with StatePersistence(tmp_path).write_anew(state, writer, group=1) as again:
        again.note_balances(BALANCES)
    assert noted(tmp_path, state.id) == BALANCES


@pytest.mark.parametrize("finish", [True, False])
def test_a_fork_has_those_of_its_original(tmp_path: Path, finish: bool) -> None:
    played = a_played_run()
    original = saved(tmp_path, played, finish=finish)
    with StatePersistence(tmp_path).resume(original, group=1)[1] as writer:
        writer.note_balances(BALANCES)
    forked = fork_checkpoint(tmp_path, original)
    assert noted(tmp_path, forked) == BALANCES
    assert StatePersistence(tmp_path).read(forked).finished is finish


def test_a_finished_run_stays_finished_unless_something_has_happened(tmp_path: Path) -> None:
    played = a_played_run()
    run_id, journal = saved(tmp_path, played), played.state.journal
    (failed,) = (slot for slot in played.state.slots if slot.sequence == 10)
    more = [*journal, Attempt(failed.sequence, failed.attempt_count + 1, 1, 2, None, TRANSIENT)]
    for so_far, finished in ((journal, True), (more, False)):
        copy = tmp_path / str(finished)
        copy.mkdir()
        shutil.copy(file_of(tmp_path, run_id), copy)
        with StatePersistence(copy).resume(run_id, group=1)[1] as writer:
            writer.note_balances(BALANCES, so_far if not finished else ())
        assert StatePersistence(copy).read(run_id).finished is finished
        assert noted(copy, run_id) == BALANCES
