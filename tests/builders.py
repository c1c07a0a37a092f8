"""A market, an account, an order, a slot or a whole plan in one line."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from orderbook_tui.core.action import ANY, OrderAction, OrderMatchingStrategy
from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.journal import Failure
from orderbook_tui.core.market import Account, Market, MarketStatus, Regulation
from orderbook_tui.core.money import Asset
from orderbook_tui.core.scheduler import SchedulerConfig, SlotScheduler
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import Plan
from orderbook_tui.errors import FailureKind

USD = Asset("USD")
BTC = Asset("BTC")

TRANSIENT = Failure("unavailable", FailureKind.TRANSIENT, "the venue is away")
PERMANENT = Failure("rejected", FailureKind.PERMANENT, "the venue said no")
UNKNOWN = Failure("unknown", FailureKind.UNKNOWN, "the venue said nothing")


def a_market(
    symbol: str = "BTC-USD",
    *,
    tick: str = "0.01",
    lot: str = "0.000001",
    reference: str = "100",
    least: str = "0",
    band: str | None = None,
    precision: int = 8,
    status: MarketStatus = MarketStatus.ACTIVE,
) -> Market:
    """A market whose assets, named by its symbol, both have `precision` decimals."""
    base, quote = symbol.split("-")
    return Market(
        symbol=symbol,
        base=Asset(base, precision),
        quote=Asset(quote, precision),
        tick_size=Decimal(tick),
        lot_size=Decimal(lot),
        min_notional=Decimal(least),
        reference_price=Decimal(reference),
        regulation=Regulation(Decimal(band) if band is not None else None),
        status=status,
    )


def some_markets(count: int) -> list[Market]:
    """So many active markets, all quoted in USD."""
    return [a_market(f"C{number}-USD", reference=str(100 * (number + 1))) for number in range(count)]


def small_market(symbol: str = "BTC-USD", **rules: Any) -> Market:
    """A market where one tick x one lot is one quote unit and a lot one base unit, so that tests count on their fingers."""
    return a_market(symbol, tick="1", lot="1", precision=0, **rules)


def some_accounts(count: int) -> list[Account]:
    """Accounts a, b, c, ..."""
    return [Account(chr(ord("a") + number)) for number in range(count)]


def bid(
    market: Market, quantity: int, price: int, *, only: str | None = None, lives: TimeInForce = TimeInForce.GTC
) -> OrderAction:
    """Buy `quantity` lots at `price` ticks, from the account `only` if given."""
    return OrderAction(market, Side.BID, quantity, price, OrderMatchingStrategy.match_with(only) if only else ANY, lives)


def ask(
    market: Market, quantity: int, price: int, *, only: str | None = None, lives: TimeInForce = TimeInForce.GTC
) -> OrderAction:
    """Sell `quantity` lots at `price` ticks, to the account `only` if given."""
    return OrderAction(market, Side.ASK, quantity, price, OrderMatchingStrategy.match_with(only) if only else ANY, lives)


def a_slot(action: OrderAction | None = None, *, account: str = "a", max_retries: int = 3) -> ActionSlot:
    """A fresh slot, the first of its run."""
    return ActionSlot(0, account, action or bid(small_market(), 10, 100), max_retries, max_retries + 1, run="run")


def slots_of(*orders: tuple[str, OrderAction]) -> list[ActionSlot]:
    """The slots of these orders, each with its account."""
    return [ActionSlot(sequence, account, action) for sequence, (account, action) in enumerate(orders)]


def schedule(accounts: int, trades: int, markets: int | Sequence[Market] = 1, **config: Any) -> list[ActionSlot]:
    """The schedule of so many accounts, trades of each and markets."""
    universe = some_markets(markets) if isinstance(markets, int) else markets
    return SlotScheduler(SchedulerConfig(trades_per_account=trades, **config)).generate_schedule(
        some_accounts(accounts), universe
    )


def a_plan(
    slots: Iterable[ActionSlot],
    budget: int | Mapping[tuple[str, str], int] = 10**15,
    fees: FeeSchedule = FeeSchedule(),  # noqa: B008 - it is immutable
) -> Plan:
    """The plan of these slots; every account has `budget` units of every asset, or what the mapping says."""
    slots = list(slots)
    markets = {slot.action.market.symbol: slot.action.market for slot in slots}
    assets = {asset.symbol: asset for market in markets.values() for asset in (market.base, market.quote)}
    names = sorted({slot.account_id for slot in slots})
    if isinstance(budget, int):
        budget = {(name, symbol): budget for name in names for symbol in assets}
    return Plan(
        accounts=tuple(map(Account, names)),
        markets=tuple(markets.values()),
        assets=tuple(assets.values()),
        budgets=budget,
        fees=fees,
    )
