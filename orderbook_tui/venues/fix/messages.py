"""What is written into the messages to the exchange, and what is read from its reports."""

import time
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Final

from orderbook_tui.config.fix import FixVenueSpec
from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.market import Account
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import AmountError, Rejected
from orderbook_tui.venues.base import OrderReport
from orderbook_tui.venues.reports import check, execution_of, parsed

Fields = dict[int, str]
Body = Mapping[int, str]

_SIDE: Final = {Side.BID: "1", Side.ASK: "2"}
_ABSOLUTE: Final = "3"
"""CommType: the commission is an amount."""


class Says(Enum):
    """What an ExecutionReport says."""

    RECEIVED = "received, and not accepted yet"
    THERE = "accepted, or what it is now"
    FILL = "an execution"
    CLOSED = "nothing is open of it any more"
    REFUSED = "refused, or not known"
    UNDONE = "an execution is taken back or changed"


class Writer:
    """Writes orders, cancels and questions as a venue wants them."""

    def __init__(self, spec: FixVenueSpec, accounts: Iterable[Account]) -> None:
        self._spec = spec
        self._accounts = {each.id: spec.accounts.get(each.name, spec.accounts.get(each.id, each.name)) for each in accounts}
        self._fixed = {int(tag): value for tag, value in spec.fields.items()}
        self._second = -1
        self._stamp = ""

    def order(self, slot: ActionSlot, quantity: int, name: str) -> Fields:
        """Return the fields of NewOrderSingle.

        Raises:
            Rejected: FIX does not carry the name of an account or market.
        """
        action = slot.action
        spec, market = self._spec, action.market
        fields = {11: name}
        if spec.send_account:
            fields[1] = self._account(slot.account_id)
        # Automated, no broker between.
        fields[21] = "1"
        fields[55] = self._symbol(action)
        fields[54] = _SIDE[action.side]
        fields[60] = self._now()
        fields[38] = f"{market.quantity(quantity):f}"
        fields[40] = "2"
        fields[44] = f"{market.price(action.price):f}"
        lives = action.time_in_force
        fields[59] = "3" if lives is TimeInForce.IOC else "4" if lives is TimeInForce.FOK else self._stays
        if lives is TimeInForce.POST_ONLY:
            fields[18] = "6"
        other = action.matching_strategy.account
        if other is not None and spec.counterparty_tag is not None:
            fields[spec.counterparty_tag] = self._account(other)
        return fields | self._fixed if self._fixed else fields

    def cancel(self, slot: ActionSlot, quantity: int, name: str, own_name: str, order_id: int | str | None) -> Fields:
        """Return the fields of OrderCancelRequest."""
        fields = {11: own_name, 41: name} | self._named(slot, order_id)
        return fields | {60: self._now(), 38: f"{slot.action.market.quantity(quantity):f}"} | self._fixed

    def question(self, slot: ActionSlot, name: str, order_id: int | str | None) -> Fields:
        """Return the fields of OrderStatusRequest."""
        return {11: name} | self._named(slot, order_id) | self._fixed

    def list_question(self, account_id: str, name: str) -> Fields:
        """Return the fields of OrderMassStatusRequest: all orders, of one account where an account can be said."""
        fields = {584: name, 585: "7"}
        if self._spec.send_account:
            fields[1] = self._account(account_id)
        return fields | self._fixed

    def _named(self, slot: ActionSlot, order_id: int | str | None) -> Fields:
        fields = {37: str(order_id)} if order_id not in (None, "") else {}
        if self._spec.send_account:
            fields[1] = self._account(slot.account_id)
        return fields | {55: self._symbol(slot.action), 54: _SIDE[slot.action.side]}

    @property
    def _stays(self) -> str:
        return "1" if self._spec.good_till == "cancel" else "0"

    def _account(self, account_id: str) -> str:
        return _carried(self._accounts.get(account_id, account_id))

    def _symbol(self, action: OrderAction) -> str:
        symbol = action.market.symbol
        return _carried(self._spec.symbols.get(symbol, symbol))

    def _now(self) -> str:
        second, rest = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._second, self._stamp = second, time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(second))
        return f"{self._stamp}.{rest // 1_000_000:03d}"


