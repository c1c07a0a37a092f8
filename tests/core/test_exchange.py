"""The exchange: the books of all markets, fees, and ids that are never given twice."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.book import SelfTradePrevention, Side, TimeInForce
from orderbook_tui.core.exchange import Exchange, FeeSchedule, Submission, fee
from orderbook_tui.core.market import Market
from orderbook_tui.errors import AmountError, Rejected
from tests.builders import ask, bid, small_market

BTC_USD, ETH_USD = small_market("BTC-USD"), small_market("ETH-USD")
RATES = FeeSchedule.of(Decimal("0.01"), Decimal("0.025"))


def an_exchange(fees: FeeSchedule = RATES, prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST) -> Exchange:
    return Exchange([BTC_USD, ETH_USD], fees, prevention)


def place(exchange: Exchange, account: str, action: OrderAction, client_id: int) -> Submission:
    return exchange.submit(account, action, action.quantity, client_id, 0)


def id_of(submission: Submission) -> int:
    """The id that the exchange gave; its own are numbers."""
    assert isinstance(submission.order_id, int)
    return submission.order_id


def at_rest(exchange: Exchange) -> list[tuple[str, int, int]]:
    """(market, order id, quantity) of all orders at rest, in priority order."""
    return [
        (symbol, order.order_id, order.quantity)
        for symbol, book in exchange.books.items()
        for side in Side
        for order in book.resting(side)
    ]


@given(rate=st.integers(0, 10**10 - 1), notional=st.integers(0, 10**20))
def test_a_fee_is_rounded_down(rate: int, notional: int) -> None:
    assert fee(rate, notional) == Fraction(rate, 10**10) * notional // 1


def test_a_rate_is_read_exactly() -> None:
    assert FeeSchedule.of(Decimal("0.0002"), Decimal("0.0000000001")) == FeeSchedule(2_000_000, 1)


@pytest.mark.parametrize("rate", ["-0.0001", "1", "1.5", "NaN", "Infinity", "0.00000000001", "1E-999999999"])
def test_a_rate_that_is_none_is_refused(rate: str) -> None:
    with pytest.raises(AmountError):
        FeeSchedule.of(Decimal(0), Decimal(rate))


def test_the_highest_rate_is_the_larger_of_the_two() -> None:
    assert FeeSchedule(3, 5).highest == FeeSchedule(5, 3).highest == 5


def test_the_maker_pays_the_makers_fee_and_the_taker_the_takers() -> None:
    exchange = an_exchange()
    place(exchange, "a", ask(BTC_USD, 10, 100), 0)
    (execution,) = place(exchange, "b", bid(BTC_USD, 10, 100), 1).executions
    assert (execution.maker, execution.maker_fee, execution.taker, execution.taker_fee) == (0, 10, 1, 25)


@pytest.mark.parametrize(("maker", "taker"), [(0, 0), (10**8, 0), (0, 10**8), (10**8, 2 * 10**8)])
def test_each_side_pays_its_own_rate_where_one_is_free(maker: int, taker: int) -> None:
    exchange = an_exchange(FeeSchedule(maker, taker))
    place(exchange, "a", ask(BTC_USD, 10, 100), 0)
    (execution,) = place(exchange, "b", bid(BTC_USD, 10, 100), 1).executions
    assert (execution.maker_fee, execution.taker_fee) == (maker * 1000 // 10**10, taker * 1000 // 10**10)


def test_a_fee_is_on_the_makers_price() -> None:
    exchange = an_exchange()
    place(exchange, "a", ask(BTC_USD, 10, 100), 0)
    (execution,) = place(exchange, "b", bid(BTC_USD, 10, 200), 1).executions
    assert (execution.price, execution.taker_fee) == (100, 25)


def test_a_fee_is_rounded_for_each_execution() -> None:
    exchange = an_exchange()
    for client_id in range(3):
        place(exchange, "a", ask(BTC_USD, 1, 50), client_id)
    executions = place(exchange, "b", bid(BTC_USD, 3, 50), 3).executions
    assert [execution.taker_fee for execution in executions] == [1, 1, 1]


def test_markets_do_not_meet() -> None:
    exchange = an_exchange()
    place(exchange, "a", ask(BTC_USD, 10, 100), 0)
    assert place(exchange, "b", bid(ETH_USD, 10, 100), 1).executions == ()


def test_order_ids_rise_over_all_markets() -> None:
    exchange = an_exchange()
    ids = [id_of(place(exchange, "a", bid(market, 1, 10), 0)) for market in (BTC_USD, ETH_USD, BTC_USD)]
    assert ids == sorted(set(ids))


def test_an_order_filled_at_once_used_its_id_up() -> None:
    exchange = an_exchange()
    place(exchange, "a", ask(BTC_USD, 1, 10), 0)
    filled = id_of(place(exchange, "b", bid(BTC_USD, 1, 10), 1))
    assert id_of(place(exchange, "a", bid(BTC_USD, 1, 5), 2)) > filled


def test_a_cancelled_id_is_not_given_again() -> None:
    exchange = an_exchange()
    cancelled = id_of(place(exchange, "a", ask(BTC_USD, 1, 10), 0))
    exchange.cancel(cancelled)
    assert id_of(place(exchange, "a", ask(BTC_USD, 1, 10), 1)) != cancelled


def test_a_restored_id_is_not_given_again() -> None:
    exchange = an_exchange()
    exchange.restore(41, "a", ask(BTC_USD, 1, 10), 1, 0)
    assert id_of(place(exchange, "a", ask(BTC_USD, 1, 10), 1)) > 41


def test_a_skipped_id_is_not_given() -> None:
    exchange = an_exchange()
    exchange.skip_ids(7)
    exchange.skip_ids(3)
    assert id_of(place(exchange, "a", ask(BTC_USD, 1, 10), 0)) > 7


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (bid(BTC_USD, 1, 100, lives=TimeInForce.POST_ONLY), "a post-only order would have taken liquidity"),
        (bid(BTC_USD, 9, 100, lives=TimeInForce.FOK), "a fill-or-kill order cannot be filled at once"),
    ],
)
def test_a_refused_order_is_rejected_with_words(order: OrderAction, words: str) -> None:
    exchange = an_exchange()
    place(exchange, "a", ask(BTC_USD, 5, 100), 0)
    with pytest.raises(Rejected, match=words):
        place(exchange, "b", order, 1)


@pytest.mark.parametrize("lives", [TimeInForce.POST_ONLY, TimeInForce.FOK])
@pytest.mark.parametrize("prevention", SelfTradePrevention)
def test_a_rejected_order_leaves_nothing_behind(lives: TimeInForce, prevention: SelfTradePrevention) -> None:
    exchange = an_exchange(prevention=prevention)
    place(exchange, "a", ask(BTC_USD, 5, 100), 0)
    place(exchange, "b", ask(BTC_USD, 5, 101), 1)
    before = at_rest(exchange)
    with pytest.raises(Rejected):
        place(exchange, "b", bid(BTC_USD, 50, 101, lives=lives), 2)
    assert at_rest(exchange) == before


def test_a_cancel_returns_the_lots_that_were_left() -> None:
    exchange = an_exchange()
    order_id = id_of(place(exchange, "a", ask(BTC_USD, 10, 100), 0))
    place(exchange, "b", bid(BTC_USD, 4, 100), 1)
    assert exchange.cancel(order_id) == 6


@pytest.mark.parametrize("order_id", [1, 2, 99])
def test_nothing_is_cancelled_of_an_order_that_does_not_rest(order_id: int) -> None:
    exchange = an_exchange()
    place(exchange, "a", ask(BTC_USD, 10, 100), 0)
    place(exchange, "b", bid(BTC_USD, 10, 100), 1)
    assert exchange.cancel(order_id) == 0


def test_what_does_not_rest_of_an_immediate_order_is_told_as_cancelled() -> None:
    exchange = an_exchange()
    place(exchange, "a", ask(BTC_USD, 4, 100), 0)
    assert place(exchange, "b", bid(BTC_USD, 10, 100, lives=TimeInForce.IOC), 1).cancelled == ((1, 6),)


@pytest.mark.parametrize(
    ("prevention", "cancelled"),
    [
        (SelfTradePrevention.CANCEL_NEWEST, ((1, 10),)),
        (SelfTradePrevention.CANCEL_OLDEST, ((0, 4),)),
        (SelfTradePrevention.CANCEL_BOTH, ((0, 4), (1, 10))),
    ],
)
def test_whom_self_trade_prevention_cancelled_is_told(
    prevention: SelfTradePrevention, cancelled: tuple[tuple[int, int], ...]
) -> None:
    exchange = an_exchange(prevention=prevention)
    place(exchange, "a", ask(BTC_USD, 4, 100), 0)
    assert place(exchange, "a", bid(BTC_USD, 10, 100), 1).cancelled == cancelled


def test_the_strategy_of_an_order_is_enforced() -> None:
    exchange = an_exchange()
    place(exchange, "x", ask(BTC_USD, 10, 100), 0)
    assert not place(exchange, "a", bid(BTC_USD, 10, 100, only="b"), 1).executions


def an_order(account: str, market: Market, sells: bool, quantity: int, price: int, only: str | None) -> tuple[str, OrderAction]:
    return account, (ask if sells else bid)(market, quantity, price, only=only)


def test_a_restored_order_is_cancelled_by_its_id() -> None:
    old, new = an_exchange(), an_exchange()
    order_id = id_of(place(old, "a", ask(ETH_USD, 7, 10), 0))
    new.restore(order_id, "a", ask(ETH_USD, 7, 10), 5, 0)
    assert new.cancel(order_id) == 5


flows = st.lists(
    st.builds(
        an_order,
        st.sampled_from("abc"),
        st.sampled_from([BTC_USD, ETH_USD]),
        st.booleans(),
        st.integers(1, 9),
        st.integers(98, 102),
        st.sampled_from([None, None, "a", "b"]),
    ),
    max_size=40,
)


@given(flows)
def test_a_restored_exchange_goes_on_as_the_old_one(flow: list[tuple[str, OrderAction]]) -> None:
    old, new = an_exchange(), an_exchange()
    half, last = len(flow) // 2, 0
    for client_id, (account, action) in enumerate(flow[:half]):
        last = id_of(place(old, account, action, client_id))
    for order_id, symbol, quantity in sorted((order_id, symbol, quantity) for symbol, order_id, quantity in at_rest(old)):
        order = old.books[symbol].order(order_id)
        assert order is not None
        new.restore(order_id, order.account, flow[order.client_id][1], quantity, order.client_id)
    new.skip_ids(last)
    for client_id, (account, action) in enumerate(flow[half:], half):
        assert place(new, account, action, client_id) == place(old, account, action, client_id)


@given(flows)
def test_every_id_is_given_once(flow: list[tuple[str, OrderAction]]) -> None:
    exchange = an_exchange()
    ids = [id_of(place(exchange, account, action, client_id)) for client_id, (account, action) in enumerate(flow)]
    assert len(set(ids)) == len(ids)
