"""From a configuration to the venue that it names, with the open orders of an earlier life taken up."""

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.core.exchange import Exchange, FeeSchedule
from orderbook_tui.core.journal import Attempt
from orderbook_tui.core.state import SimulationState
from orderbook_tui.venues.base import Venue
from orderbook_tui.venues.embedded import EmbeddedVenue
from orderbook_tui.venues.faulty import Faults, FaultyVenue, Outage
from orderbook_tui.venues.python import PythonVenue, load_callable


def fee_schedule(config: SimulatorConfig) -> FeeSchedule:
    """Return the fees that the configured venue takes."""
    return FeeSchedule.of(config.venue.fees.maker, config.venue.fees.taker)


def open_venue(config: SimulatorConfig, state: SimulationState) -> tuple[Venue, Exchange | None]:
    """Return the configured venue, and the exchange inside it where it is in this process.

    Raises:
        ConfigError: the user's callable cannot be imported.
    """
    plan, spec = state.plan, config.venue
    exchange: Exchange | None = None
    venue: Venue
    if spec.kind == "embedded":
        exchange = Exchange(plan.markets, plan.fees, spec.self_trade_prevention)
        # An id that was given once is never given again, whether or not its order still rests.
        exchange.skip_ids(max((e.order_id for e in state.journal if type(e) is Attempt and type(e.order_id) is int), default=0))
        venue = EmbeddedVenue(exchange)
    else:
        venue = PythonVenue(load_callable(spec.target), plan.fees, plan.accounts)
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
