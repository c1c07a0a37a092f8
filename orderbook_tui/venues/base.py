"""What every venue does, whether it is in this process or not.

Placing has three outcomes: an answer (the order was accepted), an `OrderError` that says that it was not, and
`OutcomeUnknown`. A venue that is not sure says the third: whoever places looks the order up before anything else, or, where
the venue cannot be asked, has a person decide.
"""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Protocol

import msgspec

from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.journal import Balance, Execution
from orderbook_tui.core.slot import ActionSlot


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue can do; what it says it cannot is never asked of it."""

    in_process: bool = False
    """It dies with this process: then nothing can be placed twice, and no intent need be kept."""
    look_up: bool = False
    """It can be asked what became of an order, by the client order id."""
    fence: bool = False
    """A look-up that finds nothing makes sure that the order cannot come any more."""
    deduplicates_for_s: float = 0.0
    """For how many seconds after the first sending it takes an order of the same client order id once only; 0: it does not."""
    cancel: bool = False
    """What is open of an order can be taken back."""
    client_ids: bool = False
    """It is told the client order id, and knows the order by it."""
    pushes_executions: bool = False
    """Executions come by themselves; otherwise they are in the answers to `place`, `look_up` and `cancel` alone."""
    open_orders: bool = False
    """It tells which orders of an account are open."""
    only_known_orders: bool = False
    """It tells that of each order that it is asked about, and so not of those that the run does not know."""
    balances: bool = False
    """It tells what an account holds."""


class OrderReport(Submission, gc=False):
    """What a venue outside this process says of an order: its executions one by one, or what they come to, or both.

    `executions` may hold what was told before. Where the venue gives no list, `filled` is the lots of all executions until
    now; then `notional` is what they came to in quote units (None: at the order's own price) and `fee` what they cost.
    """

    filled: int | None = None
    notional: int | None = None
    fee: int = 0
    closed: bool = False
    """Nothing is open of it any more: it is filled, or what was left is cancelled."""


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that a venue says is open: `left` in lots, -1 where it does not say."""

    account: str
    client_order_id: str
    order_id: str = ""
    market: str = ""
    left: int = -1


class Listener(Protocol):
    """Who hears what a venue tells by itself. To be called in the event loop that opened the venue."""

    def executed(self, execution: Execution) -> None:
        """Settle an execution, once, however often and in whichever order executions are told.

        Raises:
            AmountError: it cannot be one of the order's; nothing has changed.
        """
        ...

    def closed(self, slot: ActionSlot) -> None:
        """The venue has closed the slot's order by itself: what is open of it is cancelled."""
        ...

    def stray(self, words: str, slot: ActionSlot | None = None) -> None:
        """Something was told that fits no order, or cannot be settled; it is about `slot`, where that is known."""
        ...


class Venue(Protocol):
    """Takes a slot's order and says what became of it."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def open(self, listener: Listener) -> None:
        """Begin a run: connect, or begin to. A venue that is not reachable yet says so when it is placed at."""
        ...

    async def close(self) -> None:
        """End the run: nothing is told any more, and nothing is left open of connections and tasks."""
        ...

    def place(self, slot: ActionSlot, quantity: int) -> Submission | Awaitable[Submission]:
        """Place `quantity` lots of the slot's action.

        Raises:
            OrderError: it was not placed, or (`OutcomeUnknown`) it is not known whether it was.
        """
        ...

    def look_up(self, slot: ActionSlot, quantity: int) -> Submission | Awaitable[Submission | None] | None:
        """Say what became of the order of `slot.client_order_id`, of `quantity` lots.

        Returns as `place` does, with every execution until now; None where the order is not there and can no longer come to be
        there: what is still under way of it is fenced off first.

        Raises:
            NotSeen: it is not there, but may come to be (the venue cannot `fence`).
            OrderError: that cannot be known now.
        """
        ...

    def place_again(self, slot: ActionSlot, quantity: int) -> Submission:
        """Put back `quantity` lots of an order that was cancelled with its pair. Asked of a venue in this process only.

        Raises:
            OrderError: it was not placed.
        """
        ...

    def cancel(self, slot: ActionSlot) -> bool | Awaitable[OrderReport | None]:
        """Cancel what is open of the slot's order.

        A venue in this process answers whether it could. Another answers what it then knows of the order, `closed` where
        nothing is open any more; None where it has no way to cancel, and the order stays open.

        Raises:
            OrderError: it is not known what is open.
        """
        ...

    def restore(self, slot: ActionSlot) -> None:
        """Take up an open order of an earlier life; called in the order in which they were placed."""
        ...

    async def open_orders(self, accounts: Sequence[str]) -> Iterable[OpenOrder]:
        """Return the open orders of accounts (by id).

        Raises:
            OrderError: that cannot be known now.
        """
        ...

    async def balances(self, accounts: Sequence[str]) -> Iterable[Balance]:
        """Return what accounts (by id) hold, in units, of the assets that this run trades.

        Raises:
            OrderError: that cannot be known now.
        """
        ...
