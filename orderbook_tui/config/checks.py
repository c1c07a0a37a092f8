"""What must agree between the sections of a configuration; each check finds all that is wrong in its own way.

A check says which parts of the file it reads. Where one of them was refused already, the check is left out: what it
would say about the default that stands in for it could mislead.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from orderbook_tui.config.accounts import account_troubles
from orderbook_tui.config.budgets import budget_troubles, nothing_by_that_name
from orderbook_tui.config.ccxt import CcxtVenueSpec
from orderbook_tui.config.database import PARTS, is_read
from orderbook_tui.config.facts import Facts
from orderbook_tui.config.models import MatchWith, SimulatorConfig
from orderbook_tui.config.reading import Trouble
from orderbook_tui.config.showing import message_text, number_text, shown
from orderbook_tui.config.universe import terms_config
from orderbook_tui.core.market import Market, MarketStatus
from orderbook_tui.core.money import Asset
from orderbook_tui.core.scheduler import AmountIn, MarketDistribution, SchedulerConfig, check_count, market_terms
from orderbook_tui.errors import AmountError, ScheduleError


def check(facts: Facts) -> Iterator[Trouble]:
    """Yield all that is wrong between the sections, at places of the draft's config."""
    for reads, checker in _CHECKS:
        if all(facts.is_sound(*path.split(".")) for path in reads):
            yield from checker(facts)


def _database(facts: Facts) -> Iterator[Trouble]:
    spec = facts.config.database
    if spec is None:
        return
    parts = [part for part in PARTS if is_read(spec, part)]
    if not parts:
        yield Trouble(("database",), "reads nothing: give accounts, markets or budgets")
    for part in parts:
        rows, section = getattr(spec, part), _INSTEAD[part]
        if (rows.table is None) == (rows.query is None):
            given = "none" if rows.table is None else "both"
            yield Trouble(("database", part), f"give exactly one of table and query, not {given}")
        # A config that was written out in full has the defaults of what was left out.
        if getattr(facts.config, section) != SimulatorConfig.model_fields[section].default:
            yield Trouble((section,), f"is given here, and database.{part} as well: keep one of them")
    if spec.accounts is not None and spec.accounts.id is None and spec.accounts.name is None:
        yield Trouble(("database", "accounts"), "an account needs a column for its id or its name: not both can be null")


def _listed(facts: Facts) -> Iterator[Trouble]:
    """Find markets of a ccxt venue that are nowhere, or in two places."""
    config, venue = facts.config, facts.config.venue
    if not isinstance(venue, CcxtVenueSpec):
        return
    read = is_read(config.database, "markets")
    if not venue.markets:
        if config.markets is None and not read:
            ways = 'give venue.markets, as the exchange calls them, such as ["BTC/USDT"], or the section markets'
            yield Trouble(("venue",), f"does not say which markets are traded: {ways}")
        if venue.reference_prices:
            yield Trouble(("venue", "reference_prices"), "has no effect without venue.markets: a market has its own")
        return
    if config.markets is not None:
        yield Trouble(("markets",), "is given here, and venue.markets as well: keep one of them")
    elif read:
        yield Trouble(("database", "markets"), "is given here, and venue.markets as well: keep one of them")
    first: dict[str, int] = {}
    for index, symbol in enumerate(venue.markets):
        if first.setdefault(symbol, index) != index:
            yield Trouble(("venue", "markets", index), f"{shown(symbol)} is already market [{first[symbol]}]")
    for symbol in venue.reference_prices:
        if symbol not in first:
            yield nothing_by_that_name(("venue", "reference_prices", symbol), symbol, "market", venue.markets)


def _accounts(facts: Facts) -> Iterator[Trouble]:
    if facts.known is not None or facts.is_elsewhere("accounts"):
        return
    spec = facts.config.accounts
    given = [way for way in ("generate", "list", "file") if getattr(spec, way) is not None]
    if len(given) != 1 and facts.is_sound("accounts"):
        yield Trouble(("accounts",), f"give exactly one of generate, list and file, not {' and '.join(given) or 'none'}")
    for place, message in account_troubles(spec.list or (), _numbers(facts, "accounts", "list")):
        yield Trouble(("accounts", "list", *place), message)


def _count(facts: Facts) -> Iterator[Trouble]:
    scheduler, count = facts.config.scheduler, facts.account_count
    if count is None:
        return
    try:
        check_count(count, scheduler.trades_per_account * scheduler.rounds)
    except ScheduleError as error:
        yield Trouble(("accounts",) if count < 2 else ("scheduler", "trades_per_account"), message_text(error))


