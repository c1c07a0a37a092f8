"""Hypothesis strategies for runs: orders that meet in every way, and schedules under every setting."""

from hypothesis import strategies as st

from orderbook_tui.core.action import OrderAction, StrategyKind
from orderbook_tui.core.book import SelfTradePrevention, TimeInForce
from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.market import Market
from orderbook_tui.core.scheduler import MarketDistribution
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import ScheduleError
from tests.builders import a_plan, ask, bid, schedule, slots_of, small_market, some_markets
from tests.core.by_hand import Run

SMALL = [small_market("BTC-USD"), small_market("ETH-USD")]

rates = st.one_of(st.just(0), st.integers(0, 10**10 - 1))
fees = st.builds(FeeSchedule, rates, rates)
preventions = st.sampled_from(SelfTradePrevention)


def an_order(
    account: str, market: Market, sells: bool, quantity: int, price: int, only: str | None, lives: TimeInForce
) -> tuple[str, OrderAction]:
    return account, (ask if sells else bid)(market, quantity, price, only=only, lives=lives)


free_slots = st.lists(
    st.builds(
        an_order,
        st.sampled_from("abc"),
        st.sampled_from(SMALL),
        st.booleans(),
        st.integers(1, 12),
        st.integers(8, 12),
        st.sampled_from([None, None, None, "a", "b"]),
        st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, *TimeInForce]),
    ),
    min_size=1,
    max_size=30,
).map(lambda orders: slots_of(*orders))
"""Orders of any size and side: they fill in parts, at better prices, by anybody."""


@st.composite
def scheduled_slots(draw: st.DrawFn) -> list[ActionSlot]:
    """A schedule under any setting; bids may be dearer than asks."""
    ask_offset = draw(st.integers(95, 105))
    try:
        return schedule(
            draw(st.integers(2, 5)),
            draw(st.integers(1, 6)),
            some_markets(draw(st.integers(1, 3))),
            bid_price_offset=f"{ask_offset + draw(st.integers(0, 5))}E-2",
            ask_price_offset=f"{ask_offset}E-2",
            alternate_sides=draw(st.booleans()),
            market_distribution=draw(st.sampled_from([d for d in MarketDistribution if d != "weighted"])),
            matching_strategy=draw(st.sampled_from(StrategyKind)),
            maker_time_in_force=draw(st.sampled_from([TimeInForce.GTC, *TimeInForce])),
            taker_time_in_force=draw(st.sampled_from([TimeInForce.GTC, *TimeInForce])),
            seed=draw(st.integers(0, 99)),
        )
    except ScheduleError:  # an odd number of slots
        return schedule(2, 2)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """A fresh run of free or scheduled slots, with fees, and budgets that may or may not be enough."""
    if draw(st.booleans()):
        slots, budgets = draw(free_slots), st.integers(0, 600)
    else:
        slots, budgets = draw(scheduled_slots()), st.sampled_from([10**9, 10**11, 10**12, 10**15])
    keys = a_plan(slots).budgets
    plan = a_plan(slots, {key: draw(budgets) for key in keys}, draw(fees))
    return Run(plan, slots, draw(preventions))
