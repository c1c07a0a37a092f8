"""Exports: a run's slots, fills, attempts and budget history as CSV or JSON lines."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TextIO

from orderbook_tui.core.slot import Attempt, Execution
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.summary import text

Row = dict[str, Any]


class ExportFormat(StrEnum):
    """How rows are written."""

    CSV = "csv"
    JSONL = "jsonl"


def slots(simulation: Simulation) -> Iterator[Row]:
    """Yield every slot: what was scheduled, and what became of it."""
    for slot in simulation.slots:
        action, market = slot.action, slot.action.market
        error = slot.last_error
        yield {
            "sequence": slot.sequence,
            "pair": slot.pair,
            "account_id": slot.account_id,
            "account": simulation.account_name(slot.account_id),
            "market": market.symbol,
            "side": action.side.word,
            "quantity": text(market.quantity(action.quantity)),
            "price": text(market.price(action.price)),
            "bid_asset": action.bid_asset,
            "bid_amount": text(action.bid_amount),
            "ask_asset": action.ask_asset,
            "ask_amount": text(action.ask_amount),
            "time_in_force": action.time_in_force.value,
            "matching_strategy": action.matching_strategy.kind.value,
            "counterparty": simulation.account_name(action.matching_strategy.account or ""),
            "state": slot.state.value,
            "attempt_count": slot.attempt_count,
            "max_retries": slot.max_retries,
            "last_error": error.message if error else None,
            "client_order_id": slot.client_order_id,
            "order_id": slot.order_id,
            "filled": text(market.quantity(slot.filled)),
            "open": text(market.quantity(slot.open)),
            "verdict": slot.verdict.value if slot.verdict else None,
            "decisions": " ".join(decision.action.value for decision in slot.decisions),
            "started_at": moment(slot.attempts[0].started) if slot.attempts else None,
            "ended_at": moment(slot.attempts[-1].ended) if slot.attempts else None,
        }


def fills(simulation: Simulation) -> Iterator[Row]:
    """Yield every execution, in order."""
    for event in simulation.state.journal:
        if isinstance(event, Execution):
            market = simulation.slots[max(event.maker, event.taker)].action.market
            yield {
                "at": moment(event.at),
                "market": market.symbol,
                "price": text(market.price(event.price)),
                "quantity": text(market.quantity(event.quantity)),
                "notional": text(market.quote.amount(market.notional(event.price, event.quantity))),
                "maker_slot": event.maker if event.maker >= 0 else None,
                "maker": _party(simulation, event, event.maker),
                "maker_fee": text(market.quote.amount(event.maker_fee)),
                "taker_slot": event.taker if event.taker >= 0 else None,
                "taker": _party(simulation, event, event.taker),
                "taker_fee": text(market.quote.amount(event.taker_fee)),
                "fee_asset": market.quote.symbol,
            }


def attempts(simulation: Simulation) -> Iterator[Row]:
    """Yield every attempt, in order."""
    for event in simulation.state.journal:
        if isinstance(event, Attempt):
            failure = event.failure
            yield {
                "slot": event.slot,
                "attempt": event.number,
                "account": simulation.account_name(simulation.slots[event.slot].account_id),
                "started_at": moment(event.started),
                "ended_at": moment(event.ended),
                "order_id": event.order_id,
                "error_code": failure.code if failure else None,
                "error_kind": failure.kind.value if failure else None,
                "error": failure.message if failure else None,
            }


def history(simulation: Simulation) -> Iterator[Row]:
    """Yield the ledger: every movement, and what its budget was right after it."""
    for snapshot in simulation.budgets.get_history():
        yield {
            "at": moment(snapshot.timestamp or 0),
            "slot": snapshot.slot,
            "account_id": snapshot.account_id,
            "account": simulation.account_name(snapshot.account_id),
            "asset": snapshot.asset,
            "kind": snapshot.kind.value,
            "amount": text(snapshot.amount),
            "initial": text(snapshot.initial),
            "available": text(snapshot.available),
            "locked": text(snapshot.locked),
            "spent": text(snapshot.spent),
            "received": text(snapshot.received),
        }


TABLES: Final[dict[str, Callable[[Simulation], Iterator[Row]]]] = {
    "slots": slots,
    "fills": fills,
    "history": history,
    "attempts": attempts,
}
"""What can be exported, by name."""


def export(simulation: Simulation, what: str, form: ExportFormat, out: TextIO) -> int:
    """Write the rows of `TABLES[what]` to `out` and return how many there were."""
    rows = TABLES[what](simulation)
    return _csv(rows, out) if form is ExportFormat.CSV else _jsonl(rows, out)


def moment(nanoseconds: int) -> str:
    """Return a time in ISO 8601, UTC, to the microsecond."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000).isoformat(timespec="microseconds")


def _party(simulation: Simulation, event: Execution, sequence: int) -> str | None:
    return simulation.account_name(simulation.slots[sequence].account_id) if sequence >= 0 else event.outside


def _csv(rows: Iterable[Row], out: TextIO) -> int:
    writer, count = csv.writer(out, lineterminator="\n"), 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the count is what is wanted
        if count == 1:
            writer.writerow(row)
        writer.writerow([_cell(value) for value in row.values()])
    return count


def _cell(value: Any) -> Any:
    # A spreadsheet takes such a cell for a formula; the apostrophe makes it text. Numbers are ours, and stay as they are.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def _jsonl(rows: Iterable[Row], out: TextIO) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the count is what is wanted
        out.write(json.dumps(row) + "\n")
    return count
