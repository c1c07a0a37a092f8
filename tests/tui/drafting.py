"""The Schedule screen, opened and typed into in one line."""

from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.schedule import ScheduleScreen
from orderbook_tui.tui.widgets.config_form import ConfigForm
from orderbook_tui.tui.widgets.field_editor import FieldEditor
from orderbook_tui.tui.widgets.needs_table import NeedsTable
from orderbook_tui.tui.widgets.preview_table import PreviewTable
from tests.tui.screen import Script, drive, until

POOR: dict[str, Any] = {"budget": {"budgets": [{"amount": 2_000}]}, "scheduler": {"trades_per_account": 10}}
"""Sections under which not every slot fits."""


def build(run: Simulation | None, folder: Path, script: Script, size: tuple[int, int] = (140, 40)) -> OrderbookApp:
    """Play a script on the Schedule screen, once all is planned."""

    async def play(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("1")
        await planned(app)
        await pilot.pause()
        await script(app, pilot)

    return drive(run, folder, play, size)


def screen(app: OrderbookApp) -> ScheduleScreen:
    found = app.get_screen("schedule")
    assert isinstance(found, ScheduleScreen)
    return found


def form(app: OrderbookApp) -> ConfigForm:
    return screen(app).query_one(ConfigForm)


def editor(app: OrderbookApp) -> FieldEditor:
    return screen(app).query_one(FieldEditor)


def slots(app: OrderbookApp) -> PreviewTable:
    return screen(app).query_one(PreviewTable)


def needs(app: OrderbookApp) -> NeedsTable:
    return screen(app).query_one(NeedsTable)


async def planned(app: OrderbookApp) -> None:
    """Wait until the preview is of the draft as it is, and done."""

    def is_done() -> bool:
        outcome = screen(app).outcome
        return outcome.preview is not None and outcome.preview.done and not outcome.is_stale

    await until(lambda: isinstance(app.screen, ScheduleScreen) and app.screen.is_mounted, "the screen")
    await until(is_done, "the preview")


async def type_into(app: OrderbookApp, pilot: Pilot[int], path: str, text: str) -> None:
    """Type into a field, in place of what is there."""
    form(app).edit(path)
    await pilot.pause()
    await pilot.press(*(text or ["backspace"]))
    await pilot.pause()
