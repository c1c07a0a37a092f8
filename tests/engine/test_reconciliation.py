"""The comparison itself: open orders by id, balances by account and asset, and the slots that explain what differs."""

from collections.abc import Iterable
from typing import Any

import pytest

from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.journal import Attempt, Balance, Event, Execution
from orderbook_tui.core.replay import replay
from orderbook_tui.engine.explaining import MOST_SLOTS, explained
from orderbook_tui.engine.reconciliation import Compared, Difference, Ledger, Told, compare
from orderbook_tui.venues.base import OpenOrder
from tests.builders import a_plan, ask, bid, slots_of, small_market

MARKET = small_market()
ORDERS = [("a", bid(MARKET, 10, 100)), ("b", ask(MARKET, 10, 100))]
PLACED: list[Event] = [Attempt(0, 1, 1, 2, "x0")]
FILLED: list[Event] = [*PLACED, Attempt(1, 1, 3, 4, "x1"), Execution(0, 1, 100, 10, 0, 0, 4)]
HELD = {("a", "USD"): 5000, ("a", "BTC"): 50, ("b", "USD"): 5000, ("b", "BTC"): 50}


def a_ledger(journal: Iterable[Event], orders: Any = ORDERS, fees: FeeSchedule = FeeSchedule()) -> Ledger:  # noqa: B008
    """The ledger of a run called `run` to which this has happened."""
    slots = slots_of(*orders)
    for slot in slots:
        slot.run = "run"
    state, budgets, settlement = replay(a_plan(slots, 10**6, fees), slots, journal)
    state.id = "run"
    return Ledger(state, budgets, settlement)


def there(client_order_id: str = "run-0-0", left: int = 10, account: str = "a", order_id: str = "x0") -> OpenOrder:
    return OpenOrder(account=account, client_order_id=client_order_id, order_id=order_id, market="BTC-USD", left=left)


def orders_compared(*told: OpenOrder, journal: Iterable[Event] = PLACED) -> Compared:
    *_, found = compare(a_ledger(journal), Told(open_orders=told))
    return found


def balances_compared(ledger: Ledger, **now: tuple[int, int]) -> list[Difference]:
    """The differences where the venue says so of account a: available and locked by asset."""
    held = {key: Balance(*key, units) for key, units in HELD.items()}
    told = held | {("a", asset): Balance("a", asset, *pots) for asset, pots in now.items()}
    *_, found = compare(ledger, Told(balances=told, opening=held))
    return found.differences


def test_an_order_that_is_open_on_both_sides_is_no_difference() -> None:
    found = orders_compared(there())

    assert (found.differences, found.orders, found.foreign) == ([], 1, 0)


@pytest.mark.parametrize("name", ["", "other-0-0", "run-0", "run-0-x", "run-7-0", "run-²-0", "run--1-0", "run-0-0-0"])
def test_an_order_whose_id_is_none_of_the_runs_is_somebody_elses(name: str) -> None:
    found = orders_compared(there(), there(name, order_id="x9"))

    assert (found.differences, found.foreign) == ([], 1)


def test_an_order_that_is_listed_on_two_pages_is_one() -> None:
    assert orders_compared(there(), there()).differences == []


def test_an_order_that_the_venue_knows_by_its_own_id_alone_is_found_by_that() -> None:
    assert orders_compared(there("")).differences == []


def test_how_much_is_left_is_not_compared_where_the_venue_does_not_say() -> None:
    assert orders_compared(there(left=-1)).differences == []


def test_another_quantity_left_is_a_difference_of_so_much() -> None:
    (found,) = orders_compared(there(left=7)).differences

    assert (int(found.difference), found.slots, found.why) == (-3, (0,), ("a fill of it was not told",))


def test_an_order_of_another_account_is_not_taken_for_ours() -> None:
    found = orders_compared(there(account="b")).differences

    assert [(each.account, int(each.expected), int(each.found)) for each in found] == [("b", 0, 10), ("a", 10, 0)]


