"""The state of a run: its plan, which never changes, and the journal of what has happened, which only grows.

States, statistics, budgets, ledger and books all follow from the two; what is kept beside them is kept by increments and
must equal a recount.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from orderbook_tui.core.budget import BudgetStore
from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.journal import Attempt, Decision, Event, Failure
from orderbook_tui.core.market import Account, Market
from orderbook_tui.core.money import Asset
from orderbook_tui.core.slot import ActionSlot, SlotState, Verdict
from orderbook_tui.errors import UNANSWERED, FailureKind, ScheduleError


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was made from. `config` is its JSON text, empty where there is none; `budgets` are in units."""

    name: str = ""
    config: str = ""
    accounts: tuple[Account, ...] = ()
    markets: tuple[Market, ...] = ()
    assets: tuple[Asset, ...] = ()
    budgets: Mapping[tuple[str, str], int] = {}
    fees: FeeSchedule = FeeSchedule()

    def check_slots(self, slots: Sequence[ActionSlot]) -> None:
        """Refuse slots that are not of this plan: whole pairs, each in its place, of accounts and markets that it has.

        Raises:
            ScheduleError: naming the first that is not.
        """
        accounts = {account.id for account in self.accounts}
        markets = {market.symbol: market for market in self.markets}
        for place, slot in enumerate(slots):
            market = slot.action.market
            if slot.sequence != place:
                raise ScheduleError(f"slot {slot.sequence} is in place {place}")
            if slot.account_id not in accounts:
                raise ScheduleError(f"account {slot.account_id!r} of slot {place} is not in its plan")
            if market is not markets.get(market.symbol) and market != markets.get(market.symbol):
                raise ScheduleError(f"the market of slot {place} is not that of its plan")
        if len(slots) % 2:
            raise ScheduleError(f"{len(slots)} slots make no whole pairs")


@dataclass(slots=True)
class SimulationStats:
    """How far a run has come."""

    total_slots: int = 0
    completed_slots: int = 0
    failed_slots: int = 0
    skipped_slots: int = 0
    orders_placed_again: int = 0
    """Remainders placed a second time, when the slot they must cross is revisited."""
    total_matches: int = 0
    """Executions, each counted once."""

    @property
    def total_orders_created(self) -> int:
        """Orders that a venue accepted: one of each completed slot, and those placed again."""
        return self.completed_slots + self.orders_placed_again

    @property
    def pending_slots(self) -> int:
        """Slots that have not ended, those in progress included."""
        return self.total_slots - self.ended_slots

    @property
    def ended_slots(self) -> int:
        """Slots that are Completed, Failed or Skipped."""
        return self.completed_slots + self.failed_slots + self.skipped_slots

    def count(self, state: SlotState, by: int = 1) -> None:
        """Count a slot into (or with -1 out of) an ended state."""
        if state is _COMPLETED:
            self.completed_slots += by
        elif state is _FAILED:
            self.failed_slots += by
        elif state is _SKIPPED:
            self.skipped_slots += by


# An enum looks its members up each time.
_PENDING, _COMPLETED, _FAILED, _SKIPPED = SlotState.PENDING, SlotState.COMPLETED, SlotState.FAILED, SlotState.SKIPPED


