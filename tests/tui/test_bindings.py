"""Keys: each has a name and an explanation, and no two of a screen are the same."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.checkpoints import CheckpointsScreen
from orderbook_tui.tui.screens.confirm import ConfirmScreen
from orderbook_tui.tui.screens.details import DetailsScreen
from orderbook_tui.tui.screens.go_to import GoToScreen
from orderbook_tui.tui.screens.help import HelpScreen
from orderbook_tui.tui.screens.retry import RetryScreen
from orderbook_tui.tui.screens.slots import SlotsScreen
from orderbook_tui.tui.widgets.slot_table import SlotTable
from tests.tui.screen import drive, shown, simulation

OWNERS: list[type[Any]] = [
    OrderbookApp,
    SlotsScreen,
    SlotTable,
    CheckpointsScreen,
    RetryScreen,
    ConfirmScreen,
    DetailsScreen,
    GoToScreen,
    HelpScreen,
]


def keys(owner: type[Any]) -> list[str]:
    return [key for binding in owner.BINDINGS for key in binding.key.split(",")]


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
def test_every_binding_has_an_id_a_tooltip_and_an_action(owner: type[Any]) -> None:
    for binding in owner.BINDINGS:
        assert binding.id
        assert binding.tooltip
        action = binding.action.split("(")[0]
        assert hasattr(owner, f"action_{action}")


def test_ids_are_unique() -> None:
    ids = Counter(binding.id for owner in OWNERS for binding in owner.BINDINGS)
    assert [name for name, count in ids.items() if count > 1] == []


@pytest.mark.parametrize("owners", [(OrderbookApp, SlotsScreen, SlotTable), (OrderbookApp, CheckpointsScreen)])
def test_no_key_means_two_things_on_a_screen(owners: tuple[type[Any], ...]) -> None:
    counted = Counter(key for owner in owners for key in keys(owner))
    assert [key for key, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
def test_no_key_means_two_things_in_a_dialog(owner: type[Any]) -> None:
    counted = Counter(keys(owner))
    assert [key for key, count in counted.items() if count > 1] == []


def test_the_dialog_has_a_key_for_every_answer() -> None:
    assert {action.value[0] for action in RecoveryAction} <= set(keys(RetryScreen))


def test_the_keys_that_show_screens_work_from_each(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        async def press(key: str) -> Screen[Any]:
            await pilot.press(key)
            await pilot.pause(0.1)
            return app.screen

        assert isinstance(await press("5"), CheckpointsScreen)
        assert isinstance(await press("2"), SlotsScreen)
        assert isinstance(await press("f5"), CheckpointsScreen)
        assert isinstance(await press("f2"), SlotsScreen)
        assert isinstance(await press("question_mark"), HelpScreen)
        assert "Help: Slots" in shown(app)
        assert isinstance(await press("escape"), SlotsScreen)

    drive(simulation(tmp_path), tmp_path, script)
