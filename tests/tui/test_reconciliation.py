"""What the ledger and the venue do not agree about, on the screen: a line on the budgets, a list behind a key, a notice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.reconciliation import ReconciliationScreen
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.text_lines import TextLines
from tests.engine.outside import OutsideExchange, connected_to
from tests.tui.screen import SMALL, WIDE, drive, frame, said, shown, simulation, until, until_status
from tests.tui.test_hostile_text import _UNSAFE, HOSTILE


@pytest.fixture(autouse=True)
def _soon() -> Iterator[None]:
    with (
        patch("orderbook_tui.engine.reconciling.SETTLING_S", (0.01,)),
        patch("orderbook_tui.engine.reconciling._TRIES_S", (0.001,)),
        patch("orderbook_tui.engine.reconciling._LOOK_S", 0.002),
    ):
        yield


def at_an_exchange(folder: Path, **sections: Any) -> tuple[Simulation, OutsideExchange]:
    """A run, and the exchange outside the program that it trades at."""
    venue = OutsideExchange(simulation(folder, save=False, **sections).state.plan)
    with connected_to(venue):
        return simulation(folder, save=False, **sections), venue


def line(app: OrderbookApp) -> str:
    """The line beneath the budgets."""
    found = app.get_screen("budgets").query_one("#reconciled", Static)
    return str(found.render()) if found.display else ""


async def one_slot(app: OrderbookApp, pilot: Pilot[int]) -> Simulation:
    """Go to the budgets, run a slot, and wait until the venue has been asked."""
    run = app.simulation
    assert run is not None
    await pilot.press("3", "n")
    await until(lambda: run.stats.ended_slots == 1)
    await compared(app, pilot)
    return run


async def compared(app: OrderbookApp, pilot: Pilot[int]) -> None:
    run = app.simulation
    assert run is not None
    await until(lambda: run.reconciliation is not None and not run.is_reconciling)
    await frame(pilot)
    while run.is_reconciling or "comparing" in line(app):  # it is compared again when something has happened since
        await frame(pilot)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_a_paused_run_that_agrees_with_its_venue_says_so_on_the_budgets(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await one_slot(app, pilot)
        assert line(app).endswith(": no differences")
        assert "no differences" in shown(app)

    run, _ = at_an_exchange(tmp_path)
    drive(run, tmp_path, script, size)


def test_a_run_on_the_embedded_exchange_has_no_such_line_and_no_such_key(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("3", "n")
        await until(lambda: run.stats.ended_slots == 1)
        await frame(pilot)
        assert line(app) == ""
        await pilot.press("x")
        assert not isinstance(app.screen, ReconciliationScreen)

    run = simulation(tmp_path)
    drive(run, tmp_path, script)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_differences_are_counted_in_the_line_and_listed_behind_its_key(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await one_slot(app, pilot)
        slot = run.slots[0]
        venue.move(slot.account_id, slot.action.bid_asset, -1)
        venue.close_behind(slot.client_order_id)
        run.reconcile()
        await until(lambda: run.reconciliation is not None and run.reconciliation.differences)
        await compared(app, pilot)
        assert ": 2 differences: press x" in line(app)
        assert "2 differences between the ledger and the venue" in said(app)
        app.clear_notifications()
        await pilot.press("x")
        assert isinstance(app.screen, ReconciliationScreen)
        text = app.screen.query_one(TextLines).text()
        assert run.reconciliation is not None
        for each in run.reconciliation.differences:
            assert each.words in text
            assert f"slot {each.slots[0]}  {each.why[0]}" in text
        await pilot.press("escape")
        assert not isinstance(app.screen, ReconciliationScreen)

    run, venue = at_an_exchange(tmp_path)
    drive(run, tmp_path, script, size)


def test_the_venue_can_be_asked_again_while_the_run_is_paused(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await one_slot(app, pilot)
        await pilot.press("x")
        assert "no differences" in app.screen.query_one(TextLines).text()
        venue.move(run.slots[0].account_id, run.slots[0].action.bid_asset, 7)
        await pilot.press("r")
        await until(lambda: run.reconciliation is not None and run.reconciliation.differences)
        await compared(app, pilot)
        assert "1 difference" in app.screen.query_one(TextLines).text()
        assert "more" in app.screen.query_one(TextLines).text()

    run, venue = at_an_exchange(tmp_path)
    drive(run, tmp_path, script)


def test_at_the_end_of_a_run_differences_are_told_and_the_process_answers_1(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await one_slot(app, pilot)
        venue.move(run.slots[0].account_id, run.slots[0].action.bid_asset, -1)
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)
        await frame(pilot)
        assert "1 difference between the ledger and the venue" in said(app)
        assert "1 difference: press x" in line(app)
        assert app.exit_status() == 1
        await pilot.press("x")
        assert isinstance(app.screen, ReconciliationScreen)
        assert "Ask again" not in app.screen.query_one(KeyBar).text()

    run, venue = at_an_exchange(tmp_path)
    drive(run, tmp_path, script)


def test_a_venue_that_cannot_be_reached_is_told_in_words(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        venue.lies["open_orders"] = "unreachable"
        await one_slot(app, pilot)
        assert "not reconciled" in line(app)
        assert "the line is dead" in line(app)

    run, venue = at_an_exchange(tmp_path)
    drive(run, tmp_path, script)


def test_the_screen_lives_while_the_venue_does_not_answer(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        venue.lies["open_orders"] = "silent"
        await pilot.press("3", "n")
        await until(lambda: run.is_reconciling)
        await frame(pilot)
        assert line(app) == "comparing with the venue ..."
        venue.lies.clear()
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)
        assert run.reconciliation is not None
        assert run.reconciliation.at_end

    run, venue = at_an_exchange(tmp_path)
    drive(run, tmp_path, script)


@pytest.mark.parametrize("kind", HOSTILE)
def test_names_and_words_from_outside_are_shown_harmlessly(tmp_path: Path, kind: str) -> None:
    text = HOSTILE[kind]

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await one_slot(app, pilot)
        slot = run.slots[0]
        venue.move(slot.account_id, slot.action.bid_asset, -1)
        venue.place_behind(slot.account_id, slot.action, text)
        run.reconcile()
        await until(lambda: run.reconciliation is not None and run.reconciliation.differences)
        await compared(app, pilot)
        assert not _UNSAFE.search(shown(app))
        await pilot.press("x")
        await frame(pilot)
        assert not _UNSAFE.search(shown(app))
        assert all(strip.cell_length == SMALL[0] for strip in app.screen._compositor.render_strips())

    run, venue = at_an_exchange(
        tmp_path,
        accounts={"list": [{"name": f"{text}{number}"} for number in range(4)]},
        markets=[{"symbol": text, "base": f"B{text}", "quote": f"Q{text}", "reference_price": "100"}],
    )
    drive(run, tmp_path, script, SMALL)
