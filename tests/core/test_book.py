"""The order book, held against a naive one over any messages, and against its own rules one by one."""

from collections import Counter
from itertools import groupby
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderbook_tui.core.book import Level, Order, OrderBook, Outcome, Refusal, SelfTradePrevention, Side, TimeInForce
from tests.core.naive_book import Answer, NaiveBook, Resting

BID, ASK = Side.BID, Side.ASK


class New(NamedTuple):
    account: str
    side: Side
    price: int
    quantity: int
    counterparty: str | None
    lives: TimeInForce


class Remove(NamedTuple):
    """Cancel the order of that number."""

    order_id: int


class Change(NamedTuple):
    """Replace the order of that number."""

    order_id: int
    price: int
    quantity: int


Message = New | Remove | Change

prices = st.integers(1, 5)
quantities = st.integers(1, 6)
numbers = st.integers(1, 25)
lives = st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, *TimeInForce])
anybody = st.none()
messages = st.lists(
    st.one_of(
        st.builds(New, st.sampled_from("abc"), st.sampled_from(Side), prices, quantities, anybody, lives),
        st.builds(New, st.sampled_from("abc"), st.sampled_from(Side), prices, quantities, st.sampled_from("abcd"), lives),
        st.builds(New, st.sampled_from("abc"), st.sampled_from(Side), prices, quantities, anybody, st.just(TimeInForce.GTC)),
        st.builds(Remove, numbers),
        st.builds(Change, numbers, prices, quantities),
    ),
    max_size=50,
)
preventions = st.sampled_from(SelfTradePrevention)


def seen(outcome: Outcome | None) -> Answer | None:
    """What a book's outcome says, in plain numbers."""
    if outcome is None:
        return None
    return Answer(
        [(trade.maker.order_id, trade.taker.order_id, trade.price, trade.quantity) for trade in outcome.trades],
        [(order.order_id, left) for order, left in outcome.cancelled],
        outcome.refusal is not None,
    )


def tell(book: OrderBook, message: Message, order_id: int) -> Answer | int | None:
    match message:
        case New(account, side, price, quantity, counterparty, time_in_force):
            return seen(book.submit(Order(order_id, account, side, price, quantity, counterparty), time_in_force))
        case Remove():
            return book.cancel(message.order_id)
        case Change():
            return seen(book.replace(message.order_id, message.price, message.quantity))


def tell_naive(book: NaiveBook, message: Message, order_id: int) -> Answer | int | None:
    match message:
        case New(account, side, price, quantity, counterparty, time_in_force):
            return book.submit(Resting(order_id, account, side, price, quantity, counterparty), time_in_force)
        case Remove():
            return book.cancel(message.order_id)
        case Change():
            return book.replace(message.order_id, message.price, message.quantity)


def told(sequence: list[Message], prevention: SelfTradePrevention) -> OrderBook:
    """A book after these messages; the first order has the number 1."""
    book = OrderBook(prevention)
    for order_id, message in enumerate(sequence, 1):
        tell(book, message, order_id)
    return book


def shown(order: Order | Resting) -> tuple[int, str, int, int, int, str | None]:
    return order.order_id, order.account, order.side, order.price, order.quantity, order.counterparty


# Against the naive book


@settings(max_examples=400)
@given(messages, preventions)
def test_every_answer_is_that_of_the_naive_book(sequence: list[Message], prevention: SelfTradePrevention) -> None:
    book, naive = OrderBook(prevention), NaiveBook(prevention)
    for order_id, message in enumerate(sequence, 1):
        assert tell(book, message, order_id) == tell_naive(naive, message, order_id)


@settings(max_examples=400)
@given(messages, preventions)
def test_the_orders_at_rest_and_their_priority_are_those_of_the_naive_book(
    sequence: list[Message], prevention: SelfTradePrevention
) -> None:
    book, naive = OrderBook(prevention), NaiveBook(prevention)
    for order_id, message in enumerate(sequence, 1):
        tell(book, message, order_id)
        tell_naive(naive, message, order_id)
        for side in Side:
            assert list(map(shown, book.resting(side))) == list(map(shown, naive.resting(side)))


