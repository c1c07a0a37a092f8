"""Money: an amount is a whole number of its asset's smallest unit; Decimal stands at the edges only.

    Decimal("12.34") of USD (2 decimals)  <->  1234 units

What does not fit is refused, never rounded. The one rounding of the project is a fee, see `settlement`; and what others say
that an account holds is rounded down, since they may count in smaller units.
"""

import reprlib
from collections.abc import Iterable
from decimal import Context, Decimal
from functools import reduce
from typing import Final

import msgspec

from orderbook_tui.errors import AmountError

DEFAULT_PRECISION: Final = 8
MAX_PRECISION: Final = 18
MAX_UNITS: Final = 2**63 - 1
"""The largest amount, in units: what a signed 64-bit column of a checkpoint can hold."""

_MAX_DIGITS = 200
_EXACT = Context(prec=_MAX_DIGITS)
_MAX_EXPONENT = 64


class Asset(msgspec.Struct, frozen=True, gc=False):
    """What is bought, sold or paid with. `precision` is the number of decimals of its smallest unit, 0..18."""

    symbol: str
    precision: int = DEFAULT_PRECISION

    def __post_init__(self) -> None:
        if not 0 <= self.precision <= MAX_PRECISION:
            raise AmountError(f"{self.symbol}: precision {self.precision} is not in 0..{MAX_PRECISION}")

    def units(self, amount: Decimal) -> int:
        """Return `amount` of this asset as a count of its smallest unit.

        Raises:
            AmountError: `amount` is not finite, has more decimals than the asset, or does not fit 64 bits.
        """
        units = steps(
            amount,
            Decimal(1).scaleb(-self.precision),
            f"{written(amount)} {self.symbol}: {self.symbol} has {self.precision} decimals",
        )
        if abs(units) > MAX_UNITS:
            raise AmountError(f"{amount:f} {self.symbol} is too large: at most {self.amount(MAX_UNITS):f}")
        return units

    def whole_units(self, amount: Decimal) -> int:
        """Return how many whole units there are in `amount`; what is left over is less than the run can trade.

        Raises:
            AmountError: `amount` is not finite, or does not fit 64 bits.
        """
        if not amount.is_finite() or abs(amount.adjusted()) > _MAX_EXPONENT:
            raise AmountError(f"{amount:.6g} {self.symbol} is out of range")
        up, down = amount.as_integer_ratio()
        units: int = up * 10**self.precision // down
        if abs(units) > MAX_UNITS:
            raise AmountError(f"{amount:f} {self.symbol} is too large: at most {self.amount(MAX_UNITS):f}")
        return units

    def amount(self, units: int) -> Decimal:
        """Return `units` of this asset as a Decimal, without trailing zeros."""
        return plain(_EXACT.scaleb(Decimal(units), -self.precision))


def decimal(value: Decimal | int | str | float) -> Decimal:
    """Read a number that a person wrote. A float stands for its shortest decimal text (`0.1` is one tenth).

    Raises:
        AmountError: it is not a finite number, or so large, small or long that it can be no amount.
    """
    try:
        number = Decimal(value) if isinstance(value, Decimal | str) or type(value) is int else Decimal(str(value))
    except Exception:  # a user's code hands over anything, with a `__str__` of its own
        raise AmountError(f"{reprlib.repr(value)} is not a number") from None
    if not number.is_finite():
        raise AmountError(f"{number:.6g} is not a finite number")
    if abs(number.adjusted()) > _MAX_EXPONENT:
        raise AmountError(f"{number:.6g} is out of range")
    # What is counted in steps is made a fraction first, which takes the square of its digits.
    if len(number.as_tuple().digits) > _MAX_DIGITS:
        raise AmountError(f"{number:.6g} has more than {_MAX_DIGITS} digits")
    return number


def steps(value: Decimal, step: Decimal, otherwise: str) -> int:
    """Return how many whole `step`s make `value`; the counting is exact.

    Raises:
        AmountError: with the text `otherwise`, when `value` is not a whole number of steps.
    """
    if not value.is_finite() or abs(value.adjusted()) > _MAX_EXPONENT:
        raise AmountError(f"{value:.6g} is out of range")
    value_up, value_down = value.as_integer_ratio()
    step_up, step_down = step.as_integer_ratio()
    count, rest = divmod(value_up * step_down, value_down * step_up)
    if rest:
        raise AmountError(otherwise)
    return count


def plain(number: Decimal) -> Decimal:
    """Return the same number without trailing zeros and without an exponent."""
    short = number.normalize(_EXACT)
    return short.quantize(Decimal(1), context=_EXACT) if short.as_tuple().exponent > 0 else short  # type: ignore[operator]


def written(number: Decimal) -> str:
    """Return the digits of a number as a person writes them; one with an absurd exponent keeps it."""
    return f"{number:f}" if abs(number.adjusted()) <= _MAX_EXPONENT else f"{number:.6g}"


def scaled(count: Decimal | int, step: Decimal) -> Decimal:
    """Return `count` times `step`, exactly."""
    return plain(_EXACT.multiply(Decimal(count), step))


def total(numbers: Iterable[Decimal]) -> Decimal:
    """Return the sum of `numbers`, exactly, whatever the caller's decimal context."""
    return reduce(_EXACT.add, numbers, Decimal(0))
