"""Rows of a table or a query, with the columns that were asked for, and what is wrong with them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderbook_tui.config.database import Part, Rows, table_name
from orderbook_tui.config.showing import shown
from orderbook_tui.config.wording import alternatives, nearest
from orderbook_tui.engine.database_opening import BATCH, said
from orderbook_tui.errors import ConfigError, Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection, Executable, Select

MOST_PROBLEMS: Final = 100
"""Nobody reads more of one part; the last one says that there are."""

Batch = Mapping[str, Sequence[Any]]
"""Some rows, column by column: the values of each field that has a column."""


class Read(NamedTuple):
    """The rows of one part, batch by batch."""

    has: frozenset[str]
    """The fields that have a column."""
    batches: Iterator[Batch]
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


def each_row(batch: Batch) -> Iterator[dict[str, Any]]:
    """Yield the rows of a batch, each with the values of its fields."""
    for values in zip(*batch.values(), strict=True):
        yield dict(zip(batch, values, strict=True))


def too_many(part: Part, most: int, what: str) -> ConfigError:
    """Return what to raise for a part that is larger than any run could be."""
    return ConfigError([Problem(f"database.{part}", f"has more than {most:,} {what}")])


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
        places = {field: columns.index(name) for field, name in chosen.items()}
        if spec.query is None:
            names: list[Any] = [column(quoted_name(name, quote=True)) for name in chosen.values()]
            asked: Select[*tuple[Any, ...]] = select(*names).select_from(_table(spec))
            if prefix is not None:
                asked = asked.where(column(quoted_name(chosen[prefix[0]], quote=True)).startswith(prefix[1], autoescape=True))
            result = connection.execute(asked)
            places = {field: place for place, field in enumerate(chosen)}
    except SQLAlchemyError as error:
        raise unreadable(spec, path, error) from None

    def batches() -> Iterator[Batch]:
        try:
            for batch in result.partitions(BATCH):
                values = [*zip(*batch, strict=True)]
                yield {field: values[place] for field, place in places.items()}
        except (SQLAlchemyError, UnicodeError, ValueError, ArithmeticError) as error:
            raise unreadable(spec, path, error) from None
        finally:
            result.close()

    return Read(frozenset(chosen), batches(), result.close)


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
