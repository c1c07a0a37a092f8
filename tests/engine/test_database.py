"""What is read of a database: accounts, markets and budgets, what is left out, and what is refused. SQLite; see `_postgres`."""

import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.config import parse_config
from orderbook_tui.core.market import MarketStatus
from orderbook_tui.engine import database_accounts, database_budgets
from orderbook_tui.engine.database_opening import BATCH
from orderbook_tui.engine.database_values import Refused, amount_of
from orderbook_tui.engine.describing import Described, described, described_before
from orderbook_tui.engine.drafting import ConfigDraft
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import ConfigError
from tests.hostile import ALL

pytest.importorskip("sqlalchemy")

SCHEMA = """
CREATE TABLE accounts (id TEXT, name TEXT, active);
CREATE TABLE markets (symbol TEXT, base TEXT, quote TEXT, tick_size TEXT, lot_size TEXT, reference_price TEXT, status TEXT);
CREATE TABLE budgets (account TEXT, asset TEXT, amount);
"""
ACCOUNTS = [("a-2", "bob", 1), ("a-1", "alice", 1)]
MARKETS = [("BTC-USD", "BTC", "USD", "0.01", "0.0001", "60000", "active")]
BUDGETS = [("a-1", "USD", "1000000.5"), ("bob", "BTC", 20)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def fill(folder: Path, **tables: list[tuple[object, ...]]) -> None:
    """Make the database `exchange.db`, with these rows in place of the usual ones."""
    connection = sqlite3.connect(folder / "exchange.db")
    connection.executescript(SCHEMA)
    usual: dict[str, list[tuple[Any, ...]]] = {"accounts": ACCOUNTS, "markets": MARKETS, "budgets": BUDGETS}
    for table, rows in (usual | tables).items():
        for row in rows:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    connection.commit()
    connection.close()


def tree(*parts: str, **sections: Any) -> dict[str, Any]:
    """A configuration that reads these tables, all three if none is named."""
    named = {part: {"table": part} for part in parts or ("accounts", "markets", "budgets")}
    return {"database": {"url": "sqlite:///exchange.db", **named, **sections.pop("database", {})}, **sections}


def read(folder: Path, *parts: str, **sections: Any) -> Described:
    return described(parse_config(tree(*parts, **sections)), folder)


def refused(folder: Path, *parts: str, **sections: Any) -> list[str]:
    with pytest.raises(ConfigError) as error:
        read(folder, *parts, **sections)
    return [str(problem) for problem in error.value.problems]


# What is taken


def test_accounts_are_taken_in_the_order_of_their_ids(folder: Path) -> None:
    fill(folder)
    assert [(each.id, each.name) for each in read(folder, "accounts").universe.accounts] == [("a-1", "alice"), ("a-2", "bob")]


def test_ids_that_are_numbers_are_ordered_as_numbers(folder: Path) -> None:
    fill(folder)
    query = "SELECT 10 AS id, 'ten' AS name UNION ALL SELECT 9, 'nine'"
    sqlite3.connect(folder / "exchange.db").executescript(f"CREATE TABLE numbered AS {query}")
    config = tree(database={"accounts": {"table": "numbered"}, "budgets": None})
    assert [each.id for each in described(parse_config(config), folder).universe.accounts] == ["9", "10"]


def test_a_query_keeps_its_order(folder: Path) -> None:
    fill(folder)
    found = read(folder, database={"accounts": {"query": "SELECT id, name FROM accounts ORDER BY name DESC;"}})
    assert [each.name for each in found.universe.accounts] == ["bob", "alice"]


def test_a_colon_and_a_percent_sign_in_a_query_are_only_text(folder: Path) -> None:
    fill(folder)
    query = "SELECT id, name || ':x%s' AS name FROM accounts"
    found = read(folder, database={"accounts": {"query": query}, "budgets": None})
    assert [each.name for each in found.universe.accounts] == ["bob:x%s", "alice:x%s"]


def test_only_accounts_of_the_prefix_are_taken_by_its_very_letters(folder: Path) -> None:
    fill(folder, accounts=[("1", "desk_1", 1), ("2", "desk_2", 1), ("3", "deskX3", 1), ("4", "Desk_4", 1)])
    found = read(folder, database={"accounts": {"table": "accounts", "prefix": "desk_"}, "budgets": None})
    assert [each.name for each in found.universe.accounts] == ["desk_1", "desk_2"]


def test_inactive_accounts_are_left_out_and_said_so(folder: Path) -> None:
    fill(folder, accounts=[*ACCOUNTS, ("a-3", "carol", 0), ("a-4", "dave", "Suspended")])
    found = read(folder, "accounts")
    assert len(found.universe.accounts) == 2
    assert found.notes == ["2 accounts are not active in the database, and left out: carol, dave"]


def test_suspended_and_inactive_markets_are_left_out_and_said_so(folder: Path) -> None:
    fill(folder, markets=[*MARKETS, ("A-B", "A", "B", None, None, None, "suspended"), ("C-D", "", "", "", "", "", "inactive")])
    found = read(folder, "markets")
    assert [market.symbol for market in found.universe.markets] == ["BTC-USD"]
    assert found.notes == ["2 markets are not active in the database, and left out: A-B (suspended), C-D (inactive)"]


def test_a_market_has_the_steps_and_the_price_of_its_row(folder: Path) -> None:
    fill(folder)
    (market,) = read(folder, "markets").universe.markets
    assert (market.tick_size, market.lot_size, market.reference_price) == (Decimal("0.01"), Decimal("0.0001"), Decimal(60000))
    assert market.status is MarketStatus.ACTIVE


def test_a_band_means_a_regulated_market(folder: Path) -> None:
    fill(folder)
    query = "SELECT *, 0.05 AS band FROM markets"
    (market,) = read(folder, database={"markets": {"query": query}}).universe.markets
    assert market.regulation.band == Decimal("0.05")


def test_budgets_are_those_of_the_rows_and_nothing_else(folder: Path) -> None:
    fill(folder)
    found = read(folder).universe.budgets
    assert found == {
        ("a-1", "BTC"): 0,
        ("a-1", "USD"): 100000050000000,
        ("a-2", "BTC"): 2000000000,
        ("a-2", "USD"): 0,
    }


def test_budgets_count_in_the_precision_of_the_config(folder: Path) -> None:
    fill(folder, budgets=[("a-1", "USD", "7.25")])
    assets = [{"symbol": "USD", "precision": 6}, {"symbol": "BTC", "precision": 4}]
    assert read(folder, assets=assets).universe.budgets["a-1", "USD"] == 7250000


def test_budgets_that_nobody_needs_are_left_out_and_said_so(folder: Path) -> None:
    fill(folder, budgets=[*BUDGETS, ("zed", "USD", 1), ("a-1", "DOGE", 1)])
    assert read(folder).notes == [
        "budgets of accounts that take no part are left out: zed",
        "budgets of assets not traded are left out: DOGE",
    ]


def test_accounts_without_a_budget_are_said_so(folder: Path) -> None:
    fill(folder, budgets=[("a-1", "USD", 5)])
    assert read(folder).notes == ["1 account is without any budget: bob"]


def test_budgets_go_to_the_accounts_of_the_config_too(folder: Path) -> None:
    fill(folder)
    found = read(folder, "budgets", accounts={"list": [{"id": "a-1"}, {"name": "bob"}]}, markets=[
        {"symbol": "M", "base": "BTC", "quote": "USD", "reference_price": 1}])  # fmt: skip
    assert found.universe.budgets["bob", "BTC"] == 2000000000


def test_a_table_of_a_strange_name_is_quoted(folder: Path) -> None:
    fill(folder)
    with sqlite3.connect(folder / "exchange.db") as connection:
        connection.execute('CREATE TABLE "my ""best"" table; DROP" ("the id" TEXT, "select" TEXT)')
        connection.execute("INSERT INTO \"my \"\"best\"\" table; DROP\" VALUES ('1', 'one'), ('2', 'two')")
    connection.close()
    rows = {"table": 'my "best" table; DROP', "id": "the id", "name": "select"}
    found = read(folder, database={"accounts": rows, "budgets": None})
    assert [each.name for each in found.universe.accounts] == ["one", "two"]


def test_names_that_would_steer_a_terminal_are_shown_as_escapes(folder: Path) -> None:
    fill(folder, accounts=[*ACCOUNTS, ("a-3", ALL, 0)])
    (note,) = read(folder, "accounts").notes
    assert "\x1b" not in note
    assert "\\u001b" in note


# What is refused


def test_everything_that_is_wrong_is_said_at_once_by_row_and_column(folder: Path) -> None:
    fill(
        folder,
        accounts=[*ACCOUNTS, ("a-1", "again", 1), (None, "nobody", 1), ("a-5", "alice", 1), ("a-6", "six", "so")],
        markets=[("M", "A", "B", "0.01", "0", "x", "active"), *MARKETS, *MARKETS],
    )
    assert refused(folder) == [
        'database.accounts: row "a-1", column "id": is there more than once',
        'database.accounts: row 4, column "id": is NULL',
        'database.accounts: row "a-5", column "name": "alice" is the name or id of another account already',
        'database.accounts: row "a-6", column "active": expected "active", "inactive", "suspended", true or false, got "so"',
        'database.markets: row "M", column "reference_price": expected a number, got "x"',
        'database.markets: row "BTC-USD", column "symbol": is there more than once',
    ]


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        (None, "is NULL"),
        (-1, "-1 is below the least, 0"),
        ("0.123456789", "0.123456789 USD: USD has 8 decimals"),
        ("NaN", 'expected a number, got "NaN"'),
        ("1e9999", 'expected a number, got "1e9999"'),
        (10**12, "1000000000000 USD is too large: at most 92233720368.54775807"),
        (f"1.{'0' * 190}1", "USD has 8 decimals"),
        (0.1 + 0.2, "0.30000000000000004 is a floating-point number that has lost digits: keep it as NUMERIC, as text"),
        (float("inf"), "expected a number, got Infinity"),
        (b"12", "expected a number, got a bytes"),
        ("", 'expected a number, got ""'),
    ],
)
def test_a_budget_that_is_no_exact_amount_is_refused(folder: Path, amount: object, why: str) -> None:
    fill(folder, budgets=[("a-1", "USD", amount)])
    (problem,) = refused(folder)
    assert problem.startswith('database.budgets: row "a-1" "USD", column "amount": ')
    assert why in problem or amount == "1e9999"


