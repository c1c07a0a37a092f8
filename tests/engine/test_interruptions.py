"""A run that is torn out of the middle of something: what is half done is undone, or said to be in doubt."""

import shutil
from pathlib import Path

import anyio
import pytest

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.engine.bookkeeper import Bookkeeper
from orderbook_tui.engine.checkpoint_writer import CheckpointWriter
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.errors import CheckpointError, ConfigError, OrderbookTuiError, StorageError
from tests.engine.runs import CONTINUE, SKIP, Scripted, a_simulation, faults, finished, run, states

SLOW = faults(latency_ms=[50, 50])
DOWN = faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 2}])
ELSEWHERE = {"kind": "python", "target": "tests.engine.test_interruptions:hang"}


async def hang(slot: ActionSlot) -> str:
    """A venue that does not answer for its second slot."""
    if slot.sequence == 1:
        await anyio.sleep_forever()
    return f"order-{slot.sequence}"


def run_for(simulation: Simulation, seconds: float) -> None:
    """Run it, and cancel that after a while."""

    async def cut_short() -> None:
        with anyio.move_on_after(seconds):
            await simulation.run(SKIP)

    anyio.run(cut_short)


def test_a_cancelled_run_goes_on_with_the_slot_that_was_under_way() -> None:
    simulation = a_simulation(venue=SLOW)
    run_for(simulation, 0.12)
    assert SlotState.IN_PROGRESS not in states(simulation.slots)

    assert run(simulation) is Ending.DONE
    assert simulation.state_hash() == finished(venue=SLOW).state_hash()


def test_a_cancelled_run_holds_every_invariant() -> None:
    simulation = a_simulation(venue=SLOW)
    run_for(simulation, 0.12)

    assert all(simulation.invariants().values())


def test_an_attempt_elsewhere_that_is_cancelled_is_in_doubt(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path, venue=ELSEWHERE)
    run_for(simulation, 0.5)
    simulation.close()
    again = Simulation.resume(simulation.id, tmp_path)
    decider = Scripted(RecoveryAction.QUIT)

    assert run(again, decider) is Ending.QUIT
    assert decider.asked == [1]
    again.close()


def test_a_decider_that_fails_leaves_its_slot_to_be_asked_about_again(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path, venue=DOWN)
    with pytest.raises(IndexError):
        run(simulation, Scripted())
    decider = Scripted(RecoveryAction.RETRY)

    assert run(simulation, decider) is Ending.DONE
    assert decider.asked == [3]
    simulation.close()


def test_an_intent_that_cannot_be_written_gives_its_lock_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StorageError("the disk is full")

    simulation = a_simulation(tmp_path, venue=ELSEWHERE)
    with monkeypatch.context() as patched:
        patched.setattr(CheckpointWriter, "intend", full)
        with pytest.raises(StorageError):
            run(simulation)

    assert all(simulation.invariants().values())
    assert simulation.slots[0].state is SlotState.PENDING
    simulation.close()


def test_statistics_are_right_after_a_revisit_that_broke_off(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = a_simulation(venue=DOWN)
    run(simulation, CONTINUE)

    def fail(*_: object) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Bookkeeper, "flush", fail)
        with pytest.raises(StorageError):
            anyio.run(simulation.revisit, CONTINUE)

    assert simulation.stats == simulation.state.recount()
    assert simulation.stats.failed_slots == 0
    run(simulation, CONTINUE)
    assert simulation.stats == simulation.state.recount()


def test_what_happened_before_an_intent_is_durable_with_it(tmp_path: Path) -> None:
    processor = {"save_after_each_slot": False, "retry_base_delay_ms": 0}
    simulation = a_simulation(tmp_path, venue=ELSEWHERE, processor=processor)
    run_for(simulation, 0.5)  # the intent of slot 1 is written; its answer never comes

    assert len(Simulation.look(simulation.id, tmp_path).state.journal) == 1
    simulation.close()


def test_of_two_lives_of_a_finished_run_the_second_to_write_is_refused(tmp_path: Path) -> None:
    simulation = finished(tmp_path, CONTINUE, venue=faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 9}]))
    one, other = Simulation.resume(simulation.id, tmp_path), Simulation.resume(simulation.id, tmp_path)
    anyio.run(one.revisit, SKIP)
    one.close()

    with pytest.raises(CheckpointError, match="gone on since"):
        anyio.run(other.revisit, CONTINUE)


def test_a_stop_before_the_first_step_stops_the_run() -> None:
    simulation = a_simulation()
    simulation.stop()

    assert run(simulation) is Ending.STOPPED
    assert run(simulation) is Ending.DONE


def test_a_pause_that_cannot_be_saved_is_a_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("the disk is full")

    simulation = a_simulation(tmp_path, venue=SLOW)

    async def pause_in_the_middle() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, SKIP)
            await anyio.sleep(0.1)
            with monkeypatch.context() as patched:
                patched.setattr(CheckpointWriter, "flush", full)
                with pytest.raises(StorageError):
                    simulation.pause()
            assert simulation.status is RunStatus.PAUSED
            simulation.go()
            simulation.stop()

    anyio.run(pause_in_the_middle)
    simulation.close()


def test_a_run_that_is_only_looked_at_does_not_run(tmp_path: Path) -> None:
    simulation = finished(tmp_path)

    with pytest.raises(CheckpointError, match="resume it"):
        run(Simulation.look(simulation.id, tmp_path))


@pytest.mark.parametrize("taken", [slice(0, 1), slice(2, 4)], ids=["half a pair", "out of place"])
def test_slots_that_are_no_schedule_are_refused(taken: slice) -> None:
    simulation = a_simulation()

    with pytest.raises(ConfigError, match=r"slots: "):
        Simulation.create(simulation.config, save=False, slots=simulation.slots[taken])


def test_a_run_killed_after_a_pause_in_the_middle_of_an_attempt_is_sound(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path / "runs", venue=SLOW)

    async def pause_and_copy() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, SKIP)
            with anyio.fail_after(10):
                while simulation.slots[2].state is not SlotState.IN_PROGRESS:  # noqa: ASYNC110
                    await anyio.sleep(0.001)
            simulation.pause()
            shutil.copytree(tmp_path / "runs", tmp_path / "killed")
            simulation.stop()

    anyio.run(pause_and_copy)
    simulation.close()

    assert StatePersistence(tmp_path / "killed").load(simulation.id).stats.completed_slots == 2


def test_a_run_that_is_going_on_is_not_run_a_second_time() -> None:
    simulation = a_simulation(venue=SLOW)

    async def twice() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, SKIP)
            await anyio.sleep(0.01)
            with pytest.raises(OrderbookTuiError, match="going on already"):
                await simulation.revisit(SKIP)
            simulation.stop()

    anyio.run(twice)
