"""Overrides: single slots whose amounts are given, not drawn.

    one amount alone    the price stays, the quantity follows
    both                price and quantity follow

The other slot of the pair takes the same quantity at its own price, and the pair must still cross.
"""

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.book import Side
from orderbook_tui.core.money import MAX_UNITS, written
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import AmountError, ScheduleError


class Override(NamedTuple):
    """What the account of a slot gives (`bid_amount`) and wants (`ask_amount`); None is left to the price."""

    slot: int
    bid_amount: Decimal | None = None
    ask_amount: Decimal | None = None


def override_pair(pair: tuple[ActionSlot, ActionSlot], overrides: tuple[Override, ...]) -> None:
    """Give the slots of a fresh pair the amounts of its overrides, of which there is at most one for each.

    Raises:
        ScheduleError: these amounts make no pair that crosses; nothing has changed.
    """
    before = pair[0].action, pair[1].action
    try:
        for place, override in enumerate(overrides):
            _override(pair, override, quantity_given=place > 0)
    except ScheduleError:
        pair[0].action, pair[1].action = before
        raise


def _override(pair: tuple[ActionSlot, ActionSlot], override: Override, *, quantity_given: bool) -> None:
    slot, partner = pair if override.slot == pair[0].sequence else pair[::-1]
    quantity, called = slot.action.quantity, f"slot {slot.sequence}"
    try:
        slot.override(bid_amount=override.bid_amount, ask_amount=override.ask_amount)
    except AmountError as error:
        raise ScheduleError(f"{called}: {str(error).removeprefix(f'{called}: ')}{_whole(slot.action, override)}") from None
    action = slot.action
    base = action.market.base.symbol
    if quantity_given and action.quantity != quantity:
        lots = action.market.quantity
        raise ScheduleError(
            f"{called} trades {lots(action.quantity):f} {base}, and slot {partner.sequence}, which it must cross, "
            f"{lots(quantity):f} {base}: they must be equal"
        )
    partner.action = OrderAction(
        action.market,
        partner.action.side,
        action.quantity,
        partner.action.price,
        partner.action.matching_strategy,
        partner.action.time_in_force,
    )
    bid, ask = (slot, partner) if action.side is Side.BID else (partner, slot)
    _check(bid.action, ask.action, called)


def _check(bid: OrderAction, ask: OrderAction, called: str) -> None:
    market = bid.market
    if bid.price < ask.price:
        raise ScheduleError(
            f"{called}: the bid at {market.price(bid.price):f} would be below the ask at {market.price(ask.price):f}, "
            f"and the pair would never cross"
        )
    if max(market.notional(bid.price, bid.quantity), bid.quantity * market.base_per_lot, bid.price) > MAX_UNITS:
        raise ScheduleError(f"{called}: a trade of that size is larger than any budget can be")


def _whole(action: OrderAction, override: Override) -> str:
    """Say which amounts next to the one of an override would do, where there is only one."""
    market = action.market
    given = override.bid_amount if override.bid_amount is not None else override.ask_amount
    if given is None or (override.bid_amount is not None and override.ask_amount is not None):
        return ""
    quote_is_given = (action.side is Side.BID) == (override.bid_amount is not None)
    lot = market.notional(action.price, 1) if quote_is_given else market.base_per_lot
    asset = market.quote if quote_is_given else market.base
    fewer = int(Fraction(given) // Fraction(asset.amount(lot)))
    choices = [written(asset.amount(lots * lot)) for lots in (fewer, fewer + 1) if lots > 0]
    return f" ({' or '.join(choices)} would do)"
