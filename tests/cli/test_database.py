"""`db check` and `accounts generate --database`: what they print, what they refuse, and that no secret is in it."""

import json
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Program

pytest.importorskip("sqlalchemy")

READS = {"database": {"url": "sqlite:///exchange.db", "accounts": {"table": "accounts"}}}


@pytest.fixture
def config(folder: Path, program: Program) -> Path:
    """A config beside a database with six accounts."""
    assert (
        program("accounts", "generate", "--count", 6, "--database", "sqlite:///exchange.db", "--table", "accounts").status == 0
    )
    path = folder / "config.json"
    path.write_text(json.dumps(READS))
    return path


def test_accounts_that_were_generated_into_a_database_run(program: Program, config: Path) -> None:
    ended = program("validate", config, "--format", "json")
    assert (ended.status, json.loads(ended.stdout)["accounts"]) == (0, 6)


def test_a_second_time_the_same_accounts_are_refused_and_nothing_is_written(program: Program, config: Path) -> None:
    ended = program("accounts", "generate", "--count", 9, "--database", "sqlite:///exchange.db", "--table", "accounts")
    assert ended.status == 2
    assert ended.stderr.startswith('--table: "accounts" has "test-account-')
    assert "and 3 more already: nothing was written" in ended.stderr
    with sqlite3.connect("exchange.db") as connection:
        assert connection.execute("SELECT count(*) FROM accounts").fetchone() == (6,)
    connection.close()


def test_a_database_without_a_table_is_a_wrong_use(program: Program) -> None:
    ended = program("accounts", "generate", "--database", "sqlite:///exchange.db")
    assert (ended.status, list(Path().iterdir())) == (2, [])
    assert "--database and --table go together" in ended.stderr


def test_a_check_shows_counts_the_first_rows_totals_and_who_has_no_budget(program: Program, config: Path) -> None:
    with sqlite3.connect("exchange.db") as connection:
        connection.execute(
            "CREATE TABLE budgets AS SELECT name AS account, 'USD' AS asset, '10.5' AS amount FROM accounts LIMIT 4"
        )
    connection.close()
    config.write_text(json.dumps({"database": {**READS["database"], "budgets": {"table": "budgets"}}}))
    ended = program("db", "check", config)
    assert ended.status == 0
    assert "Accounts: 6, from the database" in ended.stdout
    assert "Markets: 2, from the config" in ended.stdout
    assert "  USD  42 in total" in ended.stdout
    assert "without any: 2 accounts, such as " in ended.stdout


def test_a_check_as_json_is_one_object(program: Program, config: Path) -> None:
    facts = json.loads(program("db", "check", config, "--format", "json").stdout)
    assert facts["accounts"]["count"] == 6
    assert len(facts["accounts"]["first"]) == 5


def test_a_config_without_a_database_has_nothing_to_check(program: Program, folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    ended = program("db", "check", "config.json")
    assert (ended.status, ended.stderr) == (2, "database: this config has none: give its url, and what to read\n")


def test_a_missing_variable_is_named(program: Program, config: Path) -> None:
    config.write_text(json.dumps({"database": {**READS["database"], "url": "${env:NO_SUCH_URL}"}}))
    ended = program("db", "check", config)
    assert ended.status == 2
    assert ended.stderr.startswith("database.url: the environment has no NO_SUCH_URL")


@pytest.mark.parametrize(
    ("missing", "url", "extra"),
    [("sqlalchemy", "sqlite:///exchange.db", "db"), ("psycopg", "postgresql://nobody@/x", "postgres")],
)
def test_a_driver_that_is_not_installed_is_named_by_its_extra(
    program: Program, config: Path, monkeypatch: pytest.MonkeyPatch, missing: str, url: str, extra: str
) -> None:
    config.write_text(json.dumps({"database": {**READS["database"], "url": url}}))
    for module in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, missing, None)
    ended = program("db", "check", config)
    assert ended.status == 2
    assert f"pip install 'orderbook-tui[{extra}]'" in ended.stderr


@pytest.mark.parametrize("url", ["postgresql://me:geheim99@host/x", "postgresql://me@host/x?password=geheim99"])
def test_a_password_in_the_file_is_refused_and_not_repeated(program: Program, config: Path, url: str) -> None:
    config.write_text(json.dumps({"database": {**READS["database"], "url": url}}))
    ended = program("db", "check", config)
    assert ended.status == 2
    assert "take it from the environment" in ended.stderr
    assert "geheim99" not in ended.stderr
