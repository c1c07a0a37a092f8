"""Budgets: what each account may still give of each asset.

    available --lock--> locked --spend--> spent
    available <-unlock- locked                      received counts proceeds beside them

The three pots always sum to the initial amount and none is ever negative. `AccountBudget` counts in units of its asset;
`BudgetStore` is the face for people, in Decimal, and remembers every movement.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum

import msgspec

from orderbook_tui.core.garbage import uncollected
from orderbook_tui.core.market import Account
from orderbook_tui.core.money import Asset, decimal, scaled, total
from orderbook_tui.errors import AmountError, InsufficientBudget


# Not a Struct: its pots are written several times a slot, and a Struct takes four times as long to write to.
@dataclass(slots=True)
class AccountBudget:
    """What one account may still give of one asset, in units of that asset."""

    account: Account
    asset: Asset
    initial: int
    available: int
    locked: int = 0
    spent: int = 0
    received: int = 0

    def lock(self, amount: int) -> None:
        """Reserve `amount` for an order that is about to be placed.

        Raises:
            InsufficientBudget: less than `amount` is available; nothing has changed.
            AmountError: `amount` is not positive; nothing has changed.
        """
        if amount > self.available or amount <= 0:
            raise self._refusal(amount, "available", self.available)
        self.available -= amount
        self.locked += amount

    def unlock(self, amount: int) -> None:
        """Give `amount` of what is locked back, as when an order is cancelled. Raises as `lock` does."""
        if amount > self.locked or amount <= 0:
            raise self._refusal(amount, "locked", self.locked)
        self.locked -= amount
        self.available += amount

    def spend(self, amount: int) -> None:
        """Give `amount` of what is locked away for good, as when an order settles. Raises as `lock` does."""
        if amount > self.locked or amount <= 0:
            raise self._refusal(amount, "locked", self.locked)
        self.locked -= amount
        self.spent += amount

    def receive(self, amount: int) -> None:
        """Count `amount` as proceeds. It is not available to give: budgets only deplete.

        Raises:
            AmountError: `amount` is not positive; nothing has changed.
        """
        if amount <= 0:
            raise self._refusal(amount, "received", self.received)
        self.received += amount

    def is_depleted(self) -> bool:
        """Whether nothing is left to give, now or after a cancel."""
        return self.available == 0 and self.locked == 0

    def _refusal(self, amount: int, pot: str, there: int) -> Exception:
        asset = self.asset
        if amount <= 0:
            return AmountError(f"{asset.amount(amount):f} {asset.symbol} is not a positive amount")
        return InsufficientBudget(
            asset.amount(amount), asset.amount(there), account=self.account.name, asset=asset.symbol, pot=pot
        )


class MovementKind(StrEnum):
    """What a row of the ledger did."""

    LOCK = "lock"
    UNLOCK = "unlock"
    SPEND = "spend"
    RECEIVE = "receive"


class Movement(msgspec.Struct, frozen=True, gc=False):
    """One row of the ledger, in units of the asset. `at` is in nanoseconds since the epoch; `slot` is what caused it."""

    account: str
    asset: str
    kind: MovementKind
    amount: int
    at: int | None = None
    slot: int | None = None


class BudgetSnapshot(msgspec.Struct, frozen=True):
    """What the ledger says of one budget right after one movement. Amounts are in the asset."""

    timestamp: int | None
    account_id: str
    asset: str
    kind: MovementKind
    amount: Decimal
    initial: Decimal
    available: Decimal
    locked: Decimal
    spent: Decimal
    received: Decimal
    slot: int | None


class AssetTotals(msgspec.Struct, frozen=True):
    """The pots of all accounts together, in one asset."""

    total_initial: Decimal
    total_available: Decimal
    total_locked: Decimal
    total_spent: Decimal
    total_received: Decimal

    def utilization_percent(self) -> Decimal:
        """Return how much of the initial amount is spent or locked, 0..100."""
        return _percent((self.total_spent, self.total_locked), self.total_initial)


class BudgetSummary(msgspec.Struct, frozen=True):
    """All budgets at once. Totals over several assets add unlike things: they only show how far a run has come."""

    assets: dict[str, AssetTotals]
    budget_count: int
    depleted_count: int

    @property
    def total_initial(self) -> Decimal:
        return total(totals.total_initial for totals in self.assets.values())

    @property
    def total_available(self) -> Decimal:
        return total(totals.total_available for totals in self.assets.values())

    @property
    def total_locked(self) -> Decimal:
        return total(totals.total_locked for totals in self.assets.values())

    @property
    def total_spent(self) -> Decimal:
        return total(totals.total_spent for totals in self.assets.values())

    def total_utilization_percent(self) -> Decimal:
        """Return how much of all initial amounts is spent or locked, 0..100."""
        return _percent((self.total_spent, self.total_locked), self.total_initial)


class BudgetStore:
    """The budgets of all accounts, by account and asset.

    Amounts come in as Decimal, int or text, in the asset; an asset that was not given has 8 decimals, and an account that
    was not given goes by its id. `clock` gives the time of a movement in nanoseconds; `movements` is where the ledger is
    read from, where it is not kept here.
    """

    def __init__(
        self,
        assets: Iterable[Asset] = (),
        *,
        accounts: Iterable[Account] = (),
        clock: Callable[[], int] | None = None,
        movements: Callable[[], Iterable[Movement]] | None = None,
    ) -> None:
        self.assets = {asset.symbol: asset for asset in assets}
        self.accounts: dict[str, dict[str, AccountBudget]] = {}
        self._known = {account.id: account for account in accounts}
        self._clock = clock
        self._kept: list[Movement] = []
        self._movements = movements or (lambda: self._kept)

    def __iter__(self) -> Iterator[AccountBudget]:
        for budgets in self.accounts.values():
            yield from budgets.values()

    def set_budget(self, account: Account | str, asset: Asset | str, amount: Decimal | int | str) -> None:
        """Give `account` a fresh budget of `amount`; what it had of that asset is forgotten.

        Raises:
            AmountError: `amount` is negative, or has more decimals than the asset.
        """
        asset = self._asset(asset)
        units = asset.units(decimal(amount))
        if units < 0:
            raise AmountError(f"a budget of {amount} {asset.symbol} is negative")
        self.set_units(account if isinstance(account, Account) else Account(str(account)), asset, units)

    def set_units(self, account: Account, asset: Asset, units: int) -> None:
        """Give `account` a fresh budget of `units` of the asset; what it had of it is forgotten, in the ledger too."""
        held = self.accounts.setdefault(account.id, {})
        if asset.symbol in held:
            self._kept = [row for row in self._kept if (row.account, row.asset) != (account.id, asset.symbol)]
        held[asset.symbol] = AccountBudget(account, asset, units, units)

    def open(self, budgets: Mapping[tuple[str, str], int]) -> None:
        """Give accounts, by id, their first budgets of assets, by symbol, in units: all of those that a run starts with.

        Raises:
            KeyError: an account or an asset was not given to the store.
        """
        accounts, known, assets = self.accounts, self._known, self.assets
        with uncollected():
            for (account, symbol), units in budgets.items():
                accounts.setdefault(account, {})[symbol] = AccountBudget(known[account], assets[symbol], units, units)

    def budget(self, account: str, asset: Asset | str) -> AccountBudget:
        """Return one budget; a pair that was never set has an empty one."""
        asset = self._asset(asset)
        found = self._found(account, asset)
        if found is None:
            self.set_units(self._known.get(str(account)) or Account(str(account)), asset, 0)
            found = self.accounts[str(account)][asset.symbol]
        return found

    def lock(self, account: str, asset: Asset | str, amount: Decimal | int | str) -> None:
        """Reserve `amount`; see `AccountBudget.lock`."""
        self._move(MovementKind.LOCK, account, asset, amount)

    def unlock(self, account: str, asset: Asset | str, amount: Decimal | int | str) -> None:
        """Give `amount` of what is locked back; see `AccountBudget.unlock`."""
        self._move(MovementKind.UNLOCK, account, asset, amount)

    def spend(self, account: str, asset: Asset | str, amount: Decimal | int | str) -> None:
        """Give `amount` of what is locked away; see `AccountBudget.spend`."""
        self._move(MovementKind.SPEND, account, asset, amount)

    def receive(self, account: str, asset: Asset | str, amount: Decimal | int | str) -> None:
        """Count `amount` as proceeds."""
        self._move(MovementKind.RECEIVE, account, asset, amount)

    def has_available(self, account: str, asset: Asset | str, amount: Decimal | int | str) -> bool:
        """Whether at least `amount` can be locked."""
        asset = self._asset(asset)
        found = self._found(account, asset)
        return (found.available if found is not None else 0) >= asset.units(decimal(amount))

    def is_depleted(self, account: str, asset: Asset | str) -> bool:
        """Whether nothing is left to give of that asset, now or after a cancel."""
        found = self._found(account, self._asset(asset))
        return found is None or found.is_depleted()

    def get_summary(self) -> BudgetSummary:
        """Return the totals per asset, and how many budgets there are and are depleted."""
        pots: dict[str, list[int]] = {}
        count = depleted = 0
        for budget in self:
            sums = pots.setdefault(budget.asset.symbol, [0, 0, 0, 0, 0])
            for place, units in enumerate((budget.initial, budget.available, budget.locked, budget.spent, budget.received)):
                sums[place] += units
            count += 1
            depleted += budget.initial > 0 and budget.is_depleted()
        assets = {symbol: AssetTotals(*map(self._asset(symbol).amount, sums)) for symbol, sums in pots.items()}
        return BudgetSummary(assets, count, depleted)

    def get_history(self) -> Iterator[BudgetSnapshot]:
        """Yield what the ledger says after each of its movements, oldest first."""
        replay = BudgetStore(self.assets.values())
        for budget in self:
            replay.set_units(budget.account, budget.asset, budget.initial)
        for movement in self._movements():
            budget = replay.budget(movement.account, movement.asset)
            apply(budget, movement.kind, movement.amount)
            amount = budget.asset.amount
            yield BudgetSnapshot(
                movement.at, movement.account, movement.asset, movement.kind, amount(movement.amount),
                amount(budget.initial), amount(budget.available), amount(budget.locked), amount(budget.spent),
                amount(budget.received), movement.slot,
            )  # fmt: skip

    def _asset(self, asset: Asset | str) -> Asset:
        if isinstance(asset, Asset):
            return self.assets.setdefault(asset.symbol, asset)
        return self.assets.get(asset) or self.assets.setdefault(asset, Asset(asset))

    def _found(self, account: str, asset: Asset) -> AccountBudget | None:
        return self.accounts.get(str(account), {}).get(asset.symbol)

    def _move(self, kind: MovementKind, account: str, asset: Asset | str, amount: Decimal | int | str) -> None:
        asset = self._asset(asset)
        account = str(account)
        budget = self._found(account, asset) or AccountBudget(self._known.get(account) or Account(account), asset, 0, 0)
        units = asset.units(decimal(amount))
        apply(budget, kind, units)
        self.accounts.setdefault(account, {})[asset.symbol] = budget
        self._kept.append(Movement(budget.account.id, budget.asset.symbol, kind, units, self._clock() if self._clock else None))


def apply(budget: AccountBudget, kind: MovementKind, units: int) -> None:
    """Make one movement; raises what the budget's own operation raises."""
    _OPERATIONS[kind](budget, units)


_OPERATIONS: Mapping[MovementKind, Callable[[AccountBudget, int], None]] = {
    MovementKind.LOCK: AccountBudget.lock,
    MovementKind.UNLOCK: AccountBudget.unlock,
    MovementKind.SPEND: AccountBudget.spend,
    MovementKind.RECEIVE: AccountBudget.receive,
}


# The caller's decimal context is the caller's: it may keep three digits, or trap what is inexact.
_ROUNDING = Context(prec=200, rounding=ROUND_HALF_EVEN, traps=[])
_HUNDREDTH = Decimal("0.01")


def _percent(parts: Iterable[Decimal], whole: Decimal) -> Decimal:
    if not whole:
        return Decimal("0.00")
    return _ROUNDING.divide(scaled(100, total(parts)), whole).quantize(_HUNDREDTH, context=_ROUNDING)
