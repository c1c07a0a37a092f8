"""The processor: attempts, waits, decisions, and the event loop's share."""

import time
from collections.abc import Callable, Iterator

import anyio
import anyio.lowlevel
import pytest

from orderbook_tui.core.book import Side
from orderbook_tui.core.journal import Attempt, Decision, Failure, RecoveryAction
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.engine.control import Ending, RunControl
from orderbook_tui.engine.decisions import Decider, PolicyDecider, Question
from orderbook_tui.engine.processor import Executor, ProcessorResults, SlotProcessor, failure_of
from orderbook_tui.engine.retry import Backoff
from orderbook_tui.errors import (
    FailureKind,
    InsufficientBudget,
    OrderError,
    OutcomeUnknown,
    Rejected,
    VenueUnavailable,
)
from tests.builders import ask, bid, slots_of, small_market
from tests.engine.runs import CONTINUE, QUIT, SKIP, Never, Scripted

MARKET = small_market()
NO_JITTER = Backoff(base_delay_ms=500, jitter=0)


def some_slots(count: int = 2) -> list[ActionSlot]:
    """So many slots with three retries each."""
    return slots_of(*(("ab"[n % 2], (ask if n % 2 else bid)(MARKET, 1, 100)) for n in range(count)))


class Venue:
    """An executor that fails as it is told: attempt by attempt the errors given, then never."""

    def __init__(self, *errors: Exception, slot: int = 0) -> None:
        self._errors = list(errors)
        self._slot = slot
        self.calls: list[int] = []

    def __call__(self, slot: ActionSlot) -> int:
        self.calls.append(slot.sequence)
        if slot.sequence == self._slot and self._errors:
            raise self._errors.pop(0)
        return 1000 + slot.sequence


def away() -> VenueUnavailable:
    return VenueUnavailable("away")


