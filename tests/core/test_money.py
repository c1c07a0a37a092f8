"""Money: Decimal to units and back, exactly, and refusals for all that does not fit."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderbook_tui.core.money import MAX_PRECISION, MAX_UNITS, Asset, decimal, plain, scaled, steps
from orderbook_tui.errors import AmountError

PRECISIONS = range(MAX_PRECISION + 1)
units_of_64_bits = st.integers(-MAX_UNITS, MAX_UNITS)
short_decimals = st.decimals(allow_nan=False, allow_infinity=False, places=20, min_value=-(10**20), max_value=10**20)


@pytest.mark.parametrize("precision", PRECISIONS)
@given(units=units_of_64_bits)
@settings(max_examples=25)
def test_units_survive_the_way_to_decimal_and_back(precision: int, units: int) -> None:
    asset = Asset("X", precision)
    assert asset.units(asset.amount(units)) == units


@pytest.mark.parametrize("precision", PRECISIONS)
@given(units=units_of_64_bits)
@settings(max_examples=25)
def test_an_amount_survives_being_written_and_read(precision: int, units: int) -> None:
    asset = Asset("X", precision)
    assert asset.units(decimal(f"{asset.amount(units):f}")) == units


@pytest.mark.parametrize("precision", PRECISIONS)
def test_one_unit_is_the_smallest_amount(precision: int) -> None:
    assert Asset("X", precision).units(Decimal(1).scaleb(-precision)) == 1


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_tenth_of_a_unit_is_refused(precision: int) -> None:
    with pytest.raises(AmountError, match=f"X has {precision} decimals"):
        Asset("X", precision).units(Decimal(1).scaleb(-precision - 1))


def test_whole_units_are_rounded_down() -> None:
    amounts = "1.239", "1.23", "0.009", "-0.001"

    assert [Asset("USD", 2).whole_units(Decimal(amount)) for amount in amounts] == [123, 123, 0, -1]


def test_a_refusal_names_the_amount_and_the_decimals() -> None:
    with pytest.raises(AmountError) as refusal:
        Asset("USD", 2).units(Decimal("0.005"))
    assert str(refusal.value) == "0.005 USD: USD has 2 decimals"


def test_a_refusal_writes_a_small_amount_out() -> None:
    with pytest.raises(AmountError, match=r"^0\.000000001 USD: "):
        Asset("USD").units(Decimal("1E-9"))


@pytest.mark.parametrize("precision", PRECISIONS)
@given(units=units_of_64_bits.map(lambda units: units or 1), digit=st.integers(1, 9))
@settings(max_examples=25)
def test_an_amount_with_one_decimal_too_many_is_refused(precision: int, units: int, digit: int) -> None:
    asset = Asset("X", precision)
    with pytest.raises(AmountError):
        asset.units(Decimal(f"{asset.amount(units):.{precision}f}{'' if precision else '.'}{digit}"))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_largest_amount_fits(precision: int) -> None:
    asset = Asset("X", precision)
    assert asset.units(asset.amount(MAX_UNITS)) == MAX_UNITS


@pytest.mark.parametrize("precision", PRECISIONS)
def test_one_unit_more_than_the_largest_is_refused(precision: int) -> None:
    asset = Asset("X", precision)
    with pytest.raises(AmountError, match="too large"):
        asset.units(asset.amount(MAX_UNITS + 1))


@pytest.mark.parametrize(
    "text", ["1E+999999999", "-1E+999999999", "1E-999999999", "9E+999999", "1E+65", "1E-65", "0E+999999999"]
)
def test_a_huge_exponent_is_refused(text: str) -> None:
    with pytest.raises(AmountError):
        Asset("USD").units(Decimal(text))


@pytest.mark.parametrize("text", ["1E+999999999", "-1E+999999999", "1E-999999999", "1e99999999999999999999"])
def test_a_huge_exponent_is_no_number_that_a_person_wrote(text: str) -> None:
    with pytest.raises(AmountError):
        decimal(text)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity")])
def test_what_is_not_finite_is_no_amount(value: Decimal) -> None:
    with pytest.raises(AmountError):
        Asset("USD").units(value)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "inf", "-Infinity", float("nan"), float("inf"), Decimal("NaN")])
def test_what_is_not_finite_is_not_read(value: str | float | Decimal) -> None:
    with pytest.raises(AmountError, match="is not a finite number"):
        decimal(value)


def test_a_number_too_long_to_count_with_is_refused_at_once() -> None:
    with pytest.raises(AmountError, match="has more than 200 digits"):
        decimal("1." + "1" * 1_000_000)


def test_what_cannot_be_shown_is_refused_all_the_same() -> None:
    class Wordless:
        def __repr__(self) -> str:
            raise RuntimeError("no words")

    with pytest.raises(AmountError, match="is not a number"):
        decimal(Wordless())  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["", "ten", "1,5", "0x10", "--1", True])
def test_what_is_no_number_is_not_read(value: str | bool) -> None:
    with pytest.raises(AmountError, match="is not a number"):
        decimal(value)


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "0.1"), (1.0, "1.0"), (1e-7, "1E-7"), (3, "3"), ("2.50", "2.50"), (Decimal("7.1"), "7.1")]
)
def test_a_number_is_read_as_it_is_written(value: float | int | str | Decimal, text: str) -> None:
    assert str(decimal(value)) == text


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e60, max_value=1e60).filter(lambda x: abs(x) > 1e-60))
def test_a_float_stands_for_its_shortest_text(value: float) -> None:
    assert float(decimal(value)) == value


@given(st.integers(-(10**60), 10**60))
def test_an_int_is_read_exactly(value: int) -> None:
    assert decimal(value) == value


def test_an_int_of_many_digits_is_refused_as_an_amount_is() -> None:
    with pytest.raises(AmountError):
        decimal(10**5000)


@given(short_decimals)
def test_plain_is_the_same_number(number: Decimal) -> None:
    assert plain(number) == number


@given(short_decimals)
def test_plain_has_no_exponent(number: Decimal) -> None:
    assert "E" not in str(plain(number.quantize(Decimal(1)))).upper()


@pytest.mark.parametrize(
    ("number", "text"), [("120.00", "120"), ("1E+3", "1000"), ("0.50", "0.5"), ("0.00", "0"), ("-10", "-10"), ("0E+5", "0")]
)
def test_plain_reads_as_a_person_would_write_it(number: str, text: str) -> None:
    assert f"{plain(Decimal(number)):f}" == text


@given(count=units_of_64_bits, step=st.decimals(min_value=Decimal("1E-18"), max_value=10**6, places=18))
def test_counting_steps_undoes_scaling(count: int, step: Decimal) -> None:
    assert steps(scaled(count, step), step, "off the step") == count


@given(units=units_of_64_bits)
@settings(max_examples=25)
def test_the_callers_decimal_context_changes_nothing(units: int) -> None:
    asset = Asset("X", 8)
    expected = asset.amount(units)
    with localcontext(prec=3):
        assert (asset.amount(units), asset.units(expected)) == (expected, units)
