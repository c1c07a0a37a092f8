"""Slots: the state machine, its attempts and decisions, and what may be asked of an order."""

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.core.action import OrderMatchingStrategy
from orderbook_tui.core.journal import Attempt, Decision, Execution, Failure, RecoveryAction
from orderbook_tui.core.slot import ActionSlot, SlotState, Verdict
from orderbook_tui.errors import AmountError, IllegalTransition
from tests.builders import PERMANENT, TRANSIENT, UNKNOWN, a_market, a_slot, ask, bid, small_market

LEGAL = {
    (SlotState.PENDING, SlotState.IN_PROGRESS),
    (SlotState.IN_PROGRESS, SlotState.COMPLETED),
    (SlotState.IN_PROGRESS, SlotState.FAILED),
    (SlotState.IN_PROGRESS, SlotState.SKIPPED),
    (SlotState.IN_PROGRESS, SlotState.PENDING),
    (SlotState.FAILED, SlotState.IN_PROGRESS),
    (SlotState.FAILED, SlotState.SKIPPED),
}


def decision(action: RecoveryAction, attempt: int = 1) -> Decision:
    return Decision(0, attempt, action, "test", 0)


def tried(*failures: Failure, max_retries: int = 3) -> ActionSlot:
    """A slot in progress whose attempts so far failed so."""
    slot = a_slot(max_retries=max_retries)
    for failure in failures:
        slot.begin(0)
        slot.fail_attempt(failure, 1)
    return slot


def slot_in(state: SlotState) -> ActionSlot:
    """A slot that came to this state as slots do."""
    if state is SlotState.PENDING:
        return a_slot()
    if state is SlotState.COMPLETED:
        slot = a_slot()
        slot.begin(0)
        slot.complete(7, 1)
        return slot
    slot = tried(PERMANENT)
    if state is SlotState.FAILED:
        slot.decide(decision(RecoveryAction.CONTINUE))
    elif state is SlotState.SKIPPED:
        slot.decide(decision(RecoveryAction.SKIP))
    return slot


@pytest.mark.parametrize(("state", "wanted"), sorted(LEGAL))
def test_a_slot_moves_along_an_arrow(state: SlotState, wanted: SlotState) -> None:
    slot = slot_in(state)
    slot.move(wanted)
    assert slot.state is wanted


@pytest.mark.parametrize(("state", "wanted"), sorted(set(product(SlotState, SlotState)) - LEGAL))
def test_a_slot_moves_nowhere_else_and_nothing_changes(state: SlotState, wanted: SlotState) -> None:
    slot = slot_in(state)
    before = deepcopy(slot)
    with pytest.raises(IllegalTransition, match=f"slot 0 is {state} and cannot become {wanted}"):
        slot.move(wanted)
    assert slot == before


OPERATIONS: dict[str, tuple[Callable[[ActionSlot], None], set[SlotState]]] = {
    "begin": (lambda slot: slot.begin(5), {SlotState.PENDING, SlotState.IN_PROGRESS, SlotState.FAILED}),
    "complete": (lambda slot: slot.complete(9, 6), {SlotState.IN_PROGRESS}),
    "fail_attempt": (lambda slot: slot.fail_attempt(TRANSIENT, 6), {SlotState.IN_PROGRESS}),
    "skip": (lambda slot: slot.decide(decision(RecoveryAction.SKIP)), {SlotState.IN_PROGRESS, SlotState.FAILED}),
    "continue": (lambda slot: slot.decide(decision(RecoveryAction.CONTINUE)), {SlotState.IN_PROGRESS}),
    "quit": (lambda slot: slot.decide(decision(RecoveryAction.QUIT)), {SlotState.IN_PROGRESS}),
    "retry": (lambda slot: slot.decide(decision(RecoveryAction.RETRY)), {SlotState.IN_PROGRESS, SlotState.FAILED}),
}