class Reader:
    """Reads ExecutionReports of a venue."""

    def __init__(self, spec: FixVenueSpec, accounts: Iterable[Account]) -> None:
        self._is_42 = spec.begin_string == "FIX.4.2"
        self._contra = spec.contra_tag
        # "Done for the day" ends an order that was for the day.
        self._closed = frozenset("24C3" if spec.good_till == "day" else "24C")
        self._ids: dict[str, str] = {}
        for account in accounts:
            known_as = spec.accounts.get(account.name, spec.accounts.get(account.id, account.name))
            self._ids |= {known_as: account.id} | {account.name: account.id, account.id: account.id}

    def says(self, body: Body) -> Says:
        """Return what a report says."""
        kind, status = body.get(150, ""), body.get(39, "")
        transaction = body.get(20, "0") if self._is_42 else "0"
        if transaction in ("1", "2") or kind in ("H", "G"):
            return Says.UNDONE
        if kind in ("F", "1", "2") and transaction == "0":
            return Says.FILL
        if status == "8" or kind == "8":
            return Says.REFUSED
        if status in self._closed or kind in self._closed:
            return Says.CLOSED
        if kind in ("A", "6", "E") or (not kind and status in ("A", "6", "E")):
            return Says.RECEIVED
        return Says.THERE

    def is_answer(self, body: Body) -> bool:
        """Whether a report was asked for."""
        return body.get(20) == "3" if self._is_42 else body.get(150) == "I"

    def account(self, known_as: str) -> str | None:
        """Return the id of an account; None where it is none of this run's."""
        return self._ids.get(known_as)

    def execution(self, slot: ActionSlot, body: Body) -> Execution:
        """Return the execution that a report tells of.

        Raises:
            AmountError: it cannot be one of the order's.
        """
        charge = body.get(12, "0")
        if body.get(13, _ABSOLUTE) != _ABSOLUTE:
            raise AmountError(f"slot {slot.sequence}: a commission of type {body[13]} is not understood")
        price, lots, cost = parsed(slot, body.get(31, ""), body.get(32, ""), charge)
        check(slot, price, lots)
        other = body.get(self._contra, "") if self._contra is not None else ""
        who = self._ids.get(other, other) if other else slot.action.matching_strategy.account or ""
        return execution_of(slot, price, lots, time.time_ns(), charge=cost, outside=who, name=self.execution_id(body))

    def execution_id(self, body: Body) -> str | None:
        """Return what tells an execution from all others: an ExecID is unique for a day."""
        name = body.get(17, "")
        return f"{name}@{body[60][:8]}" if name and body.get(60) else name or None

    def report(self, slot: ActionSlot, body: Body, fallback: str, *, closed: bool) -> OrderReport:
        """Return what a report says of the whole order.

        Raises:
            AmountError: its amounts do not fit the market.
        """
        market = slot.action.market
        notional = None
        total = body.get(14, "")
        filled = market.quantity_lots(Decimal(total)) if is_number(total) else None
        average = body.get(6, "")
        if filled and is_number(average):
            paid = Decimal(total) * Decimal(average)
            # An average is rounded somewhere; where it gives no whole amount, the order's own price stands in.
            units = paid.scaleb(market.quote.precision)
            if units == units.to_integral_value() and int(units) % market.quote_per_tick_lot == 0:
                notional = int(units)
        # In an answer it is what all executions have cost.
        cost = body.get(12, "") if self.is_answer(body) and body.get(13, _ABSOLUTE) == _ABSOLUTE else ""
        fee = market.quote.units(Decimal(cost)) if is_number(cost) else 0
        return OrderReport(body.get(37) or fallback, (), filled=filled, notional=notional, fee=fee, closed=closed)


def reason(body: Body) -> str:
    """Return why an order was refused, in the exchange's words or, where it has none, in those of FIX."""
    code = body.get(103, "")
    return body.get(58) or _REASONS.get(code) or (f"OrdRejReason {code}" if code else "the exchange does not say why")


def is_number(text: str) -> bool:
    """Whether a text is an amount, without a sign."""
    return text.replace(".", "", 1).isdigit() and text.isascii() and len(text) <= 60


def _carried(text: str) -> str:
    if not text or not text.isprintable() or not text.isascii():
        raise Rejected(f"{text!r} cannot be said in FIX: map it to something that can, with venue.accounts or venue.symbols")
    return text


_REASONS: Final = {
    "0": "refused by the exchange",
    "1": "unknown symbol",
    "2": "the exchange is closed",
    "3": "the order exceeds a limit",
    "4": "too late to enter",
    "5": "unknown order",
    "6": "duplicate order",
    "11": "unsupported order characteristic",
    "13": "incorrect quantity",
    "15": "unknown account",
}
