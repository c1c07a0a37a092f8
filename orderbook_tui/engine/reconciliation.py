"""Reconciliation: the ledger held against what the venue itself says, per account and asset, and order by order.

    held in all, as the venue says now  =  held before the first order  -  spent  +  received         to the unit
    locked, as the venue says now       =  locked before the first order  +  what our orders lock     but for fees
    open orders of the venue            =  ours: each there, none more, as much left of each

What is held in all (available and locked) follows from trades and fees alone, so it is compared exactly: a trade that one
side has not got, a fee that was not told, money that somebody moved, each shows there. How much of it is locked, a venue may
reckon otherwise than the ledger, which reserves the highest fee: anything from what the orders themselves need to that
reserve passes. A lock says nothing about what is held, so nothing real can hide in it. Of a venue that tells of no lock at
all while it has orders of ours open, locks are not compared, and that is said.

Orders at the venue that do not carry this run's ids are somebody else's: they are counted, and left alone. What they lock and
trade shows in the balances; where a venue does not tell those, each is a difference itself.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal, NamedTuple

import msgspec

from orderbook_tui.core.book import Side
from orderbook_tui.core.budget import BudgetStore
from orderbook_tui.core.exchange import fee
from orderbook_tui.core.journal import Balance
from orderbook_tui.core.money import Asset, total
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import SimulationState
from orderbook_tui.core.words import harmless
from orderbook_tui.venues.base import OpenOrder

PIECE: Final = 10_000
"""Slots that are looked at between two chances for others to have their turn: some milliseconds of work."""

Key = tuple[str, str]
"""An account, by id, and an asset, by symbol."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the ledger and the venue do not agree about. Amounts are in the asset; of an order, what is left of it.

    `slots` are those that could explain it, the most likely first, and `why` says of each how.
    """

    what: Literal["order", "total", "locked"]
    account: str
    """By id."""
    asset: str
    expected: Decimal
    found: Decimal
    words: str
    units: int = 0
    """Of a balance: what the venue has more, in units."""
    client_order_id: str = ""
    slots: tuple[int, ...] = ()
    why: tuple[str, ...] = ()

    @property
    def difference(self) -> Decimal:
        """What the venue has more than the ledger; negative where it has less."""
        return total((self.found, self.expected.copy_negate()))


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """What came of comparing. It is about one moment, and so not part of a checkpoint.

    `at` is in nanoseconds since the epoch. `failed` says why nothing could be compared, where that is so.
    """

    at: int
    at_end: bool = False
    differences: tuple[Difference, ...] = ()
    accounts: int = 0
    balances: int = 0
    """Pairs of account and asset whose balance was compared."""
    orders: int = 0
    """Open orders, the ledger's and the venue's, that were compared."""
    foreign: int = 0
    """Open orders at the venue that are none of this run's."""
    notes: tuple[str, ...] = ()
    """What could not be compared, in words."""
    failed: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue said; None: it does not tell that."""

    open_orders: Sequence[OpenOrder] | None = None
    balances: Mapping[Key, Balance] | None = None
    opening: Mapping[Key, Balance] | None = None
    """What it said before the first order."""
    strangers_differ: bool = False
    """Whether an open order that is none of this run's is a difference: nothing else would show it."""


class Ledger:
    """The side of the run: its slots, and what they have done to the budgets."""

    def __init__(
        self, state: SimulationState, budgets: BudgetStore, settlement: Settlement, name: Callable[[str], str] = str
    ) -> None:
        self._state, self.slots, self.budgets = state, state.slots, budgets
        self._settlement, self._name = settlement, name
        self.pairs = _pairs(state.slots)
        """Which assets of which accounts the schedule uses."""
        self.accounts = list(dict.fromkeys(account for account, _ in self.pairs))
        """The ids of the accounts that the schedule uses."""
        self.markets = {market.symbol: market for market in state.plan.markets}

    def name(self, account: str) -> str:
        """Return what people call an account, as it may be shown."""
        return harmless(self._name(account), 60)

    def need(self, slot: ActionSlot, lots: int) -> int:
        """Return what so many lots of a slot's order lock, in units of what it gives."""
        return self._settlement.need(slot.action, lots)

    def highest_fee(self, notional: int) -> int:
        """Return the most that a trade of so much costs."""
        return fee(self._state.plan.fees.highest, notional)

    def own(self, client_order_id: str) -> int | None:
        """Return the slot that an order of this run is of; None: it is none of this run's."""
        prefix = f"{self._state.slots[0].run}-" if self._state.slots else "-"
        if not client_order_id.startswith(prefix):
            return None
        number, _, generation = client_order_id[len(prefix) :].partition("-")
        if not (_is_number(number) and _is_number(generation)) or int(number) >= len(self.slots):
            return None
        return int(number)


