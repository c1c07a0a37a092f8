"""A venue of the user's own that never answers."""

import asyncio

from orderbook_tui.core.slot import ActionSlot


async def place(slot: ActionSlot) -> str:
    """Place an order."""
    await asyncio.Event().wait()
    return ""
