"""Bugs to plant, by name: the simulator has to find each. They are put into the program's own code while it runs."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from orderbook_tui.core.journal import Execution
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.bookkeeper import Bookkeeper
from orderbook_tui.engine.elsewhere import Closing, Elsewhere
from orderbook_tui.engine.placing import Placing
from orderbook_tui.venues.python import SettlementHandle


def _lock_not_returned() -> None:
    """What was locked for an order that was not placed stays locked."""

    def give_back(self: Settlement, slot: ActionSlot) -> None:
        return None

    Settlement.give_back = give_back  # type: ignore[method-assign]


def _double_spend() -> None:
    """A duplicate of an execution settles as another one."""
    fill: Any = SettlementHandle.fill

    def fill_again(self: SettlementHandle, quantity: Decimal, *arguments: Any, **named: Any) -> None:
        named.pop("execution_id", None)
        self._left += self.slot.action.market.quantity_lots(quantity)
        fill(self, quantity, *arguments, **named)

    def settle_at_once(self: Elsewhere, execution: Execution) -> None:
        self._settle(execution)

    SettlementHandle.fill = fill_again  # type: ignore[method-assign, assignment]
    Elsewhere.executed = settle_at_once  # type: ignore[method-assign]


def _intent_after_placing() -> None:
    """That an order is about to be placed is written once the venue has answered."""
    announce: Any = Placing._announce
    sent: Any = Placing._sent

    async def send(self: Placing, slot: ActionSlot, *arguments: Any, **named: Any) -> Any:
        placed = await sent(self, slot, *arguments, **named)
        announce(self, slot)
        return placed

    Placing._announce = lambda self, slot: None  # type: ignore[method-assign]
    Placing._sent = send  # type: ignore[method-assign]


def _stats_drift() -> None:
    """A slot that was completed at its second attempt counts twice."""
    ended = Bookkeeper.slot_ended

    def slot_ended(self: Bookkeeper, slot: ActionSlot) -> Closing:
        closing = ended(self, slot)
        if slot.state is SlotState.COMPLETED and slot.attempt_count == 2:
            self._state.stats.completed_slots += 1
        return closing

    Bookkeeper.slot_ended = slot_ended  # type: ignore[method-assign]


def _priority_lost() -> None:
    """The exchange is rebuilt with the last order first."""
    in_order = SimulationState.open_slots
    SimulationState.open_slots = lambda self: in_order(self)[::-1]  # type: ignore[method-assign]


PLANTED: dict[str, Callable[[], None]] = {
    "lock-not-returned": _lock_not_returned,
    "double-spend": _double_spend,
    "intent-after-placing": _intent_after_placing,
    "stats-drift": _stats_drift,
    "priority-lost": _priority_lost,
}
"""Each puts its bug in, for the rest of the process."""
