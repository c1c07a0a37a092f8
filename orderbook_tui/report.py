"""Results as text: the summary of a run, the list of saved runs, the forecast of a run, for people and for programs.

engine.summary.summary, runs, forecast      the facts, as what JSON can hold
summary_in_words, .._in_words               the same, as lines to read
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from orderbook_tui.core.slot import SlotState
from orderbook_tui.core.words import harmless
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.persistence import SimulationInfo
from orderbook_tui.engine.reconciliation import Reconciliation
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.summary import moment, summary, text
from orderbook_tui.engine.verifying import Verified

MOST_FAILURES_SHOWN = 20
MOST_SLOTS_SHOWN = 3
"""Slots that are named for a difference between the ledger and the venue."""


def print_summary(simulation: Simulation, ending: Ending, *, as_json: bool) -> None:
    """Print the summary of a run on stdout."""
    facts = summary(simulation, ending)
    print(json.dumps(facts) if as_json else summary_in_words(simulation, facts))


def summary_in_words(simulation: Simulation, facts: dict[str, Any]) -> str:
    """Return the summary of a run as lines to read."""
    return "\n".join(_summary_lines(simulation, facts))


def _summary_lines(simulation: Simulation, facts: dict[str, Any]) -> Iterator[str]:
    stats, verdicts, budget = facts["stats"], facts["verdicts"], facts["budget"]
    yield f"{harmless(simulation.name, 80)}  {harmless(simulation.id)}"
    yield ""
    yield f"Total Slots: {stats['total_slots']}"
    for label, key in (
        ("Completed", "completed_slots"),
        ("Failed", "failed_slots"),
        ("Skipped", "skipped_slots"),
        ("Pending", "pending_slots"),
    ):
        yield f"{label}: {stats[key]}"
    yield f"Orders Created: {stats['total_orders_created']}"
    yield f"Matches: {stats['total_matches']}"
    yield "Verdicts: " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in verdicts.items())
    yield f"Time: {facts['elapsed_s']:.2f} s, {facts['slots_per_second']:,.0f} slots/s"
    yield ""
    yield from _budget_table(budget)
    yield ""
    yield f"Total Budget: {budget['total_initial']}"
    yield f"Total Spent: {budget['total_spent']}"
    depleted = f"{budget['depleted_count']} of {budget['budget_count']} budgets depleted"
    yield f"Utilization: {budget['total_utilization_percent']}%  ({depleted})"
    yield ""
    yield from _failures(simulation)
    yield from _open_orders(facts["open_orders"])
    yield from reconciled_in_words(simulation.reconciliation)
    broken = [name for name, holds in facts["invariants"].items() if not holds]
    yield f"Invariants: {'all ' + str(len(facts['invariants'])) + ' hold' if not broken else 'BROKEN: ' + ', '.join(broken)}"
    yield from (f"  {name}: {'yes' if holds else 'NO'}" for name, holds in facts["invariants"].items())
    yield f"State hash: {facts['state_hash']}"
    yield from (f"Note: {harmless(note)}" for note in facts["notes"])
    if stats["pending_slots"] and simulation.id:
        yield f"To go on: orderbook-tui resume {harmless(simulation.id)}"


def _budget_table(budget: dict[str, Any]) -> Iterator[str]:
    head = ["Asset", "Initial", "Available", "Locked", "Spent", "Received", "Utilization"]
    keys = ["total_initial", "total_available", "total_locked", "total_spent", "total_received"]
    rows = [head] + [
        [harmless(symbol, 20), *(totals[key] for key in keys), totals["total_utilization_percent"] + "%"]
        for symbol, totals in budget["assets"].items()
    ]
    yield from _aligned(rows, right=range(1, len(head)))


def _failures(simulation: Simulation) -> Iterator[str]:
    """Yield what did not happen as scheduled."""
    failed = [slot for slot in simulation.slots if slot.state in (SlotState.FAILED, SlotState.SKIPPED)]
    for slot in failed[:MOST_FAILURES_SHOWN]:
        reason = harmless(slot.last_error.message, 200) if slot.last_error else ""
        yield f"{slot.state.value}: slot {slot.sequence} of {harmless(simulation.account_name(slot.account_id), 40)}: {reason}"
    if len(failed) > MOST_FAILURES_SHOWN:
        yield f"and {len(failed) - MOST_FAILURES_SHOWN} more (orderbook-tui export {harmless(simulation.id)} --what slots)"


def _open_orders(orders: list[dict[str, Any]]) -> Iterator[str]:
    yield f"Left open: {len(orders) or 'nothing'}"
    for order in orders[:MOST_FAILURES_SHOWN]:
        account, market = harmless(order["account"], 40), harmless(order["market"], 40)
        yield f"  slot {order['slot']}: {account} {order['side']} {order['open']} {market} at {order['price']}"
    if len(orders) > MOST_FAILURES_SHOWN:
        yield f"  and {len(orders) - MOST_FAILURES_SHOWN} more"


def reconciled_in_words(found: Reconciliation | None) -> Iterator[str]:
    """Yield what came of comparing the ledger with the venue; nothing where there was nothing to compare."""
    if found is None:
        return
    if found.failed:
        yield f"NOT RECONCILED with the venue: {harmless(found.failed, 500)}"
        return
    count = len(found.differences)
    outcome = f"{count} DIFFERENCE{'S' if count != 1 else ''}" if count else "no differences"
    if found.balances:
        what = f"{found.balances} balances of {found.accounts} accounts and {found.orders} open orders compared"
        yield f"Reconciled with the venue: {outcome} ({what})"
    else:
        yield f"Balances were NOT compared with the venue; {found.orders} open orders were: {outcome}"
    if found.foreign:
        yield f"  open orders there that are none of this run's: {found.foreign}"
    yield from (f"  {harmless(note)}" for note in found.notes)
    for each in found.differences[:MOST_FAILURES_SHOWN]:
        yield f"  {harmless(each.words)}"
        for slot, why in zip(each.slots[:MOST_SLOTS_SHOWN], each.why, strict=False):
            yield f"    slot {slot}: {why}"
        if len(each.slots) > MOST_SLOTS_SHOWN:
            yield f"    and {len(each.slots) - MOST_SLOTS_SHOWN} slots more"
    if count > MOST_FAILURES_SHOWN:
        yield f"  and {count - MOST_FAILURES_SHOWN} more (--format json has all)"


def runs(infos: Sequence[SimulationInfo]) -> list[dict[str, Any]]:
    """Return the saved runs as what JSON can hold."""
    return [
        {
            "id": info.id,
            "name": info.name,
            "status": info.status.value,
            "reason": info.reason,
            "total_slots": info.total_slots,
            "completed_slots": info.completed,
            "failed_slots": info.failed,
            "skipped_slots": info.skipped,
            "created_at": moment(info.created_at),
            "saved_at": moment(info.saved_at),
            "size_bytes": info.size,
        }
        for info in infos
    ]


def runs_in_words(infos: Sequence[SimulationInfo], folder: str) -> str:
    """Return the saved runs as lines of a table."""
    if not infos:
        return f"there is no saved run in {harmless(folder)}: start one with orderbook-tui run CONFIG"
    rows = [["ID", "NAME", "STATUS", "SLOTS", "FAILED", "SKIPPED", "SAVED"]]
    for info in infos:
        ended = info.completed + info.failed + info.skipped
        status = f"{info.status.value}: {harmless(info.reason, 100)}" if info.reason else info.status.value
        slots = f"{ended}/{info.total_slots}"
        rows.append(
            [
                harmless(info.id, 64),
                harmless(info.name, 30),
                status,
                slots,
                str(info.failed),
                str(info.skipped),
                moment(info.saved_at)[:19],
            ]
        )
    return "\n".join(_aligned(rows))


def verified(found: Verified) -> dict[str, Any]:
    """Return what a checkpoint was found to be as what JSON can hold."""
    checks = [{"name": check.name, "holds": check.holds, "words": check.words} for check in found.checks]
    return {"id": found.id, "sound": not found.wrong, "checks": checks}


def verified_in_words(found: Verified) -> str:
    """Return what a checkpoint was found to be as lines to read."""
    verdict = "DAMAGED" if found.wrong else "sound"
    rows = [["ok" if check.holds else "WRONG", check.name, harmless(check.words)] for check in found.checks]
    return "\n".join([f"{harmless(found.id)}: {verdict}", *(f"  {line}" for line in _aligned(rows))])


def forecast(simulation: Simulation) -> dict[str, Any]:
    """Return what a run would be, with the preflight, as what JSON can hold."""
    plan, found = simulation.state.plan, simulation.preflight()
    counts: dict[str, int] = {}
    for slot in simulation.slots:
        counts[slot.action.market.symbol] = counts.get(slot.action.market.symbol, 0) + 1
    return {
        "name": simulation.name,
        "seed": simulation.config.seed,
        "accounts": len(plan.accounts),
        "account_names": [account.name for account in plan.accounts[:20]],
        "markets": {market.symbol: counts.get(market.symbol, 0) for market in plan.markets},
        "slots": len(simulation.slots),
        "pairs": len(simulation.slots) // 2,
        "notes": simulation.notes,
        "preflight": {
            "passes": not found.refused,
            "in_words": found.in_words(),
            "refused": [{"slot": refused.slot, "code": refused.code, "reason": refused.message} for refused in found.refused],
            "needs": [
                {
                    "account": need.account,
                    "asset": need.asset,
                    "needed": text(need.needed),
                    "budget": text(need.budget),
                    "left": text(need.left),
                    "first_refused": need.refused,
                }
                for need in found.needs
            ],
        },
    }


def forecast_in_words(facts: dict[str, Any]) -> str:
    """Return a forecast as lines to read."""
    return "\n".join(_forecast_lines(facts))


def _forecast_lines(facts: dict[str, Any]) -> Iterator[str]:
    preflight = facts["preflight"]
    names = [harmless(name, 40) for name in facts["account_names"]]
    more = facts["accounts"] - len(names)
    yield f"{harmless(facts['name'], 80)}, seed {facts['seed']}"
    yield f"Accounts: {facts['accounts']} ({', '.join(names)}{f' and {more} more' if more else ''})"
    yield "Markets: " + ", ".join(f"{harmless(symbol, 40)} ({count} slots)" for symbol, count in facts["markets"].items())
    yield f"Slots: {facts['slots']} in {facts['pairs']} pairs"
    yield from (f"Note: {harmless(note)}" for note in facts["notes"])
    yield f"Preflight: {harmless(preflight['in_words'])}"
    yield from (f"  slot {refused['slot']}: {harmless(refused['reason'])}" for refused in preflight["refused"])
    rows = [["Account", "Asset", "Needed", "Budget", "Left", ""]]
    for need in preflight["needs"]:
        short = "" if need["first_refused"] is None else f"not enough from slot {need['first_refused']}"
        rows.append(
            [harmless(need["account"], 40), harmless(need["asset"], 20), need["needed"], need["budget"], need["left"], short]
        )
    yield ""
    yield from _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> Iterator[str]:
    """Yield rows as lines whose columns stand under each other; those whose places are in `right` end together."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width) for place, (cell, width) in enumerate(cells)
        ).rstrip()