def test_a_second_budget_of_the_same_account_and_asset_is_refused_by_whatever_name(folder: Path) -> None:
    fill(folder, budgets=[("a-1", "USD", 1), ("alice", "USD", 2)])
    assert refused(folder) == [
        'database.budgets: row "alice" "USD", column "amount": there is another budget of this account and asset'
    ]


def test_columns_that_are_not_there_are_named_with_what_was_meant(folder: Path) -> None:
    fill(folder)
    assert refused(folder, database={"accounts": {"table": "accounts", "id": "idd", "status": "state"}}) == [
        'database.accounts.id: there is no column "idd" (did you mean "id"?)',
        'database.accounts.status: there is no column "state" (there are id, name, active)',
    ]


def test_a_table_that_is_not_there_is_said_so(folder: Path) -> None:
    fill(folder)
    (problem,) = refused(folder, database={"accounts": {"table": "nobody"}, "budgets": None})
    assert problem == 'database.accounts: the table "nobody" cannot be read: no such table: nobody'


def test_an_empty_table_of_accounts_is_too_few(folder: Path) -> None:
    fill(folder, accounts=[])
    assert refused(folder, "accounts") == ["database.accounts: a pair needs two accounts, there are 0"]


def test_where_no_market_is_active_those_left_out_are_named(folder: Path) -> None:
    fill(folder, markets=[(*MARKETS[0][:-1], "suspended")])
    assert refused(folder, "markets") == ["database.markets: no market is active: BTC-USD (suspended)"]


