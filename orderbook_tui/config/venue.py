"""The `venue` section: where orders go, what it costs, and which faults are injected on the way."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from orderbook_tui.config.fields import UNKNOWN_KIND, Amount, Milliseconds, Name, Rate, Section, Whole, kind_of, refuse
from orderbook_tui.config.showing import shown
from orderbook_tui.core.book import SelfTradePrevention
from orderbook_tui.core.exchange import FEE_DECIMALS

EMBEDDED: Final = "<embedded>"
PYTHON: Final = "<python>"


def _fee_decimals(fee: Decimal) -> Decimal:
    if fee and fee.normalize().as_tuple().exponent < -FEE_DECIMALS:  # type: ignore[operator]
        refuse(f"{shown(fee)} has more than {FEE_DECIMALS} decimals")
    return fee


def _target(text: str) -> str:
    module, colon, attribute = text.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module.split("."), *attribute.split("."))):
        refuse(f'expected "package.module:callable", got {shown(text)}')
    return text


Fee = Annotated[Amount, Field(ge=0, lt=1), AfterValidator(_fee_decimals)]


class FeesSpec(Section):
    """What an execution costs, as a fraction of its notional: 0.0005 is five basis points."""

    maker: Fee = Decimal(0)
    """The fee of the order that was at rest."""
    taker: Fee = Decimal(0)
    """The fee of the order that arrived."""


class OutageSpec(Section):
    """A run of slots whose first attempts fail, as if the venue could not be reached."""

    from_slot: Annotated[Whole, Field(ge=0, le=2**31)]
    """The first slot of the outage; slots count from 0."""
    slots: Annotated[Whole, Field(ge=1, le=2**31)] = 1
    """How many slots it covers."""
    attempts: Annotated[Whole, Field(ge=1, le=1_000_000)] = 1
    """How many attempts of each of them fail, counted from the first."""


class FaultsSpec(Section):
    """Failures made on purpose. They depend on seed, slot and attempt alone, so a run can be repeated."""

    transient_rate: Rate = 0.0
    """The share of attempts that fail in a way that a retry may cure, 0 to 1."""
    rejection_rate: Rate = 0.0
    """The share of attempts that are refused for good, 0 to 1."""
    latency_ms: tuple[Milliseconds, Milliseconds] = (0, 0)
    """The shortest and longest wait before an order is placed, in milliseconds."""
    outages: tuple[OutageSpec, ...] = ()
    """Runs of slots whose first attempts fail."""


class EmbeddedVenueSpec(Section):
    """The exchange inside this program."""

    kind: Literal["embedded"] = "embedded"
    """The exchange inside this program."""
    fees: FeesSpec = FeesSpec()
    """What an execution costs."""
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST
    """Which order is cancelled when an account would trade with itself."""
    faults: FaultsSpec = FaultsSpec()
    """Failures made on purpose."""


class PythonVenueSpec(Section):
    """A callable of yours: called with each slot, it places the order and answers an order id."""

    kind: Literal["python"] = "python"
    """A callable of yours."""
    target: Annotated[Name, AfterValidator(_target)]
    """Where the callable is: `package.module:callable`."""
    fees: FeesSpec = FeesSpec()
    """What an execution costs there; it is part of what an order locks."""
    faults: FaultsSpec = FaultsSpec()
    """Failures made on purpose, before the callable is called."""


def _tag(value: object) -> str | None:
    kind = kind_of(value)
    if isinstance(value, Mapping) and "kind" not in value:
        kind = "python" if "target" in value else "embedded"
    return {"embedded": EMBEDDED, "python": PYTHON}.get(kind) if isinstance(kind, str) else None


Venue = Annotated[
    Annotated[EmbeddedVenueSpec, Tag(EMBEDDED)] | Annotated[PythonVenueSpec, Tag(PYTHON)],
    Discriminator(_tag, custom_error_type=UNKNOWN_KIND, custom_error_message='expected "embedded" or "python"'),
]
