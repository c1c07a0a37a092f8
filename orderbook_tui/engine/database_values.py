"""What a value of a row may be.

Names are text; ids may be whole numbers and UUIDs too. An amount is exact: NUMERIC, an integer or text. A floating-point
number stands for its shortest decimal text as long as that has at most 15 digits, which such a number keeps; with more it is
refused, since nobody knows what it was meant to be.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import repeat
from operator import contains
from typing import Final, TypeGuard, cast
from uuid import UUID

from orderbook_tui.config.fields import NUMBER_PATTERN
from orderbook_tui.config.showing import shown
from orderbook_tui.core.market import MarketStatus
from orderbook_tui.core.money import decimal
from orderbook_tui.errors import AmountError

_FLOAT_DIGITS: Final = 15
_LONGEST_NUMBER: Final = 200
_NUMBER: Final = re.compile(NUMBER_PATTERN)
_LONGEST_NAME: Final = 100_000
_STATUSES: Final = {
    **dict.fromkeys(("active", "enabled", "open", "trading", "true", "yes", "t", "y", "1"), MarketStatus.ACTIVE),
    **dict.fromkeys(("inactive", "disabled", "closed", "blocked", "false", "no", "f", "n", "0"), MarketStatus.INACTIVE),
    **dict.fromkeys(("suspended", "halted", "paused", "frozen", "locked"), MarketStatus.SUSPENDED),
}


class Refused(Exception):
    """A value that is not what its column is for; says why in words."""


def key_of(value: object) -> str:
    """Return an id as text.

    Raises:
        Refused: it is none.
    """
    if type(value) is str:
        return name_of(value)
    if type(value) is int or isinstance(value, UUID):
        return str(value)
    raise _unlike("text, a whole number or a UUID", value)


def name_of(value: object) -> str:
    """Return a name.

    Raises:
        Refused: it is none.
    """
    if type(value) is not str:
        raise _unlike("text", value)
    if not value:
        raise Refused("is empty, some text is wanted")
    if "\0" in value:
        raise Refused(f"{shown(value)} holds a NUL character")
    if len(value) > _LONGEST_NAME:
        raise Refused(f"{shown(value)} is too long: at most {_LONGEST_NAME} characters")
    return value


def amount_of(value: object) -> Decimal:
    """Return an amount, exactly.

    Raises:
        Refused: it is none, or no longer exact.
    """
    if type(value) is Decimal and value.is_finite():
        return value
    if type(value) is int:
        return Decimal(value)
    if type(value) is float:
        return _of_float(value)
    if type(value) is not str or len(value) > _LONGEST_NUMBER or not _NUMBER.fullmatch(value):
        raise _unlike("a number", value)
    try:
        return decimal(value)
    except AmountError as error:
        raise Refused(str(error)) from None


def _of_float(value: float) -> Decimal:
    """Return the decimal that a floating-point number was made from, where that is certain."""
    number = Decimal(repr(value))
    if not number.is_finite():
        raise _unlike("a number", number)
    if len(number.normalize().as_tuple().digits) > _FLOAT_DIGITS:
        raise Refused(
            f"{value!r} is a floating-point number that has lost digits: keep it as NUMERIC, as text or as an integer"
        )
    return number


def status_of(value: object) -> MarketStatus:
    """Return whether something is active.

    Raises:
        Refused: it says neither.
    """
    if type(value) is bool or (type(value) is int and value in (0, 1)):
        return MarketStatus.ACTIVE if value else MarketStatus.INACTIVE
    found = _STATUSES.get(value.strip().lower()) if type(value) is str else None
    if found is None:
        raise _unlike('"active", "inactive", "suspended", true or false', value)
    return found


def regulated(value: object) -> bool:
    """Return whether a market is regulated.

    Raises:
        Refused: it says neither.
    """
    if type(value) is bool or (type(value) is int and value in (0, 1)):
        return bool(value)
    word = value.strip().lower() if type(value) is str else None
    if word not in ("regulated", "unregulated", "true", "false"):
        raise _unlike('"regulated", "unregulated", true or false', value)
    return word in ("regulated", "true")


# What whole columns hold, at a tenth of the time: None where a value is not as usual, and each is to be looked at


def texts_of(values: Sequence[object]) -> Sequence[str] | None:
    """Return ids as text. Not all of them need be what `key_of` takes: see `are_names`."""
    kinds = {*map(type, values)}
    if kinds == {int} or kinds == {UUID}:
        return [*map(str, values)]
    return cast("Sequence[str]", values) if kinds == {str} else None


def are_names(values: Sequence[object] | None) -> TypeGuard[Sequence[str]]:
    """Whether `name_of` takes all of them."""
    if values is None or {*map(type, values)} != {str}:
        return False
    texts = cast("Sequence[str]", values)
    return all(texts) and max(map(len, texts)) <= _LONGEST_NAME and not any(map(contains, texts, repeat("\0")))


def amounts_of(values: Sequence[object]) -> Sequence[Decimal | int] | None:
    """Return amounts, of which some may not be finite or too large to be any."""
    kinds = {*map(type, values)}
    if kinds <= {Decimal, int}:
        return cast("Sequence[Decimal | int]", values)
    if kinds != {str}:
        return None
    texts = cast("Sequence[str]", values)
    usual = max(map(len, texts)) <= _LONGEST_NUMBER and all(map(_NUMBER.fullmatch, texts))
    return [*map(Decimal, texts)] if usual else None


def actives_of(values: Sequence[object]) -> Sequence[bool] | None:
    """Return of each whether it says active."""
    if not {*map(type, values)} <= {bool, int, str}:
        return None
    try:
        meant = {value: status_of(value) is MarketStatus.ACTIVE for value in {*values}}
    except Refused:
        return None
    return [meant[value] for value in values]


def _unlike(wanted: str, value: object) -> Refused:
    return Refused("is NULL" if value is None else f"expected {wanted}, got {shown(value)}")
