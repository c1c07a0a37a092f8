"""From what a venue outside this process says of a slot's order to executions of the journal."""

from decimal import Decimal
from typing import Final

from orderbook_tui.core.book import Side
from orderbook_tui.core.exchange import FeeSchedule, fee
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.money import decimal
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import AmountError

_TOO_MUCH: Final = 2**62
"""Units that are refused: an amount has 64 bits, and what an account has received is a sum of them."""


def execution_of(
    slot: ActionSlot,
    price: int,
    quantity: int,
    at: int,
    *,
    charge: int = 0,
    outside: str | None = None,
    name: str | None = None,
) -> Execution:
    """Return an execution of the slot's order alone: `price` in ticks, `quantity` in lots, `charge` in quote units.

    `outside` is the counterparty's account, by id where it is one of the run's; `name` what the venue calls the execution.
    """
    if slot.sequence % 2 == 0:
        return Execution(slot.sequence, -1, price, quantity, charge, 0, at, outside, name)
    return Execution(-1, slot.sequence, price, quantity, 0, charge, at, outside, name)


def check(slot: ActionSlot, price: int, quantity: int) -> None:
    """Check that an execution can be one of the slot's order, but for its fee and for how much is left of the order.

    Raises:
        AmountError: price or quantity is not positive, or too large, or the price is worse than the order's.
    """
    action, market = slot.action, slot.action.market
    which = f"slot {slot.sequence}: a fill"
    if price <= 0 or quantity <= 0:
        raise AmountError(f"{which} of {market.quantity(quantity):f} at {market.price(price):f}: both are more than 0")
    if price >= _TOO_MUCH or market.notional(price, quantity) >= _TOO_MUCH:
        raise AmountError(f"{which} at that price comes to more than an amount of {market.quote.symbol} can be")
    if price > action.price if action.side is Side.BID else price < action.price:
        raise AmountError(f"{which} at {market.price(price):f} is worse than the order's price, {market.price(action.price):f}")


def check_fee(slot: ActionSlot, price: int, quantity: int, charge: int, fees: FeeSchedule) -> None:
    """Check that a fee is one that was locked for the execution.

    Raises:
        AmountError: it is less than nothing, or more.
    """
    quote, most = slot.action.market.quote, fee(fees.highest, slot.action.market.notional(price, quantity))
    if not 0 <= charge <= most:
        raise AmountError(f"a fee of {quote.amount(charge):f} {quote.symbol}: 0 to {quote.amount(most):f} is locked for it")


def parsed(slot: ActionSlot, price: object, quantity: object, charge: object = 0) -> tuple[int, int, int]:
    """Return price, quantity and fee, as a venue writes them, in ticks, lots and quote units.

    Raises:
        AmountError: one of them is no number, or fits no tick, lot or unit.
    """
    market = slot.action.market
    return (
        market.price_ticks(_number(price)),
        market.quantity_lots(_number(quantity)),
        market.quote.units(_number(charge)) if charge is not None else 0,
    )


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise AmountError(f"{value!r} is no number")
    return decimal(value)
