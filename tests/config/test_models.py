import json
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderbook_tui.config import SimulatorConfig, parse_config
from orderbook_tui.config.models import GenerateSpec
from orderbook_tui.core.words import harmless
from orderbook_tui.errors import ConfigError, Problem
from tests.config.wrong import market, problems

PAGE_EXAMPLE = """{
  "scheduler": {
    "min_amount": 100,
    "max_amount": 5000,
    "trades_per_account": 10,
    "bid_price_offset": 1.0,
    "ask_price_offset": 1.0,
    "alternate_sides": true
  },
  "processor": {
    "retry_base_delay_ms": 500,
    "max_retries": 3,
    "save_after_each_slot": true
  },
  "budget": {
    "budgets": [
      {
        "account_id": null,
        "asset_id": null,
        "amount": 10000
      }
    ]
  },
  "state_dir": "./simulator_state"
}"""

EVERY_KEY = """{
  "name": "two-venues", "seed": 7,
  "accounts": {"generate": {"prefix": "test-account", "count": 4}},
  "assets": [{"symbol": "USD", "precision": 8}, {"symbol": "BTC", "precision": 8}],
  "markets": [{"symbol": "BTC-USD", "base": "BTC", "quote": "USD", "tick_size": "0.01", "lot_size": "0.00000100",
               "min_notional": "10", "reference_price": "60000", "regulation": {"kind": "regulated", "band": "0.10"},
               "status": "active"}],
  "scheduler": {"market_distribution": "round_robin", "matching_strategy": "sequential_next", "amount_in": "quote",
                "amount_distribution": "uniform", "market_weights": null,
                "time_in_force": {"maker": "gtc", "taker": "gtc"}, "rounds": 1},
  "processor": {"max_delay_ms": 30000, "jitter": 0.1, "slots_per_second": null, "on_failure": "ask",
                "cancel_open_orders_at_end": true},
  "venue": {"kind": "embedded", "fees": {"maker": "0.0002", "taker": "0.0005"},
            "self_trade_prevention": "cancel_newest",
            "faults": {"transient_rate": 0.02, "rejection_rate": 0.0, "latency_ms": [0, 0],
                       "outages": [{"from_slot": 12, "slots": 1, "attempts": 4}]}}
}"""

CONFIGS = [
    "{}",
    PAGE_EXAMPLE,
    EVERY_KEY,
    '{"accounts": {"list": [{"id": "a"}, {"name": "b"}]}, "budget": {"budgets": []}}',
    '{"scheduler": {"matching_strategy": {"match_with": {"test-account-1": "test-account-2"}}, "min_amount": 1e2}}',
    '{"scheduler": {"market_distribution": "weighted", "market_weights": {"BTC-USD": 0.1, "ETH-USD": "2"}}}',
    '{"venue": {"kind": "python", "target": "package.module:place_order"}}',
]


def test_the_example_of_the_page_is_what_is_left_out_by_default() -> None:
    assert parse_config(PAGE_EXAMPLE) == parse_config("{}") == SimulatorConfig()


def test_every_key_is_read() -> None:
    config = parse_config(EVERY_KEY)
    assert (config.seed, config.venue.fees.taker, config.venue.faults.outages[0].attempts) == (7, Decimal("0.0005"), 4)


@pytest.mark.parametrize("text", CONFIGS)
def test_a_config_survives_being_written_and_read(text: str) -> None:
    config = parse_config(text)
    assert parse_config(config.model_dump_json()) == config


@pytest.mark.parametrize("text", CONFIGS)
def test_a_stored_config_is_read_back_without_checks(text: str) -> None:
    config = parse_config(text)
    assert SimulatorConfig.model_validate_json(config.model_dump_json()) == config


def test_an_amount_is_exact_from_number_or_text() -> None:
    assert parse_config({"scheduler": {"min_amount": "100.01"}}) == parse_config('{"scheduler": {"min_amount": 100.01}}')


