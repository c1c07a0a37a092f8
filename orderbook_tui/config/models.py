"""simulator.json as pydantic models: every section and key, its default, its bounds.

    SimulatorConfig
    ├── name, seed, state_dir
    ├── accounts    who trades: generated, listed, or from a file
    ├── assets      what is held, with how many decimals
    ├── markets     what is traded for what
    ├── scheduler   which trades, how many, how large
    ├── processor   how they are run: retries, pace, what to do when retries are spent
    ├── budget      what each account may give
    ├── database    where accounts, markets and budgets are read from instead (see `database`)
    └── venue       where orders go (see `venue`)

Everything has a default, so `{}` is a configuration. A model knows its own section only; what must agree between
sections is in `checks`.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from orderbook_tui.config.database import DatabaseSpec
from orderbook_tui.config.fields import (
    WORDS,
    Amount,
    Flag,
    Milliseconds,
    Name,
    Rate,
    Real,
    Section,
    Whole,
)
from orderbook_tui.config.venue import EmbeddedVenueSpec, Venue
from orderbook_tui.core.book import TimeInForce
from orderbook_tui.core.market import MarketStatus
from orderbook_tui.core.money import DEFAULT_PRECISION, MAX_PRECISION
from orderbook_tui.core.scheduler import MAX_SLOTS, AmountDistribution, AmountIn, MarketDistribution

MAX_ACCOUNTS: Final = 1_000_000
STRATEGY_NAME: Final = "<strategy name>"
STRATEGY_MAP: Final = "<strategy map>"

Price = Annotated[Amount, Field(gt=0, le=10**18)]
Quantity = Annotated[Amount, Field(gt=0, le=10**18)]
Offset = Annotated[Amount, Field(gt=0, le=1000)]
Trades = Annotated[Whole, Field(ge=1, le=MAX_SLOTS)]


class OnFailure(StrEnum):
    """What a run does when the retries of a slot are spent and no screen is there to ask."""

    ASK = "ask"
    SKIP = "skip"
    CONTINUE = "continue"
    QUIT = "quit"


class Durability(StrEnum):
    """What a slot that was reported saved survives at once; all of them survive what is milder."""

    PROCESS = "process"
    SECOND = "second"
    SLOT = "slot"


class GenerateSpec(Section):
    """Accounts named `prefix`-1, `prefix`-2 and so on; prefix and number determine their ids."""

    prefix: Name = "test-account"
    """What their names begin with."""
    count: Annotated[Whole, Field(ge=1, le=MAX_ACCOUNTS)] = 4
    """How many there are."""


class AccountSpec(Section):
    """One account, by id, by name, or by both."""

    id: Name | None = None
    """What the venue knows it by; the name, where it is left out."""
    name: Name | None = None
    """What people call it; the id, where it is left out."""


_ACCOUNTS_WAYS: Final = ("generate", "list", "file")


class AccountsSpec(Section):
    """Who trades: exactly one of `generate`, `list` and `file`."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {
                    "required": [way],
                    "properties": {
                        other: {"not": {"type": "null"}} if other == way else {"type": "null"} for other in _ACCOUNTS_WAYS
                    },
                }
                for way in _ACCOUNTS_WAYS
            ]
        }
    )

    generate: GenerateSpec | None = None
    """Accounts made up from a prefix and a count."""
    list: tuple[AccountSpec, ...] | None = Field(default=None, max_length=MAX_ACCOUNTS)
    """The accounts, one by one."""
    file: Name | None = None
    """A JSON file that lists them; a relative path starts at the folder of this file."""


class AssetSpec(Section):
    """Something that is bought, sold or paid with."""

    symbol: Name
    """What it is called, such as USD."""
    precision: Annotated[Whole, Field(ge=0, le=MAX_PRECISION)] = DEFAULT_PRECISION
    """The number of decimals of its smallest unit."""


