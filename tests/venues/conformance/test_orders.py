"""What every venue must do with orders: the same claims about each, against the same exchange."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from inspect import isawaitable

import anyio
import pytest

from orderbook_tui.core.book import TimeInForce
from orderbook_tui.core.slot import ActionSlot, Verdict
from orderbook_tui.errors import NotSeen, OrderError, OutcomeUnknown, Rejected, VenueUnavailable
from orderbook_tui.venues.base import OrderReport
from tests.venues.conformance.desks import HOSTILE, Bench, Desk, buy, sell

Talk = Callable[[Desk], Awaitable[None]]


async def looked_up(desk: Desk, slot: ActionSlot) -> object:
    """What the venue says of a slot's order; "not seen" where it is not there yet."""
    asking = desk.venue.look_up(slot, slot.action.quantity)
    try:
        return await asking if isawaitable(asking) else asking
    except NotSeen:
        return "not seen"


async def placed_again(desk: Desk, slot: ActionSlot) -> OrderError | None:
    """Send a slot's order once more, as it is, and return why it was not taken."""
    try:
        placing = desk.venue.place(slot, slot.action.quantity)
        if isawaitable(placing):
            await placing
    except OrderError as error:
        return error
    return None


# Placing


def test_two_orders_that_meet_are_filled_once_each(bench: Bench) -> None:
    async def talk() -> None:
        async with bench.desk(buy(10, only=1), sell(10, only=0)) as desk:
            await desk.accepted(0, 1)
            both = [await desk.heard(number, 10) for number in (0, 1)]
            assert [(slot.open, slot.verdict) for slot in both] == [(0, Verdict.MATCHED)] * 2
            assert [(fill.price, fill.quantity) for slot in both for fill in slot.fills] == [(200, 10)] * 2

    anyio.run(talk)


def test_a_part_of_an_order_is_filled_and_the_rest_stays(bench: Bench) -> None:
    async def talk() -> None:
        async with bench.desk(buy(10), sell(4)) as desk:
            await desk.accepted(0, 1)
            await desk.heard(1, 4)
            assert (await desk.heard(0, 4)).open == 6

    anyio.run(talk)


def test_a_better_price_is_the_makers(bench: Bench) -> None:
    async def talk() -> None:
        async with bench.desk(sell(10, 190, who=0), buy(10, 200, who=1)) as desk:
            await desk.accepted(0, 1)
            taker = await desk.heard(1, 10)
            assert {fill.price for fill in taker.fills} == {190}

    anyio.run(talk)


def test_fees_are_what_the_exchange_charged(bench: Bench) -> None:
    async def talk() -> None:
        async with bench.desk(buy(10), sell(10)) as desk:
            await desk.accepted(0, 1)
            both = [await desk.heard(number, 10) for number in (0, 1)]
            fills = [
                (fill.maker_fee if fill.maker == slot.sequence else fill.taker_fee) for slot in both for fill in slot.fills
            ]
            assert [desk.market.quote.amount(charge) for charge in fills] == [Decimal("0.005"), Decimal("0.01")]

    anyio.run(talk)


def test_a_refusal_is_rejected(bench: Bench) -> None:
    async def talk() -> None:
        async with bench.desk(buy(10, lives=TimeInForce.FOK)) as desk:
            with pytest.raises(Rejected):
                await desk.accepted(0)
            assert not [b for b in desk.budgets if b.locked]

    anyio.run(talk)


def test_an_order_that_cannot_be_paid_for_is_rejected(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy(1_500_000, 200)) as desk:
            refused = await placed_again(desk, desk.slots[0])
            assert isinstance(refused, Rejected)
            assert "USD" in str(refused)

    anyio.run(talk)


def test_what_an_immediate_order_does_not_get_is_gone(bench: Bench) -> None:
    async def talk() -> None:
        async with bench.desk(sell(4, who=0), buy(10, who=1, lives=TimeInForce.IOC)) as desk:
            await desk.accepted(0, 1)
            await desk.heard(0, 4)
            taker = await desk.heard(1, 4)
            await desk.taken_back(1)
            assert taker.open == 0
            assert not [b for b in desk.budgets if b.locked]

    anyio.run(talk)


