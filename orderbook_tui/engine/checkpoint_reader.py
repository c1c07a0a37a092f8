"""From the rows of a checkpoint to a plan, fresh slots and a journal; and to the run that they tell of."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from orderbook_tui.core.action import OrderAction, OrderMatchingStrategy, StrategyKind
from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.journal import Attempt, Cancel, Decision, Event, Execution, Failure, RecoveryAction
from orderbook_tui.core.market import Account, Market, MarketStatus, Regulation
from orderbook_tui.core.money import Asset
from orderbook_tui.core.replay import Replayed, replay
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import Plan
from orderbook_tui.engine.checkpoint_file import explained, uncollected, undressed
from orderbook_tui.engine.guard import Holder, boot_id
from orderbook_tui.errors import CheckpointDamaged, CheckpointError, FailureKind, OrderbookTuiError

Pots = tuple[int, int, int, int]
"""Available, locked, spent and received, in units."""

JOURNAL_TABLES: Final = ("attempts", "fills", "cancels", "decisions")
EVENTS: Final = "SELECT max({}) + 1".format(
    ", ".join(f"coalesce((SELECT max(n) FROM {table}), -1)" for table in JOURNAL_TABLES)
)  # fmt: skip


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

    def replay(self) -> Replayed:
        """Play the journal over the slots; the state has the checkpoint's id and times.

        Raises:
            CheckpointDamaged: the journal does not fit the plan, or the budgets are not those noted.
        """
        try:
            with uncollected():
                replayed = replay(self.plan, self.slots, self.journal)
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


def read_checkpoint(connection: apsw.Connection, path: Path) -> Checkpoint:
    """Read everything, and refuse what cannot have been written by a run.

    Raises:
        CheckpointDamaged: what is there does not fit together.
    """
    try:
        with explained(path), uncollected():
            checkpoint = _read(connection, path)
            _check_journal(checkpoint)
            return checkpoint
    except CheckpointError:
        raise
    except (OrderbookTuiError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _misfit(path, f"a row cannot be read: {error}") from error


def count_events(connection: apsw.Connection) -> int:
    """Return the length of the journal."""
    return int(_one(connection, EVENTS)[0])


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


def _read(connection: apsw.Connection, path: Path) -> Checkpoint:
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
    slots = list(_slots(connection, plan, run))
    if [len(slots), *_one(connection, "SELECT min(sequence), max(sequence) FROM plan_slots")] != (
        [total_slots, 0, total_slots - 1] if total_slots else [0, None, None]
    ):
        raise _misfit(path, f"{total_slots} slots were planned, {len(slots)} are there")
    journal = _journal(connection, path)
    saved_at, finished = _one(connection, "SELECT saved_at, finished FROM progress")
    noted = execute(
        "SELECT account, asset, available, locked, spent, received FROM budget_snapshot WHERE events = ?", (len(journal),)
    )
    snapshot = {(undressed(account), undressed(asset)): (a, b, c, d) for account, asset, a, b, c, d in noted}
    return Checkpoint(
        path.stem, path, plan, slots, journal, created_at, saved_at, bool(finished), tuple(_intents(connection)), snapshot
    )


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


def _slots(connection: apsw.Connection, plan: Plan, run: str) -> Iterator[ActionSlot]:
    rows = connection.execute("SELECT kind, account FROM strategies ORDER BY place")
    strategies = [OrderMatchingStrategy(StrategyKind(kind), undressed(account)) for kind, account in rows]
    ids = [account.id for account in plan.accounts]
    markets, sides = plan.markets, tuple(Side)
    lives = {member.value: member for member in TimeInForce}
    pending = SlotState.PENDING
    for sequence, account, market, side, quantity, price, strategy, life, max_retries, allowed in connection.execute(
        "SELECT sequence, account, market, side, quantity, price, strategy, time_in_force, max_retries, allowed_attempts "
        "FROM plan_slots ORDER BY sequence"
    ):
        action = OrderAction(markets[market], sides[side], quantity, price, strategies[strategy], lives[life])
        yield ActionSlot(sequence, ids[account], action, max_retries, allowed, pending, run)


def _journal(connection: apsw.Connection, path: Path) -> list[Event]:
    """Return all events in their order; their places must be 0, 1, 2, ..."""
    length = count_events(connection)
    rows = sum(_one(connection, f"SELECT count(*) FROM {table}")[0] for table in JOURNAL_TABLES)
    if rows != length:
        raise _misfit(path, f"its journal is {length} events long, but {rows} of them are there")
    journal: list[Any] = [None] * length
    kinds = {member.value: member for member in FailureKind}
    actions = {member.value: member for member in RecoveryAction}
    execute = connection.execute
    for n, slot, number, started, ended, order_id, code, kind, message in execute("SELECT * FROM attempts"):
        failure = None if kind is None else Failure(undressed(code), kinds[kind], undressed(message))
        journal[n] = Attempt(
            slot, number, started, ended, undressed(order_id) if type(order_id) is bytes else order_id, failure
        )
    for n, maker, taker, price, quantity, maker_fee, taker_fee, at, outside in execute("SELECT * FROM fills"):
        journal[n] = Execution(maker, taker, price, quantity, maker_fee, taker_fee, at, undressed(outside))
    for n, slot, quantity, at in execute("SELECT * FROM cancels"):
        journal[n] = Cancel(slot, quantity, at)
    for n, slot, attempt, action, by, at in execute("SELECT * FROM decisions"):
        journal[n] = Decision(slot, attempt, actions[action], undressed(by), at)
    if any(event is None for event in journal):
        raise _misfit(path, "two events of its journal have the same place")
    return journal


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


def _check_journal(checkpoint: Checkpoint) -> None:
    """Refuse a journal that no run over these slots could have left."""
    slots = checkpoint.slots
    why = misfit(slots, checkpoint.journal, settled=bool(checkpoint.plan.budgets))
    if why is not None:
        raise _misfit(checkpoint.path, why)
    for intent in checkpoint.intents:
        if not 0 <= intent.slot < len(slots):
            raise _misfit(checkpoint.path, f"it means to place slot {intent.slot}, and there are {len(slots)}")


def misfit(slots: Sequence[ActionSlot], journal: Sequence[Event], *, settled: bool) -> str | None:
    """Return, in words, the first event that cannot follow those before it; None where all can.

    What `replay` refuses by itself (an illegal decision, a budget overdrawn) is left to it. Without `settled` the fills
    are somebody else's, and only their slots are looked at.
    """
    count = len(slots)
    attempts, filled, left = [0] * count, [0] * count, [0] * count
    skipped: set[int] = set()
    for n, event in enumerate(journal):
        if isinstance(event, Execution):
            if max(event.maker, event.taker) < 0:
                return f"event {n} is a fill of neither side"
            for sequence in (event.maker, event.taker):
                if sequence >= count:
                    return f"event {n} fills slot {sequence}, and there are {count}"
                if sequence >= 0:
                    if settled and event.quantity > left[sequence]:
                        return f"event {n} fills {event.quantity} lots of slot {sequence}, of which {left[sequence]} are open"
                    left[sequence] -= event.quantity
                    filled[sequence] += event.quantity
            continue
        sequence = event.slot
        if not 0 <= sequence < count:
            return f"event {n} is about slot {sequence}, and there are {count}"
        if type(event) is Attempt:
            attempts[sequence] += 1
            if event.number != attempts[sequence]:
                return f"event {n} is attempt {event.number} of slot {sequence}, where attempt {attempts[sequence]} was due"
            if sequence in skipped or (left[sequence] > 0 and settled):
                return f"event {n} tries slot {sequence}, which is {'Skipped' if sequence in skipped else 'open at the venue'}"
            if event.failure is None:
                left[sequence] = slots[sequence].action.quantity - filled[sequence]
        elif type(event) is Cancel:
            if settled and left[sequence] <= 0:
                return f"event {n} cancels slot {sequence}, which has nothing open"
            left[sequence] = 0
        elif type(event) is Decision and event.action is RecoveryAction.SKIP:
            skipped.add(sequence)
    return None
