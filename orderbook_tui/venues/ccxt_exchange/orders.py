"""From the library's order and trade structures to reports. Their numbers are text; see `clients`."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from time import time_ns
from typing import Any, Final

from orderbook_tui.core.journal import Execution
from orderbook_tui.core.money import Asset, decimal
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.words import harmless
from orderbook_tui.errors import AmountError
from orderbook_tui.venues.base import OrderReport
from orderbook_tui.venues.reports import check, execution_of

Structure = Mapping[str, Any]
CLOSED: Final = frozenset({"closed", "canceled", "expired", "rejected"})
LONGEST_ID: Final = 1_000


class OrderReader:
    """Reads what became of orders. `code` is what the library calls the quote of a slot's market."""

    def report(self, slot: ActionSlot, order: Structure, trades: Sequence[Structure] | None, code: str) -> OrderReport:
        """Return what an order has come to; `trades` are all of its executions, None where only the totals are known.

        Raises:
            AmountError: it cannot be what came of the slot's order.
        """
        executions = [self._execution(slot, trade, code) for trade in trades or ()]
        found = OrderReport(_text(order.get("id")), executions, closed=order.get("status") in CLOSED)
        filled = _number(order.get("filled"))
        if trades is None and filled is not None:
            market = slot.action.market
            found.filled = market.quantity_lots(filled)
            cost, average = _number(order.get("cost")), _number(order.get("average"))
            if found.filled and cost:
                found.notional = market.quote.units(cost)
            elif found.filled and average:
                # An average is rounded already: the nearest sum of whole ticks is what it was made of.
                found.notional = (
                    int((average / market.tick_size * found.filled).quantize(Decimal(1))) * market.quote_per_tick_lot
                )
            found.fee = _charge(order, market.quote, code)
        return found

    def _execution(self, slot: ActionSlot, trade: Structure, code: str) -> Execution:
        market = slot.action.market
        price, amount = _number(trade.get("price")), _number(trade.get("amount"))
        if price is None or amount is None:
            raise AmountError(f"slot {slot.sequence}: a trade without price or amount")
        ticks, lots, charge = market.price_ticks(price), market.quantity_lots(amount), _charge(trade, market.quote, code)
        check(slot, ticks, lots)
        who = slot.action.matching_strategy.account or ""
        return execution_of(slot, ticks, lots, time_ns(), charge=charge, outside=who, name=_text(trade.get("id")) or None)


def fees_elsewhere(structures: Sequence[Structure], code: str) -> set[str]:
    """Return in which other assets than the quote `code` fees were paid: a run's budgets do not know of them."""
    return {
        _text(each.get("currency"))
        for structure in structures
        for each in _fees(structure)
        if _number(each.get("cost")) and each.get("currency") not in (code, None)
    }


def _charge(structure: Structure, quote: Asset, code: str) -> int:
    """Return the fee in units of quote, rounded down, as a fee is; a rebate is none."""
    paid = [_number(each.get("cost")) for each in _fees(structure) if each.get("currency") in (code, None)]
    total = sum((each for each in paid if each is not None), Decimal(0))
    return max(0, quote.units(total.quantize(Decimal(1).scaleb(-quote.precision), ROUND_DOWN)))


def _fees(structure: Structure) -> list[Structure]:
    """Return the fees of a trade or an order; the library says them once or as a list, and often both."""
    listed = structure.get("fees") or ([structure["fee"]] if structure.get("fee") else [])
    return [each for each in listed if isinstance(each, Mapping)]


def _number(value: object) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise AmountError("an amount is no number")
    return decimal(value)


def _text(value: object) -> str:
    return harmless(str(value), LONGEST_ID) if isinstance(value, str | int) else ""
