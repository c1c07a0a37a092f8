"""A venue that refuses everything, in many words."""

from orderbook_tui.core.slot import ActionSlot


def place(slot: ActionSlot) -> str:
    """Raise an error of some 1,500 characters."""
    raise RuntimeError("the venue explains itself at length, " * 40 + "THE END")
