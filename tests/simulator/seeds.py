"""One seed from its beginning to its end: a run that nothing interrupts, and the same run in all its troubles.

calm world      the run, once, without interruptions: how long it takes, and how it ends
troubled world  the run, killed, resumed, refused by the disk, paused, and so on: it must end the same way
"""

import faulthandler
import tempfile
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import ConfigError
from tests.simulator.configs import Scenario, draw
from tests.simulator.world import MOST_SECONDS, World


@dataclass
class Outcome:
    """What came of a seed."""

    seed: int
    violation: str = ""
    slots: int = 0
    lives: int = 0
    deaths: int = 0
    compared: bool = False
    unheard: int = 0
    """Executions at a venue outside that nobody was there to hear of."""
    trace: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Return the digest of all that happened."""
        return sha256("\n".join(self.trace).encode()).hexdigest()[:16]


def play(seed: int) -> Outcome:
    """Run one seed, calm and troubled, and say what came of it."""
    outcome = Outcome(seed)
    faulthandler.dump_traceback_later(3 * MOST_SECONDS, exit=True)  # where nothing else can stop it
    place = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="trouble-", dir=place if place.is_dir() else None) as made:
        folder = Path(made)
        scenario = draw(seed)
        calm = World(seed, scenario, folder / "calm", None)
        calm.folder.mkdir()
        try:
            calm.run()
        except ConfigError as error:
            outcome.violation = f"no plan: {error}"
            return outcome
        outcome.trace, outcome.slots = calm.trace, len(calm.simulation.slots) if calm.simulation else 0
        if calm.violation:
            outcome.violation = f"undisturbed: {calm.violation}"
            return outcome
        troubled = World(seed, scenario.in_trouble(), folder / "troubled", (calm.steps, calm.writes, calm.acceptances))
        troubled.folder.mkdir()
        troubled.run()
        outcome.trace = [*calm.trace, *troubled.trace]
        outcome.lives, outcome.deaths, outcome.unheard = troubled.lives, troubled.deaths, troubled.unheard
        outcome.violation = troubled.violation
        if not outcome.violation and _comparable(scenario, calm, troubled):
            outcome.compared = True
            # Reports that overtake each other, and answers that list them in order: which is first depends on when one asks.
            asks_at_other_times = troubled.lives > 1 or scenario.concurrency > 1
            reordered = calm.venue is not None and calm.venue.reorders and asks_at_other_times
            difference = _difference(calm, troubled, in_any_order=reordered)
            if difference:
                outcome.violation = f"it ended otherwise than it does undisturbed: {difference}"
    return outcome


def _comparable(scenario: Scenario, calm: World, troubled: World) -> bool:
    """Whether the run must have ended as the calm one did.

    Not where anybody may trade with anybody, several pairs at once; not where a venue cannot say what became of an order whose
    process died, or forgets while the run stands still; and not where nobody was there to hear.
    """
    outside = troubled.venue
    if scenario.concurrency > 1 and not scenario.is_directed:
        return False
    if scenario.outside in ("neither", "deduplicates") and troubled.lives > 1:
        return False
    if outside is not None and scenario.outside == "deduplicates" and outside.deduplicates_for < 86_400:
        return False
    late = any(world.venue is not None and world.venue.arrived_late for world in (calm, troubled))
    return not (late and troubled.lives > 1) and not troubled.unheard


def _difference(calm: World, troubled: World, *, in_any_order: bool) -> str:
    """Return how the run ended otherwise than the calm one did; empty where it did not. Fills may be `in_any_order`."""
    one, other = calm.simulation, troubled.simulation
    assert one is not None
    assert other is not None
    if one.state_hash() == other.state_hash():
        return ""
    for a, b in zip(one.slots, other.slots, strict=True):
        for what, ours, theirs in zip(_TOLD, _account_of(a), _account_of(b), strict=True):
            if ours != theirs and not (in_any_order and what == "fills" and sorted(ours) == sorted(theirs)):
                return f"slot {a.sequence}: {what} {ours} and {theirs}"
    if _pots(one) != _pots(other):
        return "budgets"
    return "" if in_any_order else "hash"


def _pots(simulation: Simulation) -> list[tuple[Any, ...]]:
    pots = ((b.account.id, b.asset.symbol, b.initial, b.available, b.locked, b.spent, b.received) for b in simulation.budgets)
    return sorted(pots)


_TOLD = ("state", "attempt_count", "verdict", "filled", "open", "failures", "fills", "decisions")


def _account_of(slot: ActionSlot) -> tuple[Any, ...]:
    """Return what became of a slot, as `_TOLD` names it."""
    failures = [each.failure.code for each in slot.attempts if each.failure is not None]
    fills = [(f.maker, f.taker, f.price, f.quantity, f.maker_fee, f.taker_fee) for f in slot.fills]
    decisions = [(each.attempt, each.action) for each in slot.decisions]
    return slot.state, slot.attempt_count, slot.verdict, slot.filled, slot.open, failures, fills, decisions
