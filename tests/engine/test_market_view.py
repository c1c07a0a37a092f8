"""The view of a market: levels, trades and coming orders are those of the book, the journal and the schedule."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orderbook_tui.core.book import Order, OrderBook, Side, TimeInForce
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.market import Market
from orderbook_tui.engine.market_view import Books, Tape, aggressor, depth, last_cancel, next_orders
from orderbook_tui.engine.simulation import Simulation
from tests.builders import small_market
from tests.deep_book import a_deep_run, a_run_of
from tests.engine.runs import run, stopping_after, taken_up

BID, ASK = Side.BID, Side.ASK


def steps(simulation: Simulation, count: int | None = None) -> Iterator[int]:
    """Run slot by slot, so many or all."""
    for step in range(len(simulation.slots) if count is None else count):
        with stopping_after(simulation, 1):
            run(simulation)
        yield step


def market(simulation: Simulation, symbol: str) -> Market:
    return next(market for market in simulation.state.plan.markets if market.symbol == symbol)


def executions(simulation: Simulation, symbol: str) -> list[Execution]:
    """The trades of a market, the last one first."""
    slots = simulation.slots
    trades = [event for event in simulation.state.journal if isinstance(event, Execution)]
    return [event for event in trades if slots[max(event.maker, event.taker)].action.market.symbol == symbol][::-1]


def on_tape(tape: Tape, market: Market) -> list[Execution]:
    return [tape.trade(market, place) for place in range(tape.count(market))]


def resting(book: OrderBook, side: Side) -> list[tuple[int, int, int]]:
    return [(order.client_id, order.price, order.quantity) for order in book.resting(side)]


def an_order(number: int, side: Side, price: int, quantity: int, account: str = "a") -> Order:
    return Order(number, account, side, price, quantity, None, number)


# Depth


def test_levels_are_those_of_the_book_at_every_step() -> None:
    simulation = a_deep_run(lives=TimeInForce.POST_ONLY)
    assert simulation.exchange is not None
    seen = 0
    for _ in steps(simulation):
        for symbol, book in simulation.exchange.books.items():
            for side in Side:
                levels, cut = depth(Books(simulation).book(market(simulation, symbol)), side)
                assert [(level.price, level.quantity, level.orders) for level in levels] == book.depth(side)
                assert not cut
                seen = max(seen, len(levels))
    assert seen > 5


def test_cumulative_counts_a_level_and_all_better_ones() -> None:
    book = OrderBook()
    for number, (price, quantity) in enumerate([(101, 5), (100, 2), (101, 1), (103, 4)]):
        book.rest(an_order(number, ASK, price, quantity))
    assert [(level.price, level.cumulative) for level in depth(book, ASK).levels] == [(100, 2), (101, 8), (103, 12)]


def test_a_level_names_its_first_orders_and_counts_those_of_an_account() -> None:
    book = OrderBook()
    for number in range(12):
        book.rest(an_order(number, BID, 100, 1, account="a" if number % 3 else "b"))
    (level,) = depth(book, BID, "b").levels
    assert level.slots == tuple(range(8))
    assert (level.orders, level.of_account) == (12, 4)


def test_no_more_levels_are_read_than_asked_for() -> None:
    book = OrderBook()
    for price in range(1, 50):
        book.rest(an_order(price, BID, price, 1))
    levels, cut = depth(book, BID, most=3)
    assert [level.price for level in levels] == [49, 48, 47]
    assert cut


def test_no_more_orders_are_read_than_asked_for_and_the_quantity_is_then_a_least_one() -> None:
    book = OrderBook()
    for number in range(20):
        book.rest(an_order(number, BID, 100 - number // 10, 2))
    levels, cut = depth(book, BID, most_orders=5)
    assert [(level.quantity, level.orders, level.at_least) for level in levels] == [(10, 10, True)]
    assert cut
    levels, cut = depth(book, BID, most_orders=15)
    assert [(level.cumulative, level.orders, level.at_least) for level in levels] == [(20, 10, False), (30, 10, True)]
    assert not cut


def test_levels_whose_orders_are_all_gone_are_left_out() -> None:
    book = OrderBook()
    for number in range(5):
        book.rest(an_order(number, ASK, 100 + number, 1))
    book.cancel(0)
    book.cancel(2)
    assert [level.price for level in depth(book, ASK).levels] == [101, 103, 104]


# Books where nobody knows the venue's


@pytest.fixture
def outside() -> Callable[[], Simulation]:
    """A run at a venue outside: of slot 0 a part is filled, of slot 3 all."""
    target = "tests.engine.test_market_view:fills_some"

    def make() -> Simulation:
        return a_run_of(
            (0, "BTC-USD", BID, "0.5", "59990"),
            (1, "BTC-USD", ASK, "0.4", "60010"),
            (2, "BTC-USD", BID, "0.3", "59990"),
            (3, "BTC-USD", ASK, "0.2", "60010"),
            (0, "BTC-USD", BID, "0.1", "59980"),
            (1, "ETH-USD", ASK, "0.1", "3001"),
            venue={"kind": "python", "target": target},
            processor={"cancel_open_orders_at_end": False},
        )

    return make


async def fills_some(slot: object, settlement: object) -> str:
    """Place an order."""
    sequence = slot.sequence  # type: ignore[attr-defined]
    if sequence in (0, 3):
        settlement.fill("0.2", counterparty="a stranger")  # type: ignore[attr-defined]
    return f"order {sequence}"


def test_a_venue_outside_is_shown_by_the_runs_own_open_orders(outside: Callable[[], Simulation]) -> None:
    simulation = outside()
    books = Books(simulation)
    for _ in steps(simulation):
        books.read_on()
        for symbol in ("BTC-USD", "ETH-USD"):
            for side in Side:
                expected = [
                    slot
                    for slot in simulation.slots
                    if slot.open and slot.action.side is side and slot.action.market.symbol == symbol
                ]
                expected.sort(key=lambda slot: -slot.action.price if slot.action.side is BID else slot.action.price)
                assert resting(books.book(market(simulation, symbol)), side) == [
                    (slot.sequence, slot.action.price, slot.open) for slot in expected
                ]
    assert books.own_only
    assert len(books.book(market(simulation, "BTC-USD"))) == 4


def test_own_open_orders_are_read_a_slice_at_a_time(outside: Callable[[], Simulation]) -> None:
    simulation = outside()
    run(simulation)
    books, whole = Books(simulation), Books(simulation)
    whole.read_on()
    left = [books.unread]
    while books.unread:
        books.read_on(3)
        left.append(books.unread)
    assert left == [*range(len(simulation.state.journal), 0, -3), 0]
    bitcoin = market(simulation, "BTC-USD")
    for side in Side:
        assert resting(books.book(bitcoin), side) == resting(whole.book(bitcoin), side)


def test_an_exchange_in_this_process_needs_no_reading() -> None:
    simulation = a_deep_run(4)
    run(simulation)
    assert (Books(simulation).unread, Books(simulation).own_only) == (0, False)


def test_the_orders_of_a_run_that_is_only_read_are_those_that_it_left_open(tmp_path: Path) -> None:
    simulation = a_run_of(
        (0, "BTC-USD", BID, "0.5", "59990"),
        (1, "BTC-USD", ASK, "0.2", "59990"),
        (2, "BTC-USD", BID, "0.5", "59980"),
        (3, "BTC-USD", ASK, "0.1", "60010"),
        folder=tmp_path,
        processor={"cancel_open_orders_at_end": False},
    )
    run(simulation)
    again = taken_up(tmp_path, simulation)
    assert again.exchange is None
    books, bitcoin = Books(again), market(again, "BTC-USD")
    books.read_on()
    assert not books.own_only
    assert [level[1:5] for level in depth(books.book(bitcoin), BID).levels] == [
        (5_999_000, 300_000, 300_000, 1),
        (5_998_000, 500_000, 800_000, 1),
    ]


# Trades


def test_the_tape_has_the_trades_of_the_journal_at_every_step() -> None:
    simulation = a_deep_run(lives=TimeInForce.POST_ONLY)
    tape = Tape(simulation)
    for _ in steps(simulation):
        tape.read_on()
        for traded in simulation.state.plan.markets:
            assert on_tape(tape, traded) == executions(simulation, traded.symbol)
    assert tape.count(market(simulation, "BTC-USD")) > 5
    assert tape.count(market(simulation, "SOL-USD")) == 0


def test_the_last_trades_are_there_first_and_the_others_follow() -> None:
    simulation = a_deep_run()
    run(simulation)
    tape, bitcoin = Tape(simulation), market(simulation, "BTC-USD")
    every = executions(simulation, "BTC-USD")
    counts = []
    while not tape.is_complete:
        tape.read_on(10)
        counts.append(tape.count(bitcoin))
        assert on_tape(tape, bitcoin) == every[: counts[-1]]
    assert counts[0] < counts[-1] == len(every)


def test_a_tape_that_cannot_keep_up_begins_anew_at_the_end() -> None:
    simulation = a_deep_run()
    tape, bitcoin = Tape(simulation), market(simulation, "BTC-USD")
    for _ in steps(simulation, 20):
        tape.read_on(5)
    run(simulation)
    assert tape.read_on(5)
    assert on_tape(tape, bitcoin) == executions(simulation, "BTC-USD")[: tape.count(bitcoin)]
    assert not tape.read_on(5)


def test_the_aggressor_is_the_side_that_took() -> None:
    simulation = a_run_of((0, "BTC-USD", BID, "0.5", "60000"), (1, "BTC-USD", ASK, "0.5", "60000"))
    run(simulation)
    (trade,) = executions(simulation, "BTC-USD")
    assert aggressor(simulation, trade) is ASK


def test_a_venue_outside_does_not_tell_the_aggressor(outside: Callable[[], Simulation]) -> None:
    simulation = outside()
    run(simulation)
    assert {aggressor(simulation, trade) for trade in executions(simulation, "BTC-USD")} == {None}


# What else is told


def test_the_last_cancel_of_an_order_is_found() -> None:
    simulation = a_deep_run(10)
    run(simulation)
    cancelled = [slot for slot in simulation.slots if slot.filled < slot.action.quantity]
    assert cancelled
    for slot in cancelled:
        cancel = last_cancel(simulation, slot)
        assert cancel is not None
        assert (cancel.slot, cancel.quantity) == (slot.sequence, slot.action.quantity - slot.filled)
    assert all(last_cancel(simulation, slot) is None for slot in simulation.slots if slot not in cancelled)


def test_the_next_orders_are_those_that_are_still_to_be_placed() -> None:
    simulation = a_deep_run(12)
    ether = market(simulation, "ETH-USD")
    coming = [slot for slot in simulation.slots if slot.action.market_id == "ETH-USD"]
    assert next_orders(simulation, ether, 3) == coming[:3]
    for step in steps(simulation):
        assert next_orders(simulation, ether, 99) == [slot for slot in coming if slot.sequence > step]
    assert next_orders(simulation, small_market("XYZ-USD"), 3) == []
