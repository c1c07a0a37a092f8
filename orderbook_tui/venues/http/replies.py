"""Replies: what the exchange says of an order, in ticks, lots and units. What cannot be read is told, never guessed."""

from decimal import ROUND_HALF_EVEN, Decimal
from time import time_ns
from typing import Any, Final

from orderbook_tui.config.http import FillSpec, Outcome, ReplySpec
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.money import decimal
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import AmountError, OutcomeUnknown
from orderbook_tui.venues.base import Listener, OrderReport
from orderbook_tui.venues.http.client import Reply, Unreadable, shown
from orderbook_tui.venues.http.expressions import compiled
from orderbook_tui.venues.http.values import Accounts
from orderbook_tui.venues.reports import check, execution_of, parsed

LONGEST_ID: Final = 500


class FillReader:
    """Reads single executions."""

    def __init__(self, spec: FillSpec, place: str, accounts: Accounts) -> None:
        self._accounts = accounts
        self._id, self._price, self._quantity, self._fee, self._counterparty = (
            compiled(expression, f"{place}.{key}")
            for key, expression in (
                ("id", spec.id),
                ("price", spec.price),
                ("quantity", spec.quantity),
                ("fee", spec.fee),
                ("counterparty", spec.counterparty),
            )
        )

    def is_settled(self, slot: ActionSlot, tree: Any) -> bool:
        """Whether the slot has the execution already, as it has when the answer to the order told of it first."""
        name = self._id(tree)
        return name is not None and any(fill.id == name for fill in slot.fills)

    def execution(self, slot: ActionSlot, tree: Any) -> Execution:
        """Return an execution of the slot's order.

        Raises:
            AmountError: it can be none.
        """
        price, quantity, charge = parsed(slot, self._price(tree), self._quantity(tree), self._fee(tree))
        check(slot, price, quantity)
        name, who = self._id(tree), text(self._counterparty(tree))
        if name is not None and (name := text(name)) is None:
            raise AmountError(f"slot {slot.sequence}: an execution goes by no id that can be kept")
        outside = self._accounts.id_of(who) if who else slot.action.matching_strategy.account or ""
        kept = shown(name, LONGEST_ID) if name else None
        return execution_of(slot, price, quantity, time_ns(), charge=charge, outside=shown(outside), name=kept)


class ReplyReader:
    """Reads replies about orders, of an exchange that `pushes` executions by itself or does not."""

    def __init__(self, spec: ReplySpec, place: str, accounts: Accounts, *, pushes: bool) -> None:
        self._spec, self._names_orders, self._pushes = spec, spec.order_id is not None, pushes
        (
            self._order_id,
            self._client_order_id,
            self._filled,
            self._notional,
            self._average_price,
            self._fee,
            self._fills,
            self._reason,
        ) = (
            compiled(getattr(spec, key), f"{place}.{key}")
            for key in ("order_id", "client_order_id", "filled", "notional", "average_price", "fee", "fills", "reason")
        )
        self._fill = FillReader(spec.fill, f"{place}.fill", accounts)

    def order_id(self, reply: Reply, name: str) -> str:
        """Return what the exchange calls the order that we call `name`; empty where it does not say.

        Raises:
            OutcomeUnknown: the reply is about another order.
        """
        tree = None if isinstance(reply.tree, Unreadable) else reply.tree
        theirs = text(self._client_order_id(tree))
        if theirs is not None and theirs != name:
            raise OutcomeUnknown(f"the exchange answers about order {shown(theirs, 100)}, asked about {name}")
        return (text(self._order_id(tree)) or "") if self._names_orders else name

    def reason(self, reply: Reply) -> str:
        """Return the exchange's own words about why it refused, as they may be shown."""
        found = None if isinstance(reply.tree, Unreadable) else self._reason(reply.tree)
        return f"{reply.status}: {reply.words(found if isinstance(found, str) else '')}"

    def explain(self, reply: Reply) -> dict[str, tuple[str, Any]]:
        """Return what each expression gives for a reply, beside the expression."""
        tree = None if isinstance(reply.tree, Unreadable) else reply.tree
        keys = ("order_id", "client_order_id", "filled", "notional", "average_price", "fee", "fills", "reason")
        return {
            key: (expression, getattr(self, f"_{key}")(tree))
            for key in keys
            if (expression := getattr(self._spec, key)) is not None
        }

    def report(self, slot: ActionSlot, reply: Reply, outcome: Outcome, order_id: str, listener: Listener | None) -> OrderReport:
        """Return what a reply says of the slot's order. Executions that cannot be settled are told to the listener."""
        tree = None if isinstance(reply.tree, Unreadable) else reply.tree
        executions = []
        listed = self._fills(tree)
        for each in listed if isinstance(listed, list) else ():
            try:
                executions.append(self._fill.execution(slot, each))
            except AmountError as error:
                if listener is not None:
                    listener.stray(shown(f"slot {slot.sequence}, order {shown(order_id, 100)}: {error}"), slot)
        found = OrderReport(shown(order_id, LONGEST_ID), executions, closed=outcome in ("filled", "cancelled", "refused"))
        try:
            if found.closed or not self._pushes:  # totals of an open order are behind what is pushed, or ahead of it
                self._total(slot, tree, found)
        except AmountError as error:
            if listener is not None:
                listener.stray(shown(f"slot {slot.sequence}, order {shown(order_id, 100)}: {error}"), slot)
        if outcome == "filled" and found.filled is None:
            found.filled = slot.action.quantity
        return found

    def _total(self, slot: ActionSlot, tree: Any, found: OrderReport) -> None:
        market = slot.action.market
        filled = self._filled(tree)
        if filled is None:
            return
        lots = market.quantity_lots(_number(filled))
        notional, average, charge = self._notional(tree), self._average_price(tree), self._fee(tree)
        if notional is not None:
            found.notional = market.quote.units(_number(notional))
        elif average is not None and lots > 0:
            # An average is rounded already: the nearest sum of whole ticks is what it was made of.
            ticks = (_number(average) / market.tick_size * lots).quantize(Decimal(1), ROUND_HALF_EVEN)
            found.notional = int(ticks) * market.quote_per_tick_lot
        if charge is not None:
            found.fee = market.quote.units(_number(charge))
        found.filled = lots


def text(found: Any) -> str | None:
    """Return an id or a name, which may be written as a number; None for what can be none."""
    if isinstance(found, bool) or not isinstance(found, str | int | Decimal):
        return None
    if isinstance(found, int) and abs(found) >= 10**LONGEST_ID:
        return None
    words = str(found)
    return words if 0 < len(words) <= LONGEST_ID else None


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise AmountError("an amount in the reply is no number")
    return decimal(value)