@pytest.mark.parametrize(
    ("operation", "state"),
    [(name, state) for name, (_, legal) in OPERATIONS.items() for state in SlotState if state not in legal],
)
def test_an_operation_out_of_place_raises_and_changes_nothing(operation: str, state: SlotState) -> None:
    slot = slot_in(state)
    before = deepcopy(slot)
    with pytest.raises(IllegalTransition):
        OPERATIONS[operation][0](slot)
    assert slot == before


@given(st.lists(st.sampled_from(sorted(OPERATIONS)), max_size=30))
def test_no_sequence_of_operations_leaves_the_state_machine(names: list[str]) -> None:
    slot = a_slot()
    for name in names:
        was, attempts = slot.state, slot.attempt_count
        operation, legal = OPERATIONS[name]
        if name in ("complete", "fail_attempt") and (not slot.attempts or slot.attempts[-1].ended):
            continue  # no attempt is under way
        if name == "begin" and slot.attempts and not slot.attempts[-1].ended:
            continue
        if was in legal:
            operation(slot)
            waits_its_turn = (was, name, slot.state) == (SlotState.FAILED, "retry", SlotState.PENDING)
            assert slot.state is was or (was, slot.state) in LEGAL or waits_its_turn
            assert slot.attempt_count == attempts + (name == "begin")
        else:
            with pytest.raises(IllegalTransition):
                operation(slot)
            assert (slot.state, slot.attempt_count) == (was, attempts)


def test_attempts_are_numbered_from_one() -> None:
    assert [attempt.number for attempt in tried(TRANSIENT, TRANSIENT, TRANSIENT).attempts] == [1, 2, 3]


def test_an_attempt_keeps_its_times_and_its_error() -> None:
    slot = a_slot()
    slot.begin(10)
    slot.fail_attempt(TRANSIENT, 20)
    assert slot.attempts == (Attempt(0, 1, 10, 20, None, TRANSIENT),)


def test_the_last_error_is_that_of_the_last_attempt() -> None:
    assert tried(TRANSIENT, PERMANENT).last_error is PERMANENT


def test_a_completed_slot_has_no_last_error() -> None:
    slot = tried(TRANSIENT)
    slot.begin(2)
    slot.complete(7, 3)
    assert slot.last_error is None


def test_the_order_id_is_what_the_venue_gave() -> None:
    assert slot_in(SlotState.COMPLETED).order_id == 7


@pytest.mark.parametrize("max_retries", [0, 1, 3])
def test_somebody_is_asked_after_the_first_try_and_all_retries(max_retries: int) -> None:
    slot = a_slot(max_retries=max_retries)
    asked = []
    for _ in range(max_retries + 1):
        slot.begin(0)
        slot.fail_attempt(TRANSIENT, 0)
        asked.append(slot.must_ask)
    assert asked == [False] * max_retries + [True]


@pytest.mark.parametrize("failure", [PERMANENT, UNKNOWN])
def test_somebody_is_asked_at_once_where_waiting_is_pointless(failure: Failure) -> None:
    assert tried(failure).must_ask


def test_nobody_is_asked_while_the_last_attempt_is_under_way() -> None:
    slot = tried(TRANSIENT, max_retries=1)
    slot.begin(2)
    assert not slot.must_ask


def test_nobody_is_asked_about_a_slot_that_has_not_begun() -> None:
    assert not a_slot(max_retries=0).must_ask


@pytest.mark.parametrize("state", [SlotState.COMPLETED, SlotState.FAILED, SlotState.SKIPPED])
def test_nobody_is_asked_about_a_slot_that_has_ended(state: SlotState) -> None:
    assert not slot_in(state).must_ask


def test_retry_allows_one_more_attempt() -> None:
    slot = tried(PERMANENT)
    slot.decide(decision(RecoveryAction.RETRY))
    assert not slot.must_ask


def test_to_retry_a_failed_slot_has_it_wait_its_turn_with_all_retries_afresh() -> None:
    slot = slot_in(SlotState.FAILED)
    slot.decide(decision(RecoveryAction.RETRY))
    assert (slot.state, slot.allowed_attempts) == (SlotState.PENDING, slot.attempt_count + 1 + slot.max_retries)


