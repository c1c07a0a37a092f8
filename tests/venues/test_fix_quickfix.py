"""Runs against a real QuickFIX, which checks every message against its dictionary."""

import importlib.util
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from orderbook_tui.engine.simulation import Simulation
from tests.venues.test_fix import SLOTS, a_run, completed, half_of, matched, strays

if importlib.util.find_spec("quickfix") is None:
    pytest.skip("no counterparty: quickfix-tls has no build for this machine, or is not installed", allow_module_level=True)

import fixcore

_SPECS = Path(fixcore.__file__).parent / "specs"


@contextmanager
def quickfix(version: str, folder: Path, *options: str, port: int = 0) -> Iterator[int]:
    """Run QuickFIX in a process of its own; yield its port."""
    if not port:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.venues.quickfix_acceptor", version, str(port)]
    command += [str(_SPECS / f"{version.replace('.', '')}.xml"), str(folder), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield port
        finally:
            process.kill()


@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4"])
def test_quickfix_takes_every_message_and_every_pair_matches(version: str, tmp_path: Path) -> None:
    with quickfix(version, tmp_path) as port:
        simulation = a_run(port, version=version, order_timeout_ms=5000)
        anyio.run(completed, simulation)
        assert matched(simulation) == SLOTS
        assert not strays(simulation)


def test_the_habits_of_ordermatch_can_be_configured(tmp_path: Path) -> None:
    with quickfix("FIX.4.2", tmp_path, "--like-ordermatch") as port:
        simulation = a_run(port, version="FIX.4.2", good_till="day", status_requests=False, longest_client_order_id=20)
        anyio.run(completed, simulation)
        assert matched(simulation) == SLOTS


@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4"])
def test_a_run_goes_on_where_it_was_with_its_numbers(version: str, tmp_path: Path) -> None:
    with quickfix(version, tmp_path) as port:
        simulation = a_run(port, tmp_path / "runs", version=version, order_timeout_ms=5000)

        anyio.run(half_of, simulation)
        simulation.close()
        again = Simulation.resume(simulation.id, tmp_path / "runs")
        anyio.run(completed, again)
        assert matched(again) == SLOTS
        again.close()
