"""The FIX face of the served exchange: an acceptor of FIX 4.2 and 4.4 sessions.

    NewOrderSingle (D)      Account, ClOrdID, Symbol, Side, OrderQty, Price; OrdType 2; TimeInForce 1, 3 or 4;
                            ExecInst 6 is post-only; tag 20001 names the only account to trade with
    OrderCancelRequest (F)  OrigClOrdID, ClOrdID
    OrderStatusRequest (H)  ClOrdID
    OrderMassStatusRequest (AF), in FIX 4.4
                            MassStatusReqID, MassStatusReqType 7: the open orders of Account, however they came, or, where
                            none is named, those that came over the session

Whoever may log on acts for every account. An order belongs to the session that it came over: there everything that happens
to it is reported, in order and once, at the next logon where the session is not there.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Final, TypeVar

import apsw
from fixcore.application import Application
from fixcore.message.message import Message
from fixcore.session.session import Session
from fixcore.session.session_id import SessionID
from fixcore.session.session_settings import SessionSettings
from fixcore.store.base import MessageStore
from fixcore.store.factory import StoreFactory

from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.market import Account
from orderbook_tui.core.money import decimal
from orderbook_tui.errors import AmountError, ConfigError, Problem, StorageError
from orderbook_tui.serving import fix_messages as say
from orderbook_tui.serving.fix_session import Acceptor, Silent
from orderbook_tui.serving.fix_store import SessionStore
from orderbook_tui.serving.keys import KeyRing
from orderbook_tui.serving.orders import Event, EventKind, NewOrder, Reason, Refusal, ServedOrder, Status
from orderbook_tui.serving.served import ServedExchange

COMP_ID: Final = "EXCHANGE"
"""What we are called."""
USUAL_CLIENT: Final = "TRADER"
VERSIONS: Final = ("FIX.4.2", "FIX.4.4")

_LONGEST_GOODBYE_S: Final = 2.0
_MISSING, _WRONG_VALUE, _WRONG_FORMAT = 1, 5, 6
_SIDES: Final = {"1": Side.BID, "2": Side.ASK}
# Books never close here: an order for the day is one until cancelled.
_TIMES: Final = {"": TimeInForce.GTC, "0": TimeInForce.GTC, "1": TimeInForce.GTC, "3": TimeInForce.IOC, "4": TimeInForce.FOK}
_ALL_ORDERS: Final = {"7": "all orders"}
_is_number = re.compile(r"-?[0-9]{1,40}(\.[0-9]{0,40})?").fullmatch
_is_id = re.compile(r"[!-~]{1,128}").fullmatch
_is_comp_id = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch

_T = TypeVar("_T")


class _Malformed(Exception):
    """A field that is missing or makes no sense."""

    def __init__(self, tag: int, reason: int, text: str) -> None:
        super().__init__(tag, reason, text)
        self.tag, self.reason, self.text = tag, reason, text


class _Outbox:
    """What a session is still to be told, oldest first: events, and answers."""

    def __init__(self, version: str, store: SessionStore) -> None:
        self.version, self.store = version, store
        self.waiting: deque[Event | Message] = deque()
        self.news = asyncio.Event()
        self.sending: Message | None = None
        self.task: asyncio.Task[None] | None = None
        self.is_welcome = True
        """Whether its logon showed that it may trade."""
        self.orders: dict[str, ServedOrder] = {}
        """Its orders by client order id; of two accounts' that share one, the later."""

    def put(self, item: Event | Message) -> None:
        self.waiting.append(item)
        self.news.set()

    def sent(self, message: Message) -> None:
        """Note that `message` is about to get its number, if it is the one being sent: it is resent, not made again."""
        if message is self.sending:
            self.sending = None
            item = self.waiting.popleft()
            if isinstance(item, Event):
                self.store.reported = item.seq

    async def send_to(self, session: Session) -> None:
        """Send everything, as it comes, until the session is gone."""
        with suppress(ConnectionError, RuntimeError, StorageError):
            while True:
                while self.waiting:
                    item = self.waiting[0]
                    self.sending = say.event_report(item, self.version) if isinstance(item, Event) else item
                    await session.send_app(self.sending)
                self.news.clear()
                await self.news.wait()


