"""Settlement: what an order locks, and what its executions and its cancel do to the budgets.

A Bid locks price x quantity of quote and the highest fee on that, after each execution only what its remainder needs: a
better price and a lower fee give the difference back. An Ask locks its quantity of base; its fee is withheld from the
proceeds. So a fee can never overdraw a budget, and per asset spent = received + fees. Where nobody knows whether a venue has
an order, what it needs stays locked until that is known, or the slot is given up.

    lock(remainder)  =  spent on the execution  +  given back  +  lock(new remainder)
"""

from collections.abc import Iterable, Iterator, Sequence

from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.book import Side
from orderbook_tui.core.budget import AccountBudget, BudgetStore, Movement, MovementKind
from orderbook_tui.core.discipline import MarketDiscipline
from orderbook_tui.core.exchange import FeeSchedule, fee
from orderbook_tui.core.journal import Attempt, Cancel, Decision, Event, Execution, RecoveryAction
from orderbook_tui.core.market import Market
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import FailureKind

_BID = Side.BID
_LOCK, _UNLOCK = MovementKind.LOCK, MovementKind.UNLOCK


class Settlement:
    """Keeps the budgets of all accounts in step with the orders of `slots`."""

    def __init__(
        self, slots: Sequence[ActionSlot], budgets: BudgetStore, fees: FeeSchedule, markets: Iterable[Market] = ()
    ) -> None:
        self._slots = slots
        self._accounts = budgets.accounts
        self._highest_fee = fees.highest
        traded = {market.symbol: market for market in markets}
        served: dict[str, set[str]] = {symbol: set() for symbol in traded}
        for slot in slots:
            market, account = slot.action.market, slot.account_id
            if market.symbol not in traded:
                traded[market.symbol], served[market.symbol] = market, set()
            if account not in served[market.symbol]:
                served[market.symbol].add(account)
                budgets.budget(account, market.base)
                budgets.budget(account, market.quote)
        self._discipline = {symbol: MarketDiscipline(market) for symbol, market in traded.items()}

    def need(self, action: OrderAction, quantity: int) -> int:
        """Return what an order of `quantity` lots locks, in units of the asset that it gives."""
        market = action.market
        if action.side is not _BID:
            return quantity * market.base_per_lot
        notional = action.price * quantity * market.quote_per_tick_lot
        return notional + fee(self._highest_fee, notional) if self._highest_fee else notional

    def reserve(self, slot: ActionSlot) -> int:
        """Check the slot's order against its market's discipline, lock what its remainder needs, and return that in lots.

        Raises:
            DisciplineError, InsufficientBudget: nothing has changed.
        """
        action = slot.action
        market, price, quantity = action.market, action.price, action.quantity - slot.filled
        discipline = self._discipline[market.symbol]
        if not discipline.lowest <= price <= discipline.ceiling or price * quantity < discipline.least:
            discipline.check(price, quantity)
        budgets = self._accounts[slot.account_id]
        if action.side is _BID:
            notional = price * quantity * market.quote_per_tick_lot
            rate = self._highest_fee
            budgets[market.quote.symbol].lock(notional + fee(rate, notional) if rate else notional)
        else:
            budgets[market.base.symbol].lock(quantity * market.base_per_lot)
        return quantity

    def give_back(self, slot: ActionSlot) -> None:
        """Undo `reserve`, or `hold`: the venue has not accepted the order."""
        self._given(slot).unlock(self.need(slot.action, slot.action.quantity - slot.filled))

    def hold(self, slot: ActionSlot) -> None:
        """Lock what the slot's order needs, for it may be at the venue.

        Raises:
            InsufficientBudget: nothing has changed.
        """
        self._given(slot).lock(self.need(slot.action, slot.action.quantity - slot.filled))

    def execute(self, execution: Execution) -> None:
        """Settle a trade: both sides where both are ours."""
        maker, taker, slots = execution.maker, execution.taker, self._slots
        if maker >= 0:
            self._fill(slots[maker], execution, execution.maker_fee)
        if taker >= 0:
            self._fill(slots[taker], execution, execution.taker_fee)

    def cancel(self, slot: ActionSlot) -> None:
        """Unlock what the open remainder of the slot's order holds."""
        self._given(slot).unlock(self.need(slot.action, slot.open))
        slot.open = 0

    def replay(self, events: Iterable[Event]) -> None:
        """Do again, in order, what events of an earlier life did."""
        slots, accounts, rate = self._slots, self._accounts, self._highest_fee
        for event in events:
            if type(event) is Attempt:
                slot = slots[event.slot]
                held = slot.last_attempt is not None and slot.in_doubt
                slot.restore_attempt(event)
                if event.failure is not None:
                    if slot.in_doubt is not held:
                        self.give_back(slot) if held else self.hold(slot)
                elif held:
                    slot.open = slot.action.quantity - slot.filled
                else:
                    # What `need` says and `_given` finds, without the calls: there are a million of these.
                    action, budgets = slot.action, accounts[slot.account_id]
                    slot.open = quantity = action.quantity - slot.filled
                    market = action.market
                    if action.side is _BID:
                        notional = action.price * quantity * market.quote_per_tick_lot
                        budgets[market.quote.symbol].lock(notional + fee(rate, notional) if rate else notional)
                    else:
                        budgets[market.base.symbol].lock(quantity * market.base_per_lot)
            elif type(event) is Execution:
                self.execute(event)
            elif type(event) is Cancel:
                self.cancel(slots[event.slot])
            elif type(event) is Decision:
                slot = slots[event.slot]
                slot.decide(event)
                if event.action is RecoveryAction.SKIP:
                    self.give_up(slot)

    def give_up(self, slot: ActionSlot) -> None:
        """Unlock what a slot that was just skipped held, where its order may be at the venue."""
        if slot.last_attempt is not None and _is_unknown(slot.last_attempt):
            self.give_back(slot)

    def locked_by_open_orders(self) -> dict[tuple[str, str], int]:
        """Return what open orders, those that may be open, and those that are being placed need per account and asset.

        That must be locked, and no more. Amounts are in units.
        """
        needed: dict[tuple[str, str], int] = {}
        for slot in self._slots:
            held = slot.last_attempt is not None and (slot.in_doubt or slot.is_under_way)
            lots = slot.open or (slot.action.quantity - slot.filled if held else 0)
            if lots:
                key = slot.account_id, slot.action.bid_asset
                needed[key] = needed.get(key, 0) + self.need(slot.action, lots)
        return needed

    def movements(
        self, journal: Iterable[Event], *, account: str | None = None, left: dict[int, int] | None = None
    ) -> Iterator[Movement]:
        """Yield the ledger: every movement that the events made, in order; of `account` alone, where one is given.

        A journal may be read part by part: `left`, the lots still to be filled of each order, goes from one part to the next.
        """
        left = {} if left is None else left
        for event in journal:
            match event:
                case Attempt(failure=failure):
                    slot = self._slots[event.slot]
                    if account is None or slot.account_id == account:
                        locks = failure is None or failure.kind is FailureKind.UNKNOWN
                        held = event.number > 1 and _is_unknown(slot.attempts[event.number - 2])
                        if locks is not held:
                            lots = left.setdefault(slot.sequence, slot.action.quantity)
                            kind, at = (_LOCK, event.started) if locks else (_UNLOCK, event.ended)
                            yield Movement(
                                slot.account_id, slot.action.bid_asset, kind, self.need(slot.action, lots), at, slot.sequence
                            )
                case Decision(action=RecoveryAction.SKIP):
                    slot = self._slots[event.slot]
                    given_up = event.attempt > 0 and _is_unknown(slot.attempts[event.attempt - 1])
                    if given_up and (account is None or slot.account_id == account):
                        freed = self.need(slot.action, left[event.slot])
                        yield Movement(slot.account_id, slot.action.bid_asset, _UNLOCK, freed, event.at, event.slot)
                case Execution():
                    for sequence, charge in ((event.maker, event.maker_fee), (event.taker, event.taker_fee)):
                        if sequence >= 0 and (account is None or self._slots[sequence].account_id == account):
                            was_open = left.pop(sequence)
                            yield from self._fill_movements(self._slots[sequence], event, charge, was_open)
                            if was_open > event.quantity:
                                left[sequence] = was_open - event.quantity
                case Cancel():
                    slot = self._slots[event.slot]
                    if account is None or slot.account_id == account:
                        freed = self.need(slot.action, left[event.slot])
                        yield Movement(slot.account_id, slot.action.bid_asset, _UNLOCK, freed, event.at, event.slot)

    def _given(self, slot: ActionSlot) -> AccountBudget:
        market = slot.action.market
        return self._accounts[slot.account_id][(market.quote if slot.action.side is _BID else market.base).symbol]

    def _fill(self, slot: ActionSlot, execution: Execution, charge: int) -> None:
        action, price, quantity, was_open = slot.action, execution.price, execution.quantity, slot.open
        market, budgets = action.market, self._accounts[slot.account_id]
        quote, base = budgets[market.quote.symbol], budgets[market.base.symbol]
        notional = price * quantity * market.quote_per_tick_lot
        if action.side is _BID:
            quote.spend(notional + charge)
            if price != action.price or self._highest_fee:
                surplus = self.need(action, was_open) - notional - charge
                if was_open != quantity:
                    surplus -= self.need(action, was_open - quantity)
                if surplus:
                    quote.unlock(surplus)
            base.receive(quantity * market.base_per_lot)
        else:
            base.spend(quantity * market.base_per_lot)
            quote.receive(notional - charge)
        slot.fill(execution)

    def _fill_movements(self, slot: ActionSlot, execution: Execution, charge: int, was_open: int) -> Iterator[Movement]:
        action, market, account = slot.action, slot.action.market, slot.account_id
        notional = market.notional(execution.price, execution.quantity)
        moved = execution.quantity * market.base_per_lot
        spent, received = (notional + charge, moved) if action.side is _BID else (moved, notional - charge)
        surplus = self.need(action, was_open) - self.need(action, was_open - execution.quantity) - spent
        rows = [(action.bid_asset, MovementKind.SPEND, spent)]
        if surplus:
            rows.append((action.bid_asset, MovementKind.UNLOCK, surplus))
        rows.append((action.ask_asset, MovementKind.RECEIVE, received))
        for asset, kind, amount in rows:
            yield Movement(account, asset, kind, amount, execution.at, slot.sequence)


def _is_unknown(attempt: Attempt) -> bool:
    """Whether the order of an attempt may be at the venue, and nobody knows."""
    return attempt.failure is not None and attempt.failure.kind is FailureKind.UNKNOWN
