"""The form: what is typed means what the same thing in a file means."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.config.form import ABSENT, FormField, fields_of, number, typed, value_at
from orderbook_tui.config.models import BudgetSpec, ProcessorSpec, SchedulerSpec
from orderbook_tui.config.writing import Number


def field(path: str, tree: dict[str, object] | None = None) -> FormField:
    return next(field for field in fields_of(tree or {}) if field.path == path)


@pytest.mark.parametrize("section", [SchedulerSpec, ProcessorSpec])
def test_every_key_of_a_section_is_there(section: type[SchedulerSpec | ProcessorSpec]) -> None:
    labels = {part for field in fields_of({}) for part in field.path.split(".")}
    assert set(section.model_fields) - labels - {"overrides"} == set()


def test_every_budget_is_a_row_of_fields() -> None:
    rows: dict[str, object] = {"budget": {"budgets": [{"amount": 1}, {"amount": 2}]}}
    paths = {field.path for field in fields_of(rows)}
    assert {f"budget.budgets[{row}].{key}" for row in (0, 1) for key in BudgetSpec.model_fields} <= paths


def test_every_field_says_what_it_is_for() -> None:
    assert [field.path for field in fields_of({}) if not field.help.endswith((".", "dave"))] == []


def test_accounts_that_are_listed_are_not_generated() -> None:
    assert "accounts.generate.count" not in {field.path for field in fields_of({"accounts": {"list": []}})}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("scheduler.min_amount", "number"),
        ("scheduler.rounds", "integer"),
        ("scheduler.alternate_sides", "flag"),
        ("scheduler.amount_in", "choice"),
        ("scheduler.market_weights", "map"),
        ("scheduler.matching_strategy", "choice"),
        ("scheduler.time_in_force.maker", "choice"),
        ("processor.slots_per_second", "number"),
        ("processor.on_failure", "choice"),
        ("state_dir", "text"),
    ],
)
def test_a_field_knows_its_kind(path: str, kind: str) -> None:
    assert field(path).kind == kind


def test_a_field_shows_its_default_where_nothing_is_said() -> None:
    assert [field(f"processor.{key}").text for key in ("jitter", "save_after_each_slot", "slots_per_second")] == [
        "0.1",
        "true",
        "",
    ]


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("scheduler.min_amount", "12.50", Number("12.50")),
        ("scheduler.min_amount", "12a", "12a"),
        ("scheduler.rounds", " 3 ", Number("3")),
        ("scheduler.alternate_sides", "false", False),
        ("scheduler.alternate_sides", "maybe", "maybe"),
        ("processor.slots_per_second", "", None),
        ("processor.slots_per_second", "null", None),
        ("name", "", ""),
        ("scheduler.market_weights", "BTC-USD=3, ETH-USD=0.5", {"BTC-USD": Number("3"), "ETH-USD": Number("0.5")}),
        ("scheduler.market_weights", "BTC-USD=", {"BTC-USD": ""}),
        ("scheduler.market_weights", "BTC-USD", "BTC-USD"),
        ("scheduler.matching_strategy.match_with", "a:b, c:d", {"a": "b", "c": "d"}),
        ("scheduler.matching_strategy.match_with", "a:b, a:d", "a:b, a:d"),
        ("scheduler.matching_strategy.match_with", '{"a, b": "c:d"}', {"a, b": "c:d"}),
        ("scheduler.matching_strategy.match_with", '{"a": {"b": 1}}', '{"a": {"b": 1}}'),
    ],
)
def test_what_is_typed_is_a_value_or_stays_text(path: str, text: str, value: object) -> None:
    found = typed(field(path), text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "digits"), [("5.", "5"), (".5", "0.5"), ("+5", "5"), ("-.5", "-0.5"), ("007", "7"), ("1e3", "1e3")]
)
def test_a_number_may_be_written_in_any_usual_way(text: str, digits: str) -> None:
    assert number(text) == digits


@pytest.mark.parametrize("text", ["", "x", "1_000", "1,5", "NaN", "Infinity", "٣", "0x10", "1e", "--1"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert number(text) is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_a_number_is_kept_digit_by_digit(value: Decimal) -> None:
    assert number(f"{value:f}") == f"{value:f}"


names = st.text(max_size=8).filter(lambda name: "\0" not in name)


@given(st.dictionaries(names, names, max_size=3))
def test_the_text_of_a_map_means_the_map(couples: dict[str, str]) -> None:
    path = "scheduler.matching_strategy.match_with"
    shown = field(path, {"scheduler": {"matching_strategy": {"match_with": couples}}})
    assert typed(shown, shown.text) == couples


@given(st.dictionaries(names, st.integers(0, 9).map(str).map(Number), max_size=3))
def test_the_text_of_weights_means_the_weights(weights: dict[str, Number]) -> None:
    shown = field("scheduler.market_weights", {"scheduler": {"market_weights": weights}})
    assert (typed(shown, shown.text) or {}) == weights


def test_what_is_not_there_is_absent() -> None:
    assert all(value_at({"a": [1]}, place) is ABSENT for place in (("b",), ("a", 1), ("a", 0, "c"), ("a", "0")))
