"""The life of one order, from its place in the schedule to its last fill or its cancel."""

from rich.text import Text

from orderbook_tui.core.journal import Cancel
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.market_view import last_cancel
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import clock, quantity
from orderbook_tui.tui.theme import Inks, inks
from orderbook_tui.tui.widgets.slot_details import SlotDetails, slot_in_full

_HINT = "Choose a price, an order or a trade: what became of its order is told here."


class OrderLife(SlotDetails):
    """Tells a slot in full, and what became of what was not filled."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._told: tuple[object, ...] = (None,)
        self._cancel: Cancel | None = None

    def look(self, simulation: Simulation | None, slot: ActionSlot | None) -> None:
        """Tell of `slot` as it is now, if that is something new."""
        ink = inks(self.app)
        if simulation is None or slot is None:
            told: tuple[object, ...] = ()
        else:
            ended = slot.last_attempt.ended if slot.last_attempt is not None else 0
            partner = simulation.slots[slot.partner].state if slot.partner < len(simulation.slots) else None
            told = (id(slot), slot.state, slot.attempt_count, ended, slot.filled, slot.open, len(slot.decisions), partner, ink)
        if told == self._told:
            return
        moved, self._told = told[:1] != self._told[:1], told
        if simulation is None or slot is None:
            self.show([Text(_HINT, ink.muted)])
        else:
            lines = slot_in_full(simulation, slot, ink)
            lines[1:1] = [Text(f"scheduled as slot {slot.sequence} of {len(simulation.slots):,}, pair {slot.pair}", ink.muted)]
            lines += self._end(simulation, slot, ink)
            self.show(lines)
        if moved:
            self.scroll_home(animate=False)

    def _end(self, simulation: Simulation, slot: ActionSlot, ink: Inks) -> list[Text]:
        """Return what became of the part of an accepted order that nobody filled."""
        left = slot.action.quantity - slot.filled
        if slot.open or not left or slot.order_id is None:
            return []
        cancel = last_cancel(simulation, slot)
        lots = quantity(slot.action.market, left)
        return [Text(""), Text(f"{lots} left, cancelled{f' at {clock(cancel.at)}' if cancel is not None else ''}", ink.warn)]
