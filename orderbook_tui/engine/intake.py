"""Intake: each execution of a venue outside this process is settled once, however it is told.

A venue pushes executions, repeats them after a reconnection, lists them when it is asked, or says only what they come to; the
same execution may come in each of these ways, in any order. What tells that it is the same:

    an id           the slot's fills have it already
    no id           the slot has a fill of that price and quantity that the list was not yet held against
    only totals     what is settled is taken off

A venue that pushes executions may be behind with that, or ahead of its own totals: there, totals count once the order is
closed, when all of it is in them. The lots that they stood for are taken off what is pushed later.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from time import time_ns
from typing import Final

from orderbook_tui.core.book import Side
from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import AmountError
from orderbook_tui.venues.base import OrderReport
from orderbook_tui.venues.reports import execution_of

_TOTALS: Final = "(totals)"
"""The id of an execution that was made of what a venue's totals say."""


class Intake:
    """Says what is new of what a venue tells, which `pushes` executions or does not. It is for the caller to settle at once."""

    def __init__(self, stray: Callable[[str, ActionSlot], None], *, pushes: bool) -> None:
        self._stray, self._pushes = stray, pushes
        self._covered: dict[int, dict[str, int]] = {}
        """By slot: executions that came when totals had been settled for them, and how many lots of each."""

    def pushed(self, slot: ActionSlot, execution: Execution) -> Execution | None:
        """Return what there is to settle of an execution that was told by itself; None where nothing is.

        Raises:
            AmountError: it is more than is open of the order.
        """
        name, quantity = execution.id, execution.quantity
        if name is not None:
            if name in self._covered.get(slot.sequence, ()) or any(fill.id == name for fill in slot.fills):
                return None
            quantity -= self._cover(slot, name, quantity)
            if not quantity:
                return None
            execution = _of(slot, execution, quantity)
        if quantity > slot.open:
            raise AmountError(
                f"slot {slot.sequence} has {slot.action.market.quantity(slot.open):f} open: the fill came too late"
            )
        return execution

    def reported(self, slot: ActionSlot, report: Submission) -> list[Execution]:
        """Return what there is to settle of all that a venue says of the slot's order.

        Raises:
            AmountError: it cannot be what came of the order.
        """
        fresh: list[Execution] = []
        named = {fill.id for fill in slot.fills}
        without_id = Counter((fill.price, fill.quantity) for fill in slot.fills if fill.id is None)
        for execution in report.executions:
            if execution.id is not None:
                if execution.id not in named:
                    named.add(execution.id)
                    fresh.append(execution)
            elif without_id[execution.price, execution.quantity]:
                without_id[execution.price, execution.quantity] -= 1
            else:
                fresh.append(execution)
        fresh = self._not_covered(slot, fresh)
        if isinstance(report, OrderReport) and report.filled is not None and (report.closed or not self._pushes):
            fresh += self._beyond(slot, fresh, report)
        if sum(execution.quantity for execution in fresh) > slot.open:
            raise AmountError(f"slot {slot.sequence}: the venue tells of more fills than the order had lots")
        return fresh

    def _not_covered(self, slot: ActionSlot, fresh: list[Execution]) -> list[Execution]:
        """Leave out of executions with ids what totals have settled before."""
        left = []
        for execution in fresh:
            quantity = execution.quantity
            if execution.id is not None:
                if execution.id in self._covered.get(slot.sequence, ()):
                    continue
                quantity -= self._cover(slot, execution.id, quantity)
            if quantity:
                left.append(_of(slot, execution, quantity))
        return left

    def _cover(self, slot: ActionSlot, name: str, quantity: int) -> int:
        """Return how many lots of a new execution were settled before, as part of totals, and note that they were."""
        spare = sum(fill.quantity for fill in slot.fills if fill.id == _TOTALS)
        if not spare:
            return 0
        covered = self._covered.setdefault(slot.sequence, {})
        taken = min(spare - sum(covered.values()), quantity)
        if taken:
            covered[name] = taken
        return taken

    def _beyond(self, slot: ActionSlot, fresh: list[Execution], report: OrderReport) -> list[Execution]:
        """Return what totals say beyond what is settled and about to be, in one execution, or two at neighbouring ticks."""
        assert report.filled is not None
        told = [*slot.fills, *fresh]
        lots = report.filled - slot.filled - sum(execution.quantity for execution in fresh)
        if lots <= 0:
            return []
        charge = report.fee - sum(each.maker_fee if each.maker == slot.sequence else each.taker_fee for each in told)
        steps = self._steps(slot, lots, report, told)
        price, higher = divmod(steps, lots)
        parts = [(price, lots - higher), (price + 1, higher)] if higher else [(price, lots)]
        # A negative rest is rounding of what was told before; what cannot be taken is for the settlement to say.
        charge = max(0, charge)
        first = charge * parts[0][1] // lots if higher else charge
        shares = (first, charge - first)
        who = slot.action.matching_strategy.account or ""
        at = time_ns()
        return [
            execution_of(slot, ticks, quantity, at, charge=share, outside=who, name=_TOTALS)
            for (ticks, quantity), share in zip(parts, shares, strict=False)
        ]

    def _steps(self, slot: ActionSlot, lots: int, report: OrderReport, told: Sequence[Execution]) -> int:
        """Return what the lots came to that totals say beyond `told`, in ticks times lots.

        Venues round averages: what is no price of these lots, or one worse than the order's, is taken at the nearest that is.
        """
        market, limit = slot.action.market, slot.action.price * lots
        if report.notional is None:
            return limit
        paid = report.notional - sum(market.notional(each.price, each.quantity) for each in told)
        steps, rest = divmod(paid, market.quote_per_tick_lot)
        if steps <= 0:
            raise AmountError(
                f"slot {slot.sequence}: {market.quote.amount(paid):f} {market.quote.symbol} is no price for "
                f"{market.quantity(lots):f} {market.base.symbol}"
            )
        taken = min(steps, limit) if slot.action.side is Side.BID else max(steps, limit)
        if taken != steps or rest:
            off = paid - taken * market.quote_per_tick_lot
            self._stray(
                f"slot {slot.sequence}: the venue's totals are {market.quote.amount(abs(off)):f} {market.quote.symbol} "
                f"{'more' if off > 0 else 'less'} than any price of its order comes to",
                slot,
            )
        return taken


def _of(slot: ActionSlot, execution: Execution, quantity: int) -> Execution:
    """Return the part of an execution that comes to `quantity` lots, with its share of the fee."""
    if quantity == execution.quantity:
        return execution
    charge = max(execution.maker_fee, execution.taker_fee) * quantity // execution.quantity
    return execution_of(
        slot, execution.price, quantity, execution.at, charge=charge, outside=execution.outside, name=execution.id
    )
