"""The preflight names exactly the slots that would fail, and says what each budget is asked for."""

from decimal import Decimal

import pytest
from hypothesis import given

from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.market import Account
from orderbook_tui.core.preflight import Rehearsal, preflight
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import Plan
from tests.builders import a_market, a_plan, ask, bid, schedule, slots_of, small_market
from tests.core.by_hand import Run
from tests.core.flows import runs

SMALL = small_market()


@given(runs())
def test_it_names_exactly_the_slots_that_fail_by_hand(run: Run) -> None:
    prevention = next(iter(run.exchange.books.values())).self_trade_prevention
    found = preflight(run.plan, run.slots, prevention)
    assert {refused.slot: refused.message for refused in found.refused} == run.to_the_end()


@given(runs())
def test_what_is_said_so_far_is_what_is_said_of_the_slots_so_far(run: Run) -> None:
    rehearsal = Rehearsal(run.plan)
    for place, slot in enumerate(run.slots, 1):
        rehearsal.play(slot)
        assert rehearsal.result() == preflight(run.plan, run.slots[:place])


@given(runs())
def test_it_changes_nothing(run: Run) -> None:
    before = [(slot.state, slot.attempts, slot.filled, slot.open) for slot in run.slots]
    preflight(run.plan, run.slots)
    assert [(slot.state, slot.attempts, slot.filled, slot.open) for slot in run.slots] == before


@given(runs())
def test_a_schedule_that_it_refuses_nothing_of_runs_whole(run: Run) -> None:
    slots = run.slots
    plenty = a_plan(slots, 10**18, run.plan.fees)
    if preflight(plenty, slots).refused == []:
        assert Run(plenty, slots).to_the_end() == {}


def found_in(*orders: tuple[str, OrderAction], budget: int | dict[tuple[str, str], int]) -> tuple[Plan, list[ActionSlot]]:
    slots = slots_of(*orders)
    return a_plan(slots, budget), slots


def test_every_slot_of_a_schedule_with_enough_budget_passes() -> None:
    assert preflight(*found_in(("a", bid(SMALL, 10, 100)), budget=1000)).in_words() == "every slot passes"


def test_the_first_that_does_not_pass_is_said_in_words() -> None:
    plan, slots = found_in(("a", bid(SMALL, 1, 100)), ("a", bid(SMALL, 2, 100)), ("a", bid(SMALL, 3, 100)), budget=120)
    assert preflight(plan, slots).in_words() == (
        "2 slots would not pass; the first is slot 1: a has 20 USD available, the order needs 200"
    )


def test_one_slot_that_does_not_pass_is_spoken_of_as_one() -> None:
    words = preflight(*found_in(("a", bid(SMALL, 2, 100)), budget=120)).in_words()
    assert words == "1 slot would not pass: slot 0: a has 120 USD available, the order needs 200"


@pytest.mark.parametrize(
    ("order", "code"), [(bid(SMALL, 100, 100), "budget"), (bid(small_market(band="0.1"), 1, 150), "discipline")]
)
def test_a_refusal_carries_its_code(order: OrderAction, code: str) -> None:
    assert [refused.code for refused in preflight(*found_in(("a", order), budget=1000)).refused] == [code]


def test_a_smaller_order_after_one_that_failed_passes() -> None:
    plan, slots = found_in(("a", bid(SMALL, 2, 100)), ("a", bid(SMALL, 1, 100)), budget=120)
    assert [refused.slot for refused in preflight(plan, slots).refused] == [0]


def test_what_a_directed_pair_leaves_is_available_again() -> None:
    plan, slots = found_in(
        ("a", bid(SMALL, 10, 100, only="b")), ("b", ask(SMALL, 10, 100, only="a")), ("a", bid(SMALL, 10, 100, only="b")),
        budget={("a", "USD"): 1000, ("b", "BTC"): 0},
    )  # fmt: skip
    assert [refused.slot for refused in preflight(plan, slots).refused] == [1]


def test_a_need_is_what_the_whole_schedule_asks() -> None:
    plan, slots = found_in(("a", bid(SMALL, 1, 100)), ("a", bid(SMALL, 2, 100)), budget=120)
    (need,) = preflight(plan, slots).needs
    assert (need.account, need.asset, need.needed, need.budget, need.left) == (
        "a",
        "USD",
        Decimal(300),
        Decimal(120),
        Decimal(-180),
    )


def test_a_need_names_the_first_slot_that_it_refused() -> None:
    plan, slots = found_in(*[("a", bid(SMALL, quantity, 100)) for quantity in (1, 2, 3)], budget=120)
    assert [need.refused for need in preflight(plan, slots).needs] == [1]


@given(runs())
def test_no_budget_that_covers_its_need_refuses_a_slot(run: Run) -> None:
    for need in preflight(run.plan, run.slots).needs:
        assert need.refused is None or need.left < 0


def test_an_account_without_any_budget_is_called_by_its_name() -> None:
    slots = slots_of(("id-3", bid(SMALL, 1, 100)))
    plan = Plan(
        accounts=(Account("id-3", "test-account-3"),),
        markets=(SMALL,),
        assets=(SMALL.base, SMALL.quote),
        budgets={("id-3", "BTC"): 5},
    )
    assert preflight(plan, slots).refused[0].message == "test-account-3 has 0 USD available, the order needs 100"


# The small example: 4 accounts, 10000 of each asset, trades of 100..5000, 10 of each account


def page_example() -> tuple[Plan, list[ActionSlot]]:
    slots = schedule(4, 10, [a_market("BTC-USD", reference="60000"), a_market("ETH-USD", reference="3000")])
    return a_plan(slots, 10_000 * 10**8), slots


def test_on_the_pages_example_some_budgets_run_out() -> None:
    assert preflight(*page_example()).refused


def test_on_the_pages_example_only_budgets_are_in_the_way() -> None:
    assert {refused.code for refused in preflight(*page_example()).refused} == {"budget"}


def test_on_the_pages_example_only_dollars_run_out() -> None:
    assert {need.asset for need in preflight(*page_example()).needs if need.refused is not None} == {"USD"}


def test_on_the_pages_example_the_named_slots_are_those_that_fail() -> None:
    plan, slots = page_example()
    named = [refused.slot for refused in preflight(plan, slots).refused]
    assert named == list(Run(plan, slots).to_the_end())


def test_on_the_pages_example_every_account_needs_between_five_least_and_five_most_trades() -> None:
    for need in preflight(*page_example()).needs:
        if need.asset == "USD":
            assert Decimal(500) <= need.needed <= Decimal(25_000)
