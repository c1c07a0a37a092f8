"""The books kept a second time, by hand: from the journal alone, with none of the program's arithmetic."""

from collections import Counter
from collections.abc import Iterable, Sequence

from orderbook_tui.core.book import Side
from orderbook_tui.core.journal import Attempt, Cancel, Event, Execution, RecoveryAction
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import Plan
from orderbook_tui.errors import FailureKind

Key = tuple[str, str]
"""An account and an asset."""


class Books:
    """What the budgets, the open orders and the counts must be after so many events."""

    def __init__(self, plan: Plan, slots: Sequence[ActionSlot]) -> None:
        self._slots = slots
        self._rate = max(plan.fees.maker, plan.fees.taker)
        self.read = 0
        self.initial: dict[Key, int] = dict(plan.budgets)
        self.spent: Counter[Key] = Counter()
        self.received: Counter[Key] = Counter()
        self.fees: Counter[str] = Counter()
        self.outside: Counter[str] = Counter()
        """What outsiders gave us, less what we gave them."""
        self.open: dict[int, int] = {}
        """Lots open of each slot's order, in the order of acceptance."""
        self.filled: Counter[int] = Counter()
        self.doubtful: set[int] = set()
        """Slots whose last attempt ended without anybody knowing how."""
        self.executions = 0
        self.wrong: list[str] = []
        """What cannot have happened."""

    def read_on(self, journal: Sequence[Event]) -> None:
        """Take up what has happened since."""
        for place in range(self.read, len(journal)):
            event = journal[place]
            if isinstance(event, Attempt):
                self._attempt(event)
            elif isinstance(event, Execution):
                self._execution(event)
            elif isinstance(event, Cancel):
                left = self.open.pop(event.slot, 0)
                if left != event.quantity:
                    self.wrong.append(f"{event.quantity} lots of slot {event.slot} were cancelled, and {left} were open")
            elif event.action is RecoveryAction.SKIP:
                self.doubtful.discard(event.slot)
        self.read = len(journal)

    def locked(self, placing: Iterable[int] = ()) -> Counter[Key]:
        """Return what must be locked: for open orders, for those in doubt, and for those that are being placed."""
        locked: Counter[Key] = Counter()
        for sequence, lots in self.open.items():
            locked[self._gives(sequence)] += self._need(sequence, lots)
        for sequence in self.doubtful.union(placing):
            locked[self._gives(sequence)] += self._need(sequence, self._slots[sequence].action.quantity - self.filled[sequence])
        return +locked

    def _attempt(self, event: Attempt) -> None:
        sequence = event.slot
        if event.failure is None:
            self.doubtful.discard(sequence)
            if self.open.pop(sequence, 0):
                self.wrong.append(f"slot {sequence} has an order accepted while one of it is open")
            lots = self._slots[sequence].action.quantity - self.filled[sequence]
            if lots <= 0:
                self.wrong.append(f"slot {sequence} is placed once more, and it is filled")
            self.open[sequence] = lots
        elif event.failure.kind is FailureKind.UNKNOWN:
            self.doubtful.add(sequence)
        else:
            self.doubtful.discard(sequence)

    def _execution(self, event: Execution) -> None:
        self.executions += 1
        sides = [(event.maker, event.maker_fee), (event.taker, event.taker_fee)]
        for sequence, charge in sides:
            if sequence < 0:
                continue
            action, account = self._slots[sequence].action, self._slots[sequence].account_id
            market, lots = action.market, event.quantity
            if lots > self.open.get(sequence, 0):
                self.wrong.append(f"{lots} lots of slot {sequence} were executed, and {self.open.get(sequence, 0)} were open")
            self.open[sequence] = self.open.get(sequence, 0) - lots
            if not self.open[sequence]:
                del self.open[sequence]
            self.filled[sequence] += lots
            paid, moved = event.price * lots * market.quote_per_tick_lot, lots * market.base_per_lot
            self.fees[market.quote.symbol] += charge
            sign = 1 if action.side is Side.BID else -1
            if sign > 0:
                self.spent[account, market.quote.symbol] += paid + charge
                self.received[account, market.base.symbol] += moved
            else:
                self.spent[account, market.base.symbol] += moved
                self.received[account, market.quote.symbol] += paid - charge
            if event.outside is not None:
                self.outside[market.quote.symbol] += sign * paid
                self.outside[market.base.symbol] -= sign * moved

    def unbalanced(self) -> list[str]:
        """Return the assets of which more or less was spent than was received and charged."""
        balance: Counter[str] = Counter()
        for (_, asset), amount in self.spent.items():
            balance[asset] += amount
        for (_, asset), amount in self.received.items():
            balance[asset] -= amount
        balance.subtract(self.fees)
        balance.subtract(self.outside)
        return [asset for asset, amount in balance.items() if amount]

    def priority(self) -> dict[tuple[str, Side], list[int]]:
        """Return the slots at rest on each side of each market: the better price first, then who was there first."""
        resting: dict[tuple[str, Side], list[int]] = {}
        for sequence in self.open:
            action = self._slots[sequence].action
            resting.setdefault((action.market.symbol, action.side), []).append(sequence)
        for (_, side), sequences in resting.items():
            sign = -1 if side is Side.BID else 1
            sequences.sort(key=lambda sequence: sign * self._slots[sequence].action.price)
        return resting

    def _gives(self, sequence: int) -> Key:
        slot = self._slots[sequence]
        market = slot.action.market
        return slot.account_id, (market.quote if slot.action.side is Side.BID else market.base).symbol

    def _need(self, sequence: int, lots: int) -> int:
        action = self._slots[sequence].action
        if action.side is Side.ASK:
            return lots * action.market.base_per_lot
        paid = action.price * lots * action.market.quote_per_tick_lot
        return paid + paid * self._rate // 10**10


def counts(slots: Sequence[ActionSlot]) -> tuple[int, int, int]:
    """Count the slots that are Completed, Failed and Skipped."""
    states = [slot.state for slot in slots]
    return states.count(SlotState.COMPLETED), states.count(SlotState.FAILED), states.count(SlotState.SKIPPED)
