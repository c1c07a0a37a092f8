"""From the rows of a checkpoint to a plan, fresh slots and a journal; and to the run that they tell of."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import msgspec
from pydantic import ValidationError

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.core.action import OrderAction, OrderMatchingStrategy, StrategyKind
from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.garbage import uncollected
from orderbook_tui.core.journal import Attempt, Balance, Event
from orderbook_tui.core.market import Account, Market, MarketStatus, Regulation
from orderbook_tui.core.money import Asset
from orderbook_tui.core.replay import Replayed, replay
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import Plan
from orderbook_tui.engine.checkpoint_chain import ChainCheck, PlanDigest
from orderbook_tui.engine.checkpoint_file import explained, undressed
from orderbook_tui.engine.checkpoint_journal import Intent, Misfit, count_events, read_balances, read_intents, read_journal
from orderbook_tui.engine.checkpoint_schema import USER_VERSION
from orderbook_tui.engine.guard import Holder, boot_id, clock_was_kept
from orderbook_tui.engine.progress import Told, part, untold
from orderbook_tui.errors import CheckpointDamaged, CheckpointError, OrderbookTuiError

Pots = tuple[int, int, int, int]
"""Available, locked, spent and received, in units."""


class Checkpoint(msgspec.Struct, frozen=True):
    """What a checkpoint holds. The slots are fresh: `replay` makes the run of them, once."""

    id: str
    path: Path
    plan: Plan
    slots: list[ActionSlot]
    journal: list[Event]
    created_at: int
    saved_at: int
    finished: bool
    intents: tuple[Intent, ...] = ()
    """Those whose attempt has no result and that were not withdrawn: the venue has to be asked what became of them."""
    generations: dict[int, tuple[int, int]] = {}
    """Of slots whose order was not their first: the last attempt that was noted, and which generation it was of."""
    opening_balances: tuple[Balance, ...] = ()
    """What accounts held at the venue before anything was placed; empty where that was never noted."""
    snapshot: dict[tuple[str, str], Pots] = {}
    """Budgets by account and asset as they were when the journal was as long as now, where they were noted then."""
    version: int = USER_VERSION
    """The version of its file's format."""
    links: int = 0
    """How many commits its journal was written in; 0 in a file of version 1, which does not tell."""
    notes: tuple[str, ...] = ()
    """What its reader should know, in words: records that were reported saved and are not there."""
    records: int = 0
    """Events of its journal, and notes of what was about to be placed elsewhere."""
    missing: int = 0
    """Records that were reported saved and are not there."""
    clock_kept: bool = False
    """Whether the clock by which its intents were written is known not to have been set since."""

    def compared(self, left: Holder | None) -> "Checkpoint":
        """Return it with what the guard file that was left behind says beyond it."""
        missing = max(left.records - self.records, 0) if left is not None else 0
        notes = missing_records(self.records, left)
        return msgspec.structs.replace(self, notes=notes, missing=missing, clock_kept=clock_was_kept(left))

    def settings(self) -> SimulatorConfig:
        """Return the config that the run was made from.

        Raises:
            CheckpointDamaged: it is none.
        """
        try:
            return SimulatorConfig.model_validate_json(self.plan.config or "{}")
        except ValidationError:
            raise _misfit(self.path, "its config cannot be read") from None

    def replay(self, told: Told = untold) -> Replayed:
        """Play the journal over the slots; the state has the checkpoint's id and times. `told` hears how far it is.

        Raises:
            CheckpointDamaged: the journal does not fit the plan, or the budgets are not those noted.
        """
        try:
            with uncollected():
                replayed = replay(self.plan, self.slots, self.journal, told=told)
        except (OrderbookTuiError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise _misfit(self.path, str(error)) from error
        state = replayed.state
        state.id, state.created_at, state.saved_at = self.id, self.created_at, self.saved_at
        for (account, asset), noted in self.snapshot.items():
            found = replayed.budgets.accounts.get(account, {}).get(asset)
            pots = (found.available, found.locked, found.spent, found.received) if found else (0, 0, 0, 0)
            if pots != noted:
                raise _misfit(self.path, f"the budget of {account!r} in {asset!r} is {pots}, but {noted} was noted")
        return replayed


def read_checkpoint(connection: apsw.Connection, path: Path, told: Told = untold) -> Checkpoint:
    """Read everything, and refuse what cannot have been written by a run. `told` hears how far it is.

    Raises:
        CheckpointDamaged: what is there does not fit together.
    """
    try:
        with explained(path), uncollected():
            return _read(connection, path, told)
    except CheckpointError:
        raise
    except Misfit as misfit:
        raise _misfit(path, str(misfit)) from None
    except (OrderbookTuiError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _misfit(path, f"a row cannot be read: {error}") from error


def missing_records(found: int, left: Holder | None) -> tuple[str, ...]:
    """Say which records a guard file says were reported saved and are not there, and why that may be."""
    if left is None or found >= left.records:
        return ()
    lost = f"{left.records - found} of {left.records} records that process {left.pid} reported saved are not in the file"
    if left.boot and left.boot == boot_id():
        return (
            f"{lost}, and the machine has not restarted since: the file was changed, or replaced by an older copy. "
            f"The run goes on after record {found}; what came later at a venue outside this program has to be looked up there.",
        )
    return (
        f"{lost}: the machine went down before they were on the disk. The run goes on after record {found}; "
        "what came later at a venue outside this program has to be looked up there.",
    )


def noted_otherwise(connection: apsw.Connection) -> bool:
    """Whether a file of version 1 has noted its budgets as they are not counted any more: without what orders in doubt lock."""
    return bool(connection.execute("SELECT 1 FROM attempts WHERE kind = 'unknown' LIMIT 1").fetchall())


def _misfit(path: Path, why: str) -> CheckpointDamaged:
    return CheckpointDamaged(f"{path} is damaged: {why}; it was left as it is: restore it from a copy, or delete it")


def _one(connection: apsw.Connection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    if row is None:
        raise ValueError(f"no row answers {sql}")
    return row


def _texts(rows: Any) -> Iterator[tuple[Any, ...]]:
    return (tuple(map(undressed, row)) for row in rows)


def _read(connection: apsw.Connection, path: Path, told: Told) -> Checkpoint:
    execute, planned = connection.execute, PlanDigest()
    version = connection.pragma("user_version")

    def rows(table: str) -> Iterator[tuple[Any, ...]]:
        return _texts(planned.through(table, execute(f"SELECT * FROM {table} ORDER BY 1")))

    row: tuple[Any, ...]
    (row,) = execute("SELECT * FROM plan").fetchall()
    digest, row = (row[-1], row[:-1]) if version > 1 else (b"", row)
    ((_, name, config, run, created_at, total_slots, maker, taker),) = _texts(planned.through("plan", [row]))
    accounts = tuple(Account(id, name) for _, id, name in rows("accounts"))  # noqa: A001 - what it is called
    assets = tuple(Asset(symbol, precision) for _, symbol, precision in rows("assets"))
    budgets = {(accounts[account].id, assets[asset].symbol): initial for _, account, asset, initial in rows("plan_budgets")}
    plan = Plan(
        name=name,
        config=config,
        accounts=accounts,
        markets=tuple(_markets(rows("markets"))),
        assets=assets,
        budgets=budgets,
        fees=FeeSchedule(maker, taker),
    )
    count, lowest, highest = _one(
        connection,
        # Each by itself is answered from the ends of the table, all three at once from every row.
        "SELECT (SELECT count(*) FROM plan_slots), (SELECT min(sequence) FROM plan_slots), "
        "(SELECT max(sequence) FROM plan_slots)",
    )
    if (count, lowest, highest) != ((total_slots, 0, total_slots - 1) if total_slots else (0, None, None)):
        raise Misfit(f"{total_slots} slots were planned, {count} are there")
    # A slot takes about as long as an event does.
    between = count / max(count + count_events(connection), 1)
    strategies = {place: OrderMatchingStrategy(StrategyKind(kind), account) for place, kind, account in rows("strategies")}
    pieces = planned.pieces("plan_slots", execute("SELECT * FROM plan_slots ORDER BY 1"))
    slots = _slots(pieces, plan, strategies, run, count, part(told, 0.0, between))
    if version > 1 and planned.digest() != digest:
        raise Misfit("its plan is not what was written: its digest is another")
    chain, meant, held = (ChainCheck(digest), ChainCheck(digest), ChainCheck(digest)) if version > 1 else (None, None, None)
    journal, links = read_journal(connection, slots, chain, settled=bool(budgets), told=part(told, between, 1.0))
    saved_at, counted, finished = _one(connection, "SELECT saved_at, events, finished FROM progress")
    if counted > len(journal) or (finished and counted < len(journal)):
        raise Misfit(f"its journal is {len(journal)} events long, but {counted} were counted")
    noted = execute(
        "SELECT account, asset, available, locked, spent, received FROM budget_snapshot WHERE events = ?", (len(journal),)
    )
    snapshot = {(undressed(account), undressed(asset)): (a, b, c, d) for account, asset, a, b, c, d in noted}
    if version == 1 and noted_otherwise(connection):
        snapshot = {}
    intents = read_intents(connection, meant)
    for intent in intents:
        if not 0 <= intent.slot < count:
            raise Misfit(f"it means to place slot {intent.slot}, and there are {count}")
    unfinished = _without_result(intents, journal)
    told(1.0)
    return Checkpoint(
        id=path.stem,
        path=path,
        plan=plan,
        slots=slots,
        journal=journal,
        created_at=created_at,
        saved_at=saved_at,
        finished=bool(finished),
        intents=unfinished,
        generations=_generations(intents),
        opening_balances=tuple(read_balances(connection, held)),
        records=len(journal) + len(intents),
        snapshot=snapshot,
        version=version,
        links=links,
    )


def _markets(rows: Iterator[tuple[Any, ...]]) -> Iterator[Market]:
    for row in rows:
        _, symbol, base, base_precision, quote, quote_precision, tick, lot, least, reference, band, status, unit, per_lot = row
        market = Market(
            symbol=symbol,
            base=Asset(base, base_precision),
            quote=Asset(quote, quote_precision),
            tick_size=Decimal(tick),
            lot_size=Decimal(lot),
            min_notional=Decimal(least),
            reference_price=Decimal(reference),
            regulation=Regulation(None if band is None else Decimal(band)),
            status=MarketStatus(status),
        )
        if (market.quote_per_tick_lot, market.base_per_lot) != (unit, per_lot):
            raise ValueError(f"market {symbol!r} has other units than were noted")
        yield market


def _slots(
    pieces: Iterable[list[tuple[Any, ...]]],
    plan: Plan,
    strategies: dict[int, OrderMatchingStrategy],
    run: str,
    total: int,
    told: Told,
) -> list[ActionSlot]:
    """Return the `total` slots, which are in their places 0, 1, 2, ... (the caller has looked)."""
    # By place and not in lists, where a place below zero would count from the end.
    ids = dict(enumerate(account.id for account in plan.accounts))
    markets, sides = dict(enumerate(plan.markets)), dict(enumerate(Side))
    lives = {member.value: member for member in TimeInForce}
    pending = SlotState.PENDING
    slots: list[ActionSlot] = []
    for piece in pieces:
        slots += [
            ActionSlot(
                sequence,
                ids[account],
                OrderAction(markets[market], sides[side], quantity, price, strategies[strategy], lives[life]),
                max_retries,
                allowed,
                pending,
                run,
            )
            for sequence, account, market, side, quantity, price, strategy, life, max_retries, allowed in piece
        ]
        told(len(slots) / total)
    return slots


def _without_result(intents: Iterable[Intent], journal: Iterable[Event]) -> tuple[Intent, ...]:
    """Return each intent whose attempt has no result, in order, as it was written last.

    One without a client order id withdraws those before it. The time is that of the first for the same order.
    """
    latest: dict[tuple[int, int], Intent] = {}
    first: dict[str, int] = {}
    for intent in intents:
        key = intent.slot, intent.attempt
        latest.pop(key, None)
        if intent.client_order_id:
            at = first.setdefault(intent.client_order_id, intent.at)
            latest[key] = Intent(intent.slot, intent.attempt, intent.client_order_id, at)
    if latest:
        for event in journal:
            if type(event) is Attempt:
                latest.pop((event.slot, event.number), None)
    return tuple(latest.values())


def _generations(intents: Iterable[Intent]) -> dict[int, tuple[int, int]]:
    """Return the attempt that was last noted of each slot, and its generation, but for those still at their first."""
    found = {}
    for intent in intents:
        number = intent.client_order_id.rpartition("-")[2]
        if number != "0" and number.isascii() and number.isdecimal():
            found[intent.slot] = intent.attempt, int(number)
    return found