class SimulationState:
    """The slots of one run and everything that has happened to them. Times are nanoseconds since the epoch."""

    def __init__(self, slots: list[ActionSlot], *, plan: Plan | None = None, id: str = "", created_at: int = 0) -> None:  # noqa: A002 - what its users call it
        self.id = id
        self.slots = slots
        self.plan = plan or _plan_of(slots)
        self.journal: list[Event] = []
        self.created_at = created_at
        self.saved_at = 0
        self.stats = SimulationStats()
        self._ended = 0
        self._failed: list[int] = []
        self.update_stats()

    @property
    def current_slot_index(self) -> int:
        """The place of the first slot that has not ended: where a run goes on."""
        slots, index = self.slots, self._ended
        for place in self._failed:  # a failed slot may have been revisited since
            if not slots[place].is_ended:
                return place
        while index < len(slots) and slots[index].is_ended:
            if slots[index].state is SlotState.FAILED:
                self._failed.append(index)
            index += 1
        self._ended = index
        return index

    def update_stats(self) -> None:
        """Count everything again."""
        self.stats = self.recount()
        self._ended = 0
        self._failed = []

    def recount(self) -> SimulationStats:
        """Return the statistics, counted from the slots."""
        stats = SimulationStats(total_slots=len(self.slots))
        executions = outside = 0
        for slot in self.slots:
            state, first = slot.state, slot.first_fill
            if state is not _PENDING:
                stats.count(state)
            if slot.earlier_attempts:
                accepted = sum(attempt.order_id is not None for attempt in slot.attempts)
                stats.orders_placed_again += max(accepted - 1, 0)
            if first is not None:
                executions += 1
                outside += first.outside is not None
                for fill in slot.more_fills:
                    executions += 1
                    outside += fill.outside is not None
        # A trade between two slots is a fill of both, one with an outsider of one alone.
        stats.total_matches = (executions - outside) // 2 + outside
        return stats

    def verdicts(self, slots: Iterable[ActionSlot] | None = None) -> dict[Verdict, int]:
        """Return how many of the ended slots have each verdict."""
        counts = dict.fromkeys(Verdict, 0)
        for slot in self.slots if slots is None else slots:
            verdict = slot.verdict
            if verdict is not None:
                counts[verdict] += 1
        return counts

    def open_slots(self) -> list[ActionSlot]:
        """Return the slots whose orders are open at the venue, in the order in which they were placed."""
        placed: dict[int, None] = {}
        slots = self.slots
        for event in self.journal:
            if type(event) is Attempt and slots[event.slot].open and event.failure is None:
                placed.pop(event.slot, None)  # placed again, it stands behind those placed before
                placed[event.slot] = None
        return [self.slots[sequence] for sequence in placed]

    def doubt(self, slot: ActionSlot, now: int, *, can_be_settled: bool = False) -> None:
        """End the slot's attempt without an answer: its order may exist.

        Somebody has to say what next, unless another attempt settles that by itself, and places nothing twice.
        """
        message = f"the run ended while order {slot.client_order_id} was being placed: it may exist at the venue"
        code = UNANSWERED if can_be_settled else "unknown"
        slot.fail_attempt(Failure(code, FailureKind.UNKNOWN, message), now)
        self.journal.extend(slot.attempts[-1:])

    def journal_missing(self) -> None:
        """Add to the journal what the slots went through without it: attempts and decisions, slot by slot."""
        attempts = Counter(event.slot for event in self.journal if isinstance(event, Attempt))
        decisions = Counter(event.slot for event in self.journal if isinstance(event, Decision))
        for slot in self.slots:
            for attempt in slot.attempts[attempts[slot.sequence] :]:
                if attempt.ended:
                    self.journal.append(attempt)
                self.journal.extend(
                    decision for decision in slot.decisions[decisions[slot.sequence] :] if decision.attempt == attempt.number
                )


def state_hash(state: SimulationState, budgets: BudgetStore) -> str:
    """Return one SHA-256 over the plan and all that came of it: equal for equal runs.

    Covered: markets, slots (accounts by their place), states, attempt counts, error codes, verdicts, fills, budgets and
    decisions. Not covered: ids, paths, pacing, times, waits, and what the venue called things.
    """
    digest = sha256()
    encode = msgspec.msgpack.Encoder(decimal_format="string").encode
    places = {account.id: place for place, account in enumerate(state.plan.accounts)}
    markets = {market.symbol: place for place, market in enumerate(state.plan.markets)}
    digest.update(encode(state.plan.markets))
    for slot in state.slots:
        action = slot.action
        strategy = action.matching_strategy
        planned = (
            places[slot.account_id],
            markets[action.market.symbol],
            action.side,
            action.quantity,
            action.price,
            action.time_in_force,
            strategy.kind,
            places.get(strategy.account or ""),
        )
        fills = [(fill.maker, fill.taker, fill.price, fill.quantity, fill.maker_fee, fill.taker_fee) for fill in slot.fills]
        errors = [attempt.failure.code for attempt in slot.attempts if attempt.failure is not None]
        decisions = [(decision.attempt, decision.action) for decision in slot.decisions]
        digest.update(encode((planned, slot.state, slot.attempt_count, errors, slot.verdict, fills, decisions)))
    for budget in sorted(budgets, key=lambda budget: (places.get(budget.account.id, -1), budget.asset.symbol)):
        digest.update(
            encode(
                (
                    places.get(budget.account.id),
                    budget.asset.symbol,
                    budget.initial,
                    budget.available,
                    budget.locked,
                    budget.spent,
                    budget.received,
                )
            )
        )
    return digest.hexdigest()


def _plan_of(slots: list[ActionSlot]) -> Plan:
    """Return the plan that the slots alone tell."""
    accounts = dict.fromkeys(slot.account_id for slot in slots)
    markets = {slot.action.market.symbol: slot.action.market for slot in slots}
    assets = {asset.symbol: asset for market in markets.values() for asset in (market.base, market.quote)}
    return Plan(accounts=tuple(map(Account, accounts)), markets=tuple(markets.values()), assets=tuple(assets.values()))
