"""The exchange inside, as if it were far away: each order takes its time, and who watches sees what is under way."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest.mock import patch

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.core.book import Side
from orderbook_tui.core.exchange import Exchange, Submission
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine import connection
from orderbook_tui.engine.wiring import open_venue
from orderbook_tui.venues.base import Venue


class LateVenue:
    """Passes orders on to `venue` after some turns of the event loop, or `seconds`; which ones, the seed says.

    It keeps books of its own: what every account has given for its orders must be within what it had.
    """

    def __init__(self, venue: Venue, state: SimulationState, seed: int, turns: int, seconds: float) -> None:
        self._venue, self._chance, self._turns, self._seconds = venue, Random(seed), turns, seconds
        self.capabilities = venue.capabilities
        self.open, self.close, self.look_up = venue.open, venue.close, venue.look_up
        self.open_orders, self.balances, self.restore = venue.open_orders, venue.balances, venue.restore
        self._had = dict(state.plan.budgets)
        self._given: Counter[tuple[str, str]] = Counter()
        self.overdrafts = 0
        self.placed: list[tuple[str, int]] = []
        """What happened, in order: ("sent" | "answered", slot)."""
        self.under_way: set[int] = set()
        self.most_under_way = 0
        self.looks: list[Callable[[ActionSlot], None]] = []
        """Called with each slot as its order is sent."""

    async def place(self, slot: ActionSlot, quantity: int) -> Submission:
        self.placed.append(("sent", slot.sequence))
        self.under_way.add(slot.sequence)
        self.most_under_way = max(self.most_under_way, len(self.under_way))
        try:
            for look in self.looks:
                look(slot)
            if self._seconds:
                await asyncio.sleep(self._chance.random() * self._seconds)
            for _ in range(self._chance.randint(0, self._turns)):
                await asyncio.sleep(0)
            placed = self._venue.place(slot, quantity)
            assert isinstance(placed, Submission)
            self._book(slot, quantity)
            return placed
        finally:
            self.under_way.discard(slot.sequence)
            self.placed.append(("answered", slot.sequence))

    def place_again(self, slot: ActionSlot, quantity: int) -> Submission:
        placed = self._venue.place_again(slot, quantity)
        self._book(slot, quantity)
        return placed

    def cancel(self, slot: ActionSlot) -> object:
        self._book(slot, -slot.open)
        return self._venue.cancel(slot)

    def _book(self, slot: ActionSlot, quantity: int) -> None:
        action, market = slot.action, slot.action.market
        key = slot.account_id, action.bid_asset
        bid = action.side is Side.BID
        self._given[key] += market.notional(action.price, quantity) if bid else quantity * market.base_per_lot
        self.overdrafts += self._given[key] > self._had.get(key, 0)


@contextmanager
def far_away(seed: int = 1, *, turns: int = 8, seconds: float = 0.0) -> Iterator[list[LateVenue]]:
    """Have every run that is made meanwhile place its orders so, and return those venues."""
    venues: list[LateVenue] = []

    def opened(config: SimulatorConfig, state: SimulationState, *more: Any) -> tuple[Venue, Exchange | None]:
        venue, exchange = open_venue(config, state, *more)
        venues.append(LateVenue(venue, state, seed, turns, seconds))
        return venues[-1], exchange  # type: ignore[return-value]

    with patch.object(connection, "open_venue", opened):
        yield venues
