"""What must be true of a run at any moment, whatever failed."""

from collections import Counter

from orderbook_tui.core.book import Side
from orderbook_tui.core.budget import AccountBudget, BudgetStore, apply
from orderbook_tui.core.exchange import Exchange
from orderbook_tui.core.journal import Attempt, Cancel, Execution
from orderbook_tui.core.market import Account
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import SlotState
from orderbook_tui.core.state import SimulationState
from orderbook_tui.errors import OrderbookTuiError


def invariants(
    state: SimulationState, budgets: BudgetStore, settlement: Settlement, exchange: Exchange | None = None
) -> dict[str, bool]:
    """Check a run against the rules; return the name of each and whether it holds. `exchange` where it is in this process."""
    locked = {(budget.account.id, budget.asset.symbol): budget.locked for budget in budgets if budget.locked}
    needed = settlement.locked_by_open_orders()
    checks = {
        "budgets_balance": all(b.initial == b.available + b.locked + b.spent for b in budgets),
        "none_negative": all(min(b.initial, b.available, b.locked, b.spent, b.received) >= 0 for b in budgets),
        "locked_is_what_open_orders_need": locked == needed,
        "nothing_locked_without_open_orders": bool(needed) or not locked,
        "spent_equals_received_plus_fees": _conserved(state, budgets),
        "ledger_folds_to_budgets": _folds(state, budgets, settlement),
        "stats_equal_recount": state.stats == state.recount(),
        "no_slot_placed_twice": _placed_once(state),
        "states_follow_from_attempts": all(
            (slot.state is SlotState.COMPLETED) == any(a.order_id is not None for a in slot.attempts) for slot in state.slots
        ),
        "fills_within_orders": all(
            slot.filled == sum(fill.quantity for fill in slot.fills) and slot.filled + slot.open <= slot.action.quantity
            for slot in state.slots
        ),
    }
    if exchange is not None:
        checks["books_hold_the_open_orders"] = _books_match(state, exchange)
        checks["books_never_crossed"] = not any(_crossed(exchange, symbol) for symbol in exchange.books)
    return checks


def _conserved(state: SimulationState, budgets: BudgetStore) -> bool:
    """Per asset: what was spent is what was received, plus fees, plus what went to (less what came from) outsiders."""
    balance: Counter[str] = Counter()
    for budget in budgets:
        balance[budget.asset.symbol] += budget.spent - budget.received
    for event in state.journal:
        if isinstance(event, Execution):
            slot = state.slots[max(event.maker, event.taker)]
            market = slot.action.market
            balance[market.quote.symbol] -= event.maker_fee + event.taker_fee
            if event.outside is not None:
                sign = 1 if slot.action.side is Side.BID else -1
                balance[market.quote.symbol] -= sign * market.notional(event.price, event.quantity)
                balance[market.base.symbol] += sign * event.quantity * market.base_per_lot
    return not any(balance.values())


def _folds(state: SimulationState, budgets: BudgetStore, settlement: Settlement) -> bool:
    folded: dict[tuple[str, str], AccountBudget] = {}
    for budget in budgets:
        folded[budget.account.id, budget.asset.symbol] = AccountBudget(
            Account(""), budget.asset, budget.initial, budget.initial
        )
    try:
        for movement in settlement.movements(state.journal):
            apply(folded[movement.account, movement.asset], movement.kind, movement.amount)
        for slot in state.slots:
            if slot.is_under_way and not slot.in_doubt and not slot.open:
                need = settlement.need(slot.action, slot.action.quantity - slot.filled)
                folded[slot.account_id, slot.action.bid_asset].lock(need)  # the journal does not know of it yet
    except (OrderbookTuiError, KeyError):
        return False  # a movement that cannot have been made
    return all(
        (b.available, b.locked, b.spent, b.received) == (f.available, f.locked, f.spent, f.received)
        for b in budgets
        for f in (folded[b.account.id, b.asset.symbol],)
    )


def _placed_once(state: SimulationState) -> bool:
    """No slot has an order accepted while an earlier one of it is open."""
    open_lots: dict[int, int] = {}
    for event in state.journal:
        if isinstance(event, Attempt) and event.failure is None:
            if open_lots.get(event.slot):
                return False
            slot = state.slots[event.slot]
            open_lots[event.slot] = slot.action.quantity
        elif isinstance(event, Execution):
            for sequence in (event.maker, event.taker):
                if sequence >= 0:
                    open_lots[sequence] = open_lots.get(sequence, 0) - event.quantity
        elif isinstance(event, Cancel):
            open_lots[event.slot] = 0
    return True


def _books_match(state: SimulationState, exchange: Exchange) -> bool:
    resting = {}
    for book in exchange.books.values():
        for side in Side:
            resting.update({order.client_id: (order.order_id, order.quantity) for order in book.resting(side)})
    return resting == {slot.sequence: (slot.order_id, slot.open) for slot in state.slots if slot.open}


def _crossed(exchange: Exchange, symbol: str) -> bool:
    """Whether two resting orders that admit each other would trade."""
    book = exchange.books[symbol]
    for bid in book.resting(Side.BID):
        for ask in book.resting(Side.ASK):
            if ask.price > bid.price:
                break
            if bid.admits(ask) and bid.account != ask.account:
                return True
    return False
