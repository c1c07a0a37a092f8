"""The example configuration against the exchange that it is for."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from orderbook_tui.config import load_config, parse_config
from orderbook_tui.core.slot import Verdict
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import ConfigError
from tests.engine.runs import SKIP, run
from tests.serving.exchange import served

EXAMPLE = Path(__file__).parents[2] / "configs" / "venue-http.json"


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "orderbook_tui.venues.http.venue", None)
    with pytest.raises(ConfigError, match=r"pip install 'orderbook-tui\[http\]'"):
        Simulation.create(load_config(EXAMPLE), save=False)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with served(EXAMPLE, tmp_path_factory.mktemp("exchange")) as exchange:
        config = json.loads(EXAMPLE.read_text())
        config["venue"]["base_url"] = exchange.http_url
        yield config


def finished(example: dict[str, Any], **venue: Any) -> Simulation:
    simulation = Simulation.create(parse_config({**example, "venue": {**example["venue"], **venue}}), save=False)
    run(simulation, SKIP)
    return simulation


def test_every_slot_is_matched_by_its_counterparty(example: dict[str, Any]) -> None:
    simulation = finished(example)
    assert {slot.verdict for slot in simulation.slots} == {Verdict.MATCHED}
    assert all(simulation.invariants().values())


def test_fees_are_those_of_the_exchange(example: dict[str, Any]) -> None:
    simulation = finished(example)
    fills = [fill for slot in simulation.slots for fill in slot.fills]
    assert sum(fill.maker_fee + fill.taker_fee for fill in fills) > 0


def test_without_a_stream_fills_are_found_by_asking(example: dict[str, Any]) -> None:
    simulation = finished(example, stream=None)
    assert {slot.verdict for slot in simulation.slots} == {Verdict.MATCHED}


def test_one_key_for_all_accounts_hears_of_all_fills(example: dict[str, Any]) -> None:
    stream = {**example["venue"]["stream"], "url": "/stream?key=key-operator"}
    simulation = finished(example, headers={"X-API-Key": "key-operator", "X-Account": "{account}"}, stream=stream)
    assert {slot.verdict for slot in simulation.slots} == {Verdict.MATCHED}
