"""The summary of a run: what became of it, as numbers that a program can read, and the exit status that says it in one."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from orderbook_tui.core.slot import SlotState, Verdict
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.exit_status import ExitStatus


def exit_status(simulation: Simulation, ending: Ending) -> ExitStatus:
    """Return the exit status of a run that ended so; it speaks of the slots that were selected."""
    if ending is Ending.QUIT:
        return ExitStatus.QUIT
    if ending is Ending.STOPPED:
        return ExitStatus.INTERRUPTED
    for slot in simulation.selected_slots():
        directed = slot.action.matching_strategy.account is not None
        if slot.state is not SlotState.COMPLETED or (directed and slot.verdict is not Verdict.MATCHED):
            return ExitStatus.INCOMPLETE
    found = simulation.reconciliation
    if found is not None and found.at_end and (found.differences or found.failed):
        return ExitStatus.INCOMPLETE
    return ExitStatus.OK


def summary(simulation: Simulation, ending: Ending) -> dict[str, Any]:
    """Return the summary of a run as what JSON can hold; amounts are decimal strings."""
    stats = simulation.stats
    verdicts = simulation.state.verdicts()
    return {
        "simulation_id": simulation.id,
        "name": simulation.name,
        "state_hash": simulation.state_hash(),
        "exit_status": int(exit_status(simulation, ending)),
        "elapsed_s": round(simulation.elapsed, 6),
        "slots_per_second": round(simulation.slots_per_second, 3),
        "stats": {
            "total_slots": stats.total_slots,
            "completed_slots": stats.completed_slots,
            "failed_slots": stats.failed_slots,
            "skipped_slots": stats.skipped_slots,
            "pending_slots": stats.pending_slots,
            "total_orders_created": stats.total_orders_created,
            "total_matches": stats.total_matches,
        },
        "verdicts": {verdict.value: count for verdict, count in verdicts.items()},
        "budget": _budget(simulation),
        "invariants": simulation.invariants(),
        "open_orders": open_orders(simulation),
        "reconciliation": reconciliation(simulation),
        "not_reconciled": simulation.not_reconciled or None,
        "notes": simulation.notes,
    }


def open_orders(simulation: Simulation) -> list[dict[str, Any]]:
    """Return the orders that are still open, in the order in which they were placed."""
    return [
        {
            "slot": slot.sequence,
            "order_id": slot.order_id,
            "account": simulation.account_name(slot.account_id),
            "market": slot.action.market.symbol,
            "side": slot.action.side.word,
            "price": text(slot.action.market.price(slot.action.price)),
            "open": text(slot.action.market.quantity(slot.open)),
        }
        for slot in simulation.state.open_slots()
    ]


def reconciliation(simulation: Simulation) -> dict[str, Any] | None:
    """Return what came of comparing the ledger with the venue; None where that was not done, see `not_reconciled`."""
    found = simulation.reconciliation
    if found is None or found.failed:
        return None
    return {
        "at": moment(found.at),
        "accounts": found.accounts,
        "balances": found.balances,
        "open_orders": found.orders,
        "foreign_orders": found.foreign,
        "notes": list(found.notes),
        "differences": [
            {
                "what": each.what,
                "account": simulation.account_name(each.account),
                "asset": each.asset,
                "expected": text(each.expected),
                "found": text(each.found),
                "difference": text(each.difference),
                "client_order_id": each.client_order_id or None,
                "words": each.words,
                "slots": list(each.slots),
                "why": list(each.why),
            }
            for each in found.differences
        ],
    }


def text(amount: Decimal) -> str:
    """Return an amount without an exponent."""
    return f"{amount:f}"


def moment(nanoseconds: int) -> str:
    """Return a time in ISO 8601, UTC, to the microsecond."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000).isoformat(timespec="microseconds")


def _budget(simulation: Simulation) -> dict[str, Any]:
    totals = simulation.budgets.get_summary()
    return {
        "total_initial": text(totals.total_initial),
        "total_available": text(totals.total_available),
        "total_locked": text(totals.total_locked),
        "total_spent": text(totals.total_spent),
        "total_utilization_percent": text(totals.total_utilization_percent()),
        "budget_count": totals.budget_count,
        "depleted_count": totals.depleted_count,
        "assets": {
            symbol: {
                "total_initial": text(asset.total_initial),
                "total_available": text(asset.total_available),
                "total_locked": text(asset.total_locked),
                "total_spent": text(asset.total_spent),
                "total_received": text(asset.total_received),
                "total_utilization_percent": text(asset.utilization_percent()),
            }
            for symbol, asset in sorted(totals.assets.items())
        },
    }
