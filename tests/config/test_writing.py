"""Written down, a configuration reads as a person would write it, and says what it said."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.config.writing import Number, text_of, tree_of

EXAMPLES = [path for path in (Path(__file__).parents[2] / "configs").glob("*.json") if path.name != "accounts.json"]

keys = st.one_of(st.text(max_size=6), st.sampled_from(["name", "seed", "scheduler", "markets", "budget", "max_amount"]))
numbers = st.one_of(st.integers().map(str), st.sampled_from(["1.50", "1e3"])).map(Number)
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=9))
values = st.recursive(scalars, lambda inside: st.lists(inside, max_size=4) | st.dictionaries(keys, inside, max_size=4))
trees = st.dictionaries(keys, values, max_size=5)


@given(trees)
def test_a_tree_comes_back_from_its_text(tree: dict[str, object]) -> None:
    assert tree_of(text_of(tree)) == tree


@given(trees)
def test_the_text_of_a_text_is_the_same_text(tree: dict[str, object]) -> None:
    assert text_of(tree_of(text_of(tree))) == text_of(tree)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_the_same_when_it_is_written_again(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert json.loads(text_of(tree_of(text))) == json.loads(text)


def test_keys_stand_in_the_order_of_the_models_and_unknown_ones_last() -> None:
    tree = {"zeal": "x", "budget": {}, "scheduler": {"rounds": Number("2"), "min_amount": Number("1")}, "name": "a"}
    assert text_of(tree) == (
        '{\n  "name": "a",\n  "scheduler": {\n    "min_amount": 1,\n    "rounds": 2\n  },\n  "budget": {},\n  "zeal": "x"\n}\n'
    )


def test_the_rows_of_a_list_have_a_line_each() -> None:
    tree = {"budget": {"budgets": [{"amount": Number("1.0"), "asset_id": "USD"}, {"amount": Number("2")}]}}
    assert text_of(tree) == (
        '{\n  "budget": {\n    "budgets": [\n      {"asset_id": "USD", "amount": 1.0},\n      {"amount": 2}\n    ]\n  }\n}\n'
    )


def test_nothing_said_is_an_empty_object() -> None:
    assert text_of({}) == "{}\n"
