"""The ledger of one budget: every movement of one account in one asset, and what the budget was right after it.

Only what the account's own slots did is folded; the rest of the journal is passed over. Reading goes on bit by bit, so that the
journal of a long run holds nobody up, and follows the run while it goes on.
"""

from array import array
from time import perf_counter
from typing import Final, NamedTuple

from orderbook_tui.core.budget import AccountBudget, Movement, MovementKind
from orderbook_tui.engine.simulation import Simulation

_SLICE: Final = 2_000
_KINDS: Final = list(MovementKind)
_PLACES: Final = {kind: place for place, kind in enumerate(_KINDS)}


class LedgerRow(NamedTuple):
    """One movement, and the pots after it, in units of the asset."""

    at: int
    slot: int
    kind: MovementKind
    amount: int
    available: int
    locked: int
    spent: int
    received: int


class BudgetLedger:
    """The rows of one budget's ledger, as far as the journal has been read."""

    def __init__(self, simulation: Simulation, budget: AccountBudget) -> None:
        self._simulation = simulation
        self.budget = budget
        self.read = 0
        """How many events of the journal have been read."""
        self._left: dict[int, int] = {}
        # A column each: an account may have made a million movements. Each number fits 64 bits, as it must in a checkpoint.
        self._at, self._slot, self._kind = array("q"), array("q"), array("b")
        self._amount, self._locked, self._spent, self._received = (array("q") for _ in range(4))

    def __len__(self) -> int:
        return len(self._at)

    def __getitem__(self, place: int) -> LedgerRow:
        locked, spent = self._locked[place], self._spent[place]
        return LedgerRow(
            self._at[place],
            self._slot[place],
            _KINDS[self._kind[place]],
            self._amount[place],
            self.budget.initial - locked - spent,
            locked,
            spent,
            self._received[place],
        )

    @property
    def is_caught_up(self) -> bool:
        """Whether everything that has happened has been read."""
        return self.read == len(self._simulation.state.journal)

    def read_on(self, seconds: float) -> bool:
        """Read on for about so long; return whether there was anything to read."""
        if self.is_caught_up:
            return False
        journal, until = self._simulation.state.journal, perf_counter() + seconds
        while self.read < len(journal):
            events = journal[self.read : self.read + _SLICE]
            self.read += len(events)
            if self._simulation.state.plan.budgets:  # otherwise they were settled elsewhere
                account, asset = self.budget.account.id, self.budget.asset.symbol
                for movement in self._simulation._settlement.movements(events, account=account, left=self._left):
                    if movement.asset == asset:
                        self._add(movement)
            if perf_counter() >= until:
                break
        return True

    def _add(self, movement: Movement) -> None:
        kind, amount = movement.kind, movement.amount
        locked, spent, received = (self._locked[-1], self._spent[-1], self._received[-1]) if self._at else (0, 0, 0)
        match kind:
            case MovementKind.LOCK:
                locked += amount
            case MovementKind.UNLOCK:
                locked -= amount
            case MovementKind.SPEND:
                locked -= amount
                spent += amount
            case MovementKind.RECEIVE:
                received += amount
        for column, number in (
            (self._at, movement.at or 0),
            (self._slot, -1 if movement.slot is None else movement.slot),
            (self._kind, _PLACES[kind]),
            (self._amount, amount),
            (self._locked, locked),
            (self._spent, spent),
            (self._received, received),
        ):
            column.append(number)
