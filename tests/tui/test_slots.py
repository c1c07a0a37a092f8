"""The slots screen: what it shows is what the simulation has, and its keys run it."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from orderbook_tui.core.slot import SlotState
from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.figures import price, quantity
from orderbook_tui.tui.widgets.budget_totals import BudgetTotals, Total
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.slot_details import SlotDetails
from orderbook_tui.tui.widgets.status_strip import StatusStrip
from tests.tui.screen import SMALL, WIDE, drive, outage, said, shown, simulation, table, until, until_status


def strip(app: OrderbookApp) -> str:
    return app.screen.query_one(StatusStrip).text()


def test_with_a_config_it_opens_on_its_slots_ready_and_nothing_runs(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert "tiny  READY" in strip(app)
        assert "0/8   0%" in strip(app)
        assert "space Start" in app.screen.query_one(KeyBar).text()
        assert all("Pending" in line for line in table(app).lines()[1:9])

    run = simulation(tmp_path)
    drive(run, tmp_path, script)
    assert run.stats.pending_slots == 8
    assert list(tmp_path.iterdir()) == []


def test_space_runs_to_the_end(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)
        assert "DONE" in strip(app)
        assert "8/8 100%" in strip(app)
        assert "0 failed" in strip(app)
        assert "space" not in app.screen.query_one(KeyBar).text()
        assert "4 trades" in said(app)

    app = drive(simulation(tmp_path), tmp_path, script)
    assert app.exit_status() == 0


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_each_line_says_what_its_slot_is(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert app.simulation is not None
        for _ in range(3):
            await pilot.press("n")
            await until(lambda: not app.simulation or not app.simulation.control.stepping)
        await pilot.pause(0.2)
        lines = table(app).lines()
        for slot, line in zip(app.simulation.slots, lines[1:9], strict=True):
            words = line.strip("▌ ").split()
            market = slot.action.market
            assert words[:4] == [
                str(slot.sequence),
                app.simulation.account_name(slot.account_id),
                market.symbol,
                slot.action.side.word,
            ]
            assert words[4:6] == [quantity(market, slot.action.quantity), price(market, slot.action.price)]
            assert slot.state.value in words
            assert (str(slot.verdict) in words) == (slot.verdict is not None and not slot.open)

    drive(simulation(tmp_path), tmp_path, script, size)


def test_a_step_is_one_slot_and_then_a_pause(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        for count in (1, 2, 3):
            await pilot.press("n")
            await until(lambda count=count: run.stats.completed_slots == count)  # type: ignore[misc]
            await pilot.pause(0.12)
            assert run.status is RunStatus.PAUSED
            assert f"{count}/8" in strip(app)
            assert table(app).cursor == count
        assert "PAUSED" in strip(app)
        assert "space Go on" in app.screen.query_one(KeyBar).text()
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)

    drive(simulation(tmp_path), tmp_path, script)


def test_space_pauses_a_run_and_lets_it_go_on(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await pilot.press("space")
        await until(lambda: run.stats.completed_slots >= 1)
        app.simulate_key("space")
        await until_status(app, RunStatus.PAUSED)
        before = run.stats.completed_slots
        await pilot.pause(0.2)
        assert run.stats.completed_slots <= before + 1
        run.control.slots_per_second = None
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)

    run = simulation(tmp_path, processor={"slots_per_second": 20})
    drive(run, tmp_path, script)


def test_budget_totals_are_the_simulations(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        totals = app.screen.query_one(BudgetTotals)
        for _ in range(len(run.slots)):
            await pilot.press("n")
            await until(lambda: not run.control.stepping)
            await pilot.pause(0.12)
            for symbol, expected in run.budgets.get_summary().assets.items():
                asset, counted = run.budgets.assets[symbol], totals.totals[symbol]
                amounts = tuple(map(asset.amount, counted.pots[:4]))
                assert amounts == (
                    expected.total_initial,
                    expected.total_available,
                    expected.total_locked,
                    expected.total_spent,
                )
                assert f"{expected.total_available:,f}".rstrip("0").rstrip(".")[:10] in totals.text()

    drive(simulation(tmp_path), tmp_path, script)


def test_details_tell_attempts_errors_and_fills(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)
        await pilot.press("home", "enter")
        await until(lambda: app.screen.query(SlotDetails))
        await pilot.pause()
        text = app.screen.query_one(SlotDetails).text()
        assert "Completed  matched" in text
        assert "attempts (2)" in text
        assert "transient the venue is down" in text
        assert "with test-account-2 (slot 1), maker" in text
        await pilot.press("escape")
        assert app.screen is app.get_screen("slots")

    drive(simulation(tmp_path, venue=outage(0, attempts=1)), tmp_path, script, SMALL)


async def _many(app: OrderbookApp, pilot: Pilot[int]) -> None:
    rows = table(app)
    await pilot.press("down", "down")
    assert (rows.cursor, rows.following) == (2, False)
    await pilot.press("pagedown")
    assert rows.cursor > 10
    await pilot.press("end")
    assert rows.cursor == 399
    assert "399" in rows.lines()[-1]
    await pilot.press("home")
    assert rows.cursor == 0
    await pilot.press("g", *"250", "enter")
    await pilot.pause()
    assert rows.cursor == 250
    assert any(line.startswith("▌") and " 250 " in line for line in rows.lines())
    await pilot.press("f")
    assert (rows.cursor, rows.following) == (0, True)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_the_cursor_moves_by_keys_and_f_brings_it_back(tmp_path: Path, size: tuple[int, int]) -> None:
    drive(simulation(tmp_path, scheduler={"trades_per_account": 100}), tmp_path, _many, size)


def test_following_keeps_the_current_slot_in_view(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await pilot.press("space")
        await until_status(app, RunStatus.WAITING)
        await pilot.press("s")
        await until_status(app, RunStatus.WAITING)
        await pilot.press("c")
        await until_status(app, RunStatus.DONE)
        rows = table(app)
        assert rows.cursor == 79
        assert any("79" in line for line in rows.lines())
        assert run.slots[40].state is SlotState.SKIPPED
        assert run.slots[41].state is SlotState.FAILED
        assert "1 failed  1 skipped" in strip(app)

    faults = {"faults": {"outages": [{"from_slot": 40, "slots": 2, "attempts": 9}]}}
    app = drive(simulation(tmp_path, scheduler={"trades_per_account": 20}, venue=faults), tmp_path, script)
    assert app.exit_status() == 1


def test_a_resize_keeps_the_cursor_and_fits_the_columns(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        rows = table(app)
        assert {"notional", "time", "filled"} <= set(rows.columns)
        await pilot.press("end")
        for width, height in (SMALL, (40, 10), (20, 5), (200, 60), WIDE):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert rows.cursor == 79
            assert all(len(line) <= width for line in shown(app).split("\n"))
            if height > 8:
                assert any(line.startswith("▌") for line in rows.lines())
            if (width, height) == SMALL:
                assert {"account", "quantity", "price", "state", "tries", "verdict"} <= set(rows.columns)

    drive(simulation(tmp_path, scheduler={"trades_per_account": 20}), tmp_path, script)


def test_the_footer_has_room_for_all_its_keys_at_80_columns(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        keys = app.screen.query_one(KeyBar).text()
        for words in ("space Start", "n Step", "f Unfollow", "Details", "5 Checkpoints", "? Help", "q Quit"):
            assert words in keys

    drive(simulation(tmp_path), tmp_path, script, SMALL)


def test_help_names_every_key_of_the_screen(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("question_mark")
        await pilot.pause()
        text = shown(app)
        for words in ("Help: Slots", "space", "run one slot, then pause", "go to a slot by its number"):
            assert words in text
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.get_screen("slots")

    drive(simulation(tmp_path), tmp_path, script)


@pytest.mark.parametrize("kind", ["file", "nowhere"])
def test_a_folder_that_cannot_be_written_is_said_and_the_run_stops(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "state"
    folder.write_text("a file, no folder")
    if kind == "nowhere":
        folder = folder / "deeper"

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until(lambda: len(app._notifications))
        await pilot.pause(0.2)
        assert "cannot be made" in said(app)
        assert "Traceback" not in shown(app)
        assert app.simulation is not None
        assert app.simulation.status in (RunStatus.READY, RunStatus.STOPPED)
        assert "Start" in app.screen.query_one(KeyBar).text() or "Go on" in app.screen.query_one(KeyBar).text()

    drive(simulation(folder), folder, script)


def test_a_million_slots_open_at_once(tmp_path: Path) -> None:
    run = simulation(tmp_path, save=False)
    slots: list[Any] = run.slots * 125_000
    run.state.slots = slots

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        rows = table(app)
        await pilot.press("end")
        await pilot.pause()
        assert rows.cursor == 999_999
        assert len(rows._strips) < 200
        assert len(rows._drawn) < 200

    drive(run, tmp_path, script)


def test_what_is_only_locked_is_not_depleted(tmp_path: Path) -> None:
    budget = next(iter(simulation(tmp_path, save=False).budgets))

    def total() -> Total:
        counted = Total(budget.asset)
        counted.add(budget)
        return counted

    budget.lock(budget.available)
    assert not total().is_depleted
    budget.spend(budget.locked)
    assert total().is_depleted


def test_a_budget_of_nothing_is_not_depleted(tmp_path: Path) -> None:
    asset = next(iter(simulation(tmp_path, save=False).budgets)).asset
    assert not Total(asset).is_depleted
