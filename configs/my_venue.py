"""A venue of one's own, in memory: orders rest in lists until one comes that meets them.

`python-venue.json` names it as `configs.my_venue:place_order`; in its place you would call your exchange. Its book is
gone when the program ends, so what rested there then is met by nobody after a resume.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from itertools import count

from orderbook_tui import ActionSlot, SettlementHandle, Side

TAKER_FEE = Decimal("0.001")
CENT = Decimal("0.01")


@dataclass
class Order:
    """An order as this venue sees it, and the handle that reports its fills."""

    slot: ActionSlot
    price: Decimal
    left: Decimal
    settlement: SettlementHandle

    def meets(self, other: "Order") -> bool:
        """Whether the two cross, and each may trade with the other's account."""
        mine, theirs = self.slot.action, other.slot.action
        bid, ask = (self, other) if mine.side is Side.BID else (other, self)
        wanted = mine.matching_strategy.account, theirs.matching_strategy.account
        return (
            mine.market_id == theirs.market_id
            and mine.side is not theirs.side
            and bid.price >= ask.price
            and wanted[0] in (None, other.slot.account_id)
            and wanted[1] in (None, self.slot.account_id)
        )


resting: list[Order] = []
numbers = count(1)


async def place_order(slot: ActionSlot, settlement: SettlementHandle) -> str:
    """Take one order, trade it with what rests, let the remainder rest, and answer an id."""
    market = slot.action.market
    order = Order(slot, market.price(slot.action.price), market.quantity(slot.action.quantity - slot.filled), settlement)
    # Who came first is met first: in this run all orders of a market have one price.
    for maker in [found for found in resting if order.meets(found)]:
        quantity = min(order.left, maker.left)
        if not quantity:
            break
        fee = (TAKER_FEE * maker.price * quantity).quantize(CENT, rounding=ROUND_DOWN)
        # Who waited sets the price, and pays no fee here.
        maker.settlement.fill(quantity, maker.price, counterparty=slot.account_id)
        settlement.fill(quantity, maker.price, counterparty=maker.slot.account_id, fee=fee)
        order.left -= quantity
        maker.left -= quantity
    resting[:] = [found for found in (*resting, order) if found.left]
    return f"mine-{next(numbers)}"