class RegulationSpec(Section):
    """Whether a market holds prices within a band around its reference price."""

    kind: Literal["regulated", "unregulated"] = "regulated"
    """Regulated: prices outside the band are refused."""
    band: Annotated[Amount, Field(ge=0, lt=1)] | None = None
    """The width of the band, as a fraction of the reference price: 0.10 (the default) is 10 % up and down."""


class MarketSpec(Section):
    """What is traded for what, in which steps, under which rules."""

    symbol: Name
    """What it is called, such as BTC-USD."""
    base: Name
    """The asset that is bought and sold."""
    quote: Name
    """The asset that is paid with."""
    tick_size: Price = Decimal("0.01")
    """The step of prices, in the quote asset."""
    lot_size: Quantity = Decimal("0.000001")
    """The step of quantities, in the base asset."""
    min_notional: Annotated[Amount, Field(ge=0, le=10**18)] = Decimal(0)
    """The least value of an order, in the quote asset."""
    reference_price: Price
    """The price that offsets and bands start from, in the quote asset for one of the base asset."""
    regulation: RegulationSpec = RegulationSpec(kind="unregulated")
    """Whether prices are held within a band; they are not, where this is left out."""
    status: MarketStatus = MarketStatus.ACTIVE
    """Whether it gets slots; only active markets do."""


class MatchWith(Section):
    """Pairs of accounts that trade with each other only; those not named trade among themselves."""

    match_with: Annotated[dict[Name, Name], Field(min_length=1)]
    """Account to account, by id or name; one direction is enough."""


def _strategy_tag(value: object) -> str | None:
    if isinstance(value, str):
        return STRATEGY_NAME
    return STRATEGY_MAP if isinstance(value, Mapping | MatchWith) else None


MatchingStrategy = Annotated[
    Annotated[Literal["sequential_next", "any"], Tag(STRATEGY_NAME)] | Annotated[MatchWith, Tag(STRATEGY_MAP)],
    Discriminator(
        _strategy_tag,
        custom_error_type=WORDS,
        custom_error_message="{words}",
        custom_error_context={"words": 'expected "sequential_next", "any" or {"match_with": {...}}'},
    ),
]


class TimeInForceSpec(Section):
    """How long the orders of a pair live."""

    maker: TimeInForce = TimeInForce.GTC
    """The order placed first, which the other one meets."""
    taker: TimeInForce = TimeInForce.GTC
    """The order placed second."""


class OverrideSpec(Section):
    """The amounts of one slot, in place of those drawn. The other slot of its pair follows with the same quantity."""

    slot: Annotated[Whole, Field(ge=0, lt=MAX_SLOTS)]
    """Which slot; slots count from 0."""
    bid_amount: Quantity | None = None
    """What its account gives. Alone it keeps the price and changes the quantity; with `ask_amount` it sets both."""
    ask_amount: Quantity | None = None
    """What its account wants."""


class SchedulerSpec(Section):
    """Which trades there will be. Slots come in pairs that cross."""

    min_amount: Quantity = Decimal(100)
    """The least size of a trade, in the asset that `amount_in` says."""
    max_amount: Quantity = Decimal(5000)
    """The greatest size of a trade."""
    trades_per_account: Trades = 10
    """How many slots each account gets in a round."""
    bid_price_offset: Offset = Decimal(1)
    """Bids are priced at the reference price times this, rounded up to the tick."""
    ask_price_offset: Offset = Decimal(1)
    """Asks are priced at the reference price times this, rounded down to the tick."""
    alternate_sides: Flag = True
    """Whether accounts buy and sell in turn; otherwise the seed decides."""
    market_distribution: MarketDistribution = MarketDistribution.ROUND_ROBIN
    """How the pairs are spread over the active markets."""
    market_weights: dict[Name, Annotated[Amount, Field(ge=0, le=10**18)]] | None = None
    """With `weighted`: the share of each active market, by symbol; those not named get none."""
    matching_strategy: MatchingStrategy = "sequential_next"
    """Who trades with whom: the two of a pair, anyone, or named pairs."""
    amount_in: AmountIn = AmountIn.QUOTE
    """Whether `min_amount` and `max_amount` count the quote or the base asset."""
    amount_distribution: AmountDistribution = AmountDistribution.UNIFORM
    """How a size is drawn: anywhere in the range, or always the least."""
    time_in_force: TimeInForceSpec = TimeInForceSpec()
    """How long each order of a pair lives."""
    rounds: Trades = 1
    """How many times each account gets its trades."""
    overrides: tuple[OverrideSpec, ...] = ()
    """Single slots whose amounts are given, not drawn."""


