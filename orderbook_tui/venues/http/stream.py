"""Executions as the exchange tells them, over WebSocket: connected again whenever the connection is lost.

    connect -> subscribe (since the last that was seen) -> ask about every open order -> hear
       ^----------------------- wait, longer each time -----------------------------------|

What was missed while nobody listened is found by asking: the fills of a status are told as those of the stream are, and each
counts once.
"""

import asyncio
import random
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from orderbook_tui.config.http import StreamSpec
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import AmountError, ConfigError, OrderError, Problem
from orderbook_tui.venues.http import templates
from orderbook_tui.venues.http.client import LARGEST_REPLY, shown
from orderbook_tui.venues.http.expressions import NotJson, compiled, is_true, read
from orderbook_tui.venues.http.operations import Common
from orderbook_tui.venues.http.replies import FillReader, text
from orderbook_tui.venues.http.signing import Signed
from orderbook_tui.venues.http.templates import Unfit

if TYPE_CHECKING:
    from orderbook_tui.venues.http.venue import HttpVenue

_MOST_UNCLAIMED: Final = 1_000
"""Messages about orders whose ids are not known yet, since the answer to placing them is still under way."""
_MOST_ORDERS: Final = 100_000
_PATIENCE_S: Final = 5.0
"""How long opening waits for the connections."""


