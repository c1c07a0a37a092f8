"""Settlement: whatever meets whatever, budgets balance, nothing is lost, and the rules that say so can fail."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.book import Side
from orderbook_tui.core.budget import MovementKind
from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.invariants import invariants
from orderbook_tui.core.journal import Attempt, Execution, RecoveryAction
from orderbook_tui.core.money import Asset
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.errors import DisciplineError, InsufficientBudget
from tests.builders import TRANSIENT, a_plan, ask, bid, slots_of, small_market
from tests.core.by_hand import Run, pots
from tests.core.flows import fees, runs

USD_BTC = small_market()
RATES = FeeSchedule.of(Decimal("0.01"), Decimal("0.025"))
FREE = FeeSchedule()
interruptions = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["cancel", "transient", "skip"])), max_size=8)


def interrupted(run: Run, plans: list[tuple[int, str]]) -> Run:
    """Run to the end, but before some slots cancel an earlier order, fail an attempt, or skip."""
    for slot in run.slots:
        for place, what in plans:
            if place != slot.sequence or slot.is_ended:
                continue
            if what == "cancel":
                run.cancel(run.slots[slot.sequence // 2])
            elif what == "transient":
                run.fail(slot, TRANSIENT)
            elif slot.attempts:
                run.decide(slot, RecoveryAction.SKIP)
        if not slot.is_ended:
            run.step(slot)
    return run


def a_run(
    *orders: tuple[str, OrderAction], budget: int | dict[tuple[str, str], int] = 10_000, rates: FeeSchedule = RATES
) -> Run:
    slots = slots_of(*orders)
    return Run(a_plan(slots, budget, rates), slots)


def played(*orders: tuple[str, OrderAction], budget: int = 10_000, rates: FeeSchedule = RATES) -> Run:
    """A run of these orders, one after the other; none may fail."""
    run = a_run(*orders, budget=budget, rates=rates)
    for slot in run.slots:
        run.place(slot)
    return run


# Whatever meets whatever


@given(runs(), interruptions)
def test_every_invariant_holds_after_every_slot(run: Run, plans: list[tuple[int, str]]) -> None:
    for slot in run.slots:
        for place, what in plans:
            if place == slot.sequence and what == "cancel":
                run.cancel(run.slots[place // 2])
        run.step(slot)
        assert run.broken() == []


@given(runs(), interruptions)
def test_every_invariant_holds_at_the_end(run: Run, plans: list[tuple[int, str]]) -> None:
    assert interrupted(run, plans).broken() == []


@given(runs(), interruptions)
def test_per_asset_what_was_spent_was_received_or_is_a_fee(run: Run, plans: list[tuple[int, str]]) -> None:
    interrupted(run, plans)
    spent: Counter[str] = Counter()
    for budget in run.budgets:
        spent[budget.asset.symbol] += budget.spent - budget.received
    for event in run.state.journal:
        if isinstance(event, Execution):
            spent[run.slots[event.maker].action.market.quote.symbol] -= event.maker_fee + event.taker_fee
    assert not any(spent.values())


@given(runs(), interruptions)
def test_nothing_is_locked_when_the_book_is_drained(run: Run, plans: list[tuple[int, str]]) -> None:
    interrupted(run, plans).drain()
    assert not any(budget.locked for budget in run.budgets)


@given(runs(), interruptions)
def test_the_ledger_folds_to_the_budgets(run: Run, plans: list[tuple[int, str]]) -> None:
    interrupted(run, plans)
    folded: Counter[tuple[str, str, MovementKind]] = Counter()
    for row in run.settlement.movements(run.state.journal):
        folded[row.account, row.asset, row.kind] += row.amount
    for budget in run.budgets:
        lock, unlock, spend, receive = (folded[budget.account.id, budget.asset.symbol, kind] for kind in MovementKind)
        assert (budget.locked, budget.spent, budget.received) == (lock - unlock - spend, spend, receive)


@given(runs(), interruptions)
def test_every_row_of_the_ledger_is_positive(run: Run, plans: list[tuple[int, str]]) -> None:
    interrupted(run, plans)
    assert all(row.amount > 0 for row in run.settlement.movements(run.state.journal))


@given(runs(), interruptions)
def test_the_history_ends_with_the_budgets(run: Run, plans: list[tuple[int, str]]) -> None:
    interrupted(run, plans)
    for snapshot in {(row.account_id, row.asset): row for row in run.budgets.get_history()}.values():
        budget = run.budgets.budget(snapshot.account_id, snapshot.asset)
        amounts = map(budget.asset.amount, (budget.available, budget.locked, budget.spent, budget.received))
        assert (snapshot.available, snapshot.locked, snapshot.spent, snapshot.received) == tuple(amounts)


@given(runs())
def test_an_account_never_gives_more_than_its_orders_said(run: Run) -> None:
    run.to_the_end()
    for budget in run.budgets:
        most = sum(
            run.settlement.need(slot.action, slot.action.quantity)
            for slot in run.slots
            if (slot.account_id, slot.action.bid_asset) == (budget.account.id, budget.asset.symbol)
        )
        assert budget.spent <= most


@given(
    rates=fees,
    limit=st.integers(1, 10**6),
    better=st.integers(0, 10**6),
    parts=st.lists(st.integers(1, 1000), min_size=1, max_size=10),
    takes=st.booleans(),
)
def test_what_a_bid_locked_is_enough_for_every_execution(
    rates: FeeSchedule, limit: int, better: int, parts: list[int], takes: bool
) -> None:
    slots = slots_of(("a", bid(USD_BTC, sum(parts), limit)))
    plan = a_plan(slots)
    need = Settlement(slots, Run(plan, slots).budgets, rates).need(slots[0].action, sum(parts))
    run = Run(a_plan(slots, {("a", "USD"): need}, rates), slots)
    run.place(slots[0])
    price = max(1, limit - better)
    for part in parts:
        charge = price * part * (rates.taker if takes else rates.maker) // 10**10
        run.settlement.execute(Execution(0, -1, price, part, charge, 0, 0, "x"))
    assert run.budgets.budget("a", "USD").locked == 0


# One by one


def test_a_bid_locks_its_notional_and_the_highest_fee() -> None:
    assert pots(played(("a", bid(USD_BTC, 10, 100))))["a", "USD"] == (10_000 - 1025, 1025, 0, 0)


def test_an_ask_locks_its_quantity() -> None:
    assert pots(played(("a", ask(USD_BTC, 10, 100))))["a", "BTC"] == (9990, 10, 0, 0)


def test_a_buyer_spends_notional_and_fee() -> None:
    run = played(("a", ask(USD_BTC, 10, 100)), ("b", bid(USD_BTC, 10, 100)))
    assert pots(run)["b", "USD"] == (10_000 - 1025, 0, 1025, 0)


def test_a_sellers_fee_is_withheld_from_the_proceeds() -> None:
    run = played(("a", ask(USD_BTC, 10, 100)), ("b", bid(USD_BTC, 10, 100)))
    assert pots(run)["a", "USD"] == (10_000, 0, 0, 990)


def test_a_better_price_gives_the_difference_back() -> None:
    run = played(("a", ask(USD_BTC, 10, 90)), ("b", bid(USD_BTC, 10, 100)), rates=FREE)
    assert pots(run)["b", "USD"] == (10_000 - 900, 0, 900, 0)


def test_a_lower_fee_gives_the_difference_back() -> None:
    run = played(("b", bid(USD_BTC, 10, 100)), ("a", ask(USD_BTC, 10, 100)))
    assert pots(run)["b", "USD"] == (10_000 - 1010, 0, 1010, 0)


def test_after_a_part_only_the_remainder_stays_locked() -> None:
    run = played(("a", ask(USD_BTC, 4, 90)), ("b", bid(USD_BTC, 10, 100)), rates=FREE)
    assert pots(run)["b", "USD"] == (10_000 - 360 - 600, 600, 360, 0)


def test_a_cancel_gives_the_remainder_back() -> None:
    run = played(("a", ask(USD_BTC, 4, 90)), ("b", bid(USD_BTC, 10, 100)), rates=FREE)
    run.cancel(run.slots[1])
    assert pots(run)["b", "USD"] == (10_000 - 360, 0, 360, 0)


def test_proceeds_are_not_available() -> None:
    run = a_run(
        ("a", ask(USD_BTC, 10, 100)), ("b", bid(USD_BTC, 10, 100)), ("b", ask(USD_BTC, 1, 100)),
        budget={("a", "BTC"): 10, ("b", "USD"): 2000},
    )  # fmt: skip
    run.place(run.slots[0])
    run.place(run.slots[1])
    with pytest.raises(InsufficientBudget, match="b has 0 BTC available, the order needs 1"):
        run.place(run.slots[2])


@pytest.mark.parametrize("budget", [1024, 0])
def test_a_budget_without_room_for_the_fee_refuses_the_order(budget: int) -> None:
    run = a_run(("a", bid(USD_BTC, 10, 100)), budget=budget)
    with pytest.raises(InsufficientBudget, match=f"a has {budget} USD available, the order needs 1025"):
        run.place(run.slots[0])


def test_an_order_outside_the_band_locks_nothing() -> None:
    market = small_market(band="0.1")
    run = a_run(("a", bid(market, 10, 200)))
    with pytest.raises(DisciplineError):
        run.place(run.slots[0])
    assert pots(run)["a", "USD"] == (10_000, 0, 0, 0)


def test_an_order_that_the_venue_refuses_is_given_back() -> None:
    run = a_run(("a", bid(USD_BTC, 10, 100)))
    run.settlement.reserve(run.slots[0])
    run.settlement.give_back(run.slots[0])
    assert pots(run)["a", "USD"] == (10_000, 0, 0, 0)


def half_filled() -> Run:
    """A bid of 10 lots at 100, of which 4 were filled and the rest cancelled."""
    run = a_run(("a", ask(USD_BTC, 4, 100)), ("b", bid(USD_BTC, 10, 100)), budget=1010, rates=FREE)
    run.to_the_end()
    run.cancel(run.slots[1])
    return run


def test_a_remainder_placed_again_locks_what_is_left_of_it() -> None:
    run = half_filled()
    run.place_again(run.slots[1])
    assert pots(run)["b", "USD"] == (10, 600, 400, 0)


def test_a_remainder_placed_again_keeps_every_invariant() -> None:
    run = half_filled()
    run.place_again(run.slots[1])
    assert run.broken() == []


def test_a_remainder_that_the_venue_refuses_is_given_back() -> None:
    run = half_filled()
    run.settlement.reserve(run.slots[1])
    run.settlement.give_back(run.slots[1])
    assert pots(run)["b", "USD"] == (610, 0, 400, 0)


def test_a_fill_by_an_outsider_moves_our_side_alone() -> None:
    run = played(("a", bid(USD_BTC, 10, 100)))
    run.settlement.execute(Execution(0, -1, 100, 10, 7, 0, 0, "x"))
    assert (pots(run)["a", "USD"], pots(run)["a", "BTC"][3]) == ((10_000 - 1007, 0, 1007, 0), 10)


@pytest.mark.parametrize("side", [bid, ask])
def test_a_run_with_outsiders_keeps_every_invariant(side: Callable[..., OrderAction]) -> None:
    run = played(("a", side(USD_BTC, 10, 100)))
    run.exchange.cancel(1)  # it rests elsewhere
    execution = Execution(0, -1, 100, 10, 7, 0, 0, "x")
    run.settlement.execute(execution)
    run.state.journal.append(execution)
    run.state.stats.total_matches += 1
    assert run.broken() == []


def test_open_orders_need_what_is_locked() -> None:
    run = played(("a", bid(USD_BTC, 10, 100)), ("a", bid(USD_BTC, 5, 90)), ("b", ask(USD_BTC, 3, 200)), rates=FREE)
    assert run.settlement.locked_by_open_orders() == {("a", "USD"): 1450, ("b", "BTC"): 3}


# Each invariant can fail


def halfway() -> Run:
    """A run with a trade, a rest that is open, and one order more; nothing wrong with it."""
    return played(("a", ask(USD_BTC, 4, 90)), ("b", bid(USD_BTC, 10, 100)), ("c", bid(USD_BTC, 2, 80)))


def lose_available(run: Run) -> None:
    run.budgets.budget("a", "USD").available -= 1


def go_negative(run: Run) -> None:
    budget = run.budgets.budget("a", "USD")
    budget.available, budget.spent = -1, budget.initial + 1


def lock_more(run: Run) -> None:
    run.budgets.budget("b", "USD").lock(1)


def drain_and_lock(run: Run) -> None:
    run.drain()
    run.budgets.budget("a", "USD").lock(1)


def receive_from_nowhere(run: Run) -> None:
    run.budgets.budget("a", "USD").receive(1)


def forget_a_trade(run: Run) -> None:
    run.state.journal = [event for event in run.state.journal if not isinstance(event, Execution)]


def forget_an_attempt(run: Run) -> None:
    run.state.journal.remove(next(event for event in run.state.journal if isinstance(event, Attempt)))


def invent_an_attempt(run: Run) -> None:
    run.state.journal.append(Attempt(1, 2, 0, 0, 77))


def invent_a_movement_of_nobody(run: Run) -> None:
    run.budgets.accounts.pop("c")


def miscount(run: Run) -> None:
    run.state.stats.completed_slots += 1


def lose_an_order_id(run: Run) -> None:
    run.slots[0].attempts[-1].order_id = None


def overfill(run: Run) -> None:
    run.slots[1].filled += 1


def open_more_than_the_order(run: Run) -> None:
    run.slots[2].open += 1


def lose_an_order_at_the_exchange(run: Run) -> None:
    run.exchange.cancel(3)


def swap_quantities_at_the_exchange(run: Run) -> None:
    run.exchange.books["BTC-USD"].replace(3, 80, 1)


def cross_the_book(run: Run) -> None:
    run.exchange.restore(99, "d", ask(USD_BTC, 1, 80), 1, 0)


DAMAGE: list[tuple[str, Callable[[Run], None]]] = [
    ("budgets_balance", lose_available),
    ("none_negative", go_negative),
    ("locked_is_what_open_orders_need", lock_more),
    ("nothing_locked_without_open_orders", drain_and_lock),
    ("spent_equals_received_plus_fees", receive_from_nowhere),
    ("spent_equals_received_plus_fees", forget_a_trade),
    ("ledger_folds_to_budgets", receive_from_nowhere),
    ("ledger_folds_to_budgets", forget_a_trade),
    ("ledger_folds_to_budgets", forget_an_attempt),
    ("ledger_folds_to_budgets", invent_an_attempt),
    ("ledger_folds_to_budgets", invent_a_movement_of_nobody),
    ("stats_equal_recount", miscount),
    ("no_slot_placed_twice", invent_an_attempt),
    ("states_follow_from_attempts", lose_an_order_id),
    ("fills_within_orders", overfill),
    ("fills_within_orders", open_more_than_the_order),
    ("books_hold_the_open_orders", lose_an_order_at_the_exchange),
    ("books_hold_the_open_orders", swap_quantities_at_the_exchange),
    ("books_never_crossed", cross_the_book),
]


def test_a_run_without_damage_breaks_no_invariant() -> None:
    assert halfway().broken() == []


@pytest.mark.parametrize(("name", "damage"), DAMAGE)
def test_damage_breaks_its_invariant(name: str, damage: Callable[[Run], None]) -> None:
    run = halfway()
    damage(run)
    assert name in run.broken()


def test_every_invariant_is_broken_by_some_damage() -> None:
    run = halfway()
    assert {name for name, _ in DAMAGE} == set(invariants(run.state, run.budgets, run.settlement, run.exchange))


def test_the_books_of_a_venue_elsewhere_are_not_checked() -> None:
    run = halfway()
    assert not any(name.startswith("books") for name in invariants(run.state, run.budgets, run.settlement))


@pytest.mark.parametrize("side", Side)
def test_need_grows_with_the_quantity(side: Side) -> None:
    run = halfway()
    action = OrderAction(USD_BTC, side, 10, 100)
    needs = [run.settlement.need(action, quantity) for quantity in range(11)]
    assert needs == sorted(set(needs))


def test_an_asset_of_the_budget_that_no_slot_moves_stays_whole() -> None:
    run = played(("a", bid(USD_BTC, 1, 10)))
    run.budgets.set_budget("a", Asset("ETH", 0), 5)
    assert run.broken() == []
