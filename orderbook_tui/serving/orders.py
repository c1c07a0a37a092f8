"""Orders of the served exchange, and what happens to them.

Every event has a sequence number of its own, counted from 1 over all accounts: whoever missed some asks for those after the
last one seen.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.market import Account


class Refusal(Exception):
    """Why a request was not done; nothing has changed. `code` is for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message

    def __str__(self) -> str:
        return self.message


class Status(StrEnum):
    """Where an order stands."""

    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why an order was cancelled."""

    REQUESTED = "requested"
    """Its owner asked for it."""
    OPERATOR = "operator"
    TIME_IN_FORCE = "time_in_force"
    """What an immediate order could not fill at once."""
    SELF_TRADE = "self_trade_prevention"


class NewOrder(msgspec.Struct, frozen=True, gc=False):
    """An order that somebody wants to place. `via` is the FIX session that it came over, and where its reports go."""

    account: Account
    client_order_id: str
    action: OrderAction
    counterparty: Account | None = None
    """The only account that it trades with; None: any other."""
    via: str = ""


class Fill(msgspec.Struct, frozen=True, gc=False):
    """One side of a trade, in ticks, lots and quote units. Both sides share the number of the trade."""

    trade: int
    price: int
    quantity: int
    fee: int
    is_maker: bool
    counterparty: Account
    at: int

    @property
    def liquidity(self) -> str:
        return "maker" if self.is_maker else "taker"

    @property
    def execution_id(self) -> str:
        """What names this side of the trade, and no other side of any."""
        return f"{self.trade}-{self.liquidity}"


@dataclass(slots=True, eq=False)
class ServedOrder:
    """An order that was accepted. `open` is what of it is at rest, in lots; amounts of quote are in its units."""

    number: int
    new: NewOrder
    order_id: int
    at: int
    open: int
    filled: int = 0
    notional: int = 0
    """Paid or received for the fills so far, before fees."""
    fee: int = 0
    fills: list[Fill] = field(default_factory=list)

    @property
    def status(self) -> Status:
        if self.open:
            return Status.OPEN
        return Status.FILLED if self.filled == self.new.action.quantity else Status.CANCELLED


class EventKind(StrEnum):
    """What can happen to an order."""

    ACCEPTED = "accepted"
    FILL = "fill"
    CANCELLED = "cancelled"


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened to an order, and how the order stood right after it."""

    seq: int
    kind: EventKind
    order: ServedOrder
    at: int
    open: int
    filled: int
    notional: int
    fill: Fill | None = None
    reason: Reason | None = None
    request_id: str = ""
    """What a FIX client called its request to cancel."""
