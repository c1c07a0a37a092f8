"""Faults on purpose."""

import time

import anyio
import pytest

from orderbook_tui.core.exchange import Exchange, Submission
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import Rejected, VenueUnavailable
from orderbook_tui.venues.embedded import EmbeddedVenue
from orderbook_tui.venues.faulty import Faults, FaultyVenue, Outage
from tests.builders import a_slot, bid, small_market

MARKET = small_market()


def outcomes(faults: Faults, *, slots: int = 1, attempts: int = 1) -> dict[tuple[int, int], str]:
    """What becomes of each attempt of each slot."""
    venue, found = FaultyVenue(EmbeddedVenue(Exchange([MARKET])), faults), {}
    for sequence in range(slots):
        slot = a_slot(bid(MARKET, 1, 100))
        slot.sequence = sequence
        for number in range(1, attempts + 1):
            found[sequence, number] = outcome(venue, slot, number)
    return found


def outcome(venue: FaultyVenue, slot: ActionSlot, number: int) -> str:
    slot.begin(number)
    try:
        placed = venue.place(slot, 1)
    except (VenueUnavailable, Rejected) as error:
        return error.code
    assert isinstance(placed, Submission)
    return "placed"


def test_without_faults_every_order_is_placed() -> None:
    assert set(outcomes(Faults(), slots=100).values()) == {"placed"}


def test_an_outage_fails_the_first_attempts_of_its_slots() -> None:
    found = outcomes(Faults(outages=[Outage(2, 2, 3)]), slots=6, attempts=4)

    assert {place for place, what in found.items() if what != "placed"} == {(s, a) for s in (2, 3) for a in (1, 2, 3)}


def test_an_outage_is_transient() -> None:
    assert outcomes(Faults(outages=[Outage(0, 1, 1)])) == {(0, 1): "unavailable"}


@pytest.mark.parametrize(("rate", "what"), [("transient_rate", "unavailable"), ("rejection_rate", "rejected")])
def test_a_rate_is_the_share_of_attempts_that_fail(rate: str, what: str) -> None:
    found = outcomes(Faults(**{rate: 0.2}), slots=2_000)  # type: ignore[arg-type]

    assert list(found.values()).count(what) == pytest.approx(400, abs=80)


def test_a_rate_of_one_fails_every_attempt() -> None:
    assert set(outcomes(Faults(transient_rate=1), slots=100).values()) == {"unavailable"}


def test_attempts_of_one_slot_are_drawn_anew() -> None:
    assert set(outcomes(Faults(transient_rate=0.5), attempts=50).values()) == {"unavailable", "placed"}


def test_faults_follow_from_the_seed() -> None:
    assert outcomes(Faults(7, 0.3), slots=200) == outcomes(Faults(7, 0.3), slots=200)


def test_another_seed_has_other_faults() -> None:
    assert outcomes(Faults(7, 0.3), slots=200) != outcomes(Faults(8, 0.3), slots=200)


def test_a_late_order_waits_for_the_latency() -> None:
    venue, slot = FaultyVenue(EmbeddedVenue(Exchange([MARKET])), Faults(latency_ms=(30, 40))), a_slot(bid(MARKET, 1, 100))
    slot.begin(1)
    began = time.monotonic()

    async def place() -> None:
        placed = venue.place(slot, 1)
        assert not isinstance(placed, Submission)
        await placed

    anyio.run(place)
    assert time.monotonic() - began >= 0.03


def test_what_is_put_back_meets_no_fault() -> None:
    venue, slot = FaultyVenue(EmbeddedVenue(Exchange([MARKET])), Faults(transient_rate=1, latency_ms=(9, 9))), a_slot()
    slot.begin(1)

    assert isinstance(venue.place_again(slot, 1), Submission)
