"""Budgets: three pots that always sum to the initial amount, and a ledger that says how they came about."""

from collections.abc import Callable
from copy import copy
from decimal import Context, Decimal, Inexact, InvalidOperation, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from orderbook_tui.core.budget import AccountBudget, BudgetStore, MovementKind
from orderbook_tui.core.market import Account
from orderbook_tui.core.money import MAX_UNITS, Asset
from orderbook_tui.errors import AmountError, InsufficientBudget

USD = Asset("USD", 2)
amounts = st.integers(-3, 120)


class Budgets(RuleBasedStateMachine):
    """One budget under any operations, right and wrong, against three plain numbers."""

    @initialize(initial=st.integers(0, 100))
    def fund(self, initial: int) -> None:
        self.budget = AccountBudget(Account("a"), USD, initial, initial)
        self.available, self.locked, self.spent, self.received = initial, 0, 0, 0

    def attempt(self, operation: Callable[[int], None], amount: int, there: int) -> bool:
        """Return whether the operation was done; a refused one changes nothing and says the right thing."""
        before = copy(self.budget)
        try:
            operation(amount)
        except AmountError:
            assert amount <= 0
        except InsufficientBudget:
            assert amount > there
        else:
            assert 0 < amount <= there
            return True
        assert self.budget == before
        return False

    @rule(amount=amounts)
    def lock(self, amount: int) -> None:
        if self.attempt(self.budget.lock, amount, self.available):
            self.available, self.locked = self.available - amount, self.locked + amount

    @rule(amount=amounts)
    def unlock(self, amount: int) -> None:
        if self.attempt(self.budget.unlock, amount, self.locked):
            self.available, self.locked = self.available + amount, self.locked - amount

    @rule(amount=amounts)
    def spend(self, amount: int) -> None:
        if self.attempt(self.budget.spend, amount, self.locked):
            self.locked, self.spent = self.locked - amount, self.spent + amount

    @rule(amount=amounts)
    def receive(self, amount: int) -> None:
        if self.attempt(self.budget.receive, amount, MAX_UNITS):
            self.received += amount

    @invariant()
    def the_pots_sum_to_the_initial_amount(self) -> None:
        assert self.budget.initial == self.budget.available + self.budget.locked + self.budget.spent

    @invariant()
    def no_pot_is_negative(self) -> None:
        assert min(self.budget.available, self.budget.locked, self.budget.spent, self.budget.received) >= 0

    @invariant()
    def the_pots_are_those_of_the_model(self) -> None:
        budget = self.budget
        assert (budget.available, budget.locked, budget.spent, budget.received) == (
            self.available,
            self.locked,
            self.spent,
            self.received,
        )

    @invariant()
    def it_is_depleted_when_all_is_spent(self) -> None:
        assert self.budget.is_depleted() == (self.budget.spent == self.budget.initial)


TestBudgets = Budgets.TestCase


def a_store(*names: str, amount: int = 100) -> BudgetStore:
    store = BudgetStore([USD])
    for name in names:
        store.set_budget(name, USD, amount)
    return store


def pots(store: BudgetStore, account: str = "a", asset: str = "USD") -> tuple[int, int, int, int]:
    budget = store.budget(account, asset)
    return budget.available, budget.locked, budget.spent, budget.received


def test_the_budgets_that_a_run_starts_with_are_those_set_one_by_one() -> None:
    accounts = {each: Account(each, each.upper()) for each in ("b", "a")}
    opened, set_one_by_one = (BudgetStore([USD], accounts=accounts.values()) for _ in range(2))
    opened.open({("b", "USD"): 5, ("a", "USD"): 0})
    for account, units in (("b", 5), ("a", 0)):
        set_one_by_one.set_units(accounts[account], USD, units)
    assert list(opened) == list(set_one_by_one)


def test_a_lock_moves_what_is_available() -> None:
    store = a_store("a")
    store.lock("a", "USD", "12.50")
    assert pots(store) == (8750, 1250, 0, 0)


