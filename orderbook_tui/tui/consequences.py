"""What each answer to a question comes to: for the slot itself, and for the partner that it was to cross.

When a directed pair's second slot has ended, what is left of the pair is cancelled; see `Bookkeeper`. Orders that anyone may
meet stay open, and so do those at a venue that cannot be told to cancel.
"""

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.decisions import Question
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import name, quantity


def consequences(simulation: Simulation, question: Question) -> dict[RecoveryAction, str]:
    """Return what each action would do, in a line each."""
    slot = question.slot
    partner = _partner(simulation, slot)
    freed = " and free what it locked, though its order may trade" if slot.in_doubt else ""
    return {
        RecoveryAction.RETRY: question.risk.partition(": ")[2] or "one more attempt now; if it fails, you are asked again",
        RecoveryAction.SKIP: f"give it up{freed}{_given_up(slot, partner, cancels=simulation.exchange is not None)}",
        RecoveryAction.CONTINUE: "leave it Failed, to be revisited; the partner as with Skip",
        RecoveryAction.QUIT: f"save and leave; on resume this slot is {'asked about' if slot.in_doubt else 'tried again'}",
    }


def _partner(simulation: Simulation, slot: ActionSlot) -> ActionSlot | None:
    return simulation.slots[slot.partner] if slot.partner < len(simulation.slots) else None


def _given_up(slot: ActionSlot, partner: ActionSlot | None, *, cancels: bool) -> str:
    if partner is None:
        return ""
    called = f"partner slot {partner.sequence}"
    if slot.action.matching_strategy.account is None:
        return f"; {called} may meet anyone"
    if not partner.is_ended:
        return f"; {called} then runs alone: {'cancelled' if cancels else 'it stays open'}"
    if partner.open:
        market = partner.action.market
        left = f"{quantity(market, partner.open)} {name(market.base.symbol, 12)}"
        return f"; {called} {'loses its open' if cancels else 'keeps open its'} {left}"
    return f"; {called} has nothing open"
