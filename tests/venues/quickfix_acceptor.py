"""A counterparty of QuickFIX, the C++ engine, with a small exchange behind it: a process that ends when its stdin does.

    python -m tests.venues.quickfix_acceptor PORT SPECS FOLDER [--funds AMOUNT] [--fees MAKER TAKER] [--like-ordermatch]

TRADER and RUNNER may log on, with FIX 4.2 and 4.4. Every account begins with as much of every asset as `--funds` says. A line
of JSON on stdin, such as ["orders", "alice"] or ["balances", "alice"], is answered by one on stdout.

`--like-ordermatch` has the habits of QuickFIX's own example: orders for the day only, no status, the ClOrdID of the order in
the report of a cancel, silence on the cancel of an order that is not there.
"""

import argparse
import json
import sys
import threading
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import quickfix as fix

SETTINGS = """[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort={port}
SocketReuseAddress=Y
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt=30
UseDataDictionary=Y
ValidateUserDefinedFields=N
FileStorePath={folder}
"""
SESSION = """[SESSION]
BeginString={version}
DataDictionary={specs}/{dictionary}.xml
SenderCompID=EXCHANGE
TargetCompID={trader}
"""
VERSIONS, TRADERS = ("FIX.4.2", "FIX.4.4"), ("TRADER", "RUNNER")
BASE, QUOTE = "BTC", "USD"
COUNTERPARTY = 20001
"""The tag in which an order names the only account that it trades with."""
BUY = "1"
NEW, PART, FILLED, CANCELLED, REFUSED = "0", "1", "2", "4", "8"
UNKNOWN_ORDER, DUPLICATE, TOO_MUCH, OTHER = "5", "6", "3", "99"


class Refusal(Exception):
    """Why an order is not taken: OrdRejReason, and words."""


@dataclass(eq=False)
class Order:
    """A limit order, and how it stands."""

    number: int
    session: Any
    name: str
    account: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    lives: str
    only: str
    filled: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    status: str = NEW

    @property
    def is_open(self) -> bool:
        return self.status in (NEW, PART)

    @property
    def left(self) -> Decimal:
        """What may still be filled."""
        return self.quantity - self.filled if self.is_open else Decimal(0)

    def meets(self, other: "Order") -> bool:
        """Whether this order trades with one that rests."""
        if not other.is_open or other.symbol != self.symbol or other.side == self.side or other.account == self.account:
            return False
        if self.only not in ("", other.account) or other.only not in ("", self.account):
            return False
        return other.price <= self.price if self.side == BUY else other.price >= self.price


