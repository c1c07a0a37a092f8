"""A FIX client on the library's own initiator: what it sends, and every message that it got."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fixcore.application import Application
from fixcore.message.message import Message
from fixcore.session.session import Session
from fixcore.session.session_id import SessionID
from fixcore.session.session_settings import SessionSettings
from fixcore.store.base import MessageStore
from fixcore.store.factory import MemoryStoreFactory, StoreFactory
from fixcore.transport.initiator import SocketInitiator

from orderbook_tui.serving.fix_session import Silent


class FixClient(Application):
    """One session. `got` is every application message and Reject, in order."""

    def __init__(
        self, port: int, version: str, comp_id: str = "TRADER", *, password: str = "", store: StoreFactory | None = None
    ) -> None:
        self.got: list[Message] = []
        self._unread: asyncio.Queue[Message] = asyncio.Queue()
        self._logons: asyncio.Queue[None] = asyncio.Queue()
        self._logged_off = asyncio.Event()
        self._password = password
        settings = SessionSettings()
        self._id = SessionID(version, comp_id, "EXCHANGE")
        settings.set_session(
            self._id,
            {
                "ConnectionType": "initiator",
                "SocketConnectHost": "127.0.0.1",
                "SocketConnectPort": str(port),
                "ReconnectInterval": "1",
                "HeartBtInt": "30",
            },
        )
        self.initiator = SocketInitiator(settings, self, store or MemoryStoreFactory(), Silent())

    @property
    def session(self) -> Session:
        return self.initiator.sessions[self._id]

    def on_logon(self, session_id: SessionID) -> None:
        self._logons.put_nowait(None)
        self._logged_off.clear()

    def on_logout(self, session_id: SessionID) -> None:
        self._logged_off.set()

    def to_admin(self, message: Message, session_id: SessionID) -> None:
        if message.msg_type == "A" and self._password:
            message[554] = self._password

    def from_app(self, message: Message, session_id: SessionID) -> None:
        self.got.append(message)
        self._unread.put_nowait(message)

    def from_admin(self, message: Message, session_id: SessionID) -> None:
        if message.msg_type == "3":
            self.from_app(message, session_id)

    async def logged_on(self) -> None:
        """Wait for its next logon."""
        async with asyncio.timeout(10):
            await self._logons.get()

    async def logged_off(self) -> None:
        """Wait until its session is over."""
        async with asyncio.timeout(10):
            await self._logged_off.wait()

    async def tell(self, kind: str, fields: dict[int, str]) -> None:
        """Send a message."""
        message = Message()
        message.header.set(35, kind)
        for tag, value in fields.items():
            message[tag] = value
        await self.session.send_app(message)

    async def order(self, client_order_id: str, account: str, side: str, quantity: str, price: str, **more: str) -> None:
        """Send a NewOrderSingle for BTC-USD; `more` are further fields, as `t59="3"`."""
        fields = {11: client_order_id, 1: account, 21: "1", 55: "BTC-USD", 54: side, 38: quantity, 40: "2", 44: price}
        fields |= {59: "1", 60: "20260101-00:00:00"} | {int(tag[1:]): value for tag, value in more.items()}
        await self.tell("D", fields)

    async def next(self) -> Message:
        """Return the next message."""
        async with asyncio.timeout(10):
            return await self._unread.get()


class Remembered(StoreFactory):
    """What a client that comes back still knows of its session."""

    def __init__(self) -> None:
        self._store = MemoryStoreFactory().create(SessionID("", "", ""))

    def create(self, session_id: SessionID) -> MessageStore:
        return self._store


@asynccontextmanager
async def fix_client(
    port: int, version: str, comp_id: str = "TRADER", *, password: str = "", store: StoreFactory | None = None
) -> AsyncIterator[FixClient]:
    """Log a client on, and off again at the end."""
    client = FixClient(port, version, comp_id, password=password, store=store)
    session = client.session
    async with client.initiator:
        await client.logged_on()
        yield client
        await session.send_logout()
        await client.logged_off()
