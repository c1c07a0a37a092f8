"""A venue of the user's own that answers slot 2 with whatever its market is called."""

from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import Rejected


def place(slot: ActionSlot) -> str:
    """Place an order."""
    if slot.sequence == 2:
        raise Rejected(slot.action.market.symbol)
    return f"{slot.sequence}{slot.action.market.symbol[:900]}"
