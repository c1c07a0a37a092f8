"""A counterparty that speaks FIX: it matches orders at their price, and misbehaves as a test tells it to."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from fixcore.application import Application
from fixcore.log.base import Log, LogFactory
from fixcore.message.message import Message
from fixcore.session.session_id import SessionID
from fixcore.session.session_settings import SessionSettings
from fixcore.store.factory import MemoryStoreFactory
from fixcore.transport.acceptor import SocketAcceptor

Fields = dict[int, str]


class Order:
    """An order as the exchange has it."""

    def __init__(self, sid: SessionID, fields: Fields, number: int) -> None:
        self.sid, self.fields = sid, fields
        self.id = f"X{number}"
        self.quantity = self.left = Decimal(fields[38])
        self.price = Decimal(fields[44])
        self.paid = Decimal(0)
        self.status = "0"

    @property
    def name(self) -> str:
        return self.fields[11]

    @property
    def is_buy(self) -> bool:
        return self.fields[54] == "1"


class _Quiet(Log, LogFactory):
    def create(self, session_id: SessionID) -> Log:
        return self

    def on_incoming(self, message: str) -> None:
        pass

    def on_outgoing(self, message: str) -> None:
        pass

    def on_event(self, text: str) -> None:
        pass


class Exchange(Application):
    """`tricks` says, by the how manieth NewOrderSingle (from 0), what goes wrong with it; see `_new`."""

    def __init__(self, version: str, tricks: dict[int, str]) -> None:
        self.version, self.tricks = version, tricks
        self.is_42 = version == "FIX.4.2"
        self.orders: dict[str, Order] = {}
        self.placed: Counter[str] = Counter()
        """How often each ClOrdID was placed."""
        self.got: list[tuple[str, Fields]] = []
        """Every application message."""
        self.logons: list[Fields] = []
        self.admin: list[str] = []
        """The kinds of all session messages."""
        self.silent: set[str] = set()
        """Kinds of messages that nobody answers."""
        self.lists: set[str] = set()
        """How it answers OrderMassStatusRequest otherwise; see `_list`."""
        self.is_book = True
        """Whether orders trade with each other."""
        self.twice = False
        self.fee = ""
        self.hold: list[Order] = []
        """Orders that are accepted when a test says so."""
        self.acceptor: Any = None
        self._seen = 0
        self._executions = 0
        self._outbox: asyncio.Queue[tuple[SessionID, Message | None]] = asyncio.Queue()
        self._sender: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        return int(self.acceptor._server.sockets[0].getsockname()[1])

    async def send_all(self) -> None:
        while True:
            sid, message = await self._outbox.get()
            session = self.acceptor.sessions[sid]
            if message is None:
                await session.disconnect()
            else:
                with contextlib.suppress(OSError):  # it has its number, and will be asked for again
                    await session._send_message(message, is_admin=False)

    def from_admin(self, message: Message, session_id: SessionID) -> None:
        self.admin.append(message.msg_type)
        if message.msg_type == "A":
            self.logons.append(dict(message.header._fields) | dict(message.body))

    def from_app(self, message: Message, session_id: SessionID) -> None:
        fields = dict(message.body)
        kind = message.msg_type
        self.got.append((kind, fields))
        if kind in self.silent:
            return
        if kind == "D":
            self._new(session_id, fields, message.header.get(34))
        elif kind == "F":
            self._cancel(session_id, fields)
        elif kind == "H":
            self._status(session_id, fields)
        elif kind == "AF":
            self._list(session_id, fields, message.header.get(34))

    def _new(self, sid: SessionID, fields: Fields, number: str) -> None:
        trick = self.tricks.get(self._seen, "")
        self._seen += 1
        if trick == "never came":
            return
        if trick == "cut before it came":
            self.cut(sid)
            return
        if trick == "session reject":
            self.send(sid, "3", {45: number, 58: "required tag missing"})
            return
        if trick == "business reject":
            self.send(sid, "j", {45: number, 372: "D", 380: "3", 58: "no orders of that kind"})
            return
        if trick == "not now":
            self.send(sid, "j", {45: number, 372: "D", 380: "4", 58: "application not available"})
            return
        self.placed[fields[11]] += 1
        order = Order(sid, fields, len(self.orders))
        if trick == "rejected" or fields[11] in self.orders:
            order.status = "8"
            code = "6" if fields[11] in self.orders else "3"
            self.orders.setdefault(fields[11], order)
            self.report(order, "8", {103: code, 58: "no such luck"})
            return
        self.orders[fields[11]] = order
        if trick == "accepted in silence":
            self._match(order, quietly=True)
            return
        if trick == "cut after it came":
            self.cut(sid)
        if trick == "fill before ack":
            self._match(order)
            self.report(order, "0", {39: "0"})
            return
        if trick == "late":
            self.hold.append(order)
            return
        if trick == "pending first":
            self.report(order, "A", {39: "A"})
        self.report(order, "0")
        if trick == "gone afterwards":
            order.status, order.left = "4", Decimal(0)
        self._match(order)

    def release(self) -> None:
        """Accept what is held."""
        while self.hold:
            order = self.hold.pop(0)
            self.report(order, "0")
            self._match(order)

    def _match(self, order: Order, *, quietly: bool = False) -> None:
        for other in list(self.orders.values()) if self.is_book else ():
            crosses = other.price <= order.price if order.is_buy else other.price >= order.price
            if other.is_buy == order.is_buy or other.fields[55] != order.fields[55] or not crosses or other.status not in "01":
                continue
            quantity = min(order.left, other.left)
            if quantity <= 0:
                continue
            for each, contra in ((other, order), (order, other)):
                each.left -= quantity
                each.paid += quantity * other.price
                each.status = "1" if each.left else "2"
                if not (quietly and each is order):
                    self.filled(each, contra, quantity, other.price)

    def filled(self, order: Order, contra: Order, quantity: Decimal, price: Decimal) -> None:
        kind = order.status if self.is_42 else "F"
        extra = {31: f"{price:f}", 32: f"{quantity:f}", 382: "1", 375: contra.fields.get(1, "")}
        if self.fee:
            extra |= {12: self.fee, 13: "3"}
        self.report(order, kind, extra)

    def _cancel(self, sid: SessionID, fields: Fields) -> None:
        order = self.orders.get(fields[41])
        if order is None or order.status not in "01":
            status = "8" if order is None else order.status
            code = "1" if order is None else "0"
            self.send(sid, "9", {37: "NONE", 11: fields[11], 41: fields[41], 39: status, 434: "1", 102: code})
            return
        order.left, order.status = Decimal(0), "4"
        self.report(order, "4", {11: fields[11], 41: fields[41]})

    def _status(self, sid: SessionID, fields: Fields) -> None:
        asked = {20: "3"} if self.is_42 else {}
        order = self.orders.get(fields[11])
        if order is None:
            unknown = {37: "NONE", 11: fields[11], 17: "0", 150: "8" if self.is_42 else "I", 39: "8", 103: "5", 14: "0", 6: "0"}
            self.send(sid, "8", unknown | asked)
        else:
            self.report(order, order.status if self.is_42 else "I", asked)

    def _list(self, sid: SessionID, fields: Fields, number: str) -> None:
        asked = {584: fields[584]}
        if "cut" in self.lists:
            self.lists.discard("cut")
            self.cut(sid)
            return
        if "session reject" in self.lists:
            self.send(sid, "3", {45: number, 58: "unsupported message type"})
            return
        if "business reject" in self.lists:
            self.send(sid, "j", {372: "AF", 379: fields[584], 380: "3", 58: "no messages of that kind"})
            return
        nothing = {37: "NONE", 17: "0", 150: "I", 39: "8", 55: "[N/A]", 54: "7", 14: "0", 151: "0", 6: "0"} | asked
        if "refused" in self.lists:
            self.send(sid, "8", nothing | {103: "15", 58: "no such account"})
            return
        found = [
            order
            for order in self.orders.values()
            if (order.status in "01" or "of the day" in self.lists)
            and (fields.get(1) in (None, order.fields.get(1)) or "all accounts" in self.lists)
        ]
        if not found:
            self.send(sid, "8", nothing | ({103: "5"} if "no numbers" in self.lists else {911: "0"}))
        for place, order in enumerate(found, 1):
            more = {} if "no numbers" in self.lists else {911: str(len(found))}
            if "no end" not in self.lists:
                more |= {912: "Y" if place == len(found) else "N"}
            if "no accounts" not in self.lists:
                more |= {1: order.fields[1]}
            self.report(order, "I", asked | more)

    def report(self, order: Order, kind: str, extra: Fields | None = None) -> None:
        """Send an ExecutionReport."""
        self._executions += 1
        done = order.quantity - order.left if order.status != "4" else order.paid / order.price
        fields = {
            37: order.id,
            11: order.name,
            17: f"E{self._executions}",
            150: kind,
            39: order.status,
            55: order.fields[55],
            54: order.fields[54],
            14: f"{done:f}",
            151: f"{order.left:f}",
            60: "20260101-00:00:00",
            6: f"{order.paid / done:f}" if done else "0",
            **({20: "0"} if self.is_42 else {}),
        }
        for _ in range(2 if self.twice else 1):
            self.send(order.sid, "8", fields | (extra or {}))

    def send(self, sid: SessionID, kind: str, fields: Fields) -> None:
        message = Message()
        message.header.set(35, kind)
        for tag, value in fields.items():
            message.set_field(tag, value)
        self._outbox.put_nowait((sid, message))

    def cut(self, sid: SessionID) -> None:
        """End the connection, before anything more is sent."""
        self._outbox.put_nowait((sid, None))

    def cut_all(self) -> None:
        for sid in self.acceptor.sessions:
            self.cut(sid)


@asynccontextmanager
async def serving(
    version: str = "FIX.4.4", tricks: dict[int, str] | None = None, names: tuple[str, ...] = ("TRADER",), port: int = 0
) -> AsyncIterator[Exchange]:
    """Serve on a free port as EXCHANGE, to counterparties of these names."""
    exchange = Exchange(version, tricks or {})
    settings = SessionSettings()
    for name in names:
        settings.set_session(
            SessionID(version, "EXCHANGE", name),
            {"ConnectionType": "acceptor", "SocketAcceptHost": "127.0.0.1", "SocketAcceptPort": str(port)},
        )
    exchange.acceptor = SocketAcceptor(settings, exchange, MemoryStoreFactory(), _Quiet())
    sender = asyncio.create_task(exchange.send_all())
    await exchange.acceptor.start()
    try:
        yield exchange
    finally:
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        await exchange.acceptor.stop()
