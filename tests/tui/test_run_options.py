"""How the run goes: rate, run to a slot, and what else makes it pause; and slots that are revisited."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from orderbook_tui.core.slot import SlotState
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.retry import RetryScreen
from orderbook_tui.tui.screens.run_options import RunOptionsScreen
from orderbook_tui.tui.widgets.tick_box import TickBox
from tests.tui.screen import SMALL, WIDE, Script, drive, outage, said, shown, simulation, until, until_status


def with_options(script: Script) -> Script:
    """Open the dialog, then play `script`."""

    async def played(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("o")
        await until(lambda: isinstance(app.screen, RunOptionsScreen))
        await pilot.pause()
        await script(app, pilot)

    return played


async def finish(app: OrderbookApp, pilot: Pilot[int]) -> None:
    await pilot.press("space")
    await until_status(app, RunStatus.DONE)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_run_to_a_slot_pauses_before_it_and_says_so(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert "Run to slot" in shown(app)
        assert "another verdict than matched" in shown(app)
        await pilot.press("tab", "5", "f9")
        await until_status(app, RunStatus.PAUSED)
        assert app.simulation is not None
        assert app.simulation.stats.ended_slots == 5
        await until(lambda: "slot 5" in said(app))
        await finish(app, pilot)

    drive(simulation(tmp_path), tmp_path, with_options(script), size)


def test_a_failed_attempt_pauses_the_run_before_it_is_tried_again(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert "[ ] an attempt fails" in shown(app)
        app.screen.query_one("#on_failure", TickBox).value = True
        await pilot.pause()
        assert "[x] an attempt fails" in shown(app)
        await pilot.press("f9")
        await until_status(app, RunStatus.PAUSED)
        assert app.simulation is not None
        assert app.simulation.slots[2].attempt_count == 1
        await finish(app, pilot)

    drive(simulation(tmp_path, venue=outage(2, attempts=1)), tmp_path, with_options(script))


def test_enter_sets_the_rate_and_starts_nothing(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("2", "5", "enter")
        await pilot.pause()
        assert app.simulation is not None
        assert app.simulation.control.slots_per_second == 25
        assert app.simulation.status is RunStatus.READY

    drive(simulation(tmp_path), tmp_path, with_options(script))


@pytest.mark.parametrize(("keys", "words"), [(["0"], "is not a rate"), (["tab", "9", "9"], "slot 99")])
def test_what_cannot_be_is_refused_in_words_and_changes_nothing(tmp_path: Path, keys: list[str], words: str) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press(*keys, "enter")
        await pilot.pause()
        assert isinstance(app.screen, RunOptionsScreen)
        assert words in shown(app)
        await pilot.press("escape")
        await pilot.pause()
        assert app.simulation is not None
        assert app.simulation.control.slots_per_second is None
        assert app.simulation.stop_conditions.slot is None

    drive(simulation(tmp_path), tmp_path, with_options(script))


def test_the_dialog_shows_what_is_set(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("8", "tab", "6", "enter")
        await pilot.pause()
        await pilot.press("o")
        await pilot.pause()
        assert app.screen.query_one("#rate", Input).value == "8"
        assert app.screen.query_one("#slot", Input).value == "6"

    drive(simulation(tmp_path), tmp_path, with_options(script))


def test_plus_and_minus_change_the_rate_while_the_run_goes_on(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await pilot.press("plus")
        assert run.control.slots_per_second == 20
        await pilot.press("minus", "minus")
        assert run.control.slots_per_second == 5
        assert "5 slots a second at most" in said(app)
        app.simulate_key("space")
        await until(lambda: run.stats.ended_slots == 1)
        run.control.slots_per_second = None
        await until_status(app, RunStatus.DONE)

    drive(simulation(tmp_path, processor={"slots_per_second": 10}), tmp_path, script)


def failing(folder: Path) -> Simulation:
    """A run whose slot 2 fails twice, and then passes."""
    return simulation(folder, venue=outage(2))


async def to_the_end_with_one_failed(app: OrderbookApp, pilot: Pilot[int]) -> None:
    await pilot.press("space")
    await until(lambda: isinstance(app.screen, RetryScreen))
    await pilot.press("c")
    await until_status(app, RunStatus.DONE)


def test_a_failed_slot_is_tried_again_afterwards(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_end_with_one_failed(app, pilot)
        app.revisit([2])
        await until(lambda: run.stats.completed_slots == 8)
        await until_status(app, RunStatus.DONE)

    run = failing(tmp_path)
    drive(run, tmp_path, script)
    assert run.slots[2].state is SlotState.COMPLETED
    again = Simulation.resume(run.id, tmp_path)
    assert (again.status, again.state_hash()) == (RunStatus.DONE, run.state_hash())


def test_a_failed_slot_is_skipped_afterwards(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_end_with_one_failed(app, pilot)
        app.skip_failed([2])
        assert run.slots[2].state is SlotState.SKIPPED

    run = failing(tmp_path)
    drive(run, tmp_path, script)
    assert Simulation.resume(run.id, tmp_path).state_hash() == run.state_hash()


def test_a_slot_is_revisited_in_the_middle_of_a_paused_run_which_then_goes_on(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        for _ in range(3):
            await pilot.press("n")
        await until(lambda: isinstance(app.screen, RetryScreen) and app.screen.is_mounted)
        await pilot.press("c")
        await until_status(app, RunStatus.PAUSED)
        app.revisit([2])
        await until(lambda: run.slots[2].state is SlotState.COMPLETED)
        await until_status(app, RunStatus.STOPPED)
        await finish(app, pilot)

    run = failing(tmp_path)
    drive(run, tmp_path, script)
    assert run.stats.completed_slots == 8


def test_a_slot_that_has_not_failed_is_not_revisited(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("n")
        await until_status(app, RunStatus.PAUSED)
        app.revisit([0])
        app.skip_failed([0])
        await until(lambda: "slot 0" in said(app))

    drive(simulation(tmp_path), tmp_path, script)
