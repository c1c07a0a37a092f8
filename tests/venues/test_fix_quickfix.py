"""Runs against a real QuickFIX, which checks every message against its dictionary; `conformance` has single orders."""

import importlib.util
from pathlib import Path

import anyio
import pytest

from orderbook_tui.engine.simulation import Simulation
from tests.venues.quickfix_process import quickfix
from tests.venues.test_fix import SLOTS, a_run, completed, half_of, matched, strays

if importlib.util.find_spec("quickfix") is None:
    pytest.skip("no counterparty: quickfix-tls has no build for this machine, or is not installed", allow_module_level=True)


@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4"])
def test_quickfix_takes_every_message_and_every_pair_matches(version: str, tmp_path: Path) -> None:
    with quickfix(tmp_path) as exchange:
        simulation = a_run(exchange.fix_port, version=version, order_timeout_ms=5000)
        anyio.run(completed, simulation)
        assert matched(simulation) == SLOTS
        assert not strays(simulation)


def test_the_habits_of_ordermatch_can_be_configured(tmp_path: Path) -> None:
    with quickfix(tmp_path, "--like-ordermatch") as exchange:
        port, version = exchange.fix_port, "FIX.4.2"
        simulation = a_run(port, version=version, good_till="day", status_requests=False, longest_client_order_id=20)
        anyio.run(completed, simulation)
        assert matched(simulation) == SLOTS


@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4"])
def test_a_run_goes_on_where_it_was_with_its_numbers(version: str, tmp_path: Path) -> None:
    with quickfix(tmp_path) as exchange:
        simulation = a_run(exchange.fix_port, tmp_path / "runs", version=version, order_timeout_ms=5000)

        anyio.run(half_of, simulation)
        simulation.close()
        again = Simulation.resume(simulation.id, tmp_path / "runs")
        anyio.run(completed, again)
        assert matched(again) == SLOTS
        again.close()