def test_an_unlock_gives_it_back() -> None:
    store = a_store("a")
    store.lock("a", "USD", Decimal("12.50"))
    store.unlock("a", "USD", Decimal("2.50"))
    assert pots(store) == (9000, 1000, 0, 0)


def test_a_spend_takes_from_what_is_locked() -> None:
    store = a_store("a")
    store.lock("a", "USD", 30)
    store.spend("a", "USD", 10)
    assert pots(store) == (7000, 2000, 1000, 0)


def test_what_is_received_is_not_available() -> None:
    store = a_store("a")
    store.receive("a", "USD", 5)
    assert pots(store) == (10000, 0, 0, 500)


def test_a_budget_that_is_not_enough_says_who_has_what_and_what_is_needed() -> None:
    store = BudgetStore([USD])
    store.set_budget(Account("id-3", "test-account-3"), "USD", 120)
    with pytest.raises(InsufficientBudget) as refusal:
        store.lock("id-3", "USD", 350)
    assert str(refusal.value) == "test-account-3 has 120 USD available, the order needs 350"


def test_a_spend_past_what_is_locked_speaks_of_the_locked() -> None:
    store = a_store("a")
    store.lock("a", "USD", "1.50")
    with pytest.raises(InsufficientBudget) as refusal:
        store.spend("a", "USD", 20)
    assert str(refusal.value) == "a has 1.5 USD locked, asked for 20"


def test_an_amount_finer_than_the_asset_is_refused() -> None:
    with pytest.raises(AmountError, match=r"0\.005 USD: USD has 2 decimals"):
        a_store("a").lock("a", "USD", "0.005")


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(AmountError, match="a budget of -1 USD is negative"):
        a_store("a").set_budget("a", "USD", -1)


def test_an_asset_that_was_not_given_has_eight_decimals() -> None:
    store = BudgetStore()
    store.set_budget("a", "ETH", "0.00000001")
    assert pots(store, asset="ETH") == (1, 0, 0, 0)


def test_a_pair_that_was_never_set_has_nothing_available() -> None:
    assert not BudgetStore([USD]).has_available("a", "USD", "0.01")


def test_asking_what_is_there_counts_no_budget() -> None:
    store = BudgetStore([USD])
    store.has_available("a", "USD", 1)
    store.is_depleted("a", "USD")
    assert store.get_summary().budget_count == 0


@pytest.mark.parametrize("operation", ["lock", "unlock", "spend", "receive"])
@pytest.mark.parametrize("amount", [0, -5])
def test_an_amount_that_is_not_positive_is_refused(operation: str, amount: int) -> None:
    store = a_store("a")
    store.lock("a", "USD", 50)
    with pytest.raises(AmountError, match="is not a positive amount"):
        getattr(store, operation)("a", "USD", amount)


def test_a_refused_movement_is_not_in_the_history() -> None:
    store = a_store("a")
    with pytest.raises(InsufficientBudget):
        store.lock("a", "USD", 101)
    assert list(store.get_history()) == []


def test_setting_a_budget_again_forgets_what_was_locked() -> None:
    store = a_store("a")
    store.lock("a", "USD", 80)
    store.set_budget("a", "USD", 10)
    assert pots(store) == (1000, 0, 0, 0)


def test_setting_a_budget_again_forgets_its_history() -> None:
    store = a_store("a", "b")
    store.lock("a", "USD", 80)
    store.lock("b", "USD", 5)
    store.set_budget("a", "USD", 10)
    assert [snapshot.account_id for snapshot in store.get_history()] == ["b"]


def test_the_clock_stamps_the_history() -> None:
    store = BudgetStore([USD], clock=lambda: 42)
    store.set_budget("a", "USD", 10)
    store.lock("a", "USD", 1)
    assert next(store.get_history()).timestamp == 42


movements = st.lists(
    st.tuples(st.sampled_from(MovementKind), st.sampled_from("ab"), st.sampled_from(["USD", "BTC"]), st.integers(1, 60)),
    max_size=40,
)


