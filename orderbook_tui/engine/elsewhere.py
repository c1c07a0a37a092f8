"""Orders at a venue that outlives this process: what it tells is settled once, and what is left of a pair is taken back.

A venue tells in answers (to placing, asking, cancelling) and, some, by itself, at any time: before the answer to the order,
after its slot has ended, twice. What cannot be settled is kept in words, for the reconciliation and for people.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from inspect import isawaitable
from time import time_ns
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, TypeVar

import anyio

from orderbook_tui.core.book import Side
from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.journal import Balance, Cancel, Execution
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.control import unwrapped
from orderbook_tui.engine.intake import Intake
from orderbook_tui.engine.placing import Placing
from orderbook_tui.environment import hide
from orderbook_tui.errors import AmountError, OrderError
from orderbook_tui.venues.base import Capabilities, OpenOrder, OrderReport, Venue
from orderbook_tui.venues.reports import execution_of

PATIENCE_S: Final = 0.5
"""How long a pair whose orders were both accepted is given for its fills to be told, before what is left is taken back."""
_WAITS_S: Final = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""The waits between tries at cancelling an order: a venue that cannot answer now keeps nobody's order open for long."""
_ENOUGH_UNANSWERED: Final = 3
"""After so many orders in a row whose cancel was not answered, each further one is tried once."""
_MOST_STRAYS: Final = 1_000
CLOSING_S: Final = 10.0


_P = ParamSpec("_P")
_T = TypeVar("_T")


def _busily(
    work: Callable[Concatenate["Elsewhere", _P], Awaitable[_T]],
) -> Callable[Concatenate["Elsewhere", _P], Coroutine[Any, Any, _T]]:
    """Have it known that something is under way while `work` goes on."""

    async def done(self: "Elsewhere", /, *arguments: _P.args, **named: _P.kwargs) -> _T:
        self._under_way += 1
        self.begun += 1
        try:
            return await work(self, *arguments, **named)
        finally:
            self._under_way -= 1

    return done


class Stray(NamedTuple):
    """What a venue told and what could not be settled."""

    words: str
    slot: int | None
    """The slot that it is about, by its sequence; None where that is not known."""