def test_a_market_that_does_not_fit_its_assets_is_named(folder: Path) -> None:
    fill(folder, markets=[("M", "A", "B", "0.0001", "0.000001", "1", "active")])
    (problem,) = refused(folder, "markets")
    assert problem.startswith('database.markets: row "M": tick 0.0001 x lot 0.000001 is no whole number of B units')


def test_too_many_accounts_are_said_in_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_accounts, "MAX_ACCOUNTS", 1_000)
    fill(folder)
    query = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000) SELECT i AS id, 'x' || i AS name FROM n"
    )
    assert refused(folder, database={"accounts": {"query": query}, "budgets": None}) == [
        "database.accounts: has more than 1,000 accounts: a prefix or a query takes fewer"
    ]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM accounts RETURNING id, name",
        "INSERT INTO accounts VALUES ('x', 'y', 1) RETURNING id, name",
        "PRAGMA query_only = OFF",
        "PRAGMA table_info(accounts)",
        "ATTACH DATABASE 'other.db' AS other",
        "DROP TABLE accounts",
        "SELECT id, name FROM accounts; DELETE FROM accounts",
        "VACUUM",
    ],
)
def test_a_query_that_does_anything_but_read_is_refused(folder: Path, query: str) -> None:
    fill(folder)
    before = (folder / "exchange.db").read_bytes()
    (problem,) = refused(folder, database={"accounts": {"query": query}, "budgets": None})
    assert problem.startswith("database.accounts: the query ")
    assert (folder / "exchange.db").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["exchange.db"]


