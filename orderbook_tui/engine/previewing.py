"""What a configuration would lead to, worked out bit by bit: a screen looks on, and goes on being a screen.

pairs --> slots, volumes, sizes  -->  histogram  -->  preflight
"""

import time
from collections.abc import Iterator
from copy import copy
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from orderbook_tui.config import PlannedPairs, SimulatorConfig
from orderbook_tui.core.book import SelfTradePrevention
from orderbook_tui.core.market import Market
from orderbook_tui.core.money import Asset, scaled
from orderbook_tui.core.preflight import Preflight, Rehearsal
from orderbook_tui.core.scheduler import AmountIn
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.describing import described_before
from orderbook_tui.engine.planning import plan_of

MOST_BINS: Final = 16
_FIRST_PAIRS: Final = 50
BATCH: Final = 20
"""Slots between two looks at the clock: some tenths of a millisecond."""


class MarketVolume(NamedTuple):
    """What a schedule trades on one market if every pair matches whole: each pair once, at the price of its first order."""

    market: str
    pairs: int
    quantity: Decimal
    base: str
    notional: Decimal
    quote: str


class Histogram(NamedTuple):
    """How often sizes occur: `counts[i]` lie from `edges[i]` to below `edges[i + 1]`, those at the last edge included."""

    edges: list[Decimal]
    counts: list[int]


class Steps:
    """Work that is done in slices of time."""

    def __init__(self) -> None:
        self.done = False
        self._work = self._steps()

    def _steps(self) -> Iterator[None]:
        """Do the work; yield every few tenths of a millisecond."""
        raise NotImplementedError

    def advance(self, seconds: float = 0.004) -> bool:
        """Work for about so long; return whether all is done."""
        until = time.monotonic() + seconds
        while not self.done:
            try:
                next(self._work)
            except StopIteration:
                self.done = True
            if time.monotonic() >= until:
                break
        return self.done


class Preview(Steps):
    """The schedule of a configuration; see the module. The first slots are there at once."""

    def __init__(self, config: SimulatorConfig, folder: Path = Path()) -> None:
        super().__init__()
        self._config = config
        self._universe = described_before(config, folder).universe
        self._planned = PlannedPairs(config, self._universe)
        self._pairs = iter(self._planned)
        accounts, spec = self._universe.accounts, config.scheduler
        self.slots: list[ActionSlot] = []
        self.names = {account.id: account.name for account in accounts}
        """What people call each account, by id."""
        self.total_slots = len(accounts) * spec.trades_per_account * spec.rounds
        self.total_pairs = self.total_slots // 2
        self.histogram: Histogram | None = None
        """Of the sizes of the pairs, in the asset that `amount_in` says; None until all slots are made."""
        self.preflight: Preflight | None = None
        """None until everything else is done."""
        self._played = 0
        self._totals = {market.symbol: [0, 0, 0] for market in self._universe.markets}
        self._sizes: list[int] = []
        self._least = self._most = 0
        self._finest = max(sized_in(config, market).precision for market in self._universe.markets)
        for _ in range(min(_FIRST_PAIRS, self.total_pairs)):
            self._add(next(self._pairs))

    @property
    def progress(self) -> float:
        """How much of the work is done, from 0 to 1: making a slot takes a quarter of the time of playing it."""
        return 1.0 if self.done else (len(self.slots) + 4 * self._played) / (5 * self.total_slots)

    @property
    def volumes(self) -> list[MarketVolume]:
        """What each market trades, as far as the slots are made."""
        found = []
        for market in self._universe.markets:
            pairs, lots, units = self._totals[market.symbol]
            quantity, notional = market.quantity(lots), market.quote.amount(units)
            found.append(MarketVolume(market.symbol, pairs, quantity, market.base.symbol, notional, market.quote.symbol))
        return found

    @property
    def problems(self) -> dict[str, str]:
        """The overrides that do not fit the slots that are made, by path."""
        return {problem.path: problem.message for problem in self._planned.problems}

    def is_of(self, config: SimulatorConfig) -> bool:
        """Whether a configuration has the same slots, but for its overrides."""
        return _without_overrides(config) == _without_overrides(self._config)

    def drawn_pair(self, place: int) -> tuple[ActionSlot, ActionSlot] | None:
        """Return a pair as it was drawn, whatever its overrides; None where it is not made yet."""
        if 2 * place + 1 >= len(self.slots):
            return None
        first, second = copy(self.slots[2 * place]), copy(self.slots[2 * place + 1])
        for slot in (first, second):
            slot.action = self._planned.drawn.get(slot.sequence, slot.action)
        return first, second

    def _steps(self) -> Iterator[None]:
        for count, pair in enumerate(self._pairs):
            self._add(pair)
            if count % BATCH == 0:
                yield
        yield from self._count_sizes()
        rehearsal = Rehearsal(plan_of(self._config, self._universe), self_trade_prevention(self._config))
        for place, slot in enumerate(self.slots):
            rehearsal.play(slot)
            if place % BATCH == 0:
                self._played = place
                yield
        needs = []
        for need in rehearsal.needs():
            needs.append(need)
            if len(needs) % BATCH == 0:
                yield
        self.preflight = Preflight(rehearsal.refused, needs)

    def _add(self, pair: tuple[ActionSlot, ActionSlot]) -> None:
        self.slots += pair
        action = pair[0].action
        market, lots = action.market, action.quantity
        notional = market.notional(action.price, lots)
        totals = self._totals[market.symbol]
        totals[0] += 1
        totals[1] += lots
        totals[2] += notional
        size = notional if self._config.scheduler.amount_in is AmountIn.QUOTE else lots * market.base_per_lot
        size *= 10 ** (self._finest - sized_in(self._config, market).precision)
        if not self._sizes:
            self._least = self._most = size
        elif not self._least <= size <= self._most:
            self._least, self._most = min(self._least, size), max(self._most, size)
        self._sizes.append(size)

    def _count_sizes(self) -> Iterator[None]:
        sizes, least, most = self._sizes, self._least, self._most
        bins = min(MOST_BINS, most - least) or 1
        counts = [0] * bins
        for start in range(0, len(sizes), 1000):
            for size in sizes[start : start + 1000]:
                counts[min((size - least) * bins // (most - least), bins - 1) if bins > 1 else 0] += 1
            yield
        unit = Decimal(1).scaleb(-self._finest)
        edges = [scaled(least - (least - most) * place // bins, unit) for place in range(bins + 1)]
        self.histogram = Histogram(edges, counts)


def self_trade_prevention(config: SimulatorConfig) -> SelfTradePrevention:
    """Return what the venue does when an account would trade with itself."""
    venue = config.venue
    return venue.self_trade_prevention if venue.kind == "embedded" else SelfTradePrevention.CANCEL_NEWEST


def _without_overrides(config: SimulatorConfig) -> SimulatorConfig:
    return config.model_copy(update={"scheduler": config.scheduler.model_copy(update={"overrides": ()})})


def sized_in(config: SimulatorConfig, market: Market) -> Asset:
    """Return the asset that sizes of trades on a market are in."""
    return market.quote if config.scheduler.amount_in is AmountIn.QUOTE else market.base
