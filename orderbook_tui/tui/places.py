"""The five screens that one can go to: their keys, their names, and where their code is.

A screen's module is imported when it is first gone to.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from textual.screen import Screen


class Place(NamedTuple):
    """A screen that a key leads to: `digit` itself, and the function key of that number."""

    digit: int
    title: str
    what: str
    make: Callable[[], Screen[Any]]


def _schedule() -> Screen[Any]:
    from orderbook_tui.tui.screens.schedule import ScheduleScreen

    return ScheduleScreen()


def _slots() -> Screen[Any]:
    from orderbook_tui.tui.screens.slots import SlotsScreen

    return SlotsScreen()


def _budgets() -> Screen[Any]:
    from orderbook_tui.tui.screens.budgets import BudgetsScreen

    return BudgetsScreen()


def _book() -> Screen[Any]:
    from orderbook_tui.tui.screens.book import BookScreen

    return BookScreen()


def _checkpoints() -> Screen[Any]:
    from orderbook_tui.tui.screens.checkpoints import CheckpointsScreen

    return CheckpointsScreen()


PLACES: Final = {
    "schedule": Place(1, "Schedule", "build a run: its fields, its slots, what it will need", _schedule),
    "slots": Place(2, "Slots", "the slots of the run", _slots),
    "budgets": Place(3, "Budgets", "what each account may still give", _budgets),
    "book": Place(4, "Book", "the order book of a market, and its trades", _book),
    "checkpoints": Place(5, "Checkpoints", "the runs that were saved", _checkpoints),
}