@given(messages, preventions)
def test_depth_is_that_of_the_naive_book(sequence: list[Message], prevention: SelfTradePrevention) -> None:
    book, naive = OrderBook(prevention), NaiveBook(prevention)
    for order_id, message in enumerate(sequence, 1):
        tell(book, message, order_id)
        tell_naive(naive, message, order_id)
        for side in Side:
            levels = []
            for price, queue in groupby(naive.resting(side), key=lambda order: order.price):
                sizes = [order.quantity for order in queue]
                levels.append(Level(price, sum(sizes), len(sizes)))
            assert book.depth(side) == levels


@given(messages, preventions)
def test_price_by_price_the_orders_are_those_at_rest(sequence: list[Message], prevention: SelfTradePrevention) -> None:
    book = told(sequence, prevention)
    for side in Side:
        prices = list(book.prices(side))
        assert prices == sorted(set(prices), reverse=side is BID)
        assert [order for price in prices for order in book.orders_at(side, price)] == list(book.resting(side))
        assert [book.count_at(side, price) for price in prices] == [len(book.orders_at(side, price)) for price in prices]
        assert all(book.orders_at(side, price, 1) == book.orders_at(side, price)[:1] for price in prices)
        assert (book.orders_at(side, 99), book.count_at(side, 99)) == ([], 0)


@given(messages, preventions)
def test_the_best_price_is_that_of_the_naive_book(sequence: list[Message], prevention: SelfTradePrevention) -> None:
    book, naive = OrderBook(prevention), NaiveBook(prevention)
    for order_id, message in enumerate(sequence, 1):
        tell(book, message, order_id)
        tell_naive(naive, message, order_id)
        for side in Side:
            assert book.best(side) == next((order.price for order in naive.resting(side)), None)


@given(messages, preventions)
def test_asking_for_the_best_price_changes_no_answer(sequence: list[Message], prevention: SelfTradePrevention) -> None:
    asked, left_alone = OrderBook(prevention), OrderBook(prevention)
    for order_id, message in enumerate(sequence, 1):
        asked.best(BID), asked.best(ASK)
        assert tell(asked, message, order_id) == tell(left_alone, message, order_id)


# Whatever is told to it


@given(messages, preventions)
def test_no_quantity_is_lost_or_made(sequence: list[Message], prevention: SelfTradePrevention) -> None:
    book = OrderBook(prevention)
    entered: Counter[int] = Counter()
    left: Counter[int] = Counter()
    for order_id, message in enumerate(sequence, 1):
        if isinstance(message, New):
            order = Order(order_id, message.account, message.side, message.price, message.quantity, message.counterparty)
            outcome: Outcome | None = book.submit(order, message.lives)
            entered[order_id] += message.quantity
            if order_id not in book:
                left[order_id] += order.quantity  # cancelled, or refused whole
        elif isinstance(message, Remove):
            outcome = None
            left[message.order_id] += book.cancel(message.order_id)
        else:
            resting = book.order(message.order_id)
            was = resting.quantity if resting is not None else 0
            outcome = book.replace(message.order_id, message.price, message.quantity)
            if outcome is not None:
                entered[message.order_id] += message.quantity - was
                if message.order_id not in book:
                    left[message.order_id] += message.quantity - sum(trade.quantity for trade in outcome.trades)
        if outcome is not None:
            for trade in outcome.trades:
                left[trade.maker.order_id] += trade.quantity
                left[trade.taker.order_id] += trade.quantity
            for maker, quantity in outcome.cancelled:
                left[maker.order_id] += quantity
    at_rest = {order.order_id: order.quantity for side in Side for order in book.resting(side)}
    assert {
        order_id: entered[order_id] - left[order_id] for order_id in entered if entered[order_id] - left[order_id]
    } == at_rest


@given(messages, preventions)
def test_it_is_never_crossed_among_orders_that_admit_each_other(
    sequence: list[Message], prevention: SelfTradePrevention
) -> None:
    book = OrderBook(prevention)
    for order_id, message in enumerate(sequence, 1):
        tell(book, message, order_id)
        for bid in book.resting(BID):
            for ask in book.resting(ASK):
                assert bid.price < ask.price or not bid.admits(ask) or bid.account == ask.account


