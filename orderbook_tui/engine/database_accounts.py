"""The accounts of a database: those that may trade.

a batch of rows --take--> all of it at once, where every row is as usual
                --take_one_by_one--> row by row, where one of them is to be refused
"""

from collections.abc import Sequence
from itertools import chain, compress
from operator import attrgetter, itemgetter, ne, not_
from typing import TYPE_CHECKING, Final

from orderbook_tui.config.database import AccountRows
from orderbook_tui.config.models import MAX_ACCOUNTS
from orderbook_tui.config.showing import shown
from orderbook_tui.core.market import Account, MarketStatus
from orderbook_tui.engine.database_contents import Contents, LeftOut
from orderbook_tui.engine.database_rows import Batch, Problems, each_row, rows, too_many
from orderbook_tui.engine.database_values import Refused, actives_of, are_names, key_of, name_of, status_of, texts_of
from orderbook_tui.errors import Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FLAGS: Final = ("active", "status")


def read_accounts(connection: "Connection", spec: AccountRows, contents: Contents) -> list[Problem]:
    """Read the accounts into `contents`, and return what is wrong with them.

    Raises:
        ConfigError: they cannot be read, or are too many.
    """
    needed = () if spec.id == "id" and spec.name == "name" else ("id", "name")
    wanted = {"id": spec.id, "name": spec.name, "active": spec.active, "status": spec.status}
    prefix = None if spec.prefix is None or spec.name is None else ("name", spec.prefix)
    read = rows(connection, spec, "accounts", wanted, needed, prefix)
    if not {"id", "name"} & read.has:
        read.close()
        return [Problem("database.accounts", 'there is no column "id" and none called "name": say which they are')]
    problems = Problems("accounts")
    accounts = _Accounts(spec, contents.inactive_accounts, problems)
    for batch in read.batches:
        if not accounts.take(batch):
            accounts.take_one_by_one(batch)
        if len(accounts.found) > MAX_ACCOUNTS:
            raise too_many("accounts", MAX_ACCOUNTS, "accounts: a prefix or a query takes fewer")
        if problems.is_full:
            break
    contents.accounts = accounts.found if spec.table is None else accounts.by_id()
    return problems.found


class _Accounts:
    """The accounts that were found so far."""

    def __init__(self, spec: AccountRows, inactive: LeftOut, problems: Problems) -> None:
        self.found: list[Account] = []
        self._spec, self._inactive, self._problems = spec, inactive, problems
        self._count = 0
        """The rows so far."""
        self._numbers: list[int] = []
        """The ids, where all of them are numbers."""
        self._taken: dict[str, int] = {}
        """Up to which row each id and name is taken: both name an account, so none may stand for two."""

    def by_id(self) -> list[Account]:
        """Return them by their ids: how a database orders text is a matter of its settings, and a run is the same anywhere."""
        if len(self._numbers) == len(self.found):
            return [account for _, account in sorted(zip(self._numbers, self.found, strict=True), key=itemgetter(0))]
        return sorted(self.found, key=attrgetter("id"))

    def take(self, batch: Batch) -> bool:
        """Take rows column by column, in a fifth of the time, if all of them are as usual; return whether they were."""
        keys = batch["id" if "id" in batch else "name"]
        count = len(keys)
        ids = texts_of(keys) if "id" in batch else keys
        names = batch.get("name", ids)
        flags = [actives_of(batch[field]) for field in _FLAGS if field in batch]
        if not are_names(ids) or not are_names(names) or None in flags:
            return False
        if self._spec.prefix is not None and not all(name.startswith(self._spec.prefix) for name in names):
            return False
        inactive: Sequence[str] = ()
        if flags:
            active = [*map(all, zip(*flags, strict=True))]
            inactive = [*compress(names, map(not_, active))]
            keys, ids, names = ([*compress(column, active)] for column in (keys, ids, names))
        other_names = [*compress(names, map(ne, names, ids))]
        fresh = dict.fromkeys(chain(ids, other_names), self._count)
        if len(fresh) < len(ids) + len(other_names) or not self._taken.keys().isdisjoint(fresh):
            return False
        self._taken |= fresh
        self._count += count
        self.found.extend(map(Account, ids, names))
        self._numbers.extend(key for key in keys if type(key) is int)
        for name in inactive:
            self._inactive.add(name)
        return True

    def take_one_by_one(self, batch: Batch) -> None:
        """Take rows of which some are refused."""
        spec = self._spec
        for row in each_row(batch):
            self._count += 1
            row_key: str | int = self._count
            column = "id"
            try:
                account_id = key_of(row["id"]) if "id" in row else ""
                column = "name"
                if account_id:
                    row_key = account_id
                name = name_of(row["name"]) if "name" in row else account_id
                if not account_id:
                    account_id = row_key = name
                if spec.prefix is not None and not name.startswith(spec.prefix):
                    continue
                active = True
                for field in _FLAGS:
                    if field in row:
                        column = field
                        active = status_of(row[field]) is MarketStatus.ACTIVE and active
            except Refused as refused:
                self._problems.add(row_key, getattr(spec, column), str(refused))
                continue
            if not active:
                self._inactive.add(name)
            elif self._taken.setdefault(account_id, self._count) != self._count:
                self._problems.add(row_key, spec.id if "id" in row else spec.name, "is there more than once")
            elif self._taken.setdefault(name, self._count) != self._count:
                self._problems.add(row_key, spec.name, f"{shown(name)} is the name or id of another account already")
            else:
                self.found.append(Account(account_id, name))
                if type(row.get("id")) is int:
                    self._numbers.append(row["id"])
