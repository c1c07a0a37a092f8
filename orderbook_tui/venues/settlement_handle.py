"""The handle through which a user's venue reports what became of one slot's order."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from time import time_ns

from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.money import decimal
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import AmountError
from orderbook_tui.venues.reports import check, check_fee, execution_of


class SettlementHandle:
    """How a user's venue reports what became of one slot's order. Safe to use from any thread, also later on."""

    def __init__(
        self,
        slot: ActionSlot,
        quantity: int,
        fees: FeeSchedule,
        names: dict[str, str],
        settle: Callable[[Execution], None],
        told: Iterable[str] = (),
    ) -> None:
        """`quantity` lots may still be filled; `told` are executions that were reported before."""
        self.slot = slot
        self._left = quantity
        self._fees = fees
        self._names = names
        self._settle = settle
        self._lock = threading.Lock()
        self._before_the_answer: list[Execution] | None = []
        self._not_accepted = ""
        self._joined: SettlementHandle | None = None
        self._reported = set(told)

    def fill(
        self,
        quantity: Decimal | int | str,
        price: Decimal | int | str | None = None,
        *,
        counterparty: str | None = None,
        fee: Decimal | int | str = 0,
        execution_id: str | None = None,
    ) -> None:
        """Report an execution of the slot's order: `quantity` of base at `price` (its own where omitted), `fee` in quote.

        `counterparty` is the other account's id or name; where the venue does not tell, it is taken to be the expected one.
        Of several reports with the same `execution_id` the first counts.

        Raises:
            AmountError: off the lot or tick, more than is left of the order, worse than its price, a fee above what
                was locked for it (`venue.fees`), or the callable failed: its order was not accepted.
            OrderbookTuiError: the run is over.
        """
        action, market = self.slot.action, self.slot.action.market
        lots = market.quantity_lots(decimal(quantity))
        ticks = action.price if price is None else market.price_ticks(decimal(price))
        charge = market.quote.units(decimal(fee))
        check(self.slot, ticks, lots)
        check_fee(self.slot, ticks, lots, charge, self._fees)
        counterparty, execution_id = _text_or_none(counterparty), _text_or_none(execution_id)
        who = self._names.get(counterparty, counterparty) if counterparty else action.matching_strategy.account
        execution = execution_of(self.slot, ticks, lots, time_ns(), charge=charge, outside=who or "", name=execution_id)
        self._report(execution)

    def _report(self, execution: Execution) -> None:
        with self._lock:
            joined = self._joined
            if joined is None and not self._is_to_settle(execution):
                return
        if joined is not None:
            joined._report(execution)
        else:
            self._settle(execution)

    def _is_to_settle(self, execution: Execution) -> bool:
        """Take an execution off what is left; return whether it is to be settled now."""
        execution_id, lots, market = execution.id, execution.quantity, self.slot.action.market
        if execution_id is not None and execution_id in self._reported:
            return False
        if self._not_accepted:
            raise AmountError(f"the order of slot {self.slot.sequence} was not accepted: {self._not_accepted}")
        if not 0 < lots <= self._left:
            filled, left = market.quantity(lots), market.quantity(self._left)
            raise AmountError(f"a fill of {filled:f} {market.base.symbol}: {left:f} is left of the order")
        self._left -= lots
        if execution_id is not None:
            self._reported.add(execution_id)
        if self._before_the_answer is not None:
            self._before_the_answer.append(execution)
            return False
        return True

    def _accept(self, earlier: Iterable["SettlementHandle"] = ()) -> Sequence[Execution]:
        """The order has its id: return what was reported until now; what comes from here on is settled as it comes.

        `earlier` are the handles of attempts at the same order of which nobody knew what became: they report here from now on.
        """
        with self._lock:
            executions = list(self._before_the_answer or ())
            # What was reported to an earlier handle and is told again here is the same: a look-up tells of all fills.
            told_again = Counter((each.price, each.quantity) for each in executions if each.id is None)
            for handle in earlier:
                for execution in handle._join(self):
                    key = execution.price, execution.quantity
                    if execution.id is None and told_again[key]:
                        told_again[key] -= 1
                    elif execution.id not in self._reported and execution.quantity <= self._left:
                        self._is_to_settle(execution)
                        executions.append(execution)
            self._before_the_answer = None
        return executions

    def _join(self, other: "SettlementHandle") -> Sequence[Execution]:
        """Have `other` told of what is reported from now on; return what was reported until now."""
        with self._lock:
            self._joined = other
            return self._before_the_answer or ()

    @property
    def _is_filled(self) -> bool:
        """Whether anything was reported before it was known whether the order was accepted."""
        return bool(self._before_the_answer)

    def _close(self, why: str) -> bool:
        """The order was not accepted: take no more reports. Return whether there were any."""
        with self._lock:
            self._not_accepted = why
            return bool(self._before_the_answer)


def _text_or_none(text: str | None) -> str | None:
    """Return a name as a plain text, whatever class of the user's own it is of."""
    if text is not None and not isinstance(text, str):
        raise AmountError(f"a counterparty or an execution is called by a text, not by a {type(text).__name__}")
    return None if text is None else str.__str__(text)
