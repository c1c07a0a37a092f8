"""Before a run that trades outside its exchange's sandbox, the app asks."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from orderbook_tui.config import parse_config
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.real_money import RealMoneyScreen
from tests.tui.screen import config, drive, until

pytest.importorskip("ccxt", reason="the extra ccxt is not installed")


def for_real() -> Simulation:
    """A run that would trade for real, at an address where nobody is."""
    options = {"url": "http://127.0.0.1:1"}
    venue = {"kind": "ccxt", "exchange": "tests.venues.ccxt_served:Served", "sandbox": False, "options": options}
    markets = [{"symbol": "BTC-USD", "base": "BTC", "quote": "USD", "reference_price": "60000"}]
    return Simulation.create(parse_config(config(venue=venue, markets=markets)), save=False)


async def asked(app: OrderbookApp, pilot: Pilot[int]) -> None:
    await pilot.press("space")
    await until(lambda: isinstance(app.screen, RealMoneyScreen) and app.screen.is_mounted, "the question")
    await pilot.pause()


@pytest.mark.parametrize("key", ["n", "escape", "enter"])
def test_all_but_a_clear_yes_places_nothing(tmp_path: Path, key: str) -> None:
    simulation = for_real()

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await asked(app, pilot)
        await pilot.press(key)
        await until(lambda: not isinstance(app.screen, RealMoneyScreen), "the answer")
        await pilot.pause()

    drive(simulation, tmp_path, script)

    assert (simulation.status, simulation.is_for_real) == (RunStatus.READY, True)


def test_a_yes_begins_the_run(tmp_path: Path) -> None:
    simulation = for_real()

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await asked(app, pilot)
        await pilot.press("y")
        await until(lambda: simulation.status is not RunStatus.READY, "the run")

    drive(simulation, tmp_path, script)

    assert not simulation.is_for_real
