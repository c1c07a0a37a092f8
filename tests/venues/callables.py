"""Venues of a user's own: callables that tests name in a configuration."""

import threading
import time
from typing import Any

import anyio

from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import Rejected
from orderbook_tui.venues.python import SettlementHandle

CALLS: list[tuple[int, int, str]] = []
"""Each call: slot, attempt, client order id."""
THREADS: list[bool] = []
"""Whether each call was made in the main thread."""
CAUGHT: list[str] = []
"""What a settlement refused."""
HANDLES: list[SettlementHandle] = []
STAMPS: list[int] = []
"""When fills were reported."""


def forget() -> None:
    for log in (CALLS, THREADS, CAUGHT, HANDLES, STAMPS):
        log.clear()


def _note(slot: ActionSlot) -> None:
    CALLS.append((slot.sequence, slot.attempt_count, slot.client_order_id))
    THREADS.append(threading.current_thread() is threading.main_thread())


def plain(slot: ActionSlot) -> str:
    _note(slot)
    return f"plain-{slot.sequence}"


async def quick(slot: ActionSlot) -> int:
    await anyio.lowlevel.checkpoint()
    _note(slot)
    return 100 + slot.sequence


class Desk:
    """An object that is called, and whose method is."""

    async def __call__(self, slot: ActionSlot) -> str:
        return f"desk-{slot.sequence}"

    def order(self, slot: ActionSlot) -> str:
        return f"method-{slot.sequence}"


desk = Desk()


async def whole(slot: ActionSlot, settlement: SettlementHandle) -> str:
    settlement.fill(slot.action.market.quantity(slot.action.quantity))
    return f"whole-{slot.sequence}"


def whole_in_a_thread(slot: ActionSlot, settlement: SettlementHandle) -> str:
    settlement.fill(slot.action.market.quantity(slot.action.quantity))
    return f"whole-{slot.sequence}"


async def half(slot: ActionSlot, settlement: SettlementHandle) -> str:
    settlement.fill(slot.action.market.quantity(slot.action.quantity // 2))
    return f"half-{slot.sequence}"


async def by_name(slot: ActionSlot, settlement: SettlementHandle) -> str:
    everything = slot.action.market.quantity(slot.action.quantity)
    settlement.fill(everything, counterparty="test-account-2" if slot.sequence % 2 == 0 else "test-account-1")
    return "x"


async def by_a_stranger(slot: ActionSlot, settlement: SettlementHandle) -> str:
    settlement.fill(slot.action.market.quantity(slot.action.quantity), counterparty="a stranger")
    return "x"


async def with_a_fee(slot: ActionSlot, settlement: SettlementHandle) -> str:
    settlement.fill(slot.action.market.quantity(slot.action.quantity), fee="0.01")
    return "x"


async def wrong(slot: ActionSlot, settlement: SettlementHandle) -> str:
    price = slot.action.market.price(slot.action.price)
    worse = price + 1 if slot.action.side.word == "Bid" else price - 1
    everything = slot.action.market.quantity(slot.action.quantity)
    attempts: list[dict[str, Any]] = [
        {"quantity": "0.00000001"},
        {"quantity": everything * 2},
        {"quantity": 0},
        {"quantity": -everything},
        {"quantity": everything, "price": worse},
        {"quantity": everything, "price": "0.001"},
        {"quantity": everything, "fee": "100000"},
        {"quantity": everything, "fee": "-1"},
        {"quantity": "many"},
    ]
    for fill in attempts:
        try:
            settlement.fill(**fill)
        except ValueError as error:
            CAUGHT.append(f"{type(error).__name__}: {error}")
        else:
            CAUGHT.append(f"accepted {fill}")
    return "x"


async def late(slot: ActionSlot, settlement: SettlementHandle) -> str:
    HANDLES.append(settlement)
    if slot.sequence % 2:
        first = HANDLES[-2]
        everything = first.slot.action.market.quantity(first.slot.action.quantity)
        await anyio.to_thread.run_sync(first.fill, everything)
        settlement.fill(everything)
    return f"late-{slot.sequence}"


def late_in_a_thread(slot: ActionSlot, settlement: SettlementHandle) -> str:
    HANDLES.append(settlement)
    if slot.sequence % 2:
        for handle in HANDLES[-2:]:
            handle.fill(handle.slot.action.market.quantity(handle.slot.action.quantity))
    return f"late-{slot.sequence}"


async def refused_after_a_fill(slot: ActionSlot, settlement: SettlementHandle) -> str:
    settlement.fill(slot.action.market.quantity(slot.action.quantity))
    raise Rejected("closed")


async def breaks_after_a_fill(slot: ActionSlot, settlement: SettlementHandle) -> str:
    settlement.fill(slot.action.market.quantity(slot.action.quantity))
    raise LookupError("no such thing")


async def refused_before_a_fill(slot: ActionSlot, settlement: SettlementHandle) -> str:
    HANDLES.append(settlement)
    raise Rejected("closed")


async def takes_a_while(slot: ActionSlot, settlement: SettlementHandle) -> str:
    await anyio.sleep(0.02)
    settlement.fill(slot.action.market.quantity(slot.action.quantity))
    STAMPS.append(time.time_ns())
    return "x"


def hangs(slot: ActionSlot, settlement: SettlementHandle) -> str:
    HANDLES.append(settlement)
    time.sleep(10)
    return "x"


def refuses_connections(slot: ActionSlot) -> str:
    _note(slot)
    if slot.attempt_count == 1:
        raise ConnectionRefusedError("closed")
    return "x"


def times_out(slot: ActionSlot) -> str:
    _note(slot)
    if slot.attempt_count == 1:
        raise TimeoutError
    return "x"


def loses_the_connection(slot: ActionSlot) -> str:
    _note(slot)
    if slot.attempt_count == 1:
        raise ConnectionResetError("gone")
    return "x"


def breaks(slot: ActionSlot) -> str:
    _note(slot)
    if slot.attempt_count == 1:
        raise LookupError("no such thing")
    return "x"


def answers_nothing(slot: ActionSlot) -> None:
    _note(slot)


def answers_a_flag(slot: ActionSlot) -> bool:
    return True


NOT_CALLABLE = 7


def nothing() -> str:
    return "nobody asked"


def three(slot: ActionSlot, settlement: SettlementHandle, more: str) -> str:
    return more


def odd(slot: ActionSlot) -> object:
    return object()
