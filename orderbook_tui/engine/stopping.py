"""When a run pauses by itself: before a slot, at a failed attempt, at an empty budget, at a slot without its match."""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from orderbook_tui.core.budget import AccountBudget, BudgetStore
from orderbook_tui.core.journal import Attempt, Event, Execution
from orderbook_tui.core.slot import ActionSlot, Verdict
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.control import RunControl
from orderbook_tui.errors import ScheduleError


class StopConditions(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a run pause. Each holds once: then it is off, and the others stay."""

    slot: int | None = None
    """Before this slot starts; where it is not run, before the first one after it."""
    on_failure: bool = False
    """At the first attempt that fails, before it is tried again."""
    on_depleted: bool = False
    """When a budget has nothing left to give that had something before."""
    on_verdict: bool = False
    """When a slot is through, its order settled and its pair ended, and it was not matched."""

    def in_words(self) -> str:
        """Return what they are, in a few words; nothing where there are none."""
        told = [
            (f"at slot {self.slot}", self.slot is not None),
            ("at a failure", self.on_failure),
            ("at an empty budget", self.on_depleted),
            ("at a miss", self.on_verdict),
        ]
        return ", ".join(words for words, holds in told if holds)


class StopWatch:
    """Looks on as slots are run, and calls `stop` when something is to make the run pause; `words` say what.

    With only `on_failure`, or nothing, it does not even look on.
    """

    def __init__(self, state: SimulationState, budgets: BudgetStore, control: RunControl, stop: Callable[[], None]) -> None:
        self._state, self._budgets, self._control, self._stop = state, budgets, control, stop
        self._conditions = StopConditions()
        self.words = ""
        """What has made the run pause, until it goes on; empty where nothing has."""
        self._depleted: set[tuple[str, str]] = set()
        """Budgets that had nothing left, or nothing ever, when that was asked for."""
        self._seen = 0
        """Events of the journal that have been looked at."""
        self.is_to_come: Callable[[int], bool] | None = None
        """Where slots run side by side: whether one is still to be run. Otherwise those are that follow the one that is up."""

    @property
    def barrier(self) -> int | None:
        return self._conditions.slot

    @property
    def conditions(self) -> StopConditions:
        """What the run pauses for."""
        return self._conditions

    def arm(self, conditions: StopConditions, next_sequence: int) -> None:
        """Take these conditions from here on; `next_sequence` is where the run is.

        Raises:
            ScheduleError: the slot is none of the schedule's, or the run is past it; nothing has changed.
        """
        before, last = self._conditions, len(self._state.slots) - 1
        if conditions.slot is not None and conditions.slot != before.slot:
            if not 0 <= conditions.slot <= last:
                raise ScheduleError(f"there is no slot {conditions.slot}: the schedule goes from slot 0 to slot {last}")
            if conditions.slot < next_sequence:
                where = f"slot {next_sequence} is next" if next_sequence <= last else "no slot is left"
                raise ScheduleError(f"the run is past slot {conditions.slot}: {where}")
        if conditions.on_depleted and not before.on_depleted:
            self._depleted = {_key(budget) for budget in self._budgets if budget.is_depleted()}
        if not (before.on_depleted or before.on_verdict):
            self.overlook()
        self._set(conditions)

    def overlook(self) -> None:
        """Take no notice of what has happened until now."""
        self._seen = len(self._state.journal)

    def run_ended(self) -> None:
        """Have nothing that made this run pause hold a later one up."""
        self.is_to_come = None
        if self.words:
            self.words = ""
            self._control.go()

    def slot_due(self, slot: ActionSlot) -> None:
        """Pause the run if it was to go as far as here, or if a fill came late that it was to pause for."""
        words = self._news(slot.sequence)
        at = self._conditions.slot
        if at is not None and slot.sequence >= at:
            self._set(msgspec.structs.replace(self._conditions, slot=None))
            words.append(f"slot {slot.sequence} is next")
        self._pause(words)

    def slot_ended(self, slot: ActionSlot) -> None:
        """Pause the run for what came of a slot."""
        at = self._conditions.slot
        if at is not None and slot.sequence >= at:  # a step went past it
            self._set(msgspec.structs.replace(self._conditions, slot=None))
        self._pause(self._news(slot.sequence + 1))

    def attempt_failed(self, attempt: Attempt) -> None:
        """Pause the run at an attempt that failed."""
        if self._conditions.on_failure:
            self._set(msgspec.structs.replace(self._conditions, on_failure=False))
            self._pause([f"slot {attempt.slot}: attempt {attempt.number} failed"])

    def _set(self, conditions: StopConditions) -> None:
        self._conditions = conditions
        looks = conditions.slot is not None or conditions.on_depleted or conditions.on_verdict
        self._control.watch = self if looks else None

    def _pause(self, words: list[str]) -> None:
        if words:
            self.words = "; ".join([self.words, *words] if self.words else words)
            self._stop()

    def _news(self, before: int) -> list[str]:
        """Look at what is new in the journal, and return what of it the run is to pause for; the slots `before` are run."""
        conditions, state = self._conditions, self._state
        if not (conditions.on_depleted or conditions.on_verdict):
            return []
        new = state.journal[self._seen :]
        self._seen += len(new)
        touched = dict.fromkeys(sequence for event in new for sequence in _slots_of(event))
        depleted = [budget for budget in self._given(touched) if self._is_news(budget)] if conditions.on_depleted else []
        missed = self._missed(touched, before) if conditions.on_verdict else None
        if not depleted and missed is None:
            return []
        self._set(
            msgspec.structs.replace(
                conditions,
                on_depleted=conditions.on_depleted and not depleted,
                on_verdict=conditions.on_verdict and missed is None,
            )
        )
        words = [f"{budget.account.name} has no {budget.asset.symbol} left" for budget in depleted]
        if missed is not None:
            words.append(f"slot {missed.sequence} {_WORDS[missed.verdict_so_far()]}")
        return words

    def _given(self, touched: Iterable[int]) -> list[AccountBudget]:
        """Return the budgets that these slots give from, each once."""
        slots, accounts = self._state.slots, self._budgets.accounts
        given = dict.fromkeys((slots[n].account_id, slots[n].action.bid_asset) for n in touched)
        return [accounts[account][asset] for account, asset in given]

    def _is_news(self, budget: AccountBudget) -> bool:
        return budget.is_depleted() and _key(budget) not in self._depleted

    def _missed(self, touched: Iterable[int], before: int) -> ActionSlot | None:
        """Return the first of these slots, and then of their partners, that is through without having been matched.

        One that is still to come may have failed, and be about to be revisited.
        """
        slots, is_to_come = self._state.slots, self.is_to_come or (lambda sequence: sequence >= before)
        touched = list(touched)
        for slot in (slots[sequence] for sequence in (*touched, *(n ^ 1 for n in touched))):
            if not is_to_come(slot.sequence) and self._is_through(slot) and slot.verdict is not Verdict.MATCHED:
                return slot
        return None

    def _is_through(self, slot: ActionSlot) -> bool:
        """Whether the slot has ended and nothing can fill its order any more."""
        directed = slot.action.matching_strategy.account is not None
        return slot.is_ended and not slot.open and (not directed or self._state.slots[slot.partner].is_ended)


def _key(budget: AccountBudget) -> tuple[str, str]:
    return budget.account.id, budget.asset.symbol


def _slots_of(event: Event) -> tuple[int, ...]:
    """Return the slots that an event is about, who caused it first."""
    if isinstance(event, Execution):
        return tuple(sequence for sequence in (event.taker, event.maker) if sequence >= 0)
    return (event.slot,)


_WORDS: Final = {
    Verdict.UNMATCHED: "is unmatched",
    Verdict.PARTLY: "is matched in part",
    Verdict.BY_ANOTHER: "was filled by another",
}
