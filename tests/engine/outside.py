"""An exchange outside the process, with balances: the embedded one, behind a venue that tells things its own way.

It keeps books and money of its own, so a run can be held against it; and it can be made to lie, and others move things there.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.book import Side
from orderbook_tui.core.exchange import Exchange, FeeSchedule, Submission, fee
from orderbook_tui.core.journal import Balance, Execution
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import Plan
from orderbook_tui.errors import OutcomeUnknown, Rejected, VenueUnavailable
from orderbook_tui.venues.base import Capabilities, Listener, OpenOrder, OrderReport
from orderbook_tui.venues.reports import execution_of


@dataclass
class Kept:
    """An order that the exchange has."""

    account: str
    action: OrderAction
    client_order_id: str
    order_id: int
    open: int
    slot: ActionSlot | None
    fills: list[Execution] = field(default_factory=list)


class OutsideExchange:
    """The venue. `lies` are its ways of not telling, by client order id, or by "balances" and "open_orders":

    lost        the order never arrives, and nobody is told
    silent      it arrives, and nobody is told
    untold      its fills are not told
    unreachable the question is not answered
    """

    def __init__(
        self,
        plan: Plan,
        *,
        pushes: bool = True,
        look_up: bool = True,
        open_orders: bool = True,
        balances: bool = True,
        reserves: str = "highest",
        says_locks: bool = True,
        delay: float = 0,
    ) -> None:
        self.capabilities = Capabilities(
            look_up=look_up,
            fence=look_up,
            cancel=True,
            client_ids=True,
            pushes_executions=pushes,
            open_orders=open_orders,
            balances=balances,
        )
        self.exchange = Exchange(plan.markets, plan.fees)
        self.fees: FeeSchedule = plan.fees
        self.held = {key: [3 * units, 0] for key, units in plan.budgets.items()}
        """Available and locked, by account and asset."""
        self.orders: dict[int, Kept] = {}
        self.lies: dict[str, str] = {}
        self.asked: list[str] = []
        self._reserves, self._says_locks, self._delay = reserves, says_locks, delay
        self._listener: Listener | None = None
        self._trades = 0

    # What others do to it

    def place_behind(self, account: str, action: OrderAction, client_order_id: str = "somebody-else") -> int:
        """Place an order that is none of the run's, or that it does not know of."""
        return self._taken(account, action, action.quantity, client_order_id, None).order_id

    def move(self, account: str, asset: str, units: int) -> None:
        """Pay in, or out."""
        self.held[account, asset][0] += units

    def close_behind(self, client_order_id: str) -> None:
        """Cancel an order without telling."""
        order = self._named(client_order_id)
        assert order is not None
        order.slot = None
        self._cancel(order)

    # The venue

    async def open(self, listener: Listener) -> None:
        self._listener = listener

    async def close(self) -> None:
        self._listener = None

    async def place(self, slot: ActionSlot, quantity: int) -> Submission:
        await asyncio.sleep(self._delay)
        lie = self.lies.get(slot.client_order_id)
        if lie == "lost":
            raise OutcomeUnknown("no answer")
        order = self._taken(slot.account_id, slot.action, quantity, slot.client_order_id, slot)
        if lie == "silent":
            raise OutcomeUnknown("no answer")
        closed = not order.open and not self.capabilities.pushes_executions
        return OrderReport(f"x{order.order_id}", self._told(order), closed=closed)

    async def look_up(self, slot: ActionSlot, quantity: int) -> Submission | None:
        await asyncio.sleep(self._delay)
        order = self._named(slot.client_order_id)
        return None if order is None else self._report(order)

    def place_again(self, slot: ActionSlot, quantity: int) -> Submission:
        raise Rejected("not here")

    async def cancel(self, slot: ActionSlot) -> OrderReport | None:
        await asyncio.sleep(self._delay)
        order = self._named(slot.client_order_id)
        if order is None:
            raise VenueUnavailable("there is no such order")
        if self.lies.get(order.client_order_id) != "stays open":
            self._cancel(order)
        return self._report(order)

    def restore(self, slot: ActionSlot) -> None: ...

    async def open_orders(self, accounts: Sequence[str]) -> Iterable[OpenOrder]:
        await self._answer("open_orders")
        return [
            OpenOrder(
                account=order.account,
                client_order_id=order.client_order_id,
                order_id=f"x{order.order_id}",
                market=order.action.market.symbol,
                left=order.open,
            )
            for order in self.orders.values()
            if order.open and order.account in accounts
        ]

    async def balances(self, accounts: Sequence[str]) -> Iterable[Balance]:
        await self._answer("balances")
        said = []
        for (account, asset), (available, locked) in self.held.items():
            if account in accounts:
                said.append(Balance(account, asset, *((available, locked) if self._says_locks else (available + locked, 0))))
        return said

    # How it does it

    async def _answer(self, question: str) -> None:
        self.asked.append(question)
        await asyncio.sleep(self._delay)
        if self.lies.get(question) == "unreachable":
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._unreachable())
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from None
        if self.lies.get(question) == "silent":
            await asyncio.sleep(3600)

    async def _unreachable(self) -> None:
        await asyncio.sleep(0)
        raise VenueUnavailable("the line is dead")

    def _taken(self, account: str, action: OrderAction, quantity: int, client_order_id: str, slot: ActionSlot | None) -> Kept:
        number = len(self.orders)
        need = self._need(action, quantity)
        pots = self.held[account, action.bid_asset]
        if pots[0] < need:
            raise Rejected("it cannot be paid for")
        submission = self.exchange.submit(account, action, quantity, number, 1)
        assert isinstance(submission.order_id, int)
        order = self.orders[number] = Kept(account, action, client_order_id, submission.order_id, quantity, slot)
        pots[0] -= need
        pots[1] += need
        for execution in submission.executions:
            self._trades += 1
            maker, taker = self.orders[execution.maker], order
            self._fill(maker, execution, execution.maker_fee, taker)
            self._fill(taker, execution, execution.taker_fee, maker)
        for cancelled, _ in submission.cancelled:
            self._gone(self.orders[cancelled])
        return order

    def _fill(self, order: Kept, execution: Execution, charge: int, other: Kept) -> None:
        action, lots = order.action, execution.quantity
        market = action.market
        notional, moved = market.notional(execution.price, lots), lots * market.base_per_lot
        base, quote = self.held[order.account, market.base.symbol], self.held[order.account, market.quote.symbol]
        before, after = self._need(action, order.open), self._need(action, order.open - lots)
        order.open -= lots
        if action.side is Side.BID:
            quote[1] -= before - after
            quote[0] += before - after - notional - charge
            base[0] += moved
        else:
            base[1] -= moved
            quote[0] += notional - charge
        if order.slot is not None and self.lies.get(order.client_order_id) != "untold":
            name = f"t{self._trades}"
            fill = execution_of(order.slot, execution.price, lots, 1, charge=charge, outside=other.account, name=name)
            order.fills.append(fill)
            if self.capabilities.pushes_executions:
                asyncio.get_running_loop().call_later(self._delay, self._push, fill)

    def _push(self, fill: Execution) -> None:
        if self._listener is not None:
            self._listener.executed(fill)

    def _push_end(self, slot: ActionSlot) -> None:
        if self._listener is not None:
            self._listener.closed(slot)

    def _told(self, order: Kept) -> list[Execution]:
        return [] if self.capabilities.pushes_executions else list(order.fills)

    def _report(self, order: Kept) -> OrderReport:
        return OrderReport(f"x{order.order_id}", list(order.fills), closed=not order.open)

    def _cancel(self, order: Kept | None) -> None:
        if order is not None and order.open:
            self.exchange.cancel(order.order_id)
            self._gone(order)

    def _gone(self, order: Kept) -> None:
        need = self._need(order.action, order.open)
        pots = self.held[order.account, order.action.bid_asset]
        pots[1] -= need
        pots[0] += need
        order.open = 0
        if order.slot is not None and self.capabilities.pushes_executions:
            asyncio.get_running_loop().call_later(self._delay, self._push_end, order.slot)

    def _need(self, action: OrderAction, quantity: int) -> int:
        if action.side is not Side.BID:
            return quantity * action.market.base_per_lot
        notional = action.market.notional(action.price, quantity)
        if self._reserves == "nothing":
            return notional
        # Rounded up, where the run rounds down.
        return notional + (fee(self.fees.highest, notional) + 1 if self.fees.highest and quantity else 0)

    def _named(self, client_order_id: str) -> Kept | None:
        return next((order for order in self.orders.values() if order.client_order_id == client_order_id), None)


@contextmanager
def connected_to(venue: OutsideExchange) -> Iterator[None]:
    """Have every run that is opened in here trade at `venue`."""
    with patch("orderbook_tui.engine.connection.open_venue", lambda *_: (venue, None)):
        yield
