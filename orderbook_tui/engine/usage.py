"""How much of each asset was used in the course of a run: locked or spent, as a share of what all accounts began with.

    journal  [ read, folded into `used`, and a point noted every `step` ended slots ][ still to be read ]

It follows from the journal alone, so it is the same for a run that was taken up from its checkpoint. Reading goes on bit by
bit; when there are more points than anybody can see, every second one is left out.
"""

from time import perf_counter
from typing import Final, NamedTuple

from orderbook_tui.core.budget import MovementKind
from orderbook_tui.core.journal import Attempt, Decision, Event, RecoveryAction
from orderbook_tui.core.money import Asset
from orderbook_tui.engine.budget_list import each_budget
from orderbook_tui.engine.simulation import Simulation

MOST_POINTS: Final = 400
_SLICE: Final = 500
_SIGNS: Final = {MovementKind.LOCK: 1, MovementKind.UNLOCK: -1}
"""What moves the used part: what is spent was locked before, and what is received is not to give."""
_ENDING: Final = (RecoveryAction.SKIP, RecoveryAction.CONTINUE)


class Point(NamedTuple):
    """What was used when so many slots had ended: units of each asset, in the order of `UsageHistory.assets`."""

    ended: int
    used: tuple[int, ...]


class UsageHistory:
    """The usage of a simulation's budgets from its beginning to as far as its journal has been read."""

    def __init__(self, simulation: Simulation, most: int = MOST_POINTS) -> None:
        self._simulation = simulation
        self._most = most
        self.assets: list[Asset] = list(simulation.budgets.assets.values())
        self.initial = {asset.symbol: 0 for asset in self.assets}
        """What all accounts began with, in units."""
        self._unsummed = each_budget(simulation.budgets)
        self._summed = False
        self._used = {asset.symbol: 0 for asset in self.assets}
        self._left: dict[int, int] = {}
        self._seen = bytearray(len(simulation.slots))
        self._ended = 0
        self._step = 1
        self.read = 0
        """How many events of the journal have been read."""
        self._points = [self.now]

    @property
    def now(self) -> Point:
        """What is used as far as has been read."""
        return Point(self._ended, tuple(self._used.values()))

    @property
    def points(self) -> list[Point]:
        """The course of it, from the beginning to now."""
        return [*self._points, self.now]

    @property
    def is_caught_up(self) -> bool:
        """Whether everything that has happened has been read."""
        return self._summed and self.read == len(self._simulation.state.journal)

    def read_on(self, seconds: float) -> bool:
        """Read on for about so long; return whether there was anything to read."""
        until = perf_counter() + seconds
        if self.is_caught_up:
            return False
        if not self._summed and not self._sum_up(until):
            return True
        journal = self._simulation.state.journal
        while self.read < len(journal):
            self._take(journal[self.read : self.read + _SLICE])
            if perf_counter() >= until:
                break
        return True

    def _sum_up(self, until: float) -> bool:
        """Add up what the accounts began with; True: that is done."""
        initial = self.initial
        for count, budget in enumerate(self._unsummed, start=1):
            initial[budget.asset.symbol] += budget.initial
            if count % _SLICE == 0 and perf_counter() >= until:
                return False
        self._summed = True
        return True

    def _take(self, events: list[Event]) -> None:
        start = 0
        for place, event in enumerate(events):
            slot = _ended_by(event)
            if slot is None or self._seen[slot]:
                continue
            # A point is what had become of all slots before the next one ended: its own trades come after its attempt.
            if self._ended and self._ended % self._step == 0:
                self._fold(events[start:place])
                start = place
                self._note()
            self._seen[slot] = 1
            self._ended += 1
        self._fold(events[start:])
        self.read += len(events)

    def _note(self) -> None:
        self._points.append(self.now)
        if len(self._points) > self._most:
            self._points = self._points[::2]
            self._step *= 2

    def _fold(self, events: list[Event]) -> None:
        if not self._simulation.state.plan.budgets:
            return  # settled elsewhere: there is nothing to tell
        used = self._used
        for movement in self._simulation._settlement.movements(events, left=self._left):
            sign = _SIGNS.get(movement.kind)
            if sign is not None:
                used[movement.asset] += sign * movement.amount


def _ended_by(event: Event) -> int | None:
    """Return the slot that this ends, if it ends one."""
    if type(event) is Attempt:
        return event.slot if event.failure is None else None
    return event.slot if type(event) is Decision and event.action in _ENDING else None
