"""A plan and a journal are the whole of a run: replayed they give it back, and cut anywhere they still make sense."""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.core.book import Side
from orderbook_tui.core.exchange import Exchange
from orderbook_tui.core.invariants import invariants
from orderbook_tui.core.journal import Attempt, Cancel, Execution, Failure, RecoveryAction
from orderbook_tui.core.replay import Replayed, replay
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import state_hash
from orderbook_tui.errors import OrderError
from tests.builders import PERMANENT, TRANSIENT, UNKNOWN, a_plan, a_slot, ask, bid, slots_of, small_market
from tests.core.by_hand import Run, pots
from tests.core.flows import runs

USD_BTC = small_market()

turns = st.lists(
    st.sampled_from(["place", "place", "place", "transient", "permanent", "unknown", "cancel", "again", *RecoveryAction]),
    max_size=60,
)


def lived(run: Run, what: list[str]) -> Run:
    """Take a run through these turns, each on the first slot that has not ended; Failed ones are revisited at the end."""
    failures: dict[str, Failure] = {"transient": TRANSIENT, "permanent": PERMANENT, "unknown": UNKNOWN}
    for turn in what:
        index = run.state.current_slot_index
        if index == len(run.slots):
            break
        slot = run.slots[index]
        if turn == "cancel":
            run.cancel(run.slots[index // 2])
        elif turn == "again":
            placed_again(run)
        elif turn in failures:
            run.fail(slot, failures[turn])
        elif turn == "place":
            tried(run, slot)
        elif slot.state is SlotState.IN_PROGRESS:
            run.decide(slot, RecoveryAction(turn))
    for slot in run.slots:
        if slot.state is SlotState.FAILED and slot.sequence % 3:
            run.state.stats.count(slot.state, -1)
            tried(run, slot)
    return run


def placed_again(run: Run) -> None:
    """Place the first remainder that was cancelled once more."""
    for slot in run.slots:
        if slot.state is SlotState.COMPLETED and not slot.open and slot.filled < slot.action.quantity:
            try:
                run.place_again(slot)
            except OrderError:
                continue
            return


def tried(run: Run, slot: ActionSlot) -> None:
    try:
        run.place(slot)
    except OrderError:
        return


def fresh(run: Run) -> list[ActionSlot]:
    return [
        ActionSlot(slot.sequence, slot.account_id, slot.action, slot.max_retries, slot.max_retries + 1) for slot in run.slots
    ]


def replayed(run: Run, events: int | None = None) -> Replayed:
    """The run's journal, or its first `events`, over fresh slots."""
    return replay(run.plan, fresh(run), deepcopy(run.state.journal[:events]))


def stopped(run: Run) -> Run:
    """The run as a stop leaves it: nothing is in progress."""
    for slot in run.slots:
        if slot.state is SlotState.IN_PROGRESS:
            slot.move(SlotState.PENDING)
    return run


@given(runs(), turns)
def test_a_replayed_run_has_the_same_hash(run: Run, what: list[str]) -> None:
    stopped(lived(run, what))
    again = replayed(run)
    assert state_hash(again.state, again.budgets) == state_hash(run.state, run.budgets)


@given(runs(), turns)
def test_a_replayed_run_has_the_same_budgets(run: Run, what: list[str]) -> None:
    lived(run, what)
    again = replayed(run)
    assert {
        (budget.account.id, budget.asset.symbol): (budget.available, budget.locked, budget.spent, budget.received)
        for budget in again.budgets
    } == pots(run)


@given(runs(), turns)
def test_a_replayed_run_has_the_same_slots(run: Run, what: list[str]) -> None:
    stopped(lived(run, what))
    assert replayed(run).state.slots == run.slots


@given(runs(), turns)
def test_a_replayed_run_has_the_same_statistics(run: Run, what: list[str]) -> None:
    lived(run, what)
    assert replayed(run).state.stats == run.state.stats


@given(runs(), turns, st.data())
def test_a_journal_cut_anywhere_keeps_every_invariant(run: Run, what: list[str], data: st.DataObject) -> None:
    lived(run, what)
    again = replayed(run, data.draw(st.integers(0, len(run.state.journal))))
    assert [name for name, holds in invariants(*again).items() if not holds] == []


@given(runs(), turns, st.data())
def test_a_journal_cut_anywhere_leaves_no_slot_in_progress(run: Run, what: list[str], data: st.DataObject) -> None:
    lived(run, what)
    again = replayed(run, data.draw(st.integers(0, len(run.state.journal))))
    assert SlotState.IN_PROGRESS not in {slot.state for slot in again.state.slots}


@given(runs(), turns)
def test_books_rebuilt_from_the_open_slots_have_the_old_priority(run: Run, what: list[str]) -> None:
    lived(run, what)
    again = replayed(run)
    exchange = Exchange(run.plan.markets, run.plan.fees)
    for slot in again.state.open_slots():
        assert isinstance(slot.order_id, int)
        exchange.restore(slot.order_id, slot.account_id, slot.action, slot.open, slot.sequence)
    for symbol, book in run.exchange.books.items():
        for side in Side:
            assert list(exchange.books[symbol].resting(side)) == list(book.resting(side))


def test_an_attempt_whose_end_was_not_written_is_made_again_under_its_own_number() -> None:
    slots = slots_of(("a", bid(USD_BTC, 1, 10)))
    run = Run(a_plan(slots), slots)
    run.fail(slots[0], TRANSIENT)
    slots[0].begin(9)
    (again,) = replayed(run).state.slots
    again.begin(10)
    assert again.attempt_count == slots[0].attempt_count == 2


def test_an_order_whose_fills_were_not_written_is_open_whole() -> None:
    slots = slots_of(("a", ask(USD_BTC, 5, 10)), ("b", bid(USD_BTC, 5, 10)))
    run = Run(a_plan(slots), slots)
    run.to_the_end()
    cut = next(place for place, event in enumerate(run.state.journal) if isinstance(event, Execution))
    assert [slot.open for slot in replayed(run, cut).state.slots] == [5, 5]


def test_without_budgets_only_what_happened_to_the_slots_comes_back() -> None:
    slots = [a_slot()]
    plan = a_plan(slots, {})
    result = replay(plan, slots, [Attempt(0, 1, 0, 1, 7), Cancel(0, 10, 2)])
    assert (slots[0].state, slots[0].order_id, [budget.locked for budget in result.budgets]) == (SlotState.COMPLETED, 7, [0, 0])
