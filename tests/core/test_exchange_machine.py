"""The exchange and its books under any messages, and rebuilt at any moment, against naive books of one list each."""

from itertools import groupby

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orderbook_tui.core.book import Level, Order, OrderBook, SelfTradePrevention, Side, TimeInForce
from orderbook_tui.core.exchange import Exchange, FeeSchedule, fee
from orderbook_tui.errors import Rejected
from tests.builders import ask, bid, small_market
from tests.core.naive_book import Answer, NaiveBook, Resting
from tests.machines import effort

MARKETS = [small_market("BTC-USD"), small_market("ETH-USD")]
FEES = FeeSchedule(10**8, 25 * 10**7)
places = st.integers(0, len(MARKETS) - 1)
prices, quantities = st.integers(1, 5), st.integers(1, 6)
lives = st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GTC, *TimeInForce])


class Books(RuleBasedStateMachine):
    """An exchange, a naive book for each of its markets, and what has become of every lot that was placed."""

    @initialize(prevention=st.sampled_from(SelfTradePrevention))
    def open(self, prevention: SelfTradePrevention) -> None:
        self.exchange = Exchange(MARKETS, FEES, prevention)
        self.naive = [NaiveBook(prevention) for _ in MARKETS]
        self.ids: list[int] = []
        self.market_of: dict[int, int] = {}
        self.placed: dict[int, int] = {}
        self.gone: dict[int, int] = {}

    @rule(place=places, account=st.sampled_from("abc"), side=st.sampled_from(Side), price=prices, quantity=quantities,
          only=st.sampled_from([None, None, None, "a", "b", "nobody"]), lives=lives)  # fmt: skip
    def submit(
        self, place: int, account: str, side: Side, price: int, quantity: int, only: str | None, lives: TimeInForce
    ) -> None:
        action = (bid if side is Side.BID else ask)(MARKETS[place], quantity, price, only=only, lives=lives)
        client_id = len(self.ids)
        try:
            submission = self.exchange.submit(account, action, quantity, client_id, now=7)
        except Rejected:
            assert self.naive[place].submit(Resting(-1, account, side, price, quantity, only), lives).refused
            return
        order_id = submission.order_id
        assert isinstance(order_id, int)
        assert order_id not in self.market_of
        self.ids.append(order_id)
        self.market_of[order_id], self.placed[order_id], self.gone[order_id] = place, quantity, 0
        order = Resting(order_id, account, side, price, quantity, only)
        answer = self.naive[place].submit(order, lives)
        assert not answer.refused
        made = [(self.ids[each.maker], self.ids[each.taker], each.price, each.quantity) for each in submission.executions]
        assert made == answer.trades
        for each in submission.executions:
            notional = MARKETS[place].notional(each.price, each.quantity)
            assert (each.maker_fee, each.taker_fee) == (fee(FEES.maker, notional), fee(FEES.taker, notional))
        cancelled = [(self.ids[number], left) for number, left in submission.cancelled]
        dropped = [] if not order.quantity or order in self.naive[place].orders else [(order_id, order.quantity)]
        assert cancelled == answer.cancelled + dropped
        self._count(answer, dropped)

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        order_id = data.draw(st.sampled_from(self.ids))
        left = self.exchange.cancel(order_id)
        assert left == self.naive[self.market_of[order_id]].cancel(order_id)
        self.gone[order_id] += left

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), price=prices, quantity=st.integers(0, 6))
    def replace(self, data: st.DataObject, price: int, quantity: int) -> None:
        order_id = data.draw(st.sampled_from(self.ids))
        place = self.market_of[order_id]
        before = next((order.quantity for order in self.naive[place].orders if order.order_id == order_id), 0)
        outcome = self.exchange.books[MARKETS[place].symbol].replace(order_id, price, quantity)
        if quantity == 0:
            assert (outcome is None) == (self.naive[place].cancel(order_id) == 0)
            self.gone[order_id] += before
            return
        answer = self.naive[place].replace(order_id, price, quantity)
        assert (outcome is None) == (answer is None)
        if outcome is not None and answer is not None:
            self.placed[order_id] += quantity - before
            trades = [(each.maker.order_id, each.taker.order_id, each.price, each.quantity) for each in outcome.trades]
            assert trades == answer.trades
            rests = any(order.order_id == order_id for order in self.naive[place].orders)
            left = quantity - sum(each[3] for each in answer.trades)
            self._count(answer, [] if rests or not left else [(order_id, left)])

    @rule()
    def rebuild(self) -> None:
        """The exchange of another life: every order put back in its priority, and no id given twice."""
        anew = Exchange(MARKETS, FEES, self.naive[0].prevention)
        anew.skip_ids(max(self.ids, default=0))
        for market, book in zip(MARKETS, self.exchange.books.values(), strict=True):
            for side in Side:
                for order in book.resting(side):
                    make = bid if side is Side.BID else ask
                    action = make(market, order.quantity, order.price, only=order.counterparty)
                    anew.restore(order.order_id, order.account, action, order.quantity, order.client_id)
        self.exchange = anew

    @invariant()
    def the_orders_at_rest_and_their_priority_are_those_of_the_naive_book(self) -> None:
        for book, naive in self._both():
            for side in Side:
                assert [_shown(order) for order in book.resting(side)] == [_shown(order) for order in naive.resting(side)]
            assert len(book) == len(naive.orders)

    @invariant()
    def no_level_is_empty(self) -> None:
        for book, naive in self._both():
            for side in Side:
                levels = []
                for price, queue in groupby(naive.resting(side), key=lambda order: order.price):
                    sizes = [order.quantity for order in queue]
                    levels.append(Level(price, sum(sizes), len(sizes)))
                assert book.depth(side) == levels
                assert book.best(side) == (levels[0].price if levels else None)

    @invariant()
    def no_two_that_admit_each_other_cross(self) -> None:
        for book, _ in self._both():
            for buyer in book.resting(Side.BID):
                for seller in book.resting(Side.ASK):
                    assert buyer.price < seller.price or not buyer.admits(seller) or buyer.account == seller.account

    @invariant()
    def no_lot_is_lost_or_made(self) -> None:
        left = {order.order_id: order.quantity for _, naive in self._both() for order in naive.orders}
        assert all(self.placed[order_id] == self.gone[order_id] + left.get(order_id, 0) for order_id in self.placed)

    def _both(self) -> list[tuple[OrderBook, NaiveBook]]:
        return list(zip(self.exchange.books.values(), self.naive, strict=True)) if hasattr(self, "exchange") else []

    def _count(self, answer: Answer, dropped: list[tuple[int, int]]) -> None:
        for maker, taker, _, quantity in answer.trades:
            self.gone[maker] += quantity
            self.gone[taker] += quantity
        for order_id, left in (*answer.cancelled, *dropped):
            self.gone[order_id] += left


def _shown(order: Order | Resting) -> tuple[int, str, int, int, int, str | None]:
    return order.order_id, order.account, order.side, order.price, order.quantity, order.counterparty


TestBooks = Books.TestCase
TestBooks.settings = effort(40, 40)
