"""The schedule: exact counts, alternating sides, pairs that cross, and the same draw on every machine."""

import random
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.core.action import StrategyKind
from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.market import Market, MarketStatus
from orderbook_tui.core.scheduler import MarketDistribution, SchedulerConfig, SlotScheduler, check_count, draw
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.errors import AmountError, ScheduleError
from tests.builders import a_market, a_plan, schedule, some_accounts, some_markets
from tests.core.by_hand import Run

EVERY = [(accounts, trades) for accounts in range(2, 10) for trades in range(1, 11) if accounts * trades % 2 == 0]
ODD = [(accounts, trades) for accounts in range(2, 10) for trades in range(1, 11) if accounts * trades % 2]
every_count = pytest.mark.parametrize(("accounts", "trades"), EVERY)
any_offsets = st.tuples(st.integers(80, 120), st.integers(0, 30)).map(lambda both: (both[0] + both[1], both[0]))


@cache
def made(accounts: int, trades: int) -> tuple[list[ActionSlot], ...]:
    """The schedules of so many accounts and trades over 1, 2, 3 and 4 markets, with both settings of alternate_sides."""
    return tuple(
        schedule(accounts, trades, markets, alternate_sides=alternate)
        for markets in (1, 2, 3, 4)
        for alternate in (True, False)
    )


def pairs_of(slots: list[ActionSlot]) -> list[tuple[ActionSlot, ActionSlot]]:
    return list(zip(slots[::2], slots[1::2], strict=True))


def sides_by_account(slots: Iterable[ActionSlot]) -> dict[str, list[Side]]:
    sides: dict[str, list[Side]] = {}
    for slot in slots:
        sides.setdefault(slot.account_id, []).append(slot.action.side)
    return sides


def buyer_and_seller(pair: tuple[ActionSlot, ActionSlot]) -> tuple[str, str]:
    one, other = pair
    return (one.account_id, other.account_id) if one.action.side is Side.BID else (other.account_id, one.account_id)


def markets_of(slots: list[ActionSlot]) -> list[str]:
    """The market of each pair."""
    return [first.action.market.symbol for first, _ in pairs_of(slots)]


# What holds of every schedule


@every_count
def test_every_account_gets_exactly_its_trades(accounts: int, trades: int) -> None:
    expected = {account.id: trades for account in some_accounts(accounts)}
    for slots in made(accounts, trades):
        assert Counter(slot.account_id for slot in slots) == expected


@every_count
def test_sides_alternate_where_asked(accounts: int, trades: int) -> None:
    for markets in (1, 2, 3, 4):
        for sides in sides_by_account(schedule(accounts, trades, markets)).values():
            assert all(one is not other for one, other in pairwise(sides))


@every_count
def test_slots_are_numbered_in_the_order_in_which_they_run(accounts: int, trades: int) -> None:
    for slots in made(accounts, trades):
        assert [slot.sequence for slot in slots] == list(range(accounts * trades))


@every_count
def test_a_pair_trades_one_market(accounts: int, trades: int) -> None:
    for slots in made(accounts, trades):
        assert all(first.action.market == second.action.market for first, second in pairs_of(slots))


@every_count
def test_a_pair_trades_one_quantity(accounts: int, trades: int) -> None:
    for slots in made(accounts, trades):
        assert all(first.action.quantity == second.action.quantity for first, second in pairs_of(slots))


@every_count
def test_a_pair_has_a_bid_and_an_ask(accounts: int, trades: int) -> None:
    for slots in made(accounts, trades):
        assert all({first.action.side, second.action.side} == set(Side) for first, second in pairs_of(slots))


