"""The `database` section: accounts, markets and initial budgets that are read from the database of an exchange.

    url         which database; its secrets come from the environment
    accounts    a table or a query  -->  who trades, in place of `accounts`
    markets     a table or a query  -->  what is traded, in place of `markets`
    budgets     a table or a query  -->  what each may give, in place of `budget`

What is said here names columns. An optional field whose column is left at the usual name is read where there is such a
column; one that names another column needs it to be there; null is not read.
"""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from orderbook_tui.config.fields import Name, Section, refuse
from orderbook_tui.config.showing import shown
from orderbook_tui.environment import PLACEHOLDER

Part = Literal["accounts", "markets", "budgets"]
PARTS: Final[tuple[Part, ...]] = ("accounts", "markets", "budgets")

_PART: Final = r'("(?:[^"]|"")+"|[^".][^.]*)'
_TABLE: Final = re.compile(rf"(?:{_PART}\.)?{_PART}")
_PASSWORD: Final = re.compile(r"[^:/]+://[^/?@]*?:([^/?]*)@")
_PASSWORD_BELOW: Final = re.compile(r"[?&](?:password|passfile|sslpassword)=([^&]*)")


def table_name(text: str) -> tuple[str | None, str]:
    """Return schema and table of `app.accounts`; a part that holds a dot is written in double quotes."""
    found = _TABLE.fullmatch(text)
    if found is None:
        return None, text
    schema, table = (
        part[1:-1].replace('""', '"') if part is not None and part.startswith('"') else part for part in found.groups()
    )
    return schema, table or ""


def _table(text: str) -> str:
    if _TABLE.fullmatch(text) is None:
        refuse(f'expected "table" or "schema.table", got {shown(text)}')
    return text


def _url(text: str) -> str:
    # The file is copied into every checkpoint, so a password in it would be too.
    for pattern in (_PASSWORD, _PASSWORD_BELOW):
        found = pattern.search(text)
        if found is not None and PLACEHOLDER.sub("", found[1]):
            refuse("a password is in it: take it from the environment, as in postgresql://user:${env:DB_PASSWORD}@host/name")
    if "://" not in text and PLACEHOLDER.match(text) is None:
        refuse("no URL of a database: write sqlite:///FILE, postgresql://USER@HOST/NAME, or ${env:NAME} for one of them")
    return text


Column = Name | None
Table = Annotated[Name, AfterValidator(_table)]
Url = Annotated[Name, AfterValidator(_url)]


class AccountRows(Section):
    """Who trades: a row each. Rows of a table are taken in the order of their ids."""

    table: Table | None = None
    """The table or view, with its schema if need be, as in `app.accounts`; or else `query`."""
    query: Name | None = None
    """A SELECT of your own in place of a table; its order is kept."""
    id: Column = "id"
    """The column of what the venue knows an account by; the name, where there is none."""
    name: Column = "name"
    """The column of what people call it; the id, where there is none."""
    active: Column = "active"
    """The column that says whether it may trade: true, 1, active, enabled and open mean yes. Optional."""
    status: Column = "status"
    """Another such column: an account takes part if both say yes. Optional."""
    prefix: Name | None = None
    """Only those whose name begins with this."""


class MarketRows(Section):
    """What is traded for what: a row each. Rows of a table are taken in the order of their symbols."""

    table: Table | None = None
    """The table or view, with its schema if need be, as in `app.accounts`; or else `query`."""
    query: Name | None = None
    """A SELECT of your own in place of a table; its order is kept."""
    symbol: Name = "symbol"
    """The column of what a market is called, such as BTC-USD."""
    base: Name = "base"
    """The column of the asset that is bought and sold."""
    quote: Name = "quote"
    """The column of the asset that is paid with."""
    reference_price: Name = "reference_price"
    """The column of the price that offsets and bands start from."""
    tick_size: Column = "tick_size"
    """The column of the step of prices. Optional, as all that follow: without it, the default of `markets` holds."""
    lot_size: Column = "lot_size"
    """The column of the step of quantities."""
    min_notional: Column = "min_notional"
    """The column of the least value of an order."""
    regulation: Column = "regulation"
    """The column that says "regulated" or "unregulated", or true or false."""
    band: Column = "band"
    """The column of the width of the price band, as a fraction, or NULL. Without `regulation`, a band means regulated."""
    status: Column = "status"
    """The column that says "active", "inactive" or "suspended", or true or false; only active markets get slots."""


class BudgetRows(Section):
    """What accounts may give: a row for each account and asset. Who has no row for an asset has nothing of it."""

    table: Table | None = None
    """The table or view, with its schema if need be, as in `app.accounts`; or else `query`."""
    query: Name | None = None
    """A SELECT of your own in place of a table; its order is kept."""
    account: Name = "account"
    """The column of the account, by id or name."""
    asset: Name = "asset"
    """The column of the asset, by symbol."""
    amount: Name = "amount"
    """The column of how much, in that asset."""


class DatabaseSpec(Section):
    """A database that accounts, markets and budgets are read from when a run is planned; nothing is written to it."""

    url: Url
    """Which database, as SQLAlchemy writes it: `sqlite:///FILE` (a relative path starts at the folder of this file) or
    `postgresql://USER:${env:DB_PASSWORD}@HOST/NAME`; `${env:NAME}` stands for a variable of the environment."""
    accounts: AccountRows | None = None
    """Who trades, in place of `accounts`."""
    markets: MarketRows | None = None
    """What is traded, in place of `markets`."""
    budgets: BudgetRows | None = None
    """What each account may give, in place of `budget`."""


Rows = AccountRows | MarketRows | BudgetRows


def is_read(spec: DatabaseSpec | None, part: Part) -> bool:
    """Whether a part of the configuration is read from the database."""
    return spec is not None and getattr(spec, part) is not None
