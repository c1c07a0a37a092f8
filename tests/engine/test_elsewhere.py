"""Orders at a venue that outlives the process: what it tells is settled, and what it leaves open is taken back, or left."""

from collections.abc import Sequence

import anyio

from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.journal import Balance
from orderbook_tui.core.replay import replay
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.elsewhere import Elsewhere
from orderbook_tui.errors import OutcomeUnknown
from orderbook_tui.venues.base import Capabilities, Listener, OpenOrder, OrderReport
from orderbook_tui.venues.reports import execution_of
from tests.builders import a_plan, ask, bid, slots_of, small_market

MARKET = small_market()


class Deaf:
    """A venue that takes every order, and does not answer when one is to be cancelled."""

    def __init__(self, *, cancel: bool = True) -> None:
        self.capabilities = Capabilities(look_up=True, fence=True, cancel=cancel, pushes_executions=True)
        self.asked: list[int] = []
        self.filled: set[int] = set()

    async def place(self, slot: ActionSlot, quantity: int) -> OrderReport:
        return OrderReport(f"venue-{slot.sequence}")

    async def look_up(self, slot: ActionSlot, quantity: int) -> OrderReport | None:
        filled = slot.sequence in self.filled
        return OrderReport(f"venue-{slot.sequence}", filled=quantity if filled else 0, closed=filled)

    async def cancel(self, slot: ActionSlot) -> OrderReport | None:
        self.asked.append(slot.sequence)
        raise OutcomeUnknown("no answer")

    def place_again(self, slot: ActionSlot, quantity: int) -> OrderReport:
        raise AssertionError

    def restore(self, slot: ActionSlot) -> None: ...

    async def open(self, listener: Listener) -> None: ...

    async def close(self) -> None: ...

    async def open_orders(self, accounts: Sequence[str]) -> list[OpenOrder]:
        raise AssertionError

    async def balances(self, accounts: Sequence[str]) -> list[Balance]:
        raise AssertionError


def placed(venue: Deaf, fees: FeeSchedule = FeeSchedule()) -> tuple[Elsewhere, list[ActionSlot]]:  # noqa: B008 - immutable
    """Two orders that the venue has accepted."""
    slots = slots_of(("a", bid(MARKET, 10, 100)), ("b", ask(MARKET, 10, 100)))
    state, _, settlement = replay(a_plan(slots, fees=fees), slots)
    elsewhere = Elsewhere(state, settlement, venue)
    for slot in slots:
        slot.run = "run"
        slot.begin(1)
        slot.complete(anyio.run(elsewhere.place, slot), 2)
    return elsewhere, slots


def test_a_fee_that_is_more_than_was_locked_loses_no_fill_and_is_told() -> None:
    elsewhere, (slot, _) = placed(Deaf(), FeeSchedule(0, 10**9))
    elsewhere.executed(execution_of(slot, 100, 4, 3, charge=10**6, outside="b", name="x"))

    assert slot.filled == 4
    assert len(elsewhere.strays) == 1
    assert elsewhere.strays[0].slot == 0
    assert "slot 0: a fee of" in elsewhere.strays[0].words
    assert max(slot.fills[0].maker_fee, slot.fills[0].taker_fee) <= 10**6


def test_what_could_not_be_settled_is_about_its_slot_whatever_its_words_name() -> None:
    elsewhere, (_, slot) = placed(Deaf())
    elsewhere.stray("a fill of order slot 0 is of no order here", slot)
    elsewhere.stray("a fill of order slot 0 is of no order here")

    assert [stray.slot for stray in elsewhere.strays] == [1, None]


def test_totals_that_no_price_comes_to_are_told_with_their_slot() -> None:
    elsewhere, (_, slot) = placed(Deaf())
    elsewhere.take(slot, OrderReport("o", filled=4, notional=MARKET.notional(100, 4) - 1, closed=True))

    (stray,) = elsewhere.strays
    assert (stray.slot, slot.filled) == (1, 4)
    assert "than any price of its order comes to" in stray.words


def test_more_fills_than_lots_are_told_with_their_slot_and_settle_nothing() -> None:
    elsewhere, (_, slot) = placed(Deaf())
    elsewhere.take(slot, OrderReport("o", [execution_of(slot, 100, 11, 3, charge=0, outside="a", name="x")]))

    assert [(stray.slot, slot.filled) for stray in elsewhere.strays] == [(1, 0)]


def test_a_run_that_is_to_end_waits_for_no_answer_to_a_cancel_and_leaves_the_rest() -> None:
    venue = Deaf()
    elsewhere, slots = placed(venue)
    elsewhere.is_stopping = lambda: bool(venue.asked)
    anyio.run(elsewhere.take_all_back, slots, 1)

    assert venue.asked == [0]
    assert [slot.open for slot in slots] == [10, 10]
    assert "may still be open" in elsewhere.strays[0].words


def test_what_cannot_be_cancelled_is_asked_about_before_the_end() -> None:
    venue = Deaf(cancel=False)
    elsewhere, slots = placed(venue)
    venue.filled = {0, 1}
    anyio.run(elsewhere.hear_the_last)

    assert [(slot.filled, slot.open) for slot in slots] == [(10, 0), (10, 0)]
