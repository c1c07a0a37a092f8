"""Settings: a theme and keys of one's own, remembered, and never written over where they cannot be understood."""

import asyncio
import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.errors import ConfigError
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.keymap import checked
from orderbook_tui.tui.settings import Settings, read_settings, remember_theme, settings_path
from orderbook_tui.tui.theme import THEMES
from tests.tui.screen import Script, frame, piloted, said, simulation, until


def settled(folder: Path, content: str, script: Script) -> OrderbookApp:
    """Open the app with a settings file of that content, and play the script."""
    path = folder / "settings.json"
    path.write_text(content)

    async def play() -> OrderbookApp:
        app = OrderbookApp(simulation(folder / "state"), folder / "state", settings_path=path)
        async with piloted(app) as pilot:
            await script(app, pilot)
            app.exit()
        assert app.simulation is not None
        app.simulation.close()
        return app

    return asyncio.run(play())


def test_the_file_is_in_the_platforms_config_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_path().name == "settings.json"
    assert settings_path().parent.name == "orderbook-tui"


def test_without_a_file_all_is_as_usual(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "none.json") == Settings()


def test_a_theme_is_remembered_and_the_keys_stay(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.json"
    remember_theme(path, "orderbook-light")
    assert read_settings(path) == Settings(theme="orderbook-light")
    path.write_text('{"keys": {"run.step": "j"}}')
    remember_theme(path, "orderbook-contrast")
    assert read_settings(path) == Settings(theme="orderbook-contrast", keys={"run.step": "j"})
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", ["{", '{"them": "x"}', '{"keys": {"run.step": 3}}', "[]", "\xff"])
def test_a_file_that_says_something_else_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"settings\.json"):
        read_settings(path)
    with pytest.raises(ConfigError):
        remember_theme(path, "orderbook-light")
    assert path.read_bytes() == content.encode("latin-1")


def test_the_app_wears_what_is_settled_and_remembers_what_is_chosen(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert app.theme == "orderbook-light"
        await pilot.press("t")
        assert app.theme == "orderbook-contrast"

    settled(tmp_path, '{"theme": "orderbook-light"}', script)
    assert json.loads((tmp_path / "settings.json").read_text()) == {"theme": "orderbook-contrast"}


def test_there_are_light_and_dark_themes_and_no_others(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert set(app.available_themes) == set(THEMES)
        assert {theme.dark for theme in app.available_themes.values()} == {True, False}

    settled(tmp_path, "{}", script)


def test_a_key_of_ones_own_does_what_the_usual_one_did(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await pilot.press("n")
        await frame(pilot)
        assert run.status is RunStatus.READY
        await pilot.press("z")
        await until(lambda: run.stats.completed_slots == 1)

    settled(tmp_path, '{"keys": {"run.step": "z"}}', script)


def test_the_app_says_what_is_wrong_with_the_settings_and_opens(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert "no theme is called neon" in said(app)
        assert "nothing is called run.stp" in said(app)

    settled(tmp_path, '{"theme": "neon", "keys": {"run.stp": "z"}}', script)


def test_a_broken_file_is_said_and_the_app_opens(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert "settings.json" in said(app)

    settled(tmp_path, "{", script)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"run.step": "space"}, "run.start_or_pause"),
        ({"slots.follow": "g"}, "slots.go_to"),
        ({"run.step": " , "}, "has no key"),
        ({"nothing": "x"}, "nothing is called nothing"),
        ({"show.slots": "q"}, "app.leave"),
    ],
)
def test_keys_that_cannot_be_had_are_refused_in_words(keys: dict[str, str], complaint: str) -> None:
    kept, complaints = checked(keys)
    assert kept == {}
    assert any(complaint in words for words in complaints)


def test_settings_that_would_steer_the_terminal_are_complained_about_harmlessly(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"\\u001b[2J": 1}')
    with pytest.raises(ConfigError) as refused:
        read_settings(tmp_path / "settings.json")
    assert "\x1b" not in str(refused.value)


def test_settings_are_not_read_from_a_device_or_without_an_end(tmp_path: Path) -> None:
    with (tmp_path / "sparse.json").open("wb") as file:
        file.truncate(1 << 40)
    for path in (Path("/dev/zero"), tmp_path / "sparse.json"):
        with pytest.raises(ConfigError):
            read_settings(path)


def test_two_keys_may_change_places_and_dialogs_have_their_own() -> None:
    swapped = {"slots.go_to": "f", "slots.follow": "g"}
    assert checked(swapped) == (swapped, [])
    assert checked({"decide.retry": "n"}) == ({"decide.retry": "n"}, [])
