import pytest

from orderbook_tui.config import parse_config
from orderbook_tui.config.database import table_name
from tests.config.wrong import problems

URL = "sqlite:///exchange.db"


@pytest.mark.parametrize(
    ("part", "section", "value"),
    [
        ("accounts", "accounts", {"generate": {"count": 6}}),
        ("markets", "markets", []),
        ("budgets", "budget", {"budgets": [{"amount": 1}]}),
    ],
)
def test_what_a_database_gives_may_not_be_given_in_the_file_as_well(part: str, section: str, value: object) -> None:
    found = problems({"database": {"url": URL, part: {"table": "t"}}, section: value})
    assert f"{section}: is given here, and database.{part} as well: keep one of them" in found


@pytest.mark.parametrize(("rows", "given"), [({}, "none"), ({"table": "t", "query": "SELECT 1"}, "both")])
def test_rows_come_from_a_table_or_a_query(rows: dict[str, str], given: str) -> None:
    assert problems({"database": {"url": URL, "accounts": rows}}) == [
        f"database.accounts: give exactly one of table and query, not {given}"
    ]


def test_a_database_that_nothing_is_read_from_is_refused() -> None:
    assert problems({"database": {"url": URL}}) == ["database: reads nothing: give accounts, markets or budgets"]


def test_names_that_only_the_database_knows_are_not_refused_before_it_is_read() -> None:
    config = {
        "database": {"url": URL, "accounts": {"table": "a"}, "markets": {"table": "m"}},
        "scheduler": {
            "market_distribution": "weighted",
            "market_weights": {"GOLD-EUR": 1},
            "matching_strategy": {"match_with": {"anna": "otto"}},
        },
        "budget": {"budgets": [{"account_id": "anna", "asset_id": "EUR", "amount": 5}]},
    }
    assert parse_config(config).database is not None


@pytest.mark.parametrize(
    ("text", "schema", "table"),
    [("accounts", None, "accounts"), ("app.accounts", "app", "accounts"), ('"a.b"."c ""d"""', "a.b", 'c "d"')],
)
def test_a_table_may_have_a_schema(text: str, schema: str | None, table: str) -> None:
    assert table_name(text) == (schema, table)


def test_a_config_that_was_written_out_in_full_is_read_as_what_it_was() -> None:
    config = parse_config({"database": {"url": "sqlite:///accounts.sqlite", "accounts": {"table": "accounts"}}})

    assert parse_config(config.model_dump_json().encode()) == config
