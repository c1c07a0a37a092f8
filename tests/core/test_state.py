"""The state of a run: statistics by increments, the place where it goes on, and a hash of what matters."""

from collections.abc import Callable
from copy import deepcopy

import pytest
from hypothesis import given

from orderbook_tui.core.journal import Execution, RecoveryAction
from orderbook_tui.core.slot import SlotState, Verdict
from orderbook_tui.core.state import SimulationState, state_hash
from tests.builders import PERMANENT, TRANSIENT, a_plan, ask, bid, schedule, slots_of, small_market
from tests.core.by_hand import Run
from tests.core.flows import runs

USD_BTC = small_market()


def a_run() -> Run:
    slots = schedule(4, 4, 2)
    return Run(a_plan(slots), slots)


@given(runs())
def test_statistics_kept_by_increments_equal_a_recount(run: Run) -> None:
    run.to_the_end()
    assert run.state.stats == run.state.recount()


@given(runs())
def test_the_counts_of_the_states_sum_to_the_slots(run: Run) -> None:
    run.to_the_end()
    stats = run.state.stats
    ended = stats.completed_slots + stats.failed_slots + stats.skipped_slots
    assert (ended, stats.pending_slots) == (len(run.slots), 0)


def test_a_slot_in_progress_counts_as_pending() -> None:
    run = a_run()
    run.fail(run.slots[0], TRANSIENT)
    assert run.state.stats.pending_slots == 16


def test_an_execution_is_one_match() -> None:
    run = a_run()
    run.to_the_end()
    assert run.state.recount().total_matches == 8


def test_every_order_accepted_was_created() -> None:
    run = a_run()
    run.to_the_end()
    assert run.state.recount().total_orders_created == 16


def test_the_current_slot_is_the_first_that_has_not_ended() -> None:
    run = a_run()
    for slot in run.slots[:5]:
        run.step(slot)
    assert run.state.current_slot_index == 5


def test_the_current_slot_of_a_finished_run_is_past_the_last() -> None:
    run = a_run()
    run.to_the_end()
    assert run.state.current_slot_index == 16


def test_a_slot_that_is_revisited_is_the_current_one() -> None:
    run = a_run()
    run.fail(run.slots[0], PERMANENT)
    run.decide(run.slots[0], RecoveryAction.CONTINUE)
    for slot in run.slots[1:]:
        run.step(slot)
    was = run.state.current_slot_index
    run.slots[0].begin(0)
    assert (was, run.state.current_slot_index) == (16, 0)


def test_verdicts_count_every_slot_that_has_ended() -> None:
    run = a_run()
    for slot in run.slots[:6]:
        run.step(slot)
    assert run.state.verdicts() == {Verdict.MATCHED: 6, Verdict.PARTLY: 0, Verdict.BY_ANOTHER: 0, Verdict.UNMATCHED: 0}


def test_open_slots_come_in_the_order_in_which_they_were_placed() -> None:
    slots = slots_of(*[("a", bid(USD_BTC, 1, price)) for price in (10, 12, 11)])
    run = Run(a_plan(slots), slots)
    for sequence in (2, 0, 1):
        run.place(slots[sequence])
    run.cancel(slots[0])
    assert [slot.sequence for slot in run.state.open_slots()] == [2, 1]


def test_an_order_placed_again_stands_behind_those_placed_before() -> None:
    slots = slots_of(*[("a", bid(USD_BTC, 1, 10)) for _ in range(3)])
    run = Run(a_plan(slots), slots)
    run.to_the_end()
    run.cancel(slots[0])
    run.place_again(slots[0])
    assert [slot.sequence for slot in run.state.open_slots()] == [1, 2, 0]


def test_an_order_placed_again_is_one_more_order() -> None:
    slots = slots_of(("a", bid(USD_BTC, 1, 10)))
    run = Run(a_plan(slots), slots)
    run.to_the_end()
    run.cancel(slots[0])
    run.place_again(slots[0])
    assert run.state.recount().total_orders_created == 2


