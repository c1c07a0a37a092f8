"""Placing at a venue that outlives the process: each order at most once, whatever is answered, or not."""

import time
from collections.abc import Sequence

import anyio
import pytest

from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.journal import Attempt, Balance, Decision, Event, Execution, RecoveryAction
from orderbook_tui.core.replay import replay
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.checkpoint_journal import Intent
from orderbook_tui.engine.executor import SlotExecutor
from orderbook_tui.engine.placing import WINDOW, Placing
from orderbook_tui.engine.processor import failure_of
from orderbook_tui.errors import FailureKind, OrderError, OutcomeUnknown, Rejected, StorageError, VenueUnavailable
from orderbook_tui.venues.base import Capabilities, Listener, OpenOrder, OrderReport
from tests.builders import a_plan, ask, bid, slots_of, small_market

MARKET = small_market()
SENT_BEFORE = Intent(0, 1, "run-0-0", time.time_ns())


class Elsewhere:
    """A venue that survives. Each placing, and each question about one, gets the next answer of a script; the last for good.

    accept, silent (it has the order, and does not say so), lost (it never hears of it), refuse, busy, hang, down, fault
    """

    def __init__(self, *answers: str, asked: Sequence[str] = ("truth",), can_look_up: bool = True, window: float = 0) -> None:
        self.answers, self.asked = list(answers), list(asked)
        self.capabilities = Capabilities(look_up=can_look_up, fence=can_look_up, deduplicates_for_s=window)
        self.orders: dict[str, int] = {}
        """Lots of each order that it has, by client order id."""
        self.sent: list[str] = []
        self.fenced: set[str] = set()

    async def place(self, slot: ActionSlot, quantity: int) -> Submission:
        name = slot.client_order_id
        self.sent.append(name)
        assert name not in self.fenced
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer in ("accept", "silent", "fault"):
            assert name not in self.orders or self.capabilities.deduplicates_for_s
            self.orders[name] = quantity
        if answer == "accept":
            return Submission(f"venue-{name}", [self._fill(slot, quantity)])
        if answer == "fault":
            raise KeyError("a mistake of whoever wrote the venue")
        if answer == "hang":
            await anyio.sleep_forever()
        raise {"refuse": Rejected("no"), "busy": VenueUnavailable("busy")}.get(answer, OutcomeUnknown("timeout"))

    async def look_up(self, slot: ActionSlot, quantity: int) -> Submission | None:
        assert self.capabilities.look_up
        answer = self.asked.pop(0) if len(self.asked) > 1 else self.asked[0]
        if answer == "down":
            raise OutcomeUnknown("no connection")
        name = slot.client_order_id
        if name in self.orders:
            return Submission(f"venue-{name}", [self._fill(slot, self.orders[name])])
        self.fenced.add(name)
        return None

    def _fill(self, slot: ActionSlot, quantity: int) -> Execution:
        return Execution(slot.sequence, -1, slot.action.price, quantity, 0, 0, 1, "b")

    def place_again(self, slot: ActionSlot, quantity: int) -> Submission:
        raise AssertionError

    async def cancel(self, slot: ActionSlot) -> OrderReport | None:
        return None

    def restore(self, slot: ActionSlot) -> None: ...

    async def open(self, listener: Listener) -> None: ...

    async def close(self) -> None: ...

    async def open_orders(self, accounts: Sequence[str]) -> list[OpenOrder]:
        raise AssertionError

    async def balances(self, accounts: Sequence[str]) -> list[Balance]:
        raise AssertionError


class Disk:
    """Where intents go."""

    def __init__(self) -> None:
        self.commits: list[list[Intent]] = []
        self.full = False

    def intend(self, journal: Sequence[Event], intents: Sequence[Intent]) -> None:
        if self.full:
            raise StorageError("the disk is full")
        self.commits.append(list(intents))

    @property
    def names(self) -> list[str]:
        return [intent.client_order_id for commit in self.commits for intent in commit]