def test_what_was_spent_and_received_is_what_is_held() -> None:
    ledger = a_ledger(FILLED)
    by_a = {"USD": (4000, 0), "BTC": (60, 0)}

    assert {each.account for each in balances_compared(ledger, **by_a)} == {"b"}
    assert len(balances_compared(ledger, USD=(4001, 0), BTC=(60, 0))) == 3


def test_what_the_venue_does_not_mention_it_has_nothing_of() -> None:
    held = {key: Balance(*key, units) for key, units in HELD.items()}
    told = {key: balance for key, balance in held.items() if key != ("a", "BTC")}
    *_, found = compare(a_ledger([]), Told(balances=told, opening=held))

    assert [(each.account, each.asset, each.units) for each in found.differences] == [("a", "BTC", -50)]


@pytest.mark.parametrize(("locked", "passes"), [(999, False), (1000, True), (1002, True), (1003, True), (1004, False)])
def test_a_lock_is_from_what_the_order_needs_to_what_is_reserved_for_its_fee(locked: int, passes: bool) -> None:
    ledger = a_ledger(PLACED, fees=FeeSchedule(0, 20_000_000))  # 2 of 1000; a venue may round up, to 3
    found = balances_compared(ledger, USD=(5000 - locked, locked))

    assert [each.what for each in found] == ([] if passes else ["locked"])


def test_locks_are_not_compared_where_the_venue_tells_of_none() -> None:
    held = {key: Balance(*key, units) for key, units in HELD.items()}
    *_, found = compare(a_ledger(PLACED), Told(open_orders=[there()], balances=held, opening=held))

    assert found.differences == []
    assert "locks were not compared" in found.notes[0]


def test_nothing_locked_for_an_order_that_is_not_open_there_is_a_difference() -> None:
    held = {key: Balance(*key, units) for key, units in HELD.items()}
    *_, found = compare(a_ledger(PLACED), Told(open_orders=[], balances=held, opening=held))

    assert [each.what for each in found.differences] == ["order", "locked"]


def why(ledger: Ledger, difference: Difference, *unsettled: int) -> dict[int, str]:
    *_, (found,) = explained(ledger, [difference], unsettled, ())
    return dict(zip(found.slots, found.why, strict=True))


def a_difference(units: int, account: str = "a", asset: str = "USD") -> Difference:
    amount = MARKET.quote.amount
    return Difference(
        what="total", account=account, asset=asset, expected=amount(0), found=amount(units), words="", units=units
    )


def test_a_fill_that_comes_to_just_that_explains_it() -> None:
    assert why(a_ledger(FILLED), a_difference(1000)) == {0: "a fill of it comes to just that: the venue may not know of it"}
    assert why(a_ledger(FILLED), a_difference(-1000)) == {
        0: "a fill of it comes to just that: it may have been counted there once more"
    }


def test_what_was_told_and_could_not_be_settled_explains_it_first() -> None:
    orders = ORDERS * 2
    journal = [*FILLED, Attempt(2, 1, 5, 6, "x2"), Attempt(3, 1, 5, 6, "x3"), Execution(2, 3, 100, 10, 0, 0, 7)]
    found = why(a_ledger(journal, orders), a_difference(1000), 2)

    assert list(found) == [2, 0]


def test_a_slot_of_another_account_explains_nothing() -> None:
    assert why(a_ledger(FILLED), a_difference(777, account="b", asset="BTC")) == {}


def test_no_more_than_so_many_slots_are_named() -> None:
    pairs = 300
    journal: list[Event] = []
    for first in range(0, 2 * pairs, 2):
        journal += [Attempt(first, 1, 1, 2, f"x{first}"), Attempt(first + 1, 1, 1, 2, f"x{first + 1}")]
        journal.append(Execution(first, first + 1, 100, 10, 0, 0, 3))
    found = why(a_ledger(journal, ORDERS * pairs), a_difference(1000))

    assert list(found) == list(range(2 * pairs - 2, 2 * pairs - 2 - 2 * MOST_SLOTS, -2))
