"""The budgets of a run as a list: filtered by words, in one of three orders.

A store may hold a million budgets, so a list is made step by step: whoever makes it may do something else in between, and no
step takes longer than putting a million together, some 30 ms.
"""

from array import array
from collections.abc import Generator, Iterable, Iterator
from enum import StrEnum
from itertools import chain
from operator import methodcaller
from typing import Final

from orderbook_tui.core.budget import AccountBudget, BudgetStore
from orderbook_tui.engine.budget_level import Level, level_of

_SLICE: Final = 10_000
_PARTS: Final = 1_000_000
"""Budgets are ordered by how many millionth parts of them are free."""
_NEVER: Final = _PARTS + 1000
LEVELS: Final = {"over": Level.HIGH, "depleted": Level.DEPLETED}
"""The words that find budgets not by name alone, but also by how far they are used."""


class BudgetOrder(StrEnum):
    """How a list of budgets is ordered; within the same, by account as the plan has them."""

    ACCOUNT = "by account"
    USED = "most used first"
    ASSET = "by asset"

    @property
    def next(self) -> "BudgetOrder":
        """The order that comes after this one."""
        orders = list(BudgetOrder)
        return orders[(orders.index(self) + 1) % len(orders)]


Listing = Generator[None, None, list[AccountBudget]]
"""Yields after each step, and returns the list."""


def list_budgets(budgets: BudgetStore, order: BudgetOrder = BudgetOrder.ACCOUNT, words: Iterable[str] = ()) -> Listing:
    """Make the list of all budgets that each of `words` fits: the account or the asset has it in its name, in any case.

    `over` and `depleted` also fit the budgets that are so at that moment.
    """
    folded = [word.casefold() for word in words]
    found = (yield from _filtered(budgets, folded)) if folded else all_budgets(budgets)
    if order is BudgetOrder.USED:
        return (yield from _by_use(found))
    if order is BudgetOrder.ASSET:
        return (yield from _by_asset(found, budgets))
    return found


def all_budgets(budgets: BudgetStore) -> list[AccountBudget]:
    """Return all budgets, in the order of the plan: a million in some 30 ms."""
    return list(chain.from_iterable(map(methodcaller("values"), budgets.accounts.values())))


def each_budget(budgets: BudgetStore) -> Iterator[AccountBudget]:
    """Yield all budgets one by one, whatever happens to the store meanwhile."""
    return chain.from_iterable(list(held.values()) for held in list(budgets.accounts.values()))


def _filtered(budgets: BudgetStore, words: list[str]) -> Listing:
    symbols = {symbol: symbol.casefold() for symbol in budgets.assets}
    having: dict[tuple[str, ...], set[str]] = {}  # the assets that have all of some words in their names
    found: list[AccountBudget] = []
    by_level = not LEVELS.keys().isdisjoint(words)
    looked_at = 0
    for held in list(budgets.accounts.values()):
        looked_at += len(held) if by_level else 4  # names are looked at by account
        if looked_at >= _SLICE:
            looked_at = 0
            yield
        named = ""
        for budget in held.values():
            named = budget.account.name.casefold()
            break
        missing = tuple([word for word in words if word not in named])
        if not missing:
            found += held.values()
        elif by_level:
            found += [budget for symbol, budget in held.items() if _fits(budget, missing, symbols[symbol])]
        else:
            chosen = having.get(missing)
            if chosen is None:
                chosen = having[missing] = {symbol for symbol, text in symbols.items() if all(word in text for word in missing)}
            if chosen:
                found += [budget for symbol, budget in held.items() if symbol in chosen]
    return found


def _fits(budget: AccountBudget, words: Iterable[str], symbol: str) -> bool:
    level = level_of(budget.initial, budget.available, budget.locked)
    return all(word in symbol or LEVELS.get(word) is level for word in words)


def _by_asset(found: list[AccountBudget], budgets: BudgetStore) -> Listing:
    of: dict[str, list[AccountBudget]] = {symbol: [] for symbol in budgets.assets}
    for start in range(0, len(found), _SLICE):
        for budget in found[start : start + _SLICE]:
            of[budget.asset.symbol].append(budget)
        yield
    return list(chain.from_iterable(of.values()))


def _by_use(found: list[AccountBudget]) -> Listing:
    """Sort by the share that is used, the highest first: by the last three digits of what is free, then by those before.

    A sort by comparing would be one step, and half a second of it for a million; this is as many steps as one likes. It is
    places that are sorted, as machine numbers: to copy a list of a million budgets would touch each of them.
    """
    free, piles = array("q"), _piles()
    for start in range(0, len(found), _SLICE):
        for place, budget in enumerate(found[start : start + _SLICE], start):
            # What was given nothing comes last.
            parts = budget.available * _PARTS // budget.initial if budget.initial else _NEVER
            free.append(parts)
            piles[parts % 1000].append(place)
        yield
    places, piles = _put_together(piles), _piles()
    for start in range(0, len(places), _SLICE):
        for place in places[start : start + _SLICE]:
            piles[free[place] // 1000].append(place)
        yield
    places = _put_together(piles)
    ordered: list[AccountBudget] = []
    for start in range(0, len(places), _SLICE):
        ordered += [found[place] for place in places[start : start + _SLICE]]
        yield
    return ordered


def _piles() -> list["array[int]"]:
    return [array("q") for _ in range(_NEVER // 1000 + 1)]


def _put_together(piles: list["array[int]"]) -> "array[int]":
    places = array("q")
    for pile in piles:
        places += pile
    return places
