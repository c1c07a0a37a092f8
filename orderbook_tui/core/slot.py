"""Slots: one scheduled order each, and how far it has come.

    Pending -> InProgress -> Completed | Failed | Skipped
    InProgress -> Pending                    the run was quit, or it crashed
    Failed     -> InProgress | Skipped       a failed slot is revisited (Pending again until its turn comes), or given up

Slots come in pairs that must cross: slots 2k and 2k+1 are pair k. Two kinds of record say what happened to a slot, and its
state follows from them: an `Attempt` (it was accepted, or why not) and a `Decision` (what to do when retries are spent).
"""

from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.book import Side
from orderbook_tui.core.journal import Attempt, Decision, Execution, Failure, RecoveryAction
from orderbook_tui.core.money import decimal
from orderbook_tui.errors import NOT_THERE, UNANSWERED, AmountError, FailureKind, IllegalTransition


class SlotState(StrEnum):
    """Where a slot stands."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    SKIPPED = "Skipped"


class Verdict(StrEnum):
    """Who filled an order, against who should have."""

    MATCHED = "matched"
    PARTLY = "partly"
    BY_ANOTHER = "by_another"
    UNMATCHED = "unmatched"


class ActionSlot(msgspec.Struct, gc=False):
    """One scheduled order of one account. `sequence` counts from 0 and is the slot's place in the schedule.

    Nearly every slot has one attempt and one fill: those stand by themselves, since a tuple around each would be an eighth
    of the memory of a run. `attempts` and `fills` give all of them.
    """

    sequence: int
    account_id: str
    action: OrderAction
    max_retries: int = 3
    allowed_attempts: int = 4
    """How many attempts may be made before somebody is asked."""
    state: SlotState = SlotState.PENDING
    run: str = ""
    """The simulation that the slot belongs to."""
    last_attempt: Attempt | None = None
    earlier_attempts: tuple[Attempt, ...] = ()
    first_fill: Execution | None = None
    more_fills: tuple[Execution, ...] = ()
    filled: int = 0
    """Lots executed so far."""
    open: int = 0
    """Lots still open at the venue."""
    decisions: tuple[Decision, ...] = ()
    generation: int = 0
    """Counts the orders that were to become of this slot: each goes by a client order id of its own."""

    @property
    def pair(self) -> int:
        return self.sequence >> 1

    @property
    def partner(self) -> int:
        """The sequence of the slot that this one must cross."""
        return self.sequence ^ 1

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt, the first one first."""
        return () if self.last_attempt is None else (*self.earlier_attempts, self.last_attempt)

    @property
    def fills(self) -> tuple[Execution, ...]:
        """Every execution of the slot's orders, in order."""
        return () if self.first_fill is None else (self.first_fill, *self.more_fills)

    @property
    def attempt_count(self) -> int:
        return 0 if self.last_attempt is None else self.last_attempt.number

    @property
    def last_error(self) -> Failure | None:
        return self.last_attempt.failure if self.last_attempt is not None else None

    @property
    def order_id(self) -> int | str | None:
        """What the venue calls the order that was last accepted."""
        return next((attempt.order_id for attempt in reversed(self.attempts) if attempt.order_id is not None), None)

    @property
    def client_order_id(self) -> str:
        """What we call the order at the venue: the same for every attempt, until it is known that nothing comes of it."""
        return f"{self.run}-{self.sequence}-{self.generation}"

    @property
    def in_doubt(self) -> bool:
        """Whether the order of an earlier attempt may exist at the venue, and nobody knows. What it locks stays locked."""
        attempt = self.last_attempt
        if attempt is not None and attempt.failure is None and attempt.order_id is None:  # it is under way
            attempt = self.earlier_attempts[-1] if self.earlier_attempts else None
        if attempt is None or attempt.failure is None or attempt.failure.kind is not FailureKind.UNKNOWN:
            return False
        return self.state is not _SKIPPED

    @property
    def is_under_way(self) -> bool:
        """Whether an attempt has begun and not ended: what it locked is in the budgets, and not yet in the journal."""
        return self.state is _IN_PROGRESS and self.last_attempt is not None and not self.last_attempt.ended

    @property
    def begins_anew(self) -> bool:
        """Whether the next attempt is for another order: the last was accepted, refused for good, or is not there."""
        attempt = self.last_attempt
        return attempt is not None and _is_settled(attempt)

    @property
    def is_ended(self) -> bool:
        return self.state is not _PENDING and self.state is not _IN_PROGRESS

    @property
    def must_ask(self) -> bool:
        """Whether the last attempt failed and no further one may be made without a decision."""
        return self.state is _IN_PROGRESS and self.attempt_count >= self.allowed_attempts and self.last_error is not None

    @property
    def was_told_to_retry(self) -> bool:
        """Whether the attempt under way is what somebody said who was asked about the one before, and knew its failure.

        Who has a Failed slot revisited was not asked: that decision follows another about the same attempt.
        """
        if not self.decisions:
            return False
        last, before = self.decisions[-1], self.decisions[-2:-1]
        revisits = bool(before) and before[0].attempt == last.attempt
        return last.action is RecoveryAction.RETRY and last.attempt == self.attempt_count - 1 and not revisits

    @property
    def verdict(self) -> Verdict | None:
        """Who filled the order, against who should have; None until the slot has ended."""
        if not self.is_ended:
            return None
        return self.verdict_so_far()

    def verdict_so_far(self) -> Verdict:
        """Return the verdict that the fills until now amount to."""
        expected = self.action.matching_strategy.account
        if expected is not None and any(
            self.partner not in (fill.maker, fill.taker) and fill.outside != expected for fill in self.fills
        ):
            return Verdict.BY_ANOTHER
        if self.filled >= self.action.quantity:
            return Verdict.MATCHED
        return Verdict.PARTLY if self.filled else Verdict.UNMATCHED

    def begin(self, now: int) -> None:
        """Start an attempt; a Pending slot becomes InProgress, and so does a Failed one, with all its retries afresh."""
        if self.state is _PENDING:
            self.state = _IN_PROGRESS
        elif self.state is not _IN_PROGRESS:
            self.move(_IN_PROGRESS)
            self.allow_afresh()
        if self.last_attempt is None:
            self.last_attempt = Attempt(self.sequence, 1, now)
        else:
            self._next_attempt(Attempt(self.sequence, self.last_attempt.number + 1, now))

    def begin_again(self, now: int) -> Attempt:
        """Start one more attempt on a Completed slot whose order was cancelled before it was filled."""
        if self.state is not _COMPLETED or self.open:
            raise IllegalTransition(self.sequence, self.state, SlotState.IN_PROGRESS)
        attempt = Attempt(self.sequence, self.attempt_count + 1, now)
        self._next_attempt(attempt)
        return attempt

    def take_back_attempt(self) -> None:
        """Forget the last attempt, which came to nothing and is recorded nowhere."""
        earlier = self.earlier_attempts
        self.last_attempt, self.earlier_attempts = (earlier[-1], earlier[:-1]) if earlier else (None, ())
        if self.begins_anew:
            self.generation -= 1

    def recall_generation(self, attempt: int, generation: int) -> None:
        """Take over which order an attempt was for, as an earlier life wrote it down; later attempts count on from there."""
        attempts = self.attempts
        if attempt > len(attempts):
            self.generation = generation - self.begins_anew
        else:
            self.generation = generation + sum(map(_is_settled, attempts[attempt - 1 : -1]))

    def fill(self, execution: Execution) -> None:
        """Count an execution of the slot's open order."""
        self.open -= execution.quantity
        self.filled += execution.quantity
        if self.first_fill is None:
            self.first_fill = execution
        else:
            self.more_fills += (execution,)

    def complete(self, order_id: int | str, now: int) -> None:
        """End the attempt and the slot: the venue has accepted the order."""
        if self.state is not _IN_PROGRESS:
            raise IllegalTransition(self.sequence, self.state, _COMPLETED)
        attempt = self.last_attempt
        assert attempt is not None
        attempt.order_id = order_id
        attempt.ended = now
        self.state = _COMPLETED

    def fail_attempt(self, failure: Failure, now: int) -> None:
        """End the attempt without an order; the slot stays InProgress, to be tried again or decided about."""
        if self.state is not _IN_PROGRESS:
            raise IllegalTransition(self.sequence, self.state, SlotState.FAILED)
        attempt = self.last_attempt
        assert attempt is not None
        attempt.failure = failure
        attempt.ended = now
        self._count_failure(failure)

    def restore_attempt(self, attempt: Attempt) -> None:
        """Take an attempt back from a record, with the state that it left the slot in."""
        if self.state is _FAILED:
            self.allow_afresh()
        if self.last_attempt is not None:
            self._next_attempt(attempt)
        else:
            self.last_attempt = attempt
        if attempt.failure is None:
            self.state = _COMPLETED
        else:
            self.state = _IN_PROGRESS
            self._count_failure(attempt.failure)

    def decide(self, decision: Decision) -> None:
        """Move as a decision says: Retry allows one more attempt, and of a Failed slot all of them; Quit does on resume.

        Raises:
            IllegalTransition: the slot's state does not allow it; nothing has changed.
        """
        action = decision.action
        if action is RecoveryAction.RETRY and self.state is _FAILED:
            self.move(_IN_PROGRESS)
            self.move(_PENDING)
            self.allow_afresh()
        elif action is RecoveryAction.RETRY:
            if self.state is not _IN_PROGRESS:
                raise IllegalTransition(self.sequence, self.state, _IN_PROGRESS)
            self.allowed_attempts = self.attempt_count + 1
        elif action is RecoveryAction.SKIP:
            self.move(SlotState.SKIPPED)
        elif action is RecoveryAction.CONTINUE:
            self.move(SlotState.FAILED)
        else:
            self.move(_PENDING)
            self.allow_afresh()
        self.decisions += (decision,)

    def allow_afresh(self) -> None:
        """Allow a first try and `max_retries` retries from here on."""
        self.allowed_attempts = self.attempt_count + 1 + self.max_retries

    def move(self, state: SlotState) -> None:
        """Change state along an arrow of the state machine.

        Raises:
            IllegalTransition: no arrow leads there; nothing has changed.
        """
        if state not in _ARROWS[self.state]:
            raise IllegalTransition(self.sequence, self.state, state)
        self.state = state

    def override(self, *, bid_amount: Decimal | int | str | None = None, ask_amount: Decimal | int | str | None = None) -> None:
        """Give a Pending slot other amounts. One alone keeps the price; both set it. The pair's other slot must follow.

        Raises:
            IllegalTransition: the slot has been started.
            AmountError: the amounts are no whole number of lots at a price on the tick.
        """
        if self.state is not _PENDING or self.last_attempt is not None:
            raise IllegalTransition(self.sequence, self.state, "another order")
        action, market = self.action, self.action.market
        quote, base = (bid_amount, ask_amount) if action.side is Side.BID else (ask_amount, bid_amount)
        price, quantity = action.price, action.quantity
        if base is not None:
            quantity = market.quantity_lots(decimal(base))
        if quote is not None:
            units = market.quote.units(decimal(quote))
            known, unit = (quantity, "price") if base is not None else (price, "quantity")
            wanted, rest = divmod(units, known * market.quote_per_tick_lot) if known > 0 else (0, 1)
            if rest:
                raise AmountError(f"{quote} {market.quote.symbol} gives no whole {unit} on {market.symbol}")
            price, quantity = (wanted, quantity) if base is not None else (price, wanted)
        if price <= 0 or quantity <= 0:
            raise AmountError(f"slot {self.sequence}: the amounts must be positive")
        self.action = replace(action, price=price, quantity=quantity)

    def _count_failure(self, failure: Failure) -> None:
        if failure.kind is not FailureKind.TRANSIENT and failure.code != UNANSWERED:
            self.allowed_attempts = self.attempt_count

    def _next_attempt(self, attempt: Attempt) -> None:
        if self.last_attempt is not None:
            if _is_settled(self.last_attempt):
                self.generation += 1
            self.earlier_attempts += (self.last_attempt,)
        self.last_attempt = attempt


def _is_settled(attempt: Attempt) -> bool:
    """Whether nothing more can come of the order that an attempt was for, but what is in the records."""
    failure = attempt.failure
    if failure is None:
        return attempt.order_id is not None
    return failure.kind is FailureKind.PERMANENT or failure.code == NOT_THERE


# An enum looks its members up each time.
_PENDING, _IN_PROGRESS = SlotState.PENDING, SlotState.IN_PROGRESS
_COMPLETED, _FAILED, _SKIPPED = SlotState.COMPLETED, SlotState.FAILED, SlotState.SKIPPED

_ARROWS: dict[SlotState, frozenset[SlotState]] = {
    SlotState.PENDING: frozenset({SlotState.IN_PROGRESS}),
    SlotState.IN_PROGRESS: frozenset({SlotState.PENDING, SlotState.COMPLETED, SlotState.FAILED, SlotState.SKIPPED}),
    SlotState.COMPLETED: frozenset(),
    SlotState.FAILED: frozenset({SlotState.IN_PROGRESS, SlotState.SKIPPED}),
    SlotState.SKIPPED: frozenset(),
}
