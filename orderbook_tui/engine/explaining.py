"""Which slots could explain that an account holds more or less of an asset than the ledger says, and how.

The most likely come first: an order of which nobody knows what became, one that the venue and the ledger see differently, one
that the venue has said something about that could not be settled; then orders and fills that come to just that amount.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from orderbook_tui.core.book import Side
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.engine.reconciliation import PIECE, Difference, Key, Ledger
from orderbook_tui.errors import FailureKind

MOST_SLOTS: Final = 20
"""Slots that are named for a difference."""
_MOST_EXPLAINED: Final = 1_000
_KEPT: Final = 10 * MOST_SLOTS
_FEE_AT_MOST: Final = 20
"""What is missing may be a fee where it is at most this part of a fill: a twentieth."""


class _Suspect(NamedTuple):
    rank: int
    latest_first: int
    slot: int
    why: str


class _Case(NamedTuple):
    """A difference of a balance: `units` is what the venue has more."""

    key: Key
    units: int
    suspects: list[_Suspect]


def explained(
    ledger: Ledger, differences: Iterable[Difference], unsettled: Collection[int], told_early: Collection[int]
) -> Iterator[list[Difference]]:
    """Name the slots that could explain each difference. Yields now and then; what is yielded last is all of them.

    `unsettled` are slots of which something was told that could not be settled, `told_early` those of which fills were told
    before they were accepted.
    """
    found = list(differences)
    seen_otherwise = {sequence for each in found if each.what == "order" for sequence in each.slots}
    cases = {
        place: _Case((each.account, each.asset), each.units, [])
        for place, each in enumerate(found[:_MOST_EXPLAINED])
        if each.what != "order"
    }
    by_account: dict[str, list[tuple[_Case, bool]]] = {}
    for place, case in cases.items():
        by_account.setdefault(case.key[0], []).append((case, found[place].what == "total"))
    slots = ledger.slots
    for start in range(0, len(slots) if cases else 0, PIECE):
        for slot in slots[start : start + PIECE]:
            for case, is_total in by_account.get(slot.account_id, ()):
                if case.key[1] in (slot.action.bid_asset, slot.action.ask_asset):
                    rank, why = _rank(ledger, slot, case, is_total, seen_otherwise, unsettled, told_early)
                    if why:
                        case.suspects.append(_Suspect(rank, -slot.sequence, slot.sequence, why))
                        if len(case.suspects) > _KEPT:
                            case.suspects.sort()
                            del case.suspects[MOST_SLOTS:]
        yield found
    for place, case in cases.items():
        most = sorted(case.suspects)[:MOST_SLOTS]
        slots_of, why_of = tuple(each.slot for each in most), tuple(each.why for each in most)
        found[place] = replace(found[place], slots=slots_of, why=why_of)
    yield found


def _rank(
    ledger: Ledger,
    slot: ActionSlot,
    case: _Case,
    is_total: bool,
    seen_otherwise: Collection[int],
    unsettled: Collection[int],
    told_early: Collection[int],
) -> tuple[int, str]:
    """Return how likely a slot explains a difference (0 is the most), and why; no words where it does not."""
    attempt = slot.last_attempt
    if attempt is None:
        return 0, ""
    left = slot.action.quantity - slot.filled
    sign, amounts = _if_filled(ledger, slot, case.key[1], left)
    may_be = left > 0 and (not is_total or sign * case.units > 0)
    is_just_that = may_be and abs(case.units) in amounts
    better = 0 if is_just_that else 1
    if slot.sequence in told_early and slot.in_doubt:
        return better, "it is not known whether its order was placed, and a fill of it was told"
    if slot.in_doubt:
        return 2 + better + 10 * (not may_be), "it is not known whether its order was placed"
    if slot.state is SlotState.SKIPPED and attempt.failure is not None and attempt.failure.kind is FailureKind.UNKNOWN:
        return 2 + better + 10 * (not may_be), "it was given up without knowing whether its order was placed"
    if slot.sequence in seen_otherwise:
        return 4, "its order is another at the venue than here"
    if slot.sequence in unsettled:
        return 5, "something was told of it that could not be settled"
    if not is_total:
        return (6, "its order is open") if slot.open else (0, "")
    if slot.open and may_be:
        return 6 + better, "its order is open, and a fill of it may not have been told"
    if is_just_that:
        if slot.order_id is not None:
            return 8, "what was cancelled of its order comes to just that"
        return 9, "its order was taken for not placed, and comes to just that"
    return _rank_of_fills(slot, case)


def _rank_of_fills(slot: ActionSlot, case: _Case) -> tuple[int, str]:
    asset, missing, fee = case.key[1], abs(case.units), False
    gives = asset == slot.action.bid_asset
    for fill in slot.fills:
        moved = _moved(slot, fill, asset)
        # A fill that is here and not there: what was given is there still, and what was received is not.
        if moved == missing and (case.units > 0) is gives:
            return 8, "a fill of it comes to just that: the venue may not know of it"
        if moved == missing:
            return 10, "a fill of it comes to just that: it may have been counted there once more"
        if _charge(slot, fill) == missing and asset == slot.action.market.quote.symbol:
            return 9, "the fee of a fill of it comes to just that"
        fee = fee or (case.units < 0 and missing * _FEE_AT_MOST <= moved)
    return (11, "a fill of it may have cost a fee that was not told") if fee else (0, "")


def _if_filled(ledger: Ledger, slot: ActionSlot, asset: str, lots: int) -> tuple[int, tuple[int, ...]]:
    """Return the sign of what a fill of so many lots, told to nobody here, does to the asset, and what it may come to."""
    action, market = slot.action, slot.action.market
    notional, base = market.notional(action.price, lots), lots * market.base_per_lot
    if asset == action.bid_asset:
        return -1, (notional, ledger.need(slot, lots)) if action.side is Side.BID else (base,)
    return 1, (base,) if action.side is Side.BID else (notional, notional - ledger.highest_fee(notional))


def _moved(slot: ActionSlot, fill: Execution, asset: str) -> int:
    market = slot.action.market
    if asset == market.base.symbol:
        return fill.quantity * market.base_per_lot
    notional, charge = market.notional(fill.price, fill.quantity), _charge(slot, fill)
    return notional + charge if slot.action.side is Side.BID else notional - charge


def _charge(slot: ActionSlot, fill: Execution) -> int:
    return fill.maker_fee if fill.maker == slot.sequence else fill.taker_fee
