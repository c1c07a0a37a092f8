"""What else a user's callable can do than place orders: its attributes say it, and what they do wrong is said in words."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from orderbook_tui.core.journal import Execution
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import AmountError, ConfigError, NotSeen, OutcomeUnknown, VenueUnavailable
from orderbook_tui.venues.base import OrderReport
from orderbook_tui.venues.python import PythonVenue, SettlementHandle, load_callable
from tests.builders import a_plan, ask, bid, slots_of, small_market

MARKET = small_market()


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.executions: list[Execution] = []

    def executed(self, execution: Execution) -> None:
        self.executions.append(execution)

    def closed(self, slot: ActionSlot) -> None: ...

    def stray(self, words: str, slot: ActionSlot | None = None) -> None: ...


def a_callable(**attributes: Any) -> Callable[..., Any]:
    async def place(slot: ActionSlot, settlement: SettlementHandle) -> str:
        return f"order-{slot.sequence}"

    for name, value in attributes.items():
        setattr(place, name, value)
    return place


def a_venue(place: Callable[..., Any] | None = None, **attributes: Any) -> tuple[PythonVenue, ActionSlot]:
    """A venue of such a callable, and a slot that has 10 lots open there."""
    slots = slots_of(("a", bid(MARKET, 10, 100)), ("b", ask(MARKET, 10, 100)))
    for slot in slots:
        slot.run = "run"
    slots[0].open = 10
    return PythonVenue(place or a_callable(**attributes), a_plan(slots), slots), slots[0]


async def nothing(slot: ActionSlot, settlement: SettlementHandle) -> None: ...


def test_what_is_not_there_is_not_asked_for() -> None:
    venue, _ = a_venue()

    can = venue.capabilities
    assert not any([can.look_up, can.fence, can.cancel, can.open_orders, can.balances])
    assert can.pushes_executions


@pytest.mark.parametrize("name", ["look_up", "cancel", "open_orders", "balances"])
def test_what_is_there_is_a_capability(name: str) -> None:
    venue, _ = a_venue(**{name: nothing})

    assert getattr(venue.capabilities, name)


def test_fills_that_only_a_look_up_tells_are_asked_for() -> None:
    async def place(slot: ActionSlot) -> str:
        return "x"

    place.look_up = nothing  # type: ignore[attr-defined]

    assert not a_venue(place)[0].capabilities.pushes_executions


def test_fills_are_asked_for_before_a_cancel() -> None:
    assert not a_venue(look_up=nothing, cancel=nothing)[0].capabilities.pushes_executions


def test_an_order_that_is_not_there_may_still_come_where_the_venue_says_so() -> None:
    venue, slot = a_venue(look_up=nothing, fence=False)

    with pytest.raises(NotSeen):
        asyncio.run(venue.look_up(slot, 10))


def test_true_means_that_nothing_is_open_any_more() -> None:
    venue, slot = a_venue(cancel=lambda slot: True)

    assert asyncio.run(venue.cancel(slot)) == OrderReport("", (), closed=True)


@pytest.mark.parametrize("answer", [False, None])
def test_false_and_none_mean_that_it_cannot_be_cancelled(answer: bool | None) -> None:
    venue, slot = a_venue(cancel=lambda slot: answer)

    assert asyncio.run(venue.cancel(slot)) is None


@pytest.mark.parametrize("answer", ["yes", 1, 0])
def test_any_other_answer_leaves_it_unknown(answer: object) -> None:
    venue, slot = a_venue(cancel=lambda slot: answer)

    with pytest.raises(OutcomeUnknown, match="True or False"):
        asyncio.run(venue.cancel(slot))


def test_a_cancel_that_fails_leaves_it_unknown() -> None:
    def cancel(slot: ActionSlot) -> bool:
        raise LookupError("no such order")

    venue, slot = a_venue(cancel=cancel)

    with pytest.raises(OutcomeUnknown, match="no such order"):
        asyncio.run(venue.cancel(slot))


def test_a_fill_that_is_reported_by_a_cancel_is_settled_even_where_that_fails() -> None:
    async def cancel(slot: ActionSlot, settlement: SettlementHandle) -> bool:
        settlement.fill(4, execution_id="late")
        raise TimeoutError

    async def talk() -> None:
        venue, slot = a_venue(cancel=cancel)
        heard = Heard()
        await venue.open(heard)
        with pytest.raises(OutcomeUnknown):
            await venue.cancel(slot)
        assert [execution.quantity for execution in heard.executions] == [4]

    asyncio.run(talk())


def test_a_cancel_may_report_what_was_reported_before() -> None:
    async def cancel(slot: ActionSlot, settlement: SettlementHandle) -> bool:
        settlement.fill(8, execution_id="first")
        settlement.fill(2, execution_id="second")
        return True

    async def talk() -> None:
        venue, slot = a_venue(cancel=cancel)
        heard = Heard()
        await venue.open(heard)
        slot.fill(Execution(0, -1, 100, 8, 0, 0, 1, "b", "first"))
        report = await venue.cancel(slot)
        assert [execution.id for execution in heard.executions] == ["second"]
        assert report is not None
        assert report.closed

    asyncio.run(talk())


def test_after_a_cancel_the_last_word_is_asked_for() -> None:
    async def look_up(slot: ActionSlot, settlement: SettlementHandle) -> str:
        settlement.fill(10, execution_id="in time")
        return "x"

    venue, slot = a_venue(look_up=look_up, cancel=lambda slot: True)
    report = asyncio.run(venue.cancel(slot))

    assert report is not None
    assert [execution.quantity for execution in report.executions] == [10]


def test_open_orders_are_ids_or_ids_with_what_is_left() -> None:
    venue, _ = a_venue(open_orders=lambda account: [("run-0-0", Decimal(4)), "run-1-0", "somebody else's"])
    told = list(asyncio.run(venue.open_orders(["a"])))

    assert [(each.client_order_id, each.left) for each in told] == [
        ("run-0-0", 4),
        ("run-1-0", -1),
        ("somebody else's", -1),
    ]


@pytest.mark.parametrize("answer", [7, [("run-0-0", "many")], [("run-0-0", 1, 2)], [7], None])
def test_open_orders_that_cannot_be_read_are_not_guessed_at(answer: object) -> None:
    venue, _ = a_venue(open_orders=lambda account: answer)

    with pytest.raises(OutcomeUnknown):
        asyncio.run(venue.open_orders(["a"]))


def test_balances_are_amounts_or_pairs_of_available_and_locked() -> None:
    venue, _ = a_venue(balances=lambda account: {"USD": ("5", 2), "BTC": Decimal(3), "DOGE": 1})
    told = asyncio.run(venue.balances(["a"]))

    assert {(each.asset, each.available, each.locked) for each in told} == {("USD", 5, 2), ("BTC", 3, 0)}


@pytest.mark.parametrize("answer", [7, {"USD": "many"}, {"USD": (1, 2, 3)}, None])
def test_balances_that_cannot_be_read_are_not_guessed_at(answer: object) -> None:
    venue, _ = a_venue(balances=lambda account: answer)

    with pytest.raises(OutcomeUnknown):
        asyncio.run(venue.balances(["a"]))


def test_balances_in_smaller_units_than_the_assets_are_rounded_down() -> None:
    venue, _ = a_venue(balances=lambda account: {"USD": ("5.9", "2.000000000123"), "BTC": "0.5"})
    told = asyncio.run(venue.balances(["a"]))

    assert {(each.asset, each.available, each.locked) for each in told} == {("USD", 5, 2), ("BTC", 0, 0)}


def test_what_a_venue_does_not_tell_it_says_so() -> None:
    venue, _ = a_venue()

    with pytest.raises(VenueUnavailable):
        asyncio.run(venue.balances(["a"]))


def test_it_is_opened_and_closed() -> None:
    called: list[str] = []

    async def close() -> None:
        called.append("close")

    async def talk() -> None:
        venue, _ = a_venue(open=lambda: called.append("open"), close=close)
        await venue.open(Heard())
        await venue.close()

    asyncio.run(talk())

    assert called == ["open", "close"]


ODD = SimpleNamespace(
    look_up=a_callable(look_up=7),
    cancel=a_callable(cancel=lambda: True),
    open_orders=a_callable(open_orders=lambda: [1]),
    balances=a_callable(balances="many"),
    open=a_callable(open=lambda slot: None),
    close=a_callable(close=7),
    fence=a_callable(fence="no"),
    deduplicates_for=a_callable(deduplicates_for=-1),
)


@pytest.mark.parametrize("name", sorted(vars(ODD)))
def test_an_attribute_that_cannot_be_used_is_refused_by_name(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"ODD\.{name}\.{name}"):
        load_callable(f"{__name__}:ODD.{name}")


def test_more_than_is_open_is_not_filled_by_a_cancel() -> None:
    async def cancel(slot: ActionSlot, settlement: SettlementHandle) -> bool:
        with pytest.raises(AmountError):
            settlement.fill(11)
        return True

    venue, slot = a_venue(cancel=cancel)

    assert asyncio.run(venue.cancel(slot)) is not None


def timed_out(*, early: bool = False, **attributes: Any) -> tuple[Callable[..., Any], list[SettlementHandle]]:
    """A callable whose answer to the first order is lost, `early` after a fill of it, and the handles that it was given."""
    handles: list[SettlementHandle] = []

    async def place(slot: ActionSlot, settlement: SettlementHandle) -> str:
        handles.append(settlement)
        if len(handles) == 1:
            if early:
                settlement.fill(4)
            raise TimeoutError
        return "x"

    for name, value in attributes.items():
        setattr(place, name, value)
    return place, handles


async def _adopted(place: Callable[..., Any], *, again: bool = False) -> tuple[list[int], Heard]:
    """Place an order whose outcome is not known, and find it; return the fills that came with that, and who hears of more."""
    venue, slot = a_venue(place)
    heard = Heard()
    await venue.open(heard)
    with pytest.raises(OutcomeUnknown):
        await venue.place(slot, 10)
    found = await (venue.place(slot, 10) if again else venue.look_up(slot, 10))
    assert found is not None
    return [execution.quantity for execution in found.executions], heard


def test_a_fill_through_the_handle_of_an_order_that_was_adopted_is_settled_once() -> None:
    async def talk() -> None:
        place, handles = timed_out(look_up=lambda slot: "x")
        _, heard = await _adopted(place)
        handles[0].fill(4, execution_id="one")
        handles[0].fill(4, execution_id="one")
        assert [execution.quantity for execution in heard.executions] == [4]

    asyncio.run(talk())


def test_a_fill_before_the_order_was_adopted_is_not_lost() -> None:
    async def talk() -> None:
        fills, _ = await _adopted(timed_out(early=True, look_up=lambda slot: "x")[0])
        assert fills == [4]

    asyncio.run(talk())


async def _tells_of_four(slot: ActionSlot, settlement: SettlementHandle) -> str:
    settlement.fill(4)
    return "x"


def test_what_the_look_up_tells_again_is_counted_once() -> None:
    async def talk() -> None:
        fills, _ = await _adopted(timed_out(early=True, look_up=_tells_of_four)[0])
        assert fills == [4]

    asyncio.run(talk())


def test_what_the_look_up_told_is_off_what_the_first_handle_may_fill() -> None:
    async def talk() -> None:
        place, handles = timed_out(look_up=_tells_of_four)
        _, heard = await _adopted(place)
        with pytest.raises(AmountError, match="6 is left"):
            handles[0].fill(7)
        handles[0].fill(6)
        assert [execution.quantity for execution in heard.executions] == [6]

    asyncio.run(talk())


def test_the_handle_of_an_order_that_a_later_attempt_is_told_of_lives() -> None:
    async def talk() -> None:
        place, handles = timed_out(deduplicates_for=60)
        _, heard = await _adopted(place, again=True)
        handles[0].fill(10)
        assert [execution.quantity for execution in heard.executions] == [10]
        with pytest.raises(AmountError):
            handles[1].fill(1)

    asyncio.run(talk())


def test_the_handle_of_an_order_that_is_not_there_is_dead() -> None:
    async def talk() -> None:
        place, handles = timed_out(look_up=lambda slot: None)
        venue, slot = a_venue(place)
        with pytest.raises(OutcomeUnknown):
            await venue.place(slot, 10)
        assert await venue.look_up(slot, 10) is None
        with pytest.raises(AmountError, match="no such order"):
            handles[0].fill(10)

    asyncio.run(talk())
