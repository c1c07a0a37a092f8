"""What the small tools print: the list of saved runs, and the forecast of a run."""

from collections.abc import Iterator, Sequence
from typing import Any

from orderbook_tui.core.words import harmless
from orderbook_tui.engine.export import moment
from orderbook_tui.engine.persistence import SimulationInfo
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.summary import text


def as_rows(infos: Sequence[SimulationInfo]) -> list[dict[str, Any]]:
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


def as_table(infos: Sequence[SimulationInfo], folder: str) -> str:
    """Return the saved runs as lines of a table."""
    if not infos:
        return f"there is no saved run in {folder}: start one with orderbook-tui run CONFIG"
    rows = [["ID", "NAME", "STATUS", "SLOTS", "FAILED", "SAVED"]]
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
                str(info.failed + info.skipped),
                moment(info.saved_at)[:19],
            ]
        )
    return "\n".join(_aligned(rows))


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


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
