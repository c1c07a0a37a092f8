"""Fitting finds the largest amounts for which no budget refuses a slot, and says what it did."""

from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orderbook_tui.config import parse_config
from orderbook_tui.core.preflight import Preflight
from orderbook_tui.engine import fitting
from orderbook_tui.engine.drafting import ConfigDraft


def draft_of(**tree: Any) -> ConfigDraft:
    return ConfigDraft.of(parse_config(tree), Path())


def budgets(**amounts: object) -> dict[str, object]:
    return {"budgets": [{"amount": 10**6}, *({"asset_id": asset, "amount": amount} for asset, amount in amounts.items())]}


def preflight(draft: ConfigDraft) -> Preflight:
    preview = draft.preview()
    while not preview.advance(1):
        pass
    assert preview.preflight is not None
    return preview.preflight


def amounts(draft: ConfigDraft) -> tuple[Decimal, Decimal]:
    spec = draft.config().scheduler
    return spec.min_amount, spec.max_amount


def test_on_the_pages_example_the_greatest_amount_comes_down() -> None:
    draft = ConfigDraft.new()
    assert draft.fit() == "max_amount 5000 -> 2468, min_amount kept at 100"
    assert amounts(draft) == (Decimal(100), Decimal(2468))
    assert preflight(draft).refused == []


def test_the_next_larger_amount_would_be_too_large() -> None:
    draft = ConfigDraft.new()
    draft.set("scheduler.max_amount", "2469")
    assert [refused.code for refused in preflight(draft).refused] == ["budget"]


def test_an_amount_of_many_digits_comes_down_to_the_next_of_four() -> None:
    draft = ConfigDraft.new()
    draft.set("scheduler.max_amount", "2468.9")
    assert draft.fit() == "max_amount 2468.9 -> 2468, min_amount kept at 100"


def test_where_the_least_amount_is_too_large_it_comes_down_as_well() -> None:
    draft = draft_of(budget=budgets(USD=100))
    assert draft.fit() == "max_amount 5000 -> 20.02, min_amount 100 -> 19.96"
    assert preflight(draft).refused == []


def test_where_nothing_is_refused_nothing_is_changed() -> None:
    draft = draft_of(budget=budgets())
    assert draft.fit() == "nothing to fit: no budget refuses a slot"
    assert not draft.is_changed


@pytest.mark.parametrize("amount", [0, "0.00000001"])
def test_budgets_of_nothing_fit_no_amounts(amount: object) -> None:
    draft = draft_of(budget=budgets(USD=amount))
    assert draft.fit().startswith("no amounts fit: even with 0.06001")
    assert not draft.is_changed


def test_a_trade_stays_above_the_least_notional() -> None:
    market = {"symbol": "A-B", "base": "A", "quote": "B", "reference_price": 10, "min_notional": 50}
    draft = draft_of(markets=[market], budget=budgets(B=100))
    assert draft.fit().startswith("no amounts fit")
    assert not draft.is_changed


def test_amounts_of_one_size_are_scaled_by_their_least() -> None:
    draft = draft_of(scheduler={"amount_distribution": "fixed"}, budget=budgets(USD=300))
    assert draft.fit() == "max_amount kept at 5000, min_amount 100 -> 60"
    assert preflight(draft).refused == []


def test_amounts_may_be_in_the_base_asset() -> None:
    draft = draft_of(scheduler={"amount_in": "base", "min_amount": "0.01", "max_amount": 2}, budget=budgets(BTC=1, ETH=9))
    assert draft.fit().startswith("max_amount 2 -> 0.")
    assert preflight(draft).refused == []


def test_a_slot_that_no_amounts_help_is_named() -> None:
    draft = draft_of(scheduler={"overrides": [{"slot": 0, "bid_amount": 60_000}]})
    assert draft.fit() == (
        "slot 0 has amounts of its own that no budget covers: test-account-1 has 10000 USD available, the order needs 60000: "
        "change or clear them"
    )
    assert not draft.is_changed


def test_amounts_of_single_slots_are_kept() -> None:
    draft = draft_of(scheduler={"overrides": [{"slot": 0, "bid_amount": 6000}]})
    draft.fit()
    assert list(draft.overrides) == [0]
    assert preflight(draft).refused == []


def test_a_draft_that_was_changed_meanwhile_is_not_fitted() -> None:
    draft = ConfigDraft.new()
    search = draft.fitting()
    draft.set("seed", "5")
    while not search.advance(1):
        pass
    assert (search.fitted, amounts(draft)) == (False, (Decimal(100), Decimal(5000)))
    assert search.words == "the schedule was changed meanwhile: nothing was fitted"


def test_it_works_in_slices() -> None:
    search = draft_of(scheduler={"trades_per_account": 500}).fitting()
    slices = 1
    while not search.advance(0.001):
        slices += 1
    assert slices > 10


configurations = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10**6),
        "scheduler": st.fixed_dictionaries(
            {
                "min_amount": st.integers(1, 100),
                "max_amount": st.integers(101, 9000),
                "trades_per_account": st.sampled_from([2, 6, 10]),
            },
            optional={
                "bid_price_offset": st.just("1.05"),
                "amount_distribution": st.just("fixed"),
                "matching_strategy": st.just("any"),
                "alternate_sides": st.sampled_from([False]),
            },
        ),
        "budget": st.integers(10, 20_000).map(lambda amount: budgets(USD=amount)),
    },
    optional={"venue": st.just({"fees": {"maker": "0.001", "taker": "0.002"}})},
)  # fmt: skip


@pytest.mark.parametrize("most_played", [20_000, 1])
@given(tree=configurations)
@settings(max_examples=25, deadline=None)
def test_what_was_fitted_passes_and_is_about_the_most_that_does(most_played: int, tree: dict[str, Any]) -> None:
    draft = draft_of(**tree)
    before = amounts(draft)
    assume(preflight(draft).refused)
    with patch.object(fitting, "MOST_PLAYED", most_played):
        search = draft.fitting()
        while not search.advance(1):
            pass
    assert search.fitted
    assert preflight(draft).refused == []
    least, most = amounts(draft)
    assert least <= before[0]
    assert least <= most <= before[1]
    if most_played > 1 and "amount_distribution" not in tree["scheduler"]:
        draft.set("scheduler.max_amount", str(most * Decimal("1.002")))
        draft.set("scheduler.min_amount", str(min(before[0], least * Decimal("1.002"))))
        assert not draft.problems() or most < 1
        assert preflight(draft).refused
