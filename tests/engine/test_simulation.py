"""One run wired together: from a configuration to its end, stopped and taken up anywhere on the way."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderbook_tui.config import load_config, parse_config
from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import ActionSlot, SlotState, Verdict
from orderbook_tui.engine.bookkeeper import Bookkeeper
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import Decider
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.errors import CheckpointInUse, ConfigError
from tests.engine.runs import (
    CONTINUE,
    QUIT,
    RETRY,
    SKIP,
    ByAttempts,
    Never,
    Scripted,
    a_config,
    a_simulation,
    faults,
    finished,
    run,
    states,
    statuses,
    stopping_after,
    taken_up,
)

EXAMPLES = Path(__file__).parents[2] / "configs"
FEES = {"maker": "0.0002", "taker": "0.0005"}
OUTAGE = faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 2}])
FAULTY = {"kind": "embedded", "fees": FEES, "faults": {"transient_rate": 0.1, "rejection_rate": 0.05}}
CROSSING: dict[str, dict[str, Any]] = {
    "directed": {},
    "any with resting orders": {
        "scheduler": {
            "matching_strategy": "any",
            "ask_price_offset": "0.98",
            "bid_price_offset": "1.02",
            "alternate_sides": False,
        },
        "processor": {"cancel_open_orders_at_end": False},
        "venue": {"kind": "embedded", "faults": {"rejection_rate": 0.2}},
    },
    "fees, faults, skip": {"venue": FAULTY},
    "fees, faults, continue": {"venue": FAULTY},
    "outages, decided by hand": {"venue": faults(outages=[{"from_slot": 5, "slots": 9, "attempts": 3}], transient_rate=0.1)},
    "latency": {"venue": faults(latency_ms=[0, 1], transient_rate=0.1)},
    "budgets that run out": {"budget": {"budgets": [{"amount": 9_000}]}},
    "grouped commits": {"processor": {"save_after_each_slot": False}, "venue": FAULTY},
}
DECIDERS: dict[str, Decider] = {"fees, faults, continue": CONTINUE, "outages, decided by hand": ByAttempts()}


def test_a_new_run_is_ready() -> None:
    assert a_simulation().status is RunStatus.READY


def test_a_run_that_is_done_says_so() -> None:
    simulation = a_simulation()

    assert (run(simulation), simulation.status) == (Ending.DONE, RunStatus.DONE)


def test_a_run_completes_every_slot() -> None:
    simulation = finished()

    assert set(states(simulation.slots)) == {"Completed"}


def test_every_pair_is_matched_by_its_counterparty() -> None:
    assert finished().state.verdicts()[Verdict.MATCHED] == 40


def test_a_subscriber_sees_every_status() -> None:
    simulation = a_simulation(venue=OUTAGE)
    seen = statuses(simulation)
    run(simulation, Scripted(RecoveryAction.RETRY))

    assert seen == ["RUNNING", "WAITING FOR YOU", "RUNNING", "STOPPED", "DONE"]


def test_a_subscriber_sees_the_question() -> None:
    simulation = a_simulation(venue=OUTAGE)
    seen: list[str] = []
    simulation.subscribe(lambda run: seen.append(run.question.in_words()) if run.question else None)
    run(simulation, RETRY)

    order = "Bid 0.070874 BTC-USD"
    why = "the venue is down (outage, attempt 2 of 2 that fail)"
    assert seen == [f"slot 3 of test-account-3, {order}, failed after 2 attempts: {why}"]


def test_whoever_ends_a_subscription_hears_no_more() -> None:
    simulation = a_simulation()
    seen: list[RunStatus] = []
    simulation.subscribe(lambda run: seen.append(run.status))()
    run(simulation)

    assert seen == []


def test_a_question_names_what_the_order_needs_and_what_is_there() -> None:
    simulation = a_simulation(budget={"budgets": [{"amount": 1}]})
    needs: list[tuple[str, bool]] = []
    simulation.subscribe(
        lambda run: (
            needs.append((run.question.asset, (run.question.needed or 0) > (run.question.available or 0)))
            if run.question
            else None
        )
    )
    run(simulation, QUIT)

    assert needs == [("USD", True)]


@pytest.mark.parametrize("name", CROSSING)
def test_every_invariant_holds_at_the_end(name: str) -> None:
    simulation = finished(None, DECIDERS.get(name, SKIP), **CROSSING[name])

    assert [rule for rule, holds in simulation.invariants().items() if not holds] == []


# Stopped and taken up


@pytest.mark.parametrize("name", CROSSING)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(1, 25), min_size=1, max_size=4), in_process=st.booleans())
def test_wherever_a_run_is_stopped_it_ends_as_if_it_was_not(
    tmp_path_factory: pytest.TempPathFactory, name: str, stops: list[int], in_process: bool
) -> None:
    folder, decider, sections = tmp_path_factory.mktemp("runs"), DECIDERS.get(name, SKIP), CROSSING[name]
    simulation = a_simulation(folder, **sections)
    for events in stops:
        with stopping_after(simulation, events):
            run(simulation, decider)
        if not in_process:
            simulation = taken_up(folder, simulation)
    run(simulation, decider)
    simulation.close()

    assert simulation.state_hash() == finished(None, decider, **sections).state_hash()


@pytest.mark.parametrize("name", CROSSING)
def test_every_invariant_holds_wherever_a_run_is_stopped(tmp_path: Path, name: str) -> None:
    simulation, broken = a_simulation(tmp_path, **CROSSING[name]), []
    while simulation.status is not RunStatus.DONE:
        with stopping_after(simulation, 7):
            run(simulation, DECIDERS.get(name, SKIP))
        simulation = taken_up(tmp_path, simulation)
        simulation.invariants()
        broken += [rule for rule, holds in simulation.invariants().items() if not holds]
    simulation.close()

    assert broken == []


@pytest.mark.parametrize("name", CROSSING)
def test_a_checkpoint_tells_the_same_as_the_run(tmp_path: Path, name: str) -> None:
    simulation = finished(tmp_path, DECIDERS.get(name, SKIP), **CROSSING[name])

    assert Simulation.look(simulation.id, tmp_path).state_hash() == simulation.state_hash()


def test_a_stop_ends_a_run_as_stopped(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path)
    with stopping_after(simulation, 10):
        assert run(simulation) is Ending.STOPPED
    simulation.close()

    assert simulation.status is RunStatus.STOPPED


def test_a_stopped_run_has_its_slots_saved(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path, processor={"save_after_each_slot": False})
    with stopping_after(simulation, 10):
        run(simulation)

    assert StatePersistence(tmp_path).load(simulation.id).stats.completed_slots == 10
    simulation.close()


def test_a_run_that_was_quit_is_taken_up_at_that_slot(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path, venue=OUTAGE)
    run(simulation, QUIT)
    again = taken_up(tmp_path, simulation)

    assert (again.state.current_slot_index, run(again), again.slots[3].attempt_count) == (3, Ending.DONE, 3)
    again.close()


def test_a_run_in_use_is_not_taken_up(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path)
    with stopping_after(simulation, 10):
        run(simulation)

    with pytest.raises(CheckpointInUse):
        Simulation.resume(simulation.id, tmp_path)
    simulation.close()


def test_a_run_in_use_can_be_looked_at(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path)
    with stopping_after(simulation, 10):
        run(simulation)

    assert Simulation.look(simulation.id, tmp_path).stats.completed_slots == 10
    simulation.close()


def test_a_run_that_never_started_leaves_nothing(tmp_path: Path) -> None:
    a_simulation(tmp_path / "runs").close()

    assert list(tmp_path.iterdir()) == []


def test_a_run_in_memory_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    finished(None)

    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_done_is_read_when_taken_up(tmp_path: Path) -> None:
    simulation = finished(tmp_path)

    assert Simulation.resume(simulation.id, tmp_path).status is RunStatus.DONE


# Pause and step


def held(simulation: Simulation, *, steps: int) -> int:
    """Run it paused, with so many steps; return how many slots have ended."""
    simulation.pause()

    async def script() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, SKIP)
            for _ in range(steps):
                before = simulation.stats.pending_slots
                simulation.step()
                with anyio.fail_after(10):
                    while simulation.stats.pending_slots == before:  # noqa: ASYNC110
                        await anyio.sleep(0.001)
            await anyio.sleep(0.01)
            simulation.stop()

    anyio.run(script)
    return simulation.stats.total_slots - simulation.stats.pending_slots


def test_a_run_that_starts_paused_runs_nothing() -> None:
    assert held(a_simulation(), steps=0) == 0


def test_a_paused_run_says_so() -> None:
    simulation = a_simulation()
    seen = statuses(simulation)
    held(simulation, steps=0)

    assert seen == ["PAUSED", "STOPPED"]


def test_each_step_runs_one_slot() -> None:
    assert held(a_simulation(), steps=5) == 5


def test_a_run_in_steps_ends_as_one_at_full_speed() -> None:
    simulation = a_simulation(venue=OUTAGE)
    held(simulation, steps=6)
    simulation.go()
    run(simulation)

    assert simulation.state_hash() == finished(venue=OUTAGE).state_hash()


def test_pausing_saves(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path, processor={"save_after_each_slot": False})
    saved: list[int] = []

    async def script() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, SKIP)
            while simulation.stats.completed_slots < 5:  # noqa: ASYNC110
                await anyio.sleep(0.0001)
            simulation.pause()
            saved.append(StatePersistence(tmp_path).load(simulation.id).stats.completed_slots)
            simulation.stop()

    anyio.run(script)
    simulation.close()
    assert saved[0] >= 5


def test_a_stop_while_a_question_is_open_keeps_it_for_later(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path, venue=OUTAGE)
    simulation.subscribe(lambda run: run.stop() if run.question else None)
    assert run(simulation, Never()) is Ending.STOPPED
    again, decider = taken_up(tmp_path, simulation), Scripted(RecoveryAction.RETRY)
    run(again, decider)
    again.close()

    assert (decider.asked, again.slots[3].attempt_count) == ([3], 3)


# Revisiting


REVISITS = {"first of its pair": 2, "second of its pair": 3}


def continued(slot: int, folder: Path | None = None, **more: Any) -> Simulation:
    """A run in which that slot failed, and was continued past."""
    simulation = a_simulation(folder, venue=faults(outages=[{"from_slot": slot, "slots": 1, "attempts": 2}], **more))
    run(simulation, CONTINUE)
    return simulation


@pytest.mark.parametrize("slot", REVISITS.values(), ids=REVISITS)
def test_a_pair_that_lost_a_slot_is_unmatched(slot: int) -> None:
    assert continued(slot).state.verdicts()[Verdict.UNMATCHED] == 2


@pytest.mark.parametrize("slot", REVISITS.values(), ids=REVISITS)
def test_revisiting_a_failed_slot_matches_its_pair(slot: int) -> None:
    simulation = continued(slot)
    anyio.run(simulation.revisit, CONTINUE)

    assert simulation.state.verdicts()[Verdict.MATCHED] == 40


@pytest.mark.parametrize("slot", REVISITS.values(), ids=REVISITS)
def test_revisiting_works_behind_latency(slot: int) -> None:
    simulation = continued(slot, latency_ms=[0, 1])
    anyio.run(simulation.revisit, CONTINUE)

    assert simulation.state.verdicts()[Verdict.MATCHED] == 40


def test_revisiting_both_slots_of_a_pair_matches_it() -> None:
    simulation = a_simulation(venue=faults(outages=[{"from_slot": 2, "slots": 2, "attempts": 2}]))
    run(simulation, CONTINUE)
    anyio.run(simulation.revisit, CONTINUE)

    assert simulation.state.verdicts()[Verdict.MATCHED] == 40


@pytest.mark.parametrize("slot", REVISITS.values(), ids=REVISITS)
def test_every_invariant_holds_after_a_revisit(slot: int) -> None:
    simulation = continued(slot)
    anyio.run(simulation.revisit, CONTINUE)

    assert all(simulation.invariants().values())


def test_statistics_are_right_while_slots_are_revisited() -> None:
    simulation = a_simulation(venue=faults(outages=[{"from_slot": 2, "slots": 6, "attempts": 2}]))
    run(simulation, CONTINUE)
    seen: list[bool] = []
    ended = Bookkeeper.slot_ended

    def look(keeper: Bookkeeper, slot: ActionSlot) -> None:
        ended(keeper, slot)
        seen.append(simulation.stats == simulation.state.recount())

    with patch.object(Bookkeeper, "slot_ended", look):
        anyio.run(simulation.revisit, CONTINUE)

    assert seen == [True] * 6


@pytest.mark.parametrize("slot", REVISITS.values(), ids=REVISITS)
def test_a_revisit_that_was_quit_is_taken_up_and_matches_its_pair(tmp_path: Path, slot: int) -> None:
    simulation = a_simulation(tmp_path, venue=faults(outages=[{"from_slot": slot, "slots": 1, "attempts": 4}]))
    run(simulation, CONTINUE)
    anyio.run(simulation.revisit, QUIT)
    again = taken_up(tmp_path, simulation)
    run(again, CONTINUE)
    again.close()

    assert again.state.verdicts()[Verdict.MATCHED] == 40


def test_a_revisit_of_a_run_that_was_stopped_leaves_the_second_slot_its_counterparty() -> None:
    simulation = a_simulation(venue=faults(outages=[{"from_slot": 2, "slots": 1, "attempts": 2}]))
    with stopping_after(simulation, 5):  # two slots, two attempts and a failed slot
        run(simulation, CONTINUE)
    assert states(simulation.slots[2:4]) == ["Failed", "Pending"]
    anyio.run(simulation.revisit, CONTINUE)
    run(simulation)

    assert simulation.state.verdicts()[Verdict.MATCHED] == 40


def test_a_revisit_survives_another_life(tmp_path: Path) -> None:
    simulation = continued(3, tmp_path)
    anyio.run(simulation.revisit, CONTINUE)
    simulation.close()

    assert Simulation.look(simulation.id, tmp_path).state_hash() == simulation.state_hash()


# Filters


def test_a_filter_runs_whole_pairs() -> None:
    simulation = a_simulation()
    simulation.select(markets=["BTC-USD"])
    run(simulation)

    assert {slot.pair for slot in simulation.slots if slot.is_ended} == {
        slot.pair for slot in simulation.slots if slot.action.market.symbol == "BTC-USD"
    }


def test_an_account_is_filtered_with_its_counterparties() -> None:
    simulation = a_simulation()
    simulation.select(accounts=["test-account-1"])
    run(simulation)
    chosen = simulation.slots[0].account_id

    assert all(
        slot.is_ended == (chosen in (slot.account_id, simulation.slots[slot.partner].account_id)) for slot in simulation.slots
    )


def test_a_later_run_does_the_rest(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path)
    simulation.select(markets=["ETH-USD"])
    run(simulation)
    again = taken_up(tmp_path, simulation)
    run(again)
    again.close()

    assert again.stats.completed_slots == 40


@pytest.mark.parametrize(("markets", "accounts"), [(["XRP-USD"], []), ([], ["nobody"])])
def test_a_filter_by_an_unknown_name_is_refused(markets: list[str], accounts: list[str]) -> None:
    with pytest.raises(ConfigError, match="of this run"):
        a_simulation().select(markets, accounts)


# What is left open


def half_matched(**processor: bool) -> Simulation:
    """A run under `any` whose slot 3 was skipped, so that an order stays."""
    return finished(venue=OUTAGE, scheduler={"matching_strategy": "any", "trades_per_account": 1}, processor=processor)


def test_what_is_left_of_a_pair_is_cancelled_when_it_ends() -> None:
    simulation = a_simulation(venue=OUTAGE)
    with stopping_after(simulation, 6):
        run(simulation)

    assert (simulation.slots[2].state, simulation.slots[2].open) == (SlotState.COMPLETED, 0)


def test_open_orders_are_cancelled_at_the_end() -> None:
    assert half_matched(cancel_open_orders_at_end=True).state.open_slots() == []


def test_open_orders_stay_where_that_is_wanted() -> None:
    assert [slot.sequence for slot in half_matched(cancel_open_orders_at_end=False).state.open_slots()] == [2]


def test_nothing_is_locked_at_the_end() -> None:
    assert half_matched(cancel_open_orders_at_end=True).budgets.get_summary().total_locked == 0


# The preflight and the run agree


def test_exactly_the_slots_that_the_preflight_names_fail_in_the_small_example() -> None:
    simulation = Simulation.create(load_config(EXAMPLES / "page-example.json"), save=False)
    named = [refused.slot for refused in simulation.preflight().refused]
    run(simulation)

    assert named
    assert named == [slot.sequence for slot in simulation.slots if slot.state is not SlotState.COMPLETED]


def test_every_other_pair_of_the_small_example_is_matched() -> None:
    simulation = Simulation.create(load_config(EXAMPLES / "page-example.json"), save=False)
    pairs = {refused.slot // 2 for refused in simulation.preflight().refused}
    run(simulation)

    assert {slot.pair for slot in simulation.slots if slot.verdict is not Verdict.MATCHED} == pairs


def test_the_first_impression_asks_once_and_retry_cures_it() -> None:
    config = load_config(EXAMPLES / "simulator.json")
    quick = config.processor.model_copy(update={"slots_per_second": None, "retry_base_delay_ms": 0})
    simulation = Simulation.create(config.model_copy(update={"processor": quick}), save=False)
    decider = Scripted(RecoveryAction.RETRY)
    run(simulation, decider)

    assert (decider.asked, simulation.state.verdicts()[Verdict.MATCHED]) == ([12], 40)


def test_the_preflight_of_a_run_that_has_begun_is_that_of_its_start() -> None:
    simulation = a_simulation(budget={"budgets": [{"amount": 9_000}]})
    before = simulation.preflight()
    run(simulation)

    assert simulation.preflight() == before


# The large run


def large(**more: Any) -> dict[str, Any]:
    symbols = [f"C{n}-USD" for n in range(6)]
    return {
        "accounts": {"generate": {"count": 50}},
        "markets": [
            {"symbol": symbol, "base": symbol[:2], "quote": "USD", "reference_price": 100 * (n + 1)}
            for n, symbol in enumerate(symbols)
        ],
        "scheduler": {"trades_per_account": 400},
        "processor": {"max_retries": 9},
        "venue": {"kind": "embedded", "fees": FEES, "faults": {"transient_rate": 0.02}},
        **more,
    }


@pytest.fixture(scope="module")
def large_run() -> Simulation:
    return finished(**large())


def test_in_a_large_run_every_pair_is_matched(large_run: Simulation) -> None:
    assert large_run.state.verdicts()[Verdict.MATCHED] == 20_000


def test_a_large_run_meets_transient_faults(large_run: Simulation) -> None:
    assert sum(slot.attempt_count > 1 for slot in large_run.slots) == pytest.approx(400, abs=100)


def test_in_a_large_run_every_invariant_holds(large_run: Simulation) -> None:
    assert [rule for rule, holds in large_run.invariants().items() if not holds] == []


def test_at_the_end_of_a_large_run_nothing_is_locked(large_run: Simulation) -> None:
    assert large_run.budgets.get_summary().total_locked == 0


def test_a_large_run_charges_fees(large_run: Simulation) -> None:
    usd = large_run.budgets.get_summary().assets["USD"]

    assert usd.total_spent > usd.total_received


def test_a_large_run_that_is_stopped_often_ends_as_if_it_was_not(large_run: Simulation, tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path, **large())
    for _ in range(4):
        with stopping_after(simulation, 3_331):
            run(simulation)
        simulation = taken_up(tmp_path, simulation)
    run(simulation)
    simulation.close()

    assert simulation.state_hash() == large_run.state_hash()


# The hash


def test_equal_seeds_give_equal_hashes() -> None:
    assert finished(seed=7).state_hash() == finished(seed=7).state_hash()


def test_another_seed_gives_another_hash() -> None:
    assert finished(seed=7).state_hash() != finished(seed=8).state_hash()


@pytest.mark.parametrize(
    "sections",
    [
        {"name": "another"},
        {"state_dir": "elsewhere"},
        {"processor": {"slots_per_second": 100_000}},
        {"processor": {"retry_base_delay_ms": 1}},
        {"processor": {"save_after_each_slot": False}},
        {"venue": {"kind": "embedded", "faults": {"latency_ms": [0, 1]}}},
        {"accounts": {"generate": {"prefix": "other", "count": 4}}},
    ],
    ids=str,
)
def test_ids_paths_and_pacing_do_not_change_the_hash(sections: dict[str, Any]) -> None:
    assert finished(**sections).state_hash() == finished().state_hash()


def test_a_checkpoint_does_not_change_the_hash(tmp_path: Path) -> None:
    assert finished(tmp_path).state_hash() == finished().state_hash()


@pytest.mark.parametrize(
    "sections",
    [
        {"venue": {"kind": "embedded", "fees": FEES}},
        {"venue": OUTAGE},
        {"budget": {"budgets": [{"amount": 10**8}]}},
        {"scheduler": {"rounds": 2}},
        {"scheduler": {"matching_strategy": "any"}},
    ],
    ids=str,
)
def test_what_comes_of_a_run_changes_the_hash(sections: dict[str, Any]) -> None:
    assert finished(**sections).state_hash() != finished().state_hash()


def test_other_decisions_change_the_hash() -> None:
    assert finished(None, SKIP, venue=OUTAGE).state_hash() != finished(None, CONTINUE, venue=OUTAGE).state_hash()


# Other schedules


@pytest.mark.parametrize("status", ["inactive", "suspended"])
def test_a_market_that_is_not_active_is_named(status: str) -> None:
    markets = [
        {"symbol": f"{base}-USD", "base": base, "quote": "USD", "reference_price": 100, "status": state}
        for base, state in (("AAA", "active"), ("BBB", status))
    ]

    assert a_simulation(markets=markets).notes == [f"BBB-USD is {status}: it gets no slots"]


def test_a_schedule_of_one_s_own_can_be_run() -> None:
    config = parse_config(a_config())
    slots = Simulation.create(config, save=False).slots[:10]
    simulation = Simulation.create(config, save=False, slots=slots)
    run(simulation)

    assert simulation.stats.completed_slots == 10


def test_overridden_amounts_are_run() -> None:
    simulation = a_simulation()
    for slot in simulation.slots[:2]:
        slot.override(**{"ask_amount" if slot.action.side.word == "Bid" else "bid_amount": "0.5"})
    run(simulation)

    assert [slot.filled for slot in simulation.slots[:2]] == [500_000, 500_000]


def test_a_schedule_that_cannot_be_made_is_a_problem_of_the_scheduler() -> None:
    with pytest.raises(ConfigError, match=r"^(scheduler|accounts)"):
        a_simulation(accounts={"generate": {"count": 1}})


def test_orders_of_runs_that_are_saved_nowhere_go_by_names_of_their_own() -> None:
    venue = {"kind": "python", "target": "tests.venues.callables:plain"}
    names = [a_simulation(venue=venue).slots[0].client_order_id for _ in range(2)]

    assert names[0] != names[1]
    assert all(name.startswith("unsaved-") for name in names)
