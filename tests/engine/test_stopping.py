"""Stop conditions: a run pauses by itself, once for each, and says why."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderbook_tui.core.slot import ActionSlot, SlotState, Verdict
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import Decider
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.stopping import StopConditions
from orderbook_tui.errors import Rejected, ScheduleError
from tests.engine.runs import CONTINUE, RETRY, SKIP, a_simulation, faults, finished, run, states, taken_up

DOWN = faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 2}])
FLAKY = faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 1}])
ALL = StopConditions(on_failure=True, on_depleted=True, on_verdict=True)

Act = Callable[[Simulation], None]
Stop = tuple[str, int]
"""What made the run pause, and how many slots had ended by then."""


def stops(simulation: Simulation, decider: Decider = SKIP, then: Act = Simulation.go, *, revisit: bool = False) -> list[Stop]:
    """Run it to its end, doing `then` at every pause that a condition made; return those."""
    seen: list[Stop] = []
    held = anyio.Event()

    def note(run: Simulation) -> None:
        if run.status is RunStatus.PAUSED and run.stopped_by:
            seen.append((run.stopped_by, run.stats.ended_slots))
            held.set()

    async def going_on() -> None:
        nonlocal held
        while True:
            await held.wait()
            held = anyio.Event()
            await anyio.sleep(0.002)
            if simulation.stopped_by:
                then(simulation)

    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(going_on)
            with anyio.fail_after(20):
                await (simulation.revisit(decider) if revisit else simulation.run(decider))
            group.cancel_scope.cancel()

    unsubscribe = simulation.subscribe(note)
    anyio.run(both)
    unsubscribe()
    return seen


def with_stops(conditions: StopConditions, folder: Path | None = None, **sections: Any) -> Simulation:
    """A run that is ready, with these conditions."""
    simulation = a_simulation(folder, **sections)
    simulation.stop_conditions = conditions
    return simulation


# Slot n


def test_a_run_to_a_slot_runs_all_before_it() -> None:
    assert stops(with_stops(StopConditions(slot=12))) == [("slot 12 is next", 12)]


def test_a_run_to_the_first_slot_runs_nothing() -> None:
    assert stops(with_stops(StopConditions(slot=0))) == [("slot 0 is next", 0)]


def test_a_run_to_a_slot_that_was_filtered_out_stops_before_the_next() -> None:
    simulation = with_stops(StopConditions(slot=3))
    simulation.select(markets=["BTC-USD"])
    chosen = [slot.sequence for slot in simulation.selected_slots()]
    following = next(sequence for sequence in chosen if sequence >= 3)

    assert stops(simulation) == [(f"slot {following} is next", chosen.index(following))]


def test_a_slot_can_be_run_to_from_a_pause() -> None:
    simulation = with_stops(StopConditions(slot=4))

    def further(run: Simulation) -> None:
        if run.stats.ended_slots == 4:
            run.stop_conditions = StopConditions(slot=9)
        run.go()

    assert stops(simulation, then=further) == [("slot 4 is next", 4), ("slot 9 is next", 9)]


def test_a_slot_set_while_the_run_goes_on_is_heeded() -> None:
    simulation = a_simulation(venue=faults(latency_ms=[1, 1]))
    seen: list[int] = []

    async def script() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, SKIP)
            await anyio.sleep(0.01)
            simulation.stop_conditions = StopConditions(slot=30)
            with anyio.fail_after(10):
                while not simulation.stopped_by:  # noqa: ASYNC110
                    await anyio.sleep(0.001)
            seen.append(simulation.stats.ended_slots)
            simulation.stop()

    anyio.run(script)
    assert seen == [30]


def test_a_paced_run_stops_before_its_slot() -> None:
    assert stops(with_stops(StopConditions(slot=5), processor={"slots_per_second": 1000})) == [("slot 5 is next", 5)]


def test_steps_to_a_slot_say_that_it_is_next() -> None:
    simulation = with_stops(StopConditions(slot=2))
    words = stepped(simulation, 3)

    assert words == ["", "slot 2 is next", ""]


def test_a_step_past_a_slot_that_was_never_stopped_at_takes_it_off() -> None:
    simulation = with_stops(StopConditions(slot=0))
    stepped(simulation, 1)

    assert simulation.stop_conditions.slot is None


def stepped(simulation: Simulation, steps: int) -> list[str]:
    """Run so many steps; return what made the run pause after each."""
    words: list[str] = []

    async def script() -> None:
        async with anyio.create_task_group() as group:
            simulation.step()
            group.start_soon(simulation.run, SKIP)
            for number in range(steps):
                if number:
                    simulation.step()
                with anyio.fail_after(10):
                    while simulation.stats.ended_slots <= number:  # noqa: ASYNC110
                        await anyio.sleep(0.001)
                await anyio.sleep(0.005)
                words.append(simulation.stopped_by)
            simulation.stop()

    anyio.run(script)
    return words


@pytest.mark.parametrize("slot", [-1, 40])
def test_a_slot_outside_of_the_schedule_is_refused(slot: int) -> None:
    with pytest.raises(ScheduleError, match="the schedule goes from slot 0 to slot 39"):
        with_stops(StopConditions(slot=slot))


def test_a_slot_that_the_run_is_past_is_refused() -> None:
    refused: list[str] = []

    def try_it(run: Simulation) -> None:
        try:
            run.stop_conditions = StopConditions(slot=11)
        except ScheduleError as error:
            refused.append(str(error))
        run.go()

    stops(with_stops(StopConditions(slot=12)), then=try_it)
    assert refused == ["the run is past slot 11: slot 12 is next"]


def test_a_slot_is_refused_once_all_have_ended() -> None:
    with pytest.raises(ScheduleError, match="the run is past slot 39: no slot is left"):
        finished().stop_conditions = StopConditions(slot=39)


def test_what_was_refused_changes_nothing() -> None:
    simulation = with_stops(StopConditions(slot=3, on_failure=True))
    with pytest.raises(ScheduleError):
        simulation.stop_conditions = StopConditions(slot=99)

    assert simulation.stop_conditions == StopConditions(slot=3, on_failure=True)


def test_a_slot_before_which_a_run_was_taken_up_is_refused(tmp_path: Path) -> None:
    simulation = with_stops(StopConditions(slot=12), tmp_path)
    stops(simulation, then=Simulation.stop)
    again = taken_up(tmp_path, simulation)

    with pytest.raises(ScheduleError, match="the run is past slot 11: slot 12 is next"):
        again.stop_conditions = StopConditions(slot=11)
    again.close()


# A failure


def test_a_run_stops_at_the_first_attempt_that_fails_before_it_is_tried_again() -> None:
    simulation = with_stops(StopConditions(on_failure=True), venue=FLAKY)
    attempts: list[int] = []

    def look(run: Simulation) -> None:
        attempts.append(run.slots[3].attempt_count)
        run.go()

    assert stops(simulation, then=look) == [("slot 3: attempt 1 failed", 3)]
    assert (attempts, simulation.slots[3].attempt_count) == ([1], 2)


def test_a_retry_that_is_decided_waits_for_go_too() -> None:
    simulation = with_stops(StopConditions(on_failure=True), processor={"max_retries": 0}, venue=FLAKY)
    attempts: list[int] = []

    def look(run: Simulation) -> None:
        attempts.append(run.slots[3].attempt_count)
        run.go()

    stops(simulation, RETRY, look)
    assert (attempts, simulation.slots[3].attempt_count) == ([1], 2)


def test_a_step_is_held_up_by_a_failure() -> None:
    venue = faults(outages=[{"from_slot": 0, "slots": 1, "attempts": 1}])
    simulation = with_stops(StopConditions(on_failure=True), venue=venue)

    async def script() -> None:
        async with anyio.create_task_group() as group:
            simulation.step()
            group.start_soon(simulation.run, SKIP)
            await anyio.sleep(0.03)
            assert (simulation.stopped_by, simulation.slots[0].attempt_count) == ("slot 0: attempt 1 failed", 1)
            simulation.step()
            await anyio.sleep(0.03)
            assert simulation.slots[0].state is SlotState.COMPLETED
            simulation.stop()

    anyio.run(script)


def test_a_run_stopped_while_a_decided_retry_is_held_ends_as_if_it_was_not(tmp_path: Path) -> None:
    processor = {"max_retries": 0}
    simulation = with_stops(StopConditions(on_failure=True), tmp_path, processor=processor, venue=FLAKY)
    stops(simulation, RETRY, Simulation.stop)
    again = taken_up(tmp_path, simulation)
    run(again, RETRY)
    again.close()

    assert again.state_hash() == finished(None, RETRY, processor=processor, venue=FLAKY).state_hash()


# A budget


def exact_budgets() -> dict[str, Any]:
    """Budgets that are what all slots of an account together give, so that each runs out with its last."""
    at_the_reference: dict[str, Any] = {"scheduler": {"bid_price_offset": "1", "ask_price_offset": "1"}}
    sums: dict[tuple[str, str], Decimal] = {}
    for slot in a_simulation(**at_the_reference).slots:
        key = slot.account_id, slot.action.bid_asset
        sums[key] = sums.get(key, Decimal(0)) + slot.action.bid_amount
    specs = [{"account_id": account, "asset_id": asset, "amount": str(amount)} for (account, asset), amount in sums.items()]
    return {"budget": {"budgets": specs}, **at_the_reference}


def recounted(simulation: Simulation) -> list[str]:
    """The budgets that have nothing left, in words."""
    return sorted(f"{b.account.name} has no {b.asset.symbol} left" for b in simulation.budgets if b.initial and b.is_depleted())


def every_time(conditions: StopConditions) -> Act:
    """Set the conditions again at every pause, and go on."""

    def again(run: Simulation) -> None:
        run.stop_conditions = conditions
        run.go()

    return again


def test_a_run_stops_when_a_budget_has_nothing_left() -> None:
    simulation = with_stops(StopConditions(on_depleted=True), **exact_budgets())
    left: list[list[str]] = []

    def look(run: Simulation) -> None:
        left.append(recounted(run))
        run.go()

    (words, _), *_ = stops(simulation, then=look)
    assert words.split("; ") == left[0]


def test_every_budget_that_runs_out_stops_the_run_once_where_that_is_set_again() -> None:
    conditions = StopConditions(on_depleted=True)
    simulation = with_stops(conditions, **exact_budgets())
    words = [text for stop, _ in stops(simulation, then=every_time(conditions)) for text in stop.split("; ")]

    assert sorted(words) == recounted(simulation)
    assert len(words) == 12


def test_a_budget_that_ran_out_before_stops_nothing(tmp_path: Path) -> None:
    conditions = StopConditions(on_depleted=True)
    simulation = with_stops(conditions, tmp_path, **exact_budgets())
    (first, _), *_ = stops(simulation, then=Simulation.stop)
    again = taken_up(tmp_path, simulation)
    again.stop_conditions = conditions
    (second, _), *_ = stops(again)
    again.close()

    assert first != second


def test_a_budget_that_failed_orders_ask_for_again_ran_out_once() -> None:
    conditions, sections = StopConditions(on_depleted=True), exact_budgets()
    simulation = with_stops(conditions, **{**sections, "scheduler": {**sections["scheduler"], "rounds": 2}})
    words = [text for stop, _ in stops(simulation, then=every_time(conditions)) for text in stop.split("; ")]

    assert sorted(words) == recounted(simulation)
    assert simulation.stats.skipped_slots


def test_a_budget_of_nothing_is_not_one_that_runs_out() -> None:
    simulation = with_stops(StopConditions(on_depleted=True), budget={"budgets": [{"asset_id": "USD", "amount": 10**9}]})

    assert stops(simulation) == []


# A verdict


def test_a_run_in_which_all_is_matched_does_not_stop() -> None:
    assert stops(with_stops(ALL, budget={"budgets": [{"amount": 10**9}]})) == []


@pytest.mark.parametrize("slot", [2, 3])
@pytest.mark.parametrize("decider", [SKIP, CONTINUE], ids=["skip", "continue"])
def test_a_run_stops_when_a_pair_has_ended_without_its_match(slot: int, decider: Decider) -> None:
    venue = faults(outages=[{"from_slot": slot, "slots": 1, "attempts": 2}])

    # The first slot of a pair is not through before the second has ended.
    assert stops(with_stops(StopConditions(on_verdict=True), venue=venue), decider) == [("slot 3 is unmatched", 4)]


def test_a_slot_that_nobody_has_to_match_stops_the_run_as_it_ends() -> None:
    simulation = with_stops(StopConditions(on_verdict=True), scheduler={"matching_strategy": "any"}, venue=DOWN)

    assert stops(simulation) == [("slot 3 is unmatched", 4)]


def test_an_order_that_still_rests_stops_nothing() -> None:
    apart = {"matching_strategy": "any", "bid_price_offset": "1.02", "ask_price_offset": "0.98", "alternate_sides": False}
    simulation = with_stops(StopConditions(on_verdict=True), scheduler=apart, venue=DOWN)
    (_, ended), *_ = stops(simulation)

    assert ended == 4


def test_a_slot_that_was_unmatched_before_stops_nothing(tmp_path: Path) -> None:
    simulation = with_stops(StopConditions(on_verdict=True), tmp_path, venue=DOWN)
    stops(simulation, then=Simulation.stop)
    again = taken_up(tmp_path, simulation)
    again.stop_conditions = StopConditions(on_verdict=True)

    assert stops(again) == []
    again.close()


def second_only(slot: ActionSlot, settlement: Any) -> str:
    """A venue elsewhere that refuses slot 2, and fills all others as they come."""
    if slot.sequence == 2:
        raise Rejected("no")
    settlement.fill(slot.action.market.quantity(slot.action.quantity))
    return f"order-{slot.sequence}"


def test_the_first_of_a_pair_is_named_when_only_the_second_was_matched() -> None:
    venue = {"kind": "python", "target": "tests.engine.test_stopping:second_only"}

    assert stops(with_stops(StopConditions(on_verdict=True), venue=venue)) == [("slot 2 is unmatched", 4)]


def test_what_was_given_up_by_hand_stops_nothing() -> None:
    simulation = a_simulation(venue=faults(outages=[{"from_slot": 4, "slots": 4, "attempts": 2}]))
    run(simulation, CONTINUE)
    simulation.stop_conditions = StopConditions(on_verdict=True)
    simulation.skip_failed([4, 5])

    assert stops(simulation, revisit=True) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(1, 10**6), strategy=st.sampled_from(["sequential_next", "any"]), skip=st.booleans())
def test_every_pair_that_is_not_matched_stops_the_run_where_that_is_set_again(seed: int, strategy: str, skip: bool) -> None:
    conditions = StopConditions(on_verdict=True)
    venue = faults(rejection_rate=0.15, transient_rate=0.1)
    simulation = with_stops(conditions, seed=seed, scheduler={"matching_strategy": strategy}, venue=venue)
    words = [word for word, _ in stops(simulation, SKIP if skip else CONTINUE, every_time(conditions))]
    missed = [slot for slot in simulation.slots if slot.verdict is not Verdict.MATCHED]
    at_the_end = [slot for slot in missed if slot.state is SlotState.COMPLETED and strategy == "any"]

    assert {int(word.split()[1]) // 2 for word in words} >= {slot.pair for slot in missed if slot not in at_the_end}
    assert {int(word.split()[1]) for word in words} <= {slot.sequence for slot in missed}


# All of them


def test_a_condition_that_made_the_run_pause_is_off_and_the_others_stay() -> None:
    simulation = with_stops(StopConditions(slot=20, on_failure=True, on_verdict=True), venue=DOWN)
    seen: list[StopConditions] = []

    def look(run: Simulation) -> None:
        seen.append(run.stop_conditions)
        run.go()

    words = [word for word, _ in stops(simulation, then=look)]
    assert words == ["slot 3: attempt 1 failed", "slot 3 is unmatched", "slot 20 is next"]
    assert seen == [StopConditions(slot=20, on_verdict=True), StopConditions(slot=20), StopConditions()]


def test_a_run_that_paused_by_itself_ends_as_one_that_did_not() -> None:
    simulation = with_stops(ALL, venue=DOWN)
    stops(simulation)

    assert simulation.state_hash() == finished(venue=DOWN).state_hash()


def test_conditions_on_a_decided_slot_add_up() -> None:
    simulation = with_stops(StopConditions(on_failure=True, on_verdict=True), processor={"max_retries": 0}, venue=DOWN)
    words: list[str] = []

    def look(run: Simulation) -> None:
        if run.slots[3].is_ended:  # until then there is more to come
            words.append(run.stopped_by)
            run.go()

    stops(simulation, then=look)
    assert words == ["slot 3: attempt 1 failed; slot 3 is unmatched"]


def test_going_on_forgets_what_made_the_run_pause() -> None:
    simulation = with_stops(StopConditions(slot=12))
    stops(simulation)

    assert simulation.stopped_by == ""


def test_a_run_that_pauses_by_itself_is_saved(tmp_path: Path) -> None:
    simulation = with_stops(StopConditions(slot=12), tmp_path, processor={"save_after_each_slot": False})
    saved: list[int] = []

    def look(run: Simulation) -> None:
        saved.append(StatePersistence(tmp_path).load(run.id).stats.completed_slots)
        run.go()

    stops(simulation, then=look)
    simulation.close()
    assert saved == [12]


def test_what_the_last_slot_was_to_pause_for_does_not_keep_the_run_from_its_end() -> None:
    venue = faults(outages=[{"from_slot": 39, "slots": 1, "attempts": 2}])
    simulation = with_stops(StopConditions(on_verdict=True), venue=venue)

    assert stops(simulation, then=lambda _: None) == [("slot 39 is unmatched", 40)]
    assert (simulation.status, simulation.stopped_by, simulation.control.paused) == (RunStatus.DONE, "", False)


def test_a_run_at_full_speed_is_not_looked_at_without_conditions() -> None:
    simulation = with_stops(StopConditions(slot=3, on_depleted=True, on_verdict=True))
    simulation.stop_conditions = StopConditions(on_failure=True)

    assert not simulation.control.held
    assert not simulation.control.watching


def test_a_revisit_stops_before_a_slot() -> None:
    simulation = a_simulation(venue=faults(outages=[{"from_slot": 4, "slots": 8, "attempts": 2}]))
    run(simulation, CONTINUE)
    simulation.stop_conditions = StopConditions(slot=7)
    seen: list[str] = []

    def look(run: Simulation) -> None:
        seen.extend(states(run.slots[4:12]))
        run.go()

    assert stops(simulation, CONTINUE, look, revisit=True) == [("slot 7 is next", 35)]
    assert seen == ["Completed"] * 3 + ["Pending"] * 5


def test_a_revisit_stops_at_a_failure() -> None:
    simulation = a_simulation(venue=faults(outages=[{"from_slot": 4, "slots": 1, "attempts": 3}]))
    run(simulation, CONTINUE)
    simulation.stop_conditions = ALL

    assert [word for word, _ in stops(simulation, CONTINUE, revisit=True)] == ["slot 4: attempt 3 failed"]


def test_a_stop_while_paused_by_a_condition_ends_the_run() -> None:
    simulation = with_stops(StopConditions(slot=5))
    stops(simulation, then=Simulation.stop)

    assert (simulation.status, simulation.stopped_by, run(simulation)) == (RunStatus.STOPPED, "", Ending.DONE)
