"""From a configuration to the venue that it names, with the open orders of an earlier life taken up."""

from collections.abc import Callable
from pathlib import Path

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.config.fix import FixVenueSpec
from orderbook_tui.core.exchange import Exchange, FeeSchedule
from orderbook_tui.core.journal import Attempt
from orderbook_tui.core.state import SimulationState
from orderbook_tui.errors import ConfigError, Problem
from orderbook_tui.venues.base import Venue
from orderbook_tui.venues.embedded import EmbeddedVenue
from orderbook_tui.venues.faulty import Faults, FaultyVenue, Outage
from orderbook_tui.venues.python import PythonVenue, load_callable


def fee_schedule(config: SimulatorConfig) -> FeeSchedule:
    """Return the fees that the configured venue takes."""
    return FeeSchedule.of(config.venue.fees.maker, config.venue.fees.taker)


def open_venue(
    config: SimulatorConfig, state: SimulationState, folder: Callable[[], Path | None] = lambda: None
) -> tuple[Venue, Exchange | None]:
    """Return the configured venue, and the exchange inside it where it is in this process.

    `folder` says, once the run has begun, where a venue may keep what it needs beside the checkpoint; None where it may not.

    Raises:
        ConfigError: the user's callable cannot be imported, or what the venue needs is not there.
    """
    plan, spec = state.plan, config.venue
    exchange: Exchange | None = None
    venue: Venue
    if spec.kind == "embedded":
        exchange = Exchange(plan.markets, plan.fees, spec.self_trade_prevention)
        # An id that was given once is never given again, whether or not its order still rests.
        exchange.skip_ids(max((e.order_id for e in state.journal if type(e) is Attempt and type(e.order_id) is int), default=0))
        venue = EmbeddedVenue(exchange)
    elif spec.kind == "fix":
        venue = _fix_venue(spec, state, folder)
    elif spec.kind == "http":
        try:
            from orderbook_tui.venues.http.venue import HttpVenue
        except ImportError as missing:
            words = "an http venue needs more: pip install 'orderbook-tui[http]'"
            raise ConfigError([Problem("venue.kind", words)]) from missing
        venue = HttpVenue(spec, state)
    elif spec.kind == "ccxt":
        try:
            from orderbook_tui.venues.ccxt_exchange.venue import CcxtVenue
        except ModuleNotFoundError as missing:
            words = "a ccxt venue needs the extra ccxt: pip install 'orderbook-tui[ccxt]'"
            raise ConfigError([Problem("venue.kind", words)]) from missing
        venue = CcxtVenue(spec, state)
    else:
        venue = PythonVenue(load_callable(spec.target), plan, state.slots)
    for slot in state.open_slots():
        venue.restore(slot)
    faults = Faults(
        config.seed,
        spec.faults.transient_rate,
        spec.faults.rejection_rate,
        spec.faults.latency_ms,
        [Outage(outage.from_slot, outage.slots, outage.attempts) for outage in spec.faults.outages],
    )
    return (FaultyVenue(venue, faults) if faults.any else venue), exchange


def _fix_venue(spec: FixVenueSpec, state: SimulationState, folder: Callable[[], Path | None]) -> Venue:
    try:
        from orderbook_tui.venues.fix.venue import FixVenue
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("fixcore"):
            raise
        words = "a venue that speaks FIX needs the extra fix: pip install 'orderbook-tui[fix]'"
        raise ConfigError([Problem("venue.kind", words)]) from None
    return FixVenue(spec, state, folder)