def test_a_file_that_is_not_there_is_not_made(folder: Path) -> None:
    (problem,) = refused(folder)
    assert problem == f"database.url: {folder}/exchange.db: there is no such file"
    assert list(folder.iterdir()) == []


def test_a_file_that_is_no_database_is_said_so(folder: Path) -> None:
    (folder / "exchange.db").write_text("no database at all" * 100)
    assert all("file is not a database" in problem for problem in refused(folder))


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db", "nonsense://x", "postgresql+asyncpg://h/d"]
)
def test_a_database_that_cannot_be_held_read_only_is_refused(folder: Path, url: str) -> None:
    (problem,) = refused(folder, database={"url": url})
    assert problem.startswith("database.url: ")


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.decimals()))
def test_a_value_is_an_exact_amount_or_refused_in_words(value: object) -> None:
    try:
        amount = amount_of(value)
    except Refused as error:
        assert str(error)  # noqa: PT017 - either may be
    else:
        assert amount.is_finite()
        assert not isinstance(value, bool)
        assert amount == (Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value)))


_NAMES = st.sampled_from(["a-1", "a-2", "alice", "bob", "zed", "", "x\0y", None, 7, ALL])
_STATED = st.sampled_from([1, 0, True, "active", "Suspended", "so", None, 2])
_AMOUNTS = st.sampled_from([0, 1, 20, -1, 10**12, "0.5", "1e3", "NaN", "0.123456789", "", None, 0.5, 0.1 + 0.2])


@given(
    st.lists(st.tuples(_NAMES, _NAMES, _STATED), max_size=4),
    st.lists(st.tuples(_NAMES, st.sampled_from(["USD", "BTC", "DOGE", None]), _AMOUNTS), max_size=4),
    st.booleans(),
)
def test_rows_come_to_the_same_by_columns_and_one_by_one(accounts: list[Any], budgets: list[Any], usual: bool) -> None:
    def outcome() -> object:
        try:
            found = read(Path(there), "accounts", "budgets", markets=markets)
        except ConfigError as error:
            return error.problems
        return found.universe.accounts, list(found.universe.budgets.items()), found.notes

    markets = [{"symbol": "M", "base": "BTC", "quote": "USD", "reference_price": 1}]
    with TemporaryDirectory() as there:
        fill(Path(there), accounts=[*ACCOUNTS, *accounts] if usual else accounts, budgets=budgets)
        by_columns = outcome()
        with pytest.MonkeyPatch.context() as patch:
            for reader in (database_accounts._Accounts, database_budgets._Budgets):
                patch.setattr(reader, "take", lambda *_: False)
            assert outcome() == by_columns