@given(messages, preventions)
def test_no_account_trades_with_itself(sequence: list[Message], prevention: SelfTradePrevention) -> None:
    book = OrderBook(prevention)
    owner = {order_id: message.account for order_id, message in enumerate(sequence, 1) if isinstance(message, New)}
    for order_id, message in enumerate(sequence, 1):
        answer = tell(book, message, order_id)
        if isinstance(answer, Answer):
            assert all(owner[maker] != owner[taker] for maker, taker, _, _ in answer.trades)


@given(messages, preventions)
def test_a_level_is_never_empty(sequence: list[Message], prevention: SelfTradePrevention) -> None:
    book = told(sequence, prevention)
    assert all(level.quantity > 0 and level.orders > 0 for side in Side for level in book.depth(side))


@given(messages, preventions)
def test_every_order_at_rest_is_found_by_its_id(sequence: list[Message], prevention: SelfTradePrevention) -> None:
    book = told(sequence, prevention)
    at_rest = [order for side in Side for order in book.resting(side)]
    assert [book.order(order.order_id) for order in at_rest] == at_rest


@given(messages, preventions)
def test_it_holds_as_many_orders_as_are_at_rest(sequence: list[Message], prevention: SelfTradePrevention) -> None:
    book = told(sequence, prevention)
    assert len(book) == sum(1 for side in Side for _ in book.resting(side))


@given(messages, preventions)
def test_cancelling_everything_leaves_nothing(sequence: list[Message], prevention: SelfTradePrevention) -> None:
    book = told(sequence, prevention)
    for order_id in range(len(sequence) + 1):
        book.cancel(order_id)
    assert (len(book), book.best(BID), book.best(ASK), book.depth(BID), book.depth(ASK)) == (0, None, None, [], [])


@given(messages, preventions)
def test_a_book_rebuilt_in_priority_order_answers_as_the_old_one(
    sequence: list[Message], prevention: SelfTradePrevention
) -> None:
    half = len(sequence) // 2
    old, rebuilt = told(sequence[:half], prevention), OrderBook(prevention)
    for side in Side:
        for order in old.resting(side):
            rebuilt.rest(Order(order.order_id, order.account, order.side, order.price, order.quantity, order.counterparty))
    for order_id, message in enumerate(sequence[half:], half + 1):
        assert tell(rebuilt, message, order_id) == tell(old, message, order_id)


# The rules, one by one


def a_book(*orders: Order, prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST) -> OrderBook:
    book = OrderBook(prevention)
    for order in orders:
        book.submit(order)
    return book


def buy(order_id: int, price: int, quantity: int = 1, account: str = "a", only: str | None = None) -> Order:
    return Order(order_id, account, BID, price, quantity, only)


def sell(order_id: int, price: int, quantity: int = 1, account: str = "b", only: str | None = None) -> Order:
    return Order(order_id, account, ASK, price, quantity, only)


def makers(outcome: Outcome | None) -> list[int]:
    assert outcome is not None
    return [trade.maker.order_id for trade in outcome.trades]


def test_a_better_price_goes_first() -> None:
    assert makers(a_book(sell(1, 102), sell(2, 101)).submit(buy(3, 105, 2))) == [2, 1]


def test_at_one_price_who_came_first_goes_first() -> None:
    assert makers(a_book(sell(1, 101), sell(2, 101)).submit(buy(3, 101, 2))) == [1, 2]


def test_a_trade_is_at_the_makers_price() -> None:
    assert [trade.price for trade in a_book(sell(1, 100)).submit(buy(2, 110)).trades] == [100]


def test_what_is_left_of_a_good_till_cancelled_order_rests() -> None:
    book = a_book(sell(1, 100, 2))
    book.submit(buy(2, 100, 5))
    assert book.depth(BID) == [Level(100, 3, 1)]


def test_what_is_left_of_an_immediate_or_cancel_order_does_not_rest() -> None:
    book = a_book(sell(1, 100, 2))
    book.submit(buy(2, 100, 5), TimeInForce.IOC)
    assert 2 not in book


