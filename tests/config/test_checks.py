import pytest

from orderbook_tui.config import parse_config
from tests.config.wrong import market, problems

PAIRS = "scheduler.matching_strategy.match_with"
ABC = {"list": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}


def match_with(**pairs: str) -> dict[str, object]:
    return {"accounts": ABC, "scheduler": {"matching_strategy": {"match_with": pairs}}}


def budget(**spec: object) -> dict[str, object]:
    return {"budget": {"budgets": [{"amount": 1, **spec}]}}


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        ({"scheduler": {"max_amount": 50}}, "scheduler.max_amount: 50 is below min_amount 100"),
        ({"accounts": {}}, "accounts: give exactly one of generate, list and file, not none"),
        (
            {"accounts": {"list": [], "file": "x"}},
            "accounts: give exactly one of generate, list and file, not list and file",
        ),
        ({"accounts": {"generate": {"count": 1}}}, "accounts: a pair needs two accounts, there is 1"),
        (
            {"accounts": {"list": [{"id": "a"}, {"id": "a"}]}},
            'accounts.list[1].id: "a" is already the id of account [0]',
        ),
        (
            {"accounts": {"list": [{"id": "a"}, {"id": "b", "name": "a"}]}},
            'accounts.list[1].name: "a" is already the id of account [0]',
        ),
        ({"accounts": {"list": [{"id": "a"}, {}]}}, "accounts.list[1]: an account needs an id or a name"),
        (
            {"accounts": {"generate": {"count": 3}}, "scheduler": {"trades_per_account": 3}},
            "scheduler.trades_per_account: 3 accounts with 3 trades each are an odd number of slots: make one of them even",
        ),
        (
            {"accounts": {"generate": {"count": 1_000_000}}, "scheduler": {"rounds": 2}},
            "scheduler.trades_per_account: 1000000 accounts with 20 trades each are 20000000 slots, at most 10000000 fit",
        ),
        (
            {"assets": [{"symbol": "USD"}, {"symbol": "BTC"}, {"symbol": "USD"}]},
            'assets[2].symbol: "USD" is already asset [0]',
        ),
        ({"markets": [market(), market()]}, 'markets[1].symbol: "BTC-USD" is already market [0]'),
        (
            {"markets": [market(base="USD")]},
            'markets[0].quote: is the base as well, "USD": a market needs two assets',
        ),
        (
            {"assets": [{"symbol": "USD"}, {"symbol": "BTC"}], "markets": [market(), market(symbol="x", base="btc")]},
            'markets[1].base: no asset is called "btc" (did you mean "BTC"?)',
        ),
        (
            {"markets": [market(regulation={"kind": "unregulated", "band": "0.1"})]},
            "markets[0].regulation.band: an unregulated market has no band",
        ),
        (
            {"markets": [market(tick_size="0.0001", lot_size="0.00001")]},
            "markets[0]: tick 0.0001 x lot 0.00001 is no whole number of USD units: USD needs precision 9, it has 8",
        ),
        ({"markets": []}, "markets: is empty, at least one market is needed"),
        ({"markets": [market(status="suspended")]}, "markets: no market is active"),
        (
            {"assets": [{"symbol": "EUR"}]},
            "markets: none given, and the default ones need the assets BTC and USD, or ETH and USD",
        ),
        (
            {"markets": [market()], "scheduler": {"bid_price_offset": "0.9"}},
            "scheduler.bid_price_offset: BTC-USD: bids at 54000 are below asks at 60000 and would never cross: "
            "bid_price_offset must not be below ask_price_offset",
        ),
        (
            {"markets": [market(lot_size=1)]},
            "scheduler.max_amount: BTC-USD: no whole number of lots lies between 100 and 5000 USD: one lot is 60000 USD",
        ),
        (
            {"scheduler": {"min_amount": "100.000000001"}},
            "scheduler.min_amount: 100.000000001 USD: USD has 8 decimals",
        ),
        (
            {"scheduler": {"market_distribution": "weighted"}},
            'scheduler.market_weights: missing: market_distribution "weighted" needs the share of each market',
        ),
        (
            {"scheduler": {"market_weights": {"BTC-USD": 1}}},
            'scheduler.market_weights: has no effect with market_distribution "round_robin": '
            'set it to "weighted" or leave this out',
        ),
        (
            {"scheduler": {"market_distribution": "weighted", "market_weights": {"BTC-USD": 0}}},
            "scheduler.market_weights: gives no active market a weight above 0",
        ),
        (
            {"scheduler": {"market_distribution": "weighted", "market_weights": {"BTC-USD": 1, "ETHUSD": 1}}},
            'scheduler.market_weights.ETHUSD: no market is called "ETHUSD" (did you mean "ETH-USD"?)',
        ),
        (match_with(a="a"), f"{PAIRS}.a: an account cannot trade with itself"),
        (match_with(a="b", b="c"), f'{PAIRS}.b: "b" has another counterparty already'),
        (match_with(a="b", q="c"), f'{PAIRS}.q: no account is called "q" (there are a, b, c)'),
        (match_with(a="b"), f'{PAIRS}: leaves "c" without a counterparty: name it one, or add an account'),
        (budget(asset_id="usd"), 'budget.budgets[0].asset_id: no asset is called "usd" (did you mean "USD"?)'),
        (
            budget(account_id="test-acount-2"),
            'budget.budgets[0].account_id: no account is called "test-acount-2" (did you mean "test-account-2"?)',
        ),
        (budget(amount="0.000000001"), "budget.budgets[0].amount: 0.000000001 BTC: BTC has 8 decimals"),
        (
            budget(amount=10**12),
            "budget.budgets[0].amount: 1000000000000 BTC is too large: at most 92233720368.54775807",
        ),
        (
            {"venue": {"faults": {"latency_ms": [9, 5]}}},
            "venue.faults.latency_ms: the longest, 5, is below the shortest, 9",
        ),
    ],
)
def test_what_does_not_agree_is_refused_in_words(tree: dict[str, object], problem: str) -> None:
    assert problem in problems(tree)


