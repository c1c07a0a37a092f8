"""A slot under any operations, right and wrong, against what its attempts and decisions say of it."""

from collections.abc import Callable
from copy import deepcopy

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orderbook_tui.core.journal import Attempt, Decision, Failure, RecoveryAction
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.errors import NOT_THERE, UNANSWERED, FailureKind, IllegalTransition
from tests.builders import PERMANENT, TRANSIENT, UNKNOWN, a_slot
from tests.machines import effort

FAILURES = {
    "transient": TRANSIENT,
    "permanent": PERMANENT,
    "unknown": UNKNOWN,
    "not there": Failure(NOT_THERE, FailureKind.TRANSIENT, "it is not there"),
    "unanswered": Failure(UNANSWERED, FailureKind.UNKNOWN, "no answer"),
}
PENDING, IN_PROGRESS = SlotState.PENDING, SlotState.IN_PROGRESS
COMPLETED, FAILED, SKIPPED = SlotState.COMPLETED, SlotState.FAILED, SlotState.SKIPPED
ENDS = {
    RecoveryAction.RETRY: IN_PROGRESS,
    RecoveryAction.SKIP: SKIPPED,
    RecoveryAction.CONTINUE: FAILED,
    RecoveryAction.QUIT: PENDING,
}


class Slot(RuleBasedStateMachine):
    """A slot and its model: the state, how many attempts it may have, and the records."""

    @initialize(retries=st.integers(0, 3))
    def make(self, retries: int) -> None:
        self.slot = a_slot(max_retries=retries)
        self.retries, self.allowed, self.state = retries, retries + 1, PENDING
        self.records: list[Attempt | Decision] = []
        self.attempts: list[Attempt] = []
        self.under_way = False
        self.clock = 0

    @precondition(lambda self: not self.under_way)
    @rule()
    def begin(self) -> None:
        if self.state in (COMPLETED, SKIPPED):
            self._refused(lambda slot: slot.begin(self.clock))
            return
        self.slot.begin(self._now())
        if self.state is FAILED:
            self.allowed = len(self.attempts) + 1 + self.retries
        self.state, self.under_way = IN_PROGRESS, True

    @precondition(lambda self: self.under_way)
    @rule(order_id=st.one_of(st.integers(0, 9), st.text(max_size=3)))
    def complete(self, order_id: int | str) -> None:
        self.slot.complete(order_id, self._now())
        self._ended(self.slot.attempts[-1])
        self.state = COMPLETED

    @precondition(lambda self: self.under_way)
    @rule(called=st.sampled_from(sorted(FAILURES)))
    def fail(self, called: str) -> None:
        failure = FAILURES[called]
        self.slot.fail_attempt(failure, self._now())
        self._ended(self.slot.attempts[-1])
        if failure.kind is not FailureKind.TRANSIENT and failure.code != UNANSWERED:
            self.allowed = len(self.attempts)

    @precondition(lambda self: not self.under_way)
    @rule(action=st.sampled_from(RecoveryAction))
    def decide(self, action: RecoveryAction) -> None:
        decision = Decision(0, len(self.attempts), action, "test", self._now())
        legal = {IN_PROGRESS, FAILED} if action is RecoveryAction.SKIP else {IN_PROGRESS}
        if self.state not in legal:
            self._refused(lambda slot: slot.decide(decision))
            return
        self.slot.decide(decision)
        self.records.append(decision)
        self.state = ENDS[action]
        if action is RecoveryAction.RETRY:
            self.allowed = len(self.attempts) + 1
        elif action is RecoveryAction.QUIT:
            self.allowed = len(self.attempts) + 1 + self.retries

    @precondition(lambda self: not self.under_way and self.state is not IN_PROGRESS)
    @rule()
    def end_what_is_not_under_way(self) -> None:
        self._refused(lambda slot: slot.complete(1, self.clock))
        self._refused(lambda slot: slot.fail_attempt(TRANSIENT, self.clock))

    @precondition(lambda self: not self.under_way)
    @rule(taken_back=st.booleans())
    def place_again(self, taken_back: bool) -> None:
        if self.state is not COMPLETED:
            self._refused(lambda slot: slot.begin_again(self.clock))
            return
        attempt = self.slot.begin_again(self._now())
        if taken_back:
            self.slot.take_back_attempt()
        else:
            attempt.order_id, attempt.ended = "again", attempt.started
            self._ended(attempt)

    @rule(state=st.sampled_from(SlotState))
    def move_nowhere(self, state: SlotState) -> None:
        legal = {PENDING: {IN_PROGRESS}, IN_PROGRESS: {PENDING, COMPLETED, FAILED, SKIPPED}, FAILED: {IN_PROGRESS, SKIPPED}}
        if state not in legal.get(self.state, set()):
            self._refused(lambda slot: slot.move(state))

    @invariant()
    def it_stands_where_its_records_say(self) -> None:
        slot, ended = self.slot, self.attempts
        assert (slot.state, slot.allowed_attempts) == (self.state, self.allowed)
        assert slot.attempt_count == len(ended) + self.under_way
        assert [attempt.number for attempt in slot.attempts] == list(range(1, slot.attempt_count + 1))
        assert slot.decisions == tuple(each for each in self.records if isinstance(each, Decision))

    @invariant()
    def its_order_goes_by_another_name_once_nothing_can_come_of_the_last(self) -> None:
        before = self.attempts if self.under_way else self.attempts[:-1]
        settled = sum(_is_settled(attempt) for attempt in before)
        assert self.slot.generation == settled
        assert self.slot.client_order_id == f"run-0-{settled}"
        assert self.slot.begins_anew == (bool(self.attempts) and not self.under_way and _is_settled(self.attempts[-1]))

    @invariant()
    def it_is_in_doubt_while_its_last_answer_is_unknown(self) -> None:
        last = self.attempts[-1].failure if self.attempts else None
        unknown = last is not None and last.kind is FailureKind.UNKNOWN
        assert self.slot.in_doubt == (unknown and self.state is not SKIPPED)

    @invariant()
    def somebody_is_asked_when_its_attempts_are_spent(self) -> None:
        failed = not self.under_way and bool(self.attempts) and self.attempts[-1].failure is not None
        assert self.slot.must_ask == (self.state is IN_PROGRESS and failed and len(self.attempts) >= self.allowed)

    @invariant()
    def its_records_bring_it_back(self) -> None:
        if self.under_way:
            return
        restored = a_slot(max_retries=self.retries)
        for record in deepcopy(self.records):
            restored.restore_attempt(record) if isinstance(record, Attempt) else restored.decide(record)
        assert restored == self.slot

    def _refused(self, operation: Callable[[ActionSlot], object]) -> None:
        before = deepcopy(self.slot)
        try:
            operation(self.slot)
        except IllegalTransition:
            assert self.slot == before
        else:
            raise AssertionError(f"{self.state} allowed it")

    def _ended(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        self.records.append(attempt)
        self.under_way = False

    def _now(self) -> int:
        self.clock += 1
        return self.clock


def _is_settled(attempt: Attempt) -> bool:
    failure = attempt.failure
    return failure is None or failure.kind is FailureKind.PERMANENT or failure.code == NOT_THERE


TestSlot = Slot.TestCase
TestSlot.settings = effort(60, 25)
