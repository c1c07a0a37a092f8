"""FIX messages of the served exchange: what it says, in the words of FIX 4.2 and 4.4.

ExecutionReport (8)        accepted, traded, cancelled, rejected, how an order stands, or one of a list of open orders
OrderCancelReject (9)      there is nothing to cancel
Reject (3)                 a field is missing or makes no sense
BusinessMessageReject (j)  that is no message for an exchange
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Final

from fixcore.message.message import Message

from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.market import Account
from orderbook_tui.core.money import plain
from orderbook_tui.serving.orders import Event, EventKind, Fill, Refusal, ServedOrder, Status

FIX42: Final = "FIX.4.2"
COUNTERPARTY: Final = 20001
"""Our own tag of a NewOrderSingle: the only account that the order trades with."""

UNKNOWN_ORDER: Final = "5"
_UNKNOWN_ACCOUNT: Final = "15"
_REASONS: Final = {
    "unknown_market": "1",
    "market_not_active": "2",
    "insufficient_funds": "3",
    "duplicate_client_order_id": "6",
}
_OTHER: Final = "0"
_AVERAGE: Final = Context(prec=28)
_SIDES: Final = {Side.BID: "1", Side.ASK: "2"}
_UNDISCLOSED: Final = "7"
_TIMES: Final = {TimeInForce.GTC: "1", TimeInForce.POST_ONLY: "1", TimeInForce.IOC: "3", TimeInForce.FOK: "4"}


def event_report(event: Event, version: str) -> Message:
    """Return what tells the owner of an order of something that happened to it."""
    order = event.order
    if event.fill is not None:
        status = "1" if event.open else "2"
        report = _report(order, version, ("1" if event.open else "2") if version == FIX42 else "F", status, event)
        report[17] = event.fill.execution_id
        _add_fill(report, order, event.fill)
    elif event.kind is EventKind.ACCEPTED:
        report = _report(order, version, "0", "0", event)
        report[17] = f"{order.order_id}-new"
    else:
        report = _report(order, version, "4", "4", event)
        report[17] = f"{order.order_id}-cancelled"
        if event.request_id:
            report[11], report[41] = event.request_id, order.new.client_order_id
        if event.reason is not None:
            report[58] = event.reason.value
    return report


def status_report(order: ServedOrder, version: str) -> Message:
    """Return how an order stands; its commission is that of all fills so far."""
    status = {Status.FILLED: "2", Status.CANCELLED: "4", Status.OPEN: "1" if order.filled else "0"}[order.status]
    report = _report(order, version, "0" if version == FIX42 else "I", status, order)
    if version == FIX42:
        report[20] = "3"
    report[17] = _unique("status")
    _add_commission(report, order, order.fee)
    return report


def rejection(request: Message, refusal: Refusal, version: str) -> Message:
    """Return the refusal of a NewOrderSingle; its text begins with the code."""
    report = _no_order(request, version)
    report[150] = "8"
    report[103] = _REASONS.get(refusal.code, _OTHER)
    report[58] = _text(f"{refusal.code}: {refusal.message}")
    return report


def unknown_order(request: Message, version: str) -> Message:
    """Return the answer to an OrderStatusRequest for an order that there is not."""
    report = _no_order(request, version)
    if version == FIX42:
        report[20] = "3"
    report[150] = "0" if version == FIX42 else "I"
    report[103] = UNKNOWN_ORDER
    report[58] = "unknown_order: there is no such order"
    return report


def listed(request: Message, orders: Sequence[ServedOrder], version: str) -> list[Message]:
    """Return the answer to an OrderMassStatusRequest: a report for each order, or one that says that there is none."""
    reports = [status_report(order, version) for order in orders]
    if not reports:
        reports.append(_no_list(request, version, UNKNOWN_ORDER, "no order is open"))
    for report in reports:
        report[584], report[911], report[912] = request.get(584), str(len(orders)), "N"
    reports[-1][912] = "Y"
    return reports


def list_rejection(request: Message, refusal: Refusal, version: str) -> Message:
    """Return the refusal of an OrderMassStatusRequest for an account that there is not."""
    report = _no_list(request, version, _UNKNOWN_ACCOUNT, f"{refusal.code}: {refusal.message}")
    report[584] = request.get(584)
    return report


def cancel_reject(request: Message, order: ServedOrder | None) -> Message:
    """Return why an order cannot be cancelled: there is none, or nothing of it is open."""
    message = _message("9")
    message[37] = "NONE" if order is None else str(order.order_id)
    message[11], message[41] = request.get(11), request.get(41)
    message[39] = "8" if order is None else {Status.FILLED: "2"}.get(order.status, "4")
    message[434] = "1"
    message[102] = "1" if order is None else "0"
    message[58] = "unknown_order" if order is None else f"already_{order.status.value}"
    return message


def reject(request: Message, tag: int, reason: int, text: str) -> Message:
    """Return the refusal of a message whose field `tag` is not right."""
    message = _message("3")
    message[45] = request.get(34)
    message[371], message[372], message[373], message[58] = str(tag), request.msg_type, str(reason), _text(text)
    return message


def business_reject(request: Message) -> Message:
    """Return the refusal of a message of a type that an exchange does not take."""
    message = _message("j")
    message[45], message[372], message[380] = request.get(34), request.msg_type, "3"
    message[58] = (
        "this exchange takes NewOrderSingle, OrderCancelRequest, OrderStatusRequest and, in FIX 4.4, OrderMassStatusRequest"
    )
    return message


def account_text(account: Account) -> str:
    """Return the account's name, or its id where FIX could not carry the name."""
    return account.name if account.name.isascii() and account.name.isprintable() else account.id


