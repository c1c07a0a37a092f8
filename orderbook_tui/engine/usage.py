"""How much of each asset was used in the course of a run: locked or spent, as a share of what all accounts began with.

    journal  [ read, folded into `used`, and a point noted every `step` ended slots ][ still to be read ]

It follows from the journal alone, so it is the same for a run that was taken up from its checkpoint. Reading goes on bit by
bit; when there are more points than anybody can see, every second one is left out.
"""

from time import perf_counter
from typing import Final, NamedTuple

from orderbook_tui.core.book import Side
from orderbook_tui.core.journal import Attempt, Cancel, Decision, Event, Execution, RecoveryAction
from orderbook_tui.core.money import Asset
from orderbook_tui.engine.budget_list import each_budget
from orderbook_tui.engine.simulation import Simulation

MOST_POINTS: Final = 400
_SLICE: Final = 500
_BID: Final = Side.BID
_ENDING: Final = (RecoveryAction.SKIP, RecoveryAction.CONTINUE)


class Point(NamedTuple):
    """What was used when so many slots had ended: units of each asset, in the order of `UsageHistory.assets`."""

    ended: int
    used: tuple[int, ...]


class UsageHistory:
    """The usage of a simulation's budgets from its beginning to as far as its journal has been read."""

    def __init__(self, simulation: Simulation, most: int = MOST_POINTS) -> None:
        self._simulation = simulation
        self._most = most
        self.assets: list[Asset] = list(simulation.budgets.assets.values())
        self.initial = {asset.symbol: 0 for asset in self.assets}
        """What all accounts began with, in units."""
        self._unsummed = each_budget(simulation.budgets)
        self._summed = False
        self._used = {asset.symbol: 0 for asset in self.assets}
        self._need = simulation._settlement.need
        self._highest_fee = simulation.state.plan.fees.highest
        self._left: dict[int, int] = {}
        """Lots still to be filled, of each order that was filled in part."""
        self._seen = bytearray(len(simulation.slots))
        self._ended = 0
        self._step = 1
        self.read = 0
        """How many events of the journal have been read."""
        self._points = [self.now]

    @property
    def now(self) -> Point:
        """What is used as far as has been read."""
        return Point(self._ended, tuple(self._used.values()))

    @property
    def points(self) -> list[Point]:
        """The course of it, from the beginning to now."""
        return [*self._points, self.now]

    @property
    def is_caught_up(self) -> bool:
        """Whether everything that has happened has been read."""
        return self._summed and self.read == len(self._simulation.state.journal)

    def read_on(self, seconds: float) -> bool:
        """Read on for about so long; return whether there was anything to read."""
        until = perf_counter() + seconds
        if self.is_caught_up:
            return False
        if not self._summed and not self._sum_up(until):
            return True
        journal = self._simulation.state.journal
        while self.read < len(journal):
            self._take(journal[self.read : self.read + _SLICE])
            if perf_counter() >= until:
                break
        return True

    def _sum_up(self, until: float) -> bool:
        """Add up what the accounts began with; True: that is done."""
        initial = self.initial
        for count, budget in enumerate(self._unsummed, start=1):
            initial[budget.asset.symbol] += budget.initial
            if count % _SLICE == 0 and perf_counter() >= until:
                return False
        self._summed = True
        return True

    def _take(self, events: list[Event]) -> None:
        """Fold some events, in integers alone and nearly without calls: a long run has a million of these.

        What an order locks is used, and what a cancel or a better price gives back is no longer. The rest moves nothing here:
        what is spent was locked before, and what is received is not to give.
        """
        slots, seen, left, used, need = self._simulation.slots, self._seen, self._left, self._used, self._need
        settled_here = bool(self._simulation.state.plan.budgets)  # elsewhere there is nothing to tell
        free_of_charge = not self._highest_fee
        for event in events:
            if type(event) is Execution:
                if not settled_here:
                    continue
                price, traded = event.price, event.quantity
                for place in (event.maker, event.taker):
                    if place < 0:
                        continue
                    action = slots[place].action
                    lots = left.pop(place, None) or action.quantity
                    if lots > traded:
                        left[place] = lots - traded
                    if action.side is not _BID or (price == action.price and free_of_charge):
                        continue  # what was locked is what is spent
                    market = action.market
                    spent = price * traded * market.quote_per_tick_lot
                    spent += event.maker_fee if place == event.maker else event.taker_fee
                    used[market.quote.symbol] -= need(action, lots) - need(action, lots - traded) - spent
            elif type(event) is Attempt:
                if event.failure is not None:
                    continue
                place = event.slot
                if not seen[place]:
                    self._slot_ends(place)
                if settled_here:
                    action = slots[place].action
                    market, lots = action.market, left.get(place) or action.quantity
                    if action.side is not _BID:
                        used[market.base.symbol] += lots * market.base_per_lot
                    elif free_of_charge:
                        used[market.quote.symbol] += action.price * lots * market.quote_per_tick_lot
                    else:
                        used[market.quote.symbol] += need(action, lots)
            elif type(event) is Cancel:
                if settled_here:
                    action = slots[event.slot].action
                    used[action.bid_asset] -= need(action, left.get(event.slot) or action.quantity)
            elif type(event) is Decision and event.action in _ENDING and not seen[event.slot]:
                self._slot_ends(event.slot)
        self.read += len(events)

    def _slot_ends(self, slot: int) -> None:
        """Count a slot that ends now. Before it, what had become of the others is a point: their trades have all been read."""
        if self._ended and self._ended % self._step == 0:
            self._points.append(self.now)
            if len(self._points) > self._most:
                self._points = self._points[::2]
                self._step *= 2
        self._seen[slot] = 1
        self._ended += 1
