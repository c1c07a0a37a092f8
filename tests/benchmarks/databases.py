"""Accounts and budgets from PostgreSQL: a server of its own with as many accounts as is asked for, and budgets in three assets.

Where PostgreSQL is not installed, SQLite stands in for it, and stderr says so.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orderbook_tui.config import SimulatorConfig, parse_config
from orderbook_tui.core.replay import replay
from orderbook_tui.engine.describing import described
from orderbook_tui.engine.planning import plan_of
from tests.postgres import Postgres

_ASSETS = ("BTC", "ETH", "USD")
_PARTS = {
    "accounts": "SELECT id, name FROM accounts",
    "budgets": "SELECT account, asset, amount FROM budgets",
}


def load_accounts_s(accounts: int) -> float:
    """Return the seconds that so many accounts take, from the configuration to what a schedule is made for."""
    with _database(accounts) as url:
        config = _config(url, "accounts")
        started = time.perf_counter()
        found = described(config, Path())
        took = time.perf_counter() - started
        assert len(found.universe.accounts) == accounts
        return took


def set_budgets_s(accounts: int) -> float:
    """Return the seconds that budgets for so many accounts take, beside the accounts: read, checked, and set in the store."""
    with _database(accounts) as url:
        alone, both = _config(url, "accounts"), _config(url, "accounts", "budgets")
        described(alone, Path())  # this imports the drivers, which is no part of either
        started = time.perf_counter()
        described(alone, Path())
        between = time.perf_counter()
        store = replay(plan_of(both, described(both, Path()).universe), []).budgets
        took = time.perf_counter() - between - (between - started)
        assert len(store.accounts) == accounts
        return max(took, 1e-6)


def _config(url: str, *parts: str) -> SimulatorConfig:
    return parse_config({"database": {"url": url, **{part: {"query": _PARTS[part]} for part in parts}}})


@contextmanager
def _database(accounts: int) -> Iterator[str]:
    """A database that has the accounts, and a budget for each of them in each asset."""
    values = ", ".join(f"('{asset}')" for asset in _ASSETS)
    statements = (
        "CREATE TABLE accounts (id text PRIMARY KEY, name text)",
        "INSERT INTO accounts SELECT 'account-' || i, 'name ' || i FROM generate_series(1, {accounts}) AS i",
        "CREATE TABLE budgets (account text, asset text, amount numeric(20, 8))",
        f"INSERT INTO budgets SELECT id, symbol, 1000 + length(id) / 8.0 FROM accounts, (VALUES {values}) AS assets(symbol)",
    )
    try:
        with Postgres.started() as server:
            server.run(*(statement.format(accounts=accounts) for statement in statements))
            yield server.url()
    except FileNotFoundError as error:
        print(f"measured with SQLite: {error}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            yield _in_sqlite(Path(folder) / "accounts.db", accounts)


def _in_sqlite(path: Path, accounts: int) -> str:
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE accounts (id text PRIMARY KEY, name text)")
    connection.execute("CREATE TABLE budgets (account text, asset text, amount text)")
    ids = [f"account-{number}" for number in range(1, accounts + 1)]
    connection.executemany("INSERT INTO accounts VALUES (?, ?)", ((each, f"name {each}") for each in ids))
    connection.executemany("INSERT INTO budgets VALUES (?, ?, '1000.5')", ((each, asset) for each in ids for asset in _ASSETS))
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"
