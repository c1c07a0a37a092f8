"""From a plan to the file of a checkpoint: it is there whole, and on the disk, or not at all.

plan and slots -> rows, and their digest -> <id>.sqlite-new -> fsync -> <id>.sqlite -> fsync of the folder
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import apsw

from orderbook_tui.core.action import OrderMatchingStrategy
from orderbook_tui.core.journal import Balance, Event
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import Plan, SimulationState
from orderbook_tui.engine.checkpoint_chain import PIECE, PlanDigest, Row
from orderbook_tui.engine.checkpoint_file import CHECKSUM_BYTES, checksums, dressed, explained
from orderbook_tui.engine.checkpoint_journal import Intent
from orderbook_tui.engine.checkpoint_rows import RowInserter, all_dressed, rows_of, rows_of_balances, rows_of_intents
from orderbook_tui.engine.checkpoint_schema import APPLICATION_ID, PAGE_SIZE, SCHEMA, USER_VERSION
from orderbook_tui.errors import CheckpointError


def create_file(
    path: Path,
    state: SimulationState,
    run: str,
    created_at: int,
    intents: Sequence[Intent] = (),
    balances: Sequence[Balance] = (),
) -> None:
    """Write the plan of `state`, and what has happened, to a new file at `path`: it is there whole, on the disk, or not at all.

    Raises:
        CheckpointError: the plan does not fit together; nothing was written.
        StorageError: it cannot be written.
    """
    try:
        with whole(path) as making, making_tables(making) as connection:
            link = write_plan(connection, state, run, created_at)
            _write_journal(connection, state.journal, intents, balances, link)
    except UnicodeEncodeError:
        raise CheckpointError(f"{path} cannot be made: the run's name for its slots is no valid text") from None
    except OverflowError:
        raise CheckpointError(f"{path} cannot be made: a number of the plan does not fit 64 bits") from None


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Have a new file written, and put it at `path` when it is on the disk; where something fails, nothing has changed."""
    making = path.with_name(path.name + "-new")
    with explained(path):
        making.unlink(missing_ok=True)
        os.close(os.open(making, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, 0o600))
        try:
            yield making
            sync(making, os.O_RDWR)
            making.rename(path)
            sync(path.parent, os.O_RDONLY)
        finally:
            making.unlink(missing_ok=True)


@contextlib.contextmanager
def making_tables(path: Path) -> Iterator[apsw.Connection]:
    """Open the empty file at `path` with the tables of a checkpoint; what is written into it is committed at the end."""
    vfs = checksums()
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW
    with contextlib.closing(apsw.Connection(str(path), flags=flags, vfs=vfs)) as connection:
        if vfs is not None:
            connection.reserve_bytes(reserve=CHECKSUM_BYTES)
        # Until it is renamed nobody counts on it: no journal, no waiting.
        for pragma in (f"page_size={PAGE_SIZE}", "journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        # They refuse to have a plan written.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        connection.execute("BEGIN")
        connection.execute(SCHEMA).fetchall()
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}").fetchall()
        connection.execute(f"PRAGMA user_version={USER_VERSION}").fetchall()
        # Pages get checksums from the moment when the first is on the disk, so that has to be now.
        connection.execute("COMMIT")
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")


def write_plan(connection: apsw.Connection, state: SimulationState, run: str, created_at: int) -> bytes:
    """Write plan and slots of `state`, and that nothing was counted yet; return the plan's digest."""
    plan, slots = state.plan, state.slots
    strategies: dict[OrderMatchingStrategy, int] = {}
    written = PlanDigest()
    for table, rows in _plan_rows(plan):
        insert(connection, table, written.through(table, (tuple(map(dressed, row)) for row in rows)))
    insert(connection, "plan_slots", written.through("plan_slots", _slot_rows(plan, slots, strategies)))
    kinds = [(place, strategy.kind, dressed(strategy.account)) for strategy, place in strategies.items()]
    insert(connection, "strategies", written.through("strategies", kinds))
    about = (
        1, dressed(plan.name), dressed(plan.config), run, created_at, len(slots), plan.fees.maker, plan.fees.taker,
    )  # fmt: skip
    insert(connection, "progress", [(1, created_at, 0, 0, 0, 0, 0)])
    return insert_plan(connection, about, written)


