"""What an execution costs at a venue, and which faults are injected on the way there: the same for every kind of venue."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from orderbook_tui.config.fields import Amount, Milliseconds, Rate, Section, Whole, refuse
from orderbook_tui.config.showing import shown
from orderbook_tui.core.exchange import FEE_DECIMALS


def _fee_decimals(fee: Decimal) -> Decimal:
    if fee and fee.normalize().as_tuple().exponent < -FEE_DECIMALS:  # type: ignore[operator]
        refuse(f"{shown(fee)} has more than {FEE_DECIMALS} decimals")
    return fee


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
