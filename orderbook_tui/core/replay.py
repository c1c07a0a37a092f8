"""From a plan and a journal back to a run: its slots, budgets and settlement as they were."""

from collections.abc import Iterable
from typing import NamedTuple

from orderbook_tui.core.budget import BudgetStore
from orderbook_tui.core.journal import Attempt, Decision, Event
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import Plan, SimulationState


class Replayed(NamedTuple):
    """A run as its journal left it."""

    state: SimulationState
    budgets: BudgetStore
    settlement: Settlement


def replay(plan: Plan, slots: list[ActionSlot], journal: Iterable[Event] = ()) -> Replayed:
    """Play `journal` over fresh `slots`. A slot that was in progress is Pending again, its attempts counted.

    A plan without budgets is one whose orders were settled elsewhere: only what happened to the slots comes back.
    """
    state = SimulationState(slots, plan=plan)
    budgets = BudgetStore(plan.assets, accounts=plan.accounts, movements=lambda: settlement.movements(state.journal))
    accounts = {account.id: account for account in plan.accounts}
    for (account, asset), units in plan.budgets.items():
        budgets.set_units(accounts[account], budgets.assets[asset], units)
    settlement = Settlement(slots, budgets, plan.fees)
    state.journal.extend(journal)
    for event in state.journal:
        if plan.budgets:
            settlement.replay(event)
        elif isinstance(event, Attempt):
            slots[event.slot].restore_attempt(event)
        elif isinstance(event, Decision):
            slots[event.slot].decide(event)
    for slot in slots:
        if slot.state is SlotState.IN_PROGRESS:
            slot.move(SlotState.PENDING)
    state.update_stats()
    return Replayed(state, budgets, settlement)