class ProcessorSpec(Section):
    """How the slots are run."""

    retry_base_delay_ms: Milliseconds = 500
    """The wait before the first retry, in milliseconds; it doubles with each further one."""
    max_retries: Annotated[Whole, Field(ge=0, le=1_000_000)] = 3
    """How many retries a slot gets before somebody is asked."""
    save_after_each_slot: Flag = True
    """Whether each slot is committed by itself, so that a killed run loses none."""
    durability: Durability = Durability.SECOND
    """What a loss of power may take: `slot` nothing, `second` 250 ms or 1,000 slots, `process` all since the last pause."""
    max_delay_ms: Milliseconds = 30_000
    """The longest wait before a retry, in milliseconds."""
    jitter: Rate = 0.1
    """How much a wait varies, as a fraction of it: 0.1 is 10 % up and down."""
    slots_per_second: Annotated[Real, Field(ge=0.00001, le=10_000_000)] | None = None
    """The pace; null is as fast as it goes."""
    concurrency: Annotated[Whole, Field(ge=1, le=1024)] = 1
    """How many pairs are run at once; a pair keeps its order, and each account its slots."""
    on_failure: OnFailure = OnFailure.ASK
    """What happens without a screen when the retries of a slot are spent; `ask` asks in the terminal."""
    cancel_open_orders_at_end: Flag = True
    """Whether what is still open when the run ends is cancelled."""


class BudgetSpec(Section):
    """What an account may give of an asset. The more specific spec wins, the later among equals."""

    account_id: Name | None = None
    """Which account, by id or name; null is all of them."""
    asset_id: Name | None = None
    """Which asset, by symbol; null is all of them."""
    amount: Annotated[Amount, Field(ge=0, le=10**19)]
    """How much, in that asset."""


class BudgetsSpec(Section):
    """What each account may give of each asset; where no spec applies, nothing."""

    budgets: tuple[BudgetSpec, ...] = (BudgetSpec(amount=Decimal(10_000)),)
    """The specs; 10000 of everything for everyone, where this is left out."""


class SimulatorConfig(Section):
    """A whole run."""

    name: Name = "simulation"
    """What the run is called; the name of the file, where this is left out."""
    seed: Annotated[Whole, Field(ge=0, le=2**63 - 1)] = 1
    """All that is drawn at random is drawn from this, so that a run can be repeated."""
    accounts: AccountsSpec = AccountsSpec(generate=GenerateSpec())
    """Who trades; four generated accounts, where this is left out."""
    assets: tuple[AssetSpec, ...] | None = None
    """What is held; the assets of the markets with 8 decimals, where this is left out."""
    markets: tuple[MarketSpec, ...] | None = None
    """What is traded for what; BTC-USD and ETH-USD, where this is left out."""
    scheduler: SchedulerSpec = SchedulerSpec()
    """Which trades there will be."""
    processor: ProcessorSpec = ProcessorSpec()
    """How they are run."""
    budget: BudgetsSpec = BudgetsSpec()
    """What each account may give."""
    database: DatabaseSpec | None = None
    """A database that accounts, markets or budgets are read from, in place of the sections above."""
    venue: Venue = EmbeddedVenueSpec()
    """Where orders go."""
    state_dir: Name = "./simulator_state"
    """The folder of the checkpoints; a relative path starts at the working folder."""