class Elsewhere:
    """Listens to `venue`, settles what it tells, and cancels; `placing` places."""

    def __init__(self, state: SimulationState, settlement: Settlement, venue: Venue) -> None:
        self._state, self._settlement, self._venue = state, settlement, venue
        self._can = venue.capabilities
        self.placing = Placing(state, settlement, venue, self._accepted)
        self._intake = Intake(self.stray, pushes=self._can.pushes_executions)
        self._early: dict[int, list[Execution]] = {}
        """What was told of orders before they were known to be accepted."""
        self._closed_early: set[int] = set()
        self._closing: dict[int, asyncio.Event] = {}
        """The pairs of which more is awaited before what is left is taken back, and what says that something has come."""
        self._is_open = False
        self._under_way = 0
        self.begun = 0
        """Counts what was begun: as long as it stays the same, and `is_resting`, nothing is placed or cancelled."""
        self._unanswered = 0
        self.is_stopping: Callable[[], bool] = lambda: False
        """Whether the run is to end soon: then nothing is waited for that can be made up for when it goes on."""
        self.strays: list[Stray] = []
        """What was told and could not be settled."""
        self.heard: Callable[[], None] = lambda: None
        """Called when something came by itself, and is settled."""

    # What a venue tells by itself (see `venues.base.Listener`)

    def executed(self, execution: Execution) -> None:
        slot = self._state.slots[max(execution.maker, execution.taker)]
        if not slot.open and self._may_be_accepted_yet(slot):
            early = self._early.setdefault(slot.sequence, [])
            if execution.id is None or all(each.id != execution.id for each in early):
                early.append(execution)
            return
        fresh = self._intake.pushed(slot, execution)
        if fresh is not None:
            self._settle(fresh)
            self._tell(slot)

    def closed(self, slot: ActionSlot) -> None:
        if slot.open:
            self._cancelled(slot)
            self._tell(slot)
        elif self._may_be_accepted_yet(slot):
            self._closed_early.add(slot.sequence)

    def stray(self, words: str, slot: ActionSlot | None = None) -> None:
        stray = Stray(hide(words), None if slot is None else slot.sequence)
        if len(self.strays) < _MOST_STRAYS and stray not in self.strays:
            self.strays.append(stray)

    # What is asked of it

    @property
    def is_resting(self) -> bool:
        """Whether the venue is open, and nothing is under way there: no order is being placed, cancelled or asked about."""
        return self._is_open and not self._under_way

    @_busily
    async def place(self, slot: ActionSlot) -> int | str:
        """Place the slot's order, as `placing` does."""
        return await self.placing.place(slot)

    @_busily
    async def open(self) -> None:
        """Connect, or begin to."""
        await self._venue.open(self)
        self._is_open = True

    async def close(self) -> None:
        """Hear nothing more."""
        self._is_open = False
        with anyio.CancelScope(shield=True), anyio.move_on_after(CLOSING_S), contextlib.suppress(OrderError):
            await self._venue.close()

    @_busily
    async def catch_up(self) -> int:
        """Settle what was filled of open orders while nobody listened; return of how many that is not known."""
        unknown = 0
        if self.placing.is_behind and self._can.look_up:
            for slot in self._state.open_slots():
                found = None
                with contextlib.suppress(OrderError):
                    found = await self.placing.look_up(slot, slot.action.quantity)
                if found is None:
                    unknown += 1
                else:
                    self.take(slot, found)
        self.placing.is_behind = False
        return unknown

    @property
    def capabilities(self) -> Capabilities:
        return self._can

    @property
    def told_early(self) -> Collection[int]:
        """The slots of which fills were told, and of which it is not known that their orders were accepted."""
        return self._early.keys()

    async def open_orders(self, accounts: Sequence[str]) -> list[OpenOrder]:
        """Ask which orders of accounts are open. Raises as `venues.base.Venue.open_orders` does."""
        return list(await self._venue.open_orders(accounts))

    async def balances(self, accounts: Sequence[str]) -> list[Balance]:
        """Ask what accounts hold. Raises as `venues.base.Venue.balances` does."""
        return list(await self._venue.balances(accounts))

    async def hear_of(self, slots: Iterable[ActionSlot]) -> None:
        """Settle what was filled of open orders at a venue that tells it only when it is asked."""
        if self._can.look_up and not self._can.pushes_executions:
            for slot in slots:
                with contextlib.suppress(OrderError):
                    self.take(slot, await self.placing.look_up(slot, slot.action.quantity))
            self.heard()

    @_busily
    async def close_pair(self, slot: ActionSlot) -> None:
        """Hear what is left of a directed pair, and cancel that, so that no orphan meets a later one."""
        partner = self._state.slots[slot.partner]
        pair = [each for each in (partner, slot) if each.open]
        if self._can.pushes_executions and self._can.cancel and len({each.state for each in (partner, slot)}) == 1:
            await self._heard_of(pair)
        for each in pair:
            await self.take_back(each)

    @_busily
    async def hear_the_last(self) -> None:
        """Wait for fills that are still to be told, and ask for them, at a venue where what is open stays open."""
        if self._can.cancel or self.is_stopping():
            return
        left = self._state.open_slots()
        if left and self._can.pushes_executions:
            await self._heard_of(left)
        if self._can.look_up:
            for slot in left:
                if slot.open and not self.is_stopping():
                    with contextlib.suppress(OrderError):
                        self.take(slot, await self.placing.look_up(slot, slot.action.quantity))

    async def take_all_back(self, slots: Iterable[ActionSlot], at_once: int) -> None:
        """Take these back, `at_once` at a time; a run that is to end leaves the rest to be taken back when it goes on."""
        waiting = iter(slots)

        async def work() -> None:
            for slot in waiting:
                if self.is_stopping():
                    return
                await self.take_back(slot)

        with unwrapped():
            async with anyio.create_task_group() as group:
                for _ in range(at_once):
                    group.start_soon(work)

    @_busily
    async def take_back(self, slot: ActionSlot) -> None:
        """Cancel what is open of the slot's order; where the venue cannot, or does not answer, it stays open."""
        if slot.open and self._can.look_up and not self._can.pushes_executions:
            with contextlib.suppress(OrderError):  # then the cancel says it
                self.take(slot, await self.placing.look_up(slot, slot.action.quantity))
        if not self._can.cancel:
            return
        words = ""
        for wait in (*_WAITS_S, None):
            if not slot.open:
                self._unanswered = 0
                return
            try:
                cancelling = self._venue.cancel(slot)
                report = await cancelling if isawaitable(cancelling) else None
            except OrderError as error:
                words = str(error)
            else:
                self.take(slot, report)
                if report is None or report.closed:
                    self._unanswered = 0
                    return
                words = "the venue does not say that it is cancelled"
            if wait is None or self.is_stopping() or self._unanswered >= _ENOUGH_UNANSWERED:
                break
            await anyio.sleep(wait)
        self._unanswered += 1
        self.stray(f"the order of slot {slot.sequence} may still be open: {words}", slot)

    def take(self, slot: ActionSlot, report: Submission | None) -> None:
        """Settle what is new of all that the venue says of the slot's order."""
        if report is None:
            return
        try:
            fresh = self._intake.reported(slot, report)
        except AmountError as error:
            self.stray(str(error), slot)
            return
        for execution in fresh:
            self._settle(execution)
        if slot.open and isinstance(report, OrderReport) and report.closed:
            self._cancelled(slot)

    def _accepted(self, slot: ActionSlot, quantity: int, placed: Submission) -> int | str:
        slot.open = quantity
        assert slot.last_attempt is not None
        self._state.journal.append(slot.last_attempt)
        for execution in self._early.pop(slot.sequence, ()):
            try:
                fresh = self._intake.pushed(slot, execution)
            except AmountError as error:
                self.stray(str(error), slot)
            else:
                if fresh is not None:
                    self._settle(fresh)
        self.take(slot, placed)
        if slot.sequence in self._closed_early:
            self._closed_early.discard(slot.sequence)
            if slot.open:
                self._cancelled(slot)
        return placed.order_id

    def _may_be_accepted_yet(self, slot: ActionSlot) -> bool:
        return slot.state is SlotState.PENDING or slot.state is SlotState.IN_PROGRESS or slot.in_doubt

    async def _heard_of(self, pair: Iterable[ActionSlot]) -> None:
        """Wait until all is filled of these slots, but not for ever."""
        numbers, told = {slot.pair for slot in pair}, asyncio.Event()
        self._closing |= dict.fromkeys(numbers, told)
        try:
            with anyio.move_on_after(PATIENCE_S):
                while any(slot.open for slot in pair):
                    told.clear()
                    await told.wait()
        finally:
            for number in numbers:
                self._closing.pop(number, None)

    def _settle(self, execution: Execution) -> None:
        execution = self._affordable(execution)
        self._settlement.execute(execution)
        self._state.journal.append(execution)
        self._state.stats.total_matches += 1

    def _affordable(self, execution: Execution) -> Execution:
        """Return an execution with as much of its fee as there is for it: a fill that was made is settled all the same."""
        slot = self._state.slots[max(execution.maker, execution.taker)]
        market, left = slot.action.market, slot.open - execution.quantity
        notional, charge = market.notional(execution.price, execution.quantity), max(execution.maker_fee, execution.taker_fee)
        least = min(execution.maker_fee, execution.taker_fee)
        most = notional
        if slot.action.side is Side.BID:
            most = self._settlement.need(slot.action, slot.open) - self._settlement.need(slot.action, left) - notional
        if least >= 0 and charge <= most:
            return execution
        charge, taken = (least, 0) if least < 0 else (charge, most)
        quote = market.quote
        self.stray(
            f"slot {slot.sequence}: a fee of {quote.amount(charge):f} {quote.symbol} was told, and 0 to {quote.amount(most):f} "
            f"is locked for it (see venue.fees): {quote.amount(taken):f} is in its budget",
            slot,
        )
        return execution_of(
            slot, execution.price, execution.quantity, execution.at, charge=taken, outside=execution.outside, name=execution.id
        )

    def _cancelled(self, slot: ActionSlot) -> None:
        self._state.journal.append(Cancel(slot.sequence, slot.open, time_ns()))
        self._settlement.cancel(slot)

    def _tell(self, slot: ActionSlot) -> None:
        told = self._closing.get(slot.pair)
        if told is not None:
            told.set()  # whoever closes a pair saves what came of it
        else:
            self.heard()


Closing = Awaitable[None] | None
"""What is still to be waited for, at a venue outside this process."""
