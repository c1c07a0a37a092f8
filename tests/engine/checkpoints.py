"""Runs to be saved: a real one, driven by hand, and what the tests of checkpoints ask of a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw

from orderbook_tui.core.exchange import Exchange, FeeSchedule
from orderbook_tui.core.journal import Cancel, Decision, Failure, RecoveryAction
from orderbook_tui.core.replay import Replayed, replay
from orderbook_tui.core.scheduler import SchedulerConfig, SlotScheduler
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import Plan, SimulationState
from orderbook_tui.engine.checkpoint_chain import PlanDigest, link
from orderbook_tui.engine.checkpoint_schema import CHAINED, JOURNAL_TABLES, PLAN_TABLES
from orderbook_tui.engine.persistence import GROUP, StatePersistence
from orderbook_tui.errors import FailureKind
from tests.builders import some_accounts, some_markets

FEES = FeeSchedule(2_000_000, 5_000_000)


def a_plan(*, accounts: int = 4, trades: int = 10, fees: FeeSchedule = FEES, seed: int = 1) -> tuple[Plan, list[ActionSlot]]:
    """A plan with enough of everything, and its fresh slots."""
    people, markets = some_accounts(accounts), some_markets(2)
    schedule = SchedulerConfig(trades_per_account=trades, seed=seed)
    slots = SlotScheduler(schedule).generate_schedule(people, markets)
    assets = {asset.symbol: asset for market in markets for asset in (market.base, market.quote)}
    budgets = {(person.id, symbol): 10**15 for person in people for symbol in assets}
    plan = Plan(
        name="A run: two markets",
        config='{"seed": 1}',
        accounts=tuple(people),
        markets=tuple(markets),
        assets=tuple(assets.values()),
        budgets=budgets,
        fees=fees,
    )
    return plan, slots


def a_fresh_run(*, trades: int = 10) -> SimulationState:
    """A run of which nothing has happened yet."""
    plan, slots = a_plan(trades=trades)
    return SimulationState(slots, plan=plan)


def a_played_run(*, until: int | None = None, fees: FeeSchedule = FEES, seed: int = 1) -> Replayed:
    """A run in which slots fail, are retried, skipped, continued past, filled and cancelled."""
    plan, slots = a_plan(fees=fees, seed=seed)
    played = replay(plan, slots)
    exchange = Exchange(plan.markets, plan.fees)
    for slot in slots[:until]:
        play(slot, played, exchange)
    played.state.update_stats()
    return played


def play(slot: ActionSlot, played: Replayed, exchange: Exchange) -> None:
    """Run one slot: each fifth fails first, each seventh for good, and a pair ends with a cancel."""
    state, settlement = played.state, played.settlement
    journal, now = state.journal, 1_000 * (slot.sequence + 1)
    slot.begin(now)
    if slot.sequence % 5 == 0:
        slot.fail_attempt(Failure("unavailable", FailureKind.TRANSIENT, "away \ud800 \0 for now"), now + 1)
        journal.append(slot.attempts[-1])
        slot.begin(now + 2)
    if slot.sequence % 7 == 3:
        slot.fail_attempt(Failure("rejected", FailureKind.PERMANENT, "no"), now + 3)
        journal.append(slot.attempts[-1])
        action = RecoveryAction.SKIP if slot.sequence % 2 else RecoveryAction.CONTINUE
        decision = Decision(slot.sequence, slot.attempt_count, action, "a person", now + 4)
        slot.decide(decision)
        journal.append(decision)
    else:
        quantity = settlement.reserve(slot)
        submission = exchange.submit(slot.account_id, slot.action, quantity, slot.sequence, now + 5)
        slot.open = quantity
        slot.complete(submission.order_id if slot.sequence % 3 else f"{submission.order_id}", now + 6)
        journal.append(slot.attempts[-1])
        for execution in submission.executions:
            settlement.execute(execution)
            journal.append(execution)
    if slot.sequence % 2:
        for half in (state.slots[slot.partner], slot):
            if half.open:
                exchange.cancel(int(half.order_id or 0))
                journal.append(Cancel(half.sequence, half.open, now + 7))
                settlement.cancel(half)


def saved(folder: Path, played: Replayed, *, group: int = GROUP, finish: bool = True) -> str:
    """Save a played run slot by slot, and let go of it; return its id."""
    state = played.state
    journal, state.journal = state.journal, []
    writer = StatePersistence(folder).create(state, group=group)
    state.journal = journal
    for end in range(1, len(journal) + 1):
        writer.slot_ended(journal[:end])
    if finish:
        writer.finish(journal, played.budgets)
    else:
        writer.flush(journal, barrier=True)
    writer.close()
    return state.id


def file_of(folder: Path, id: str) -> Path:  # noqa: A002
    """Where the checkpoint of that id is."""
    return folder / f"{id}.sqlite"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the folder, byte by byte."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def forge(connection: apsw.Connection, *, of: Sequence[str] = CHAINED) -> None:
    """Give what is in a checkpoint the digest and the links that it would have, had a run written it.

    `of` are the tables with links, of which earlier versions had fewer.
    """
    planned = PlanDigest()
    for table in PLAN_TABLES:
        rows = connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
        for _ in planned.pieces(table, [row[:-1] for row in rows] if table == "plan" else rows):
            pass
    connection.execute("UPDATE plan SET digest = ?", (planned.digest(),))
    for tables, place in ((JOURNAL_TABLES, "n"), (("intents",), "place"), (("opening_balances",), "place")):
        if not set(tables) <= set(of):
            continue
        commit: list[tuple[Any, ...]] = []
        for table in tables:
            connection.execute(f"UPDATE {table} SET chain = NULL")
            commit += connection.execute(f"SELECT {CHAINED.index(table)}, * FROM {table}")
        if commit:
            commit.sort(key=lambda row: row[1])
            last = commit[-1]
            made = (link(planned.digest(), commit), last[1])
            connection.execute(f"UPDATE {CHAINED[last[0]]} SET chain = ? WHERE {place} = ?", made)
