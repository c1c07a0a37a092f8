"""From a plan and a journal back to a run: its slots, budgets and settlement as they were."""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from orderbook_tui.core.budget import BudgetStore
from orderbook_tui.core.journal import Attempt, Decision, Event
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import Plan, SimulationState

_PIECE: Final = 10_000
"""Events between two reports of how far it has come: some 10 ms of work."""


class Replayed(NamedTuple):
    """A run as its journal left it."""

    state: SimulationState
    budgets: BudgetStore
    settlement: Settlement


def replay(
    plan: Plan, slots: list[ActionSlot], journal: Iterable[Event] = (), *, told: Callable[[float], None] | None = None
) -> Replayed:
    """Play `journal` over fresh `slots`. A slot that was in progress is Pending again, its attempts counted.

    A plan without budgets is one whose orders were settled elsewhere: only what happened to the slots comes back. `told`
    is called now and then with the share done, from 0.0 to 1.0.
    """
    tell = told or (lambda share: None)
    state = SimulationState(slots, plan=plan)
    tell(0.05)
    budgets = BudgetStore(plan.assets, accounts=plan.accounts, movements=lambda: settlement.movements(state.journal))
    budgets.open(plan.budgets)
    settlement = Settlement(slots, budgets, plan.fees, plan.markets)
    tell(0.1)
    state.journal.extend(journal)
    length = len(state.journal)
    for start in range(0, length, _PIECE):
        events = state.journal[start : start + _PIECE]
        if plan.budgets:
            settlement.replay(events)
        else:
            _restore(slots, events)
        tell(0.1 + 0.75 * min(start + _PIECE, length) / length)
    in_progress = SlotState.IN_PROGRESS
    for slot in slots:
        if slot.state is in_progress:
            slot.move(SlotState.PENDING)
    tell(0.9)
    state.update_stats()
    tell(1.0)
    return Replayed(state, budgets, settlement)


def _restore(slots: list[ActionSlot], events: Iterable[Event]) -> None:
    """Take back what happened to the slots, and leave what became of their orders."""
    for event in events:
        if isinstance(event, Attempt):
            slots[event.slot].restore_attempt(event)
        elif isinstance(event, Decision):
            slots[event.slot].decide(event)
