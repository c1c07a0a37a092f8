"""Fitting: the largest amounts for which no budget refuses a slot, found by trying.

`max_amount` goes down first. Where trades of `min_amount` are too large still, `min_amount` goes down with it, always so
far below that every market has a whole number of lots between the two. Amounts are tried that have four digits, such as
1840 or 0.06213. Single slots that have amounts of their own keep them.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_DOWN, Context, Decimal
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final

from orderbook_tui.config import PlannedPairs, SimulatorConfig, scheduler_config
from orderbook_tui.core.budget import BudgetStore
from orderbook_tui.core.market import Market
from orderbook_tui.core.money import plain, written
from orderbook_tui.core.preflight import Refused, Rehearsal
from orderbook_tui.core.scheduler import AmountDistribution, market_terms
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.describing import described_before
from orderbook_tui.engine.planning import plan_of
from orderbook_tui.engine.previewing import BATCH, Steps, self_trade_prevention, sized_in

MOST_PLAYED: Final = 20_000
"""Slots up to which all amounts that are tried are played. Beyond, needs are held against budgets, which is a little strict."""

_DIGITS: Final = 4
_FIRST: Final = 1_000
"""The least number of so many digits."""
_PER_POWER: Final = 9 * _FIRST
_INTERPOLATIONS: Final = 3


Amounts = tuple[Decimal, Decimal]


class Fitting(Steps):
    """The search. When it is done, `words` says what came of it, and `fitted` whether amounts were put in.

    `put` is given them by path, and answers whether it has taken them.
    """

    def __init__(self, config: SimulatorConfig, folder: Path, put: Callable[[Mapping[str, str]], bool]) -> None:
        super().__init__()
        self.words = ""
        self.fitted = False
        self._config, self._put = config, put
        self._universe = described_before(config, folder).universe
        self._count = len(self._universe.accounts) * config.scheduler.trades_per_account * config.scheduler.rounds
        self._plan = plan_of(config, self._universe)
        spec = config.scheduler
        self._least, self._most = spec.min_amount, spec.max_amount
        self._is_fixed = spec.amount_distribution is AmountDistribution.FIXED
        self._own = {override.slot >> 1 for override in spec.overrides}
        markets = self._universe.markets
        self._unit = Decimal(1).scaleb(-min(sized_in(config, market).precision for market in markets))
        lot = max(map(self._lot_of, markets))
        self._lot = _stepped(Context(prec=2, rounding=ROUND_CEILING).plus(lot), self._unit, ROUND_CEILING)
        """What no market's lot is worth more than, in the asset that amounts are in."""
        self._refused: list[Refused] = []
        """What the amounts that were tried last are refused for."""
        self._short = 0
        """How often that is a budget."""

    def _steps(self) -> Iterator[None]:
        yield from self._play((self._least, self._most), to_the_end=True)
        if not self._short:
            self.words = "nothing to fit: no budget refuses a slot"
            return
        others = len(self._refused) - self._short
        refused = self._least if self._is_fixed else self._most
        lowest, highest = self._index(self._lowest()) + 1, self._index(refused)
        highest += self._value(highest) < refused
        best = (yield from self._compare(lowest, highest)) if self._count > MOST_PLAYED else lowest
        if not (yield from self._passes(best, others)):
            self.words = self._impossible(self._amounts(best))
            return
        while highest - best > 1 and self._count <= MOST_PLAYED:
            middle = (best + highest) // 2
            if (yield from self._passes(middle, others)):
                best = middle
            else:
                highest = middle
        self._take(self._amounts(best))

    def _passes(self, index: int, others: int) -> Generator[None, None, bool]:
        """Whether no budget refuses a slot with the amounts at an index, and nothing else refuses more than it did."""
        yield from self._play(self._amounts(index), to_the_end=False)
        return not self._short and len(self._refused) <= others

    def _play(self, amounts: Amounts, *, to_the_end: bool) -> Iterator[None]:
        """Run the preflight with other amounts, if need be only until a budget refuses a slot."""
        rehearsal = Rehearsal(self._plan, self_trade_prevention(self._config))
        self._refused = rehearsal.refused
        self._short = seen = 0
        for played, slot in enumerate(self._slots(amounts)):
            rehearsal.play(slot)
            if len(self._refused) > seen:
                seen = len(self._refused)
                self._short += self._refused[-1].code == "budget"
                if self._short and not to_the_end:
                    return
            if played % BATCH == 0:
                yield

    def _compare(self, lowest: int, highest: int) -> Generator[None, None, int]:
        """Return the index of amounts whose needs no budget falls short of, without playing them.

        How much of the tightest budget is needed is convex in `max_amount` as long as `min_amount` stays, so what is
        interpolated between one that suffices and one that does not suffices.
        """
        kept = min(self._index(self._least + self._lot) + 1, highest)
        low, high = kept, highest
        share_low = yield from self._share(low)
        share_high = yield from self._share(high)
        if share_low > 1:
            low, high, share_high = lowest, kept, share_low
            share_low = yield from self._share(low)
        for _ in range(_INTERPOLATIONS):
            if high - low <= 1 or share_low > 1 or share_high <= 1:
                break
            part = (1 - share_low) / (share_high - share_low)
            start, end = Fraction(self._value(low)), Fraction(self._value(high))
            tried = self._index(_decimal(start + (end - start) * part))
            if not low < tried < high:
                break
            share = yield from self._share(tried)
            if share <= 1:
                low, share_low = tried, share
            else:
                high, share_high = tried, share
        return low

    def _share(self, index: int) -> Generator[None, None, Fraction]:
        """Return how much of the tightest budget all orders together need; a budget of nothing is needed beyond measure."""
        budgets = self._plan.budgets
        settlement = Settlement((), BudgetStore(), self._plan.fees)
        needed: dict[tuple[str, str], int] = {}
        for place, slot in enumerate(self._slots(self._amounts(index))):
            key = slot.account_id, slot.action.bid_asset
            needed[key] = needed.get(key, 0) + settlement.need(slot.action, slot.action.quantity)
            if place % BATCH == 0:
                yield
        return max(Fraction(units, budgets.get(key) or 1) for key, units in needed.items())

    def _slots(self, amounts: Amounts) -> Iterator[ActionSlot]:
        scheduler = self._config.scheduler.model_copy(update={"min_amount": amounts[0], "max_amount": amounts[1]})
        return chain.from_iterable(PlannedPairs(self._config.model_copy(update={"scheduler": scheduler}), self._universe))

    def _for_budget(self) -> list[Refused]:
        return [refused for refused in self._refused if refused.code == "budget"]

    def _take(self, amounts: Amounts) -> None:
        done, changed = [], {}
        for key, before, after in zip(("max_amount", "min_amount"), (self._most, self._least), amounts[::-1], strict=True):
            if before == after:
                done.append(f"{key} kept at {written(before)}")
            else:
                changed[f"scheduler.{key}"] = written(after)
                done.append(f"{key} {written(before)} -> {written(after)}")
        self.fitted = self._put(changed)
        self.words = ", ".join(done) if self.fitted else "the schedule was changed meanwhile: nothing was fitted"

    def _impossible(self, amounts: Amounts) -> str:
        if not self._short:
            return f"no amounts fit: smaller ones are refused for other reasons: {self._refused[-1].message}"
        first = next((refused for refused in self._for_budget() if refused.slot >> 1 in self._own), None)
        if first is not None:
            return f"slot {first.slot} has amounts of its own that no budget covers: {first.message}: change or clear them"
        first = self._for_budget()[0]
        return f"no amounts fit: even with {written(amounts[1])}, slot {first.slot} is refused: {first.message}"

    # The amounts that are tried, numbered in their order

    def _amounts(self, index: int) -> Amounts:
        value = self._value(index)
        if self._is_fixed:
            return value, self._most
        return min(self._least, max(plain(_EXACT.subtract(value, self._lot)), self._unit)), value

    def _value(self, index: int) -> Decimal:
        power, digits = divmod(index, _PER_POWER)
        value = Decimal(digits + _FIRST).scaleb(power - _DIGITS + 1)
        return max(plain(_stepped(value, self._unit, ROUND_DOWN)), self._unit)

    def _index(self, value: Decimal) -> int:
        """Return the index of the largest of them that is not above `value`."""
        power: int = value.adjusted()
        return power * _PER_POWER + int(value.scaleb(_DIGITS - 1 - power)) - _FIRST

    def _lowest(self) -> Decimal:
        """Return what cannot be gone below: every market needs a lot, and no trade may fall below the least notional."""
        least = max(self._least_of(market) for market in self._universe.markets)
        floor = least if least <= self._least else self._unit
        return floor if self._is_fixed else _EXACT.add(floor, self._lot)

    def _lot_of(self, market: Market) -> Decimal:
        """Return what one lot is worth at most, in the asset that amounts are in."""
        if sized_in(self._config, market) is market.base:
            return market.lot_size
        bid = market_terms(scheduler_config(self._config, self._universe.accounts), market).bid
        return market.quote.amount(market.notional(bid, 1))

    def _least_of(self, market: Market) -> Decimal:
        """Return the least amount of a trade that the market's rules let through."""
        if sized_in(self._config, market) is market.quote:
            return max(market.min_notional, self._unit)
        ask = market_terms(scheduler_config(self._config, self._universe.accounts), market).ask
        lots = max(1, -(-market.min_notional_units // market.notional(ask, 1)))
        return market.quantity(lots)


_EXACT: Final = Context(prec=200)


def _stepped(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    """Return `value` as a whole number of steps."""
    return value.quantize(step, rounding=rounding, context=_EXACT)


def _decimal(value: Fraction) -> Decimal:
    return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
