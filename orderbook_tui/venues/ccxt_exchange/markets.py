"""The exchange's own precision and limits, as the library knows them, and what of a run's markets does not keep to them."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import ccxt

from orderbook_tui.core.market import Market
from orderbook_tui.core.money import decimal, plain
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import AmountError
from orderbook_tui.venues.ccxt_exchange.listings import Terms

_MOST_DIGITS: Final = 60
HINT: Final = "orderbook-tui venue markets CONFIG prints a markets section that keeps to them"


def terms(market: Mapping[str, Any], precision_mode: int) -> Terms:
    """Return the terms of a market of the library's."""
    steps, limits = market.get("precision") or {}, market.get("limits") or {}
    return Terms(
        _step(steps.get("price"), precision_mode),
        _step(steps.get("amount"), precision_mode),
        number((limits.get("amount") or {}).get("min")),
        number((limits.get("cost") or {}).get("min")),
        market.get("active") is not False,
        _digits(steps.get("price")) if precision_mode == ccxt.SIGNIFICANT_DIGITS else None,
    )


def misfits(market: Market, theirs: Terms, slots: Iterable[ActionSlot]) -> Iterator[str]:
    """Yield in which respects a market of the run's does not keep to the exchange's terms."""
    if not theirs.is_active:
        yield "the exchange says that it is not active"
    for word, ours, step in (("tick_size", market.tick_size, theirs.tick), ("lot_size", market.lot_size, theirs.lot)):
        if step and ours % step:
            yield f"{word} {ours:f} is no multiple of the exchange's {step:f}"
    least = min((slot.action.quantity for slot in slots), default=None)
    if least is not None and theirs.least_lot and market.quantity(least) < theirs.least_lot:
        yield f"the least order of the schedule is {market.quantity(least):f}, the exchange's least is {theirs.least_lot:f}"
    if theirs.least_notional and market.min_notional < theirs.least_notional:
        yield f"min_notional {market.min_notional:f} is less than the exchange's {theirs.least_notional:f}"


def number(value: object) -> Decimal | None:
    """Return a number of the library's exactly, None where it is none."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        return plain(decimal(value))
    except AmountError:
        return None


def _step(value: object, mode: int) -> Decimal | None:
    """Return a step; a number of significant digits is none."""
    found = number(value)
    if found is None or mode == ccxt.SIGNIFICANT_DIGITS:
        return None
    if mode == ccxt.DECIMAL_PLACES:
        return Decimal(1).scaleb(-int(found)) if abs(found) <= _MOST_DIGITS else None
    return found if found > 0 else None


def _digits(value: object) -> int | None:
    found = number(value)
    return int(found) if found is not None and 1 <= found <= _MOST_DIGITS else None
