"""Executions settle once, exactly: pushed, listed or summed up, late, twice, out of order."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.intake import Intake
from orderbook_tui.errors import AmountError
from orderbook_tui.venues.base import OrderReport
from orderbook_tui.venues.reports import execution_of
from tests.builders import a_slot, bid, small_market

MARKET = small_market()
STRAYS: list[tuple[str, int]] = []


def stray(words: str, slot: ActionSlot) -> None:
    STRAYS.append((words, slot.sequence))


"""What did not add up."""
LOTS, PRICE = 20, 100


def an_open_slot() -> ActionSlot:
    slot = a_slot(bid(MARKET, LOTS, PRICE))
    slot.open = LOTS
    return slot


def an_execution(slot: ActionSlot, quantity: int, name: str | None, price: int = PRICE, charge: int = 0) -> Execution:
    return execution_of(slot, price, quantity, 1, charge=charge, outside="b", name=name)


def settle(slot: ActionSlot, fresh: Sequence[Execution]) -> None:
    for execution in fresh:
        slot.fill(execution)


def push(intake: Intake, slot: ActionSlot, execution: Execution) -> None:
    fresh = intake.pushed(slot, execution)
    if fresh is not None:
        slot.fill(fresh)


def notional(executions: Sequence[Execution]) -> int:
    return sum(MARKET.notional(each.price, each.quantity) for each in executions)


def test_an_execution_that_is_told_twice_settles_once() -> None:
    slot, intake = an_open_slot(), Intake(stray, pushes=True)
    push(intake, slot, an_execution(slot, 5, "x"))
    push(intake, slot, an_execution(slot, 5, "x"))

    assert slot.filled == 5


def test_executions_without_an_id_that_are_pushed_are_each_another_one() -> None:
    slot, intake = an_open_slot(), Intake(stray, pushes=True)
    push(intake, slot, an_execution(slot, 5, None))
    push(intake, slot, an_execution(slot, 5, None))

    assert slot.filled == 10


def test_a_list_without_ids_is_held_against_what_was_pushed() -> None:
    slot, intake = an_open_slot(), Intake(stray, pushes=True)
    push(intake, slot, an_execution(slot, 5, None))
    settle(slot, intake.reported(slot, Submission("o", [an_execution(slot, 5, None), an_execution(slot, 5, None)])))

    assert slot.filled == 10


def test_more_than_is_open_is_refused() -> None:
    slot, intake = an_open_slot(), Intake(stray, pushes=True)

    with pytest.raises(AmountError, match="came too late"):
        intake.pushed(slot, an_execution(slot, LOTS + 1, "x"))
    with pytest.raises(AmountError, match="more fills than the order had"):
        intake.reported(slot, Submission("o", [an_execution(slot, LOTS, "x"), an_execution(slot, 1, "y")]))
    assert slot.filled == 0


def test_totals_that_are_no_price_for_the_lots_are_refused() -> None:
    slot, intake = an_open_slot(), Intake(stray, pushes=True)

    with pytest.raises(AmountError):
        intake.reported(slot, OrderReport("o", filled=3, notional=0, closed=True))


def test_totals_at_a_worse_price_than_the_orders_settle_at_the_orders_and_the_rest_is_told() -> None:
    slot, intake = an_open_slot(), Intake(stray, pushes=False)
    STRAYS.clear()
    settle(slot, intake.reported(slot, OrderReport("o", filled=3, notional=MARKET.notional(PRICE, 3) + 1)))

    assert (slot.filled, notional(slot.fills)) == (3, MARKET.notional(PRICE, 3))
    ((words, sequence),) = STRAYS
    assert "slot 0" in words
    assert sequence == 0


executions = st.lists(st.tuples(st.integers(1, 6), st.integers(PRICE - 5, PRICE)), min_size=1, max_size=5)


@given(parts=executions, seed=st.integers(0, 2**32), life_ends=st.booleans())
def test_however_it_is_told_what_is_settled_is_what_happened(
    parts: list[tuple[int, int]], seed: int, *, life_ends: bool
) -> None:
    """Pushed in any order, some twice, some never; in between what they come to until then; and in the end in all."""
    slot, chance = an_open_slot(), Random(seed)
    happened = [an_execution(slot, lots, f"x{n}", price, charge=n % 2) for n, (lots, price) in enumerate(parts)]
    lots_in_all = sum(each.quantity for each in happened)
    if lots_in_all > LOTS:
        return
    intake = Intake(stray, pushes=True)
    told = [each for each in happened if chance.random() < 0.7]
    told += [each for each in told if chance.random() < 0.5]
    chance.shuffle(told)
    asked = [chance.randrange(len(happened) + 1) for _ in range(chance.randrange(3))]
    news: list[Execution | int] = [*told, *asked]
    chance.shuffle(news)
    for each in news:
        if isinstance(each, Execution):
            push(intake, slot, each)
        else:
            settle(slot, intake.reported(slot, summed(happened[:each])))
        assert slot.filled <= lots_in_all
    if life_ends:
        intake = Intake(stray, pushes=True)
    settle(slot, intake.reported(slot, summed(happened, closed=True)))
    chance.shuffle(happened)
    for each in happened:
        push(intake, slot, each)

    assert slot.filled == lots_in_all
    assert notional(slot.fills) == notional(happened)


@given(parts=executions)
def test_totals_settle_to_the_unit_what_was_paid(parts: list[tuple[int, int]]) -> None:
    slot, intake = an_open_slot(), Intake(stray, pushes=False)
    happened = [an_execution(slot, lots, None, price, charge=1) for lots, price in parts]
    if sum(each.quantity for each in happened) > LOTS:
        return
    for end in range(1, len(happened) + 1):
        settle(slot, intake.reported(slot, summed(happened[:end])))

    assert notional(slot.fills) == notional(happened)
    assert sum(fill.maker_fee + fill.taker_fee for fill in slot.fills) == len(happened)


def summed(told: Sequence[Execution], *, closed: bool = False) -> OrderReport:
    """What a venue says that gives no list."""
    charge = sum(each.maker_fee + each.taker_fee for each in told)
    return OrderReport("o", filled=sum(each.quantity for each in told), notional=notional(told), fee=charge, closed=closed)
