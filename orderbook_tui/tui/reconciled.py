"""Whether the ledger and the venue agree, in one line."""

from rich.text import Text

from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import clock, message
from orderbook_tui.tui.theme import Inks


def outcome_of(simulation: Simulation, ink: Inks) -> Text:
    """Return what came of comparing them; empty where they are not compared."""
    found = simulation.reconciliation
    if simulation.is_reconciling:
        return Text("comparing with the venue ...", ink.busy)
    if found is None:
        return Text("not compared with the venue yet" if simulation.can_reconcile else "", ink.muted)
    at = clock(found.at).partition(".")[0]
    if found.failed:
        return Text(f"not reconciled {at}: {message(found.failed)}", ink.bad)
    if not found.differences and not found.balances:
        return Text(f"balances not compared {at}, {found.orders:,} open orders were: no differences", ink.warn)
    if not found.differences:
        return Text(f"reconciled {at}: no differences", ink.good)
    return Text(f"reconciled {at}: {differences(len(found.differences))}", ink.bad)


def differences(count: int) -> str:
    """Return so many differences in words."""
    return f"{count:,} difference{'s' if count != 1 else ''}"
