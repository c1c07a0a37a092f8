"""Rows of a table or a query, with the columns that were asked for, and what their values may be.

Names are text; ids may be whole numbers and UUIDs too. An amount is exact: NUMERIC, an integer or text. A floating-point
number stands for its shortest decimal text as long as that has at most 15 digits, which such a number keeps; with more it is
refused, since nobody knows what it was meant to be.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from orderbook_tui.config.database import Part, Rows, table_name
from orderbook_tui.config.fields import NUMBER_PATTERN
from orderbook_tui.config.showing import shown
from orderbook_tui.config.wording import alternatives, nearest
from orderbook_tui.core.market import MarketStatus
from orderbook_tui.core.money import decimal
from orderbook_tui.engine.database_opening import BATCH, said
from orderbook_tui.errors import AmountError, ConfigError, Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection, Executable, Select

MOST_PROBLEMS: Final = 100
"""Nobody reads more of one part; the last one says that there are."""

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


class Read(NamedTuple):
    """The rows of one part, batch by batch, each with a value for every field; a field that has no column has None."""

    fields: tuple[str, ...]
    has: frozenset[str]
    """The fields that have a column."""
    batches: Iterator[Sequence[Sequence[Any]]]
    close: Callable[[], None]
    """To be called where the rows are not wanted after all."""


class Problems:
    """What is wrong with the rows of one part, up to so much of it that nobody would read on."""

    def __init__(self, part: Part) -> None:
        self.found: list[Problem] = []
        self._path = f"database.{part}"
        self._more = False

    def add(self, key: str | int | tuple[str, ...], column: str | None, why: str) -> None:
        """Say why a row is refused, and in which column; it goes by its key, or else by its number."""
        if len(self.found) < MOST_PROBLEMS:
            row = " ".join(map(shown, key if isinstance(key, tuple) else (key,)))
            self.found.append(Problem(self._path, f"row {row}{f', column {shown(column)}' if column else ''}: {why}"))
        elif not self._more:
            self._more = True
            self.found.append(Problem(self._path, "and more"))

    @property
    def is_full(self) -> bool:
        return self._more


def rows(
    connection: "Connection",
    spec: Rows,
    part: Part,
    wanted: Mapping[str, str | None],
    needed: Sequence[str],
    prefix: tuple[str, str] | None = None,
) -> Read:
    """Read the columns that `wanted` names for each field; `needed` are fields that must have one.

    `prefix` is a field and how it begins: of a table, other rows need not be sent, though some may be.

    Raises:
        ConfigError: there is no such table, the query is refused, or columns are missing; every problem at once.
    """
    from sqlalchemy import column, false, literal_column, select
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.sql import quoted_name

    path = f"database.{part}"
    try:
        if spec.query is not None:
            result = connection.execute(_query(spec.query))
        else:
            everything: Select[Any] = select(literal_column("*"))
            result = connection.execute(everything.select_from(_table(spec)).where(false()))
        columns = list(result.keys()) if result.returns_rows else []
        chosen, problems = _chosen(columns, spec, path, wanted, needed)
        if problems or spec.query is None:
            result.close()
        if problems:
            raise ConfigError(problems)
        places = [columns.index(name) for name in chosen.values()]
        if spec.query is None:
            names: list[Any] = [column(quoted_name(name, quote=True)) for name in chosen.values()]
            asked: Select[*tuple[Any, ...]] = select(*names).select_from(_table(spec))
            if prefix is not None:
                asked = asked.where(column(quoted_name(chosen[prefix[0]], quote=True)).startswith(prefix[1], autoescape=True))
            result, places = connection.execute(asked), list(range(len(chosen)))
    except SQLAlchemyError as error:
        raise unreadable(spec, path, error) from None

    def batches() -> Iterator[Sequence[Sequence[Any]]]:
        try:
            yield from result.partitions(BATCH)
        except (SQLAlchemyError, UnicodeError, ValueError, ArithmeticError) as error:
            raise unreadable(spec, path, error) from None
        finally:
            result.close()

    at = dict(zip(chosen, places, strict=True))
    return Read(tuple(wanted), frozenset(chosen), _arranged(batches(), [at.get(field) for field in wanted]), result.close)


def _arranged(batches: Iterator[Sequence[Sequence[Any]]], places: Sequence[int | None]) -> Iterator[Sequence[Sequence[Any]]]:
    """Put the columns in the order of the fields."""
    if list(places) == list(range(len(places))):
        yield from batches
        return
    for batch in batches:
        yield [[None if place is None else row[place] for place in places] for row in batch]


def unreadable(spec: Rows, path: str, error: Exception) -> ConfigError:
    """Say that a table or a query cannot be read."""
    what = f"the table {shown(spec.table)}" if spec.table is not None else "the query"
    return ConfigError([Problem(path, f"{what} cannot be read: {said(error)}")])


def _query(query: str) -> "Executable":
    from sqlalchemy import text

    # A colon is no parameter here: there are none.
    return text(query.strip().removesuffix(";").replace(":", r"\:"))


def _table(spec: Rows) -> Any:
    from sqlalchemy import table
    from sqlalchemy.sql import quoted_name

    schema, name = table_name(spec.table or "")
    return table(quoted_name(name, quote=True), schema=None if schema is None else quoted_name(schema, quote=True))


def _chosen(
    columns: Sequence[str], spec: Rows, path: str, wanted: Mapping[str, str | None], needed: Sequence[str]
) -> tuple[dict[str, str], list[Problem]]:
    """Return the column of each field that has one, and what is wrong with those that were asked for."""
    if spec.query is not None and not columns:
        return {}, [Problem(path, "the query gives no rows: a SELECT is wanted")]
    chosen: dict[str, str] = {}
    problems = []
    for field, column in wanted.items():
        if column is None:
            continue
        if column in columns:
            chosen[field] = column
            if columns.count(column) > 1:
                problems.append(Problem(f"{path}.{field}", f"the column {shown(column)} is there more than once"))
        elif field in needed or column != type(spec).model_fields[field].default:
            meant = nearest(column, tuple(columns))
            hint = f"did you mean {shown(meant)}?" if meant else f"there are {alternatives(columns, 12)}"
            problems.append(Problem(f"{path}.{field}", f"there is no column {shown(column)} ({hint})"))
    return chosen, problems


# What a value may be


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


def _unlike(wanted: str, value: object) -> Refused:
    return Refused("is NULL" if value is None else f"expected {wanted}, got {shown(value)}")