def test_a_fill_or_kill_order_that_fits_is_filled_whole() -> None:
    outcome = a_book(sell(1, 100, 2), sell(2, 101, 3)).submit(buy(3, 101, 5), TimeInForce.FOK)
    assert sum(trade.quantity for trade in outcome.trades) == 5


def test_a_fill_or_kill_order_that_does_not_fit_is_refused() -> None:
    outcome = a_book(sell(1, 100, 2), sell(2, 102, 3)).submit(buy(3, 101, 5), TimeInForce.FOK)
    assert outcome.refusal is Refusal.CANNOT_FILL


def test_a_refused_fill_or_kill_order_changes_nothing() -> None:
    book = a_book(sell(1, 100, 2), sell(2, 102, 3))
    book.submit(buy(3, 101, 5), TimeInForce.FOK)
    assert (book.depth(ASK), book.depth(BID)) == ([Level(100, 2, 1), Level(102, 3, 1)], [])


def test_a_fill_or_kill_order_counts_only_those_who_admit_it() -> None:
    book = a_book(sell(1, 100, 2, only="c"), sell(2, 100, 3))
    assert book.submit(buy(3, 100, 5), TimeInForce.FOK).refusal is Refusal.CANNOT_FILL


def test_a_post_only_order_that_would_take_is_refused() -> None:
    assert a_book(sell(1, 100)).submit(buy(2, 100), TimeInForce.POST_ONLY).refusal is Refusal.WOULD_TAKE


def test_a_post_only_order_that_takes_nothing_rests() -> None:
    book = a_book(sell(1, 100))
    book.submit(buy(2, 99), TimeInForce.POST_ONLY)
    assert 2 in book


def test_a_post_only_order_passes_one_that_does_not_admit_it() -> None:
    book = a_book(sell(1, 100, only="c"))
    book.submit(buy(2, 100), TimeInForce.POST_ONLY)
    assert 2 in book


@pytest.mark.parametrize("lives_as", TimeInForce)
def test_orders_that_do_not_admit_each_other_do_not_trade(lives_as: TimeInForce) -> None:
    assert a_book(sell(1, 100, only="c")).submit(buy(2, 100), lives_as).trades == []


def test_an_order_with_a_counterparty_passes_better_prices_of_others() -> None:
    assert makers(a_book(sell(1, 99, account="x"), sell(2, 100)).submit(buy(3, 100, only="b"))) == [2]


def test_an_order_with_a_counterparty_leaves_others_where_they_were() -> None:
    book = a_book(sell(1, 99, account="x"), sell(2, 100))
    book.submit(buy(3, 100, only="b"))
    assert book.depth(ASK) == [Level(99, 1, 1)]


@pytest.mark.parametrize(
    ("prevention", "at_rest"),
    [
        (SelfTradePrevention.CANCEL_NEWEST, [1, 2]),
        (SelfTradePrevention.CANCEL_OLDEST, [3]),
        (SelfTradePrevention.CANCEL_BOTH, [2]),
    ],
)
def test_a_self_trade_cancels_whom_it_should(prevention: SelfTradePrevention, at_rest: list[int]) -> None:
    book = a_book(sell(1, 100, account="a"), sell(2, 101, account="a"), prevention=prevention)
    book.submit(buy(3, 101))
    assert [order_id for order_id in (1, 2, 3) if order_id in book] == at_rest


def test_a_self_trade_keeps_the_trades_before_it() -> None:
    book = a_book(sell(1, 100), sell(2, 101, account="a"))
    assert makers(book.submit(buy(3, 101, 2))) == [1]


def test_the_oldest_is_cancelled_with_what_it_had_left() -> None:
    book = a_book(sell(1, 100, 5, account="a"), prevention=SelfTradePrevention.CANCEL_OLDEST)
    assert [(order.order_id, left) for order, left in book.submit(buy(2, 100)).cancelled] == [(1, 5)]


def test_a_cancel_returns_what_was_left() -> None:
    book = a_book(sell(1, 100, 5))
    book.submit(buy(2, 100, 2))
    assert book.cancel(1) == 3


