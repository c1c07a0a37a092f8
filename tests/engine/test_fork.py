"""Forks: a new simulation that starts from where another one is."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.catalog import CheckpointStatus, fork_checkpoint, list_checkpoints
from orderbook_tui.engine.persistence import Intent, StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.errors import CheckpointDamaged, CheckpointError, CheckpointNotFound, ConfigError
from tests.engine.checkpoints import contents, file_of
from tests.engine.runs import (
    CONTINUE,
    QUIT,
    SKIP,
    ByAttempts,
    Scripted,
    a_config,
    a_simulation,
    faults,
    finished,
    run,
    stopping_after,
    taken_up,
)

DOWN = faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 2}])
MIXED: dict[str, Any] = {"venue": faults(transient_rate=0.1, rejection_rate=0.1)}
RESTING: dict[str, Any] = {
    "scheduler": {
        "matching_strategy": "any", "bid_price_offset": "1.02", "ask_price_offset": "0.98", "alternate_sides": False,
    },
    "venue": faults(rejection_rate=0.2),
}  # fmt: skip
HERE = "tests.engine.test_fork"


def interrupted(folder: Path, events: int = 13, **sections: Any) -> Simulation:
    """A run that was stopped, and let go of."""
    simulation = a_simulation(folder, **sections)
    with stopping_after(simulation, events):
        run(simulation, ByAttempts())
    simulation.close()
    return simulation


def ended(folder: Path, simulation_id: str) -> Simulation:
    """The run of that id, taken up and run to its end."""
    simulation = Simulation.resume(simulation_id, folder)
    run(simulation, ByAttempts())
    simulation.close()
    return simulation


def filled(slot: ActionSlot, settlement: Any) -> str:
    """A venue that fills every order at once, but fails for good from its seventh slot on."""
    if slot.sequence > 6:
        raise ValueError("no")
    settlement.fill(slot.action.market.quantity(slot.action.quantity))
    return f"order-{slot.sequence}"


def resting(slot: ActionSlot) -> str:
    """A venue where every order rests."""
    return f"order-{slot.sequence}"


def silent(slot: ActionSlot) -> str:
    """A venue that does not say whether it took the order."""
    raise TimeoutError


def elsewhere(what: str) -> dict[str, Any]:
    """The venue section of one of these."""
    return {"kind": "python", "target": f"{HERE}:{what}"}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.integers(1, 60), sections=st.sampled_from([{}, MIXED, RESTING]))
def test_a_fork_ends_as_the_run_that_it_was_taken_from(
    tmp_path_factory: pytest.TempPathFactory, events: int, sections: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    simulation = interrupted(folder, events, **sections)
    forked = fork_checkpoint(folder, simulation.id, "another")

    assert Simulation.look(forked, folder).state_hash() == Simulation.look(simulation.id, folder).state_hash()
    assert ended(folder, forked).state_hash() == ended(folder, simulation.id).state_hash()


def test_a_fork_leaves_the_original_as_it_is(tmp_path: Path) -> None:
    simulation = interrupted(tmp_path)
    before = contents(tmp_path)
    forked = fork_checkpoint(tmp_path, simulation.id)
    ended(tmp_path, forked)
    after = contents(tmp_path)
    del after[f"{forked}.sqlite"]

    assert after == before


def test_a_fork_leaves_nothing_else_behind(tmp_path: Path) -> None:
    simulation = interrupted(tmp_path)
    forked = fork_checkpoint(tmp_path, simulation.id)

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"{simulation.id}.sqlite", f"{forked}.sqlite"])


def test_a_fork_has_an_id_and_a_beginning_of_its_own(tmp_path: Path) -> None:
    simulation = interrupted(tmp_path)
    began = time.time_ns()
    forked = Simulation.look(fork_checkpoint(tmp_path, simulation.id), tmp_path)

    assert forked.id != simulation.id
    assert forked.state.created_at >= began


def test_a_fork_goes_by_the_same_name(tmp_path: Path) -> None:
    simulation = interrupted(tmp_path, name="first")
    forked = fork_checkpoint(tmp_path, simulation.id)

    assert (Simulation.look(forked, tmp_path).name, forked.startswith("first-")) == ("first", True)


def test_a_fork_can_be_given_a_name(tmp_path: Path) -> None:
    simulation = interrupted(tmp_path, name="first")
    forked = fork_checkpoint(tmp_path, simulation.id, "What if?")
    found = Simulation.look(forked, tmp_path)

    assert (found.name, found.config.name, forked.startswith("What-if-")) == ("What if?", "What if?", True)
    assert json.loads(found.state.plan.config)["name"] == "What if?"


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    simulation = interrupted(tmp_path)

    with pytest.raises(ConfigError, match="name: "):
        fork_checkpoint(tmp_path, simulation.id, name)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_orders_of_a_fork_are_its_own(tmp_path: Path) -> None:
    simulation = interrupted(tmp_path)
    forked = fork_checkpoint(tmp_path, simulation.id)

    assert Simulation.look(forked, tmp_path).slots[30].client_order_id == f"{forked}-30-0"


def test_a_fork_of_a_fork_has_orders_of_its_own(tmp_path: Path) -> None:
    first = fork_checkpoint(tmp_path, interrupted(tmp_path).id)
    second = fork_checkpoint(tmp_path, first)

    assert Simulation.look(second, tmp_path).slots[30].client_order_id == f"{second}-30-0"


def test_a_fork_of_a_run_that_is_done_is_done(tmp_path: Path) -> None:
    simulation = finished(tmp_path)
    forked = Simulation.resume(fork_checkpoint(tmp_path, simulation.id), tmp_path)

    assert (forked.status, forked.state_hash()) == (RunStatus.DONE, simulation.state_hash())
    assert {line.status for line in list_checkpoints(tmp_path)} == {CheckpointStatus.FINISHED}


def test_a_fork_of_a_run_that_is_done_can_be_revisited(tmp_path: Path) -> None:
    simulation = finished(tmp_path, CONTINUE, venue=DOWN)
    forked = Simulation.resume(fork_checkpoint(tmp_path, simulation.id), tmp_path)
    anyio.run(forked.revisit, CONTINUE)
    forked.close()

    assert (forked.failed_slots(), Simulation.look(simulation.id, tmp_path).failed_slots()) == ([], [3])


def test_a_question_that_was_quit_is_asked_in_both(tmp_path: Path) -> None:
    simulation = finished(tmp_path, QUIT, venue=faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 9}]))
    forked = fork_checkpoint(tmp_path, simulation.id)
    for simulation_id in (simulation.id, forked):
        again, decider = Simulation.resume(simulation_id, tmp_path), Scripted(RecoveryAction.SKIP)
        run(again, decider)
        again.close()
        assert decider.asked == [3]


def test_a_run_that_is_going_on_here_can_be_forked(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path)
    with stopping_after(simulation, 10):
        run(simulation)
    forked = fork_checkpoint(tmp_path, simulation.id)
    run(simulation)
    simulation.close()

    assert Simulation.look(forked, tmp_path).stats.completed_slots == 10
    assert ended(tmp_path, forked).state_hash() == simulation.state_hash()


def test_a_run_at_full_speed_is_forked_from_another_thread_as_it_is_between_two_slots(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path, scheduler={"trades_per_account": 600}, venue=faults(transient_rate=0.05))
    forks: list[str] = []

    def fork_now_and_then() -> None:
        while not simulation.stats.ended_slots:
            time.sleep(0.001)
        while simulation.stats.pending_slots and len(forks) < 3:
            forks.append(fork_checkpoint(tmp_path, simulation.id))

    thread = threading.Thread(target=fork_now_and_then)
    thread.start()
    run(simulation)
    thread.join()
    simulation.close()

    assert forks
    for forked in forks:
        found = Simulation.resume(forked, tmp_path)
        assert all(found.invariants().values())
        run(found)
        found.close()
        assert found.state_hash() == simulation.state_hash()


def test_a_run_that_is_going_on_in_another_process_can_be_forked(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(a_config()))
    command = [sys.executable, "-m", "orderbook_tui", "run", "config.json", "--slots-per-second", "200"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        folder = tmp_path / "simulator_state"
        while not (running := [line for line in list_checkpoints(folder) if line.completed > 2]):
            assert process.poll() is None
            time.sleep(0.01)
        forked = fork_checkpoint(folder, running[0].id)
        status = process.wait()

    assert (status, Simulation.look(running[0].id, folder).status) == (0, RunStatus.DONE)
    assert ended(folder, forked).state_hash() == Simulation.look(running[0].id, folder).state_hash()


def test_an_unknown_run_cannot_be_forked(tmp_path: Path) -> None:
    with pytest.raises(CheckpointNotFound):
        fork_checkpoint(tmp_path, "nothing")


def test_a_damaged_run_cannot_be_forked(tmp_path: Path) -> None:
    simulation = interrupted(tmp_path)
    path = file_of(tmp_path, simulation.id)
    path.write_bytes(path.read_bytes()[:5000])

    with pytest.raises(CheckpointDamaged):
        fork_checkpoint(tmp_path, simulation.id)
    assert list(tmp_path.iterdir()) == [path]


# Orders at a venue outside this program


def test_a_run_elsewhere_without_open_orders_can_be_forked(tmp_path: Path) -> None:
    simulation = finished(tmp_path, QUIT, venue=elsewhere("filled"))
    forked = fork_checkpoint(tmp_path, simulation.id)

    assert Simulation.look(forked, tmp_path).state_hash() == simulation.state_hash()


def test_orders_that_are_open_elsewhere_belong_to_one_run(tmp_path: Path) -> None:
    simulation = finished(tmp_path, SKIP, venue=elsewhere("resting"))

    with pytest.raises(CheckpointError, match="cannot be forked: slot 0 is open at its venue"):
        fork_checkpoint(tmp_path, simulation.id)


def test_an_order_that_may_exist_elsewhere_belongs_to_one_run(tmp_path: Path) -> None:
    simulation = finished(tmp_path, QUIT, venue=elsewhere("silent"))

    with pytest.raises(CheckpointError, match="cannot be forked: slot 0 may have an order at its venue"):
        fork_checkpoint(tmp_path, simulation.id)


def test_an_order_that_was_being_placed_elsewhere_belongs_to_one_run(tmp_path: Path) -> None:
    simulation = finished(tmp_path, QUIT, venue=elsewhere("filled"))
    persistence = StatePersistence(tmp_path)
    checkpoint, writer = persistence.resume(simulation.id, group=1)
    writer.intend(checkpoint.journal, [Intent(20, 1, "ours")])  # and here the process died
    writer.close()

    with pytest.raises(CheckpointError, match="cannot be forked: slot 20 was being placed at its venue"):
        fork_checkpoint(tmp_path, simulation.id)


def test_taking_a_fork_up_asks_nothing_of_the_original(tmp_path: Path) -> None:
    simulation = interrupted(tmp_path)
    forked = Simulation.resume(fork_checkpoint(tmp_path, simulation.id), tmp_path)
    original = taken_up(tmp_path, simulation)
    for each in (forked, original):
        run(each, ByAttempts())
        each.close()

    assert forked.state_hash() == original.state_hash()
