"""The list of budgets: everything that is asked for, once, in the order asked for."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.core.budget import AccountBudget, BudgetStore
from orderbook_tui.core.market import Account
from orderbook_tui.core.money import Asset
from orderbook_tui.engine.budget_list import BudgetOrder, Listing, list_budgets

USD, BTC = Asset("USD", 2), Asset("BTC", 8)


def made(listing: Listing) -> list[AccountBudget]:
    """The list, and whatever steps it takes."""
    while True:
        try:
            next(listing)
        except StopIteration as end:
            budgets: list[AccountBudget] = end.value
            return budgets


def a_store(pots: Iterable[tuple[int, int]]) -> BudgetStore:
    """Accounts a0, a1, ..., each with USD and BTC, of which (initial, used) are given for the USD."""
    store = BudgetStore([USD, BTC])
    for number, (initial, used) in enumerate(pots):
        account = Account(f"id{number}", f"Account {number}")
        store.set_units(account, USD, initial)
        store.set_units(account, BTC, 100)
        if used:
            store.budget(account.id, USD).lock(used)
    return store


def named(budgets: Iterable[AccountBudget]) -> list[str]:
    return [f"{budget.account.name} {budget.asset.symbol}" for budget in budgets]


def test_by_account_it_is_the_order_of_the_plan() -> None:
    assert named(made(list_budgets(a_store([(1, 0), (1, 0)])))) == [
        "Account 0 USD",
        "Account 0 BTC",
        "Account 1 USD",
        "Account 1 BTC",
    ]


def test_by_asset_those_of_an_asset_stand_together() -> None:
    symbols = [budget.asset.symbol for budget in made(list_budgets(a_store([(1, 0), (1, 0)]), BudgetOrder.ASSET))]
    assert symbols == ["USD", "USD", "BTC", "BTC"]


@given(st.lists(st.tuples(st.integers(0, 10**18), st.integers(0, 1000)), max_size=30))
def test_by_use_the_most_used_come_first_and_what_was_given_nothing_last(shares: list[tuple[int, int]]) -> None:
    store = a_store((initial, initial * share // 1000) for initial, share in shares)
    listed = made(list_budgets(store, BudgetOrder.USED))
    free = [10**6 * budget.available // budget.initial if budget.initial else 10**9 for budget in listed]
    assert free == sorted(free)
    assert sorted(named(listed)) == sorted(named(store))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["usd"], ["Account 0 USD", "Account 1 USD", "Account 2 USD"]),
        (["account", "2"], ["Account 2 USD", "Account 2 BTC"]),
        (["2", "BT"], ["Account 2 BTC"]),
        (["nobody"], []),
    ],
)
def test_each_word_is_in_the_name_of_the_account_or_of_the_asset(words: list[str], found: list[str]) -> None:
    assert named(made(list_budgets(a_store([(1, 0)] * 3), BudgetOrder.ACCOUNT, words))) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["over"], ["Account 1 USD"]),
        (["DEPLETED"], ["Account 2 USD"]),
        (["over", "2"], []),
        (["depleted", "2", "usd"], ["Account 2 USD"]),
        (["depleted", "btc"], []),
    ],
)
def test_over_and_depleted_find_the_budgets_that_are_so(words: list[str], found: list[str]) -> None:
    store = a_store([(100, 80), (100, 81), (100, 100), (0, 0)])
    gone = store.budget("id2", USD)
    gone.spend(gone.locked)
    assert named(made(list_budgets(store, BudgetOrder.ACCOUNT, words))) == found


def test_over_and_depleted_still_find_names() -> None:
    store = BudgetStore([USD, BTC])
    for number, called in enumerate(("Rollover", "depleted ones", "others")):
        store.set_units(Account(f"id{number}", called), USD, 100)
    assert named(made(list_budgets(store, BudgetOrder.ACCOUNT, ["over"]))) == ["Rollover USD"]
    assert named(made(list_budgets(store, BudgetOrder.ACCOUNT, ["depleted"]))) == ["depleted ones USD"]


def test_a_long_list_is_made_in_steps() -> None:
    store = a_store([(100, number % 100) for number in range(15_000)])
    for order, words in (
        (BudgetOrder.USED, []),
        (BudgetOrder.ASSET, []),
        (BudgetOrder.ACCOUNT, ["1"]),
        (BudgetOrder.ACCOUNT, ["over"]),
    ):
        assert sum(1 for _ in list_budgets(store, order, words)) >= 3