def test_who_has_a_failed_slot_revisited_does_not_answer_for_what_another_attempt_risks() -> None:
    asked, revisited = tried(UNKNOWN), tried(UNKNOWN)
    revisited.decide(decision(RecoveryAction.CONTINUE))
    for slot in (asked, revisited):
        slot.decide(decision(RecoveryAction.RETRY))
        slot.begin(2)
    assert (asked.was_told_to_retry, revisited.was_told_to_retry) == (True, False)


def test_after_a_retry_that_failed_somebody_is_asked_again() -> None:
    slot = tried(TRANSIENT, TRANSIENT, max_retries=1)
    slot.decide(decision(RecoveryAction.RETRY, 2))
    slot.begin(2)
    slot.fail_attempt(TRANSIENT, 3)
    assert slot.must_ask


def test_retry_leaves_the_slot_in_progress() -> None:
    slot = tried(PERMANENT)
    slot.decide(decision(RecoveryAction.RETRY))
    assert slot.state is SlotState.IN_PROGRESS


def tries_until_asked(slot: ActionSlot) -> int:
    count = 0
    while not slot.must_ask:
        slot.begin(0)
        slot.fail_attempt(TRANSIENT, 0)
        count += 1
    return count


def test_after_quit_a_first_try_and_all_retries_are_allowed_afresh() -> None:
    slot = tried(PERMANENT, max_retries=2)
    slot.decide(decision(RecoveryAction.QUIT))
    assert tries_until_asked(slot) == 3


def test_after_quit_attempts_go_on_counting() -> None:
    slot = tried(TRANSIENT, TRANSIENT)
    slot.decide(decision(RecoveryAction.QUIT, 2))
    slot.begin(3)
    assert slot.attempts[-1].number == 3


def test_a_revisited_slot_has_all_its_retries_afresh() -> None:
    slot = tried(PERMANENT, max_retries=2)
    slot.decide(decision(RecoveryAction.CONTINUE))
    assert tries_until_asked(slot) == 3


def test_every_decision_is_kept_with_its_slot() -> None:
    slot = tried(PERMANENT)
    made = [decision(RecoveryAction.RETRY), decision(RecoveryAction.CONTINUE), decision(RecoveryAction.SKIP)]
    for one in made:
        slot.decide(one)
    assert slot.decisions == tuple(made)


@given(st.lists(st.sampled_from([TRANSIENT, UNKNOWN]), max_size=5))
def test_the_client_order_id_stays_while_the_order_may_exist_or_be_tried_again(failures: list[Failure]) -> None:
    slot = a_slot()
    first = slot.client_order_id
    for failure in failures:
        slot.begin(0)
        slot.fail_attempt(failure, 0)
        assert slot.client_order_id == first
    slot.begin(0)
    assert slot.client_order_id == first


def test_an_order_refused_for_good_is_tried_again_under_a_new_client_order_id() -> None:
    slot = tried(PERMANENT)
    refused = slot.client_order_id
    slot.decide(decision(RecoveryAction.RETRY))
    slot.begin(1)
    assert slot.client_order_id != refused


def test_the_client_order_id_of_an_accepted_order_stays() -> None:
    slot = tried(TRANSIENT)
    slot.begin(1)
    before = slot.client_order_id
    slot.complete(7, 2)
    assert slot.client_order_id == before


def test_slots_of_different_runs_have_different_client_order_ids() -> None:
    one, other = a_slot(), a_slot()
    other.run = "another"
    assert one.client_order_id != other.client_order_id


@given(st.lists(st.sampled_from([TRANSIENT, PERMANENT, UNKNOWN]), min_size=1, max_size=6), st.integers(0, 4))
def test_an_attempt_taken_back_from_a_record_leaves_the_slot_as_it_was(failures: list[Failure], max_retries: int) -> None:
    lived, restored = tried(*failures, max_retries=max_retries), a_slot(max_retries=max_retries)
    for attempt in lived.attempts:
        restored.restore_attempt(attempt)
    assert restored == lived