def test_a_second_budget_is_found_in_whichever_batch_it_comes(folder: Path) -> None:
    count = 2 * BATCH + 1
    ids = [f"a-{number}" for number in range(count)]
    fill(
        folder,
        accounts=[(each, each, 1) for each in ids],
        budgets=[*((each, "USD", number) for number, each in enumerate(ids)), (ids[0], "USD", 5), (ids[1], "BTC", 6)],
    )
    assert refused(folder) == [
        'database.budgets: row "a-0" "USD", column "amount": there is another budget of this account and asset'
    ]


# Where it is used


def test_a_run_is_saved_with_what_was_read_and_resumes_without_the_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, budgets=[(each, asset, 10**6) for each in ("a-1", "a-2") for asset in ("BTC", "USD")])
    monkeypatch.setenv("WHERE_IT_IS", str(folder / "exchange.db"))
    config = parse_config(tree(database={"url": "sqlite:///${env:WHERE_IT_IS}"}))
    simulation = Simulation.create(config, folder=folder, state_dir=folder / "state")
    simulation.select(markets=["BTC-USD"])
    simulation.control.stop()
    anyio.run(simulation.run)
    simulation.close()
    (folder / "exchange.db").unlink()
    monkeypatch.delenv("WHERE_IT_IS")

    (file,) = (folder / "state").glob("*.sqlite")
    assert str(folder / "exchange.db").encode() not in file.read_bytes()
    resumed = Simulation.resume(file.stem, folder / "state")
    anyio.run(resumed.run)
    assert resumed.stats.completed_slots == 20
    assert json.loads(resumed.state.plan.config)["database"]["url"] == "sqlite:///${env:WHERE_IT_IS}"
    resumed.close()


def test_the_preview_of_a_draft_takes_what_was_read_last(folder: Path) -> None:
    fill(folder)
    (folder / "config.json").write_text(json.dumps(tree()))
    draft = ConfigDraft.load(folder / "config.json")
    assert draft.accounts_in_short(3) == (0, 0, [])
    draft.preview()
    (folder / "exchange.db").unlink()

    draft.set("scheduler.trades_per_account", "4")
    assert draft.preview().total_slots == 8
    assert draft.accounts_in_short(3) == (2, 2, ["alice", "bob"])
    assert draft.choices_of_markets() == [("BTC-USD", True)]


def test_another_database_is_read_and_not_what_was_read_last(folder: Path) -> None:
    fill(folder)
    read(folder)
    (folder / "other").mkdir()
    with pytest.raises(ConfigError, match="no such file"):
        described_before(parse_config(tree()), folder / "other")


def test_leaving_out_accounts_of_a_database_writes_down_the_others(folder: Path) -> None:
    fill(folder, accounts=[*ACCOUNTS, ("a-3", "carol", 1)])
    (folder / "config.json").write_text(json.dumps(tree("accounts")))
    draft = ConfigDraft.load(folder / "config.json")
    draft.preview()
    draft.choose_account("a-3", chosen=False)
    assert [spec.name for spec in draft.config().accounts.list or ()] == ["alice", "bob"]
    assert draft.config().database is None
    draft.choose_account("a-3", chosen=True)
    assert not draft.is_changed


def test_leaving_out_a_market_of_a_database_writes_down_the_others(folder: Path) -> None:
    fill(folder, markets=[*MARKETS, ("ETH-USD", "ETH", "USD", "0.01", "0.0001", "3000", "active")])
    (folder / "config.json").write_text(json.dumps(tree()))
    draft = ConfigDraft.load(folder / "config.json")
    draft.preview()
    draft.choose_market("ETH-USD", chosen=False)
    assert draft.choices_of_markets() == [("BTC-USD", True), ("ETH-USD", False)]
    assert draft.problems() == {}


def test_a_draft_that_is_saved_elsewhere_reads_the_same_file(folder: Path) -> None:
    fill(folder)
    (folder / "config.json").write_text(json.dumps(tree()))
    (folder / "there").mkdir()
    draft = ConfigDraft.load(folder / "config.json")
    draft.save(folder / "there" / "config.json")
    assert len(described(draft.config(), folder / "there").universe.accounts) == 2