def test_a_venue_without_a_kind_is_the_one_its_keys_speak_of() -> None:
    assert parse_config('{"venue": {"target": "a:b"}}').venue.kind == "python"


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        ({"seed": "x"}, 'seed: expected a whole number, got "x"'),
        ({"seed": True}, "seed: expected a whole number, got true"),
        ({"seed": 1.5}, "seed: expected a whole number, got 1.5"),
        ({"seed": -2.0}, "seed: -2.0 is below the least, 0"),
        ({"seed": -1}, "seed: -1 is below the least, 0"),
        ({"seed": 2**63}, "seed: 9223372036854775808 is above the most, 9223372036854775807"),
        ({"name": ""}, "name: is empty, some text is wanted"),
        ({"name": 5}, "name: expected text, got 5"),
        ({"scheduler": None}, "scheduler: expected an object, got null"),
        ({"scheduler": []}, "scheduler: expected an object, got a list"),
        ({"assets": {}}, "assets: expected a list, got an object"),
        ({"scheduler": {"alternate_sides": 1}}, "scheduler.alternate_sides: expected true or false, got 1"),
        ({"scheduler": {"min_amount": 0}}, "scheduler.min_amount: 0 is not above 0"),
        ({"scheduler": {"min_amount": False}}, "scheduler.min_amount: expected a number, got false"),
        ({"scheduler": {"min_amount": "1_0"}}, 'scheduler.min_amount: expected a number, got "1_0"'),
        ({"scheduler": {"min_amount": "NaN"}}, 'scheduler.min_amount: expected a number, got "NaN"'),
        ({"scheduler": {"trades_per_account": "4"}}, 'scheduler.trades_per_account: expected a whole number, got "4"'),
        (
            {"scheduler": {"time_in_force": {"taker": "day"}}},
            'scheduler.time_in_force.taker: expected "gtc", "ioc", "fok" or "post_only", got "day"',
        ),
        (
            {"scheduler": {"matching_strategy": "all"}},
            'scheduler.matching_strategy: expected "sequential_next" or "any", got "all"',
        ),
        (
            {"scheduler": {"matching_strategy": 7}},
            'scheduler.matching_strategy: expected "sequential_next", "any" or {"match_with": {...}}, got 7',
        ),
        (
            {"scheduler": {"matching_strategy": {"match_with": {"a": 1}}}},
            "scheduler.matching_strategy.match_with.a: expected text, got 1",
        ),
        ({"processor": {"slots_per_second": 0}}, "processor.slots_per_second: 0 is below the least, 0.00001"),
        ({"processor": {"jitter": "0.1"}}, 'processor.jitter: expected a number, got "0.1"'),
        ({"processor": {"max_delay_ms": 1e9}}, "processor.max_delay_ms: 1000000000.0 is above the most, 86400000"),
        (
            {"markets": [market()], "assets": [{"symbol": "BTC", "precision": 19}]},
            "assets[0].precision: 19 is above the most, 18",
        ),
        ({"markets": [market(reference_price=-1)]}, "markets[0].reference_price: -1 is not above 0"),
        ({"markets": [market(regulation={"band": 10})]}, "markets[0].regulation.band: 10 is not below 1"),
        ({"venue": {"kind": "post"}}, 'venue.kind: expected "embedded", "python", "http", "fix" or "ccxt", got "post"'),
        ({"venue": 5}, "venue: expected an object, got 5"),
        ({"venue": {"fees": {"maker": 1}}}, "venue.fees.maker: 1 is not below 1"),
        ({"venue": {"fees": {"maker": "0.00000000001"}}}, "venue.fees.maker: 1E-11 has more than 10 decimals"),
        ({"venue": {"faults": {"latency_ms": [5]}}}, "venue.faults.latency_ms[1]: missing"),
        ({"venue": {"target": "a.b"}}, 'venue.target: expected "package.module:callable", got "a.b"'),
        ({"scheduler": {"min_amont": 1}}, "scheduler.min_amont: unknown key (did you mean min_amount?)"),
        ({"scheduler": {"minAmount": 1}}, "scheduler.minAmount: unknown key (did you mean min_amount?)"),
        ({"scheduler": {"jitter": 0}}, "scheduler.jitter: unknown key here (jitter belongs in processor)"),
        ({"scheduler": {"seed": 0}}, "scheduler.seed: unknown key here (seed belongs at the top of the file)"),
        ({"max_retries": 0}, "max_retries: unknown key here (max_retries belongs in processor)"),
        ({"markets": [market(seed=1)]}, "markets[0].seed: unknown key"),
        ({"venue": {"faults": {"outage": []}}}, "venue.faults.outage: unknown key (did you mean outages?)"),
        ({"a\x1b[2J": 1}, r'["a\u001b[2J"]: unknown key'),
    ],
)
def test_what_a_section_does_not_admit_is_refused_in_words(tree: dict[str, object], problem: str) -> None:
    assert problems(tree) == [problem]


def test_a_long_value_is_cut_and_a_control_character_escaped() -> None:
    [problem] = problems({"seed": "\x1b]52;c;" + "x" * 1000})
    assert problem == r'seed: expected a whole number, got "\u001b]52;c;' + "x" * 38 + '... (1007 characters)"'


def test_all_problems_are_told_at_once() -> None:
    assert problems('{"seed": NaN, "nam": 1, "processor": {"jitter": 2}, "scheduler": {"max_amount": 50}}') == [
        "seed: NaN is not a number",
        "processor.jitter: 2 is above the most, 1",
        "nam: unknown key (did you mean name?)",
        "scheduler.max_amount: 50 is below min_amount 100",
    ]


def test_a_name_of_ten_thousand_characters_is_a_name() -> None:
    assert GenerateSpec(prefix="x" * 10_000).count == 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = sorted(SimulatorConfig.model_fields)
# Random text rarely reaches a section, so the keys of the file and of its sections are drawn as well.
INNER = [
    "min_amount",
    "max_amount",
    "kind",
    "fees",
    "faults",
    "budgets",
    "list",
    "file",
    "generate",
    "symbol",
    "amount",
]
SECTIONS = st.dictionaries(st.sampled_from(INNER), JSON, max_size=4) | JSON
CONFIG = st.dictionaries(st.sampled_from(KEYS), SECTIONS | st.lists(SECTIONS, max_size=3), max_size=5)


def problems_of(content: bytes | str) -> tuple[Problem, ...]:
    try:
        parse_config(content)
    except ConfigError as refused:
        return refused.problems
    return ()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_give_a_config_or_a_refusal(content: bytes | str) -> None:
    assert all(harmless(str(problem)) == str(problem) for problem in problems_of(content))


@settings(max_examples=250, deadline=None)
@given(CONFIG)
def test_any_tree_gives_a_config_or_a_refusal(tree: dict[str, object]) -> None:
    assert all(harmless(str(problem)) == str(problem) for problem in problems_of(json.dumps(tree)))


def test_reading_a_config_imports_no_screen_and_no_command_line() -> None:
    code = "import sys, orderbook_tui.config; print(sorted({'textual', 'rich', 'click', 'asyncio'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