def moved(steps: list[tuple[MovementKind, str, str, int]]) -> BudgetStore:
    """A store after these movements; those that are refused are left out."""
    store = BudgetStore([USD, Asset("BTC", 17)])
    for account in "ab":
        store.set_budget(account, "USD", 100)
        store.set_budget(account, "BTC", Decimal("9.00000000000000001"))
    for kind, account, asset, amount in steps:
        try:
            getattr(store, kind.value)(account, asset, amount)
        except InsufficientBudget:
            continue
    return store


@given(movements)
def test_the_last_snapshot_of_a_budget_is_the_budget(steps: list[tuple[MovementKind, str, str, int]]) -> None:
    store = moved(steps)
    last = {(snapshot.account_id, snapshot.asset): snapshot for snapshot in store.get_history()}
    for (account, asset), snapshot in last.items():
        amount = store.assets[asset].amount
        assert (snapshot.available, snapshot.locked, snapshot.spent, snapshot.received) == tuple(
            map(amount, pots(store, account, asset))
        )


@given(movements)
def test_every_snapshot_balances(steps: list[tuple[MovementKind, str, str, int]]) -> None:
    for snapshot in moved(steps).get_history():
        assert snapshot.initial == snapshot.available + snapshot.locked + snapshot.spent


@given(movements)
def test_the_history_has_one_snapshot_a_movement(steps: list[tuple[MovementKind, str, str, int]]) -> None:
    store = moved([])
    done = 0
    for kind, account, asset, amount in steps:
        try:
            getattr(store, kind.value)(account, asset, amount)
            done += 1
        except InsufficientBudget:
            continue
    assert sum(1 for _ in store.get_history()) == done


@given(movements)
def test_the_summary_equals_a_recount(steps: list[tuple[MovementKind, str, str, int]]) -> None:
    store = moved(steps)
    summary = store.get_summary()
    for asset in ("USD", "BTC"):
        budgets = [budget for budget in store if budget.asset.symbol == asset]
        totals = summary.assets[asset]
        assert (totals.total_available, totals.total_locked, totals.total_spent, totals.total_received) == tuple(
            store.assets[asset].amount(sum(getattr(budget, pot) for budget in budgets))
            for pot in ("available", "locked", "spent", "received")
        )


@given(movements)
def test_the_summary_counts_the_budgets_and_the_depleted(steps: list[tuple[MovementKind, str, str, int]]) -> None:
    store = moved(steps)
    summary = store.get_summary()
    assert (summary.budget_count, summary.depleted_count) == (4, sum(budget.is_depleted() for budget in store))


@given(movements)
def test_the_totals_of_unlike_assets_still_balance(steps: list[tuple[MovementKind, str, str, int]]) -> None:
    summary = moved(steps).get_summary()
    assert summary.total_initial == summary.total_available + summary.total_locked + summary.total_spent


def test_totals_of_any_size_are_exact() -> None:
    store = BudgetStore([Asset("JPY", 0), Asset("ETH", 18)])
    store.set_units(Account("a"), store.assets["JPY"], MAX_UNITS)
    store.set_units(Account("a"), store.assets["ETH"], 1)
    assert f"{store.get_summary().total_initial:f}" == f"{MAX_UNITS}.000000000000000001"


def test_utilisation_counts_the_spent_and_the_locked() -> None:
    store = a_store("a", "b")
    store.lock("a", "USD", 50)
    store.spend("a", "USD", 20)
    assert store.get_summary().total_utilization_percent() == Decimal("25.00")


def test_utilisation_is_the_same_in_any_decimal_context() -> None:
    store = BudgetStore([USD])
    store.set_budget("a", "USD", "123456.78")
    store.lock("a", "USD", "123456.77")
    summary = store.get_summary()
    with localcontext(Context(prec=3, traps=[Inexact, InvalidOperation])):
        assert str(summary.total_utilization_percent()) == "100.00"
        assert str(summary.assets["USD"].utilization_percent()) == "100.00"


def test_no_budget_at_all_is_not_utilised() -> None:
    assert BudgetStore().get_summary().total_utilization_percent() == 0