def _write_journal(
    connection: apsw.Connection, journal: Sequence[Event], intents: Sequence[Intent], balances: Sequence[Balance], digest: bytes
) -> None:
    """Write all that has happened, and what was noted before orders were placed; the chains begin with the plan's digest."""
    inserter, link = RowInserter(connection), digest
    for start in range(0, len(journal), PIECE):
        link = inserter.insert(all_dressed(rows_of(journal, start, min(start + PIECE, len(journal)))), link)
    if intents:
        inserter.insert(all_dressed(rows_of_intents(intents, 0)), digest)
    if balances:
        inserter.insert(all_dressed(rows_of_balances(balances)), digest)


def insert(connection: apsw.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert rows, whose columns are all there."""
    left = iter(rows)
    for first in left:
        connection.executemany(f"INSERT INTO {table} VALUES({','.join('?' * len(first))})", chain([first], left))


def insert_plan(connection: apsw.Connection, about: Row, written: PlanDigest) -> bytes:
    """Insert the row of the plan itself, last of its tables, and return the digest of them all."""
    (row,) = written.through("plan", [about])
    digest = written.digest()
    insert(connection, "plan", [(*row, digest)])
    return digest


def _plan_rows(plan: Plan) -> Iterator[tuple[str, Iterator[Row]]]:
    """Yield each small table of the plan, with its rows."""
    accounts = _places("account", (account.id for account in plan.accounts))
    assets = _places("asset", (asset.symbol for asset in plan.assets))
    _places("market", (market.symbol for market in plan.markets))
    yield "accounts", ((place, account.id, account.name) for place, account in enumerate(plan.accounts))
    yield "assets", ((place, asset.symbol, asset.precision) for place, asset in enumerate(plan.assets))
    yield (
        "markets",
        (
            (
                place, market.symbol, market.base.symbol, market.base.precision, market.quote.symbol, market.quote.precision,
                str(market.tick_size), str(market.lot_size), str(market.min_notional), str(market.reference_price),
                None if market.regulation.band is None else str(market.regulation.band), market.status,
                market.quote_per_tick_lot, market.base_per_lot,
            )
            for place, market in enumerate(plan.markets)
        ),
    )  # fmt: skip
    for account, asset in plan.budgets:
        if account not in accounts or asset not in assets:
            raise CheckpointError(f"the run cannot be saved: its plan has a budget of {account!r} in {asset!r}, but not both")
    yield (
        "plan_budgets",
        (
            (place, accounts[account], assets[asset], units)
            for place, ((account, asset), units) in enumerate(plan.budgets.items())
        ),
    )


def _slot_rows(plan: Plan, slots: Sequence[ActionSlot], strategies: dict[OrderMatchingStrategy, int]) -> Iterator[Row]:
    """Yield the row of each slot, and fill `strategies` with the place of each."""
    accounts = {account.id: place for place, account in enumerate(plan.accounts)}
    markets = {market.symbol: (place, market) for place, market in enumerate(plan.markets)}
    for place, slot in enumerate(slots):
        action = slot.action
        market, planned = markets.get(action.market.symbol, (-1, None))
        if action.market is not planned and action.market != planned:
            raise CheckpointError(f"the run cannot be saved: the market of slot {place} is not that of its plan")
        account = accounts.get(slot.account_id)
        if account is None:
            raise CheckpointError(f"the run cannot be saved: account {slot.account_id!r} of slot {place} is not in its plan")
        if slot.sequence != place:
            raise CheckpointError(f"the run cannot be saved: slot {slot.sequence} is in place {place}")
        strategy = strategies.setdefault(action.matching_strategy, len(strategies))
        allowed = slot.max_retries + 1 if slot.attempts else slot.allowed_attempts
        yield (
            place, account, market, action.side, action.quantity, action.price, strategy, action.time_in_force,
            slot.max_retries, allowed,
        )  # fmt: skip


def _places(what: str, names: Iterable[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        if places.setdefault(name, place) != place:
            raise CheckpointError(f"the run cannot be saved: its plan has {what} {name!r} twice")
    return places


def sync(path: Path, flags: int) -> None:
    """Wait until what is at `path` is on the disk: of a folder, the names in it."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
