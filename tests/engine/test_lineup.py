"""Which slot may start next, where several are under way."""

from collections.abc import Iterator, Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.lineup import AHEAD, Lineup
from tests.builders import ask, bid, slots_of, small_market
from tests.machines import effort

MARKET = small_market()
COUPLES = ("ab", "ac", "bc", "cd", "de", "ef", "fa", "gh")


def pairs(*accounts: str) -> list[ActionSlot]:
    """A pair of slots for each two letters."""
    orders = [
        (name, order) for two in accounts for name, order in zip(two, (bid(MARKET, 10, 100), ask(MARKET, 10, 100)), strict=True)
    ]
    return slots_of(*orders)


def lineup_of(*accounts: str, most: int = 8) -> Lineup:
    slots = pairs(*accounts)
    return Lineup(slots, slots, most)


def started(lineup: Lineup) -> list[ActionSlot]:
    """Start all that may start."""
    slots = []
    while (slot := lineup.next) is not None:
        lineup.start(slot)
        slots.append(slot)
    return slots


def sequences(slots: Sequence[ActionSlot]) -> list[int]:
    return [slot.sequence for slot in slots]


def test_pairs_that_share_no_account_start_together() -> None:
    assert sequences(started(lineup_of("ab", "cd", "ef"))) == [0, 2, 4]


def test_a_second_slot_starts_when_its_first_has_ended() -> None:
    lineup = lineup_of("ab")
    (first,) = started(lineup)
    lineup.ended(first)

    assert sequences(started(lineup)) == [1]


def test_a_pair_waits_for_an_earlier_one_that_shares_an_account() -> None:
    lineup = lineup_of("ab", "bc")
    (first,) = started(lineup)
    lineup.ended(first)
    (second,) = started(lineup)
    assert second.sequence == 1
    lineup.ended(second)

    assert sequences(started(lineup)) == [2]


def test_a_pair_that_waits_holds_up_those_behind_it_and_nobody_else() -> None:
    assert sequences(started(lineup_of("ab", "bc", "cd", "ef"))) == [0, 6]


def test_no_more_pairs_are_under_way_than_may_be() -> None:
    lineup = lineup_of("ab", "cd", "ef", most=2)
    first, _ = started(lineup)
    lineup.ended(first)

    assert sequences(started(lineup)) == [1]


def test_a_pair_of_which_one_slot_is_run_keeps_both_accounts() -> None:
    slots = pairs("ab", "bc")
    lineup = Lineup([slots[0], slots[2]], slots, 8)

    assert sequences(started(lineup)) == [0]


def test_slots_in_another_state_are_passed_over() -> None:
    slots = pairs("ab", "bc")
    slots[0].begin(1)
    slots[0].complete(1, 2)

    assert sequences(started(Lineup(slots, slots, 8))) == [1]


def test_no_more_pairs_wait_than_that_a_long_schedule_stays_unread() -> None:
    slots = pairs("ab", *["ac"] * (AHEAD + 100))
    read: list[ActionSlot] = []

    def course() -> Iterator[ActionSlot]:
        for slot in slots:
            read.append(slot)
            yield slot

    started(Lineup(course(), slots, 8))

    assert len(read) <= 2 * (AHEAD + 2)


def test_a_slot_that_has_not_begun_is_to_come() -> None:
    lineup = lineup_of("ab", "bc")
    started(lineup)

    assert [lineup.is_to_come(sequence) for sequence in range(4)] == [False, True, True, True]


def test_every_slot_before_another_has_ended_when_it_is_the_first_left() -> None:
    lineup = lineup_of("ab", "cd")
    first, other = started(lineup)
    lineup.ended(other)
    assert not lineup.is_first_left(3)
    lineup.ended(first)
    second = lineup.next
    assert second is not None
    lineup.start(second)
    lineup.ended(second)

    assert lineup.is_first_left(3)


@effort(60, 50)
@given(st.lists(st.sampled_from(COUPLES), max_size=30), st.integers(1, 6), st.integers(0))
def test_every_slot_is_given_out_once_in_the_order_of_each_account(accounts: list[str], most: int, seed: int) -> None:
    lineup, chance = lineup_of(*accounts, most=most), Random(seed)
    under_way: list[ActionSlot] = []
    order: list[ActionSlot] = []
    while not lineup.is_over:
        new = started(lineup)
        order += new
        under_way += new
        busy = [account for slot in under_way for account in accounts[slot.pair]]
        assert len(busy) == len(set(busy))
        assert 0 < len(under_way) <= most
        lineup.ended(under_way.pop(chance.randrange(len(under_way))))

    assert sorted(sequences(order)) == list(range(2 * len(accounts)))
    for account in set("".join(accounts)):
        own = [slot.sequence for slot in order if account in accounts[slot.pair]]
        assert own == sorted(own)
