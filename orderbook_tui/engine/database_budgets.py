"""The budgets of a database: what was given to each account of each asset.

a batch of rows --take--> all of it at once, where every row is as usual
                --take_one_by_one--> row by row, where one of them is refused, or not needed
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, localcontext
from itertools import product
from operator import add, mul
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orderbook_tui.config.database import BudgetRows
from orderbook_tui.config.models import SimulatorConfig
from orderbook_tui.config.showing import message_text, number_text
from orderbook_tui.config.universe import accounts_of, assets_of
from orderbook_tui.core.market import Account
from orderbook_tui.core.money import MAX_UNITS, Asset
from orderbook_tui.engine.database_contents import Contents, LeftOut
from orderbook_tui.engine.database_rows import Batch, Problems, rows, too_many
from orderbook_tui.engine.database_values import Refused, amount_of, amounts_of, key_of, name_of, texts_of
from orderbook_tui.errors import AmountError, Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection

MAX_BUDGETS: Final = 5_000_000
"""Rows of budgets that are read, those included that nobody needs."""

_FIELDS: Final = ("account", "asset", "amount")
_EXACT: Final = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow])


def read_budgets(
    connection: "Connection", spec: BudgetRows, contents: Contents, config: SimulatorConfig, folder: Path, *, sound: bool
) -> list[Problem]:
    """Read the budgets into `contents`, and return what is wrong with them.

    Where accounts or markets are not `sound`, nobody knows which of them are needed.

    Raises:
        ConfigError: they cannot be read, or are too many.
    """
    wanted = {field: getattr(spec, field) for field in _FIELDS}
    read = rows(connection, spec, "budgets", wanted, _FIELDS)
    if not sound:
        read.close()
        return []
    accounts = contents.accounts if contents.accounts is not None else accounts_of(config.accounts, folder)
    assets = assets_of(config if contents.markets is None else config.model_copy(update={"markets": tuple(contents.markets)}))
    problems = Problems("budgets")
    budgets = _Budgets(accounts, assets, contents, spec, problems)
    count = 0
    for batch in read.batches:
        first, count = count + 1, count + len(batch["account"])
        if count > MAX_BUDGETS:
            raise too_many("budgets", MAX_BUDGETS, "rows: a query takes fewer")
        if not budgets.take(batch):
            budgets.take_one_by_one(batch, first)
        if problems.is_full:
            break
    given = [units or 0 for units in budgets.given]
    for place, account in enumerate(accounts):
        if not any(given[place * len(assets) : (place + 1) * len(assets)]):
            contents.unfunded.add(account.name)
    pairs = product([account.id for account in accounts], assets)
    contents.budgets = dict(zip(pairs, given, strict=True))
    return problems.found


class _Budgets:
    """The budgets that were given so far: a place for each, account by account and in each of them asset by asset."""

    def __init__(
        self,
        accounts: Sequence[Account],
        assets: Mapping[str, Asset],
        contents: Contents,
        spec: BudgetRows,
        problems: Problems,
    ) -> None:
        self.given: list[int | None] = [None] * (len(accounts) * len(assets))
        """In units; None where nothing was said yet."""
        self._assets, self._contents, self._spec, self._problems = assets, contents, spec, problems
        starts = [place * len(assets) for place in range(len(accounts))]
        self._starts = dict(zip([account.name for account in accounts], starts, strict=True))
        """Where the places of an account start, by its id and by its name."""
        self._starts.update(zip([account.id for account in accounts], starts, strict=True))
        self._offsets = {symbol: offset for offset, symbol in enumerate(assets)}
        self._units_of_one = {symbol: Decimal(10**asset.precision) for symbol, asset in assets.items()}
        self._strangers: set[str] = set()
        self._untraded: set[str] = set()

    def take(self, batch: Batch) -> bool:
        """Take rows column by column, in a fifth of the time, if all of them are as usual; return whether they were."""
        accounts, symbols, amounts = texts_of(batch["account"]), texts_of(batch["asset"]), amounts_of(batch["amount"])
        if accounts is None or symbols is None or amounts is None or not self._assets.keys() >= {*symbols}:
            return False
        starts = [start for start in map(self._starts.get, accounts) if start is not None]
        units = _all_units(amounts, map(self._units_of_one.__getitem__, symbols))
        if len(starts) < len(accounts) or units is None:
            return False
        given = self.given
        places = [*map(add, starts, map(self._offsets.__getitem__, symbols))]
        if len({*places}) < len(places) or {*map(given.__getitem__, places)} != {None}:
            return False
        for place, amount in zip(places, units, strict=True):
            given[place] = amount
        return True

    def take_one_by_one(self, batch: Batch, first: int) -> None:
        """Take rows of which some are refused, or not needed; `first` is the number of the first of them."""
        contents, given = self._contents, self.given
        for number, (account, symbol, amount) in enumerate(zip(*map(batch.__getitem__, _FIELDS), strict=True), first):
            key: int | tuple[str, ...] = number
            column = self._spec.account
            try:
                called = account if type(account) is str else key_of(account)
                start = self._starts.get(called)
                if start is None:
                    _left_out(called, self._strangers, contents.other_accounts, name_of)
                    continue
                key, column = (called,), self._spec.asset
                asset = self._assets.get(symbol) if type(symbol) is str else self._assets.get(key_of(symbol))
                if asset is None:
                    _left_out(symbol, self._untraded, contents.other_assets, key_of)
                    continue
                key, column = (called, asset.symbol), self._spec.amount
                place = start + self._offsets[asset.symbol]
                if given[place] is not None:
                    raise Refused("there is another budget of this account and asset")
                given[place] = _units(amount, asset)
            except Refused as refused:
                self._problems.add(key, column, str(refused))


def _left_out(name: object, seen: set[str], counted: LeftOut, check: Callable[[object], str]) -> None:
    """Count a name that is not needed, once."""
    text = check(name)
    if text not in seen:
        seen.add(text)
        counted.add(text)


def _all_units(amounts: Iterable[Decimal | int], units_of_one: Iterable[Decimal]) -> Sequence[int] | None:
    """Return amounts as counts of their smallest units; None where one of them is no budget."""
    try:
        with localcontext(_EXACT):
            scaled = [*map(mul, amounts, units_of_one)]
            if min(scaled) < 0 or max(scaled) > MAX_UNITS:
                return None
    except ArithmeticError:
        return None
    units = [*map(int, scaled)]
    return units if units == scaled else None


def _units(amount: object, asset: Asset) -> int:
    number = amount if type(amount) is Decimal else amount_of(amount)
    try:
        scaled = _EXACT.multiply(number, Decimal(10**asset.precision))
        if 0 <= scaled <= MAX_UNITS and (units := int(scaled)) == scaled:
            return units
    except ArithmeticError:
        pass
    # It is refused, in words: what is usual is counted above, in a fifth of the time.
    number = amount_of(number)
    if number < 0:
        raise Refused(f"{number_text(number)} is below the least, 0")
    try:
        return asset.units(number)
    except AmountError as error:
        raise Refused(message_text(error)) from None
