"""The Python venues through which a run reaches the slow venue: `venue.target` is `tests.kills.desk:looked_up`, or another."""

import asyncio
import json
from pathlib import Path
from typing import Any

from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.venues.python import SettlementHandle
from tests.kills.venue import asked

SOCKET = Path("venue.sock")
"""In the folder that the program runs in, as is the name of its book."""


def _book() -> str:
    return Path("book").read_text()


def _order(slot: ActionSlot) -> dict[str, Any]:
    return {"do": "place", "book": _book(), "id": slot.client_order_id, "slot": slot.sequence, "attempt": slot.attempt_count}


def _filled(answer: dict[str, Any], settlement: SettlementHandle) -> int:
    if "refused" in answer:
        raise ConnectionRefusedError(answer["refused"])
    action = settlement.slot.action
    settlement.fill(action.market.quantity(action.quantity))
    return int(answer["order"])


class LookedUp:
    """Can be asked for an order by what we call it, and does not take again what it has said was not there. It blocks."""

    def __call__(self, slot: ActionSlot, settlement: SettlementHandle) -> int:
        return _filled(asked(SOCKET, _order(slot)), settlement)

    def look_up(self, slot: ActionSlot, settlement: SettlementHandle) -> int | None:
        """Return the order's number, with its fill; None where there is none and never will be."""
        answer = asked(SOCKET, {"do": "look up", "book": _book(), "id": slot.client_order_id})
        return None if answer["order"] is None else _filled(answer, settlement)


class Deduplicating:
    """Takes an order of one name once, however often it is sent. It is async."""

    deduplicates_for = 3600

    async def __call__(self, slot: ActionSlot, settlement: SettlementHandle) -> int:
        reader, writer = await asyncio.open_unix_connection(str(SOCKET))
        try:
            writer.write(json.dumps(_order(slot)).encode() + b"\n")
            answer = await reader.readline()
        finally:
            writer.close()
        if not answer:
            raise ConnectionResetError("the venue hung up")
        return _filled(json.loads(answer), settlement)


class Neither(Deduplicating):
    """Can neither be asked nor sent to again."""

    deduplicates_for = 0


looked_up, deduplicating, neither = LookedUp(), Deduplicating(), Neither()
