"""Writing generated accounts into a database: all of them or none, in one transaction."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from orderbook_tui.config.database import table_name
from orderbook_tui.config.showing import shown
from orderbook_tui.core.market import Account
from orderbook_tui.engine.database_opening import BATCH, said, writing
from orderbook_tui.errors import ConfigError, Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

_NAMED: Final = 3
_ASKED: Final = 500
"""Ids and names that are looked up at a time: SQLite takes 999 values in older versions."""


def write_accounts(url: str, table: str, accounts: Sequence[Account]) -> None:
    """Write accounts into the columns `id` and `name` of a table, which is made if it is not there.

    Raises:
        ConfigError: the database cannot be opened or written, or has accounts of such ids or names; nothing was written.
    """
    schema, name = table_name(table)
    if not name:
        raise ConfigError([Problem("--table", f"{shown(table)} is no name of a table")])
    with writing(url, "--database") as connection:
        from sqlalchemy import Column, MetaData, Table, Text, insert
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.sql import quoted_name

        target = Table(
            quoted_name(name, quote=True),
            MetaData(),
            Column("id", Text, primary_key=True),
            Column("name", Text, nullable=False, unique=True),
            schema=None if schema is None else quoted_name(schema, quote=True),
        )
        try:
            target.create(connection, checkfirst=True)
            _refuse_duplicates(connection, target, table, accounts)
            for start in range(0, len(accounts), BATCH):
                rows = [{"id": account.id, "name": account.name} for account in accounts[start : start + BATCH]]
                connection.execute(insert(target), rows)
        except SQLAlchemyError as error:
            raise ConfigError([Problem("--table", f"{shown(table)} cannot be written, nothing was: {said(error)}")]) from None


def _refuse_duplicates(connection: "Connection", target: "Table", table: str, accounts: Sequence[Account]) -> None:
    from sqlalchemy import or_, select

    found: list[str] = []
    for start in range(0, len(accounts), _ASKED):
        asked = accounts[start : start + _ASKED]
        same = or_(target.c.id.in_([each.id for each in asked]), target.c.name.in_([each.name for each in asked]))
        found += connection.execute(select(target.c.name).where(same)).scalars()
    if found:
        named = ", ".join(shown(each) for each in found[:_NAMED])
        more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
        raise ConfigError([Problem("--table", f"{shown(table)} has {named}{more} already: nothing was written")])
