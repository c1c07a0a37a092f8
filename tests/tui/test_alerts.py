"""Budget alerts: each is told once, together with others, in numbers that are so, and never what was so from the start."""

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
        return self.look_soon()

    def look_soon(self) -> list[str]:
        """What one look says right after another."""
        notice = self.alerts.look()
        return [notice.text] if notice is not None else []

    def its(self, place: int) -> str:
        """What a budget is called among others."""
        return f"{self.budgets[place].account.name}'s {self.budgets[place].asset.symbol}"


def test_a_budget_above_80_percent_is_told_by_name() -> None:
    watch = Watch()
    watch.use(watch.budgets[0], 80)
    assert watch.look() == []
    watch.use(watch.budgets[0], 81)
    budget = watch.budgets[0]
    assert watch.look() == [f"{budget.account.name} has used over 80 % of its {budget.asset.symbol}"]


def test_a_depleted_budget_is_told_and_is_worse() -> None:
    watch = Watch()
    watch.use(watch.budgets[0], 100)
    watch.now += QUIET_S
    notice = watch.alerts.look()
    assert notice is not None
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


def test_of_several_it_is_told_how_many_there_are_in_all_and_the_last_by_name() -> None:
    watch = Watch()
    everything = len(watch.budgets)
    for place in (0, 3, 1):
        watch.use(watch.budgets[place], 90)
    assert watch.look() == [f"3 of {everything} budgets are over 80 %: the last is {watch.its(3)}"]
    for place in (2, 4):
        watch.use(watch.budgets[place], 90)
    assert watch.look() == [f"5 of {everything} budgets are over 80 %: the last is {watch.its(4)}"]


def test_how_many_are_depleted_is_told_beside_those_over_80_percent() -> None:
    watch = Watch()
    everything = len(watch.budgets)
    for place, percent in enumerate((90, 100, 85, 100, 90)):
        watch.use(watch.budgets[place], percent)
    assert watch.look() == [f"3 of {everything} budgets are over 80 %, 2 more are depleted: the last is {watch.its(3)}"]
    for place in (5, 6):
        watch.use(watch.budgets[place], 90)
    assert watch.look() == [f"5 of {everything} budgets are over 80 %: the last is {watch.its(6)}; 2 more are depleted"]


def test_of_several_that_are_all_depleted_it_is_told_how_many() -> None:
    watch = Watch()
    for place in (0, 1):
        watch.use(watch.budgets[place], 100)
    assert watch.look() == [f"2 of {len(watch.budgets)} budgets are depleted: the last is {watch.its(1)}"]


def test_the_numbers_are_those_of_the_moment_not_of_what_was_told_before() -> None:
    watch = Watch()
    for place in range(4):
        watch.use(watch.budgets[place], 90)
    watch.look()
    for budget in watch.budgets[:3]:
        budget.spent, budget.available = 0, budget.initial
    for place in (4, 5):
        watch.use(watch.budgets[place], 90)
    assert watch.look() == [f"3 of {len(watch.budgets)} budgets are over 80 %: the last is {watch.its(5)}"]


def test_what_was_given_back_before_it_could_be_told_is_not_told() -> None:
    watch = Watch()
    watch.use(watch.budgets[0], 90)
    watch.look()
    budget = watch.budgets[1]
    watch.use(budget, 90)
    assert watch.look_soon() == []
    budget.spent, budget.available = 0, budget.initial
    watch.use(budget, 10)
    assert watch.look() == []
    watch.use(budget, 90)
    assert len(watch.look()) == 1


def test_a_run_in_which_budgets_run_out_all_the_time_says_so_every_quarter_of_a_minute() -> None:
    watch = Watch()
    told = []
    for tick in range(60 * 20):
        if tick % 100 == 0:
            watch.use(watch.budgets[tick // 100 % len(watch.budgets)], 81 + tick // 100 // len(watch.budgets))
        watch.now += 1 / 20
        told += watch.look_soon()
    assert 1 < len(told) <= 5


def test_one_that_went_all_the_way_at_once_is_told_of_once() -> None:
    watch = Watch()
    watch.use(watch.budgets[0], 90)
    watch.use(watch.budgets[0], 100)
    assert len(watch.look()) == 1


def test_what_runs_out_soon_after_is_told_together_when_it_has_been_quiet() -> None:
    watch = Watch()
    watch.use(watch.budgets[0], 90)
    assert len(watch.look()) == 1
    watch.use(watch.budgets[1], 90)
    assert watch.look_soon() == []
    watch.use(watch.budgets[2], 90)
    assert watch.look_soon() == []
    (text,) = watch.look()
    assert text.startswith("3 of")


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
    assert not any(f"{b.account.name} has used over 80 % of its {b.asset.symbol}" in told for b in high)
    simulation.close()


def test_a_look_goes_through_a_part_and_the_next_ones_through_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    watch = Watch()
    for budget in watch.budgets[-3:]:
        watch.use(budget, 90)
    assert watch.look() == []
    (text,) = [text for _ in watch.budgets for text in watch.look()]
    assert "3 of" in text


def test_of_more_budgets_than_are_seen_at_once_the_number_is_about_so_while_the_run_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    watch = Watch()
    for budget in watch.budgets[:2]:
        watch.use(budget, 90)
    told: list[str] = []
    while not told:
        watch.simulation.state.journal.append(Cancel(0, 0, 0))
        told = watch.look()
    assert told[0].startswith(f"about 2 of {len(watch.budgets)} budgets are over 80 %")


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
    (several,) = watch.look()
    watch.use(watch.budgets[2], 90)
    told = several + "".join(watch.look())
    assert all(character.isprintable() for character in told)
    assert len(told) < 400
