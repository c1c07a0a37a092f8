"""A whole run at every venue: all of a directed schedule matches, and the exchange's own books say the same."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from orderbook_tui.config import parse_config
from orderbook_tui.core.slot import Verdict
from orderbook_tui.engine.simulation import RunStatus, Simulation
from tests.engine.runs import SKIP
from tests.venues.conformance.desks import Bench

SLOTS, ACCOUNTS = 40, 4


def a_run(bench: Bench, folder: Path, **processor: Any) -> Simulation:
    """A directed schedule of as many slots, of accounts and on a market of its own."""
    config = bench.config(
        bench.names(ACCOUNTS),
        scheduler={"trades_per_account": SLOTS // ACCOUNTS, "min_amount": "10", "max_amount": "500"},
        processor={"retry_base_delay_ms": 0, "max_retries": 2} | processor,
    )
    for session in config["venue"].get("sessions", ()):
        session["sender_comp_id"] = "RUNNER"  # its numbers are kept with the run, where those of the desks are not
        config["venue"]["reset_on_logon"] = True
    return Simulation.create(parse_config(config), state_dir=folder)


def is_what_the_exchange_says(bench: Bench, simulation: Simulation, before: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield what an account has by the run's budgets and has not by the exchange's books."""
    for account, had in before.items():
        has = bench.books.balances(account)
        for asset, (available, locked) in has.items():
            budget = simulation.budgets.budget(account, asset)
            unit = budget.asset.amount
            moved = unit(budget.received) - unit(budget.spent)
            if (available + locked, locked) != (sum(had[asset], Decimal(0)) + moved, unit(budget.locked)):
                yield f"{account} {asset}: {had[asset]} + {moved}, not {available} and {locked}"


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_directed_schedule_matches_and_agrees_with_the_exchange(bench: Bench, concurrency: int, tmp_path: Path) -> None:
    if bench.subject.is_embedded and concurrency > 1:
        pytest.skip("it answers at once: there is nothing to do meanwhile")
    simulation = a_run(bench, tmp_path, concurrency=concurrency)
    names = [] if bench.subject.is_embedded else [account.name for account in simulation.state.plan.accounts]
    before = {name: bench.books.balances(name) for name in names}
    anyio.run(simulation.run, SKIP)
    simulation.close()

    assert simulation.status is RunStatus.DONE
    assert [slot.verdict for slot in simulation.slots] == [Verdict.MATCHED] * SLOTS
    assert [name for name, holds in simulation.invariants().items() if not holds] == []
    assert list(is_what_the_exchange_says(bench, simulation, before)) == []
    assert simulation.reconciliation is None or not simulation.reconciliation.differences


def test_a_run_that_was_stopped_ends_as_one_that_was_not(bench: Bench, tmp_path: Path) -> None:
    simulation = a_run(bench, tmp_path)
    names = [] if bench.subject.is_embedded else [account.name for account in simulation.state.plan.accounts]
    before = {name: bench.books.balances(name) for name in names}

    async def half() -> None:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(simulation.run(SKIP))
            while simulation.stats.ended_slots < SLOTS // 2 and not running.done():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.001)
            simulation.stop()

    anyio.run(half)
    simulation.close()
    again = Simulation.resume(simulation.id, tmp_path)
    anyio.run(again.run, SKIP)
    again.close()

    assert [slot.verdict for slot in again.slots] == [Verdict.MATCHED] * SLOTS
    assert list(is_what_the_exchange_says(bench, again, before)) == []
    for name in names:
        mine = sum(slot.account_id == name for slot in again.slots)
        assert len(bench.books.orders(name)) == mine