def _assets(facts: Facts) -> Iterator[Trouble]:
    specs = facts.config.assets or ()
    yield from _repeated(facts, [spec.symbol for spec in specs], "assets", "asset")


def _markets(facts: Facts) -> Iterator[Trouble]:
    specs = list(facts.market_specs())
    yield from _repeated(facts, [spec.symbol for _, spec in specs], "markets", "market")
    for place, spec in specs:
        if spec.base == spec.quote:
            yield Trouble((*place, "quote"), f"is the base as well, {shown(spec.base)}: a market needs two assets")
        if spec.regulation.kind == "unregulated" and spec.regulation.band is not None:
            yield Trouble((*place, "regulation", "band"), "an unregulated market has no band")
        for side, symbol in (("base", spec.base), ("quote", spec.quote)):
            if facts.assets is not None and symbol not in facts.assets:
                yield nothing_by_that_name((*place, side), symbol, "asset", tuple(facts.assets))
        try:
            facts.market(spec)
        except AmountError as error:
            yield Trouble(place, _without_symbol(message_text(error), spec.symbol) if place[1:] else f"the default {error}")


def _active(facts: Facts) -> Iterator[Trouble]:
    specs = list(facts.market_specs())
    if facts.is_elsewhere("markets"):
        return
    if facts.config.markets is None and not specs:
        if facts.assets is None:
            return
        yield Trouble(("markets",), "none given, and the default ones need the assets BTC and USD, or ETH and USD")
    elif not any(spec.status is MarketStatus.ACTIVE for _, spec in specs):
        yield Trouble(("markets",), "no market is active" if specs else "is empty, at least one market is needed")


def _amounts(facts: Facts) -> Iterator[Trouble]:
    spec = facts.config.scheduler
    if spec.max_amount < spec.min_amount:
        least, most = number_text(spec.min_amount), number_text(spec.max_amount)
        yield Trouble(("scheduler", "max_amount"), f"{most} is below min_amount {least}")
    assets = {_sized_in(spec.amount_in, market): None for _, market in facts.markets}
    for name, amount in (("min_amount", spec.min_amount), ("max_amount", spec.max_amount)):
        for asset in assets:
            try:
                asset.units(amount)
            except AmountError as error:
                yield Trouble(("scheduler", name), message_text(error))
                break


def _terms(facts: Facts) -> Iterator[Trouble]:
    """Find markets on which no trade can be made; which one it is stands in the message."""
    spec = facts.config.scheduler
    if spec.max_amount < spec.min_amount:
        return
    config = terms_config(spec)
    for _, market in facts.markets:
        try:
            market_terms(config, market)
        except ScheduleError as error:
            yield Trouble(("scheduler", "max_amount" if _crosses(config, market) else "bid_price_offset"), message_text(error))


def _weights(facts: Facts) -> Iterator[Trouble]:
    spec, place = facts.config.scheduler, ("scheduler", "market_weights")
    weights = spec.market_weights
    if spec.market_distribution is not MarketDistribution.WEIGHTED:
        if weights is not None:
            how = spec.market_distribution.value
            yield Trouble(place, f'has no effect with market_distribution "{how}": set it to "weighted" or leave this out')
        return
    if weights is None:
        yield Trouble(place, 'missing: market_distribution "weighted" needs the share of each market')
        return
    if not facts.is_sound("markets") or facts.is_elsewhere("markets"):
        return
    statuses = {market.symbol: market.status for _, market in facts.market_specs()}
    for symbol in weights:
        if symbol not in statuses:
            yield nothing_by_that_name((*place, symbol), symbol, "market", tuple(statuses))
    if not any(
        weight for symbol, weight in weights.items() if statuses.get(symbol, MarketStatus.ACTIVE) is MarketStatus.ACTIVE
    ):
        yield Trouble(place, "gives no active market a weight above 0")


def _match_with(facts: Facts) -> Iterator[Trouble]:
    strategy = facts.config.scheduler.matching_strategy
    # Nobody is looked up by name where none is given: there may be a million of them.
    named = facts.named if isinstance(strategy, MatchWith) else None
    if not isinstance(strategy, MatchWith) or facts.accounts is None or named is None:
        return
    place = ("scheduler", "matching_strategy", "match_with")
    partners: dict[str, str] = {}
    complete = True
    for one, other in strategy.match_with.items():
        unknown = [name for name in (one, other) if name not in named]
        for name in unknown:
            yield nothing_by_that_name((*place, one), name, "account", facts.account_names)
        if unknown:
            complete = False
            continue
        for account, partner in ((named[one], named[other]), (named[other], named[one])):
            if account == partner:
                yield Trouble((*place, one), "an account cannot trade with itself")
                complete = False
                break
            if partners.setdefault(account, partner) != partner:
                called = one if account == named[one] else other
                yield Trouble((*place, one), f"{shown(called)} has another counterparty already")
                complete = False
                break
    alone = [account for account in facts.accounts if account.id not in partners]
    if complete and len(alone) == 1:
        yield Trouble(place, f"leaves {shown(alone[0].name)} without a counterparty: name it one, or add an account")