def churn(book: OrderBook, how: str) -> None:
    """Let 5,000 sell orders come and go behind those that are there."""
    for order_id in range(10, 5_010):
        book.submit(sell(order_id, 100, 2, "c", only="d" if how == "filled" else None))
        if how == "cancelled":
            book.cancel(order_id)
        elif how == "replaced":
            book.replace(order_id, 100, 3)
            book.replace(order_id, 100, 0)
        else:
            book.submit(buy(10_000 + order_id, 100, 2, "d", only="c"))


@pytest.mark.parametrize("how", ["cancelled", "replaced", "filled"])
def test_those_that_are_gone_are_dropped_behind_one_that_stays(how: str) -> None:
    book = a_book(sell(1, 100, only="nobody"), sell(2, 100))
    churn(book, how)

    assert len(book._levels[ASK][100]) < 100
    assert [order.order_id for order in book.resting(ASK)] == [1, 2]


def test_cancelling_all_but_a_few_of_many_drops_the_rest() -> None:
    book = a_book(*(sell(order_id, 100) for order_id in range(5_000)))
    for order_id in range(1, 4_999):
        book.cancel(order_id)

    assert len(book._levels[ASK][100]) < 100
    assert makers(book.submit(buy(6_000, 100, 2))) == [0, 4_999]


@pytest.mark.parametrize("how", ["cancelled", "replaced", "filled"])
def test_a_queue_knows_how_many_of_it_are_gone(how: str) -> None:
    book = a_book(sell(1, 100, only="nobody"), sell(2, 100))
    churn(book, how)
    level = book._levels[ASK][100]
    book.cancel(1)
    book.best(ASK)

    assert level.dead == sum(not order.quantity for order in level)


def test_walking_the_orders_goes_on_while_they_are_cancelled() -> None:
    book = a_book(*(sell(order_id, 100) for order_id in range(200)))

    assert [book.cancel(order.order_id) for order in book.resting(ASK)] == [1] * 200


def test_a_second_cancel_returns_nothing() -> None:
    book = a_book(sell(1, 100, 5))
    book.cancel(1)
    assert book.cancel(1) == 0


def test_a_smaller_quantity_at_the_same_price_keeps_priority() -> None:
    book = a_book(sell(1, 100, 5), sell(2, 100, 5))
    book.replace(1, 100, 2)
    assert makers(book.submit(buy(3, 100))) == [1]


@pytest.mark.parametrize(("price", "quantity"), [(100, 6), (101, 5), (101, 2)])
def test_a_larger_quantity_or_another_price_loses_priority(price: int, quantity: int) -> None:
    book = a_book(sell(1, 100, 5), sell(2, 100, 5), sell(3, 101, 5))
    book.replace(1, price, quantity)
    assert [order.order_id for order in book.resting(ASK) if order.price == price][-1] == 1


def test_moving_away_and_back_loses_priority() -> None:
    book = a_book(sell(1, 100), sell(2, 100))
    book.replace(1, 101, 1)
    book.replace(1, 100, 1)
    assert makers(book.submit(buy(3, 100))) == [2]


def test_a_replaced_order_may_trade() -> None:
    assert makers(a_book(sell(1, 100), buy(2, 99)).replace(2, 100, 1)) == [1]


def test_replacing_what_does_not_rest_answers_nothing() -> None:
    assert a_book().replace(1, 100, 1) is None


def test_replacing_with_no_quantity_cancels() -> None:
    book = a_book(sell(1, 100))
    book.replace(1, 100, 0)
    assert 1 not in book


def test_depth_is_limited_to_the_best_levels() -> None:
    assert a_book(buy(1, 98), buy(2, 100), buy(3, 99)).depth(BID, 2) == [Level(100, 1, 1), Level(99, 1, 1)]


@pytest.mark.parametrize(("side", "opposite", "word"), [(BID, ASK, "Bid"), (ASK, BID, "Ask")])
def test_a_side_knows_its_opposite_and_its_word(side: Side, opposite: Side, word: str) -> None:
    assert (side.opposite, side.word) == (opposite, word)
