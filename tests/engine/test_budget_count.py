"""Totals of the budgets: what the store says, and honest where they cannot be."""

from typing import Any

import pytest

from orderbook_tui.core.market import Account
from orderbook_tui.core.money import Asset
from orderbook_tui.engine import budget_count
from orderbook_tui.engine.budget_count import BudgetCount, Total
from orderbook_tui.engine.budget_level import Level, level_of
from orderbook_tui.engine.simulation import RunStatus, Simulation
from tests.engine.runs import a_simulation, finished, run


def totals_of(count: BudgetCount) -> dict[str, tuple[Any, ...]]:
    return {
        symbol: (*map(total.asset.amount, total.pots), total.asset.amount(total.available))
        for symbol, total in count.totals.items()
        if total.count
    }


def expected(simulation: Simulation) -> dict[str, tuple[Any, ...]]:
    return {
        symbol: (
            totals.total_initial,
            totals.total_available,
            totals.total_locked,
            totals.total_spent,
            totals.total_received,
            totals.total_available,
        )
        for symbol, totals in simulation.budgets.get_summary().assets.items()
    }


def test_totals_are_those_of_the_summary() -> None:
    simulation = finished(scheduler={"trades_per_account": 4})
    count = BudgetCount(simulation)
    count.look()
    assert count.is_exact
    assert totals_of(count) == expected(simulation)
    assert any(total.spent for total in count.totals.values())


def test_depleted_budgets_are_counted_but_not_those_that_never_had_anything() -> None:
    simulation = a_simulation()
    first, second, third, *_ = simulation.budgets
    first.initial = first.available = 0
    second.lock(second.available)
    second.spend(second.locked)
    third.lock(third.available)
    count = BudgetCount(simulation)
    count.look()
    assert count.depleted == simulation.budgets.get_summary().depleted_count == 1


def test_budgets_over_80_percent_are_counted_without_the_depleted_ones() -> None:
    simulation = a_simulation()
    nothing, depleted, high, locked, just_not = list(simulation.budgets)[:5]
    nothing.initial = nothing.available = 0
    for budget, left in ((depleted, 0), (high, 19), (locked, 0), (just_not, 20)):
        budget.lock(budget.available * (100 - left) // 100)
    depleted.spend(depleted.locked)
    high.spend(high.locked)
    count = BudgetCount(simulation)
    count.look()
    assert (count.high, count.depleted) == (2, 1)
    assert count.high == sum(level_of(b.initial, b.available, b.locked) is Level.HIGH for b in simulation.budgets)


def test_a_count_of_many_is_exact_only_once_the_run_has_held_still_throughout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_count, "AT_ONCE", 2)
    monkeypatch.setattr(budget_count, "_SLICE", 2)
    simulation = a_simulation(scheduler={"trades_per_account": 4})
    count = BudgetCount(simulation)
    count.look()
    simulation._run.status = RunStatus.RUNNING
    for _ in range(40):
        count.look()
        assert not count.is_exact
    simulation._run.status = RunStatus.PAUSED
    looks = 0
    while not count.is_exact:
        count.look()
        looks += 1
    assert looks > 1
    assert totals_of(count) == expected(simulation)


def test_a_count_that_was_overtaken_by_the_run_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_count, "AT_ONCE", 2)
    monkeypatch.setattr(budget_count, "_SLICE", 2)
    simulation = a_simulation(scheduler={"trades_per_account": 4})
    count = BudgetCount(simulation)
    count.look()
    run(simulation)
    while not count.is_exact:
        count.look()
    assert totals_of(count) == expected(simulation)


def test_nothing_is_counted_again_while_nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    count = BudgetCount(finished())
    count.look()
    before = count.totals
    count.look()
    assert count.totals is before


@pytest.mark.parametrize(
    ("initial", "available", "locked", "level"),
    [
        (100, 100, 0, Level.FINE),
        (100, 20, 80, Level.FINE),
        (100, 19, 0, Level.HIGH),
        (100, 0, 1, Level.HIGH),
        (100, 0, 0, Level.DEPLETED),
        (0, 0, 0, Level.FINE),
    ],
)
def test_a_budget_is_high_above_80_percent_and_depleted_with_nothing_left(
    initial: int, available: int, locked: int, level: Level
) -> None:
    assert level_of(initial, available, locked) is level


def test_what_is_only_locked_is_not_depleted() -> None:
    budget = next(iter(a_simulation().budgets))

    def total() -> Total:
        counted = Total(budget.asset)
        counted.add([budget])
        return counted

    budget.lock(budget.available)
    assert not total().is_depleted
    budget.spend(budget.locked)
    assert total().is_depleted


def test_assets_of_accounts_that_have_none_of_others_are_counted_apart() -> None:
    simulation = a_simulation()
    simulation.budgets.set_budget(Account("new"), Asset("NEW"), 5)
    count = BudgetCount(simulation)
    count.look()
    assert count.totals["NEW"].initial == 5 * 10**8