class Exchange(fix.Application):  # type: ignore[misc]
    """Matches limit orders by price and time, keeps what accounts have, and reports."""

    def __init__(self, funds: Decimal, maker: Decimal, taker: Decimal, *, like_ordermatch: bool) -> None:
        super().__init__()
        self.maker, self.taker, self.like_ordermatch = maker, taker, like_ordermatch
        self.orders: dict[str, Order] = {}
        self.funds: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: funds)
        self.reports = 0
        self.lock = threading.Lock()

    def onCreate(self, session: Any) -> None: ...  # noqa: N802
    def onLogon(self, session: Any) -> None: ...  # noqa: N802
    def onLogout(self, session: Any) -> None: ...  # noqa: N802
    def toAdmin(self, message: Any, session: Any) -> None: ...  # noqa: N802
    def fromAdmin(self, message: Any, session: Any) -> None: ...  # noqa: N802
    def toApp(self, message: Any, session: Any) -> None: ...  # noqa: N802

    def fromApp(self, message: Any, session: Any) -> None:  # noqa: N802
        kind = message.getHeader().getField(35)
        answers = {"D": self._place, "F": self._cancel} | ({} if self.like_ordermatch else {"H": self._status})
        if kind not in answers:
            raise fix.UnsupportedMessageType
        with self.lock:
            answers[kind](message, session)

    def told(self, what: str, account: str) -> dict[str, list[str]]:
        """Say which orders an account has, with their status and what is filled; or what is available and locked."""
        with self.lock:
            mine = [order for order in self.orders.values() if order.account == account]
            if what == "orders":
                words = {FILLED: "filled", CANCELLED: "cancelled"}
                return {order.name: [words.get(order.status, "open"), str(order.filled)] for order in mine}
            locked = {asset: self._locked(account, asset) for asset in (BASE, QUOTE)}
            return {asset: [str(self.funds[account, asset] - locked[asset]), str(locked[asset])] for asset in locked}

    def _place(self, message: Any, session: Any) -> None:
        def said(tag: int, otherwise: str = "") -> str:
            return str(message.getField(tag)) if message.isSetField(tag) else otherwise

        price, quantity = Decimal(said(44)), Decimal(said(38))
        named = said(11), said(1), said(55), said(54)
        order = Order(len(self.orders), session, *named, price, quantity, said(59, "0"), said(COUNTERPARTY))
        try:
            self._check(order)
        except Refusal as refused:
            code, words = refused.args
            order.status = REFUSED
            self._report(order, REFUSED, {103: code, 58: words})
            return
        self.orders[order.name] = order
        self._report(order, NEW)
        for other in self._against(order):
            self._trade(order, other)
        if order.is_open and order.lives == "3":
            self._close(order)

    def _check(self, order: Order) -> None:
        if self.like_ordermatch and order.lives != "0":
            raise Refusal(OTHER, "Unsupported TIF")
        if order.name in self.orders:
            raise Refusal(DUPLICATE, "there is an order of this ClOrdID")
        asset, cost = self._cost(order)
        if self.funds[order.account, asset] - self._locked(order.account, asset) < cost:
            raise Refusal(TOO_MUCH, f"not enough {asset}")
        if order.lives == "4" and sum(other.left for other in self._against(order)) < order.quantity:
            raise Refusal(OTHER, "it cannot be filled at once")

    def _against(self, order: Order) -> list[Order]:
        met = [other for other in self.orders.values() if order.meets(other)]
        return sorted(met, key=lambda other: (other.price if order.side == BUY else -other.price, other.number))

    def _cost(self, order: Order) -> tuple[str, Decimal]:
        if order.side == BUY:
            return QUOTE, order.left * order.price * (1 + max(self.maker, self.taker))
        return BASE, order.left

    def _locked(self, account: str, asset: str) -> Decimal:
        costs = [self._cost(order) for order in self.orders.values() if order.account == account and order.is_open]
        return sum((cost for what, cost in costs if what == asset), Decimal(0))

    def _trade(self, taker: Order, maker: Order) -> None:
        quantity = min(taker.left, maker.left)
        if not quantity:
            return
        notional = quantity * maker.price
        for each, other, rate in ((maker, taker, self.maker), (taker, maker, self.taker)):
            fee, sign = notional * rate, 1 if each.side == BUY else -1
            each.filled += quantity
            each.paid += notional
            each.fees += fee
            each.status = FILLED if each.filled == each.quantity else PART
            self.funds[each.account, BASE] += sign * quantity
            self.funds[each.account, QUOTE] -= sign * notional + fee
            fill = {31: f"{maker.price:f}", 32: f"{quantity:f}", 12: f"{fee:f}", 13: "3"}
            self._report(each, each.status if _is_42(each.session) else "F", fill, contra=other.account)

    def _cancel(self, message: Any, session: Any) -> None:
        order, asked = self.orders.get(message.getField(41)), {11: message.getField(11), 41: message.getField(41)}
        if order is not None and order.is_open:
            order.session = session
            self._close(order, {} if self.like_ordermatch else asked)
        elif not self.like_ordermatch:
            status = {37: "NONE", 39: REFUSED, 102: "1"}
            if order is not None:
                status = {37: f"Q{order.number}", 39: order.status, 102: "0"}
            self._send("9", asked | {434: "1"} | status, session)

    def _close(self, order: Order, said: dict[int, str] | None = None) -> None:
        order.status = CANCELLED
        self._report(order, CANCELLED, said)

    def _status(self, message: Any, session: Any) -> None:
        order = self.orders.get(message.getField(11))
        asked = {20: "3"} if _is_42(session) else {}
        if order is not None:
            order.session = session
            charged = {12: f"{order.fees:f}", 13: "3"}
            self._report(order, order.status if _is_42(session) else "I", asked | charged)
            return
        named = message.getField(11), "", message.getField(55), message.getField(54)
        unknown = Order(-1, session, *named, Decimal(0), Decimal(0), "0", "", status=REFUSED)
        self._report(unknown, REFUSED if _is_42(session) else "I", {37: "NONE", 103: UNKNOWN_ORDER} | asked)

    def _report(self, order: Order, kind: str, said: dict[int, str] | None = None, *, contra: str = "") -> None:
        self.reports += 1
        fields = {
            37: f"Q{order.number}",
            11: order.name,
            17: f"E{self.reports}",
            150: kind,
            39: order.status,
            55: order.symbol,
            54: order.side,
            14: f"{order.filled:f}",
            151: f"{order.left:f}",
            6: f"{order.paid / order.filled:.8f}" if order.filled else "0",
            60: f"{datetime.now(UTC):%Y%m%d-%H:%M:%S}",
        }
        self._send("8", fields | ({20: "0"} if _is_42(order.session) else {}) | (said or {}), order.session, contra=contra)

    def _send(self, kind: str, fields: dict[int, str], session: Any, *, contra: str = "") -> None:
        message = fix.Message()
        message.getHeader().setField(35, kind)
        for tag, value in fields.items():
            message.setField(tag, value)
        if contra:
            brokers = fix.Group(382, 375)
            brokers.setField(375, contra)
            message.addGroup(brokers)
        fix.Session.sendToTarget(message, session)


def _is_42(session: Any) -> bool:
    return bool(session.getBeginString().getValue() == "FIX.4.2")


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("specs")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--funds", type=Decimal, default=Decimal("1e12"))
    parser.add_argument("--fees", type=Decimal, nargs=2, default=(Decimal(0), Decimal(0)))
    parser.add_argument("--like-ordermatch", action="store_true")
    told = parser.parse_args()
    text = SETTINGS.format(port=told.port, folder=told.folder)
    for version, trader in product(VERSIONS, TRADERS):
        text += SESSION.format(version=version, specs=told.specs, dictionary=version.replace(".", ""), trader=trader)
    path = told.folder / "acceptor.cfg"
    path.write_text(text)
    settings = fix.SessionSettings(str(path))
    exchange = Exchange(told.funds, *told.fees, like_ordermatch=told.like_ordermatch)
    acceptor = fix.SocketAcceptor(exchange, fix.FileStoreFactory(settings), settings)
    acceptor.start()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(exchange.told(*json.loads(line))), flush=True)
    acceptor.stop()


if __name__ == "__main__":
    main()
