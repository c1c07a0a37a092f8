"""A run by hand: what the executor does, step by step, with a journal, so that tests can stop and look anywhere."""

from orderbook_tui.core.book import SelfTradePrevention
from orderbook_tui.core.exchange import Exchange, Submission
from orderbook_tui.core.invariants import invariants
from orderbook_tui.core.journal import Cancel, Decision, Failure, RecoveryAction
from orderbook_tui.core.replay import replay
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import Plan
from orderbook_tui.errors import FailureKind, InsufficientBudget, OrderError


class Run:
    """A plan's slots on an exchange, with a journal. A failed slot is skipped; `now` counts the steps."""

    def __init__(
        self,
        plan: Plan,
        slots: list[ActionSlot],
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST,
    ) -> None:
        self.plan = plan
        self.state, self.budgets, self.settlement = replay(plan, slots)
        self.slots = slots
        self.exchange = Exchange(plan.markets, plan.fees, self_trade_prevention)
        self.now = 0

    def tick(self) -> int:
        self.now += 1
        return self.now

    def place(self, slot: ActionSlot) -> None:
        """Place the slot's order, or raise why not."""
        slot.begin(self.tick())
        try:
            submission, quantity = self.submit(slot)
        except OrderError as error:
            self.end_attempt(slot, Failure(error.code, error.kind, str(error)))
            raise
        slot.complete(submission.order_id, self.tick())
        self.state.stats.count(slot.state)
        self.settle(slot, quantity, submission)

    def place_again(self, slot: ActionSlot) -> None:
        """Place what a Completed slot's cancelled order left unfilled, or raise why not."""
        attempt = slot.begin_again(self.tick())
        try:
            submission, quantity = self.submit(slot)
        except OrderError:
            slot.take_back_attempt()
            raise
        attempt.order_id, attempt.ended = submission.order_id, self.tick()
        self.state.stats.orders_placed_again += 1
        self.settle(slot, quantity, submission)

    def submit(self, slot: ActionSlot) -> tuple[Submission, int]:
        """Send the slot's remainder to the exchange; a refusal gives back what was locked."""
        quantity = slot.action.quantity - slot.filled if slot.in_doubt else self.settlement.reserve(slot)
        try:
            return self.exchange.submit(slot.account_id, slot.action, quantity, slot.sequence, self.tick()), quantity
        except OrderError:
            self.settlement.give_back(slot)
            raise

    def settle(self, slot: ActionSlot, quantity: int, submission: Submission) -> None:
        """Do what an accepted order came to, and write it down."""
        slot.open = quantity
        self.state.journal.append(slot.attempts[-1])
        for execution in submission.executions:
            self.settlement.execute(execution)
            self.state.journal.append(execution)
            self.state.stats.total_matches += 1
        for sequence, _ in submission.cancelled:
            self.cancelled(self.slots[sequence])

    def fail(self, slot: ActionSlot, failure: Failure) -> None:
        """Make an attempt of which nothing is placed, as far as anybody knows; in doubt, what it needs stays locked."""
        held = slot.in_doubt
        slot.begin(self.tick())
        if failure.kind is FailureKind.UNKNOWN and not held:
            try:
                self.settlement.hold(slot)
            except InsufficientBudget as error:
                failure = Failure(error.code, error.kind, str(error))
        elif held and failure.kind is not FailureKind.UNKNOWN:
            self.settlement.give_back(slot)
        self.end_attempt(slot, failure)

    def end_attempt(self, slot: ActionSlot, failure: Failure) -> None:
        slot.fail_attempt(failure, self.tick())
        self.state.journal.append(slot.attempts[-1])

    def decide(self, slot: ActionSlot, action: RecoveryAction) -> None:
        decision = Decision(slot.sequence, slot.attempt_count, action, "test", self.tick())
        self.state.stats.count(slot.state, -1)
        slot.decide(decision)
        self.state.journal.append(decision)
        if action is RecoveryAction.SKIP:
            self.settlement.give_up(slot)
        self.state.stats.count(slot.state)

    def cancel(self, slot: ActionSlot) -> None:
        """Cancel what is open of the slot's order, if anything is."""
        if slot.open:
            assert isinstance(slot.order_id, int)
            assert self.exchange.cancel(slot.order_id) == slot.open
            self.cancelled(slot)

    def cancelled(self, slot: ActionSlot) -> None:
        self.state.journal.append(Cancel(slot.sequence, slot.open, self.tick()))
        self.settlement.cancel(slot)

    def step(self, slot: ActionSlot) -> str:
        """Run one slot to its end, and its pair where it is the second; return why it failed, or nothing."""
        error = ""
        try:
            self.place(slot)
        except OrderError as refusal:
            error = str(refusal)
            self.decide(slot, RecoveryAction.SKIP)
        if slot.sequence & 1 and slot.action.matching_strategy.account is not None:
            self.cancel(self.slots[slot.partner])
            self.cancel(slot)
        return error

    def to_the_end(self) -> dict[int, str]:
        """Run all pending slots; return those that failed, and why."""
        pending = [slot for slot in self.slots if slot.state is SlotState.PENDING]
        return {slot.sequence: error for slot in pending if (error := self.step(slot))}

    def drain(self) -> None:
        """Cancel every open order."""
        for slot in self.slots:
            self.cancel(slot)

    def broken(self) -> list[str]:
        """The names of the invariants that do not hold."""
        checks = invariants(self.state, self.budgets, self.settlement, self.exchange)
        return [name for name, holds in checks.items() if not holds]


def pots(run: Run) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    """What every budget of a run holds: available, locked, spent, received."""
    return {
        (budget.account.id, budget.asset.symbol): (budget.available, budget.locked, budget.spent, budget.received)
        for budget in run.budgets
    }
