"""The rate, as a person changes it."""

from orderbook_tui.tui.pace import RATES, next_rate, rate_in_words


def test_faster_and_slower_go_through_round_numbers() -> None:
    assert next_rate(5, 0, faster=True) == 10
    assert next_rate(5, 0, faster=False) == 2
    assert next_rate(7, 0, faster=True) == 10
    assert next_rate(7, 0, faster=False) == 5


def test_beyond_the_last_rate_a_run_is_as_fast_as_it_goes() -> None:
    assert next_rate(RATES[-1], 0, faster=True) is None
    assert next_rate(None, 0, faster=True) is None
    assert rate_in_words(None) == "as fast as it goes"


def test_a_run_as_fast_as_it_goes_slows_down_from_its_pace() -> None:
    assert next_rate(None, 812.5, faster=False) == 500
    assert next_rate(None, 0.0, faster=False) == 500
    assert next_rate(None, 0.4, faster=False) == 0.2
    assert rate_in_words(1) == "1 slot a second at most"


def test_there_is_a_slowest_rate() -> None:
    assert next_rate(RATES[0], 0, faster=False) == RATES[0]
