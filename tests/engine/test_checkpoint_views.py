"""The views of a checkpoint, read with the SQLite of the standard library, say what the program says."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.core.exchange import FeeSchedule, fee
from orderbook_tui.core.replay import Replayed
from orderbook_tui.engine.checkpoint_schema import highest_fee
from tests.engine.checkpoints import FEES, a_played_run, file_of, saved

DEAR = FeeSchedule(123_456_789, 9_999_999_999)


@pytest.fixture(scope="module", params=[FeeSchedule(), FEES, DEAR], ids=["free", "usual", "dear"])
def opened(request: Any, tmp_path_factory: Any) -> Iterator[tuple[Replayed, sqlite3.Connection]]:
    """A played run, and its finished file as a person would open it."""
    folder: Path = tmp_path_factory.mktemp("views")
    played = a_played_run(fees=request.param)
    with closing(sqlite3.connect(file_of(folder, saved(folder, played)))) as connection:
        yield played, connection


Opened = tuple[Replayed, sqlite3.Connection]


def test_the_ledger_is_the_settlements_movements(opened: Opened) -> None:
    played, connection = opened
    rows = connection.execute("SELECT account, asset, kind, amount, at, slot FROM ledger ORDER BY number").fetchall()
    moves = played.settlement.movements(played.state.journal)
    assert rows == [(m.account, m.asset, m.kind.value, m.amount, m.at, m.slot) for m in moves]
    assert {row[2] for row in rows} == {"lock", "unlock", "spend", "receive"}


def test_the_history_is_the_stores_history(opened: Opened) -> None:
    played, connection = opened
    rows = connection.execute(
        "SELECT at, account, asset, kind, amount, initial, available, locked, spent, received, slot "
        "FROM history ORDER BY number"
    ).fetchall()
    units = {budget.asset.symbol: budget.asset.units for budget in played.budgets}
    expected = []
    for snapshot in played.budgets.get_history():
        pots = (snapshot.amount, snapshot.initial, snapshot.available, snapshot.locked, snapshot.spent, snapshot.received)
        asset = snapshot.asset
        expected.append(
            (snapshot.timestamp, snapshot.account_id, asset, snapshot.kind.value, *map(units[asset], pots), snapshot.slot)
        )
    assert rows == expected


def test_the_budgets_are_the_stores_budgets(opened: Opened) -> None:
    played, connection = opened
    rows = connection.execute("SELECT * FROM budgets ORDER BY account, asset").fetchall()
    assert rows == sorted(
        (b.account.id, b.asset.symbol, b.initial, b.available, b.locked, b.spent, b.received) for b in played.budgets
    )


def test_the_slots_are_the_runs_slots(opened: Opened) -> None:
    played, connection = opened
    rows = connection.execute(
        "SELECT sequence, account_id, market, side, quantity, price, state, attempt_count, filled, order_id, error_code "
        "FROM slots ORDER BY sequence"
    ).fetchall()
    assert rows == [
        (
            slot.sequence,
            slot.account_id,
            slot.action.market_id,
            slot.action.side.word,
            slot.action.quantity,
            slot.action.price,
            slot.state.value,
            slot.attempt_count,
            slot.filled,
            slot.order_id,
            slot.last_error.code if slot.last_error else None,
        )
        for slot in played.state.slots
    ]


def test_the_file_is_sound_for_another_sqlite(opened: Opened) -> None:
    assert opened[1].execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert opened[1].execute("PRAGMA foreign_key_check").fetchall() == []


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**10 - 1))
def test_the_fee_in_sql_is_the_fee(notional: int, rate: int) -> None:
    with closing(sqlite3.connect(":memory:")) as memory:
        sql = f"SELECT {highest_fee('notional')} FROM (SELECT ? AS notional, ? AS rate)"
        assert memory.execute(sql, (notional, rate)).fetchone() == (fee(rate, notional),)
