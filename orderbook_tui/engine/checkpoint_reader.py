"""From the rows of a checkpoint to a plan, fresh slots and a journal; and to the run that they tell of."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import apsw
import msgspec

from orderbook_tui.core.action import OrderAction, OrderMatchingStrategy, StrategyKind
from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.journal import Event
from orderbook_tui.core.market import Account, Market, MarketStatus, Regulation
from orderbook_tui.core.money import Asset
from orderbook_tui.core.replay import Replayed, replay
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import Plan
from orderbook_tui.engine.checkpoint_file import explained, uncollected, undressed
from orderbook_tui.engine.checkpoint_journal import PIECE, Misfit, count_events, read_journal
from orderbook_tui.engine.guard import Holder, boot_id
from orderbook_tui.engine.progress import Told, part, untold
from orderbook_tui.errors import CheckpointDamaged, CheckpointError, OrderbookTuiError

Pots = tuple[int, int, int, int]
"""Available, locked, spent and received, in units."""


class Intent(msgspec.Struct, frozen=True, gc=False):
    """An attempt that was about to place an order elsewhere."""

    slot: int
    attempt: int
    client_order_id: str


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
    """Those whose attempt has no result: the venue has to be asked what became of them."""
    snapshot: dict[tuple[str, str], Pots] = {}
    """Budgets by account and asset as they were when the journal was as long as now, where they were noted then."""
    notes: tuple[str, ...] = ()
    """What its reader should know, in words: events that were reported saved and are not there."""

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


def missing_events(found: int, left: Holder | None) -> tuple[str, ...]:
    """Say which events a guard file says were reported saved and are not there, and why that may be."""
    if left is None or found >= left.events:
        return ()
    lost = f"{left.events - found} of {left.events} events that process {left.pid} reported saved are not in the file"
    if left.boot and left.boot == boot_id():
        return (
            f"{lost}, and the machine has not restarted since: the file was changed, or replaced by an older copy. "
            f"The run goes on after event {found}; what came later at a venue outside this program has to be looked up there.",
        )
    return (
        f"{lost}: the machine went down before they were on the disk. The run goes on after event {found}; "
        "what came later at a venue outside this program has to be looked up there.",
    )


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
    execute = connection.execute
    name, config, run, created_at, total_slots, maker, taker = _one(
        connection, "SELECT name, config, run, created_at, total_slots, maker_fee, taker_fee FROM plan"
    )
    accounts = tuple(Account(*row) for row in _texts(execute("SELECT id, name FROM accounts ORDER BY place")))
    assets = tuple(Asset(*row) for row in _texts(execute("SELECT symbol, precision FROM assets ORDER BY place")))
    budgets = {
        (accounts[account].id, assets[asset].symbol): initial
        for account, asset, initial in execute("SELECT account, asset, initial FROM plan_budgets ORDER BY place")
    }
    plan = Plan(
        name=undressed(name),
        config=undressed(config),
        accounts=accounts,
        markets=tuple(_markets(connection)),
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
    slots = _slots(connection, plan, run, count, part(told, 0.0, between))
    journal = read_journal(connection, slots, settled=bool(budgets), told=part(told, between, 1.0))
    saved_at, finished = _one(connection, "SELECT saved_at, finished FROM progress")
    noted = execute(
        "SELECT account, asset, available, locked, spent, received FROM budget_snapshot WHERE events = ?", (len(journal),)
    )
    snapshot = {(undressed(account), undressed(asset)): (a, b, c, d) for account, asset, a, b, c, d in noted}
    intents = tuple(_intents(connection))
    for intent in intents:
        if not 0 <= intent.slot < count:
            raise Misfit(f"it means to place slot {intent.slot}, and there are {count}")
    told(1.0)
    return Checkpoint(path.stem, path, plan, slots, journal, created_at, saved_at, bool(finished), intents, snapshot)


def _markets(connection: apsw.Connection) -> Iterator[Market]:
    for row in _texts(connection.execute("SELECT * FROM markets ORDER BY place")):
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


def _slots(connection: apsw.Connection, plan: Plan, run: str, total: int, told: Told) -> list[ActionSlot]:
    """Return the `total` slots, which are in their places 0, 1, 2, ... (the caller has looked)."""
    rows = connection.execute("SELECT kind, account FROM strategies ORDER BY place")
    # By place and not in lists, where a place below zero would count from the end.
    strategies = dict(enumerate(OrderMatchingStrategy(StrategyKind(kind), undressed(account)) for kind, account in rows))
    ids = dict(enumerate(account.id for account in plan.accounts))
    markets, sides = dict(enumerate(plan.markets)), dict(enumerate(Side))
    lives = {member.value: member for member in TimeInForce}
    pending = SlotState.PENDING
    slots: list[ActionSlot] = []
    planned = connection.execute(
        "SELECT account, market, side, quantity, price, strategy, time_in_force, max_retries, allowed_attempts "
        "FROM plan_slots ORDER BY sequence"
    )
    while len(slots) < total:
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
            for sequence, (account, market, side, quantity, price, strategy, life, max_retries, allowed) in enumerate(
                islice(planned, PIECE), len(slots)
            )
        ]
        told(len(slots) / total)
    return slots


def _intents(connection: apsw.Connection) -> list[Intent]:
    """Return each intent whose attempt has no result, in order; an attempt that was repeated counts with its latest."""
    latest: dict[tuple[int, int], Intent] = {}
    for slot, number, client_order_id in connection.execute(
        "SELECT slot, number, client_order_id FROM intents "
        "WHERE (slot, number) NOT IN (SELECT slot, number FROM attempts) ORDER BY place"
    ):
        latest.pop((slot, number), None)
        latest[slot, number] = Intent(slot, number, undressed(client_order_id))
    return list(latest.values())
