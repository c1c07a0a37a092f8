"""Keys: each has a name and an explanation, and no two of a screen are the same."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.keymap import bindings_of, default_keys, owners
from orderbook_tui.tui.places import PLACES
from orderbook_tui.tui.screens.base import RunScreen
from orderbook_tui.tui.screens.help import HelpScreen
from orderbook_tui.tui.screens.retry import RetryScreen
from tests.tui.screen import drive, frame, shown, simulation

OWNERS = owners()


def keys(owner: type[Any]) -> list[str]:
    return [key for binding in bindings_of(owner) for key in binding.key.split(",")]


def test_all_screens_and_widgets_are_looked_at() -> None:
    named = {owner.__name__ for owner in OWNERS}
    assert {"OrderbookApp", "RunScreen", "SlotsScreen", "SlotTable", "RetryScreen", "ConfirmScreen", "HelpScreen"} <= named


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
def test_every_binding_has_an_id_a_tooltip_and_an_action(owner: type[Any]) -> None:
    for binding in bindings_of(owner):
        assert binding.id
        assert binding.tooltip
        action = binding.action.split("(")[0]
        assert hasattr(owner, f"action_{action}")


def test_ids_are_unique() -> None:
    ids = Counter(binding.id for owner in OWNERS for binding in bindings_of(owner))
    assert [name for name, count in ids.items() if count > 1] == []


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
def test_no_key_means_two_things_in_one_place(owner: type[Any]) -> None:
    counted = Counter(keys(owner))
    assert [key for key, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("place", PLACES)
def test_no_key_of_a_screen_hides_one_of_all_screens(place: str) -> None:
    everywhere = {key for owner in (OrderbookApp, RunScreen) for key in keys(owner)}
    screens = {called: chosen for called, chosen in default_keys().items() if called.partition(".")[0] == place}
    assert {called: key for called, chosen in screens.items() for key in chosen.split(",") if key in everywhere} == {}


def test_the_dialog_has_a_key_for_every_answer() -> None:
    assert {action.value[0] for action in RecoveryAction} <= set(keys(RetryScreen))


def test_the_keys_that_show_screens_work_from_each(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        async def press(key: str) -> Screen[Any]:
            await pilot.press(key)
            await frame(pilot)
            return app.screen

        for called, place in PLACES.items():
            for key in (f"{place.digit}", "5" if place.digit != 5 else "2", f"f{place.digit}"):
                await press(key)
            assert app.screen is app.get_screen(called)
            assert isinstance(await press("question_mark"), HelpScreen)
            assert f"Help: {place.title}" in shown(app)
            assert await press("escape") is app.get_screen(called)

    drive(simulation(tmp_path), tmp_path, script)
