"""Overrides: amounts that are given follow the price, take the partner with them, and must leave a pair that crosses."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.core.overrides import Override, override_pair
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import ScheduleError
from tests.builders import a_market, ask, bid, slots_of, small_market

SMALL = small_market()


def a_pair(bid_price: int = 100, ask_price: int = 100) -> tuple[ActionSlot, ActionSlot]:
    """A bid and an ask of 10 lots, of which 10 are worth 1000 USD."""
    first, second = slots_of(("a", bid(SMALL, 10, bid_price)), ("b", ask(SMALL, 10, ask_price)))
    return first, second


def overridden(*overrides: tuple[int, object, object], prices: tuple[int, int] = (100, 100)) -> list[tuple[int, int]]:
    """Price and quantity of both slots of a pair after these overrides."""
    pair = a_pair(*prices)
    override_pair(pair, tuple(Override(slot, _decimal(given), _decimal(wanted)) for slot, given, wanted in overrides))
    return [(slot.action.price, slot.action.quantity) for slot in pair]


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def test_what_a_bid_gives_keeps_the_price_and_changes_the_quantity_of_both() -> None:
    assert overridden((0, 2500, None)) == [(100, 25), (100, 25)]


def test_what_a_bid_wants_keeps_the_price_and_changes_the_quantity_of_both() -> None:
    assert overridden((0, None, 7)) == [(100, 7), (100, 7)]


def test_what_an_ask_gives_is_its_quantity() -> None:
    assert overridden((1, 7, None)) == [(100, 7), (100, 7)]


def test_what_an_ask_wants_is_worth_its_quantity() -> None:
    assert overridden((1, None, 300)) == [(100, 3), (100, 3)]


def test_both_amounts_set_the_price_of_their_slot_alone() -> None:
    assert overridden((0, 1200, 10)) == [(120, 10), (100, 10)]


def test_both_slots_of_a_pair_may_have_amounts() -> None:
    assert overridden((0, 1200, 10), (1, 10, 900)) == [(120, 10), (90, 10)]


def test_the_partner_keeps_its_own_price() -> None:
    assert overridden((0, 2400, None), prices=(120, 90)) == [(120, 20), (90, 20)]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([(0, 950, None)], "slot 0: 950 USD gives no whole quantity on BTC-USD (900 or 1000 would do)"),
        ([(0, 50, None)], "slot 0: 50 USD gives no whole quantity on BTC-USD (100 would do)"),
        ([(1, "1.5", None)], "slot 1: quantity 1.5 is off the lot of BTC-USD, 1 (1 or 2 would do)"),
        ([(0, 1000, 3)], "slot 0: 1000 USD gives no whole price on BTC-USD"),
        ([(0, 900, 10)], "slot 0: the bid at 90 would be below the ask at 100, and the pair would never cross"),
        ([(1, 10, 1100)], "slot 1: the bid at 100 would be below the ask at 110, and the pair would never cross"),
        ([(0, None, 7), (1, 8, 800)], "slot 1 trades 8 BTC, and slot 0, which it must cross, 7 BTC: they must be equal"),
        ([(1, 10**17, None)], "slot 1: a trade of that size is larger than any budget can be"),
    ],
)
def test_amounts_that_do_not_fit_are_refused_in_words(overrides: list[tuple[int, object, object]], words: str) -> None:
    with pytest.raises(ScheduleError, match="slot") as refused:
        overridden(*overrides)
    assert str(refused.value) == words


def test_a_refusal_changes_nothing() -> None:
    pair = a_pair()
    before = pair[0].action, pair[1].action
    with pytest.raises(ScheduleError):
        override_pair(pair, (Override(0, None, Decimal(7)), Override(1, Decimal(8), Decimal(800))))
    assert (pair[0].action, pair[1].action) == before


@given(
    st.integers(0, 1),
    st.one_of(st.none(), st.decimals("0.01", 10**6, places=2)),
    st.one_of(st.none(), st.decimals("0.01", 10**6, places=2)),
)
def test_what_is_not_refused_crosses_and_gives_what_was_asked(slot: int, given: Decimal | None, wanted: Decimal | None) -> None:
    market = a_market(reference="100", lot="0.01")
    first, second = slots_of(("a", bid(market, 10, 10_000)), ("b", ask(market, 10, 9_000)))
    try:
        override_pair((first, second), (Override(slot, given, wanted),))
    except ScheduleError:
        return
    assert first.action.quantity == second.action.quantity
    assert first.action.price >= second.action.price
    action = (first, second)[slot].action
    assert given in (None, action.bid_amount)
    assert wanted in (None, action.ask_amount)
