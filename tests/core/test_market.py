"""Markets: a notional is a whole number of quote units, or the market is refused with the precision that would do."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orderbook_tui.core.market import Account, Market
from orderbook_tui.core.money import Asset
from orderbook_tui.errors import AmountError
from tests.builders import a_market

counts = st.integers(1, 10**9)
places = st.integers(0, 9)


@given(ticks=counts, lots=counts, tick=st.integers(1, 10**6), lot=st.integers(1, 9), tick_places=places, lot_places=places)
def test_a_notional_in_units_is_price_times_quantity(
    ticks: int, lots: int, tick: int, lot: int, tick_places: int, lot_places: int
) -> None:
    market = a_market(tick=f"{tick}E-{tick_places}", lot=f"{lot}E-{lot_places}", precision=18)
    exact = Fraction(market.price(ticks)) * Fraction(market.quantity(lots))
    assert Fraction(market.notional(ticks, lots), 10**18) == exact


@given(tick_places=st.integers(0, 12), lot_places=st.integers(0, 12), precision=st.integers(0, 18))
def test_a_market_is_refused_exactly_where_tick_times_lot_is_finer_than_the_quote(
    tick_places: int, lot_places: int, precision: int
) -> None:
    assume(lot_places <= precision)  # else the base is what refuses
    try:
        a_market(tick=f"1E-{tick_places}", lot=f"1E-{lot_places}", precision=precision)
        refused = False
    except AmountError:
        refused = True
    assert refused == (tick_places + lot_places > precision)


def test_a_refused_market_names_the_precision_that_its_quote_needs() -> None:
    with pytest.raises(AmountError, match="USD needs precision 9, it has 8"):
        a_market(tick="0.01", lot="0.0000001")


def test_the_named_precision_is_enough() -> None:
    assert a_market(tick="0.01", lot="0.0000001", precision=9).quote_per_tick_lot == 1


def test_the_named_precision_ignores_trailing_zeros() -> None:
    with pytest.raises(AmountError, match="USD needs precision 9, it has 8"):
        a_market(tick="0.0100", lot="0.000000100")


def test_a_refusal_writes_small_sizes_out() -> None:
    with pytest.raises(AmountError, match=r"^BTC-USD: tick 0\.01 x lot 0\.00000001 is no whole number of USD units"):
        a_market(tick="0.01", lot="0.00000001")


def test_a_lot_finer_than_its_base_is_refused() -> None:
    with pytest.raises(AmountError, match="BTC has 2 decimals"):
        Market(
            symbol="BTC-USD",
            base=Asset("BTC", 2),
            quote=Asset("USD", 8),
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.001"),
            reference_price=Decimal(1),
        )


def test_the_factor_of_a_market_with_many_digits_is_exact() -> None:
    market = a_market(tick="12345678901234567890.123456789", lot="8.123456789", precision=18)
    assert market.quote_per_tick_lot == 12345678901234567890123456789 * 8123456789


def test_the_callers_decimal_context_changes_no_market() -> None:
    with localcontext(prec=2):
        assert a_market(tick="0.0125", lot="0.125").quote_per_tick_lot == 156250


@pytest.mark.parametrize("rule", ["tick", "lot", "reference"])
@pytest.mark.parametrize("size", ["0", "-1"])
def test_a_size_that_is_not_positive_is_refused(rule: str, size: str) -> None:
    with pytest.raises(AmountError, match=f"BTC-USD: {rule}.* must be positive"):
        a_market(**{rule: size})  # type: ignore[arg-type]


def test_a_negative_least_notional_is_refused() -> None:
    with pytest.raises(AmountError, match="min_notional is -1"):
        a_market(least="-1")


@pytest.mark.parametrize("rule", ["tick", "lot", "reference", "least"])
@pytest.mark.parametrize("size", ["1E+999999999", "1E-999999999", "NaN", "Infinity"])
def test_an_absurd_size_is_refused(rule: str, size: str) -> None:
    with pytest.raises(AmountError):
        a_market(**{rule: size})  # type: ignore[arg-type]


@given(counts)
def test_a_price_survives_the_way_to_ticks_and_back(ticks: int) -> None:
    market = a_market(tick="0.05")
    assert market.price_ticks(market.price(ticks)) == ticks


@given(counts)
def test_a_quantity_survives_the_way_to_lots_and_back(lots: int) -> None:
    market = a_market(lot="0.000025")
    assert market.quantity_lots(market.quantity(lots)) == lots


def test_a_price_off_the_tick_is_refused() -> None:
    with pytest.raises(AmountError, match=r"price 10\.02 is off the tick of BTC-USD, 0\.05"):
        a_market(tick="0.05").price_ticks(Decimal("10.02"))


def test_a_quantity_off_the_lot_is_refused() -> None:
    with pytest.raises(AmountError, match=r"quantity 0\.0000005 is off the lot of BTC-USD, 0\.000001"):
        a_market().quantity_lots(Decimal("0.0000005"))


def test_an_account_without_a_name_goes_by_its_id() -> None:
    assert Account("a").name == "a"
