"""The same from a real PostgreSQL: what it keeps differently, what it refuses, and a hundred thousand accounts."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderbook_tui.config import generate, parse_config
from orderbook_tui.engine.database_writing import write_accounts
from orderbook_tui.engine.describing import Described, described
from orderbook_tui.errors import ConfigError
from tests.postgres import Postgres, postgres

__all__ = ["postgres"]

PASSWORD = "geh:e/i@m 1"


@pytest.fixture(scope="module")
def server(postgres: Postgres) -> Postgres:
    """The server, with an exchange in the schema `app` and a user who may read it."""
    postgres.run(
        "DROP SCHEMA IF EXISTS app CASCADE",
        "CREATE SCHEMA app",
        "CREATE TABLE app.accounts (id uuid PRIMARY KEY, name text, active boolean)",
        "INSERT INTO app.accounts SELECT md5(i::text)::uuid, 'acc-' || i, i % 10 <> 0 FROM generate_series(1, 100000) AS i",
        "CREATE TABLE app.markets (symbol text, base text, quote text, tick_size numeric(20, 8), lot_size numeric, "
        "reference_price numeric, band double precision, status text)",
        "INSERT INTO app.markets VALUES ('BTC-USD', 'BTC', 'USD', 0.01, 0.0001, 60000, 0.1, 'ACTIVE')",
        "INSERT INTO app.markets VALUES ('ETH-USD', 'ETH', 'USD', 0.01, 0.0001, 3000, NULL, 'suspended')",
        "CREATE TABLE app.budgets AS SELECT id AS account, asset, 1000.25::numeric(20, 8) AS amount "
        "FROM app.accounts, (VALUES ('BTC'), ('USD')) AS assets(asset)",
        "DROP ROLE IF EXISTS reader",
        f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
        "GRANT USAGE ON SCHEMA app TO reader",
        "GRANT SELECT ON ALL TABLES IN SCHEMA app TO reader",
    )
    return postgres


def read(url: str, **parts: dict[str, Any]) -> Described:
    return described(parse_config({"database": {"url": url, **parts}}), Path())


def refused(url: str, **parts: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as error:
        read(url, **parts)
    return str(error.value)


FEW = {"query": "SELECT id, name, active FROM app.accounts WHERE active ORDER BY name LIMIT 18"}


def test_a_hundred_thousand_accounts_are_read_and_given_their_budgets(server: Postgres) -> None:
    found = read(
        server.url(), accounts={"table": "app.accounts"}, markets={"table": "app.markets"}, budgets={"table": "app.budgets"}
    )
    assert len(found.universe.accounts) == 90_000
    assert len(found.universe.budgets) == 180_000
    assert set(found.universe.budgets.values()) == {100025000000}
    assert found.notes[0].startswith("10,000 accounts are not active in the database, and left out: ")
    assert found.notes[1] == "1 market is not active in the database, and left out: ETH-USD (suspended)"


def test_numeric_and_double_precision_are_read_exactly(server: Postgres) -> None:
    (market,) = read(server.url(), accounts=FEW, markets={"table": "app.markets"}).universe.markets
    assert (market.tick_size, market.regulation.band) == (Decimal("0.01"), Decimal("0.1"))


def test_a_numeric_of_more_digits_than_are_counted_with_is_refused_and_not_rounded(server: Postgres) -> None:
    query = "SELECT name AS account, 'USD' AS asset, ('1.' || repeat('0', 300) || '1')::numeric AS amount FROM app.accounts"
    said = refused(server.url(), accounts=FEW, budgets={"query": f"{query} WHERE name = 'acc-1'"})
    assert said.startswith('database.budgets: row "acc-1" "USD", column "amount": 1.000')
    assert said.endswith("USD has 8 decimals")


def test_casts_colons_and_percent_signs_in_a_query_are_only_text(server: Postgres) -> None:
    query = (
        "SELECT id::text AS id, name || ':x%s'::text AS name FROM app.accounts WHERE name IN ('acc-1', 'acc-2') ORDER BY name;"
    )
    assert [each.name for each in read(server.url(), accounts={"query": query}).universe.accounts] == ["acc-1:x%s", "acc-2:x%s"]


def test_a_password_of_the_environment_may_hold_anything(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", PASSWORD)
    assert len(read(server.url("reader", "${env:DB_PASSWORD}"), accounts=FEW).universe.accounts) == 18


def test_a_wrong_password_is_refused_and_is_in_no_message(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "wr0ng:p@ss/word")
    said = refused(server.url("reader", "${env:DB_PASSWORD}"), accounts=FEW)
    assert said.startswith("database.url: cannot be connected to: ")
    assert "password authentication failed" in said
    assert "wr0ng" not in said


def test_a_server_that_is_not_there_is_said_so() -> None:
    pytest.importorskip("psycopg")
    assert refused("postgresql://nobody@/x?host=/nowhere", accounts=FEW).startswith("database.url: cannot be connected to: ")


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM app.accounts RETURNING id, name",
        "WITH gone AS (DELETE FROM app.accounts RETURNING id, name) SELECT * FROM gone",
        "SELECT id, name FROM app.accounts; COMMIT; DELETE FROM app.accounts",
        "SELECT set_config('transaction_read_only', 'off', false) AS id, 'x' AS name",
        "SELECT app.write() AS id, 'x' AS name",
        "TRUNCATE app.accounts",
        "COMMIT",
    ],
)
def test_a_query_that_writes_is_refused_and_writes_nothing(server: Postgres, query: str) -> None:
    server.run(
        "CREATE OR REPLACE FUNCTION app.write() RETURNS text LANGUAGE sql AS "
        "$$ DELETE FROM app.accounts WHERE name = 'acc-7' RETURNING name $$"
    )
    assert refused(server.url(), accounts={"query": query}).startswith("database.accounts: the query cannot be read: ")
    assert server.run("SELECT count(*) FROM app.accounts") == [(100_000,)]


def test_what_is_wrong_with_two_parts_is_said_at_once(server: Postgres) -> None:
    said = refused(server.url(), accounts={"table": "app.nobody"}, markets={"table": "app.markets", "symbol": "name"})
    assert said.splitlines()[0].startswith('database.accounts: the table "app.nobody" cannot be read: relation')
    assert said.splitlines()[1].startswith('database.markets.symbol: there is no column "name"')


def test_accounts_that_are_generated_are_written_and_read_again(server: Postgres) -> None:
    accounts = generate("desk", 1_000)
    write_accounts(server.url(), "app.generated", accounts)
    found = read(server.url(), accounts={"table": "app.generated"}).universe.accounts
    assert {each.id for each in found} == {each.id for each in accounts}
    with pytest.raises(ConfigError, match="already: nothing was written"):
        write_accounts(server.url(), "app.generated", generate("desk", 1_001))
    assert server.run("SELECT count(*) FROM app.generated") == [(1_000,)]


def test_the_server_listens_on_no_network(server: Postgres) -> None:
    assert server.run("SHOW listen_addresses") == [("",)]
    assert server.folder.stat().st_uid != 0 or os.geteuid() != 0
