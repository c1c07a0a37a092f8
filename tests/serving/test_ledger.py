"""The ledger: what orders lock, what fills move, and that nothing is made or lost."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.config import Universe
from orderbook_tui.core.action import ANY, OrderAction, OrderMatchingStrategy
from orderbook_tui.core.book import SelfTradePrevention, Side, TimeInForce
from orderbook_tui.core.exchange import FeeSchedule, fee
from orderbook_tui.core.market import Account
from orderbook_tui.serving.ledger import Ledger
from orderbook_tui.serving.orders import EventKind, NewOrder, Reason, Refusal, Status
from tests.builders import small_market

ACCOUNTS = [Account("a"), Account("b"), Account("c")]
MARKET = small_market()
FEES = FeeSchedule.of(Decimal("0.01"), Decimal("0.025"))


def a_ledger(
    start: int = 1000, fees: FeeSchedule = FEES, prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST
) -> Ledger:
    assets = {asset.symbol: asset for asset in (MARKET.base, MARKET.quote)}
    budgets = {(account.id, symbol): start for account in ACCOUNTS for symbol in assets}
    return Ledger(Universe(ACCOUNTS, [MARKET], [], assets, budgets), fees, prevention)


def an_order(
    account: int,
    side: Side,
    price: int,
    quantity: int,
    name: str = "x",
    *,
    time_in_force: TimeInForce = TimeInForce.GTC,
    counterparty: int | None = None,
) -> NewOrder:
    strategy = ANY if counterparty is None else OrderMatchingStrategy.match_with(ACCOUNTS[counterparty].id)
    return NewOrder(ACCOUNTS[account], name, OrderAction(MARKET, side, quantity, price, strategy, time_in_force))


def pots(ledger: Ledger, account: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """(available, locked) of base and of quote."""
    base, quote = ledger.balances[account]["BTC"], ledger.balances[account]["USD"]
    return (base.available, base.locked), (quote.available, quote.locked)


def test_a_bid_locks_its_price_and_the_highest_fee() -> None:
    ledger = a_ledger()
    ledger.place(an_order(0, Side.BID, 100, 4), 1)
    assert pots(ledger, "a") == ((1000, 0), (590, 410))


def test_a_better_price_and_a_lower_fee_give_the_difference_back() -> None:
    ledger = a_ledger()
    ledger.place(an_order(1, Side.ASK, 90, 4), 1)
    ledger.place(an_order(0, Side.BID, 100, 4), 2)
    assert pots(ledger, "a") == ((1004, 0), (1000 - 360 - 9, 0))
    assert pots(ledger, "b") == ((996, 0), (1000 + 360 - 3, 0))
    assert ledger.fees == {"BTC": 0, "USD": 12}


def test_what_was_received_can_be_given_again() -> None:
    ledger = a_ledger(start=0, fees=FeeSchedule())
    ledger.balances["a"]["USD"].available = ledger.balances["b"]["BTC"].available = 100
    ledger.place(an_order(1, Side.ASK, 10, 10, "1"), 1)
    ledger.place(an_order(0, Side.BID, 10, 10, "2"), 2)
    ledger.place(an_order(0, Side.ASK, 10, 10, "3"), 3)
    assert pots(ledger, "a") == ((0, 10), (0, 0))


def test_an_order_beyond_the_balance_is_refused_and_changes_nothing() -> None:
    ledger = a_ledger()
    with pytest.raises(Refusal, match="a has 1000 BTC available, the order needs 1001") as caught:
        ledger.place(an_order(0, Side.ASK, 1, 1001), 1)
    assert caught.value.code == "insufficient_funds"
    assert pots(ledger, "a") == ((1000, 0), (1000, 0))
    assert not ledger.events


def test_a_directed_order_trades_with_its_counterparty_alone() -> None:
    ledger = a_ledger()
    ledger.place(an_order(1, Side.ASK, 90, 1, "1"), 1)
    ledger.place(an_order(2, Side.ASK, 95, 1, "2"), 2)
    order = ledger.place(an_order(0, Side.BID, 100, 1, "3", counterparty=2), 3)
    assert [(fill.counterparty.id, fill.price) for fill in order.fills] == [("c", 95)]


def test_what_an_immediate_order_cannot_fill_is_cancelled_and_said_so() -> None:
    ledger = a_ledger()
    ledger.place(an_order(1, Side.ASK, 90, 1, "1"), 1)
    order = ledger.place(an_order(0, Side.BID, 100, 3, "2", time_in_force=TimeInForce.IOC), 2)
    assert (order.status, order.filled) == (Status.CANCELLED, 1)
    last = ledger.events[-1]
    assert (last.kind, last.reason, last.order) == (EventKind.CANCELLED, Reason.TIME_IN_FORCE, order)
    assert pots(ledger, "a")[1][1] == 0


def test_a_fenced_id_is_dead_unless_there_is_an_order() -> None:
    ledger = a_ledger()
    ledger.place(an_order(0, Side.BID, 100, 1, "there"), 1)
    assert not ledger.fence("a", "there")
    assert ledger.fence("a", "dead")
    assert not ledger.fence("a", "dead")
    assert ledger.is_dead("a", "dead")
    assert not ledger.is_dead("b", "dead")


STEP = st.tuples(
    st.sampled_from(["place", "place", "place", "cancel"]),
    st.integers(0, 2),
    st.sampled_from(list(Side)),
    st.integers(1, 12),
    st.integers(1, 60),
    st.sampled_from(list(TimeInForce)),
    st.sampled_from([None, None, 0, 1, 2]),
)


@given(st.lists(STEP, max_size=60), st.sampled_from(list(SelfTradePrevention)))
def test_balances_conserve_and_equal_a_recount(
    steps: list[tuple[str, int, Side, int, int, TimeInForce, int | None]], prevention: SelfTradePrevention
) -> None:
    ledger = a_ledger(prevention=prevention)
    for number, (what, account, side, price, quantity, time_in_force, other) in enumerate(steps):
        orders = list(ledger.orders(ACCOUNTS[account].id))
        if what == "cancel" and orders:
            ledger.cancel(orders[price % len(orders)], number)
        else:
            new = an_order(
                account, side, price, quantity, str(number), time_in_force=time_in_force,
                counterparty=None if other == account else other,
            )  # fmt: skip
            try:
                ledger.place(new, number)
            except Refusal as refusal:
                assert refusal.code in ("insufficient_funds", "would_take", "cannot_fill")  # noqa: PT017
        for asset in ("BTC", "USD"):
            held = [ledger.balances[each.id][asset] for each in ACCOUNTS]
            assert all(pot.available >= 0 and pot.locked >= 0 for pot in held)
            assert sum(pot.available + pot.locked for pot in held) + ledger.fees[asset] == 3000
    assert recounted(ledger) == {each.id: pots(ledger, each.id) for each in ACCOUNTS}


def recounted(ledger: Ledger) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
    """The balances, counted anew from the orders and their fills."""
    total: Counter[tuple[str, str]] = Counter()
    locked: Counter[tuple[str, str]] = Counter()
    for account in ACCOUNTS:
        total[account.id, "BTC"] = total[account.id, "USD"] = 1000
        for order in ledger.orders(account.id):
            action = order.new.action
            sign = 1 if action.side is Side.BID else -1
            for fill in order.fills:
                total[account.id, "BTC"] += sign * fill.quantity
                total[account.id, "USD"] -= sign * fill.price * fill.quantity + fill.fee
            notional = action.price * order.open
            locked[account.id, action.bid_asset] += (
                notional + fee(FEES.highest, notional) if action.side is Side.BID else order.open
            )
            assert order.filled == sum(fill.quantity for fill in order.fills)
            assert (order.order_id in ledger.exchange.books["BTC-USD"]) == (order.open > 0)
    return {
        each.id: tuple((total[each.id, a] - locked[each.id, a], locked[each.id, a]) for a in ("BTC", "USD"))  # type: ignore[misc]
        for each in ACCOUNTS
    }