class Compared(msgspec.Struct):
    """What comparing has found so far."""

    differences: list[Difference]
    orders: int = 0
    balances: int = 0
    foreign: int = 0
    notes: list[str] = msgspec.field(default_factory=list)
    confirmed: int = 0
    """Open orders of ours that the venue has too."""


class _Reserve(NamedTuple):
    """What bids have locked for their fees. A venue may round what we round down: by a unit for each of them."""

    units: int = 0
    bids: int = 0


_NO_RESERVE: Final = _Reserve()


def compare(ledger: Ledger, told: Told) -> Iterator[Compared]:
    """Compare. Yields now and then, so that others can have their turn; what is yielded last is all that was found."""
    found = Compared(differences=[])
    open_slots: list[ActionSlot] = []
    reserves: dict[Key, _Reserve] = {}
    slots = ledger.slots
    for start in range(0, len(slots), PIECE):
        for slot in slots[start : start + PIECE]:
            lots = slot.open or (slot.action.quantity - slot.filled if slot.last_attempt is not None and slot.in_doubt else 0)
            if lots:
                _add_reserve(reserves, ledger, slot, lots)
                if slot.open:
                    open_slots.append(slot)
        yield found
    if told.open_orders is not None:
        _compare_orders(ledger, open_slots, told.open_orders, found, strangers_differ=told.strangers_differ)
        yield found
    if told.balances is not None and told.opening is not None:
        tells_locks = any(row.locked for row in (*told.balances.values(), *told.opening.values()))
        # Where orders of ours are open there, something must be locked, if it tells of locks at all.
        tells_locks = tells_locks or not (found.confirmed if told.open_orders is not None else open_slots)
        if not tells_locks:
            found.notes.append("the venue says of nothing that it is locked, though orders are open: locks were not compared")
        for place, key in enumerate(ledger.pairs):
            _compare_balance(
                ledger, key, told.opening, told.balances, reserves.get(key, _NO_RESERVE), found, tells_locks=tells_locks
            )
            if place % PIECE == PIECE - 1:
                yield found
        found.balances = len(ledger.pairs)
    yield found


def _compare_orders(
    ledger: Ledger, open_slots: Iterable[ActionSlot], told: Iterable[OpenOrder], found: Compared, *, strangers_differ: bool
) -> None:
    ours = {(slot.account_id, slot.client_order_id): slot for slot in open_slots}
    by_order_id = {(slot.account_id, str(slot.order_id)): slot for slot in ours.values()}
    here, matched, seen = len(ours), set[int](), set[tuple[str, str, str]]()
    for order in told:
        if (order.account, order.client_order_id, order.order_id) in seen:
            continue  # a page that was listed twice
        seen.add((order.account, order.client_order_id, order.order_id))
        slot = ours.get((order.account, order.client_order_id))
        if slot is None and ledger.own(order.client_order_id) is None:
            slot = by_order_id.get((order.account, order.order_id))
        if slot is not None and slot.sequence not in matched:
            matched.add(slot.sequence)
            if order.left not in (-1, slot.open):
                found.differences.append(_other_quantity(ledger, slot, order))
            continue
        sequence = slot.sequence if slot is not None else ledger.own(order.client_order_id)
        if sequence is None:
            found.foreign += 1
            if strangers_differ:
                found.differences.append(_stranger(ledger, order))
        else:
            here += 1
            found.differences.append(_not_open_here(ledger, ledger.slots[sequence], order, twice=slot is not None))
    for slot in ours.values():
        if slot.sequence not in matched:
            found.differences.append(_not_open_there(ledger, slot))
    found.orders, found.confirmed = here, len(matched)


def _other_quantity(ledger: Ledger, slot: ActionSlot, order: OpenOrder) -> Difference:
    market = slot.action.market
    there, here = market.quantity(order.left), market.quantity(slot.open)
    why = "a fill of it was not told" if order.left < slot.open else "the venue does not know of a fill of it"
    words = f"{_order(ledger, slot)}: {here:f} {market.base.symbol} is left of it here, {there:f} at the venue"
    return _about(slot, order.client_order_id or slot.client_order_id, slot.account_id, here, there, words, why)


def _not_open_there(ledger: Ledger, slot: ActionSlot) -> Difference:
    market = slot.action.market
    here = market.quantity(slot.open)
    words = f"{_order(ledger, slot)}: {here:f} {market.base.symbol} is open of it here, and it is not open at the venue"
    why = "its order was filled or cancelled there, and that was not told"
    return _about(slot, slot.client_order_id, slot.account_id, here, Decimal(0), words, why)