def _overrides(facts: Facts) -> Iterator[Trouble]:
    """Find overrides of nothing, and of no slot; whether the amounts fit their slots shows when these are made."""
    spec = facts.config.scheduler
    path = ("scheduler", "overrides")
    number = _numbers(facts, *path)
    first: dict[int, int] = {}
    counted = all(
        facts.is_sound(*place) for place in (("accounts",), ("scheduler", "trades_per_account"), ("scheduler", "rounds"))
    )
    count = facts.account_count if spec.overrides and counted else None
    slots = None if count is None else count * spec.trades_per_account * spec.rounds
    for index, override in enumerate(spec.overrides):
        if override.bid_amount is None and override.ask_amount is None:
            yield Trouble((*path, index), "give bid_amount, ask_amount or both")
        if first.setdefault(override.slot, index) != index:
            yield Trouble(
                (*path, index, "slot"), f"slot {override.slot} is already in override [{number(first[override.slot])}]"
            )
        if slots is not None and override.slot >= slots:
            yield Trouble((*path, index, "slot"), f"there is no slot {override.slot}: there are {slots}, counted from 0")


def _budgets(facts: Facts) -> Iterator[Trouble]:
    if facts.is_elsewhere("budgets"):
        return
    specs = facts.config.budget.budgets
    named = facts.named if any(spec.account_id is not None for spec in specs) else None
    yield from budget_troubles(specs, named, facts.account_names if named else (), facts.assets)


def _latency(facts: Facts) -> Iterator[Trouble]:
    least, most = facts.config.venue.faults.latency_ms
    if most < least:
        yield Trouble(("venue", "faults", "latency_ms"), f"the longest, {most}, is below the shortest, {least}")


def _repeated(facts: Facts, symbols: Sequence[str], section: str, what: str) -> Iterator[Trouble]:
    first: dict[str, int] = {}
    number = _numbers(facts, section)
    for index, symbol in enumerate(symbols):
        if first.setdefault(symbol, index) != index:
            yield Trouble((section, index, "symbol"), f"{shown(symbol)} is already {what} [{number(first[symbol])}]")


def _numbers(facts: Facts, *path: str) -> Callable[[int], object]:
    """Return by which number the file knows an entry of a list, of which others may have been left out."""
    return lambda index: facts.draft.original((*path, index))[-1]


def _crosses(config: SchedulerConfig, market: Market) -> bool:
    """Whether the prices are fine, so that it must be the amounts that are not: is a trade of one lot possible?"""
    one_lot = replace(config, amount_in=AmountIn.BASE, min_amount=market.lot_size, max_amount=market.lot_size)
    try:
        market_terms(one_lot, market)
    except ScheduleError:
        return False
    return True


def _sized_in(amount_in: AmountIn, market: Market) -> Asset:
    return market.quote if amount_in is AmountIn.QUOTE else market.base


def _without_symbol(message: str, symbol: str) -> str:
    return message.removeprefix(f"{symbol}: ")


_INSTEAD: Final = {"accounts": "accounts", "markets": "markets", "budgets": "budget"}
"""The section that what is read from a database takes the place of."""

_SIZES: Final = ("scheduler.min_amount", "scheduler.max_amount", "scheduler.amount_in")
_OFFSETS: Final = ("scheduler.bid_price_offset", "scheduler.ask_price_offset")

_CHECKS: Final[Sequence[tuple[Sequence[str], Callable[[Facts], Iterator[Trouble]]]]] = (
    (("database",), _database),
    (("database", "markets", "venue"), _listed),
    ((), _accounts),
    (("accounts", "scheduler.trades_per_account", "scheduler.rounds"), _count),
    ((), _assets),
    ((), _markets),
    (("markets",), _active),
    (_SIZES, _amounts),
    ((*_SIZES, *_OFFSETS), _terms),
    (("scheduler.market_distribution", "scheduler.market_weights"), _weights),
    (("scheduler.matching_strategy",), _match_with),
    (("scheduler.overrides",), _overrides),
    ((), _budgets),
    (("venue.faults.latency_ms",), _latency),
)
