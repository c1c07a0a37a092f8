"""The kinds of values that a configuration is made of, each with what it refuses.

    Amount   exact: Decimal, from a JSON number or from text ("0.01")
    Whole    an integer; 10.0 is one, "10" is not
    Real     a float, for what never touches money (rates, speeds)
    Name     text that can name something
    Flag     true or false and nothing else

`true` is no number, text is no integer, and nothing is rounded.
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, NoReturn

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

from orderbook_tui.config.showing import shown

NUMBER_PATTERN: Final = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?"
MOST_DIGITS: Final = 100
LARGEST_EXPONENT: Final = 60
"""Numbers beyond 10^60, or finer than 10^-60, are no amounts of anything; stopping here keeps all arithmetic short."""

WORDS: Final = "words"
"""The type of an error whose message is already in our words."""

UNKNOWN_KIND: Final = "unknown_kind"
"""The type of an error about the `kind` of a section; its message says which there are."""

_NUMBER = re.compile(NUMBER_PATTERN)


class Section(BaseModel):
    """A part of the file: unknown keys are refused, and what was read does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def refuse(words: str) -> NoReturn:
    """Refuse the value at hand, in these words."""
    raise PydanticCustomError(WORDS, "{words}", {"words": words})


def is_in_range(number: Decimal) -> bool:
    """Whether a finite number is short enough to calculate with."""
    digits, exponent = number.as_tuple()[1:]
    return len(digits) <= MOST_DIGITS and isinstance(exponent, int) and -LARGEST_EXPONENT <= exponent <= LARGEST_EXPONENT


def _decimal(value: object, wanted: str = "a number") -> Decimal:
    match value:
        case bool():
            refuse(f"expected {wanted}, got {shown(value)}")
        case int():
            if abs(value) >= 10**MOST_DIGITS:
                refuse(f"{shown(value)} is out of range")
            number = Decimal(value)
        case Decimal():
            number = value
        case float():
            number = Decimal(repr(value))
        case _:
            refuse(f"expected {wanted}, got {shown(value)}")
    if not number.is_finite():
        refuse(f"expected {wanted}, got {number}")
    if not is_in_range(number):
        refuse(f"{shown(number)} is out of range: at most {MOST_DIGITS} digits, and no more than 10^{LARGEST_EXPONENT}")
    return number


def _amount(value: object) -> Decimal:
    if isinstance(value, str):
        if len(value) > 2 * MOST_DIGITS or not _NUMBER.fullmatch(value):
            refuse(f"expected a number, got {shown(value)}")
        value = Decimal(value)
    return _decimal(value)


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = _decimal(value, "a whole number")
    if number != number.to_integral_value():
        refuse(f"expected a whole number, got {shown(number)}")
    return int(number)


def _real(value: object) -> float:
    number = float(_decimal(value))
    if not math.isfinite(number):
        refuse(f"{shown(value)} is out of range")
    return number


def _named(text: str) -> str:
    if "\0" in text:
        refuse(f"{shown(text)} holds a NUL character")
    return text


Amount = Annotated[Decimal, BeforeValidator(_amount)]
Whole = Annotated[int, BeforeValidator(_whole)]
Real = Annotated[float, BeforeValidator(_real)]
Flag = Annotated[bool, Strict()]
Name = Annotated[str, Strict(), Field(min_length=1, max_length=100_000), AfterValidator(_named)]

Milliseconds = Annotated[Whole, Field(ge=0, le=86_400_000)]
Rate = Annotated[Real, Field(ge=0, le=1)]


def kind_of(value: object) -> object:
    """Return what a section says it is, whether it is still a JSON object or already a model."""
    return value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