def test_thirty_two_orders_at_once_are_each_placed_once(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(*[buy(1 + number, 100 - number) for number in range(32)]) as desk:
            await asyncio.gather(*[desk.accepted(number) for number in range(32)])
            orders = await asyncio.to_thread(outside.books.orders, desk.names[0])
            assert len({slot.order_id for slot in desk.slots}) == len(orders) == 32

    anyio.run(talk)


def test_a_name_that_means_something_elsewhere_is_only_a_name(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy(3, only=1), sell(3, only=0), names=HOSTILE, run="a=b:c~d@e+f.g") as desk:
            await desk.accepted(0, 1)
            assert [(await desk.heard(number, 3)).verdict for number in (0, 1)] == [Verdict.MATCHED] * 2
            for number in (0, 1):
                assert (await looked_up(desk, desk.slots[number])) not in (None, "not seen")

    anyio.run(talk)


# Asking


def test_what_is_looked_up_is_what_was_placed(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy(10), sell(4)) as desk:
            await desk.accepted(0, 1)
            await desk.heard(0, 4)
            found = await looked_up(desk, desk.slots[0])
            desk.elsewhere.take(desk.slots[0], found)  # type: ignore[arg-type]
            assert getattr(found, "order_id", None) == desk.slots[0].order_id
            assert (desk.slots[0].filled, desk.slots[0].open) == (4, 6)

    anyio.run(talk)


def test_an_order_that_was_never_sent_is_not_there(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy()) as desk:
            found = await looked_up(desk, desk.slots[0])
            assert found == (None if desk.can.fence else "not seen")

    anyio.run(talk)


def test_an_order_that_was_asked_about_and_not_there_cannot_come_any_more(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy()) as desk:
            if not desk.can.fence:
                pytest.skip("it says that it may still come")
            if outside.subject.name.startswith("fix"):
                pytest.skip("what was asked about came before the question, or never: a session keeps its order")
            assert await looked_up(desk, desk.slots[0]) is None
            await placed_again(desk, desk.slots[0])
            assert await asyncio.to_thread(outside.books.orders, desk.names[0]) == {}

    anyio.run(talk)


def test_an_order_that_is_sent_twice_is_there_once(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy(10)) as desk:
            await desk.accepted(0)
            await placed_again(desk, desk.slots[0])
            orders = await asyncio.to_thread(outside.books.orders, desk.names[0])
            assert orders == {desk.slots[0].client_order_id: ("open", Decimal(0))}

    anyio.run(talk)


def test_an_order_whose_answer_nobody_heard_is_taken_over(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(sell(10, who=1), buy(10, who=0)) as desk:
            await placed_again(desk, desk.slots[0])
            await placed_again(desk, desk.slots[1])
            desk.elsewhere.placing.recall([])
            for slot in desk.slots:  # as a life that did not hear of it would
                desk.elsewhere.placing._unfinished.add(slot.sequence)
            await desk.accepted(0, 1)
            assert [(await desk.heard(number, 10)).open for number in (0, 1)] == [0, 0]
            names = [await asyncio.to_thread(outside.books.orders, name) for name in desk.names]
            assert [len(orders) for orders in names] == [1, 1]

    anyio.run(talk)


# Cancelling


def test_a_cancelled_order_is_closed_with_what_was_filled_of_it(bench: Bench) -> None:
    async def talk() -> None:
        async with bench.desk(buy(10), sell(4)) as desk:
            assert desk.can.cancel
            await desk.accepted(0, 1)
            await desk.heard(1, 4)
            await desk.heard(0, 4)
            slot = await desk.taken_back(0)
            assert (slot.filled, slot.open) == (4, 0)
            assert not [b for b in desk.budgets if b.locked]
            if not bench.subject.is_embedded:
                orders = await asyncio.to_thread(bench.books.orders, desk.names[0])
                assert orders == {slot.client_order_id: ("cancelled", Decimal("0.04"))}

    anyio.run(talk)


def test_a_fill_that_nobody_heard_of_is_settled_when_the_order_is_cancelled(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy(10), sell(10)) as desk:
            await desk.accepted(0, 1)
            slot = await desk.taken_back(0)
            assert (slot.filled, slot.open) == (10, 0)

    anyio.run(talk)


def test_an_order_that_is_filled_is_not_cancelled(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy(10), sell(10)) as desk:
            await desk.accepted(0, 1)
            slot = await desk.heard(0, 10)
            cancelling = desk.venue.cancel(slot)
            report = await cancelling if isawaitable(cancelling) else None
            assert isinstance(report, OrderReport)
            assert report.closed
            desk.elsewhere.take(slot, report)
            assert (slot.filled, slot.open) == (10, 0)

    anyio.run(talk)


def test_what_is_told_again_is_settled_once(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy(10), sell(4), sell(6)) as desk:
            await desk.accepted(0, 1, 2)
            slot = await desk.heard(0, 10)
            for _ in range(2):
                desk.elsewhere.take(slot, await looked_up(desk, slot))  # type: ignore[arg-type]
                for fill in list(slot.fills):
                    if fill.id is not None:
                        desk.elsewhere.executed(fill)
            assert (slot.filled, desk.state.stats.total_matches >= 2) == (10, True)

    anyio.run(talk)


def test_fills_are_settled_in_whichever_order_they_are_told(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy(10), sell(4), sell(6)) as desk:
            await placed_again(desk, desk.slots[0])
            await desk.accepted(1, 2)
            desk.elsewhere.placing._unfinished.add(0)
            await desk.accepted(0)  # its fills came before it was known to be there
            assert (await desk.heard(0, 10)).open == 0

    anyio.run(talk)


# Books


def test_it_tells_which_orders_are_open(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy(10), buy(5, 150), sell(4)) as desk:
            if not desk.can.open_orders:
                pytest.skip("it does not tell")
            await desk.accepted(0, 1, 2)
            await desk.heard(0, 4)
            told = await desk.venue.open_orders([slot.account_id for slot in desk.slots[::2]])
            first, second = desk.slots[:2]
            assert {(each.account, each.client_order_id, each.left) for each in told} == {
                (first.account_id, first.client_order_id, 6),
                (second.account_id, second.client_order_id, 5),
            }

    anyio.run(talk)


def test_it_tells_what_accounts_hold(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy(10), sell(4)) as desk:
            if not desk.can.balances:
                pytest.skip("it does not tell")
            await desk.accepted(0, 1)
            await desk.heard(0, 4)
            for name, account in zip(desk.names, dict.fromkeys(slot.account_id for slot in desk.slots), strict=True):
                told = await desk.venue.balances([account])
                truth = await asyncio.to_thread(outside.books.balances, name)
                for each in told:
                    asset = next(asset for asset in desk.state.plan.assets if asset.symbol == each.asset)
                    available, locked = truth[each.asset]
                    assert (asset.amount(each.available), asset.amount(each.locked)) == (available, locked)

    anyio.run(talk)


def test_two_accounts_do_not_see_each_other(outside: Bench) -> None:
    async def talk() -> None:
        async with outside.desk(buy(10), buy(5, 150, who=1)) as desk:
            await desk.accepted(0, 1)
            for number, name in enumerate(desk.names):
                orders = await asyncio.to_thread(outside.books.orders, name)
                assert list(orders) == [desk.slots[number].client_order_id]
                if desk.can.open_orders:
                    told = await desk.venue.open_orders([desk.slots[number].account_id])
                    assert [each.client_order_id for each in told] == [desk.slots[number].client_order_id]

    anyio.run(talk)


# Life


def test_it_may_be_closed_twice_and_opened_again(bench: Bench) -> None:
    async def talk() -> None:
        async with bench.desk(buy(10), sell(10)) as desk:
            await desk.accepted(0)
            if desk.executor.elsewhere is not None:
                await desk.elsewhere.close()
                await desk.elsewhere.close()
                await desk.elsewhere.open()
            await desk.accepted(1)
            assert (await desk.heard(1, 10)).open == 0
            assert (await desk.heard(0, 10)).open == 0

    anyio.run(talk)


def test_it_leaves_nothing_behind(outside: Bench) -> None:
    async def talk() -> None:
        before = asyncio.all_tasks()
        async with outside.desk(buy(10)) as desk:
            await desk.accepted(0)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before

    anyio.run(talk)


def test_an_exchange_that_is_not_there_has_not_taken_the_order(outside: Bench, free_port: int) -> None:
    async def talk() -> None:
        async with outside.elsewhere(free_port).desk(buy(10)) as desk:
            refused = await placed_again(desk, desk.slots[0])
            assert isinstance(refused, VenueUnavailable), refused
            assert not isinstance(refused, OutcomeUnknown)

    anyio.run(talk)