class FakeWaits(RunControl):
    """Controls that note waits in place of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    async def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return await super().wait(0)


def process(
    slots: list[ActionSlot],
    executor: Executor,
    decider: Decider | None = SKIP,
    control: RunControl | None = None,
    failures: type[Exception] = Exception,
) -> ProcessorResults:
    """Run the slots, with the waits noted and not waited."""
    processor = SlotProcessor(backoff=NO_JITTER, decider=decider, control=control or FakeWaits(), failures=failures)
    return anyio.run(processor.process_slots, slots, executor)


def test_slots_run_in_the_order_given() -> None:
    venue = Venue()
    process(some_slots(5), venue)

    assert venue.calls == [0, 1, 2, 3, 4]


def test_a_slot_that_was_placed_is_completed() -> None:
    slots = some_slots()
    process(slots, Venue())

    assert [slot.state for slot in slots] == [SlotState.COMPLETED] * 2


def test_a_completed_slot_knows_its_order() -> None:
    slots = some_slots()
    process(slots, Venue())

    assert [slot.order_id for slot in slots] == [1000, 1001]


def test_an_async_executor_is_awaited() -> None:
    async def place(slot: ActionSlot) -> str:
        await anyio.lowlevel.checkpoint()
        return f"order-{slot.sequence}"

    slots = some_slots()
    process(slots, place)

    assert [slot.order_id for slot in slots] == ["order-0", "order-1"]


def test_a_plain_executor_may_answer_a_text() -> None:
    slots = some_slots(1)
    process(slots, lambda slot: "order")

    assert slots[0].order_id == "order"


def test_results_count_how_the_slots_ended() -> None:
    results = process(some_slots(4), Venue(Rejected("no"), slot=1), Scripted(RecoveryAction.SKIP))

    assert results == ProcessorResults(Ending.DONE, completed=3, failed=0, skipped=1)


def test_only_pending_slots_run() -> None:
    slots = some_slots(3)
    slots[1].begin(1)
    slots[1].complete(7, 2)
    venue = Venue()
    process(slots, venue)

    assert venue.calls == [0, 2]


def test_a_transient_error_is_retried_until_it_is_cured() -> None:
    slots = some_slots(1)
    process(slots, Venue(away(), away(), away()))

    assert (slots[0].state, slots[0].attempt_count) == (SlotState.COMPLETED, 4)


def test_retries_are_the_first_try_and_max_retries_more() -> None:
    slots = some_slots(1)
    process(slots, Venue(*(away() for _ in range(9))))

    assert slots[0].attempt_count == 4


def test_without_retries_there_is_one_attempt() -> None:
    slots = some_slots(1)
    slots[0].max_retries, slots[0].allowed_attempts = 0, 1
    process(slots, Venue(*(away() for _ in range(9))))

    assert slots[0].attempt_count == 1


def test_the_waits_double() -> None:
    control = FakeWaits()
    process(some_slots(1), Venue(*(away() for _ in range(9))), control=control)

    assert control.waits == [0.5, 1, 2]


def test_waits_really_take_their_time() -> None:
    processor = SlotProcessor(backoff=Backoff(base_delay_ms=20, jitter=0), decider=SKIP)
    began = time.monotonic()
    anyio.run(processor.process_slots, some_slots(1), Venue(away(), away()))

    assert time.monotonic() - began >= 0.06


@pytest.mark.parametrize(
    "error", [Rejected("no"), InsufficientBudget(MARKET.price(2), MARKET.price(1), account="a", asset="USD")], ids=type
)
def test_a_permanent_error_is_asked_about_at_once(error: OrderError) -> None:
    slots, decider, control = some_slots(1), Scripted(RecoveryAction.SKIP), FakeWaits()
    process(slots, Venue(error), decider, control)

    assert (decider.asked, slots[0].attempt_count, control.waits) == ([0], 1, [])


def test_an_unknown_outcome_is_asked_about_at_once() -> None:
    slots, decider = some_slots(1), Scripted(RecoveryAction.SKIP)
    process(slots, Venue(OutcomeUnknown("no answer")), decider)

    assert (decider.asked, slots[0].attempt_count) == ([0], 1)


def test_the_slot_is_in_progress_while_it_is_asked_about() -> None:
    seen = []

    class Looks(PolicyDecider):
        async def decide(self, question: Question) -> RecoveryAction:
            seen.append(question.slot.state)
            return await super().decide(question)

    process(some_slots(1), Venue(Rejected("no")), Looks(RecoveryAction.SKIP))
    assert seen == [SlotState.IN_PROGRESS]


def test_retry_is_one_more_attempt_and_then_the_next_question() -> None:
    slots = some_slots(1)
    decider = Scripted(RecoveryAction.RETRY, RecoveryAction.RETRY, RecoveryAction.SKIP)
    process(slots, Venue(*(away() for _ in range(9))), decider)

    assert (slots[0].attempt_count, len(decider.asked)) == (6, 3)


def test_retry_waits_for_nothing() -> None:
    control = FakeWaits()
    process(
        some_slots(1), Venue(*(Rejected("no") for _ in range(2))), Scripted(RecoveryAction.RETRY, RecoveryAction.SKIP), control
    )

    assert control.waits == []


def test_a_retry_that_succeeds_completes_the_slot() -> None:
    slots = some_slots(1)
    process(slots, Venue(Rejected("no")), Scripted(RecoveryAction.RETRY))

    assert slots[0].state is SlotState.COMPLETED


def test_skip_goes_on_with_the_next() -> None:
    slots = some_slots()
    process(slots, Venue(Rejected("no")), Scripted(RecoveryAction.SKIP))

    assert [slot.state for slot in slots] == [SlotState.SKIPPED, SlotState.COMPLETED]


def test_continue_leaves_the_slot_failed_and_goes_on() -> None:
    slots = some_slots()
    process(slots, Venue(Rejected("no")), Scripted(RecoveryAction.CONTINUE))

    assert [slot.state for slot in slots] == [SlotState.FAILED, SlotState.COMPLETED]


def test_quit_ends_the_run_with_the_slot_pending() -> None:
    slots = some_slots()
    results = process(slots, Venue(Rejected("no")), QUIT)

    assert (results.ending, [slot.state for slot in slots]) == (Ending.QUIT, [SlotState.PENDING] * 2)


def test_after_quit_all_retries_are_there_afresh() -> None:
    slots, venue = some_slots(1), Venue(*(away() for _ in range(99)))
    process(slots, venue, QUIT)
    process(slots, venue, QUIT)

    assert slots[0].attempt_count == 8


def test_attempts_go_on_counting_after_quit() -> None:
    slots, venue = some_slots(1), Venue(Rejected("no"))
    process(slots, venue, QUIT)
    process(slots, venue)

    assert [attempt.number for attempt in slots[0].attempts] == [1, 2]


def test_every_decision_is_kept_with_its_slot() -> None:
    slots = some_slots(1)
    process(slots, Venue(Rejected("no"), Rejected("no")), Scripted(RecoveryAction.RETRY, RecoveryAction.SKIP))

    assert [(d.attempt, d.action, d.by) for d in slots[0].decisions] == [(1, "retry", "person"), (2, "skip", "person")]


@pytest.mark.parametrize(
    "error", [ValueError("odd"), RuntimeError(), KeyError("x"), ConnectionRefusedError("closed")], ids=type
)
def test_any_exception_of_an_executor_is_retried(error: Exception) -> None:
    slots = some_slots(1)
    process(slots, Venue(error))

    assert (slots[0].state, slots[0].attempt_count) == (SlotState.COMPLETED, 2)


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError("gone")], ids=type)
def test_a_broken_connection_leaves_the_outcome_unknown(error: Exception) -> None:
    assert failure_of(error).kind is FailureKind.UNKNOWN


def test_an_exception_without_words_goes_by_its_name() -> None:
    assert failure_of(RuntimeError()).message == "RuntimeError"


def test_an_exception_of_an_async_executor_is_retried() -> None:
    left = [RuntimeError("once")]

    async def place(slot: ActionSlot) -> int:
        await anyio.lowlevel.checkpoint()
        if left:
            raise left.pop()
        return 1

    slots = some_slots(1)
    process(slots, place)
    assert slots[0].attempt_count == 2


def test_what_is_no_failure_of_an_order_ends_the_run() -> None:
    with pytest.raises(ZeroDivisionError):
        process(some_slots(1), Venue(ZeroDivisionError()), failures=OrderError)


def test_an_error_of_the_decider_comes_out_as_itself() -> None:
    with pytest.raises(IndexError):
        process(some_slots(1), Venue(Rejected("no")), Scripted())


def stopped_during(what: Callable[[RunControl], Decider], *errors: Exception) -> tuple[ProcessorResults, ActionSlot, float]:
    """Run one slot that fails, and stop it soon; return the results, the slot and how long it took."""
    slots, control = some_slots(1), RunControl()
    processor = SlotProcessor(backoff=Backoff(base_delay_ms=20_000), decider=what(control), control=control)
    results = []
    began = time.monotonic()

    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_stop_soon, control)
            results.append(await processor.process_slots(slots, Venue(*errors)))

    anyio.run(both)
    return results[0], slots[0], time.monotonic() - began


async def _stop_soon(control: RunControl) -> None:
    await anyio.sleep(0.03)
    control.stop()


def test_a_stop_during_a_wait_gives_the_slot_back() -> None:
    results, slot, _ = stopped_during(lambda control: SKIP, away())

    assert (results.ending, slot.state) == (Ending.STOPPED, SlotState.PENDING)


def test_a_stop_ends_a_long_wait_at_once() -> None:
    assert stopped_during(lambda control: SKIP, away())[2] < 5


def test_a_stop_during_a_question_gives_the_slot_back_undecided() -> None:
    results, slot, _ = stopped_during(lambda control: Never(), Rejected("no"))

    assert (results.ending, slot.state, slot.decisions) == (Ending.STOPPED, SlotState.PENDING, ())


def test_a_question_that_a_stop_cut_off_is_asked_before_anything_is_tried() -> None:
    _, slot, _ = stopped_during(lambda control: Never(), Rejected("no"))
    decider, venue = Scripted(RecoveryAction.SKIP), Venue()
    process([slot], venue, decider)

    assert (decider.asked, venue.calls) == ([0], [])


def test_a_stop_during_a_wait_costs_no_retry() -> None:
    _, slot, _ = stopped_during(lambda control: SKIP, away())
    process([slot], Venue(*(away() for _ in range(9))))

    assert slot.attempt_count == 4


def test_a_stopped_run_starts_no_slot() -> None:
    control, venue = RunControl(), Venue()
    control.stop()

    assert (process(some_slots(), venue, control=control).ending, venue.calls) == (Ending.STOPPED, [])


def revisited(slots: list[ActionSlot], executor: Executor, decider: Decider = SKIP) -> ProcessorResults:
    """Run the failed slots once more."""
    for slot in slots:
        if slot.state is SlotState.FAILED:
            slot.decide(Decision(slot.sequence, slot.attempt_count, RecoveryAction.RETRY, "person", 0))
    return process(slots, executor, decider)


def test_revisiting_runs_the_failed_slots_alone() -> None:
    slots = some_slots(3)
    process(slots, Venue(Rejected("no"), slot=1), CONTINUE)
    venue = Venue()
    revisited(slots, venue)

    assert venue.calls == [1]


def test_a_revisited_slot_has_all_its_retries_afresh() -> None:
    slots = some_slots(1)
    process(slots, Venue(Rejected("no")), CONTINUE)
    revisited(slots, Venue(*(away() for _ in range(9))))

    assert slots[0].attempt_count == 5


def test_a_revisited_slot_may_be_skipped() -> None:
    slots = some_slots(1)
    process(slots, Venue(Rejected("no")), CONTINUE)
    revisited(slots, Venue(Rejected("no")))

    assert slots[0].state is SlotState.SKIPPED


def turns_of_another_task(slots: list[ActionSlot], executor: Executor, decider: Decider = SKIP) -> int:
    """How often another task of the event loop got its turn while the slots ran."""
    turns, done = 0, False

    async def other() -> None:
        nonlocal turns
        while not done:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async def both() -> None:
        nonlocal done
        processor = SlotProcessor(backoff=Backoff(base_delay_ms=0), decider=decider)
        async with anyio.create_task_group() as group:
            group.start_soon(other)
            await processor.process_slots(slots, executor)
            done = True

    anyio.run(both)
    return turns


def test_other_tasks_get_their_turns_while_fifty_thousand_slots_run() -> None:
    assert turns_of_another_task(some_slots(50_000), lambda slot: 1) > 10


def test_the_event_loop_is_not_asked_for_every_slot() -> None:
    assert turns_of_another_task(some_slots(50_000), lambda slot: 1) < 25_000


def test_other_tasks_get_their_turns_while_retries_wait_for_nothing() -> None:
    slots = some_slots(1)
    slots[0].allowed_attempts = 501

    assert turns_of_another_task(slots, Venue(*(away() for _ in range(999)))) > 100


def test_slots_run_with_a_processor_alone() -> None:
    async def page() -> ProcessorResults:
        processor = SlotProcessor(500)
        return await processor.process_slots(slots, place_order)

    async def place_order(slot: ActionSlot) -> str:
        return f"order-{slot.sequence}"

    slots = some_slots(4)
    assert anyio.run(page).completed == 4


def test_without_a_terminal_a_question_quits() -> None:
    results = anyio.run(SlotProcessor(0).process_slots, some_slots(), Venue(Rejected("no")))

    assert results.ending is Ending.QUIT


def test_an_iterator_of_slots_will_do() -> None:
    def bids() -> Iterator[ActionSlot]:
        return (slot for slot in slots if slot.action.side is Side.BID)

    slots, venue = some_slots(6), Venue()
    anyio.run(SlotProcessor(0).process_slots, bids(), venue)

    assert venue.calls == [0, 2, 4]


class Log:
    """An observer that writes down what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def question_about(self, slot: ActionSlot, failure: Failure) -> Question:
        return Question(slot, failure, slot.account_id, slot.action.bid_asset)

    def waiting(self, question: Question | None) -> None:
        self.lines.append("waiting" if question is not None else "answered")

    def attempt_failed(self, attempt: Attempt) -> None:
        self.lines.append(f"failed {attempt.slot}.{attempt.number}")

    def decided(self, decision: Decision) -> None:
        self.lines.append(decision.action.value)

    def slot_ended(self, slot: ActionSlot) -> None:
        self.lines.append(f"{slot.state.value} {slot.sequence}")


def test_the_observer_is_told_everything_in_order() -> None:
    log = Log()
    processor = SlotProcessor(decider=Scripted(RecoveryAction.RETRY, RecoveryAction.SKIP), observer=log)
    anyio.run(processor.process_slots, some_slots(), Venue(Rejected("no"), Rejected("no")))

    assert log.lines == [
        "failed 0.1", "waiting", "answered", "retry", "failed 0.2", "waiting", "answered", "skip", "Skipped 0", "Completed 1",
    ]  # fmt: skip
