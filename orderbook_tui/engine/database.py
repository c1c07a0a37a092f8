"""What a database has for a run: accounts, markets and initial budgets, read in one read-only transaction.

    rows of accounts --> those that may trade       \
    rows of markets  --> those that are active       > Contents, or everything that is wrong with them
    rows of budgets  --> units of account and asset /

A row that is wrong is named by its key, with the column.
"""

from collections.abc import Callable
from pathlib import Path

from orderbook_tui.config.database import DatabaseSpec
from orderbook_tui.config.models import SimulatorConfig
from orderbook_tui.core.garbage import uncollected
from orderbook_tui.engine.database_accounts import read_accounts
from orderbook_tui.engine.database_budgets import read_budgets
from orderbook_tui.engine.database_contents import Contents
from orderbook_tui.engine.database_markets import read_markets
from orderbook_tui.engine.database_opening import reading
from orderbook_tui.errors import ConfigError, Problem


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
            attempt(lambda: read_accounts(connection, asked, contents))
        if spec.markets is not None:
            traded = spec.markets
            attempt(lambda: read_markets(connection, traded, contents))
        if spec.budgets is not None:
            given = spec.budgets
            attempt(lambda: read_budgets(connection, given, contents, config, folder, sound=not problems))
    if problems:
        raise ConfigError(problems)
    return contents