class Desk:
    """An executor on such a venue."""

    def __init__(self, venue: Elsewhere, *, slots: int = 2) -> None:
        orders = [("a", bid(MARKET, 10, 100)), ("b", ask(MARKET, 10, 100))] * (slots // 2)
        self.slots = slots_of(*orders)
        for slot in self.slots:
            slot.run = "run"
        self.plan = a_plan(self.slots)
        self.state, self.budgets, self.settlement = replay(self.plan, self.slots)
        self.disk, self.venue = Disk(), venue
        executor = SlotExecutor(self.state, self.settlement, venue)
        assert executor.elsewhere is not None
        self.placing: Placing = executor.elsewhere.placing
        self.placing.keep_intents(self.disk)

    def attempt(self, sequence: int = 0) -> OrderError | None:
        """Run one attempt as the processor does; return why it failed."""
        slot = self.slots[sequence]
        slot.begin(1)
        try:
            order_id = anyio.run(self.placing.place, slot)
        except OrderError as error:
            slot.fail_attempt(failure_of(error), 2)
            self.state.journal.append(slot.attempts[-1])
            return error
        slot.complete(order_id, 2)
        return None

    def decide(self, action: RecoveryAction) -> None:
        slot = self.slots[0]
        decision = Decision(0, slot.attempt_count, action, "person", 3)
        slot.decide(decision)
        self.state.journal.append(decision)
        if action is RecoveryAction.SKIP:
            self.settlement.give_up(slot)

    @property
    def locked(self) -> int:
        return self.budgets.budget("a", "USD").locked

    def is_what_its_journal_says(self) -> bool:
        """Whether another life, from this journal, has the same budgets."""
        again = replay(self.plan, slots_of(*[(slot.account_id, slot.action) for slot in self.slots]), self.state.journal)
        folded = {(row.account, row.asset) for row in self.settlement.movements(self.state.journal)}
        assert all((b.account.id, b.asset.symbol) in folded or not b.locked for b in self.budgets)
        return [(b.available, b.locked, b.spent) for b in again.budgets] == [
            (b.available, b.locked, b.spent) for b in self.budgets
        ] and self.settlement.locked_by_open_orders() == {
            (b.account.id, b.asset.symbol): b.locked for b in self.budgets if b.locked
        }


def test_an_order_is_on_the_disk_before_it_is_sent() -> None:
    desk = Desk(Elsewhere("accept"))
    desk.disk.full = True
    with pytest.raises(StorageError):
        desk.attempt()

    assert (desk.venue.sent, desk.locked) == ([], 0)


def test_the_intents_of_what_comes_next_are_written_with_the_first_at_a_venue_that_can_be_asked() -> None:
    slots = 2 * WINDOW + 8
    desk = Desk(Elsewhere("accept"), slots=slots)
    for sequence in range(slots):
        desk.attempt(sequence)

    assert [len(commit) for commit in desk.disk.commits] == [WINDOW, WINDOW, 8]
    assert desk.disk.names == desk.venue.sent


def test_a_venue_that_cannot_be_asked_gets_each_intent_by_itself() -> None:
    desk = Desk(Elsewhere("accept", can_look_up=False), slots=4)
    desk.attempt(0)

    assert desk.disk.names == ["run-0-0"]


def test_what_was_announced_and_not_begun_is_withdrawn() -> None:
    desk = Desk(Elsewhere("accept"), slots=4)
    desk.attempt(0)
    desk.placing.withdraw()

    withdrawn = desk.disk.commits[-1]
    found = [(intent.slot, intent.attempt, intent.client_order_id) for intent in withdrawn]
    assert found == [(1, 1, ""), (2, 1, ""), (3, 1, "")]


def test_an_order_that_the_venue_took_in_silence_is_adopted_with_its_fills() -> None:
    desk = Desk(Elsewhere("silent"))

    assert desk.attempt() is None
    assert (desk.slots[0].order_id, desk.slots[0].filled, desk.venue.sent) == ("venue-run-0-0", 10, ["run-0-0"])


def test_an_order_that_never_reached_the_venue_goes_by_a_new_id_when_it_is_tried_again() -> None:
    desk = Desk(Elsewhere("lost", "accept"))
    error = desk.attempt()

    assert error is not None
    assert (error.kind, desk.locked) == (FailureKind.TRANSIENT, 0)
    assert desk.attempt() is None
    assert desk.venue.sent == ["run-0-0", "run-0-1"]


def test_as_long_as_the_venue_cannot_say_the_order_stays_in_doubt_and_its_funds_locked() -> None:
    desk = Desk(Elsewhere("silent", asked=["down", "down", "truth"]))
    errors = [desk.attempt(), desk.attempt()]

    assert [error and error.code for error in errors] == ["unanswered", "unanswered"]
    assert (desk.locked, desk.venue.sent) == (1_000, ["run-0-0"])
    assert desk.is_what_its_journal_says()
    assert desk.attempt() is None
    assert (desk.slots[0].filled, desk.venue.sent) == (10, ["run-0-0"])
    assert desk.is_what_its_journal_says()


def test_a_refusal_says_nothing_about_an_earlier_try_that_was_not_answered() -> None:
    desk = Desk(Elsewhere("silent", "refuse", can_look_up=False))
    desk.attempt()
    desk.decide(RecoveryAction.RETRY)
    error = desk.attempt()

    assert isinstance(error, OutcomeUnknown)
    assert (desk.locked, set(desk.venue.sent)) == (1_000, {"run-0-0"})
    assert desk.is_what_its_journal_says()


def test_a_venue_that_cannot_be_asked_gets_nothing_again_until_a_person_says_retry() -> None:
    desk = Desk(Elsewhere("silent", can_look_up=False))
    desk.attempt()
    desk.decide(RecoveryAction.QUIT)
    error = desk.attempt()

    assert isinstance(error, OutcomeUnknown)
    assert desk.venue.sent == ["run-0-0"]
    assert "TWICE" in desk.placing.risk(desk.slots[0])


def test_a_slot_that_is_skipped_in_doubt_gives_back_what_it_locked() -> None:
    desk = Desk(Elsewhere("silent", can_look_up=False))
    desk.attempt()
    desk.decide(RecoveryAction.SKIP)

    assert desk.locked == 0
    assert desk.is_what_its_journal_says()


def test_a_slot_left_failed_in_doubt_keeps_what_it_locked() -> None:
    desk = Desk(Elsewhere("silent", can_look_up=False))
    desk.attempt()
    desk.decide(RecoveryAction.CONTINUE)

    assert desk.locked == 1_000
    assert desk.is_what_its_journal_says()


def test_a_venue_that_takes_no_id_twice_gets_the_same_again() -> None:
    desk = Desk(Elsewhere("silent", "accept", can_look_up=False, window=60))
    error = desk.attempt()

    assert error is not None
    assert error.code == "unanswered"
    assert desk.attempt() is None
    assert desk.venue.sent == ["run-0-0", "run-0-0"]


def test_a_venue_that_has_forgotten_its_ids_gets_nothing_again_without_a_person() -> None:
    desk = Desk(Elsewhere("silent", "accept", can_look_up=False, window=0.02))
    desk.attempt()
    time.sleep(0.03)
    error = desk.attempt()

    assert isinstance(error, OutcomeUnknown)
    assert error.code == "unknown"
    desk.decide(RecoveryAction.RETRY)
    assert desk.attempt() is None


def test_what_an_earlier_life_may_have_sent_is_looked_up_before_anything_is_placed() -> None:
    venue = Elsewhere("accept")
    venue.orders["run-0-0"] = 10
    desk = Desk(venue)
    desk.placing.recall([SENT_BEFORE])

    assert desk.attempt() is None
    assert (desk.slots[0].attempt_count, desk.slots[0].filled, venue.sent) == (1, 10, [])


def test_what_an_earlier_life_did_not_get_to_send_is_placed_under_a_new_id_in_the_same_attempt() -> None:
    desk = Desk(Elsewhere("accept"))
    desk.placing.recall([SENT_BEFORE])

    assert desk.attempt() is None
    assert (desk.slots[0].attempt_count, desk.venue.sent) == (1, ["run-0-1"])


def test_what_cannot_be_paid_for_any_more_ends_the_run_instead_of_being_taken_for_not_placed() -> None:
    desk = Desk(Elsewhere("accept"))
    desk.venue.orders["run-0-0"] = 10
    desk.placing.recall([SENT_BEFORE])
    desk.budgets.budget("a", "USD").lock(10**15)

    with pytest.raises(Exception, match="may have an order at the venue"):
        desk.attempt()


def test_what_cannot_be_paid_for_any_more_and_never_came_to_be_is_just_not_placed() -> None:
    desk = Desk(Elsewhere("accept"))
    desk.placing.recall([SENT_BEFORE])
    desk.budgets.budget("a", "USD").lock(10**15)

    error = desk.attempt()
    assert error is not None
    assert error.code == "budget"
    assert desk.venue.fenced == {"run-0-0"}


def test_what_was_filled_while_nobody_listened_is_settled_once() -> None:
    venue = Elsewhere("accept")
    desk = Desk(venue)
    desk.attempt()
    slot = desk.slots[0]
    again = Desk(venue)
    lived = [Attempt(0, 1, 1, 2, "venue-run-0-0")]
    again.settlement.replay(lived)
    again.state.journal.extend(lived)
    executor = SlotExecutor(again.state, again.settlement, venue)
    assert executor.elsewhere is not None
    executor.elsewhere.placing.recall([])

    assert anyio.run(executor.elsewhere.catch_up) == 0
    assert (again.slots[0].filled, again.slots[0].open) == (slot.filled, slot.open)
    executor.elsewhere.placing.recall([])
    anyio.run(executor.elsewhere.catch_up)
    assert again.slots[0].filled == slot.filled


def test_a_fault_of_the_venues_code_says_nothing_about_the_order() -> None:
    desk = Desk(Elsewhere("fault", "accept"))
    with pytest.raises(KeyError):
        desk.attempt()
    desk.slots[0].take_back_attempt()

    assert desk.attempt() is None
    assert (desk.slots[0].filled, desk.venue.sent) == (10, ["run-0-0"])


def test_an_attempt_whose_answer_nobody_waited_for_is_in_doubt() -> None:
    desk = Desk(Elsewhere("hang"))

    async def impatient() -> None:
        desk.slots[0].begin(1)
        with anyio.move_on_after(0.01):
            await desk.placing.place(desk.slots[0])

    anyio.run(impatient)
    assert desk.slots[0].in_doubt
    assert desk.is_what_its_journal_says()


def test_attempts_that_were_refused_for_good_go_by_another_id_the_next_time() -> None:
    desk = Desk(Elsewhere("refuse", "accept"))
    desk.attempt()
    desk.decide(RecoveryAction.RETRY)

    assert desk.attempt() is None
    assert desk.venue.sent == ["run-0-0", "run-0-1"]
    assert [type(event) for event in desk.state.journal][:2] == [Attempt, Decision]


def test_a_retry_from_before_a_crash_is_no_leave_to_send_again_what_was_sent_after_it() -> None:
    desk = Desk(Elsewhere("silent", "accept", can_look_up=False, window=0.01))
    desk.attempt()
    time.sleep(0.02)
    desk.decide(RecoveryAction.RETRY)
    desk.placing.recall([Intent(0, 2, "run-0-0", 1)])
    error = desk.attempt()

    assert isinstance(error, OutcomeUnknown)
    assert desk.venue.sent == ["run-0-0"]


def test_an_order_that_nobody_waited_for_is_asked_about_before_any_person_is() -> None:
    desk = Desk(Elsewhere("hang"))
    desk.slots[0].begin(1)

    async def give_up_waiting() -> None:
        with anyio.move_on_after(0.01):
            await desk.placing.place(desk.slots[0])

    anyio.run(give_up_waiting)
    slot = desk.slots[0]
    assert slot.in_doubt
    assert not slot.must_ask
    desk.venue.answers = ["accept"]
    assert desk.attempt() is None
    assert desk.venue.fenced == {"run-0-0"}
