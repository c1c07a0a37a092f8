"""From a configuration to its slots: overrides stand where the configuration puts them, and nothing else changes."""

import time
from pathlib import Path

import pytest

from orderbook_tui.config import PlannedPairs, parse_config, schedule, universe
from orderbook_tui.config.schedule import drawn_pair
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import ConfigError
from tests.config.wrong import problems


def overrides(*specs: dict[str, object], **scheduler: object) -> dict[str, object]:
    return {"scheduler": {"overrides": list(specs), **scheduler}}


def slots_of(tree: dict[str, object]) -> list[ActionSlot]:
    config = parse_config(tree)
    return schedule(config, universe(config))


def refused(tree: dict[str, object]) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        slots_of(tree)
    return [str(problem) for problem in raised.value.problems]


def test_an_override_changes_its_pair_and_nothing_else() -> None:
    plain, changed = slots_of({}), slots_of(overrides({"slot": 5, "ask_amount": 3}))
    assert [slot.sequence for slot, was in zip(changed, plain, strict=True) if slot != was] == [4, 5]


def test_pair_by_pair_they_are_the_same_slots() -> None:
    config = parse_config(overrides({"slot": 0, "bid_amount": 6000}))
    described = universe(config)
    assert [slot for pair in PlannedPairs(config, described) for slot in pair] == schedule(config, described)


def test_every_override_that_does_not_fit_is_named_where_it_stands() -> None:
    tree = overrides({"slot": 0, "bid_amount": 6000}, {"slot": 2, "ask_amount": 1}, {"slot": 9, "bid_amount": "0.0000001"})
    assert refused(tree) == [
        "scheduler.overrides[1]: slot 2: 1 USD gives no whole quantity on BTC-USD (0.96 or 1.02 would do)",
        "scheduler.overrides[2]: slot 9: quantity 0.0000001 is off the lot of ETH-USD, 0.000001 (0.000001 would do)",
    ]


def test_the_order_that_an_override_replaced_can_be_had() -> None:
    config = parse_config(overrides({"slot": 0, "bid_amount": 6000}))
    planned = PlannedPairs(config, universe(config))
    list(planned)
    assert planned.drawn[0] == slots_of({})[0].action


def test_a_pair_can_be_drawn_by_itself() -> None:
    config = parse_config(overrides({"slot": 6, "ask_amount": 3}))
    first, second = drawn_pair(config, universe(config), 3)
    assert [first, second] == slots_of({})[6:8]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"slot": 1}, "scheduler.overrides[0]: give bid_amount, ask_amount or both"),
        (
            {"slot": 40, "bid_amount": 1},
            "scheduler.overrides[0].slot: there is no slot 40: there are 40, counted from 0",
        ),
        ({"slot": -1, "bid_amount": 1}, "scheduler.overrides[0].slot: -1 is below the least, 0"),
        ({"slot": 1, "bid_amount": 0}, "scheduler.overrides[0].bid_amount: 0 is not above 0"),
        ({"bid_amount": 1}, "scheduler.overrides[0].slot: missing"),
    ],
)
def test_an_override_that_can_never_fit_is_refused_on_loading(spec: dict[str, object], problem: str) -> None:
    assert problems(overrides(spec)) == [problem]


def test_a_slot_has_one_override() -> None:
    assert problems(overrides({"slot": 3, "bid_amount": 1}, {"slot": 3, "ask_amount": 1})) == [
        "scheduler.overrides[1].slot: slot 3 is already in override [0]"
    ]


def test_how_many_slots_there_are_is_not_held_against_an_override_where_that_is_wrong_itself() -> None:
    tree = overrides({"slot": 90, "bid_amount": 1}, trades_per_account="many")
    assert [problem.split(":")[0] for problem in problems(tree)] == ["scheduler.trades_per_account"]


def test_a_million_accounts_are_not_made_to_check_an_override() -> None:
    started = time.perf_counter()
    tree = overrides({"slot": 1, "bid_amount": 1})
    assert parse_config({"accounts": {"generate": {"count": 1_000_000}}, **tree}, Path()).scheduler.overrides
    assert time.perf_counter() - started < 0.5
