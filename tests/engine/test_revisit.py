"""Failed slots afterwards: some of them run once more, or given up, in whatever state the run is."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderbook_tui.core.journal import Decision, RecoveryAction
from orderbook_tui.core.slot import SlotState, Verdict
from orderbook_tui.engine.catalog import CheckpointStatus, list_checkpoints
from orderbook_tui.engine.connection import Connection
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import Decider
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.errors import CheckpointError, CheckpointInUse, ScheduleError
from tests.engine.runs import CONTINUE, QUIT, SKIP, Never, a_simulation, faults, finished, run, states, statuses, taken_up

DOWN = faults(outages=[{"from_slot": 4, "slots": 8, "attempts": 2}])
"""Slots 4 to 11 fail, and a revisit cures them."""
FOR_GOOD = faults(outages=[{"from_slot": 4, "slots": 4, "attempts": 99}])


def revisited(simulation: Simulation, decider: Decider = CONTINUE, slots: list[int] | None = None) -> Ending:
    return anyio.run(simulation.revisit, decider, slots)


def failed(folder: Path | None = None, **sections: Any) -> Simulation:
    """A run that is done, in which slots 4 to 11 failed."""
    simulation = a_simulation(folder, **{"venue": DOWN, **sections})
    run(simulation, CONTINUE)
    return simulation


def broken(simulation: Simulation) -> list[str]:
    """The rules that the run does not keep."""
    return [rule for rule, holds in simulation.invariants().items() if not holds]


# Which slots


def test_the_failed_slots_are_named() -> None:
    assert failed().failed_slots() == list(range(4, 12))


def test_a_run_without_failures_has_no_failed_slots() -> None:
    assert finished().failed_slots() == []


def test_a_failed_slot_after_one_that_was_not_run_is_named() -> None:
    simulation = a_simulation(venue=DOWN)
    simulation.select(markets=["ETH-USD"])
    run(simulation, CONTINUE)

    assert simulation.failed_slots() == [slot.sequence for slot in simulation.selected_slots() if 4 <= slot.sequence < 12]


def test_some_failed_slots_can_be_revisited() -> None:
    simulation = failed()
    revisited(simulation, slots=[10, 5])

    assert simulation.failed_slots() == [4, 6, 7, 8, 9, 11]


def test_both_slots_of_a_pair_can_be_revisited_one_after_the_other() -> None:
    simulation = failed()
    for slot in (4, 5):
        revisited(simulation, slots=[slot])

    assert [slot.verdict for slot in simulation.slots[4:6]] == [Verdict.MATCHED] * 2
    assert broken(simulation) == []


def test_half_a_pair_that_is_revisited_meets_no_later_pair() -> None:
    market = {"symbol": "BTC-USD", "base": "BTC", "quote": "USD", "reference_price": 100}
    two: dict[str, Any] = {"accounts": {"generate": {"count": 2}}, "scheduler": {"trades_per_account": 20}}
    simulation = failed(**two, markets=[market])
    revisited(simulation, slots=[4, 6, 8, 9, 10, 11])

    assert Verdict.BY_ANOTHER not in {slot.verdict for slot in simulation.slots}
    assert [slot.sequence for slot in simulation.slots if slot.verdict is not Verdict.MATCHED] == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("slot", "words"),
    [(3, "slot 3 is Completed: only one that is Failed can be"), (40, "there is no slot 40"), (-1, "there is no slot -1")],
)
def test_what_has_not_failed_is_neither_revisited_nor_skipped(slot: int, words: str) -> None:
    simulation = failed()
    before = simulation.state_hash()

    with pytest.raises(ScheduleError, match=words):
        revisited(simulation, slots=[4, slot])
    with pytest.raises(ScheduleError, match=words):
        simulation.skip_failed([4, slot])
    assert simulation.state_hash() == before


# Revisiting a run that is done


def test_a_revisit_of_a_run_that_is_done_runs_and_is_done_again() -> None:
    simulation = failed()
    seen = statuses(simulation)
    assert revisited(simulation) is Ending.DONE

    assert seen == ["RUNNING", "STOPPED", "DONE"]


def test_a_revisit_decided_by_continue_leaves_the_slot_failed() -> None:
    simulation = failed(venue=FOR_GOOD)
    revisited(simulation, CONTINUE)

    assert (simulation.failed_slots(), simulation.status) == ([4, 5, 6, 7], RunStatus.DONE)


def test_a_finished_checkpoint_is_revisited_and_finished_again(tmp_path: Path) -> None:
    simulation = failed(tmp_path)
    again = taken_up(tmp_path, simulation)
    assert again.status is RunStatus.DONE
    revisited(again)
    again.close()

    (line,) = list_checkpoints(tmp_path)
    assert (line.status, line.completed, line.failed) == (CheckpointStatus.FINISHED, 40, 0)
    assert Simulation.look(again.id, tmp_path).state_hash() == again.state_hash()


def test_a_checkpoint_is_held_while_it_is_revisited(tmp_path: Path) -> None:
    again = taken_up(tmp_path, failed(tmp_path, venue=FOR_GOOD))
    again.subscribe(lambda run: run.stop() if run.question else None)
    assert revisited(again, Never()) is Ending.STOPPED

    with pytest.raises(CheckpointInUse):
        Simulation.resume(again.id, tmp_path)
    again.close()


def test_a_revisit_that_was_quit_is_unfinished(tmp_path: Path) -> None:
    again = taken_up(tmp_path, failed(tmp_path, venue=FOR_GOOD))
    revisited(again, QUIT)
    again.close()

    assert list_checkpoints(tmp_path)[0].status is CheckpointStatus.INTERRUPTED


# Giving up


def in_memory(folder: Path) -> Simulation:
    return failed()


def done(folder: Path) -> Simulation:
    return failed(folder)


def done_and_read(folder: Path) -> Simulation:
    return taken_up(folder, failed(folder))


def stopped(folder: Path) -> Simulation:
    simulation = a_simulation(folder, venue=DOWN)
    simulation.select(markets=["ETH-USD"])
    run(simulation, CONTINUE)
    simulation.select()
    return simulation


def ready(folder: Path) -> Simulation:
    return taken_up(folder, stopped(folder))


LIVES: dict[str, Callable[[Path], Simulation]] = {
    "in memory": in_memory,
    "done": done,
    "done and read": done_and_read,
    "stopped": stopped,
    "ready": ready,
}


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
def test_failed_slots_that_are_given_up_are_skipped(tmp_path: Path, life: Callable[[Path], Simulation]) -> None:
    simulation = life(tmp_path)
    given_up, *left = simulation.failed_slots()
    simulation.skip_failed([given_up])
    assert (states(simulation.slots)[given_up], simulation.failed_slots()) == ("Skipped", left)
    simulation.skip_failed()
    simulation.close()

    assert simulation.failed_slots() == []


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
def test_giving_up_leaves_the_status_and_every_invariant(tmp_path: Path, life: Callable[[Path], Simulation]) -> None:
    simulation = life(tmp_path)
    before = simulation.status
    simulation.skip_failed()
    simulation.close()

    assert (simulation.status, broken(simulation)) == (before, [])


@pytest.mark.parametrize("life", list(LIVES.values())[1:], ids=list(LIVES)[1:])
def test_what_was_given_up_is_saved(tmp_path: Path, life: Callable[[Path], Simulation]) -> None:
    simulation = life(tmp_path)
    simulation.skip_failed()
    simulation.close()

    assert Simulation.look(simulation.id, tmp_path).state_hash() == simulation.state_hash()
    assert list_checkpoints(tmp_path)[0].skipped == simulation.stats.skipped_slots > 0


@pytest.mark.parametrize("life", [done, done_and_read])
def test_a_run_that_is_done_stays_so_when_slots_are_given_up(tmp_path: Path, life: Callable[[Path], Simulation]) -> None:
    simulation = life(tmp_path)
    simulation.skip_failed()
    simulation.close()

    assert list_checkpoints(tmp_path)[0].status is CheckpointStatus.FINISHED


def test_a_run_goes_on_after_slots_were_given_up(tmp_path: Path) -> None:
    simulation = ready(tmp_path)
    simulation.skip_failed()
    run(simulation, SKIP)
    again = taken_up(tmp_path, simulation)

    assert (again.status, again.state_hash()) == (RunStatus.DONE, simulation.state_hash())


def test_giving_up_is_recorded_with_who_did_it() -> None:
    simulation = failed()
    simulation.skip_failed([6], by="night shift")
    decision = simulation.state.journal[-1]

    assert isinstance(decision, Decision)
    assert (decision.slot, decision.action, decision.by) == (6, RecoveryAction.SKIP, "night shift")


def test_giving_up_nothing_writes_nothing(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path / "runs")
    simulation.skip_failed()
    simulation.close()

    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_only_looked_at_gives_nothing_up(tmp_path: Path) -> None:
    simulation = failed(tmp_path)
    simulation.close()

    with pytest.raises(CheckpointError, match="resume it"):
        Simulation.look(simulation.id, tmp_path).skip_failed()


def paused_in_a_revisit(simulation: Simulation, slot: int, then: Callable[[Simulation], None]) -> None:
    """Revisit, pause before that slot, do `then`, and go on."""

    async def script() -> None:
        async with anyio.create_task_group() as group:
            simulation.pause()
            group.start_soon(simulation.revisit, CONTINUE)
            await anyio.sleep(0.005)
            while simulation._run.next_sequence < slot:
                before = simulation._run.next_sequence
                simulation.step()
                with anyio.fail_after(10):
                    while simulation._run.next_sequence == before:  # noqa: ASYNC110
                        await anyio.sleep(0.001)
            then(simulation)
            simulation.go()

    anyio.run(script)


def test_what_waits_for_its_revisit_is_pending_and_cannot_be_given_up() -> None:
    simulation = failed()
    seen: list[list[str]] = []

    def look(run: Simulation) -> None:
        seen.append(states(run.slots[4:12]))
        with pytest.raises(ScheduleError, match="slot 7 is Pending: only one that is Failed can be skipped"):
            run.skip_failed([7])

    paused_in_a_revisit(simulation, 6, look)
    assert seen == [["Completed"] * 2 + ["Pending"] * 6]
    assert broken(simulation) == []


def test_what_is_given_up_while_the_venue_is_being_connected_is_not_revisited(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = failed()

    async def gives_up(*_: object) -> None:
        simulation.skip_failed([6, 7])

    monkeypatch.setattr(Connection, "open", gives_up)
    revisited(simulation)

    assert states(simulation.slots[4:12]) == ["Completed"] * 2 + ["Skipped"] * 2 + ["Completed"] * 4
    assert broken(simulation) == []


def test_what_is_not_revisited_can_be_given_up_meanwhile(tmp_path: Path) -> None:
    simulation = failed(tmp_path, venue=FOR_GOOD)
    asked: list[int] = []

    class GivesUpTheRest:
        by = "person"

        async def decide(self, question: Any) -> RecoveryAction:
            asked.append(question.slot.sequence)
            simulation.skip_failed()
            return RecoveryAction.CONTINUE

    revisited(simulation, GivesUpTheRest(), slots=[4])
    simulation.close()
    assert (asked, simulation.failed_slots(), broken(simulation)) == ([4], [4], [])
    assert Simulation.look(simulation.id, tmp_path).state_hash() == simulation.state_hash()


# Interrupted


@pytest.mark.parametrize(("strategy", "most"), [("any", 1), ("sequential_next", 1), ("sequential_next", 4)])
@pytest.mark.parametrize("slots", [None, [4, 6, 7, 10]])
def test_a_revisit_that_was_interrupted_goes_on_to_the_same_end(
    tmp_path: Path, strategy: str, most: int, slots: list[int] | None
) -> None:
    outages = [{"from_slot": 4, "slots": 8, "attempts": 2}, {"from_slot": 6, "slots": 1, "attempts": 99}]
    whole, broken_off = (
        failed(
            tmp_path / name,
            venue=faults(outages=outages),
            scheduler={"matching_strategy": strategy},
            processor={"max_retries": 1, "concurrency": most},
        )
        for name in ("whole", "broken off")
    )
    revisited(whole, slots=slots)
    whole.close()
    unsubscribe = broken_off.subscribe(lambda run: run.stop() if run.question else None)
    assert revisited(broken_off, Never(), slots) is Ending.STOPPED
    unsubscribe()
    again = taken_up(tmp_path / "broken off", broken_off)
    left = {slot.sequence for slot in again.slots if slot.state is SlotState.PENDING}
    assert {6, 7} <= left <= set(slots or range(4, 12))
    run(again, CONTINUE)

    assert (again.status, again.state_hash()) == (RunStatus.DONE, whole.state_hash())
    assert broken(again) == []
    again.close()


def test_who_had_slots_revisited_is_on_record(tmp_path: Path) -> None:
    simulation = failed(tmp_path)
    anyio.run(partial(simulation.revisit, CONTINUE, [5], by="night shift"))
    simulation.close()

    decision = Simulation.look(simulation.id, tmp_path).slots[5].decisions[-1]
    assert (decision.action, decision.by) == (RecoveryAction.RETRY, "night shift")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=st.randoms(use_true_random=False), strategy=st.sampled_from(["sequential_next", "any"]))
def test_however_failed_slots_are_revisited_and_given_up_a_resumed_run_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, random: Random, strategy: str
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    venue = faults(rejection_rate=0.3, transient_rate=0.2, outages=[{"from_slot": 4, "slots": 8, "attempts": 3}])
    simulation = failed(folder, venue=venue, scheduler={"matching_strategy": strategy})
    for _ in range(3):
        left = simulation.failed_slots()
        chosen = [slot for slot in left if random.random() < 0.5]
        if random.random() < 0.5:
            simulation.skip_failed(chosen)
        else:
            revisited(simulation, slots=chosen)
        simulation.close()
        again = Simulation.resume(simulation.id, folder)
        assert (again.state_hash(), again.stats) == (simulation.state_hash(), simulation.state.recount())
        simulation = random.choice([simulation, again])
    assert broken(simulation) == []
    simulation.close()
