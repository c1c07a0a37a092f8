"""What must be true after each step, judged by the program's own invariants and by books that are kept beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from orderbook_tui.core.book import Side
from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.engine import budget_count, listing, market_view, usage
from orderbook_tui.engine.checkpoint_info import CheckpointStatus
from orderbook_tui.engine.ledger import BudgetLedger
from orderbook_tui.engine.simulation import Simulation
from tests.simulator.books import Books, counts

Violate = Callable[[str], None]

ARROWS = {
    SlotState.PENDING: {SlotState.IN_PROGRESS},
    SlotState.IN_PROGRESS: {SlotState.PENDING, SlotState.COMPLETED, SlotState.FAILED, SlotState.SKIPPED},
    SlotState.COMPLETED: set(),
    SlotState.FAILED: {SlotState.IN_PROGRESS, SlotState.SKIPPED},
    SlotState.SKIPPED: set(),
}
"""Where a slot may go, from DESIGN and not from the program."""


class Checks:
    """The checks of one life of a run."""

    def __init__(self, simulation: Simulation, violate: Violate) -> None:
        self._simulation, self._violate = simulation, violate
        self.books = Books(simulation.state.plan, simulation.slots)
        self._steps = 0
        self._seen = 0

    def moved(self, slot: ActionSlot, before: SlotState) -> None:
        """A slot has gone from one state to another."""
        # Failed, InProgress, Pending: chosen to be revisited, it waits its turn as one does whose run was quit.
        revisited = before is SlotState.FAILED and slot.state is SlotState.PENDING
        revisited = revisited and slot.decisions[-1].action is RecoveryAction.RETRY
        if slot.state is not before and slot.state not in ARROWS[before] and not revisited:
            self._violate(f"slot {slot.sequence} went from {before.value} to {slot.state.value}")

    def step(self, where: str) -> None:
        """Check what is cheap after each step, and everything now and then."""
        self._steps += 1
        self.quick(where)
        if self._steps % 12 == 1:
            self.invariants(where)

    def quick(self, where: str) -> None:
        """Hold budgets, statistics and journal against our own books."""
        simulation, books = self._simulation, self.books
        journal = simulation.state.journal
        if len(journal) < self._seen:
            self._violate(f"{where}: the journal has become shorter")
        self._seen = len(journal)
        books.read_on(journal)
        if books.wrong:
            self._violate(f"{where}: {books.wrong[0]}")
        locked = books.locked(simulation.in_flight)
        for budget in simulation.budgets:
            key = budget.account.id, budget.asset.symbol
            pots = budget.initial, budget.available, budget.locked, budget.spent, budget.received
            if min(pots) < 0:
                self._violate(f"{where}: the budget of {key} is negative: {pots}")
            initial, spent, received = books.initial.get(key, 0), books.spent[key], books.received[key]
            expected = initial, initial - locked[key] - spent, locked[key], spent, received
            if pots != expected:
                self._violate(f"{where}: the budget of {key} is {pots}, by our books {expected}")
        if unbalanced := books.unbalanced():
            self._violate(f"{where}: {unbalanced} spent is not received plus fees")
        stats = simulation.stats
        told = stats.completed_slots, stats.failed_slots, stats.skipped_slots
        if told != counts(simulation.slots) or stats.total_matches != books.executions:
            real = *counts(simulation.slots), books.executions
            self._violate(f"{where}: the statistics are {told} and {stats.total_matches} matches, counted {real}")

    def invariants(self, where: str) -> None:
        """Ask the program itself, and hold the exchange's books against ours."""
        broken = [name for name, holds in self._simulation.invariants().items() if not holds]
        if broken:
            self._violate(f"{where}: {', '.join(broken)} does not hold")
        exchange = self._simulation.exchange
        if exchange is not None:
            ours = self.books.priority()
            for symbol, book in exchange.books.items():
                for side in Side:
                    resting, expected = [order.client_id for order in book.resting(side)], ours.get((symbol, side), [])
                    if resting != expected:
                        self._violate(f"{where}: {symbol} {side.word}s rest in the order {resting}, ours is {expected}")

    def screens(self, where: str) -> None:
        """Hold what the screens show against the state."""
        simulation, books = self._simulation, self.books
        books.read_on(simulation.state.journal)
        count = budget_count.BudgetCount(simulation)
        count.look()
        sums: dict[str, list[int]] = {}
        for budget in simulation.budgets:
            pots = (budget.initial, budget.available, budget.locked, budget.spent, budget.received)
            sums[budget.asset.symbol] = [a + b for a, b in zip(sums.get(budget.asset.symbol, [0] * 5), pots, strict=True)]
        for symbol, total in count.totals.items():
            if list(total.pots) != sums.get(symbol, [0] * 5):
                self._violate(f"{where}: the screen totals {symbol} as {total.pots}, it is {sums.get(symbol)}")
        self._ladders(where)
        for budget in simulation.budgets:
            ledger = BudgetLedger(simulation, budget)
            ledger.read_on(1e9)
            if len(ledger):
                last = ledger[len(ledger) - 1]
                key = budget.account.id, budget.asset.symbol
                if (last.spent, last.received) != (books.spent[key], books.received[key]):
                    self._violate(f"{where}: the ledger of {key} ends with {last.spent, last.received}")
        course = usage.UsageHistory(simulation)
        while course.read_on(1e9):
            pass
        used = dict(zip((asset.symbol for asset in course.assets), course.now.used, strict=True))
        ours = dict.fromkeys(used, 0)
        for (account, asset), amount in (books.spent + self._locked_by_open()).items():
            ours[asset] += amount if account else 0
        if used != ours:
            self._violate(f"{where}: the screen says that {used} is used, it is {ours}")

    def _locked_by_open(self) -> Any:
        doubtful, self.books.doubtful = self.books.doubtful, set()
        locked = self.books.locked()
        self.books.doubtful = doubtful
        return locked

    def _ladders(self, where: str) -> None:
        simulation, ours = self._simulation, self.books.priority()
        view = market_view.Books(simulation)
        while view.unread:
            view.read_on()
        for market in simulation.state.plan.markets:
            for side in Side:
                shown = market_view.depth(view.book(market), side)
                found = [slot for level in shown.levels for slot in level.slots]
                expected = ours.get((market.symbol, side), [])
                lots = sum(level.quantity for level in shown.levels)
                if len(expected) <= market_view.SHOWN and found != expected:
                    self._violate(f"{where}: the ladder of {market.symbol} shows {found}, at rest are {expected}")
                if lots != sum(self.books.open[sequence] for sequence in expected):
                    self._violate(f"{where}: the ladder of {market.symbol} adds up to {lots} lots {side.word}")

    def listed(self, folder: Path, *, finished: bool) -> None:
        """Hold the list of checkpoints against a run that has been let go of."""
        infos = [info for info in listing.CheckpointListing(folder).look() if info.id == self._simulation.id]
        if len(infos) != 1:
            self._violate(f"{self._simulation.id} is listed {len(infos)} times")
        info = infos[0]
        told, real = (info.completed, info.failed, info.skipped), counts(self._simulation.slots)
        expected = CheckpointStatus.FINISHED if finished else CheckpointStatus.INTERRUPTED
        if told != real or info.status is not expected:
            self._violate(f"the list says {info.status.value} and {told}, it is {expected.value} and {real}: {info.reason}")
