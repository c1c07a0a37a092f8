"""The processor: takes slots one after another, tries each, waits, and asks when retries are spent.

It knows attempts, waits and decisions only. What an attempt *does* is the executor's: a callable that takes the slot,
places its order and answers the order's id, plain or async.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import anyio

from orderbook_tui.core.journal import Attempt, Decision, Failure, RecoveryAction
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.engine.control import Ending, RunControl, unwrapped
from orderbook_tui.engine.decisions import Decider, Question, StandingAnswers, terminal_or_quit
from orderbook_tui.engine.retry import Backoff
from orderbook_tui.environment import hide
from orderbook_tui.errors import FailureKind, OrderError

OrderId = int | str
Executor = Callable[[ActionSlot], OrderId | Awaitable[OrderId]]

SLICE_NS = 1_000_000
"""How long the event loop is kept at most: a key is handled within a few slices, a whole run yields only by time."""


@dataclass(slots=True)
class ProcessorResults:
    """What came of the slots that were given."""

    ending: Ending = Ending.DONE
    completed: int = 0
    failed: int = 0
    skipped: int = 0

    def count(self, state: SlotState) -> None:
        """Count a slot that has ended without an order."""
        if state is SlotState.FAILED:
            self.failed += 1
        else:
            self.skipped += 1

    def add(self, others: "ProcessorResults") -> None:
        """Count what came of other slots of the same run too. It is Quit where any was."""
        if others.ending is Ending.QUIT or self.ending is Ending.DONE:
            self.ending = others.ending
        self.completed += others.completed
        self.failed += others.failed
        self.skipped += others.skipped


class Observer(Protocol):
    """Whoever wants to know what the processor does, as it does it."""

    def question_about(self, slot: ActionSlot, failure: Failure) -> Question:
        """Return what to ask about a slot."""
        ...

    def waiting(self, question: Question | None) -> None:
        """A question has been put, or (None) answered."""
        ...

    def attempt_failed(self, attempt: Attempt) -> None:
        """An attempt has ended without an order."""
        ...

    def decided(self, decision: Decision) -> None:
        """A decision has been taken, and the slot has moved as it says."""
        ...

    def slot_ended(self, slot: ActionSlot) -> Awaitable[None] | None:
        """A slot is Completed, Failed or Skipped. What is returned is waited for before the next slot."""
        ...


class SlotProcessor:
    """Runs slots in order, with exponential backoff and a `Decider` for what keeps failing.

    `failures` are the exceptions that an executor may raise to say that an order was not placed; others end the run.
    """

    def __init__(
        self,
        base_delay_ms: int = 500,
        *,
        backoff: Backoff | None = None,
        decider: Decider | None = None,
        control: RunControl | None = None,
        observer: Observer | None = None,
        failures: type[Exception] = Exception,
    ) -> None:
        self._backoff = backoff or Backoff(base_delay_ms=base_delay_ms)
        self._decider = decider
        self._control = control or RunControl()
        self._observer = observer or _Nobody()
        self._failures = failures
        self._turn = asyncio.Lock()
        """Of several slots that need an answer, one is asked about at a time."""

    async def process_slots(self, slots: Iterable[ActionSlot], executor: Executor) -> ProcessorResults:
        """Run the slots that are Pending, in the order given, and say what came of them."""
        return await self._process(slots, executor)

    async def process_admitted(self, slot: ActionSlot, executor: Executor) -> ProcessorResults:
        """Run one slot, if it is Pending, that the controls have let start; others may be under way meanwhile."""
        return await self._process((slot,), executor, admitted=True)

    async def _process(self, slots: Iterable[ActionSlot], executor: Executor, *, admitted: bool = False) -> ProcessorResults:
        results = ProcessorResults()
        control, failures, now = self._control, self._failures, time.time_ns
        slot_ended = self._observer.slot_ended
        slot: ActionSlot | None = None
        yielded = 0
        try:
            for slot in slots:
                if slot.state is not _PENDING:
                    continue
                if control.held and not admitted and not await control.admit(slot):
                    results.ending = Ending.STOPPED
                    break
                if slot.last_attempt is not None and await self._ask_at_once(slot, results):
                    break
                if slot.state is _PENDING or slot.state is _IN_PROGRESS:
                    # The way of nearly every slot; what a failure needs is in `_recover`.
                    slot.begin(now())
                    try:
                        order_id = executor(slot)
                        if type(order_id) is not int and inspect.isawaitable(order_id):
                            order_id = await order_id
                    except failures as error:
                        if await self._recover(slot, error, executor, results):
                            break
                    else:
                        ended = now()
                        slot.complete(order_id, ended)
                        # Not `ended - yielded > SLICE_NS` alone: the clock may be set back. Where others are under way, who
                        # runs them yields, when this slot is counted and saved.
                        if not 0 <= ended - yielded < SLICE_NS and not admitted:
                            await asyncio.sleep(0)  # anyio's own checkpoint takes a tenth of a fast run
                            yielded = now()
                if slot.state is _COMPLETED:
                    results.completed += 1
                else:
                    results.count(slot.state)
                ending = slot_ended(slot)
                if ending is not None:
                    await ending
                if control.watching:
                    control.slot_ended(slot)
        except BaseException:
            if slot is not None:
                _let_go(slot)
            raise
        return results

    async def _recover(self, slot: ActionSlot, error: Exception, executor: Executor, results: ProcessorResults) -> bool:
        """Try a slot again, as often as it may be and somebody wants it; return whether the run ends with it."""
        while True:
            ending = await self._after_failure(slot, failure_of(error))
            if ending is not None:
                results.ending = ending
                return True
            if slot.is_ended:
                return False
            slot.begin(time.time_ns())
            try:
                order_id = executor(slot)
                if inspect.isawaitable(order_id):
                    order_id = await order_id
            except self._failures as again:
                error = again
            else:
                slot.complete(order_id, time.time_ns())
                return False

    async def _ask_at_once(self, slot: ActionSlot, results: ProcessorResults) -> bool:
        """Ask first about a slot whose retries were spent when an earlier life ended; return whether the run ends with it."""
        if slot.state is not _PENDING or slot.attempt_count < slot.allowed_attempts:
            return False
        slot.move(_IN_PROGRESS)
        ending = await self._ask(slot)
        if ending is not None:
            results.ending = ending
        return ending is not None

    async def _after_failure(self, slot: ActionSlot, failure: Failure) -> Ending | None:
        """Wait for the next attempt, or ask; return why the run ends here, where it does."""
        slot.fail_attempt(failure, time.time_ns())
        self._observer.attempt_failed(slot.attempts[-1])
        if slot.must_ask:
            return await self._ask(slot)
        retry = slot.max_retries + 1 - (slot.allowed_attempts - slot.attempt_count)
        if await self._control.wait(self._backoff.seconds(retry, slot.sequence)) and await self._control.admit_attempt(slot):
            return None
        slot.move(_PENDING)
        return Ending.STOPPED

    async def _ask(self, slot: ActionSlot) -> Ending | None:
        """Have it decided what becomes of a slot; return why the run ends here, where it does."""
        async with self._turn:
            # Who had to wait for another's answer may have waited for the end of the run.
            action = await self._decided(slot) if not self._control.stopping else None
        if action is None:
            slot.move(_PENDING)
            return Ending.STOPPED
        if action is RecoveryAction.QUIT:
            return Ending.QUIT
        if action is RecoveryAction.RETRY and not await self._control.admit_attempt(slot):
            slot.move(_PENDING)
            return Ending.STOPPED
        return None

    async def _decided(self, slot: ActionSlot) -> RecoveryAction | None:
        """Return what was decided about a slot, which has moved as that says; None where the run was stopped before."""
        assert slot.last_error is not None
        question = self._observer.question_about(slot, slot.last_error)
        answer = self._standing_answer(question)
        if answer is not None:
            await asyncio.sleep(0)  # or nobody else would be heard while one failure follows the other
        else:
            with self._control.asking():
                self._observer.waiting(question)
                try:
                    answer = await self._answer(question)
                finally:
                    self._observer.waiting(None)
        if answer is None:
            return None
        action, by = answer
        decision = Decision(slot.sequence, slot.attempt_count, action, by, time.time_ns())
        slot.decide(decision)
        self._observer.decided(decision)
        return action

    def _standing_answer(self, question: Question) -> tuple[RecoveryAction, str] | None:
        """Return what was answered before about all errors of this kind: nobody has to wait for that."""
        decider = self._decider
        action = decider.at_once(question) if isinstance(decider, StandingAnswers) else None
        return (action, decider.by) if action is not None and decider is not None else None

    async def _answer(self, question: Question) -> tuple[RecoveryAction, str] | None:
        """Return the decider's answer and its name; None where the run was stopped before it came."""
        decider = self._decider or terminal_or_quit()
        answer: RecoveryAction | None = None

        async def watch(scope: anyio.CancelScope) -> None:
            await self._control.stopped()
            scope.cancel()

        with unwrapped():
            async with anyio.create_task_group() as group:
                group.start_soon(watch, group.cancel_scope)
                answer = await decider.decide(question)
                group.cancel_scope.cancel()
        return None if answer is None else (answer, decider.by)


