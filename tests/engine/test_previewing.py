"""A preview shows what a run will be: the same slots, their totals, and the preflight's very findings."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderbook_tui.config import load_config, parse_config
from orderbook_tui.engine.drafting import ConfigDraft
from orderbook_tui.engine.previewing import Preview
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import ConfigError
from tests.examples import CONFIGS, STANDALONE

PAGE = parse_config({})


def finished(preview: Preview) -> Preview:
    while not preview.advance():
        pass
    return preview


@pytest.mark.parametrize("path", STANDALONE, ids=lambda path: path.stem)
def test_it_shows_the_slots_and_the_preflight_of_the_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CONFIGS.parent)
    config = load_config(path)
    preview = finished(Preview(config, path.parent))
    simulation = Simulation.create(config, folder=path.parent, save=False)
    assert [(slot.account_id, slot.action) for slot in preview.slots] == [(s.account_id, s.action) for s in simulation.slots]
    assert preview.preflight == simulation.preflight()


def test_the_first_slots_are_there_at_once() -> None:
    preview = Preview(parse_config({"scheduler": {"trades_per_account": 1000}}))
    assert (len(preview.slots), preview.total_slots, preview.total_pairs) == (100, 4000, 2000)


def test_it_works_in_slices() -> None:
    preview = Preview(parse_config({"scheduler": {"trades_per_account": 1000}}))
    done = [preview.progress]
    while not preview.advance(0.001):
        done.append(preview.progress)
    assert len(done) > 5
    assert done == sorted(done)
    assert preview.progress == 1


def test_there_is_no_preflight_before_the_end() -> None:
    preview = Preview(parse_config({"scheduler": {"trades_per_account": 1000}}))
    preview.advance(0)
    assert (preview.done, preview.preflight) == (False, None)


def test_a_volume_counts_each_pair_once_at_the_price_of_its_first_order() -> None:
    preview = finished(Preview(parse_config({"scheduler": {"bid_price_offset": "1.1"}})))
    for volume in preview.volumes:
        first = [slot.action for slot in preview.slots[::2] if slot.action.market_id == volume.market]
        assert volume.pairs == len(first)
        assert volume.notional == sum(action.notional for action in first)
        assert volume.quantity == sum(action.market.quantity(action.quantity) for action in first)


@given(st.integers(1, 300), st.integers(1, 4000), st.sampled_from(["uniform", "fixed"]), st.sampled_from(["quote", "base"]))
@settings(max_examples=25)
def test_every_pair_is_in_one_bin_of_the_histogram(least: int, more: int, distribution: str, amount_in: str) -> None:
    amounts = {"min_amount": least, "max_amount": least + more, "amount_distribution": distribution, "amount_in": amount_in}
    preview = finished(Preview(parse_config({"scheduler": amounts, "budget": {"budgets": [{"amount": 10**9}]}})))
    histogram = preview.histogram
    assert histogram is not None
    first = [slot.action for slot in preview.slots[::2]]
    sizes = [action.notional if amount_in == "quote" else action.market.quantity(action.quantity) for action in first]
    edges = histogram.edges
    assert (edges[0], edges[-1]) == (min(sizes), max(sizes))
    last = len(histogram.counts) - 1
    for place, count in enumerate(histogram.counts):
        inside = [size for size in sizes if edges[place] <= size and (size < edges[place + 1] or place == last)]
        assert len(inside) == count


def test_sizes_of_assets_with_different_decimals_are_compared_as_numbers() -> None:
    markets = [
        {"symbol": "A-X", "base": "A", "quote": "X", "reference_price": 1, "lot_size": 1, "tick_size": 1},
        {"symbol": "A-Y", "base": "A", "quote": "Y", "reference_price": 1, "lot_size": 1, "tick_size": 1},
    ]
    assets = [{"symbol": "A", "precision": 0}, {"symbol": "X", "precision": 0}, {"symbol": "Y", "precision": 6}]
    config = parse_config({"assets": assets, "markets": markets, "scheduler": {"max_amount": 200}})
    histogram = finished(Preview(config)).histogram
    assert histogram is not None
    assert Decimal(100) <= histogram.edges[0] < histogram.edges[-1] <= Decimal(200)


def test_overrides_that_do_not_fit_are_named_and_the_rest_is_shown() -> None:
    preview = finished(Preview(parse_config({"scheduler": {"overrides": [{"slot": 6, "bid_amount": "0.0000001"}]}})))
    assert list(preview.problems) == ["scheduler.overrides[0]"]
    assert (len(preview.slots), preview.slots[6].action) == (40, finished(Preview(PAGE)).slots[6].action)


def test_a_pair_can_be_had_as_it_was_drawn() -> None:
    preview = Preview(parse_config({"scheduler": {"overrides": [{"slot": 0, "bid_amount": 6000}]}}))
    pair = preview.drawn_pair(0)
    assert pair is not None
    assert [slot.action for slot in pair] == [slot.action for slot in Preview(PAGE).slots[:2]]


def test_a_draft_with_problems_has_no_preview() -> None:
    draft = ConfigDraft.new()
    draft.set("seed", "x")
    with pytest.raises(ConfigError):
        draft.preview()
