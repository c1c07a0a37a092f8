"""The waits between attempts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.engine.retry import Backoff

PLAIN = Backoff(base_delay_ms=500, jitter=0)


def test_the_first_wait_is_the_base_delay() -> None:
    assert PLAIN.seconds(1) == 0.5


def test_each_wait_is_twice_the_one_before() -> None:
    assert [PLAIN.seconds(retry) for retry in range(1, 7)] == [0.5, 1, 2, 4, 8, 16]


def test_no_wait_is_longer_than_thirty_seconds() -> None:
    assert PLAIN.seconds(7) == 30


def test_the_bound_may_be_another() -> None:
    assert Backoff(base_delay_ms=500, max_delay_ms=700, jitter=0).seconds(2) == 0.7


@pytest.mark.parametrize("retry", [100, 10_000, 1_000_000])
def test_a_late_retry_waits_as_long_as_the_bound(retry: int) -> None:
    assert PLAIN.seconds(retry) == 30


@given(retry=st.integers(1, 6), slot=st.integers(0, 10**6), seed=st.integers(0, 2**63 - 1))
def test_jitter_stays_within_a_tenth(retry: int, slot: int, seed: int) -> None:
    wait = 0.5 * 2 ** (retry - 1)

    assert 0.9 * wait <= Backoff(seed=seed).seconds(retry, slot) <= 1.1 * wait


@given(retry=st.integers(1, 100), slot=st.integers(0, 10**6))
def test_jitter_never_lifts_a_wait_above_the_bound(retry: int, slot: int) -> None:
    assert Backoff(jitter=1.0).seconds(retry, slot) <= 30


def test_jitter_spreads_the_waits_of_slots() -> None:
    waits = {Backoff().seconds(1, slot) for slot in range(100)}

    assert len(waits) == 100
    assert min(waits) < 0.47
    assert max(waits) > 0.53


def test_equal_seeds_give_equal_waits() -> None:
    assert [Backoff(seed=7).seconds(n, n) for n in range(1, 9)] == [Backoff(seed=7).seconds(n, n) for n in range(1, 9)]


def test_another_seed_gives_other_waits() -> None:
    assert Backoff(seed=7).seconds(1) != Backoff(seed=8).seconds(1)


def test_without_a_base_delay_there_is_no_wait() -> None:
    assert Backoff(base_delay_ms=0).seconds(5) == 0
