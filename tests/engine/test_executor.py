"""What an attempt does: discipline, lock, place, settle; and what a failure gives back."""

from collections.abc import Callable

import pytest

from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.budget import BudgetStore
from orderbook_tui.core.exchange import Exchange
from orderbook_tui.core.journal import Attempt, Cancel, Execution
from orderbook_tui.core.replay import replay
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.executor import SlotExecutor
from orderbook_tui.errors import DisciplineError, InsufficientBudget, OrderError, Rejected
from orderbook_tui.venues.embedded import EmbeddedVenue
from orderbook_tui.venues.faulty import Faults, FaultyVenue
from tests.builders import a_plan, ask, bid, slots_of, small_market

MARKET = small_market(least="50", band="0.5")


class Desk:
    """An executor over these orders, with `budget` of everything for everyone."""

    def __init__(self, *orders: tuple[str, OrderAction], budget: int = 10_000, faults: Faults = Faults()) -> None:  # noqa: B008
        slots = slots_of(*orders)
        self.state: SimulationState
        self.budgets: BudgetStore
        self.state, self.budgets, settlement = replay(a_plan(slots, budget), slots)
        self.exchange = Exchange([MARKET])
        self.executor = SlotExecutor(self.state, settlement, FaultyVenue(EmbeddedVenue(self.exchange), faults))

    def place(self, sequence: int) -> None:
        """Run one slot's attempt."""
        slot = self.state.slots[sequence]
        slot.begin(1)
        order_id = self.executor.place(slot)
        assert isinstance(order_id, int)
        slot.complete(order_id, 2)

    def pots(self, account: str, asset: str) -> tuple[int, int, int]:
        """What is available, locked and spent."""
        budget = self.budgets.budget(account, asset)
        return budget.available, budget.locked, budget.spent

    @property
    def slots(self) -> list[ActionSlot]:
        return self.state.slots


def a_pair(budget: int = 10_000) -> Desk:
    return Desk(("a", bid(MARKET, 10, 100, only="b")), ("b", ask(MARKET, 10, 100, only="a")), budget=budget)


def test_an_order_that_rests_locks_what_it_gives() -> None:
    desk = a_pair()
    desk.place(0)

    assert desk.pots("a", "USD") == (9_000, 1_000, 0)


def test_an_order_that_rests_is_open() -> None:
    desk = a_pair()
    desk.place(0)

    assert desk.slots[0].open == 10


def test_an_order_that_is_filled_spends_what_it_gives() -> None:
    desk = a_pair()
    desk.place(0)
    desk.place(1)

    assert (desk.pots("a", "USD"), desk.pots("b", "BTC")) == ((9_000, 0, 1_000), (9_990, 0, 10))


def test_the_journal_holds_attempts_and_executions_in_order() -> None:
    desk = a_pair()
    desk.place(0)
    desk.place(1)

    assert [type(event) for event in desk.state.journal] == [Attempt, Attempt, Execution]


def test_executions_are_counted() -> None:
    desk = a_pair()
    desk.place(0)
    desk.place(1)

    assert desk.state.stats.total_matches == 1


REFUSED: dict[str, tuple[Callable[[], Desk], type[OrderError]]] = {
    "price outside the band": (lambda: Desk(("a", bid(MARKET, 10, 151))), DisciplineError),
    "below the least notional": (lambda: Desk(("a", bid(MARKET, 1, 50 - 1))), DisciplineError),
    "more than is available": (lambda: a_pair(budget=999), InsufficientBudget),
    "refused by the venue": (lambda: Desk(("a", bid(MARKET, 10, 100)), faults=Faults(rejection_rate=1)), Rejected),
}


@pytest.mark.parametrize("why", REFUSED)
def test_an_order_that_cannot_pass_is_refused(why: str) -> None:
    desk, error = REFUSED[why][0](), REFUSED[why][1]

    with pytest.raises(error):
        desk.place(0)


@pytest.mark.parametrize("why", REFUSED)
def test_an_order_that_was_refused_locks_nothing(why: str) -> None:
    desk = REFUSED[why][0]()
    with pytest.raises(OrderError):
        desk.place(0)

    assert desk.budgets.get_summary().total_locked == 0


@pytest.mark.parametrize("why", REFUSED)
def test_an_order_that_was_refused_leaves_no_trace_in_the_journal(why: str) -> None:
    desk = REFUSED[why][0]()
    with pytest.raises(OrderError):
        desk.place(0)

    assert desk.state.journal == []


def test_closing_a_pair_unlocks_what_is_left() -> None:
    desk = a_pair()
    desk.place(0)
    desk.executor.close_pair(desk.slots[1])

    assert desk.pots("a", "USD") == (10_000, 0, 0)


def test_closing_a_pair_takes_its_orders_from_the_book() -> None:
    desk = a_pair()
    desk.place(0)
    desk.executor.close_pair(desk.slots[1])

    assert not list(desk.exchange.books[MARKET.symbol].resting(desk.slots[0].action.side))


def test_a_cancel_is_in_the_journal() -> None:
    desk = a_pair()
    desk.place(0)
    desk.executor.close_pair(desk.slots[0])

    assert [(type(event), event.slot) for event in desk.state.journal[1:] if isinstance(event, Cancel)] == [(Cancel, 0)]


def test_an_order_that_would_trade_with_its_own_account_is_cancelled() -> None:
    desk = Desk(("a", bid(MARKET, 10, 100)), ("a", ask(MARKET, 10, 100)))
    desk.place(0)
    desk.place(1)

    assert [slot.open for slot in desk.slots] == [10, 0]