def _not_open_here(ledger: Ledger, slot: ActionSlot, order: OpenOrder, *, twice: bool) -> Difference:
    market = slot.action.market
    there = market.quantity(max(order.left, 0))
    if twice:
        state, why = "open at the venue twice", "its order was placed twice"
    elif slot.last_attempt is not None and slot.in_doubt:
        state, why = "open at the venue, and in doubt here", "it was not known whether its order was placed: it was"
    elif slot.account_id != order.account:
        state, why = f"open at the venue for {ledger.name(order.account)}", "its order is another account's"
    elif slot.client_order_id != order.client_order_id:
        state, why = "open at the venue, and was given up here", "an earlier order of it was taken after all"
    elif slot.order_id is not None:
        state, why = "open at the venue, and not here", "its order was taken for filled or cancelled"
    else:
        state, why = "open at the venue, and not here", "its order was taken for not placed"
    size = f", {there:f} {market.base.symbol}" if order.left >= 0 else ""
    words = f"{_order(ledger, slot, order.client_order_id)}{size}, is {state}"
    return _about(slot, order.client_order_id, order.account, Decimal(0), there, words, why)


def _stranger(ledger: Ledger, order: OpenOrder) -> Difference:
    market = ledger.markets.get(order.market)
    there = market.quantity(order.left) if market is not None and order.left >= 0 else Decimal(0)
    asset = market.base.symbol if market is not None else ""
    called = harmless(order.client_order_id or order.order_id, 80)
    size = f", {there:f} {asset}" if there else ""
    words = f"order {called} of {ledger.name(order.account)} on {harmless(order.market, 30)}{size}, is open at the venue, "
    return Difference(
        what="order",
        account=order.account,
        asset=asset,
        expected=Decimal(0),
        found=there,
        words=f"{words}and is none of this run's",
        client_order_id=order.client_order_id,
    )


def _order(ledger: Ledger, slot: ActionSlot, client_order_id: str = "") -> str:
    called = harmless(client_order_id or slot.client_order_id, 80)
    return f"order {called} of {ledger.name(slot.account_id)}, slot {slot.sequence}"


def _about(
    slot: ActionSlot, client_order_id: str, account: str, expected: Decimal, found: Decimal, words: str, why: str
) -> Difference:
    return Difference(
        what="order",
        account=account,
        asset=slot.action.market.base.symbol,
        expected=expected,
        found=found,
        words=words,
        client_order_id=client_order_id,
        slots=(slot.sequence,),
        why=(why,),
    )


def _compare_balance(
    ledger: Ledger,
    key: Key,
    opening: Mapping[Key, Balance],
    now: Mapping[Key, Balance],
    reserve: _Reserve,
    found: Compared,
    *,
    tells_locks: bool,
) -> None:
    account, symbol = key
    asset = ledger.pairs[key]
    budget = ledger.budgets.budget(account, asset)
    # What a venue does not mention, it has nothing of.
    nothing = Balance(account, symbol, 0)
    before, there = opening.get(key, nothing), now.get(key, nothing)
    expected = before.available + before.locked - budget.spent + budget.received
    held = there.available + there.locked
    least = budget.locked - reserve.units
    if not tells_locks and least <= expected - held <= budget.locked:
        return  # what is locked may be left out of what it calls available
    if held != expected:
        what: Literal["total", "locked"] = "total"
        here, by_venue, how = expected, held, ""
    elif tells_locks and not before.locked + least <= there.locked <= before.locked + budget.locked + reserve.bids:
        what, how = "locked", " locked"
        here, by_venue = before.locked + budget.locked, there.locked
    else:
        return
    amount = asset.amount
    off = f"{amount(abs(by_venue - here)):f} {'more' if by_venue > here else 'less'}"
    words = (
        f"{ledger.name(account)} should have {amount(here):f} {harmless(symbol, 30)}{how}, "
        f"the venue says {amount(by_venue):f}: {off}"
    )
    found.differences.append(
        Difference(
            what=what,
            account=account,
            asset=symbol,
            expected=amount(here),
            found=amount(by_venue),
            words=words,
            units=by_venue - here,
        )
    )


def _add_reserve(reserves: dict[Key, _Reserve], ledger: Ledger, slot: ActionSlot, lots: int) -> None:
    """Count how much of what an order locks is for its fee."""
    action = slot.action
    if action.side is Side.BID:
        key = slot.account_id, action.bid_asset
        before = reserves.get(key, _NO_RESERVE)
        reserve = ledger.need(slot, lots) - action.market.notional(action.price, lots)
        reserves[key] = _Reserve(before.units + reserve, before.bids + 1)


def _pairs(slots: Iterable[ActionSlot]) -> dict[Key, Asset]:
    """Return which assets of which accounts the slots use, account by account."""
    seen = set[tuple[str, int]]()
    used: dict[str, dict[str, Asset]] = {}
    for slot in slots:
        market = slot.action.market
        if (slot.account_id, id(market)) not in seen:
            seen.add((slot.account_id, id(market)))
            used.setdefault(slot.account_id, {}).update({asset.symbol: asset for asset in (market.base, market.quote)})
    return {(account, symbol): asset for account, assets in used.items() for symbol, asset in assets.items()}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
