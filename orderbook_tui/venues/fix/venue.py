"""An exchange that speaks FIX: orders, cancels and questions go out in sessions, reports come back in their order.

A number is used once, and what is lost on the way is never sent again (see `numbers`). So a question about an order, sent in
the same session, is read after the order or instead of it: "unknown" then means that it is not there and cannot come.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from orderbook_tui.config.fix import FixVenueSpec
from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.journal import Balance
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import SimulationState
from orderbook_tui.environment import hide
from orderbook_tui.errors import (
    AmountError,
    OrderError,
    OutcomeUnknown,
    Rejected,
    StorageError,
    VenueUnavailable,
)
from orderbook_tui.venues.base import Capabilities, Listener, OpenOrder, OrderReport
from orderbook_tui.venues.fix.asking import Asking, Lost
from orderbook_tui.venues.fix.carriers import carriers, expanded, lines_of
from orderbook_tui.venues.fix.correlation import ClientIds, Kind, Waiting
from orderbook_tui.venues.fix.listing import Listed, Lists, OneByOne, OpenOrderReader
from orderbook_tui.venues.fix.messages import Body, Reader, Says, Writer, reason
from orderbook_tui.venues.fix.numbers import NumberStore, path_in
from orderbook_tui.venues.fix.session import Line

Folder = Callable[[], Path | None]
"""Says where sequence numbers are kept, as soon as the run has a name; None where it is kept nowhere."""

_UNKNOWN_ORDER, _DUPLICATE, _OTHER = "5", "6", "99"
_NOT_NOW: Final = frozenset({"4", "8"})
"""BusinessRejectReason: the exchange, or its application, is not there now, or is asked too often."""


class FixVenue:
    """Places orders of a run at an exchange that speaks FIX."""

    def __init__(self, spec: FixVenueSpec, state: SimulationState, folder: Folder) -> None:
        """Take what is in the environment.

        Raises:
            ConfigError: a variable is not there, or an account has no session, or two.
        """
        plan, spec = state.plan, expanded(spec)
        self.capabilities = Capabilities(
            look_up=spec.status_requests,
            fence=spec.status_requests,
            cancel=spec.cancels,
            client_ids=True,
            # Where numbers begin anew with each connection, what was missed is not sent again: it has to be asked for.
            pushes_executions=not (spec.reset_on_logon and spec.status_requests),
            open_orders=spec.mass_status or spec.status_requests,
            only_known_orders=spec.status_requests and not spec.mass_status,
        )
        self._spec, self._folder = spec, folder
        self._ids = ClientIds(state.slots, spec.longest_client_order_id)
        self._writer = Writer(spec, plan.accounts)
        self._reader = Reader(spec, plan.accounts)
        self._asking = Asking(spec)
        self._waiting = self._asking.waiting
        self._listener: Listener | None = None
        self._placed: dict[int, int] = {}
        """The quantity of each slot's order."""
        self._in_memory: dict[Line, NumberStore] = {}
        """The numbers of a run that is kept nowhere."""
        self._lines = lines_of(spec, self)
        self._line_of = carriers(spec, self._lines, {account.id: account.name for account in plan.accounts})
        reader = OpenOrderReader(spec, plan.markets, self._ids, self._reader)
        self._lists = Lists(self._asking, self._writer, reader, self._line_of)
        self._open_ones = OneByOne(state.slots, reader, self._known)

    # The run

    async def open(self, listener: Listener) -> None:
        self._listener = listener
        folder = self._folder()
        try:
            if folder is not None:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for line in self._lines:
                path = None if folder is None else path_in(folder, self._spec.begin_string, *line.names)
                store = self._in_memory.setdefault(line, NumberStore(None)) if path is None else NumberStore(path)
                line.open(store, "" if path is None else str(path))
        except (OSError, ValueError) as error:
            await self.close()
            why = error.strerror if isinstance(error, OSError) else error
            raise StorageError(f"the sequence numbers in {folder} cannot be kept: {why}") from error
        # An exchange that cannot be reached now says so when something is placed there.
        with contextlib.suppress(VenueUnavailable):
            for line in self._lines:
                await line.ready(self._asking.patience)

    async def close(self) -> None:
        await asyncio.gather(*(line.close() for line in self._lines))
        self._listener = None

    async def place(self, slot: ActionSlot, quantity: int) -> Submission:
        line, name = self._line_of[slot.account_id], self._ids.of(slot)
        fields = self._writer.order(slot, quantity, name)
        if not line.is_up:
            await line.ready(self._asking.patience)
        self._placed[slot.sequence] = quantity
        try:
            body: Body = await self._asking.answer("D", Waiting(Kind.ORDER, name, line), fields)
        except TimeoutError:
            raise OutcomeUnknown(f"no answer to the order {self._asking.no_answer}") from None
        except Lost as error:
            raise OutcomeUnknown(str(error)) from None
        says = self._reader.says(body)
        if says is Says.REFUSED:
            if body.get(103) == _DUPLICATE:
                # It came through before: by a line that broke, or in an earlier life.
                raise OutcomeUnknown(hide(f"the exchange has an order of this ClOrdID already: {reason(body)}"))
            raise Rejected(hide(reason(body)))
        # Executions come by themselves, each in a report of its own.
        return OrderReport(body.get(37) or name, closed=says is Says.CLOSED)

    async def look_up(self, slot: ActionSlot, quantity: int) -> Submission | None:
        self._placed.setdefault(slot.sequence, quantity)
        return await self._asked(slot)

    async def cancel(self, slot: ActionSlot) -> OrderReport | None:
        if not self._spec.cancels:
            return None
        line, name = self._line_of[slot.account_id], self._ids.of(slot)
        quantity = self._placed.get(slot.sequence, slot.action.quantity)
        try:
            await line.ready(self._asking.patience)
            own_name = self._asking.own_id("C")
            fields = self._writer.cancel(slot, quantity, name, own_name, slot.order_id)
            body: Body = await self._asking.answer("F", Waiting(Kind.CANCEL, name, line, own_name), fields)
        except (TimeoutError, Lost, OrderError) as error:
            if not self._spec.status_requests:
                raise OutcomeUnknown(f"no answer to the cancel: {_words(error)}") from None
            # It may be cancelled, or filled, or not there: the exchange knows.
            return await self._asked(slot) or _gone(slot)
        if body.get(102) is None:
            return self._report(slot, body, closed=True)
        if self._spec.status_requests:
            return await self._asked(slot) or _gone(slot)
        # Refused, and nothing more can be asked: the fills that made it too late have come before, or are about to.
        closed = body.get(39) in ("4", "8", "C") or not slot.open
        return OrderReport(slot.order_id or name, closed=closed)

    def place_again(self, slot: ActionSlot, quantity: int) -> Submission:
        raise Rejected("an order placed elsewhere is not placed again")

    def restore(self, slot: ActionSlot) -> None:
        """The orders of an earlier life are where they were."""

    async def open_orders(self, accounts: Sequence[str]) -> Iterable[OpenOrder]:
        if self._spec.mass_status:
            return await self._lists.open_orders(accounts, by_account=self._spec.send_account)
        if self._spec.status_requests:
            return await self._open_ones.open_orders(accounts)
        raise VenueUnavailable("the exchange does not tell which orders are open")

    async def balances(self, accounts: Sequence[str]) -> Iterable[Balance]:
        raise VenueUnavailable("FIX does not tell what accounts hold")

    # Asking

    async def _asked(self, slot: ActionSlot) -> OrderReport | None:
        """Return what the exchange says of the slot's order; None where it is not there and cannot come to be."""
        body = await self._known(slot)
        return None if body is None else self._report(slot, body, closed=self._reader.says(body) is Says.CLOSED)

    async def _known(self, slot: ActionSlot) -> Body | None:
        """Return the exchange's report on the slot's order; None where it is not there and cannot come to be."""
        line, name = self._line_of[slot.account_id], self._ids.of(slot)
        fields = self._writer.question(slot, name, slot.order_id if slot.open else None)
        body: Body = await self._asking.answered(
            line, lambda: self._asking.answer("H", Waiting(Kind.STATUS, name, line), fields)
        )
        if self._reader.says(body) is not Says.REFUSED:
            return body
        if body.get(103) in (_DUPLICATE, _OTHER):
            raise VenueUnavailable(hide(f"the exchange does not say whether it has the order: {reason(body)}"))
        return None

    def _report(self, slot: ActionSlot, body: Body, *, closed: bool) -> OrderReport:
        try:
            return self._reader.report(slot, body, self._ids.of(slot), closed=closed)
        except AmountError as error:
            raise OutcomeUnknown(f"what the exchange says of the order cannot be: {error}") from None

    # What sessions say (see `session.Ears`)

    def numbered(self, line: Line, waiting: Waiting, number: int) -> None:
        self._waiting.numbered(waiting, number)

    def lost(self, line: Line, words: str) -> None:
        for waiting in self._waiting.of_line(line):
            _fail(waiting, Lost(words))

    def refused(self, line: Line, number: int, words: str) -> None:
        waiting = self._waiting.of_number(line, number)
        if waiting is not None:
            _fail(waiting, Rejected(hide(words)))

    def heard(self, line: Line, message: Any) -> None:
        if self._listener is None:
            return
        body: Body = message.body
        kind = message.msg_type
        if kind == "8":
            try:
                self._reported(body)
            except Exception as error:  # the library would keep it to itself, and the run must not believe that all is well
                slot, _ = self._ids.slot(body.get(11, "")) or (None, 0)
                self._stray(f"a report about order {body.get(11, '?')} could not be settled: {_words(error)}", slot)
        elif kind == "9":
            name = self._waiting.order_of(body.get(11, "")) or body.get(41, "")
            waiting = self._waiting.cancels.get(name)
            if waiting is not None:
                _answer(waiting, {102: ""} | dict(body))
        elif kind == "j":
            self._refused_as_business(line, body)

    def _refused_as_business(self, line: Line, body: Body) -> None:
        number = body.get(45, "")
        waiting = self._waiting.of_number(line, int(number)) if number.isdigit() else None
        if waiting is None:
            waiting = self._waiting.of_kind(body.get(372, "")).get(body.get(379, ""))
        if waiting is not None:
            words = hide(body.get(58) or f"BusinessRejectReason {body.get(380, '?')}")
            _fail(waiting, VenueUnavailable(words) if body.get(380) in _NOT_NOW else Rejected(words))

    def _reported(self, body: Body) -> None:
        if 584 in body and self._listed(body):
            return
        name = body.get(11, "")
        found = self._ids.slot(name)
        if found is None:
            name = self._waiting.order_of(name) or body.get(41, "")
            found = self._ids.slot(name)
        if found is None:
            # An answer to nothing that is ours: another program's order, or one that an exchange has forgotten.
            if self._reader.says(body) is Says.FILL:
                self._stray(f"a fill of order {body.get(11, '?')}, which is none of this run's")
            return
        slot, generation = found
        says = self._reader.says(body)
        if says is Says.FILL or says is Says.UNDONE:
            self._filled(slot, generation, body, says)
        waiting = self._waiting.orders.get(name)
        if waiting is not None and says is not Says.RECEIVED and says is not Says.UNDONE:
            _answer(waiting, body)
            return
        waiting = self._waiting.questions.get(name)
        if waiting is not None and says is not Says.FILL and says is not Says.UNDONE:
            _answer(waiting, body)
            return
        ended = says is Says.CLOSED or (says is Says.FILL and body.get(39) == "2")
        waiting = self._waiting.cancels.get(name)
        if waiting is not None and ended:
            _answer(waiting, body)
        elif self._reader.is_answer(body):
            return  # too late or once more: whoever asked has asked again, and the fills that it counts may not have come yet
        elif generation == slot.generation and (says is Says.CLOSED or (says is Says.REFUSED and slot.open)):
            assert self._listener is not None
            self._listener.closed(slot)

    def _listed(self, body: Body) -> bool:
        """Take a report that a list consists of, unless it has come too late; return whether it was one."""
        if self._reader.says(body) in (Says.FILL, Says.UNDONE):
            return False
        waiting = self._waiting.lists.get(body[584])
        if isinstance(waiting, Listed):
            waiting.take(body)
        return True

    def _filled(self, slot: ActionSlot, generation: int, body: Body, says: Says) -> None:
        assert self._listener is not None
        name = self._reader.execution_id(body)
        if says is Says.UNDONE:
            self._stray(f"slot {slot.sequence}: the exchange takes back or changes execution {body.get(19) or name}", slot)
        elif generation == slot.generation:
            try:
                self._listener.executed(self._reader.execution(slot, body))
            except AmountError as error:
                self._stray(f"slot {slot.sequence}: {error}", slot)
        elif all(fill.id != name for fill in slot.fills):
            self._stray(f"slot {slot.sequence}: execution {name} is of an order that was over", slot)

    def _stray(self, words: str, slot: ActionSlot | None = None) -> None:
        assert self._listener is not None
        self._listener.stray(hide(words), slot)


def _answer(waiting: Waiting, body: Body) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(body)


def _fail(waiting: Waiting, error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)


def _gone(slot: ActionSlot) -> OrderReport:
    """Say of an order that the exchange does not know that nothing of it is open."""
    return OrderReport(slot.order_id or slot.client_order_id, closed=True)


def _words(error: BaseException) -> str:
    return str(error) or "it is silent"
