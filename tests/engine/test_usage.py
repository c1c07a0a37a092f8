"""Usage in the course of a run: from the journal, what the budgets were at each of its points."""

from pathlib import Path
from typing import Any

import pytest

from orderbook_tui.core.budget import MovementKind
from orderbook_tui.core.journal import Attempt, Cancel, Decision, Execution
from orderbook_tui.engine import usage as module
from orderbook_tui.engine.bookkeeper import Bookkeeper
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.usage import Point, UsageHistory
from tests.engine.runs import CONTINUE, a_simulation, faults, finished, run, stopping_after, taken_up
from tests.engine.test_ledger import BUSY


def read(simulation: Simulation, most: int = 400) -> UsageHistory:
    history = UsageHistory(simulation, most)
    while not history.is_caught_up:
        history.read_on(0)
    return history


def used_now(simulation: Simulation) -> tuple[int, ...]:
    """What is locked or spent of each asset, by the budgets themselves."""
    return tuple(
        sum(budget.locked + budget.spent for budget in simulation.budgets if budget.asset.symbol == symbol)
        for symbol in simulation.budgets.assets
    )


@pytest.mark.parametrize("piece", [1, 7, 500])
def test_it_ends_with_what_the_budgets_say(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(module, "_SLICE", piece)
    simulation = finished(decider=CONTINUE, **BUSY)
    history = read(simulation)
    assert history.now == Point(simulation.stats.ended_slots, used_now(simulation))
    assert any(history.now.used)


def test_each_point_is_what_the_budgets_were_when_so_many_slots_had_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = a_simulation(scheduler={"trades_per_account": 6})
    seen = {0: used_now(simulation)}
    ended = Bookkeeper.slot_ended

    def note(keeper: Bookkeeper, slot: object) -> None:
        ended(keeper, slot)  # type: ignore[arg-type]
        seen[simulation.stats.ended_slots] = used_now(simulation)

    monkeypatch.setattr(Bookkeeper, "slot_ended", note)
    run(simulation)
    points = read(simulation).points
    assert len(points) > 20
    assert {point.ended: point.used for point in points} == seen


def test_it_is_right_after_a_resume(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path, **BUSY)
    with stopping_after(simulation, 9):
        run(simulation, CONTINUE)
    before = read(simulation).points
    simulation = taken_up(tmp_path, simulation)
    assert read(simulation).points == before
    simulation.close()


def test_what_all_accounts_began_with_is_the_whole() -> None:
    simulation = finished()
    summary = simulation.budgets.get_summary()
    history = read(simulation)
    for asset in history.assets:
        assert asset.amount(history.initial[asset.symbol]) == summary.assets[asset.symbol].total_initial


def test_no_more_points_are_kept_than_can_be_seen() -> None:
    simulation = finished(scheduler={"trades_per_account": 60})
    thinned, all_of_them = read(simulation, most=20), read(simulation)
    assert len(thinned.points) <= 21
    assert set(thinned.points) <= set(all_of_them.points)
    assert thinned.points[0].ended == 0
    assert thinned.points[-1] == all_of_them.points[-1]
    gaps = {after.ended - before.ended for before, after in zip(thinned.points, thinned.points[1:-1], strict=False)}
    assert len(gaps) == 1


def test_it_says_how_far_it_has_read() -> None:
    simulation = finished(scheduler={"trades_per_account": 300})
    history = UsageHistory(simulation)
    history.read_on(0)
    history.read_on(0)
    assert 0 < history.read < len(simulation.state.journal)
    assert not history.is_caught_up


WILD: dict[str, Any] = {
    "accounts": {"generate": {"count": 6}},
    "scheduler": {
        "trades_per_account": 20,
        "matching_strategy": "any",
        "alternate_sides": False,
        "bid_price_offset": "1.01",
        "ask_price_offset": "0.99",
    },
    "budget": {"budgets": [{"asset_id": "USD", "amount": 50_000}, {"amount": 20}]},
}
"""Orders that meet whom they meet, at better prices and in parts, and budgets that do not last."""


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fees", [{}, {"maker": "0.001", "taker": "0.0025"}, {"taker": "0.003"}], ids=["free", "both", "taker"])
def test_at_every_slot_it_is_what_the_ledger_says_is_locked_or_spent(seed: int, fees: dict[str, str]) -> None:
    sections = {**WILD, "seed": seed, "venue": {**faults(transient_rate=0.3), "fees": fees}}
    simulation = finished(decider=CONTINUE, **sections)
    signs = {MovementKind.LOCK: 1, MovementKind.UNLOCK: -1}
    journal, history = simulation.state.journal, read(simulation)
    used = dict.fromkeys((asset.symbol for asset in history.assets), 0)
    left: dict[int, int] = {}
    ended, expected = set(), {0: tuple(used.values())}
    for event in journal:
        if isinstance(event, Attempt | Decision) and getattr(event, "failure", None) is None:
            ended.add(event.slot)
        for movement in simulation._settlement.movements([event], left=left):
            used[movement.asset] += signs.get(movement.kind, 0) * movement.amount
        expected[len(ended)] = tuple(used.values())
    assert {point.ended: point.used for point in history.points} == expected
    assert {type(event) for event in journal} == {Attempt, Execution, Cancel, Decision}
