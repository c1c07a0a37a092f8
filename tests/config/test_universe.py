import json
import time
import uuid
from decimal import Decimal
from pathlib import Path

import pytest

from orderbook_tui.config import Universe, generate, parse_config, read_accounts, scheduler_config, universe
from orderbook_tui.config.accounts import NAMESPACE
from orderbook_tui.core.market import Account
from orderbook_tui.core.scheduler import SlotScheduler
from orderbook_tui.errors import ConfigError
from tests.config.wrong import market, problems

PAIR = {"list": [{"id": "1", "name": "alice"}, {"id": "2", "name": "bob"}]}
USD = 10**8


def of(folder: Path | str = ".", **tree: object) -> Universe:
    return universe(parse_config(tree, folder), Path(folder))


def budgets(*specs: dict[str, object]) -> dict[tuple[str, str], int]:
    return of(accounts=PAIR, markets=[market()], budget={"budgets": list(specs)}).budgets


def accounts_problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read_accounts(path, path.name)
    return [str(problem) for problem in refused.value.problems]


def test_nothing_said_is_four_accounts_and_two_markets_with_ten_thousand_of_everything() -> None:
    world = of()
    assert [account.name for account in world.accounts] == [f"test-account-{number}" for number in (1, 2, 3, 4)]
    assert [f"{each.symbol} at {each.reference_price}" for each in world.markets] == [
        "BTC-USD at 60000",
        "ETH-USD at 3000",
    ]
    assert set(world.budgets.values()) == {10_000 * USD}
    assert len(world.budgets) == 12


def test_prefix_and_number_determine_a_generated_id() -> None:
    assert generate("désk", 2)[1] == Account(str(uuid.uuid5(NAMESPACE, "désk-2")), "désk-2")


def test_assets_left_out_are_those_of_the_markets() -> None:
    assert {symbol: asset.precision for symbol, asset in of(markets=[market()]).assets.items()} == {"BTC": 8, "USD": 8}


def test_markets_left_out_are_the_default_ones_whose_assets_there_are() -> None:
    assert [each.symbol for each in of(assets=[{"symbol": "BTC"}, {"symbol": "USD"}]).markets] == ["BTC-USD"]


def test_markets_that_are_not_active_are_set_apart() -> None:
    world = of(markets=[market(), market(symbol="old", status="inactive"), market(symbol="off", status="suspended")])
    assert [each.symbol for each in world.left_out] == ["old", "off"]


def test_a_regulated_market_has_a_band_of_a_tenth_where_it_names_none() -> None:
    assert of(markets=[market(regulation={"kind": "regulated"})]).markets[0].regulation.band == Decimal("0.10")


def test_an_account_named_alone_and_an_asset_named_alone_are_equals_and_the_later_wins() -> None:
    by_account, by_asset = {"account_id": "alice", "amount": 1}, {"asset_id": "USD", "amount": 2}
    assert budgets(by_account, by_asset)["1", "USD"] == 2 * USD
    assert budgets(by_asset, by_account)["1", "USD"] == 1 * USD


def test_a_spec_that_names_both_wins_wherever_it_stands() -> None:
    both = {"account_id": "1", "asset_id": "USD", "amount": 5}
    found = budgets(both, {"account_id": "1", "amount": 1}, {"asset_id": "USD", "amount": 2}, {"amount": 3})
    assert found == {("1", "BTC"): USD, ("1", "USD"): 5 * USD, ("2", "BTC"): 3 * USD, ("2", "USD"): 2 * USD}


def test_the_later_of_equals_wins() -> None:
    assert budgets({"amount": 3}, {"amount": 4})["2", "BTC"] == 4 * USD


def test_where_no_spec_applies_there_is_nothing() -> None:
    assert budgets({"asset_id": "USD", "amount": 2})["1", "BTC"] == 0


