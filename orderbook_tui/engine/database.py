"""What a database has for a run: accounts, markets and initial budgets, read in one read-only transaction.

    rows of accounts --> those that may trade       \
    rows of markets  --> those that are active       > Contents, or everything that is wrong with them
    rows of budgets  --> units of account and asset /

A row that is wrong is named by its key, with the column.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from pydantic import ValidationError

from orderbook_tui.config.budgets import directory
from orderbook_tui.config.database import AccountRows, BudgetRows, DatabaseSpec, MarketRows
from orderbook_tui.config.models import MAX_ACCOUNTS, MarketSpec, RegulationSpec, SimulatorConfig
from orderbook_tui.config.showing import message_text, number_text, plain_text, shown
from orderbook_tui.config.universe import accounts_of, assets_of
from orderbook_tui.config.wording import findings
from orderbook_tui.core.market import Account, MarketStatus
from orderbook_tui.core.money import MAX_UNITS, Asset
from orderbook_tui.engine.checkpoint_file import uncollected
from orderbook_tui.engine.database_opening import reading
from orderbook_tui.engine.database_rows import Problems, Refused, amount_of, key_of, name_of, regulated, rows, status_of
from orderbook_tui.errors import AmountError, ConfigError, Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection

MAX_MARKETS: Final = 10_000
MAX_BUDGETS: Final = 5_000_000
"""Rows of budgets that are read, those included that nobody needs."""

_NAMED: Final = 5
_ORDINARY: Final = 40
_EXACT: Final = Context(prec=200)
_ACTIVE: Final = MarketStatus.ACTIVE
_AMOUNTS: Final = ("reference_price", "tick_size", "lot_size", "min_notional")


class LeftOut(msgspec.Struct):
    """What was not taken: how many there are, and the first of them, in words."""

    count: int = 0
    first: list[str] = msgspec.field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.first) < _NAMED:
            self.first.append(plain_text(name))

    def __str__(self) -> str:
        more = self.count - len(self.first)
        return ", ".join(self.first) + (f" and {more:,} more" if more else "")


class Contents(msgspec.Struct):
    """What was read. A part that the config does not ask of the database is None."""

    accounts: list[Account] | None = None
    markets: list[MarketSpec] | None = None
    """The active ones."""
    budgets: dict[tuple[str, str], int] | None = None
    """What was given to every account (by id) of every asset (by symbol), in its units; 0 where nothing was."""
    unfunded: LeftOut = msgspec.field(default_factory=LeftOut)
    """Accounts that take part and were given nothing of anything."""
    inactive_accounts: LeftOut = msgspec.field(default_factory=LeftOut)
    inactive_markets: LeftOut = msgspec.field(default_factory=LeftOut)
    inactive_symbols: set[str] = msgspec.field(default_factory=set)
    other_accounts: LeftOut = msgspec.field(default_factory=LeftOut)
    """Accounts of budgets that take no part."""
    other_assets: LeftOut = msgspec.field(default_factory=LeftOut)
    """Assets of budgets that are not traded."""

    def notes(self) -> list[str]:
        """Say what was left out."""
        said = []
        for left_out, what in ((self.inactive_accounts, "account"), (self.inactive_markets, "market")):
            if left_out.count:
                said.append(f"{_count(left_out, what)} not active in the database, and left out: {left_out}")
        for left_out, what in ((self.other_accounts, "accounts that take no part"), (self.other_assets, "assets not traded")):
            if left_out.count:
                said.append(f"budgets of {what} are left out: {left_out}")
        if self.unfunded.count:
            said.append(f"{_count(self.unfunded, 'account')} without any budget: {self.unfunded}")
        return said


def _count(left_out: LeftOut, what: str) -> str:
    return f"1 {what} is" if left_out.count == 1 else f"{left_out.count:,} {what}s are"


def read_contents(config: SimulatorConfig, spec: DatabaseSpec, folder: Path) -> Contents:
    """Read what a configuration asks of its database; this blocks, at most for the timeouts of `database_opening`.

    Raises:
        ConfigError: a driver is missing, the database cannot be read, or rows are wrong; every problem at once.
    """
    contents, problems = Contents(), []

    with uncollected(), reading(spec.url, folder) as connection:

        def attempt(part: Callable[[], list[Problem]]) -> None:
            try:
                problems.extend(part())
            except ConfigError as error:
                problems.extend(error.problems)
                connection.rollback()  # after an error nothing else can be asked in the same transaction

        if spec.accounts is not None:
            asked = spec.accounts
            attempt(lambda: _read_accounts(connection, asked, contents))
        if spec.markets is not None:
            traded = spec.markets
            attempt(lambda: _read_markets(connection, traded, contents))
        if spec.budgets is not None:
            given = spec.budgets
            attempt(lambda: _read_budgets(connection, given, contents, config, folder, sound=not problems))
    if problems:
        raise ConfigError(problems)
    return contents


# Accounts


def _read_accounts(connection: "Connection", spec: AccountRows, contents: Contents) -> list[Problem]:
    problems = Problems("accounts")
    needed = () if spec.id == "id" and spec.name == "name" else ("id", "name")
    wanted = {"id": spec.id, "name": spec.name, "active": spec.active, "status": spec.status}
    prefix = None if spec.prefix is None or spec.name is None else ("name", spec.prefix)
    read = rows(connection, spec, "accounts", wanted, needed, prefix)
    if not {"id", "name"} & read.has:
        read.close()
        return [Problem("database.accounts", 'there is no column "id" and none called "name": say which they are')]
    has_id, has_name = "id" in read.has, "name" in read.has
    flags = [(place, field) for place, field in ((2, "active"), (3, "status")) if field in read.has]
    found: list[Account] = []
    numbers: list[int] = []
    """The ids, where all of them are numbers."""
    owners: dict[str, int] = {}
    """By which row an id or a name is taken: both name an account, so none may stand for two."""
    number = 0
    for batch in read.batches:
        for row in batch:
            number += 1
            row_key: str | int = number
            column = "id"
            try:
                account_id = key_of(row[0]) if has_id else ""
                column = "name"
                if has_id:
                    row_key = account_id
                name = name_of(row[1]) if has_name else account_id
                if not has_id:
                    account_id = row_key = name
                if spec.prefix is not None and not name.startswith(spec.prefix):
                    continue
                active = True
                for place, field in flags:
                    column = field
                    active = status_of(row[place]) is _ACTIVE and active
            except Refused as refused:
                problems.add(row_key, getattr(spec, column), str(refused))
                continue
            if not active:
                contents.inactive_accounts.add(name)
                continue
            if owners.setdefault(account_id, number) != number:
                problems.add(row_key, spec.id if has_id else spec.name, "is there more than once")
                continue
            if owners.setdefault(name, number) != number:
                problems.add(row_key, spec.name, f"{shown(name)} is the name or id of another account already")
                continue
            found.append(Account(account_id, name))
            if type(row[0]) is int:
                numbers.append(row[0])
            if len(found) > MAX_ACCOUNTS:
                raise ConfigError([_too_many("accounts", MAX_ACCOUNTS, "accounts: a prefix or a query takes fewer")])
        if problems.is_full:
            break
    if spec.table is not None:
        # As the database orders text is a matter of its settings; a run is the same on any machine.
        if has_id and len(numbers) == len(found):
            found = [account for _, account in sorted(zip(numbers, found, strict=True), key=itemgetter(0))]
        else:
            found.sort(key=attrgetter("id"))
    contents.accounts = found
    return problems.found


# Markets


def _read_markets(connection: "Connection", spec: MarketRows, contents: Contents) -> list[Problem]:
    problems = Problems("markets")
    needed = ("symbol", "base", "quote", "reference_price")
    optional = ("tick_size", "lot_size", "min_notional", "regulation", "band", "status")
    wanted = {field: getattr(spec, field) for field in (*needed, *optional)}
    read = rows(connection, spec, "markets", wanted, needed)
    found: list[MarketSpec] = []
    seen: set[str] = set()
    number = 0
    for batch in read.batches:
        for row in batch:
            number += 1
            if number > MAX_MARKETS:
                raise ConfigError([_too_many("markets", MAX_MARKETS, "markets: a query takes fewer")])
            values = dict(zip(read.fields, row, strict=True))
            try:
                symbol = key_of(values["symbol"])
            except Refused as refused:
                problems.add(number, spec.symbol, str(refused))
                continue
            if symbol in seen:
                problems.add(symbol, spec.symbol, "is there more than once")
                continue
            seen.add(symbol)
            try:
                status = status_of(values["status"]) if "status" in read.has else _ACTIVE
            except Refused as refused:
                problems.add(symbol, spec.status, str(refused))
                continue
            if status is not _ACTIVE:  # what else it says does not matter
                contents.inactive_markets.add(f"{symbol} ({status.value})")
                contents.inactive_symbols.add(symbol)
                continue
            market = _market(values, read.has, spec, symbol, problems)
            if market is not None:
                found.append(market)
    if spec.table is not None:
        found.sort(key=lambda market: market.symbol)
    contents.markets = found
    return problems.found


def _market(
    values: Mapping[str, Any], has: frozenset[str], spec: MarketRows, key: str, problems: Problems
) -> MarketSpec | None:
    """Return a market, or None and what is wrong with all of its columns."""
    tree: dict[str, object] = {"symbol": key_of(values["symbol"])}
    readers: dict[str, Callable[[object], object]] = {"base": name_of, "quote": name_of, **dict.fromkeys(_AMOUNTS, amount_of)}
    before = len(problems.found)
    for field, read in readers.items():
        if field in has:
            try:
                tree[field] = read(values[field])
            except Refused as refused:
                problems.add(key, getattr(spec, field), str(refused))
    rule: dict[str, object] = {}
    column = spec.band
    try:
        if values["band"] is not None:
            rule["band"] = amount_of(values["band"])
        column = spec.regulation
        is_regulated = regulated(values["regulation"]) if "regulation" in has else "band" in rule
        if not is_regulated and "band" in rule:
            raise Refused(f"an unregulated market has no band, {shown(spec.band)} says {number_text(rule['band'])}")  # type: ignore[arg-type]
        tree["regulation"] = RegulationSpec.model_validate({"kind": "regulated" if is_regulated else "unregulated", **rule})
    except Refused as refused:
        problems.add(key, column, str(refused))
    except ValidationError as error:
        for trouble, _ in findings(error, RegulationSpec):
            problems.add(key, spec.band, trouble.message)
    if len(problems.found) > before or problems.is_full:
        return None
    try:
        return MarketSpec.model_validate(tree)
    except ValidationError as error:
        for trouble, _ in findings(error, MarketSpec):
            problems.add(key, getattr(spec, str(trouble.place[0])), trouble.message)
    return None


# Budgets


def _read_budgets(
    connection: "Connection", spec: BudgetRows, contents: Contents, config: SimulatorConfig, folder: Path, *, sound: bool
) -> list[Problem]:
    """Read the budgets. Where accounts or markets are not `sound`, nobody knows which of them are needed."""
    problems = Problems("budgets")
    wanted = {"account": spec.account, "asset": spec.asset, "amount": spec.amount}
    read = rows(connection, spec, "budgets", wanted, tuple(wanted))
    if not sound:
        read.close()
        return []
    accounts = contents.accounts if contents.accounts is not None else accounts_of(config.accounts, folder)
    assets = assets_of(config if contents.markets is None else config.model_copy(update={"markets": tuple(contents.markets)}))
    found = _Budgets(directory(accounts), assets, contents, spec, problems)
    number = 0
    for batch in read.batches:
        if number + len(batch) > MAX_BUDGETS:
            raise ConfigError([_too_many("budgets", MAX_BUDGETS, "rows: a query takes fewer")])
        if not found.take(batch):
            found.take_one_by_one(batch, number)
        number += len(batch)
        if problems.is_full:
            break
    given = found.given
    funded = {account for (account, _), units in given.items() if units}
    if len(funded) < len(accounts):
        for account in accounts:
            if account.id not in funded:
                contents.unfunded.add(account.name)
    contents.budgets = {
        pair: given.get(pair, 0) for account in accounts for pair in ((account.id, symbol) for symbol in assets)
    }
    return problems.found


class _Budgets:
    """The budgets that were given so far, in units, by account and asset."""

    def __init__(
        self, ids: Mapping[str, str], assets: Mapping[str, Asset], contents: Contents, spec: BudgetRows, problems: Problems
    ) -> None:
        self.given: dict[tuple[str, str], int] = {}
        self._ids, self._assets, self._contents, self._spec, self._problems = ids, assets, contents, spec, problems
        self._strangers: set[str] = set()
        self._untraded: set[str] = set()
        precisions = {asset.precision for asset in assets.values()}
        self._precision = precisions.pop() if len(precisions) == 1 else None

    def take(self, batch: Sequence[Sequence[Any]]) -> bool:
        """Take rows column by column, in a fifth of the time, if all of them are as usual; return whether they were."""
        accounts, symbols, amounts = zip(*batch, strict=True)
        if (
            self._precision is None
            or {*map(type, accounts), *map(type, symbols)} != {str}
            or {*map(type, amounts)} != {Decimal}
        ):
            return False
        ids = [*map(self._ids.get, accounts)]
        if None in ids or not self._assets.keys() >= set(symbols):
            return False
        try:
            scaled = [amount.scaleb(self._precision, _EXACT) for amount in amounts]
            if min(scaled) < 0 or max(scaled) > MAX_UNITS:
                return False
        except ArithmeticError:
            return False
        units = [*map(int, scaled)]
        given = dict(zip(zip(ids, symbols, strict=True), units, strict=True))
        if units != scaled or len(given) < len(batch) or not self.given.keys().isdisjoint(given):
            return False
        self.given |= given  # type: ignore[arg-type]
        return True

    def take_one_by_one(self, batch: Sequence[Sequence[Any]], number: int) -> None:
        """Take rows of which some are refused, or not needed; `number` were there before."""
        contents, given = self._contents, self.given
        for place, (account, symbol, amount) in enumerate(batch, number + 1):
            key: int | tuple[str, ...] = place
            column = self._spec.account
            try:
                called = account if type(account) is str else key_of(account)
                account_id = self._ids.get(called)
                if account_id is None:
                    _left_out(called, self._strangers, contents.other_accounts, name_of)
                    continue
                key, column = (called,), self._spec.asset
                asset = self._assets.get(symbol) if type(symbol) is str else self._assets.get(key_of(symbol))
                if asset is None:
                    _left_out(symbol, self._untraded, contents.other_assets, key_of)
                    continue
                key, column = (called, asset.symbol), self._spec.amount
                pair = account_id, asset.symbol
                if pair in given:
                    raise Refused("there is another budget of this account and asset")
                given[pair] = _units(amount, asset)
            except Refused as refused:
                self._problems.add(key, column, str(refused))


def _left_out(name: object, seen: set[str], counted: LeftOut, check: Callable[[object], str]) -> None:
    """Count a name that is not needed, once."""
    text = check(name)
    if text not in seen:
        seen.add(text)
        counted.add(text)


def _units(amount: object, asset: Asset) -> int:
    number = amount if type(amount) is Decimal else amount_of(amount)
    if number.is_finite() and abs(number.adjusted()) < _ORDINARY:
        scaled = number.scaleb(asset.precision, _EXACT)
        units = int(scaled)
        if scaled == units and 0 <= units <= MAX_UNITS:
            return units
    # It is refused, in words: what is usual is counted above, in a fifth of the time.
    number = amount_of(number)
    if number < 0:
        raise Refused(f"{number_text(number)} is below the least, 0")
    try:
        return asset.units(number)
    except AmountError as error:
        raise Refused(message_text(error)) from None


def _too_many(part: str, most: int, what: str) -> Problem:
    return Problem(f"database.{part}", f"has more than {most:,} {what}")