@every_count
def test_the_ask_is_placed_first_in_every_odd_pair(accounts: int, trades: int) -> None:
    for slots in made(accounts, trades):
        assert [first.action.side for first, _ in pairs_of(slots)] == [Side(k % 2) for k in range(len(slots) // 2)]


@every_count
def test_a_pair_has_two_accounts(accounts: int, trades: int) -> None:
    for slots in made(accounts, trades):
        assert all(first.account_id != second.account_id for first, second in pairs_of(slots))


@every_count
def test_the_slots_of_a_pair_name_each_other(accounts: int, trades: int) -> None:
    for slots in made(accounts, trades):
        for first, second in pairs_of(slots):
            assert first.action.matching_strategy.account == second.account_id
            assert second.action.matching_strategy.account == first.account_id


@every_count
def test_a_pairs_bid_is_at_least_its_ask(accounts: int, trades: int) -> None:
    for slots in made(accounts, trades):
        for pair in pairs_of(slots):
            price = {slot.action.side: slot.action.price for slot in pair}
            assert price[Side.BID] >= price[Side.ASK]


@every_count
def test_every_slot_starts_pending(accounts: int, trades: int) -> None:
    for slots in made(accounts, trades):
        assert all(slot.state is SlotState.PENDING for slot in slots)


@every_count
def test_every_pair_trades_whole_when_it_is_run(accounts: int, trades: int) -> None:
    for slots in made(accounts, trades):
        run = Run(a_plan(slots), [ActionSlot(slot.sequence, slot.account_id, slot.action) for slot in slots])
        run.to_the_end()
        assert all(slot.verdict == "matched" for slot in run.slots)


@every_count
def test_the_walk_is_the_one_that_is_written_down(accounts: int, trades: int) -> None:
    names = [account.id for account in some_accounts(accounts)]
    walk = [names[(s + (s // accounts if accounts % 2 == 0 else 0)) % accounts] for s in range(accounts * trades)]
    buyers_and_sellers = [buyer_and_seller(pair) for pair in pairs_of(schedule(accounts, trades))]
    assert buyers_and_sellers == list(zip(walk[::2], walk[1::2], strict=True))


@pytest.mark.parametrize("accounts", range(5, 13))
def test_neighbouring_pairs_share_no_account_from_five_accounts_on(accounts: int) -> None:
    pairs = [{first.account_id, second.account_id} for first, second in pairs_of(schedule(accounts, 20))]
    assert all(one.isdisjoint(other) for one, other in pairwise(pairs))


def test_of_four_accounts_every_other_pair_of_neighbours_shares_none() -> None:
    # Two disjoint pairs use up all four: the next pair could be disjoint only by repeating the one before.
    pairs = [{first.account_id, second.account_id} for first, second in pairs_of(schedule(4, 20))]
    assert [one.isdisjoint(other) for one, other in pairwise(pairs)] == [k % 2 == 0 for k in range(len(pairs) - 1)]


@pytest.mark.parametrize(("accounts", "trades"), ODD)
def test_an_odd_number_of_slots_is_refused(accounts: int, trades: int) -> None:
    with pytest.raises(ScheduleError, match=f"{accounts} accounts with {trades} trades each are an odd number of slots"):
        schedule(accounts, trades)


@pytest.mark.parametrize("rounds", [2, 3])
@pytest.mark.parametrize(("accounts", "trades"), [(2, 3), (4, 1), (5, 2), (9, 4)])
def test_rounds_multiply_the_trades_of_every_account(accounts: int, trades: int, rounds: int) -> None:
    slots = schedule(accounts, trades, rounds=rounds)
    assert set(Counter(slot.account_id for slot in slots).values()) == {trades * rounds}


def test_two_rounds_make_an_odd_count_even() -> None:
    assert len(schedule(3, 3, rounds=2)) == 18


def test_sides_alternate_across_rounds() -> None:
    for sides in sides_by_account(schedule(5, 2, rounds=3)).values():
        assert all(one is not other for one, other in pairwise(sides))


def test_drawn_sides_come_both_ways() -> None:
    slots = schedule(2, 40, alternate_sides=False)
    assert {buyer_and_seller(pair) for pair in pairs_of(slots)} == {("a", "b"), ("b", "a")}


def test_drawn_sides_do_not_always_alternate() -> None:
    sides = sides_by_account(schedule(2, 40, alternate_sides=False))["a"]
    assert any(one is other for one, other in pairwise(sides))


def test_drawn_sides_are_drawn_from_the_seed() -> None:
    drawn = [
        tuple(buyer_and_seller(pair) for pair in pairs_of(schedule(4, 20, alternate_sides=False, seed=seed)))
        for seed in (1, 1, 2)
    ]
    assert (drawn[0] == drawn[1], drawn[0] == drawn[2]) == (True, False)


# Prices and amounts


@given(any_offsets, st.decimals("0.5", "9999", places=3), st.sampled_from(["0.01", "0.05", "0.3"]))
def test_bids_round_up_and_asks_down_to_the_tick(offsets: tuple[int, int], reference: Decimal, tick: str) -> None:
    bid_percent, ask_percent = offsets
    market = a_market(reference=str(reference), tick=tick)
    slots = schedule(2, 1, [market], bid_price_offset=f"{bid_percent}E-2", ask_price_offset=f"{ask_percent}E-2")
    exact = {Side.BID: Fraction(reference) * bid_percent / 100, Side.ASK: Fraction(reference) * ask_percent / 100}
    for slot in slots:
        above = Fraction(market.price(slot.action.price)) - exact[slot.action.side]
        assert 0 <= (above if slot.action.side is Side.BID else -above) < Fraction(tick)


@given(
    offsets=any_offsets,
    least=st.integers(50, 3000),
    width=st.integers(0, 3000),
    lot=st.sampled_from(["0.000001", "0.01", "0.25"]),
    seed=st.integers(0, 10**6),
)
def test_every_trade_lies_in_the_range_at_the_price_of_the_first(
    offsets: tuple[int, int], least: int, width: int, lot: str, seed: int
) -> None:
    config = {"bid_price_offset": f"{offsets[0]}E-2", "ask_price_offset": f"{offsets[1]}E-2"}
    most = least + width + 100
    slots = schedule(4, 6, [a_market(lot=lot)], min_amount=least, max_amount=most, seed=seed, **config)
    for first, _ in pairs_of(slots):
        assert least <= first.action.notional <= most


@given(least=st.integers(1, 40), width=st.integers(0, 40), lot=st.sampled_from(["0.001", "0.25", "1"]))
def test_amounts_in_base_are_the_quantity(least: int, width: int, lot: str) -> None:
    slots = schedule(4, 6, [a_market(lot=lot)], min_amount=least, max_amount=least + width, amount_in="base")
    for slot in slots:
        assert least <= slot.action.market.quantity(slot.action.quantity) <= least + width


def test_amounts_reach_both_ends_of_the_range() -> None:
    slots = schedule(2, 200, [a_market(lot="1")], min_amount=1, max_amount=3, amount_in="base")
    assert {slot.action.quantity for slot in slots} == {1, 2, 3}


def test_fixed_amounts_are_the_least_in_the_range() -> None:
    slots = schedule(4, 6, [a_market(lot="0.3")], min_amount=100, max_amount=5000, amount_distribution="fixed")
    assert {slot.action.notional for slot in slots} == {Decimal(120)}


def test_a_range_of_one_amount_is_that_amount() -> None:
    slots = schedule(4, 6, [a_market(lot="0.5")], min_amount=100, max_amount=100)
    assert {slot.action.notional for slot in slots} == {Decimal(100)}


def test_the_maker_and_the_taker_live_as_configured() -> None:
    slots = schedule(4, 6, maker_time_in_force=TimeInForce.POST_ONLY, taker_time_in_force=TimeInForce.IOC)
    assert [slot.action.time_in_force for slot in slots] == [TimeInForce.POST_ONLY, TimeInForce.IOC] * 12


def test_slots_may_be_tried_once_and_retried_as_configured() -> None:
    assert {(slot.max_retries, slot.allowed_attempts) for slot in schedule(2, 2, max_retries=5)} == {(5, 6)}


# Markets


@pytest.mark.parametrize("markets", range(1, 6))
@pytest.mark.parametrize("accounts", range(2, 10))
def test_in_turn_every_account_buys_and_sells_equally_on_every_market(accounts: int, markets: int) -> None:
    slots = schedule(accounts, 2 * markets, markets)
    done = Counter((slot.account_id, slot.action.market.symbol, slot.action.side) for slot in slots)
    assert (len(done), set(done.values())) == (accounts * markets * 2, {1})


@pytest.mark.parametrize("markets", range(1, 6))
@every_count
def test_in_turn_an_accounts_trades_differ_by_few_between_markets(accounts: int, trades: int, markets: int) -> None:
    done = Counter((slot.account_id, slot.action.market.symbol) for slot in schedule(accounts, trades, markets))
    for account in some_accounts(accounts):
        counts = [done[account.id, market.symbol] for market in some_markets(markets)]
        assert max(counts) - min(counts) <= 2


def test_the_same_market_is_the_first() -> None:
    assert set(markets_of(schedule(4, 6, 3, market_distribution=MarketDistribution.SAME_MARKET))) == {"C0-USD"}


@pytest.mark.parametrize("markets", range(1, 6))
@every_count
def test_in_sequence_no_market_comes_back(accounts: int, trades: int, markets: int) -> None:
    order = markets_of(schedule(accounts, trades, markets, market_distribution=MarketDistribution.SEQUENTIAL))
    assert order == sorted(order)


def test_in_sequence_every_market_gets_as_many() -> None:
    order = markets_of(schedule(6, 10, 3, market_distribution=MarketDistribution.SEQUENTIAL))
    assert Counter(order) == {"C0-USD": 10, "C1-USD": 10, "C2-USD": 10}


def test_at_random_every_market_gets_about_as_many() -> None:
    counts = Counter(markets_of(schedule(10, 600, 3, market_distribution=MarketDistribution.RANDOM)))
    assert all(900 < counts[market.symbol] < 1100 for market in some_markets(3))


def test_at_random_markets_are_drawn_from_the_seed() -> None:
    drawn = [markets_of(schedule(4, 20, 3, market_distribution=MarketDistribution.RANDOM, seed=seed)) for seed in (1, 1, 2)]
    assert (drawn[0] == drawn[1], drawn[0] == drawn[2]) == (True, False)


def weighted(weights: dict[str, Any], accounts: int = 10, trades: int = 600) -> Counter[str]:
    return Counter(
        markets_of(schedule(accounts, trades, 3, market_distribution=MarketDistribution.WEIGHTED, market_weights=weights))
    )


def test_by_weight_markets_come_in_proportion() -> None:
    counts = weighted({"C0-USD": Decimal("0.5"), "C1-USD": Decimal("0.3"), "C2-USD": Decimal("0.2")})
    assert (1400 < counts["C0-USD"] < 1600, 800 < counts["C1-USD"] < 1000, 500 < counts["C2-USD"] < 700) == (True,) * 3


def test_by_weight_a_market_without_weight_gets_none() -> None:
    assert set(weighted({"C0-USD": 1, "C2-USD": 1})) == {"C0-USD", "C2-USD"}


@pytest.mark.parametrize("weights", [{}, {"C0-USD": 0}, {"C0-USD": 2, "C1-USD": -1}, {"elsewhere": 1}])
def test_weights_that_choose_no_market_are_refused(weights: dict[str, Any]) -> None:
    with pytest.raises(ScheduleError, match="market_weights must give active markets weights"):
        weighted(weights, 2, 2)


@pytest.mark.parametrize("status", [MarketStatus.INACTIVE, MarketStatus.SUSPENDED])
def test_a_market_that_is_not_active_gets_no_slots(status: MarketStatus) -> None:
    markets = [a_market("BTC-USD", status=status), a_market("ETH-USD")]
    assert {slot.action.market.symbol for slot in schedule(4, 6, markets)} == {"ETH-USD"}


# Counterparties


def test_any_takes_anybody() -> None:
    assert {slot.action.matching_strategy.account for slot in schedule(4, 6, matching_strategy=StrategyKind.ANY)} == {None}


def coupled(accounts: int, trades: int, couples: dict[str, str], **config: Any) -> list[ActionSlot]:
    return schedule(accounts, trades, matching_strategy=StrategyKind.MATCH_WITH, match_with=couples, **config)


COUPLES = [
    (accounts, trades, couples)
    for accounts, trades in EVERY
    for couples in ({"a": "b"}, {"b": "a"}, {"a": "c"}, {"a": "b", "c": "d"}, {"d": "a", "b": "e"})
    if max("".join(couples) + "".join(couples.values())) <= chr(ord("a") + accounts - 1) and accounts - 2 * len(couples) != 1
]
every_couple = pytest.mark.parametrize(("accounts", "trades", "couples"), COUPLES)


@every_couple
def test_a_couple_trades_with_each_other_alone(accounts: int, trades: int, couples: dict[str, str]) -> None:
    partner = couples | {other: one for one, other in couples.items()}
    for pair in pairs_of(coupled(accounts, trades, couples)):
        buyer, seller = buyer_and_seller(pair)
        assert partner.get(buyer, seller) == seller
        assert partner.get(seller, buyer) == buyer


@every_couple
def test_with_couples_every_account_still_gets_exactly_its_trades(accounts: int, trades: int, couples: dict[str, str]) -> None:
    slots = coupled(accounts, trades, couples)
    assert Counter(slot.account_id for slot in slots) == {account.id: trades for account in some_accounts(accounts)}


@every_couple
def test_with_couples_sides_still_alternate(accounts: int, trades: int, couples: dict[str, str]) -> None:
    for sides in sides_by_account(coupled(accounts, trades, couples)).values():
        assert all(one is not other for one, other in pairwise(sides))


def test_a_couple_may_be_named_from_both_ends() -> None:
    assert coupled(4, 2, {"a": "b", "b": "a"}) == coupled(4, 2, {"a": "b"})


def test_match_with_names_the_account_in_the_order() -> None:
    first, second = coupled(2, 1, {"a": "b"})
    assert (first.action.matching_strategy.kind, first.action.matching_strategy.account) == ("match_with", second.account_id)


@pytest.mark.parametrize(
    ("couples", "words"),
    [
        ({"a": "z"}, "match_with names z, which is no account"),
        ({"z": "a"}, "match_with names z, which is no account"),
        ({"a": "b", "c": "b"}, "match_with gives b more than one counterparty"),
        ({"a": "a"}, "match_with gives a more than one counterparty, or itself"),
    ],
)
def test_couples_that_cannot_be_are_refused(couples: dict[str, str], words: str) -> None:
    with pytest.raises(ScheduleError, match=words):
        coupled(4, 2, couples)


def test_an_account_left_over_by_the_couples_is_refused() -> None:
    with pytest.raises(ScheduleError, match="match_with leaves c without a counterparty"):
        coupled(3, 2, {"a": "b"})


# The same everywhere


def digest(slots: list[ActionSlot]) -> str:
    lines = "".join(
        f"{slot.sequence} {slot.account_id} {slot.action.market.symbol} {slot.action.side.word} {slot.action.quantity} "
        f"{slot.action.price} {slot.action.matching_strategy.account} {slot.action.time_in_force}\n"
        for slot in slots
    )
    return sha256(lines.encode()).hexdigest()


def test_the_schedule_of_a_seed_is_what_it_was_when_this_was_written() -> None:
    slots = schedule(
        5, 8, 3, seed=7, alternate_sides=False, market_distribution="random", bid_price_offset="1.01", ask_price_offset="0.985"
    )
    assert digest(slots) == "2421ff11b4bfd270483d5bbf333e64c1f61ecad8103035b6360ec3159dbfe8c9"


@given(st.integers(-(10**9), 10**20))
def test_one_seed_makes_one_schedule(seed: int) -> None:
    assert schedule(4, 5, 2, seed=seed) == schedule(4, 5, 2, seed=seed)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_another_seed_makes_another_schedule(seed: int, more: int) -> None:
    assert schedule(4, 10, 2, seed=seed) != schedule(4, 10, 2, seed=seed + more)


def test_the_seed_is_1_where_none_is_given() -> None:
    assert schedule(4, 10) == schedule(4, 10, seed=1)


def test_nothing_else_is_drawn_from() -> None:
    random.seed(1)
    first = schedule(4, 10, 3, market_distribution="random")
    random.seed(2)
    assert schedule(4, 10, 3, market_distribution="random") == first


@given(count=st.one_of(st.integers(1, 100), st.integers(1, 1 << 32), st.integers(1 << 32, 1 << 64)), seed=st.integers(0, 10**6))
def test_a_draw_is_below_its_count(count: int, seed: int) -> None:
    rng = random.Random(seed)
    assert all(0 <= draw(rng, count) < count for _ in range(10))


@pytest.mark.parametrize("count", [3, 10])
def test_a_draw_is_even(count: int) -> None:
    rng = random.Random(1)
    drawn = Counter(draw(rng, count) for _ in range(30_000))
    assert all(abs(drawn[value] * count / 30_000 - 1) < 0.06 for value in range(count))


def test_large_draws_reach_past_the_precision_of_a_float() -> None:
    rng = random.Random(1)
    assert {draw(rng, 1 << 60) & 7 for _ in range(100)} == set(range(8))


# Refused, with words


def refusal(accounts: int = 4, trades: int = 10, markets: int | list[Market] = 1, **config: Any) -> str:
    with pytest.raises(ScheduleError) as refused:
        schedule(accounts, trades, markets, **config)
    return str(refused.value)


def test_one_account_is_refused() -> None:
    assert refusal(accounts=1) == "a pair needs two accounts, there is 1"


def test_no_account_is_refused() -> None:
    assert refusal(accounts=0) == "a pair needs two accounts, there are 0"


def test_an_odd_number_of_slots_is_refused_with_what_would_do() -> None:
    assert refusal(3, 3) == "3 accounts with 3 trades each are an odd number of slots: make one of them even"


def test_bids_below_asks_are_refused() -> None:
    assert "bids at 99 are below asks at 101 and would never cross" in refusal(bid_price_offset="0.99", ask_price_offset="1.01")


def test_a_range_without_a_whole_lot_is_refused_with_the_lot() -> None:
    words = refusal(markets=[a_market(lot="1")], min_amount=101, max_amount=199)
    assert words == "BTC-USD: no whole number of lots lies between 101 and 199 USD: one lot is 100 USD"


def test_no_market_at_all_is_refused() -> None:
    assert refusal(markets=[]) == "no market is active"


def test_no_active_market_is_refused() -> None:
    assert refusal(markets=[a_market(status=MarketStatus.SUSPENDED)]) == "no market is active"


def test_two_accounts_of_one_id_are_refused() -> None:
    with pytest.raises(ScheduleError, match="two accounts have the same id"):
        SlotScheduler(SchedulerConfig()).generate_schedule(["a", "a"], [a_market()])


def test_more_slots_than_fit_are_refused_before_any_is_made() -> None:
    with pytest.raises(ScheduleError, match="at most 10000000 fit"):
        check_count(10**9, 10**9)


def test_a_range_upside_down_is_refused() -> None:
    assert refusal(min_amount=200, max_amount=100) == "max_amount 100 is below min_amount 200"


@pytest.mark.parametrize("name", ["min_amount", "max_amount", "bid_price_offset", "ask_price_offset"])
@pytest.mark.parametrize("value", [0, -1])
def test_an_amount_or_offset_that_is_not_positive_is_refused(name: str, value: int) -> None:
    assert refusal(4, 10, 1, **{name: value}) == f"{name} is {value}, it must be positive"


@pytest.mark.parametrize(
    "name",
    [
        "market_distribution",
        "matching_strategy",
        "amount_in",
        "amount_distribution",
        "maker_time_in_force",
        "taker_time_in_force",
    ],
)
def test_a_choice_that_there_is_not_is_refused_with_those_that_there_are(name: str) -> None:
    assert refusal(4, 10, 1, **{name: "sideways"}).startswith(f"{name} is 'sideways', it must be one of ")


def test_a_choice_may_be_given_as_its_text() -> None:
    assert schedule(4, 6, matching_strategy="any") == schedule(4, 6, matching_strategy=StrategyKind.ANY)


@pytest.mark.parametrize("name", ["trades_per_account", "rounds"])
def test_no_trades_or_rounds_are_refused(name: str) -> None:
    with pytest.raises(ScheduleError, match=f"{name} is 0, it must be at least 1"):
        SchedulerConfig(**{name: 0})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1E+999999999", "ten"])
def test_an_absurd_amount_is_refused(value: str) -> None:
    with pytest.raises(AmountError):
        SchedulerConfig(max_amount=value)  # type: ignore[arg-type]


def test_a_trade_larger_than_any_budget_is_refused() -> None:
    assert "larger than any budget can be" in refusal(max_amount=10**12)


def test_asks_below_one_tick_are_refused() -> None:
    assert "are below the tick, 0.01" in refusal(markets=[a_market(reference="0.005")])
