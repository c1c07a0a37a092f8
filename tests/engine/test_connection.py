"""A run's connection: what its venue told that could not be settled, in words."""

from orderbook_tui.core.replay import replay
from orderbook_tui.engine.connection import Connection
from orderbook_tui.engine.executor import SlotExecutor
from tests.builders import a_plan, ask, bid, slots_of, small_market
from tests.engine.test_elsewhere import Deaf

MARKET = small_market()


def told(*strays: str) -> Connection:
    """A connection whose venue has told these, which could not be settled."""
    slots = slots_of(("a", bid(MARKET, 10, 100)), ("b", ask(MARKET, 10, 100)))
    state, _, settlement = replay(a_plan(slots), slots)
    connection = Connection(SlotExecutor(state, settlement, Deaf()), None, None)
    assert connection.elsewhere is not None
    for place, words in enumerate(strays):
        connection.elsewhere.stray(words, slots[place % 2])
    return connection


def test_the_same_words_about_several_slots_are_noted_once() -> None:
    assert told("a fill came too late", "a fill came too late").strays(known=()) == ["a fill came too late"]


def test_what_is_known_is_not_noted_again() -> None:
    assert told("first", "second").strays(known=["first"]) == ["second"]


def test_of_many_the_first_are_noted_and_the_rest_counted() -> None:
    noted = told(*(f"fill {number}" for number in range(23))).strays(known=["fill 0"])

    assert noted == [*(f"fill {number}" for number in range(1, 21)), "the venue told 2 more things that could not be settled"]