def cancelled_unfilled() -> ActionSlot:
    slot = slot_in(SlotState.COMPLETED)
    slot.open = 0
    return slot


def test_the_remainder_of_a_completed_slot_may_be_placed_again() -> None:
    slot = cancelled_unfilled()
    slot.begin_again(5)
    assert (slot.state, slot.attempt_count) == (SlotState.COMPLETED, 2)


def test_a_remainder_placed_again_has_a_client_order_id_of_its_own() -> None:
    slot = cancelled_unfilled()
    first = slot.client_order_id
    slot.begin_again(5)
    assert slot.client_order_id != first


def test_an_attempt_taken_back_is_forgotten() -> None:
    slot = cancelled_unfilled()
    before = deepcopy(slot)
    slot.begin_again(5)
    slot.take_back_attempt()
    assert slot == before


def test_an_order_that_is_still_open_is_not_placed_again() -> None:
    slot = slot_in(SlotState.COMPLETED)
    slot.open = 10
    before = deepcopy(slot)
    with pytest.raises(IllegalTransition):
        slot.begin_again(5)
    assert slot == before


@pytest.mark.parametrize("state", [state for state in SlotState if state is not SlotState.COMPLETED])
def test_only_a_completed_slot_is_placed_again(state: SlotState) -> None:
    with pytest.raises(IllegalTransition):
        slot_in(state).begin_again(5)


# Amounts of the user's choice


def test_a_bid_gives_quote_and_wants_base() -> None:
    action = bid(a_market(), 2_000_000, 10050)
    assert (action.bid_asset, action.bid_amount, action.ask_asset, action.ask_amount) == (
        "USD",
        Decimal(201),
        "BTC",
        Decimal(2),
    )


def test_an_ask_gives_base_and_wants_quote() -> None:
    action = ask(a_market(), 2_000_000, 10050)
    assert (action.bid_asset, action.bid_amount, action.ask_asset, action.ask_amount) == (
        "BTC",
        Decimal(2),
        "USD",
        Decimal(201),
    )


def test_another_bid_amount_of_a_bid_keeps_the_price() -> None:
    slot = a_slot(bid(small_market(), 10, 100))
    slot.override(bid_amount=300)
    assert (slot.action.quantity, slot.action.price) == (3, 100)


def test_another_ask_amount_of_a_bid_keeps_the_price() -> None:
    slot = a_slot(bid(small_market(), 10, 100))
    slot.override(ask_amount="7")
    assert (slot.action.quantity, slot.action.price) == (7, 100)


def test_another_bid_amount_of_an_ask_is_its_quantity() -> None:
    slot = a_slot(ask(small_market(), 10, 100))
    slot.override(bid_amount=4)
    assert (slot.action.quantity, slot.action.price) == (4, 100)


def test_both_amounts_set_quantity_and_price() -> None:
    slot = a_slot(bid(small_market(), 10, 100))
    slot.override(bid_amount=1000, ask_amount=5)
    assert (slot.action.quantity, slot.action.price) == (5, 200)


@given(quantity=st.integers(1, 10**6), price=st.integers(1, 10**6), sells=st.booleans())
def test_amounts_overridden_are_the_amounts_of_the_order(quantity: int, price: int, sells: bool) -> None:
    target = (ask if sells else bid)(a_market(), quantity, price)
    slot = a_slot((ask if sells else bid)(a_market(), 1, 1))
    slot.override(bid_amount=target.bid_amount, ask_amount=target.ask_amount)
    assert slot.action == target


@pytest.mark.parametrize(
    ("bid_amount", "ask_amount"), [(None, "0.5"), ("150", None), ("1000", "3"), (0, None), (None, 0), (-100, None), (None, -1)]
)
def test_amounts_that_make_no_order_are_refused_and_change_nothing(
    bid_amount: str | int | None, ask_amount: str | int | None
) -> None:
    slot = a_slot(bid(small_market(), 10, 100))
    before = deepcopy(slot)
    with pytest.raises(AmountError):
        slot.override(bid_amount=bid_amount, ask_amount=ask_amount)
    assert slot == before