class FixAcceptor(Application, StoreFactory):
    """The sessions of all clients, on one port."""

    def __init__(
        self,
        exchange: ServedExchange,
        keys: KeyRing,
        on_fatal: Callable[[Exception], None],
        *,
        host: str,
        port: int,
        clients: tuple[str, ...] = (),
    ) -> None:
        """Prepare a session of either version for TRADER and each of `clients`.

        Raises:
            ConfigError: a client cannot be called so.
        """
        for client in clients:
            if not _is_comp_id(client):
                raise ConfigError([Problem("--fix-comp-id", f"{client} is no CompID: letters, digits, . _ and -")])
        # What it logs would reach stderr, where nobody has said where logs go.
        logging.getLogger("fixcore").propagate = False
        logging.getLogger("fixcore").addHandler(logging.NullHandler())
        self._exchange, self._keys, self._on_fatal = exchange, keys, on_fatal
        self._db = apsw.Connection(":memory:") if exchange.store is None else exchange.store.connection
        self._outboxes: dict[str, _Outbox] = {}
        settings = SessionSettings()
        for key, value in {
            "ConnectionType": "acceptor", "SocketAcceptHost": host, "SocketAcceptPort": str(port), "HeartBtInt": "30",
        }.items():  # fmt: skip
            settings.set_default(key, value)
        for version in VERSIONS:
            for client in dict.fromkeys((USUAL_CLIENT, *clients)):
                settings.set_session(SessionID(version, COMP_ID, client), {})
        self._acceptor = Acceptor(settings, self, self, Silent())
        for event in exchange.ledger.events:
            self._file(event, only_new=True)
        exchange.listeners.append(self._listen)

    async def start(self) -> int:
        """Listen, and return the port.

        Raises:
            OSError: the port cannot be listened on.
        """
        await self._acceptor.start()
        server = self._acceptor._server  # the library does not say which port it got
        assert server is not None
        return int(server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Log everybody out and close."""
        for session in self._acceptor.sessions.values():
            with suppress(ConnectionError, RuntimeError, StorageError, TimeoutError):
                await asyncio.wait_for(session.send_logout("the exchange is ending"), _LONGEST_GOODBYE_S)
        with suppress(TimeoutError):  # who does not read does not let us finish writing
            await asyncio.wait_for(self._acceptor.stop(), _LONGEST_GOODBYE_S)
        for outbox in self._outboxes.values():
            if outbox.task is not None:
                outbox.task.cancel()
                await asyncio.gather(outbox.task, return_exceptions=True)
            with suppress(StorageError):
                outbox.store.save()

    def create(self, session_id: SessionID) -> MessageStore:
        """Return the memory of a session, for the library."""
        name = _name(session_id)
        store = SessionStore(self._db, name, self._on_fatal)
        self._outboxes[name] = _Outbox(session_id.begin_string, store)
        return store

    def from_admin(self, message: Message, session_id: SessionID) -> None:
        if message.msg_type == "A":
            self._outboxes[_name(session_id)].is_welcome = self._keys.opens_session(message.get(554) or message.get(96))

    def on_logon(self, session_id: SessionID) -> None:
        outbox, session = self._outboxes[_name(session_id)], self._acceptor.sessions[session_id]
        if outbox.is_welcome:
            outbox.task = asyncio.create_task(outbox.send_to(session))
        else:
            outbox.task = asyncio.create_task(session.send_logout("the operator's key is wanted as Password or RawData"))

    def on_logout(self, session_id: SessionID) -> None:
        outbox = self._outboxes[_name(session_id)]
        if outbox.task is not None:
            outbox.task.cancel()
            outbox.task = None

    def to_app(self, message: Message, session_id: SessionID) -> None:
        self._outboxes[_name(session_id)].sent(message)

    def from_app(self, message: Message, session_id: SessionID) -> None:
        """Do what a client asks for."""
        name = _name(session_id)
        outbox = self._outboxes[name]
        if self._exchange.failed or not outbox.is_welcome:
            return
        handler = {"D": self._place, "F": self._cancel, "H": self._status, "AF": self._list}.get(message.msg_type)
        if handler is None or (message.msg_type == "AF" and outbox.version == say.FIX42):
            outbox.put(say.business_reject(message))
            return
        try:
            handler(message, name, outbox)
        except _Malformed as wrong:
            outbox.put(say.reject(message, wrong.tag, wrong.reason, wrong.text))
        except StorageError as error:
            self._on_fatal(error)

    def _place(self, message: Message, name: str, outbox: _Outbox) -> None:
        client_order_id = _id(message)
        wanted = _field(message, 1), _field(message, 55)
        side, price, quantity = _choice(message, 54, _SIDES), _number(message, 44), _number(message, 38)
        time_in_force = _choice(message, 59, _TIMES)
        if "6" in message.get(18).split():
            time_in_force = TimeInForce.POST_ONLY
        is_again = "Y" in (message.get(43), message.get(97))
        try:
            if _field(message, 40) != "2":
                raise Refusal("unsupported", "only limit orders (OrdType 2) are taken")
            account = self._account(wanted[0])
            counterparty = message.get(say.COUNTERPARTY) or None
            new = self._exchange.new_order(
                account, client_order_id, wanted[1], side, price, quantity, time_in_force, counterparty, name
            )
            order, is_new = self._exchange.place(new)
            if not is_new and not is_again:
                raise Refusal("duplicate_client_order_id", f"{client_order_id} is an order already")
        except Refusal as refusal:
            outbox.put(say.rejection(message, refusal, outbox.version))
            return
        # Sent again because we asked for it, it was reported, or will be; sent again by the client, it wants to know.
        if not is_new and message.get(97) == "Y":
            outbox.put(say.status_report(order, outbox.version))

    def _cancel(self, message: Message, name: str, outbox: _Outbox) -> None:
        order, request_id = self._found(message, 41, outbox), _id(message)
        if order is None or not self._exchange.cancel(order, Reason.REQUESTED, request_id):
            outbox.put(say.cancel_reject(message, order))
        elif order.new.via != name:
            outbox.put(say.event_report(self._exchange.ledger.events[-1], outbox.version))

    def _status(self, message: Message, name: str, outbox: _Outbox) -> None:
        order = self._found(message, 11, outbox)
        known = say.unknown_order(message, outbox.version) if order is None else say.status_report(order, outbox.version)
        outbox.put(known)

    def _list(self, message: Message, name: str, outbox: _Outbox) -> None:
        _field(message, 584)
        _choice(message, 585, _ALL_ORDERS)
        account = message.get(1)
        try:
            of = [self._account(account).id] if account else list(self._exchange.accounts)
        except Refusal as refusal:
            outbox.put(say.list_rejection(message, refusal, outbox.version))
            return
        orders = (order for owner in of for order in self._exchange.ledger.orders(owner))
        found = [order for order in orders if order.status is Status.OPEN and (account or order.new.via == name)]
        for report in say.listed(message, found, outbox.version):
            outbox.put(report)

    def _found(self, message: Message, tag: int, outbox: _Outbox) -> ServedOrder | None:
        """Return the order that `tag` names: the account's, or the session's where no account is named."""
        client_order_id, account = _field(message, tag), message.get(1)
        if not account:
            return outbox.orders.get(client_order_id)
        owner = self._exchange.account(account)
        return None if owner is None else self._exchange.ledger.order(owner.id, client_order_id)

    def _account(self, name_or_id: str) -> Account:
        account = self._exchange.account(name_or_id)
        if account is None:
            raise Refusal("unknown_account", f"there is no account {name_or_id[:64]}")
        return account

    def _listen(self, events: list[Event]) -> None:
        for event in events:
            self._file(event)

    def _file(self, event: Event, *, only_new: bool = False) -> None:
        """Put an event where it is to be reported; with `only_new` unless it was."""
        new: NewOrder = event.order.new
        outbox = self._outboxes.get(new.via) if new.via else None
        if outbox is None:
            return
        if event.kind is EventKind.ACCEPTED:
            outbox.orders[new.client_order_id] = event.order
        if not only_new or event.seq > outbox.store.reported:
            outbox.put(event)


def _name(session_id: SessionID) -> str:
    return f"{session_id.begin_string}:{session_id.target_comp_id}"


def _field(message: Message, tag: int) -> str:
    text: str = message.get(tag)
    if not text:
        raise _Malformed(tag, _MISSING, f"required tag missing: {tag}")
    return text


def _id(message: Message) -> str:
    text = _field(message, 11)
    if not _is_id(text):
        raise _Malformed(11, _WRONG_FORMAT, "ClOrdID is 1 to 128 visible ASCII characters")
    return text


def _number(message: Message, tag: int) -> Decimal:
    text = _field(message, tag)
    if not _is_number(text):
        raise _Malformed(tag, _WRONG_FORMAT, f"tag {tag} is no number")
    try:
        return decimal(text)
    except AmountError as error:
        raise _Malformed(tag, _WRONG_FORMAT, str(error)) from None


def _choice(message: Message, tag: int, choices: dict[str, _T]) -> _T:
    text = message.get(tag)
    if text not in choices:
        raise _Malformed(tag, _WRONG_VALUE if text else _MISSING, f"tag {tag} is one of {', '.join(filter(None, choices))}")
    return choices[text]
