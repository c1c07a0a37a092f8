"""The schedule: every slot of a run, made up front from one seed, the same on any machine.

Slots come in pairs that must cross. Of n accounts, walk step s belongs to account

    (s + (s div n if n is even, else 0)) mod n

even steps bid, odd steps ask, and steps 2k and 2k+1 are pair k, of which the ask is placed first when k is odd. So every
account gets its count and alternates its sides, and neighbouring pairs share no account where n allows.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate
from math import lcm
from typing import NamedTuple

import msgspec
from msgspec.structs import force_setattr

from orderbook_tui.core.action import ANY, OrderAction, OrderMatchingStrategy, StrategyKind
from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.market import Account, Market, MarketStatus
from orderbook_tui.core.money import MAX_UNITS, decimal
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import ScheduleError

MAX_SLOTS = 10_000_000


class MarketDistribution(StrEnum):
    """Which market a pair trades."""

    ROUND_ROBIN = "round_robin"
    """In turn, so that every account buys and sells equally on every market."""
    SAME_MARKET = "same_market"
    """All on the first."""
    SEQUENTIAL = "sequential"
    """All of the first market, then all of the next."""
    RANDOM = "random"
    WEIGHTED = "weighted"
    """At random, in proportion to `market_weights`."""


class AmountIn(StrEnum):
    """Which asset `min_amount` and `max_amount` count."""

    QUOTE = "quote"
    BASE = "base"


class AmountDistribution(StrEnum):
    """How a trade's size is drawn: anywhere in the range, or always the least whole number of lots in it."""

    UNIFORM = "uniform"
    FIXED = "fixed"


class SchedulerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What to schedule. Amounts and offsets may be given as Decimal, int, float or text, choices as their text.

    `bid_price_offset` and `ask_price_offset` multiply the reference price. `match_with` (account to account, both ways)
    is read with the strategy of that name; accounts it does not name trade among themselves.
    """

    min_amount: Decimal = Decimal(100)
    max_amount: Decimal = Decimal(5000)
    trades_per_account: int = 10
    bid_price_offset: Decimal = Decimal(1)
    ask_price_offset: Decimal = Decimal(1)
    alternate_sides: bool = True
    market_distribution: MarketDistribution = MarketDistribution.ROUND_ROBIN
    market_weights: Mapping[str, Decimal] | None = None
    matching_strategy: StrategyKind = StrategyKind.SEQUENTIAL_NEXT
    match_with: Mapping[str, str] = {}
    amount_in: AmountIn = AmountIn.QUOTE
    amount_distribution: AmountDistribution = AmountDistribution.UNIFORM
    maker_time_in_force: TimeInForce = TimeInForce.GTC
    taker_time_in_force: TimeInForce = TimeInForce.GTC
    rounds: int = 1
    seed: int = 1
    max_retries: int = 3

    def __post_init__(self) -> None:
        for name in ("min_amount", "max_amount", "bid_price_offset", "ask_price_offset"):
            number = decimal(getattr(self, name))
            if number <= 0:
                raise ScheduleError(f"{name} is {number}, it must be positive")
            force_setattr(self, name, number)
        for name, choices in _CHOICES.items():
            try:
                force_setattr(self, name, choices(getattr(self, name)))
            except ValueError:
                raise ScheduleError(f"{name} is {getattr(self, name)!r}, it must be one of {', '.join(choices)}") from None
        for name in ("trades_per_account", "rounds"):
            if getattr(self, name) < 1:
                raise ScheduleError(f"{name} is {getattr(self, name)}, it must be at least 1")
        if self.max_amount < self.min_amount:
            raise ScheduleError(f"max_amount {self.max_amount} is below min_amount {self.min_amount}")


_CHOICES: dict[str, type[StrEnum]] = {
    "market_distribution": MarketDistribution,
    "matching_strategy": StrategyKind,
    "amount_in": AmountIn,
    "amount_distribution": AmountDistribution,
    "maker_time_in_force": TimeInForce,
    "taker_time_in_force": TimeInForce,
}


class Terms(NamedTuple):
    """What every trade on one market has in common: prices in ticks, and the fewest and most lots of a trade."""

    market: Market
    bid: int
    ask: int
    lots_bid_first: tuple[int, int]
    lots_ask_first: tuple[int, int]


class SlotScheduler:
    """Makes the slots of a run; see the module for the rule."""

    def __init__(self, config: SchedulerConfig) -> None:
        self.config = config

    def generate_schedule(self, accounts: Sequence[Account | str], markets: Sequence[Market]) -> list[ActionSlot]:
        """Return all slots in the order in which they run. Markets that are not active get none.

        Raises:
            ScheduleError: no such schedule can be made; the message says why and what would be right.
        """
        return [slot for pair in self.pairs(accounts, markets) for slot in pair]

    def pairs(self, accounts: Sequence[Account | str], markets: Sequence[Market]) -> Iterator[tuple[ActionSlot, ActionSlot]]:
        """Yield the same slots, pair by pair, for who does not want to wait for all of them.

        Raises:
            ScheduleError: as above, before the first pair.
        """
        config = self.config
        ids = [account.id if isinstance(account, Account) else str(account) for account in accounts]
        active = [market for market in markets if market.status is MarketStatus.ACTIVE]
        check_count(len(ids), config.trades_per_account * config.rounds)
        if len(set(ids)) != len(ids):
            raise ScheduleError("two accounts have the same id")
        if not active:
            raise ScheduleError("no market is active")
        terms = [market_terms(config, market) for market in active]
        rng = random.Random(config.seed)
        pairs = len(ids) * config.trades_per_account * config.rounds // 2
        couples = zip(_couples(config, ids), _market_choices(config, active, len(ids), pairs, rng), strict=True)
        strategies = _strategies(config, ids)
        for pair, ((buyer, seller), choice) in enumerate(couples):
            if not config.alternate_sides and draw(rng, 2):
                buyer, seller = seller, buyer
            term = terms[choice]
            ask_first = pair & 1
            fewest, most = term.lots_ask_first if ask_first else term.lots_bid_first
            fixed = config.amount_distribution is AmountDistribution.FIXED
            quantity = fewest if fixed else fewest + draw(rng, most - fewest + 1)
            first, second = (_ASK, _BID) if ask_first else (_BID, _ASK)
            made: list[ActionSlot] = []
            for side, lives in ((first, config.maker_time_in_force), (second, config.taker_time_in_force)):
                account, partner, price = (buyer, seller, term.bid) if side is _BID else (seller, buyer, term.ask)
                action = OrderAction(term.market, side, quantity, price, strategies[partner], lives)
                made.append(ActionSlot(2 * pair + len(made), account, action, config.max_retries, config.max_retries + 1))
            yield made[0], made[1]


def check_count(accounts: int, trades: int) -> None:
    """Refuse a number of accounts and trades of each that makes no whole pairs."""
    if accounts < 2:
        raise ScheduleError(f"a pair needs two accounts, there {'is' if accounts == 1 else 'are'} {accounts}")
    if accounts * trades % 2:
        raise ScheduleError(f"{accounts} accounts with {trades} trades each are an odd number of slots: make one of them even")
    if accounts * trades > MAX_SLOTS:
        raise ScheduleError(
            f"{accounts} accounts with {trades} trades each are {accounts * trades} slots, at most {MAX_SLOTS} fit"
        )


def market_terms(config: SchedulerConfig, market: Market) -> Terms:
    """Return prices and sizes of the trades on `market`: bids round up to the tick, asks down.

    Raises:
        ScheduleError: the bid would be below the ask, or no whole number of lots lies in the range of amounts.
    """
    reference, tick = Fraction(market.reference_price), Fraction(market.tick_size)
    bid = -int(-reference * Fraction(config.bid_price_offset) // tick)
    ask = int(reference * Fraction(config.ask_price_offset) // tick)
    if bid < ask:
        raise ScheduleError(
            f"{market.symbol}: bids at {market.price(bid):f} are below asks at {market.price(ask):f} and would never cross: "
            f"bid_price_offset must not be below ask_price_offset"
        )
    if ask < 1:
        raise ScheduleError(f"{market.symbol}: asks at {market.price(ask):f} are below the tick, {market.tick_size}")
    terms = Terms(market, bid, ask, _lots(config, market, bid), _lots(config, market, ask))
    most = max(terms.lots_bid_first[1], terms.lots_ask_first[1])
    if max(market.notional(bid, most), most * market.base_per_lot, bid) > MAX_UNITS:
        raise ScheduleError(
            f"{market.symbol}: a trade of {config.max_amount} is larger than any budget can be: lower max_amount"
        )
    return terms


def draw(rng: random.Random, count: int) -> int:
    """Return a whole number in 0..count-1, from `random()` alone: the one draw that Python promises never to change."""
    if count <= 1 << 32:
        return int(rng.random() * (1 << 53)) * count >> 53
    high, low = int(rng.random() * (1 << 53)), int(rng.random() * (1 << 53))
    return ((high << 53) | low) * count >> 106


def _lots(config: SchedulerConfig, market: Market, price: int) -> tuple[int, int]:
    """Return the fewest and most lots whose trade at `price` ticks lies in min_amount..max_amount."""
    lot = Fraction(market.lot_size)
    if config.amount_in is AmountIn.QUOTE:
        lot *= price * Fraction(market.tick_size)
    fewest, most = -int(-Fraction(config.min_amount) // lot), int(Fraction(config.max_amount) // lot)
    if fewest > most:
        asset = market.quote if config.amount_in is AmountIn.QUOTE else market.base
        raise ScheduleError(
            f"{market.symbol}: no whole number of lots lies between {config.min_amount} and {config.max_amount} "
            f"{asset.symbol}: one lot is {float(lot):.8g} {asset.symbol}"
        )
    return fewest, most


def _walk(ids: Sequence[str], pairs: int) -> Iterator[tuple[str, str]]:
    """Yield buyer and seller of each pair, as the module says."""
    n = len(ids)
    shifts = n % 2 == 0
    for step in range(0, 2 * pairs, 2):
        first = step + (step // n if shifts else 0)
        second = step + 1 + ((step + 1) // n if shifts else 0)
        yield ids[first % n], ids[second % n]


def _couples(config: SchedulerConfig, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield buyer and seller of each pair under the configured strategy."""
    trades = config.trades_per_account * config.rounds
    if config.matching_strategy is not StrategyKind.MATCH_WITH:
        yield from _walk(ids, len(ids) * trades // 2)
        return
    named = _named_couples(config, ids)
    partners = {account for couple in named for account in couple}
    rest = [account for account in ids if account not in partners]
    if len(rest) == 1:
        raise ScheduleError(f"match_with leaves {rest[0]} without a counterparty: name it one, or add an account")
    others = _walk(rest, len(rest) * trades // 2) if rest else iter(())
    done = 0
    for turn in range(trades):
        # A couple meets once a turn, with sides swapped, so that either alternates.
        yield from (couple if turn % 2 == 0 else couple[::-1] for couple in named)
        due = len(rest) * (turn + 1) // 2
        for _ in range(due - done):
            yield next(others)
        done = due


def _named_couples(config: SchedulerConfig, ids: Sequence[str]) -> list[tuple[str, str]]:
    """Return the couples of `match_with`, each once, in the order of the accounts."""
    places = {account: place for place, account in enumerate(ids)}
    partner: dict[str, str] = {}
    for one, other in config.match_with.items():
        for account, against in ((one, other), (other, one)):
            if account not in places:
                raise ScheduleError(f"match_with names {account}, which is no account")
            if account == against or partner.setdefault(account, against) != against:
                raise ScheduleError(f"match_with gives {account} more than one counterparty, or itself")
    return [(account, partner[account]) for account in ids if account in partner and places[account] < places[partner[account]]]


def _strategies(config: SchedulerConfig, ids: Sequence[str]) -> dict[str, OrderMatchingStrategy]:
    """Return, for every account, the strategy of an order that wants it as its counterparty."""
    if config.matching_strategy is StrategyKind.ANY:
        return dict.fromkeys(ids, ANY)
    return {account: OrderMatchingStrategy(config.matching_strategy, account) for account in ids}


def _market_choices(
    config: SchedulerConfig, markets: Sequence[Market], n: int, pairs: int, rng: random.Random
) -> Iterator[int]:
    """Yield the place of each pair's market among the active ones."""
    m = len(markets)
    match config.market_distribution:
        case MarketDistribution.SAME_MARKET:
            yield from (0 for _ in range(pairs))
        case MarketDistribution.SEQUENTIAL:
            yield from (pair * m // pairs for pair in range(pairs))
        case MarketDistribution.RANDOM:
            yield from (draw(rng, m) for _ in range(pairs))
        case MarketDistribution.WEIGHTED:
            bounds = _weight_bounds(config, markets)
            for _ in range(pairs):
                ticket = draw(rng, bounds[-1])
                yield next(place for place, bound in enumerate(bounds) if ticket < bound)
        case MarketDistribution.ROUND_ROBIN:
            for pair in range(pairs):
                turn = 2 * pair // n
                yield (turn + (turn // m if m % 2 == 0 else 0)) % m


def _weight_bounds(config: SchedulerConfig, markets: Sequence[Market]) -> list[int]:
    """Return the running sums of the weights, as whole numbers in the same proportion."""
    weights = [Fraction(decimal((config.market_weights or {}).get(market.symbol, 0))) for market in markets]
    if any(weight < 0 for weight in weights) or not sum(weights):
        raise ScheduleError("market_weights must give active markets weights of at least 0, and one of them more")
    scale = lcm(*(weight.denominator for weight in weights))
    return list(accumulate(int(weight * scale) for weight in weights))


_BID, _ASK = Side.BID, Side.ASK