class Stream:
    """Listens for the accounts of a run."""

    def __init__(self, spec: StreamSpec, venue: "HttpVenue", common: Common, base_url: URL) -> None:
        self.spec, self.venue, self._common = spec, venue, common
        self._url = templates.text(_url(spec.url, base_url), templates.encoded)
        self._headers = templates.headers(spec.headers)
        self._subscribe = [templates.body(message) for message in spec.subscribe]
        self._sign = templates.text(spec.sign) if spec.sign is not None else None
        self._subscribed, self._is_fill, self._fills, self._name, self._order_id, self._is_closed, self._sequence = (
            compiled(getattr(spec, key), f"venue.stream.{key}")
            for key in ("subscribed", "is_fill", "fills", "client_order_id", "order_id", "is_closed", "sequence")
        )
        self._fill = FillReader(spec.fill, "venue.stream.fill", venue.accounts)
        texts = [spec.url, *spec.headers.values(), *venue.spec.headers.values(), *templates.texts_in(list(spec.subscribe))]
        if venue.spec.signing is not None:
            texts.append(venue.spec.signing.secret)
        self._is_of_account = "account" in templates.names(texts)
        self._tasks: list[asyncio.Task[None]] = []
        self._asking: set[asyncio.Task[None]] = set()
        self._orders: OrderedDict[str, ActionSlot] = OrderedDict()
        """Slots by the exchange's order ids."""
        self._unclaimed: OrderedDict[str, list[Any]] = OrderedDict()
        self.connections = 0
        """How often one was made."""

    async def open(self) -> None:
        """Begin to listen; wait until all connections are there, but not for long."""
        accounts = self.venue.traders()
        if not self._is_of_account:
            accounts = accounts[:1]
        ready = [asyncio.Event() for _ in accounts]
        self._tasks = [
            asyncio.create_task(self._listen(account, event)) for account, event in zip(accounts, ready, strict=True)
        ]
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                for event in ready:
                    await event.wait()

    async def close(self) -> None:
        """Hear nothing more."""
        tasks, self._tasks = [*self._tasks, *self._asking], []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def accepted(self, slot: ActionSlot, order_id: str) -> None:
        """Take note of an order's id; what was told of it before is told once whoever placed it has settled the answer."""
        self._orders[order_id] = slot
        if len(self._orders) > _MOST_ORDERS:
            self._orders.popitem(last=False)
        waiting = self._unclaimed.pop(order_id, None)
        if waiting:
            asyncio.get_running_loop().call_soon(self._claim, waiting)

    def _claim(self, waiting: list[Any]) -> None:
        for message in waiting:
            self._hear(message)

    async def _listen(self, account: str, ready: asyncio.Event) -> None:
        """Keep one connection for as long as the run lasts."""
        spec, wait, since = self.spec, self.spec.reconnect_ms, ""
        while True:
            try:
                async with aclosing(self._connection(account, since, ready)) as connection:
                    async for seen in connection:
                        since, wait = seen, spec.reconnect_ms
            except (aiohttp.WSServerHandshakeError, Unfit, ConfigError) as error:
                self._stray(f"executions cannot be listened to: {error}")
            except (aiohttp.ClientError, OSError, TimeoutError, OrderError, ValueError, RuntimeError):
                pass  # it is tried again; what cannot be placed meanwhile says why
            ready.set()  # nobody waits longer for what does not come
            await asyncio.sleep(wait / 1000 * random.uniform(0.75, 1.25))
            wait = min(2 * wait, spec.most_reconnect_ms)

    async def _connection(self, account: str, since: str, ready: asyncio.Event) -> AsyncGenerator[str, None]:
        """Connect once and hear all that comes; yield the last sequence number whenever something came."""
        spec, client = self.spec, self.venue.client
        values = self.venue.asking_values(account, since)
        url = URL(self._url(values) or "", encoded=True)
        headers = {**self._common.headers(values), **self._headers(values)}
        if self._common.signer is not None:
            _, more, in_query = self._common.signer.sign(values, "GET", url.raw_path, url.raw_query_string, "")
            headers.update(more)
            if in_query:
                url = URL(f"{url}{'&' if url.raw_query_string else '?'}{in_query}", encoded=True)
        async with (
            asyncio.timeout(self.venue.spec.connect_timeout_ms / 1000) as patience,
            client.session.ws_connect(
                url,
                headers=headers,
                heartbeat=spec.ping_ms / 1000 or None,
                max_msg_size=LARGEST_REPLY,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            ) as socket,
        ):
            words_of = Signed(values, "GET", url.raw_path, url.raw_query_string, "")
            if self._sign is not None and self._common.signer is not None:
                words_of.sign(self._common.signer.signature(values, self._sign(values) or ""))
            for message in self._subscribe:
                words = message(words_of)
                if words is not None:
                    await socket.send_str(words)
            heard: list[Any] = []
            while spec.subscribed is not None:
                tree = _tree(await socket.receive())
                heard.append(tree)
                if is_true(self._subscribed(tree)):
                    break
            patience.reschedule(None)
            self.connections += 1
            for tree in heard:
                self._hear(tree)
            ready.set()
            catching_up = asyncio.create_task(self._catch_up(account if self._is_of_account else None))
            try:
                yield since
                while True:
                    tree = _tree(await socket.receive())
                    self._hear(tree)
                    found = text(self._sequence(tree))
                    since = found or since
                    yield since
            finally:
                catching_up.cancel()
                with suppress(asyncio.CancelledError):
                    await catching_up

    async def _catch_up(self, account: str | None) -> None:
        """Ask about every open order that may have been filled while nobody listened."""
        for sequence, slot in list(self.venue.open_slots.items()):
            if not slot.open:
                self.venue.open_slots.pop(sequence, None)
            elif account is None or slot.account_id == account:
                await self._look_at(slot)

    async def _look_at(self, slot: ActionSlot, *, is_closed: bool = False) -> None:
        """Tell what the exchange says of an order when it is asked; `is_closed`, whether it has said that before."""
        with suppress(OrderError):
            report = await self.venue.what_became_of(slot)
            for execution in report.executions if report is not None else ():
                self._tell(slot, execution)
            is_closed = is_closed or (report is not None and report.closed)
        if is_closed and self.venue.listener is not None:
            self.venue.listener.closed(slot)

    def _hear(self, tree: Any) -> None:
        """Settle what a message tells."""
        if is_true(self._is_fill(tree)):
            found = self._fills(tree)
            for each in found if isinstance(found, list) else (found,):
                slot = self._slot(each, tree)
                if slot is not None and not self._fill.is_settled(slot, each):
                    try:
                        execution = self._fill.execution(slot, each)
                    except AmountError as error:
                        self._stray(f"slot {slot.sequence}: {error}", slot)
                    else:
                        self._tell(slot, execution)
        if is_true(self._is_closed(tree)):
            slot = self._slot(tree, tree)
            if slot is not None:
                # What was filled before may be told later: it is asked for before anything is given up.
                asking = asyncio.create_task(self._look_at(slot, is_closed=True))
                self._asking.add(asking)
                asking.add_done_callback(self._asking.discard)

    def _slot(self, each: Any, message: Any) -> ActionSlot | None:
        """Return whose order is spoken of; a message about one that is not known yet is kept."""
        name = text(self._name(each)) or text(self._name(message))
        if name is not None:
            slot = self.venue.slot_named(name)
            if slot is not None:
                return slot
            if self.venue.is_of_this_run(name):
                self._stray(f"order {name} is none that is expected any more")
                return None
        order_id = text(self._order_id(each)) or text(self._order_id(message))
        if order_id is None:
            return None
        known = self._orders.get(order_id)
        if known is None and name is None:
            kept = self._unclaimed.setdefault(order_id, [])
            if len(kept) < _MOST_UNCLAIMED and message not in kept:
                kept.append(message)
            if len(self._unclaimed) > _MOST_UNCLAIMED:
                self._unclaimed.popitem(last=False)
        return known

    def _tell(self, slot: ActionSlot, execution: Execution) -> None:
        listener = self.venue.listener
        if listener is None:
            return
        try:
            listener.executed(execution)
        except AmountError as error:
            self._stray(f"slot {slot.sequence}: {error}", slot)

    def _stray(self, words: str, slot: ActionSlot | None = None) -> None:
        if self.venue.listener is not None:
            self.venue.listener.stray(shown(words), slot)


def _url(template: str, base_url: URL) -> str:
    """Return the whole URL of a stream, which may be given as a path below that of the exchange."""
    if "://" not in template:
        scheme = "wss" if base_url.scheme == "https" else "ws"
        path = template if template.startswith("/") else f"/{template}"
        return f"{base_url.origin().with_scheme(scheme)}{base_url.raw_path.rstrip('/')}{path}"
    if not template.startswith(("ws://", "wss://")):
        raise ConfigError([Problem("venue.stream.url", "this begins neither with ws:// nor with wss://")])
    return template


def _tree(message: aiohttp.WSMessage) -> Any:
    """Return what a message says; one that is no JSON says nothing.

    Raises:
        ConnectionError: there will be no more of them.
    """
    if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED):
        raise ConnectionError("the stream was closed")
    if message.type is aiohttp.WSMsgType.ERROR:
        raise ConnectionError("the stream broke")
    try:
        return read(message.data) if isinstance(message.data, str | bytes) else None
    except NotJson:
        return None
