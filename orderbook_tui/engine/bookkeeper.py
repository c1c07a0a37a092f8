"""The bookkeeper: keeps journal, statistics, pairs and checkpoint in step with what the processor does."""

import time
from collections.abc import Awaitable, Callable, Iterable
from inspect import iscoroutine

from orderbook_tui.core.budget import BudgetStore
from orderbook_tui.core.journal import Attempt, Decision, Failure, RecoveryAction
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.decisions import Question
from orderbook_tui.engine.elsewhere import Closing
from orderbook_tui.engine.executor import SlotExecutor
from orderbook_tui.engine.persistence import CheckpointWriter


class Bookkeeper:
    """The processor's observer for one run of a simulation's slots.

    `asked` is told of a question, and (None) that it is answered; `failed` of an attempt that failed.
    """

    def __init__(
        self,
        state: SimulationState,
        budgets: BudgetStore,
        settlement: Settlement,
        executor: SlotExecutor,
        writer: CheckpointWriter | None,
        *,
        asked: Callable[[Question | None], None],
        failed: Callable[[Attempt], None],
        at_once: int = 1,
    ) -> None:
        self._state, self._budgets, self._settlement, self._executor = state, budgets, settlement, executor
        self._writer = writer
        self._asked, self._failed, self._at_once = asked, failed, at_once

    def slot_ended(self, slot: ActionSlot) -> Closing:
        state = self._state
        if slot.state is _COMPLETED:
            state.stats.completed_slots += 1
        else:
            state.stats.count(slot.state)
        if slot.decisions:
            closing = self._pair_ended(slot)
            if closing is not None:
                return self._close(closing, decided=True)
            self.flush()
            return None
        if slot.sequence & 1 and (slot.open or state.slots[slot.sequence ^ 1].open):
            closing = self._pair_ended(slot)
            if closing is not None:
                return self._close(closing)
        if self._writer is not None:
            self._writer.slot_ended(state.journal)
        return None

    def revisit(self, slots: Iterable[ActionSlot], by: str) -> None:
        """Have Failed slots run once more, and save that before the first: whoever goes on later knows which were meant.

        Those that were given up since they were chosen, while the venue was being connected, are not.
        """
        for slot in slots:
            if slot.state is not SlotState.FAILED:
                continue
            decision = Decision(slot.sequence, slot.attempt_count, RecoveryAction.RETRY, by, time.time_ns())
            slot.decide(decision)
            self._state.journal.append(decision)
        self._state.update_stats()
        self.flush()

    def attempt_failed(self, attempt: Attempt) -> None:
        self._state.journal.append(attempt)
        self._failed(attempt)

    def decided(self, decision: Decision) -> None:
        self._state.journal.append(decision)
        if decision.action is RecoveryAction.SKIP:
            self._settlement.give_up(self._state.slots[decision.slot])
        # A slot that this ends is committed with the cancel of what is left of its pair, in `slot_ended`: not the one without
        # the other, or a kill between them would leave an orphan to meet a later pair.
        if decision.action is RecoveryAction.RETRY:
            self.flush()

    def waiting(self, question: Question | None) -> None:
        if question is not None:
            self.flush()
        self._asked(question)

    def question_about(self, slot: ActionSlot, failure: Failure) -> Question:
        asset = self._budgets.assets[slot.action.bid_asset]
        needed = self._settlement.need(slot.action, slot.action.quantity - slot.filled)
        budget = self._budgets.budget(slot.account_id, asset)
        return Question(
            slot,
            failure,
            budget.account.name,
            asset.symbol,
            asset.amount(needed),
            None if slot.in_doubt else asset.amount(budget.available),
            self._executor.risk(slot),
        )

    async def cancel_everything(self) -> None:
        """Cancel all that is open."""
        await self._cancel_open(everything=True)

    async def close_ended_pairs(self) -> None:
        """Cancel what an earlier life left of pairs that have ended at a venue that outlives it."""
        if self._executor.elsewhere is not None:
            await self._cancel_open(everything=False)

    async def _cancel_open(self, *, everything: bool) -> None:
        slots = self._state.slots
        if not any(slot.open for slot in slots):
            return
        left = [
            slot
            for slot in self._state.open_slots()
            if everything
            or (slot.action.matching_strategy.account is not None and slot.is_ended and slots[slot.partner].is_ended)
        ]
        if self._executor.elsewhere is not None:
            await self._executor.elsewhere.take_all_back(left, self._at_once)
            return
        for slot in left:
            self._executor.cancel(slot)

    def flush(self) -> None:
        """Save everything, durably."""
        if self._writer is not None:
            self._writer.flush(self._state.journal, barrier=True)

    def _pair_ended(self, slot: ActionSlot) -> Closing:
        """Cancel what is left of a directed pair, once none of it is still to come."""
        partner = self._state.slots[slot.partner]
        first = not slot.sequence & 1
        to_come = first and not partner.is_ended
        if slot.action.matching_strategy.account is not None and not to_come:
            return self._executor.close_pair(slot)
        return None

    async def _close(self, closing: Awaitable[None], *, decided: bool = False) -> None:
        """Take back what is left of a slot's pair, and save that; that it has ended, before that, where it must not be lost."""
        elsewhere = self._executor.elsewhere
        # What a kill would lose here the venue is asked for, if it can be; a decision is a person's, who is not asked twice.
        at_once = decided or elsewhere is None or not elsewhere.placing.can_ask
        try:
            if self._writer is not None and at_once:
                self._writer.flush(self._state.journal, barrier=decided)
        except BaseException:
            if iscoroutine(closing):
                closing.close()  # it is not to be begun
            raise
        await closing
        if self._writer is not None:
            self._writer.slot_ended(self._state.journal)


def give_up(state: SimulationState, settlement: Settlement, slot: ActionSlot, by: str) -> None:
    """Skip a Failed slot. What was left of its pair was cancelled when it failed."""
    decision = Decision(slot.sequence, slot.attempt_count, RecoveryAction.SKIP, by, time.time_ns())
    slot.decide(decision)
    state.journal.append(decision)
    settlement.give_up(slot)
    state.stats.count(SlotState.FAILED, -1)
    state.stats.count(slot.state)


_COMPLETED = SlotState.COMPLETED