def test_a_hundred_thousand_accounts_have_their_budgets_within_seconds() -> None:
    specs: list[dict[str, object]] = [{"account_id": f"test-account-{n}", "amount": n} for n in range(1, 20_001)]
    started = time.perf_counter()
    found = of(accounts={"generate": {"count": 100_000}}, budget={"budgets": specs}).budgets
    assert len(found) == 300_000
    assert time.perf_counter() - started < 10


def test_match_with_speaks_of_accounts_by_id_or_name() -> None:
    config = parse_config({"accounts": PAIR, "scheduler": {"matching_strategy": {"match_with": {"alice": "2"}}}})
    assert scheduler_config(config, universe(config).accounts).match_with == {"1": "2"}


def test_what_was_checked_can_be_scheduled() -> None:
    config = parse_config({"seed": 9, "processor": {"max_retries": 1}})
    world = universe(config)
    slots = SlotScheduler(scheduler_config(config, world.accounts)).generate_schedule(world.accounts, world.markets)
    assert (len(slots), slots[0].max_retries) == (40, 1)


@pytest.mark.parametrize(
    "content",
    [
        ["a", "b"],
        [{"id": "a"}, {"name": "b"}],
        {"accounts": ["a", {"id": "b", "name": "b"}]},
    ],
)
def test_a_file_of_accounts_may_list_names_or_objects(tmp_path: Path, content: object) -> None:
    (tmp_path / "accounts.json").write_text(json.dumps(content))
    assert read_accounts(tmp_path / "accounts.json") == [Account("a", "a"), Account("b", "b")]


def test_a_file_of_accounts_is_looked_for_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "accounts.json").write_text('["a", "b"]')
    assert len(of(tmp_path, accounts={"file": "accounts.json"}).accounts) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", "a.json: expected a list of accounts, got 7"),
        ("{}", "a.json: accounts: missing"),
        ("[7]", "a.json: [0]: expected an object, got 7"),
        ('["a", ""]', "a.json: [1]: is empty, some text is wanted"),
        ('["a", "a"]', 'a.json: [1].name: "a" is already the name of account [0]'),
        ('{"accounts": [{"id": "a", "nam": "b"}]}', "a.json: accounts[0].nam: unknown key (did you mean name?)"),
        ('[{"id": "a", "id": "b"}]', "a.json: [0].id: duplicate key, given twice"),
        (r'["\ud800"]', r'a.json: [0]: "\ud800" holds half of a surrogate pair, which is no text'),
        ("[", "a.json: line 1, column 2: the file ends too early"),
        ('["a", {"id": "b"}' + ", 7" * 20_000 + "]", "a.json: [2]: expected an object, got 7"),
        ("[" + '{"id": ""}, ' * 10_000 + "7]", "a.json: [0].id: is empty, some text is wanted"),
        ("[" + ", ".join(f'"{n}"' for n in range(15_000)) + ", 7]", "a.json: [15000]: expected an object, got 7"),
        ('{"accounts": ["a"], "[key]": 1}', 'a.json: ["[key]"]: unknown key'),
        (
            '[{"id": "a"' + "".join(f', "k{n}": 1' for n in range(200)) + "}]",
            "a.json: [0]: holds 201 keys, id and name are wanted",
        ),
        ("[" + "7, " * 1_000_000 + "7]", "a.json: expected at most 1000000 entries, got 1000001"),
    ],
)
def test_a_wrong_file_of_accounts_is_refused_by_its_name(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "a.json").write_text(text)
    assert accounts_problems(tmp_path / "a.json")[0] == expected


def test_what_is_wrong_with_the_accounts_is_told_with_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[{}]")
    assert problems({"seed": -1, "scheduler": {"rounds": 0}, "accounts": {"file": "a.json"}}, tmp_path) == [
        "seed: -1 is below the least, 0",
        "scheduler.rounds: 0 is below the least, 1",
        "a.json: [0]: an account needs an id or a name",
    ]


def test_a_missing_file_of_accounts_is_told_where_it_was_named(tmp_path: Path) -> None:
    assert problems({"accounts": {"file": "b.json"}}, tmp_path) == ["accounts.file: b.json: there is no such file"]
