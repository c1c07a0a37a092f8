"""The universe of a run: the accounts, assets, markets and budgets that a configuration describes.

What a configuration leaves out is filled in here:

    no markets, no assets    BTC-USD at 60000 and ETH-USD at 3000
    no assets                those of the markets, with 8 decimals
    no markets               of the two above, those whose assets there are
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from orderbook_tui.config.accounts import generate, listed, read_accounts
from orderbook_tui.config.budgets import budget_units, directory
from orderbook_tui.config.models import AccountsSpec, MarketSpec, MatchWith, SchedulerSpec, SimulatorConfig
from orderbook_tui.config.showing import file_text
from orderbook_tui.core.action import StrategyKind
from orderbook_tui.core.market import UNREGULATED, Account, Market, MarketStatus, Regulation
from orderbook_tui.core.money import Asset
from orderbook_tui.core.scheduler import SchedulerConfig

DEFAULT_BAND: Final = Decimal("0.10")

DEFAULT_MARKETS: Final = (
    MarketSpec(symbol="BTC-USD", base="BTC", quote="USD", reference_price=Decimal(60_000)),
    MarketSpec(symbol="ETH-USD", base="ETH", quote="USD", reference_price=Decimal(3_000)),
)

_DEFAULT_ASSETS: Final = ("BTC", "ETH", "USD")


class Universe(msgspec.Struct, frozen=True):
    """Who trades what, and what each may give."""

    accounts: list[Account]
    markets: list[Market]
    """The active ones."""
    left_out: list[Market]
    """The inactive and suspended ones: they get no slots."""
    assets: dict[str, Asset]
    budgets: dict[tuple[str, str], int]
    """What every account (by id) may give of every asset (by symbol), in the asset's units."""


def universe(config: SimulatorConfig, folder: Path = Path()) -> Universe:
    """Return what a checked configuration describes; `accounts.file` is looked for in `folder`.

    Raises:
        ConfigError: the file of accounts cannot be read.
    """
    accounts = accounts_of(config.accounts, folder)
    assets = assets_of(config)
    markets = [market_of(spec, assets) for spec in markets_of(config)]
    return Universe(
        accounts,
        [market for market in markets if market.status is MarketStatus.ACTIVE],
        [market for market in markets if market.status is not MarketStatus.ACTIVE],
        assets,
        budget_units(config.budget.budgets, accounts, assets),
    )


def scheduler_config(config: SimulatorConfig, accounts: Sequence[Account]) -> SchedulerConfig:
    """Return what to schedule, with the accounts of `match_with` by their ids."""
    strategy = config.scheduler.matching_strategy
    kind, couples = StrategyKind.MATCH_WITH, {}
    if isinstance(strategy, MatchWith):
        ids = directory(accounts)
        couples = {ids[one]: ids[other] for one, other in strategy.match_with.items()}
    else:
        kind = StrategyKind(strategy)
    return msgspec.structs.replace(
        terms_config(config.scheduler),
        matching_strategy=kind,
        match_with=couples,
        seed=config.seed,
        max_retries=config.processor.max_retries,
    )


def terms_config(spec: SchedulerSpec) -> SchedulerConfig:
    """Return the part of what to schedule that says nothing about accounts."""
    return SchedulerConfig(
        min_amount=spec.min_amount,
        max_amount=spec.max_amount,
        trades_per_account=spec.trades_per_account,
        bid_price_offset=spec.bid_price_offset,
        ask_price_offset=spec.ask_price_offset,
        alternate_sides=spec.alternate_sides,
        market_distribution=spec.market_distribution,
        market_weights=spec.market_weights,
        amount_in=spec.amount_in,
        amount_distribution=spec.amount_distribution,
        maker_time_in_force=spec.time_in_force.maker,
        taker_time_in_force=spec.time_in_force.taker,
        rounds=spec.rounds,
    )


def accounts_of(spec: AccountsSpec, folder: Path) -> list[Account]:
    """Return the accounts that `spec` generates, lists or reads from a file.

    Raises:
        ConfigError: the file of accounts cannot be read.
    """
    if spec.file is not None:
        return read_accounts(folder / spec.file, file_text(spec.file))
    if spec.list is not None:
        return listed(spec.list)
    return generate(spec.generate.prefix, spec.generate.count) if spec.generate else []


def assets_of(config: SimulatorConfig) -> dict[str, Asset]:
    """Return the assets by symbol: as given, or those of the markets."""
    if config.assets is not None:
        return {spec.symbol: Asset(spec.symbol, spec.precision) for spec in config.assets}
    if config.markets is not None:
        symbols = [symbol for spec in config.markets for symbol in (spec.base, spec.quote)]
        return {symbol: Asset(symbol) for symbol in symbols}
    return {symbol: Asset(symbol) for symbol in _DEFAULT_ASSETS}


def markets_of(config: SimulatorConfig) -> Sequence[MarketSpec]:
    """Return the markets as given, or the default ones for which there are assets."""
    if config.markets is not None:
        return config.markets
    known = assets_of(config)
    return [spec for spec in DEFAULT_MARKETS if spec.base in known and spec.quote in known]


def market_of(spec: MarketSpec, assets: Mapping[str, Asset]) -> Market:
    """Return the market that `spec` describes.

    Raises:
        AmountError: its steps do not fit its assets.
    """
    regulated = spec.regulation.kind == "regulated"
    band = DEFAULT_BAND if spec.regulation.band is None else spec.regulation.band
    return Market(
        symbol=spec.symbol,
        base=assets[spec.base],
        quote=assets[spec.quote],
        tick_size=spec.tick_size,
        lot_size=spec.lot_size,
        min_notional=spec.min_notional,
        reference_price=spec.reference_price,
        regulation=Regulation(band) if regulated else UNREGULATED,
        status=spec.status,
    )