def test_a_fill_by_an_outsider_is_one_match() -> None:
    slots = slots_of(("a", bid(USD_BTC, 1, 10)))
    run = Run(a_plan(slots), slots)
    run.to_the_end()
    run.settlement.execute(Execution(0, -1, 10, 1, 0, 0, 0, "x"))
    assert run.state.recount().total_matches == 1


def test_a_state_of_slots_alone_plans_their_accounts_and_markets() -> None:
    state = SimulationState(schedule(3, 2, 2))
    assert ([account.id for account in state.plan.accounts], [market.symbol for market in state.plan.markets]) == (
        ["a", "b", "c"],
        ["C0-USD", "C1-USD"],
    )


# The hash


def finished(change: Callable[[Run], None] = lambda run: None) -> str:
    """The hash of a run of three orders, after `change`."""
    slots = slots_of(("a", ask(USD_BTC, 4, 90)), ("b", bid(USD_BTC, 10, 100)), ("a", ask(USD_BTC, 1, 200)))
    run = Run(a_plan(slots), slots)
    run.to_the_end()
    change(run)
    return state_hash(run.state, run.budgets)


def shift_times(run: Run) -> None:
    for slot in run.slots:
        for attempt in slot.attempts:
            attempt.started += 10**9
            attempt.ended += 10**10


def rename_orders(run: Run) -> None:
    for slot in run.slots:
        slot.run = "another"
        slot.attempts[-1].order_id = f"venue-{slot.sequence}"


def name_the_run(run: Run) -> None:
    run.state.id, run.state.created_at, run.state.saved_at = "id", 5, 6


@pytest.mark.parametrize("change", [shift_times, rename_orders, name_the_run])
def test_times_and_ids_are_not_in_the_hash(change: Callable[[Run], None]) -> None:
    assert finished(change) == finished()


def move_money(run: Run) -> None:
    run.budgets.budget("a", "USD").received += 1


def fail_another_way(run: Run) -> None:
    run.slots[2].attempts[-1].failure = PERMANENT


def lose_a_fill(run: Run) -> None:
    run.slots[0].first_fill = None


def change_a_state(run: Run) -> None:
    run.slots[2].state = SlotState.SKIPPED


def change_the_plan(run: Run) -> None:
    run.slots[2].action = ask(USD_BTC, 1, 201)


def change_an_account(run: Run) -> None:
    run.slots[2].account_id = "b"


@pytest.mark.parametrize(
    "change", [move_money, fail_another_way, lose_a_fill, change_a_state, change_the_plan, change_an_account]
)
def test_what_came_of_a_run_is_in_the_hash(change: Callable[[Run], None]) -> None:
    assert finished(change) != finished()


def test_decisions_are_in_the_hash() -> None:
    hashes = set()
    for action in (RecoveryAction.SKIP, RecoveryAction.CONTINUE):
        run = a_run()
        run.fail(run.slots[0], PERMANENT)
        run.decide(run.slots[0], action)
        hashes.add(state_hash(run.state, run.budgets))
    assert len(hashes) == 2


def test_names_of_accounts_are_not_in_the_hash() -> None:
    hashes = set()
    for name in ("a", "some-other-id"):
        slots = slots_of((name, bid(USD_BTC, 1, 10)))
        run = Run(a_plan(slots), slots)
        run.to_the_end()
        hashes.add(state_hash(run.state, run.budgets))
    assert len(hashes) == 1


# A journal made afterwards


def test_what_slots_went_through_without_a_journal_is_added_to_it() -> None:
    slots = slots_of(("a", bid(USD_BTC, 1, 10)), ("b", ask(USD_BTC, 1, 10)))
    aside, state = Run(a_plan(slots), slots), SimulationState(slots)
    aside.fail(slots[0], TRANSIENT)
    aside.fail(slots[0], PERMANENT)
    aside.decide(slots[0], RecoveryAction.RETRY)
    aside.place(slots[0])
    state.journal_missing()
    assert state.journal == aside.state.journal


def test_what_is_in_the_journal_is_not_added_twice() -> None:
    run = a_run()
    run.fail(run.slots[0], PERMANENT)
    run.decide(run.slots[0], RecoveryAction.SKIP)
    before = deepcopy(run.state.journal)
    run.state.journal_missing()
    assert run.state.journal == before
