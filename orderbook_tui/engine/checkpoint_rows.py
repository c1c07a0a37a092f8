"""From events, intents and opening balances to the rows of a checkpoint, and into it.

events -> rows -> their link of the chain -> INSERTs, the last with the link

A row has the place of its table in `CHAINED` in front, and its link, or None, at its end.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import apsw

from orderbook_tui.core.journal import Attempt, Balance, Cancel, Decision, Event, Execution
from orderbook_tui.engine.checkpoint_chain import Row, link
from orderbook_tui.engine.checkpoint_file import dressed
from orderbook_tui.engine.checkpoint_journal import Intent
from orderbook_tui.engine.checkpoint_schema import CHAINED

_INSERT: Final = tuple(
    f"INSERT INTO {table} VALUES({','.join(f'?{column}' for column in range(2, columns + 2))})"
    for table, columns in zip(CHAINED, (10, 11, 5, 7, 6, 6), strict=True)
)
"""How the rows of each table are inserted: the first of a row's values says which statement it is, and is not inserted."""
_FEW: Final = 8
INTENTS: Final = CHAINED.index("intents")
_BALANCES: Final = CHAINED.index("opening_balances")


class RowInserter:
    """Inserts the rows of commits into one checkpoint."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._execute = connection.cursor().execute
        self._executemany = connection.cursor().executemany

    def insert(self, rows: Sequence[Row], before: bytes) -> bytes:
        """Insert the rows of a commit, whose link follows `before`, and return that link.

        Raises:
            UnicodeEncodeError, OverflowError, TypeError: a value is none that a column can hold (see `all_dressed`); some of
                the rows may have been inserted.
        """
        made, execute = link(before, rows), self._execute
        if len(rows) > _FEW:
            tables: dict[int, list[Row]] = {}
            for row in rows[:-1]:
                tables.setdefault(row[0], []).append(row)
            for table, those in tables.items():
                self._executemany(_INSERT[table], those)
        elif len(rows) > 1:
            for row in rows[:-1]:
                execute(_INSERT[row[0]], row)
        last = rows[-1]
        execute(_INSERT[last[0]], last[:-1] + (made,))  # noqa: RUF005 - half the time of unpacking
        return made


def rows_of(journal: Sequence[Event], start: int, end: int) -> list[Row]:
    """Return the rows of journal[start:end]."""
    if end - start == 1:
        event = journal[start]
        return [_ROW[type(event)](start, event)]
    return [_ROW[type(event)](n, event) for n, event in enumerate(journal[start:end], start)]


def rows_of_intents(intents: Iterable[Intent], start: int) -> list[Row]:
    """Return the rows of intents, the first of which has the place `start`."""
    return [
        (INTENTS, place, intent.slot, intent.attempt, intent.client_order_id, intent.at, None)
        for place, intent in enumerate(intents, start)
    ]


def rows_of_balances(balances: Iterable[Balance]) -> list[Row]:
    """Return the rows of opening balances, which are one commit."""
    return [
        (_BALANCES, place, balance.account, balance.asset, balance.available, balance.locked, None)
        for place, balance in enumerate(balances)
    ]


def all_dressed(rows: Iterable[Row]) -> list[Row]:
    """Return rows as columns can hold them, whatever is in them."""
    return [tuple(map(dressed, row)) for row in rows]


def _attempt(n: int, event: Attempt) -> Row:
    failure = event.failure
    if failure is None:
        return 0, n, event.slot, event.number, event.started, event.ended, event.order_id, None, None, None, None
    return (
        0, n, event.slot, event.number, event.started, event.ended, event.order_id,
        failure.code, failure.kind, failure.message, None,
    )  # fmt: skip


def _fill(n: int, event: Execution) -> Row:
    return (
        1, n, event.maker, event.taker, event.price, event.quantity, event.maker_fee, event.taker_fee, event.at, event.outside,
        event.id, None,
    )  # fmt: skip


def _cancel(n: int, event: Cancel) -> Row:
    return 2, n, event.slot, event.quantity, event.at, None


def _decision(n: int, event: Decision) -> Row:
    return 3, n, event.slot, event.attempt, event.action, event.by, event.at, None


_ROW: Final[dict[type, Callable[[int, Any], Row]]] = {
    Attempt: _attempt,
    Execution: _fill,
    Cancel: _cancel,
    Decision: _decision,
}