def test_bids_a_little_below_asks_may_still_meet_on_the_tick() -> None:
    parse_config({"markets": [market(tick_size=1, reference_price="99.5")], "scheduler": {"bid_price_offset": "0.999"}})


def test_a_pair_may_be_named_in_both_directions() -> None:
    parse_config({"scheduler": {"matching_strategy": {"match_with": {"test-account-1": "test-account-2"}}}})
    both = {"test-account-1": "test-account-2", "test-account-2": "test-account-1"}
    parse_config({"scheduler": {"matching_strategy": {"match_with": both}}})


def test_a_general_amount_need_not_fit_an_asset_that_has_its_own() -> None:
    assets = [{"symbol": "BTC"}, {"symbol": "USD"}, {"symbol": "ETH", "precision": 18}]
    specs = [{"amount": 10_000}, {"asset_id": "ETH", "amount": 9}]
    parse_config({"assets": assets, "budget": {"budgets": specs}})


def test_a_check_is_left_out_where_what_it_reads_was_refused() -> None:
    assert problems({"scheduler": {"min_amount": "x", "max_amount": 50}}) == [
        'scheduler.min_amount: expected a number, got "x"'
    ]


def test_a_check_is_left_out_where_a_misspelt_key_meant_what_it_reads() -> None:
    assert problems({"scheduler": {"min_amont": 10, "max_amount": 50}}) == [
        "scheduler.min_amont: unknown key (did you mean min_amount?)"
    ]


def test_places_count_the_entries_that_were_refused() -> None:
    specs = [{"amount": -1}, {"amount": 1, "asset_id": "GBP"}]
    assert problems({"budget": {"budgets": specs}}) == [
        "budget.budgets[0].amount: -1 is below the least, 0",
        'budget.budgets[1].asset_id: no asset is called "GBP" (there are BTC, ETH, USD)',
    ]


def test_one_wrong_market_does_not_hide_another() -> None:
    found = problems({"markets": [market(tick_size=-1), market(symbol="x", lot_size="0.0000001")]})
    assert [problem.split(":")[0] for problem in found] == ["markets[0].tick_size", "markets[1]"]


def test_problems_beyond_a_thousand_are_not_listed() -> None:
    found = problems({"budget": {"budgets": [{"amount": 1, "asset_id": "GBP"}] * 1500}})
    assert (len(found), found[-1]) == (1001, "and more")


def test_entries_keep_their_numbers_where_others_were_refused() -> None:
    accounts = {"list": [{"id": 5}, {"id": "a"}, {"id": "a"}]}
    assets = [{"symbol": 5}, {"symbol": "USD"}, {"symbol": "USD"}]
    assert problems({"accounts": accounts, "assets": assets}) == [
        "accounts.list[0].id: expected text, got 5",
        "assets[0].symbol: expected text, got 5",
        'accounts.list[2].id: "a" is already the id of account [1]',
        'assets[2].symbol: "USD" is already asset [1]',
    ]


def test_a_hostile_symbol_is_quoted_harmlessly() -> None:
    [problem] = problems({"markets": [market(symbol="\x1b[2J" + "x" * 5000, lot_size=1)]})
    assert problem.isprintable()
    assert len(problem) < 600
