"""A venue of one's own, in memory: orders rest in lists until one comes that meets them.

`python-venue.json` names it as `configs.my_venue:place_order`. Copy it, and put calls of your exchange in the place of `book`:
`place_order` is all that a venue must have, the functions below it say what else yours can do. Each may be plain or async.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from itertools import count

from orderbook_tui import ActionSlot, Rejected, SettlementHandle, Side

TAKER_FEE = Decimal("0.001")
CENT = Decimal("0.01")


@dataclass
class Fill:
    """One side of a trade."""

    number: str
    quantity: Decimal
    price: Decimal
    counterparty: str
    fee: Decimal


@dataclass
class Order:
    """An order as this venue sees it."""

    slot: ActionSlot
    price: Decimal
    left: Decimal
    number: str
    fills: list[Fill] = field(default_factory=list)

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

    def trade(self, quantity: Decimal, price: Decimal, other: "Order", fee: Decimal) -> None:
        """Note that so much of it was filled."""
        self.left -= quantity
        self.fills.append(Fill(f"trade-{next(numbers)}", quantity, price, other.slot.account_id, fee))


book: dict[str, Order] = {}
"""The exchange: every order, by the client order id. It is gone when the program ends; yours is not."""
refused: set[str] = set()
"""Client order ids that are taken no more."""
numbers = count(1)


async def place_order(slot: ActionSlot, settlement: SettlementHandle) -> str:
    """Take one order, trade it with what rests, let the remainder rest, and answer an id.

    An exception says that it was not placed, and it is tried again; `Rejected` says that trying again is pointless; a
    TimeoutError or ConnectionError leaves open whether it was placed, and `look_up` is called.
    """
    if slot.client_order_id in refused:
        raise Rejected("that order was given up")
    market = slot.action.market
    price, left = market.price(slot.action.price), market.quantity(slot.action.quantity - slot.filled)
    order = Order(slot, price, left, f"mine-{next(numbers)}")
    # Who came first is met first: in this run all orders of a market have one price.
    for maker in [found for found in book.values() if found.left and order.meets(found)]:
        quantity = min(order.left, maker.left)
        if quantity:
            # Who waited sets the price, and pays no fee here.
            fee = (TAKER_FEE * maker.price * quantity).quantize(CENT, rounding=ROUND_DOWN)
            maker.trade(quantity, maker.price, order, Decimal(0))
            order.trade(quantity, maker.price, maker, fee)
    book[slot.client_order_id] = order
    report(order, settlement)
    return order.number


def report(order: Order, settlement: SettlementHandle) -> None:
    """Report the fills of an order: all of them each time, since those that were reported before count once by their ids."""
    for fill in order.fills:
        settlement.fill(fill.quantity, fill.price, counterparty=fill.counterparty, fee=fill.fee, execution_id=fill.number)


async def look_up(slot: ActionSlot, settlement: SettlementHandle) -> str | None:
    """Say what became of an order. Called after a timeout or a crash, and for fills that came after the order was placed."""
    order = book.get(slot.client_order_id)
    if order is None:
        # None promises that it cannot arrive any more. An exchange that cannot promise that has `place_order.fence = False`.
        refused.add(slot.client_order_id)
        return None
    report(order, settlement)
    return order.number


async def cancel(slot: ActionSlot, settlement: SettlementHandle) -> bool:
    """Take back what is open; True says that nothing is any more, whether it was cancelled or filled before."""
    order = book[slot.client_order_id]
    order.left = Decimal(0)
    report(order, settlement)
    return True


def open_orders(account_id: str) -> Iterator[tuple[str, Decimal]]:
    """Say which orders of an account are open, and how much of each: compared with the run's at a pause and at the end."""
    for name, order in book.items():
        if order.slot.account_id == account_id and order.left:
            yield name, order.left


place_order.look_up = look_up  # type: ignore[attr-defined]
place_order.cancel = cancel  # type: ignore[attr-defined]
place_order.open_orders = open_orders  # type: ignore[attr-defined]
# There are more: balances(account_id) -> {"USD": (available, locked)}, open(), close(), fence, deduplicates_for.
