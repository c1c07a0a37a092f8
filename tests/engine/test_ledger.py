"""The ledger of one budget: what the history of all says of it, read in any pieces."""

from pathlib import Path
from typing import Any

import pytest

from orderbook_tui.engine import ledger as module
from orderbook_tui.engine.ledger import BudgetLedger
from orderbook_tui.engine.simulation import Simulation
from tests.engine.runs import CONTINUE, a_simulation, faults, finished, run, stopping_after, taken_up

BUSY: dict[str, Any] = {
    "scheduler": {"trades_per_account": 6},
    "venue": {**faults(transient_rate=0.5), "fees": {"maker": "0.001", "taker": "0.002"}},
}


def assert_ledgers_are_the_history(simulation: Simulation) -> int:
    """Each budget's ledger holds its own rows of the history; return how many there are."""
    rows = 0
    for budget in simulation.budgets:
        ledger, amount = BudgetLedger(simulation, budget), budget.asset.amount
        while not ledger.is_caught_up:
            ledger.read_on(0)
        assert [
            (row.at, row.slot, row.kind, *map(amount, (row.amount, row.available, row.locked, row.spent, row.received)))
            for row in map(ledger.__getitem__, range(len(ledger)))
        ] == [
            (s.timestamp, s.slot, s.kind, s.amount, s.available, s.locked, s.spent, s.received)
            for s in simulation.budgets.get_history()
            if (s.account_id, s.asset) == (budget.account.id, budget.asset.symbol)
        ]
        rows += len(ledger)
    return rows


@pytest.mark.parametrize("piece", [1, 3, 2_000])
def test_each_budgets_ledger_is_its_part_of_the_history(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(module, "_SLICE", piece)
    assert assert_ledgers_are_the_history(finished(decider=CONTINUE, **BUSY)) > 30


def test_it_is_right_after_a_resume(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path, **BUSY)
    with stopping_after(simulation, 9):
        run(simulation, CONTINUE)
    simulation = taken_up(tmp_path, simulation)
    assert assert_ledgers_are_the_history(simulation) > 5
    simulation.close()


def test_the_last_row_is_the_budget_as_it_is() -> None:
    simulation = finished(**BUSY)
    for budget in simulation.budgets:
        ledger = BudgetLedger(simulation, budget)
        ledger.read_on(1)
        if len(ledger):
            row = ledger[len(ledger) - 1]
            assert (row.available, row.locked, row.spent, row.received) == (
                budget.available,
                budget.locked,
                budget.spent,
                budget.received,
            )


def test_it_goes_on_where_it_was() -> None:
    simulation = a_simulation(scheduler={"trades_per_account": 6})
    budget = next(budget for budget in simulation.budgets if budget.asset.symbol == "USD")
    ledger = BudgetLedger(simulation, budget)
    with stopping_after(simulation, 8):
        run(simulation)
    ledger.read_on(1)
    before = len(ledger)
    run(simulation)
    assert not ledger.is_caught_up
    assert ledger.read_on(1)
    assert len(ledger) > before
    assert not ledger.read_on(1)
