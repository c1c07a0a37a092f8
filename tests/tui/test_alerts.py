"""Budget alerts: each told once, together with others, and never what was so from the start."""

from pathlib import Path
from typing import Any

import pytest

from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.core.journal import Cancel
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui import alerts as module
from orderbook_tui.tui.alerts import QUIET_S, BudgetAlerts
from tests.engine.runs import a_simulation, run, stopping_after, taken_up
from tests.tui.test_hostile_text import HOSTILE


class Watch:
    """Alerts on a fresh run, whose budgets a test moves by hand, and whose clock it winds."""

    def __init__(self, simulation: Simulation | None = None) -> None:
        self.simulation = simulation or a_simulation()
        self.now = 100.0
        self.alerts = BudgetAlerts(self.simulation, lambda: self.now)
        self.budgets = list(self.simulation.budgets)
        self.look()

    def use(self, budget: AccountBudget, percent: int) -> None:
        """Spend of a budget up to so much of it, as a run would."""
        amount = budget.initial * percent // 100 - budget.spent
        budget.lock(amount)
        budget.spend(amount)
        self.simulation.state.journal.append(Cancel(0, 0, 0))

    def look(self) -> list[str]:
        """What one look says, once nothing is held back any more."""
        self.now += QUIET_S
        return [notice.text for notice in self.alerts.look()]


def test_a_budget_above_80_percent_is_told_by_name() -> None:
    watch = Watch()
    watch.use(watch.budgets[0], 80)
    assert watch.look() == []
    watch.use(watch.budgets[0], 81)
    budget = watch.budgets[0]
    assert watch.look() == [f"{budget.account.name} has used more than 80 % of its {budget.asset.symbol}"]


def test_a_depleted_budget_is_told_and_is_worse() -> None:
    watch = Watch()
    watch.use(watch.budgets[0], 100)
    watch.now += QUIET_S
    (notice,) = watch.alerts.look()
    assert notice.text == f"{watch.budgets[0].account.name} has no {watch.budgets[0].asset.symbol} left"
    assert notice.severity == "error"


def test_each_budget_is_told_once_for_each_level() -> None:
    watch = Watch()
    budget = watch.budgets[0]
    watch.use(budget, 90)
    assert len(watch.look()) == 1
    budget.spent, budget.available = 0, budget.initial
    watch.use(budget, 50)
    assert watch.look() == []
    watch.use(budget, 95)
    assert watch.look() == []
    watch.use(budget, 100)
    assert len(watch.look()) == 1
    assert watch.look() == []


def test_several_are_told_together_the_first_by_name() -> None:
    watch = Watch()
    for budget in watch.budgets[:5]:
        watch.use(budget, 90)
    (text,) = watch.look()
    assert text.startswith(f"5 budgets are above 80 %: {watch.budgets[0].account.name} {watch.budgets[0].asset.symbol}, ")
    assert text.endswith(" and 2 more")


def test_one_that_went_all_the_way_at_once_is_told_of_once() -> None:
    watch = Watch()
    watch.use(watch.budgets[0], 90)
    watch.use(watch.budgets[0], 100)
    assert len(watch.look()) == 1


def test_what_runs_out_soon_after_is_told_together_a_little_later() -> None:
    watch = Watch()
    watch.use(watch.budgets[0], 90)
    assert len(watch.look()) == 1
    watch.use(watch.budgets[1], 90)
    assert watch.alerts.look() == []
    watch.use(watch.budgets[2], 90)
    assert watch.alerts.look() == []
    (text,) = watch.look()
    assert text.startswith("2 budgets")


def test_what_was_given_nothing_is_not_told() -> None:
    watch = Watch()
    watch.budgets[0].initial = watch.budgets[0].available = 0
    watch.use(watch.budgets[1], 10)
    assert watch.look() == []


@pytest.mark.parametrize("at_once", [1, 5_000])
def test_what_was_so_when_a_checkpoint_was_opened_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    tight: dict[str, Any] = {"scheduler": {"trades_per_account": 8}, "budget": {"budgets": [{"amount": 9_000}]}}
    simulation = a_simulation(tmp_path, **tight)
    with stopping_after(simulation, 26):
        run(simulation)
    simulation = taken_up(tmp_path, simulation)
    high = [budget for budget in simulation.budgets if 5 * budget.available < budget.initial]
    fresh = [budget for budget in simulation.budgets if 2 * budget.available > budget.initial]
    assert high
    watch = Watch(simulation)
    watch.use(fresh[0], 90)
    told = [text for _ in range(2 * len(watch.budgets)) for text in watch.look()]
    assert len(told) == 1 or at_once == 1
    assert not any(f"{b.account.name} has used more than 80 % of its {b.asset.symbol}" in told for b in high)
    simulation.close()


def test_a_look_goes_through_a_part_and_the_next_ones_through_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    watch = Watch()
    for budget in watch.budgets[-3:]:
        watch.use(budget, 90)
    assert watch.look() == []
    (text,) = [text for _ in watch.budgets for text in watch.look()]
    assert text.startswith("3 budgets")


def test_nothing_is_gone_through_while_nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    watch.use(watch.budgets[0], 90)
    watch.look()
    monkeypatch.setattr(watch.alerts, "_pass", None)
    assert watch.look() == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_names_are_told_harmlessly(text: str) -> None:
    watch = Watch(a_simulation(accounts={"list": [{"name": f"{text}{number}"} for number in range(2)]}))
    for budget in watch.budgets[:2]:
        watch.use(budget, 90)
    (told,) = watch.look()
    assert all(character.isprintable() for character in told)
    assert len(told) < 400