def _report(order: ServedOrder, version: str, kind: str, status: str, then: Event | ServedOrder) -> Message:
    """Return an ExecutionReport on an order that stands as `then` says."""
    action, market = order.new.action, order.new.action.market
    report = _message("8")
    report[37], report[11], report[17] = str(order.order_id), order.new.client_order_id, ""
    if version == FIX42:
        report[20] = "0"
    report[150], report[39] = kind, status
    report[1], report[55], report[54] = account_text(order.new.account), market.symbol, _SIDES[action.side]
    report[38], report[40] = f"{market.quantity(action.quantity):f}", "2"
    report[44], report[59] = f"{market.price(action.price):f}", _TIMES[action.time_in_force]
    if action.time_in_force is TimeInForce.POST_ONLY:
        report[18] = "6"
    if order.new.counterparty is not None:
        report[COUNTERPARTY] = account_text(order.new.counterparty)
    report[151], report[14] = f"{market.quantity(then.open):f}", f"{market.quantity(then.filled):f}"
    report[6] = "0" if not then.filled else f"{_average(order, then.notional, then.filled):f}"
    report[60] = _moment(then.at)
    return report


def _add_fill(report: Message, order: ServedOrder, fill: Fill) -> None:
    market = order.new.action.market
    report[31], report[32] = f"{market.price(fill.price):f}", f"{market.quantity(fill.quantity):f}"
    _add_commission(report, order, fill.fee)
    report[382], report[375] = "1", account_text(fill.counterparty)


def _add_commission(report: Message, order: ServedOrder, fee: int) -> None:
    report[12], report[13] = f"{order.new.action.market.quote.amount(fee):f}", "3"


def _no_order(request: Message, version: str) -> Message:
    report = _message("8")
    report[37], report[17] = "NONE", _unique("rejected")
    if version == FIX42:
        report[20] = "0"
    report[150], report[39] = "8", "8"
    for tag in (11, 1, 55, 54, 38, 40, 44):
        if tag in request:
            report[tag] = request[tag]
    report[151], report[14], report[6], report[60] = "0", "0", "0", _moment(time.time_ns())
    return report


def _no_list(request: Message, version: str, reason: str, text: str) -> Message:
    report = _no_order(request, version)
    # A report has a symbol and a side, also where it is about no order.
    report[55], report[54] = "[N/A]", _UNDISCLOSED
    report[150], report[103], report[58] = "I", reason, _text(text)
    return report


def _average(order: ServedOrder, notional: int, filled: int) -> Decimal:
    market = order.new.action.market
    return plain(_AVERAGE.divide(market.quote.amount(notional), market.quantity(filled)))


def _message(kind: str) -> Message:
    message = Message()
    message.header.set(35, kind)
    return message


def _text(text: str) -> str:
    """Return a text that a field can hold."""
    return "".join(each if " " <= each <= "~" else "?" for each in text)[:500]


def _moment(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%d-%H:%M:%S}.{rest // 1_000_000:03d}"


def _unique(what: str) -> str:
    return f"{what}-{time.time_ns()}"