def _let_go(slot: ActionSlot) -> None:
    """Leave a slot as one whose run ends in its middle: Pending, without the attempt that came to nothing."""
    if slot.state is _IN_PROGRESS:
        if slot.last_attempt is not None and not slot.last_attempt.ended:
            slot.take_back_attempt()
        slot.move(_PENDING)


class _Nobody:
    """An observer of nothing, for slots that are run by hand."""

    def question_about(self, slot: ActionSlot, failure: Failure) -> Question:
        return Question(slot, failure, slot.account_id, slot.action.bid_asset)

    def waiting(self, question: Question | None) -> None: ...

    def attempt_failed(self, attempt: Attempt) -> None: ...

    def decided(self, decision: Decision) -> None: ...

    def slot_ended(self, slot: ActionSlot) -> None: ...


def failure_of(error: Exception) -> Failure:
    """Return what an executor's exception says about its order.

    An `OrderError` says it itself. A timeout or a broken connection leaves it unknown; a refused connection and any other
    exception are taken as the order not placed, to be tried again.
    """
    if isinstance(error, OrderError):
        return Failure(error.code, error.kind, hide(str(error)))
    words = hide(f"{type(error).__name__}: {error}") if str(error) else type(error).__name__
    if isinstance(error, TimeoutError | ConnectionError) and not isinstance(error, ConnectionRefusedError):
        return Failure("unknown", FailureKind.UNKNOWN, words)
    return Failure("error", FailureKind.TRANSIENT, words)


_PENDING, _IN_PROGRESS, _COMPLETED = SlotState.PENDING, SlotState.IN_PROGRESS, SlotState.COMPLETED
