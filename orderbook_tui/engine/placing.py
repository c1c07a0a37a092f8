"""Placing at a venue that outlives this process, each order at most once.

    lock -> intent on the disk -> venue.place -> accepted | not placed | nobody knows

An order goes by the client order id of its slot's generation. The id is on the disk before the order is sent, so a later life
knows what may be at the venue. Where an outcome is unknown, or an earlier life did not live to see it, the venue is asked by
that id before anything is placed again:

    it has the order                 the order is adopted, with its executions
    it has not, and never will       the next generation is placed; the old id is dead
    it takes no id twice             the same id is sent again, as long as that holds
    it cannot be asked               it may be there: what it locks stays locked, and a person decides

A venue's refusal says nothing about an earlier try whose outcome is unknown: as long as that is so, every failure is unknown.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from inspect import isawaitable
from typing import Final, Protocol

from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.journal import Event
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.checkpoint_journal import Intent
from orderbook_tui.errors import (
    InsufficientBudget,
    NotSeen,
    NotThere,
    OrderbookTuiError,
    OrderError,
    OutcomeUnknown,
    Unanswered,
)
from orderbook_tui.venues.base import Venue

WINDOW: Final = 128
"""Intents of one commit, where those that come to nothing do no harm: at a venue that can be asked about them."""


def window_of(concurrency: int) -> int:
    """Return the intents of one commit with so many pairs at once: all of those, and three more that come after each."""
    return max(WINDOW, 8 * concurrency)


Sending = tuple[int, int, str]
"""Slot, attempt and client order id."""


class Intents(Protocol):
    """Where it is written that orders are about to be placed."""

    def intend(self, journal: Sequence[Event], intents: Sequence[Intent]) -> None:
        """Make them durable before returning, and all that has happened until now."""
        ...


class Placing:
    """Places slots on `venue`. `accepted` settles what was accepted, and writes it into the journal."""

    def __init__(
        self,
        state: SimulationState,
        settlement: Settlement,
        venue: Venue,
        accepted: Callable[[ActionSlot, int, Submission], int | str],
    ) -> None:
        self._state, self._settlement, self._venue, self._accepted = state, settlement, venue, accepted
        self._can = venue.capabilities
        self._intents: Intents | None = None
        self._window = WINDOW
        self._announced: set[Sending] = set()
        """What is on the disk and has not been begun."""
        self._unfinished: set[int] = set()
        """Slots whose order an earlier life may have sent, and did not see the outcome."""
        self._first_sent: dict[str, float] = {}
        """When each order was first about to be sent, where none is taken twice for a while; by a clock that nobody sets."""
        self.is_behind = False
        """Whether orders of an earlier life may have been filled since."""

    @property
    def can_ask(self) -> bool:
        """Whether the venue can be asked what became of an order."""
        return self._can.look_up

    @property
    def is_safe_to_repeat(self) -> bool:
        """Whether trying again where an outcome is unknown places nothing twice."""
        return self._can.look_up or self._can.deduplicates_for_s > 0

    def risk(self, slot: ActionSlot) -> str:
        """Say what another attempt risks; empty where it risks nothing."""
        if not slot.in_doubt:
            return ""
        if self._can.look_up:
            return "its order may be at the venue: another attempt asks there first, and places nothing twice"
        if self._is_taken_once(slot):
            return "its order may be at the venue, which takes it once only: another attempt places nothing twice"
        return "its order may be at the venue, which cannot be asked: another attempt MAY PLACE IT TWICE"

    def keep_intents(self, intents: Intents, window: int = WINDOW) -> None:
        """Write to `intents` before every placing from here on, so many at a time."""
        self._intents, self._window = intents, window

    def recall(self, unfinished: Iterable[Intent]) -> None:
        """Take note of orders that an earlier life was about to send, and of which nothing more is written.

        That the clock by which it was written has not been set since is for the caller to see to.
        """
        self.is_behind = True
        now, wall = time.monotonic(), time.time_ns()
        for intent in unfinished:
            self._unfinished.add(intent.slot)
            if intent.at <= wall:
                self._first_sent.setdefault(intent.client_order_id, now - (wall - intent.at) / 1e9)

    def withdraw(self) -> None:
        """Write that what was announced and not begun is not under way, so that nobody has to ask about it."""
        if self._intents is not None and self._announced:
            now = time.time_ns()
            gone = [Intent(slot, attempt, "", now) for slot, attempt, _ in sorted(self._announced)]
            self._announced = set()
            self._intents.intend(self._state.journal, gone)

    async def place(self, slot: ActionSlot) -> int | str:
        """Place the slot's order and return its id.

        Raises:
            OrderError: it was not placed, and what was locked for it is available again; or it is not known whether it was
                (`OutcomeUnknown`), and that stays locked.
        """
        held = slot.in_doubt
        quantity = slot.action.quantity - slot.filled if held else await self._lock(slot)
        try:
            placed = await self._placed(slot, quantity, doubtful=held or slot.sequence in self._unfinished)
        except OrderError as error:
            self._unfinished.discard(slot.sequence)  # from here on the failed attempt says it
            if not isinstance(error, OutcomeUnknown):
                self._settlement.give_back(slot)
            raise
        except Exception:
            # The intent could not be written: nothing was sent in this attempt.
            if not held:
                self._settlement.give_back(slot)
            raise
        except BaseException:
            # Nobody waited for the answer: it is not known what it would have been.
            self._unfinished.discard(slot.sequence)
            self._state.doubt(slot, time.time_ns(), can_be_settled=self.is_safe_to_repeat)
            raise
        self._unfinished.discard(slot.sequence)
        return self._accepted(slot, quantity, placed)

    async def _lock(self, slot: ActionSlot) -> int:
        try:
            return self._settlement.reserve(slot)
        except InsufficientBudget as error:
            if slot.sequence in self._unfinished:
                if await self._is_absent(slot):
                    self._unfinished.discard(slot.sequence)
                    raise
                # Neither can it be taken over, nor would it be true that it was not placed.
                raise OrderbookTuiError(
                    f"slot {slot.sequence} may have an order at the venue, sent before the run was interrupted, but {error}: "
                    "run the slots in the order in which they were run before, without other filters"
                ) from error
            raise

    async def _is_absent(self, slot: ActionSlot) -> bool:
        """Whether the venue says that it has not got the slot's order, and will not."""
        if not self._can.look_up:
            return False
        try:
            return await self.look_up(slot, slot.action.quantity - slot.filled) is None
        except OrderError:
            return False

    async def _placed(self, slot: ActionSlot, quantity: int, *, doubtful: bool) -> Submission:
        if doubtful and self._can.look_up:
            try:
                found = await self.look_up(slot, quantity)
            except NotSeen:
                # Not there yet: a venue that takes an id once is sent it again; another is asked again.
                if not self._is_taken_once(slot):
                    raise
            else:
                if found is not None:
                    return found
                slot.generation += 1
                doubtful = False
        elif doubtful:
            self._check_repeatable(slot)
        self._announce(slot)
        try:
            return await self._sent(slot, quantity, doubtful=doubtful)
        except OrderError:
            raise
        except Exception:
            self._unfinished.add(slot.sequence)  # it says nothing about the order: whoever goes on asks first
            raise

    async def _sent(self, slot: ActionSlot, quantity: int, *, doubtful: bool) -> Submission:
        try:
            placing = self._venue.place(slot, quantity)
            return await placing if isawaitable(placing) else placing
        except OutcomeUnknown as error:
            if not self._can.look_up:
                if self.is_safe_to_repeat:
                    raise Unanswered(str(error)) from error
                raise
            found = await self.look_up(slot, quantity, after=error)
            if found is None:
                raise NotThere(f"{error}; the venue says that it has no such order") from error
            return found
        except OrderError as error:
            if doubtful:
                kind = Unanswered if self.is_safe_to_repeat else OutcomeUnknown
                raise kind(f"{error}; but an earlier try under the same id may have come through") from error
            raise

    async def look_up(self, slot: ActionSlot, quantity: int, *, after: OrderError | None = None) -> Submission | None:
        """Ask the venue for the slot's order; None where it is not there and cannot come to be.

        Raises:
            Unanswered: it cannot say now, or (`NotSeen`) the order is not there and may still arrive.
        """
        try:
            asking = self._venue.look_up(slot, quantity)
            return await asking if isawaitable(asking) else asking
        except NotSeen:
            raise
        except OrderError as error:
            before = f"{after}; " if after is not None else ""
            raise Unanswered(f"{before}the venue cannot say whether it has order {slot.client_order_id}: {error}") from error

    def _check_repeatable(self, slot: ActionSlot) -> None:
        """Refuse to send an id again that the venue may take a second time, unless a person has just said so."""
        if self._is_taken_once(slot):
            return
        if slot.was_told_to_retry and slot.sequence not in self._unfinished:
            return
        raise OutcomeUnknown(f"order {slot.client_order_id} may be at the venue, which cannot be asked about it")

    def _is_taken_once(self, slot: ActionSlot) -> bool:
        """Whether the venue still knows the id under which the slot's order was first sent, and takes none twice."""
        sent = self._first_sent.get(slot.client_order_id)
        return sent is not None and time.monotonic() - sent < self._can.deduplicates_for_s

    def _announce(self, slot: ActionSlot) -> None:
        """Have it on the disk what is about to be sent; of a venue that can be asked, what comes after it too."""
        now, name = time.time_ns(), slot.client_order_id
        if self._can.deduplicates_for_s:
            self._first_sent.setdefault(name, time.monotonic())
        if self._intents is None:
            return
        key = slot.sequence, slot.attempt_count, name
        if key in self._announced:
            self._announced.discard(key)
            return
        coming = self._coming(slot) if self.is_safe_to_repeat else []
        self._intents.intend(self._state.journal, [Intent(*each, now) for each in (key, *coming)])
        self._announced.update(coming)

    def _coming(self, slot: ActionSlot) -> list[Sending]:
        """Return what is most likely placed next: the first attempts of the slots that follow."""
        after = slot.sequence + 1
        following = [
            (coming.sequence, 1, coming.client_order_id)
            for coming in self._state.slots[after : after + self._window - 1]
            if coming.state is _PENDING and coming.last_attempt is None and coming.sequence not in self._unfinished
        ]
        return [sending for sending in following if sending not in self._announced]


_PENDING: Final = SlotState.PENDING
