"""Exports: a run's slots, fills, attempts and budget history as CSV or JSON lines."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from orderbook_tui.core.budget import BudgetSnapshot
from orderbook_tui.core.journal import Attempt, Execution
from orderbook_tui.core.market import Market
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.summary import moment, text
from orderbook_tui.engine.whole_file import whole_file
from orderbook_tui.errors import FileThere, StorageError

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Table(Generic[Record]):
    """What can be exported: the records of a run, and what each column says of one."""

    records: Callable[[Simulation], Iterable[Record]]
    columns: Mapping[str, Callable[[Simulation, Record], Any]]

    def rows(self, run: Simulation) -> Iterator[list[Any]]:
        """Yield the columns of every record, in order."""
        cells = list(self.columns.values())
        return ([cell(run, record) for cell in cells] for record in self.records(run))


class Out(Protocol):
    """What rows are written to, such as a file; each row comes in one piece, with the newline at its end."""

    def write(self, row: str, /) -> object: ...


class ExportFormat(StrEnum):
    """How rows are written."""

    CSV = "csv"
    JSONL = "jsonl"


SLOTS: Final[Table[ActionSlot]] = Table(
    lambda run: run.slots,
    {
        "sequence": lambda run, slot: slot.sequence,
        "pair": lambda run, slot: slot.pair,
        "account_id": lambda run, slot: slot.account_id,
        "account": lambda run, slot: run.account_name(slot.account_id),
        "market": lambda run, slot: slot.action.market.symbol,
        "side": lambda run, slot: slot.action.side.word,
        "quantity": lambda run, slot: text(slot.action.market.quantity(slot.action.quantity)),
        "price": lambda run, slot: text(slot.action.market.price(slot.action.price)),
        "bid_asset": lambda run, slot: slot.action.bid_asset,
        "bid_amount": lambda run, slot: text(slot.action.bid_amount),
        "ask_asset": lambda run, slot: slot.action.ask_asset,
        "ask_amount": lambda run, slot: text(slot.action.ask_amount),
        "time_in_force": lambda run, slot: slot.action.time_in_force.value,
        "matching_strategy": lambda run, slot: slot.action.matching_strategy.kind.value,
        "counterparty": lambda run, slot: run.account_name(slot.action.matching_strategy.account or ""),
        "state": lambda run, slot: slot.state.value,
        "attempt_count": lambda run, slot: slot.attempt_count,
        "max_retries": lambda run, slot: slot.max_retries,
        "last_error": lambda run, slot: slot.last_error.message if slot.last_error else None,
        "client_order_id": lambda run, slot: slot.client_order_id,
        "order_id": lambda run, slot: slot.order_id,
        "filled": lambda run, slot: text(slot.action.market.quantity(slot.filled)),
        "open": lambda run, slot: text(slot.action.market.quantity(slot.open)),
        "verdict": lambda run, slot: slot.verdict.value if slot.verdict else None,
        "decisions": lambda run, slot: " ".join(decision.action.value for decision in slot.decisions),
        "started_at": lambda run, slot: moment(slot.attempts[0].started) if slot.attempts else None,
        "ended_at": lambda run, slot: moment(slot.attempts[-1].ended) if slot.attempts else None,
    },
)
"""Every slot: what was scheduled, and what became of it."""

FILLS: Final[Table[Execution]] = Table(
    lambda run: (event for event in run.state.journal if isinstance(event, Execution)),
    {
        "at": lambda run, fill: moment(fill.at),
        "market": lambda run, fill: _market(run, fill).symbol,
        "price": lambda run, fill: text(_market(run, fill).price(fill.price)),
        "quantity": lambda run, fill: text(_market(run, fill).quantity(fill.quantity)),
        "notional": lambda run, fill: _quote(run, fill, _market(run, fill).notional(fill.price, fill.quantity)),
        "maker_slot": lambda run, fill: fill.maker if fill.maker >= 0 else None,
        "maker": lambda run, fill: _party(run, fill, fill.maker),
        "maker_fee": lambda run, fill: _quote(run, fill, fill.maker_fee),
        "taker_slot": lambda run, fill: fill.taker if fill.taker >= 0 else None,
        "taker": lambda run, fill: _party(run, fill, fill.taker),
        "taker_fee": lambda run, fill: _quote(run, fill, fill.taker_fee),
        "fee_asset": lambda run, fill: _market(run, fill).quote.symbol,
        "execution_id": lambda run, fill: fill.id,
    },
)
"""Every execution, in order."""

ATTEMPTS: Final[Table[Attempt]] = Table(
    lambda run: (event for event in run.state.journal if isinstance(event, Attempt)),
    {
        "slot": lambda run, attempt: attempt.slot,
        "attempt": lambda run, attempt: attempt.number,
        "account": lambda run, attempt: run.account_name(run.slots[attempt.slot].account_id),
        "started_at": lambda run, attempt: moment(attempt.started),
        "ended_at": lambda run, attempt: moment(attempt.ended),
        "order_id": lambda run, attempt: attempt.order_id,
        "error_code": lambda run, attempt: attempt.failure.code if attempt.failure else None,
        "error_kind": lambda run, attempt: attempt.failure.kind.value if attempt.failure else None,
        "error": lambda run, attempt: attempt.failure.message if attempt.failure else None,
    },
)
"""Every attempt, in order."""

HISTORY: Final[Table[BudgetSnapshot]] = Table(
    lambda run: run.budgets.get_history(),
    {
        "at": lambda run, snapshot: moment(snapshot.timestamp or 0),
        "slot": lambda run, snapshot: snapshot.slot,
        "account_id": lambda run, snapshot: snapshot.account_id,
        "account": lambda run, snapshot: run.account_name(snapshot.account_id),
        "asset": lambda run, snapshot: snapshot.asset,
        "kind": lambda run, snapshot: snapshot.kind.value,
        "amount": lambda run, snapshot: text(snapshot.amount),
        "initial": lambda run, snapshot: text(snapshot.initial),
        "available": lambda run, snapshot: text(snapshot.available),
        "locked": lambda run, snapshot: text(snapshot.locked),
        "spent": lambda run, snapshot: text(snapshot.spent),
        "received": lambda run, snapshot: text(snapshot.received),
    },
)
"""The ledger: every movement, and what its budget was right after it."""

TABLES: Final[Mapping[str, Table[Any]]] = {"slots": SLOTS, "fills": FILLS, "history": HISTORY, "attempts": ATTEMPTS}
"""What can be exported, by name."""


def export(simulation: Simulation, what: str, form: ExportFormat, out: Out) -> int:
    """Write the rows of `TABLES[what]` to `out` and return how many there were."""
    table = TABLES[what]
    write = _csv if form is ExportFormat.CSV else _jsonl
    return write(list(table.columns), table.rows(simulation), out)


def export_file(simulation: Simulation, what: str, form: ExportFormat, path: Path | str, *, replace: bool = False) -> int:
    """Write the rows of `TABLES[what]` to a file, which is there whole or not at all; return how many there were.

    Raises:
        FileThere: it is there already and is not to be replaced.
        StorageError: it cannot be written.
    """
    try:
        with whole_file(path, replace=replace) as out:
            return export(simulation, what, form, out)
    except FileExistsError:
        raise FileThere(f"{path} is there already") from None
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from None


def _market(run: Simulation, fill: Execution) -> Market:
    return run.slots[max(fill.maker, fill.taker)].action.market


def _quote(run: Simulation, fill: Execution, units: int) -> str:
    return text(_market(run, fill).quote.amount(units))


def _party(run: Simulation, fill: Execution, sequence: int) -> str | None:
    if sequence >= 0:
        return run.account_name(run.slots[sequence].account_id)
    return run.account_name(fill.outside) if fill.outside else None


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], out: Out) -> int:
    count = 0
    out.write(",".join(columns) + "\n")
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the count is what is wanted
        out.write(",".join(map(_cell, row)) + "\n")
    return count


def _cell(value: Any) -> str:
    """Return a value as a cell that a spreadsheet takes for a number or a text, and never for a formula."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    cell: str = value
    if not _NUMBER.fullmatch(cell):
        cell = _BEGINS.sub(r"'\g<0>", _FORMULA.sub(r"\1'\2", cell))
    return '"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell


def _jsonl(columns: Sequence[str], rows: Iterable[Sequence[Any]], out: Out) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the count is what is wanted
        out.write(json.dumps(dict(zip(columns, row, strict=True))) + "\n")
    return count


_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_BLANK: Final = "(?:[^\\S\t\r\n]|[\0\u200b-\u200f\u2060\ufeff])*"
"""What a spreadsheet may take off before it looks at a cell: what is white or has no width, but for what can end a cell."""
_BEGINS: Final = re.compile(f"^(?:{_BLANK}[=+@\uff1d\uff0b\uff0d\uff20-]|[\t\r])")
_FORMULA: Final = re.compile(f"([;|\t\r\n]{_BLANK})([=+@\uff1d\uff0b\uff0d\uff20-])")
"""How a formula begins, in wide letters too: a cell, or what is one to a spreadsheet that is set to another separator. An
apostrophe before it makes it text."""
_QUOTED: Final = re.compile('[,;|\t\r\n"\x0b\x0c\x1c-\x1e\x85\u2028\u2029]|^\\s|\\s$')
