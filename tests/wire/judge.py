"""The judge: holds a run that has ended against the exchange's own books, which it reads when the exchange is gone.

orders      a slot has one accepted order at most; a Completed one exactly one
fills       of the same prices, quantities and fees on both sides
money       what the exchange holds for an account is what the run's budgets come to, to the unit
the end     nothing open, nothing locked, nothing that the run's own reconciliation finds
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from orderbook_tui.config import load_config
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.serving.ledger import Ledger
from orderbook_tui.serving.orders import ServedOrder
from orderbook_tui.serving.served import ServedExchange

_ID: Final = re.compile(r"(.*)-(\d+)-(\d+)")
_TELLS_NOTHING: Final = "the venue tells neither which orders are open nor what accounts hold"
"""Why a run over FIX is not reconciled."""
_Fill = tuple[int, int, int]
"""Price, quantity and fee, in ticks, lots and quote units."""


def violations(simulation: Simulation, summary: dict[str, Any], exchange_config: Path, state: Path) -> list[str]:
    """Return everything that is wrong, in words. `summary` is what the run printed at its end."""
    exchange = ServedExchange.of(load_config(exchange_config), exchange_config.parent, state)
    try:
        ledger = exchange.ledger
        return [*_of_orders(simulation, ledger), *_of_money(simulation, ledger), *_of_summary(summary)]
    finally:
        exchange.close()


def accepted(ledger: Ledger) -> dict[int, list[ServedOrder]]:
    """Return the orders that the exchange has accepted, by slot; those of other makers under -1."""
    found = defaultdict[int, list[ServedOrder]](list)
    for account in ledger.balances:
        for order in ledger.orders(account):
            name = _ID.fullmatch(order.new.client_order_id)
            found[int(name[2]) if name is not None else -1].append(order)
    return found


def _of_orders(simulation: Simulation, ledger: Ledger) -> Iterator[str]:
    orders = accepted(ledger)
    for order in orders.pop(-1, []):
        yield f"the exchange has order {order.new.client_order_id}, which is none of the run's"
    for slot in simulation.slots:
        there = orders.get(slot.sequence, [])
        if len(there) > 1:
            yield f"slot {slot.sequence} was placed {len(there)} times: {[each.new.client_order_id for each in there]}"
        if slot.state is SlotState.COMPLETED and not there:
            yield f"slot {slot.sequence} is Completed, and the exchange has no order of it"
        if slot.state is not SlotState.COMPLETED:
            yield f"slot {slot.sequence} is {slot.state.name}: {slot.last_error.message if slot.last_error else 'no error'}"
        for order in there:
            yield from _of_order(slot, order)


def _of_order(slot: ActionSlot, order: ServedOrder) -> Iterator[str]:
    action, wanted = order.new.action, slot.action
    if order.open:
        yield f"order {order.new.client_order_id} is still open at the exchange: {order.open} lots"
    if (action.side, action.price, action.quantity, action.market.symbol, order.new.account.id) != (
        wanted.side,
        wanted.price,
        wanted.quantity,
        wanted.market.symbol,
        slot.account_id,
    ):
        yield f"order {order.new.client_order_id} is another than slot {slot.sequence} wanted"
    ours, theirs = Counter(_ours(slot)), Counter((fill.price, fill.quantity, fill.fee) for fill in order.fills)
    if ours != theirs:
        yield f"slot {slot.sequence}: the run has the fills {sorted(ours.elements())}, the exchange {sorted(theirs.elements())}"


def _ours(slot: ActionSlot) -> Iterator[_Fill]:
    for fill in slot.fills:
        yield fill.price, fill.quantity, fill.maker_fee if fill.maker == slot.sequence else fill.taker_fee


def _of_money(simulation: Simulation, ledger: Ledger) -> Iterator[str]:
    for budget in simulation.budgets:
        held = ledger.balances[budget.account.id][budget.asset.symbol]
        who = f"{budget.account.name} has {budget.asset.symbol}"
        ours = budget.initial - budget.spent + budget.received
        if held.available + held.locked != ours:
            yield f"{who} {ours} by the run's budgets, {held.available + held.locked} at the exchange"
        if held.locked or budget.locked:
            yield f"{who} locked: {budget.locked} by the run's budgets, {held.locked} at the exchange"


def _of_summary(summary: dict[str, Any]) -> Iterator[str]:
    yield from (f"the invariant {name} does not hold" for name, holds in summary["invariants"].items() if not holds)
    if summary["open_orders"]:
        yield f"the run has {len(summary['open_orders'])} open orders"
    found = summary["reconciliation"]
    if found is None and summary["not_reconciled"] != _TELLS_NOTHING:
        yield f"not reconciled: {summary['not_reconciled']}"
    elif found is not None and found["differences"]:
        yield f"reconciliation: {[each['words'] for each in found['differences']]}"
    if summary["exit_status"] != 0:
        yield f"exit status {summary['exit_status']}, verdicts {summary['verdicts']}"