@pytest.mark.parametrize("state", [state for state in SlotState if state is not SlotState.PENDING])
def test_a_slot_that_was_started_takes_no_other_amounts(state: SlotState) -> None:
    with pytest.raises(IllegalTransition, match="cannot become another order"):
        slot_in(state).override(bid_amount=Decimal(100))


def test_a_slot_that_was_quit_takes_no_other_amounts() -> None:
    slot = tried(TRANSIENT)
    slot.decide(decision(RecoveryAction.QUIT))
    with pytest.raises(IllegalTransition):
        slot.override(bid_amount=Decimal(100))


# Verdicts


def filled(slot: ActionSlot, *fills: Execution) -> ActionSlot:
    slot.begin(0)
    slot.complete(1, 0)
    slot.open = slot.action.quantity
    for one in fills:
        slot.fill(one)
    return slot


def fill(quantity: int, against: int = 1, outside: str | None = None) -> Execution:
    """A fill of slot 0 by the slot `against`, or by somebody outside."""
    return Execution(-1 if outside else against, 0, 100, quantity, 0, 0, 0, outside)


def directed() -> ActionSlot:
    """An order of 10 lots that wants b."""
    return a_slot(bid(small_market(), 10, 100, only="b"))


@pytest.mark.parametrize(
    ("fills", "verdict"),
    [
        ((), Verdict.UNMATCHED),
        ((fill(4),), Verdict.PARTLY),
        ((fill(4), fill(6)), Verdict.MATCHED),
        ((fill(4), fill(6, against=3)), Verdict.BY_ANOTHER),
        ((fill(1, against=3),), Verdict.BY_ANOTHER),
        ((fill(10, outside="b"),), Verdict.MATCHED),
        ((fill(10, outside="x"),), Verdict.BY_ANOTHER),
    ],
)
def test_a_verdict_says_who_filled_the_order(fills: tuple[Execution, ...], verdict: Verdict) -> None:
    assert filled(directed(), *fills).verdict is verdict


@given(st.lists(st.integers(1, 5), max_size=6))
def test_fills_are_kept_in_order(quantities: list[int]) -> None:
    slot = filled(a_slot(bid(small_market(), 30, 100)), *map(fill, quantities))
    assert [one.quantity for one in slot.fills] == quantities


@given(st.lists(st.integers(1, 5), max_size=6))
def test_what_is_filled_is_no_longer_open(quantities: list[int]) -> None:
    slot = filled(a_slot(bid(small_market(), 30, 100)), *map(fill, quantities))
    assert (slot.filled, slot.open) == (sum(quantities), 30 - sum(quantities))


def test_an_order_that_takes_anybody_is_never_filled_by_another() -> None:
    assert filled(a_slot(), fill(10, against=3)).verdict is Verdict.MATCHED


def test_a_cancel_at_the_end_changes_no_verdict() -> None:
    slot = filled(directed(), fill(4))
    slot.open = 0
    assert slot.verdict is Verdict.PARTLY


@pytest.mark.parametrize("state", [SlotState.PENDING, SlotState.IN_PROGRESS])
def test_a_slot_that_has_not_ended_has_no_verdict(state: SlotState) -> None:
    assert slot_in(state).verdict is None


@pytest.mark.parametrize("state", [SlotState.FAILED, SlotState.SKIPPED])
def test_a_slot_that_ended_without_an_order_is_unmatched(state: SlotState) -> None:
    assert slot_in(state).verdict is Verdict.UNMATCHED


@pytest.mark.parametrize(("sequence", "pair", "partner"), [(0, 0, 1), (1, 0, 0), (6, 3, 7), (7, 3, 6)])
def test_slots_2k_and_2k_plus_1_are_pair_k(sequence: int, pair: int, partner: int) -> None:
    slot = ActionSlot(sequence, "a", bid(small_market(), 1, 1))
    assert (slot.pair, slot.partner) == (pair, partner)


def test_match_with_names_its_account() -> None:
    assert OrderMatchingStrategy.match_with("b").account == "b"
