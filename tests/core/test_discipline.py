"""Market discipline: band, tick, lot, least notional."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.core.discipline import MarketDiscipline
from orderbook_tui.errors import DisciplineError
from tests.builders import a_market


def passes(discipline: MarketDiscipline, price: int, quantity: int = 1) -> bool:
    try:
        discipline.check(price, quantity)
    except DisciplineError:
        return False
    return True


@pytest.mark.parametrize("price", ["90.00", "100", "110.00"])
def test_a_price_within_the_band_passes_and_its_edges_do(price: str) -> None:
    MarketDiscipline(a_market(band="0.10")).validate_price(Decimal(price))


@pytest.mark.parametrize("price", ["89.99", "110.01", "0.01", "100000"])
def test_a_price_outside_the_band_is_refused(price: str) -> None:
    with pytest.raises(DisciplineError, match="outside the band of BTC-USD, 90 to 110"):
        MarketDiscipline(a_market(band="0.10")).validate_price(Decimal(price))


@given(
    reference=st.decimals(min_value="0.01", max_value=10**6, places=4),
    band=st.decimals(min_value=0, max_value="1.5", places=4),
    tick=st.sampled_from(["0.01", "0.05", "0.3", "1"]),
    nudge=st.integers(-2, 2),
    edge=st.sampled_from([-1, 1]),
)
def test_a_price_passes_exactly_within_reference_times_one_plus_or_minus_band(
    reference: Decimal, band: Decimal, tick: str, nudge: int, edge: int
) -> None:
    market = a_market(reference=str(reference), band=str(band), tick=tick)
    limit = Fraction(reference) * (1 + edge * Fraction(band))
    price = int(limit // Fraction(tick)) + nudge
    value = price * Fraction(tick)
    within = value > 0 and abs(value - Fraction(reference)) <= Fraction(reference) * Fraction(band)
    assert passes(MarketDiscipline(market), price) == within


@given(st.integers(1, 10**15))
def test_an_unregulated_market_lets_any_positive_price_through(price: int) -> None:
    assert passes(MarketDiscipline(a_market()), price)


@pytest.mark.parametrize("price", [0, -1])
@pytest.mark.parametrize("band", [None, "0.10", "1.5"])
def test_a_price_that_is_not_positive_is_refused(price: int, band: str | None) -> None:
    assert not passes(MarketDiscipline(a_market(band=band)), price)


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_quantity_that_is_not_positive_is_refused(quantity: int) -> None:
    with pytest.raises(DisciplineError, match="is not positive"):
        MarketDiscipline(a_market()).check(10000, quantity)


def test_a_price_off_the_tick_is_refused_with_the_tick() -> None:
    with pytest.raises(DisciplineError, match=r"price 100\.001 is off the tick of BTC-USD, 0\.01"):
        MarketDiscipline(a_market()).validate_price(Decimal("100.001"))


@pytest.mark.parametrize("price", ["NaN", "Infinity", "1E+999999999"])
def test_an_absurd_price_is_refused(price: str) -> None:
    with pytest.raises(DisciplineError):
        MarketDiscipline(a_market()).validate_price(Decimal(price))


def test_an_order_of_the_least_notional_passes() -> None:
    assert passes(MarketDiscipline(a_market(least="10")), 10000, 100_000)


def test_an_order_one_lot_below_the_least_notional_is_refused_with_both() -> None:
    with pytest.raises(DisciplineError, match=r"^9\.9999 USD is below the least notional of BTC-USD, 10$"):
        MarketDiscipline(a_market(least="10")).check(10000, 99_999)


def test_a_refusal_is_permanent() -> None:
    assert DisciplineError.kind == "permanent"
