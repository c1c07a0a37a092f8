"""The dialogs of the Schedule screen: load, save, choose, and amounts of its own for a slot."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from orderbook_tui.config import load_config
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.choose import ChooseScreen
from orderbook_tui.tui.screens.confirm import ConfirmScreen
from orderbook_tui.tui.screens.open_config import OpenConfigScreen
from orderbook_tui.tui.screens.own_amounts import OverridesScreen, OwnAmountsScreen
from orderbook_tui.tui.screens.save_config import SaveConfigScreen
from orderbook_tui.tui.screens.schedule import ScheduleScreen
from orderbook_tui.tui.widgets.check_list import CheckList
from orderbook_tui.tui.widgets.file_list import FileList
from orderbook_tui.tui.widgets.plain_input import PlainInput
from orderbook_tui.tui.widgets.text_lines import TextLines
from tests.tui.drafting import build, form, planned, screen, slots, type_into
from tests.tui.screen import SMALL, config, shown, simulation, until


async def fill(app: OrderbookApp, pilot: Pilot[int], field: str, text: str) -> None:
    """Put a text into an input of a dialog, and press Enter there."""
    found = app.screen.query_one(field, PlainInput)
    found.focus()
    found.value = text
    await pilot.pause()
    await pilot.press("enter")
    await pilot.pause()


async def to(app: OrderbookApp, kind: type[object]) -> None:
    await until(lambda: isinstance(app.screen, kind) and app.screen.is_mounted, kind.__name__)


# Saving and loading


def test_what_is_saved_can_be_loaded_and_is_the_same(tmp_path: Path) -> None:
    target = tmp_path / "mine.json"

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await type_into(app, pilot, "scheduler.max_amount", "450.5")
        await pilot.press("ctrl+s")
        await to(app, SaveConfigScreen)
        await fill(app, pilot, "#path", str(target))
        await to(app, ScheduleScreen)
        saved = screen(app).draft.config()
        assert load_config(target) == saved
        assert saved.scheduler.max_amount == Decimal("450.5")
        assert not screen(app).draft.is_changed
        await type_into(app, pilot, "seed", "99")
        await pilot.press("ctrl+o")
        await to(app, OpenConfigScreen)
        await until(lambda: app.screen.query_one(FileList).count > 1)
        listed = [entry.called for entry in app.screen.query_one(FileList).entries]
        app.screen.query_one(FileList).move_to(listed.index("mine.json"))
        await pilot.press("enter")
        await to(app, ScheduleScreen)
        await until(lambda: screen(app).draft.config() == saved, "what was saved")

    build(simulation(tmp_path), tmp_path, script)


def test_a_file_is_replaced_only_after_asking(tmp_path: Path) -> None:
    target = tmp_path / "there.json"
    target.write_text("precious")

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+s")
        await to(app, SaveConfigScreen)
        await fill(app, pilot, "#path", str(target))
        await to(app, ConfirmScreen)
        await pilot.press("n")
        await to(app, SaveConfigScreen)
        assert target.read_text() == "precious"
        await pilot.press("enter")
        await to(app, ConfirmScreen)
        await pilot.press("y")
        await to(app, ScheduleScreen)
        assert load_config(target) == screen(app).draft.config()

    build(None, tmp_path, script)


def test_what_cannot_be_saved_is_said_and_can_be_tried_again(tmp_path: Path) -> None:
    said = []

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+s")
        await to(app, SaveConfigScreen)
        for path in ("no/such/folder/x.json", str(tmp_path), "x\0y.json", "x" * 5000):
            await fill(app, pilot, "#path", path)
            assert isinstance(app.screen, SaveConfigScreen)
            said.append(str(app.screen.query_one("#refused", Static).render()))

    build(None, tmp_path, script)
    assert all("✗" in words for words in said)
    assert len(set(said)) == 4


def test_a_file_with_problems_says_all_of_them_and_leaves_the_draft(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"seed": -1, "scheduler": {"rounds": 0, "nonsense": 1}}')

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await type_into(app, pilot, "seed", "99")
        await pilot.press("ctrl+o")
        await to(app, OpenConfigScreen)
        await pilot.press("slash")
        await fill(app, pilot, "#path", str(tmp_path / "bad.json"))
        problems = app.screen.query_one("#problems", TextLines)
        await until(lambda: problems.display)
        assert all(place in problems.text() for place in ("seed", "scheduler.rounds", "scheduler.nonsense"))
        await pilot.press("escape", "escape")
        await to(app, ScheduleScreen)
        assert screen(app).draft.config().seed == 99

    build(None, tmp_path, script, SMALL)


def test_a_path_that_is_no_config_is_said(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+o")
        await to(app, OpenConfigScreen)
        problems = app.screen.query_one("#problems", TextLines)
        said = {""}
        for text in ("nowhere.json", "bad\0name", "/dev/null", "y" * 5000):
            await fill(app, pilot, "#path", text)
            await until(lambda: problems.display and problems.text() not in said, text[:20])
            said.add(problems.text())
            assert isinstance(app.screen, OpenConfigScreen)

    build(None, tmp_path, script)


def test_folders_are_gone_into_and_out_of(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "a.json").write_text(json.dumps(config(seed=5)))
    (inner / "notes.txt").write_text("")

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+o")
        await to(app, OpenConfigScreen)
        files = app.screen.query_one(FileList)
        await fill(app, pilot, "#path", str(inner))
        await until(lambda: [entry.called for entry in files.entries] == ["..", "a.json"])
        await pilot.press("backspace")
        await until(lambda: files.cursor < len(files.entries) and files.entries[files.cursor].called == "inner")
        await pilot.press("enter")
        await until(lambda: [entry.called for entry in files.entries] == ["..", "a.json"])
        await pilot.press("enter")
        await to(app, ScheduleScreen)
        assert screen(app).draft.config().seed == 5

    build(None, tmp_path, script)


# Choosing


def test_a_market_that_is_not_chosen_gets_no_slots(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("m")
        await to(app, ChooseScreen)
        await pilot.press("down", "space", "enter")
        await to(app, ScheduleScreen)
        await pilot.pause()
        await planned(app)
        preview = screen(app).outcome.preview
        assert preview is not None
        assert [volume.market for volume in preview.volumes] == ["BTC-USD"]
        assert "1 of 2: BTC-USD" in form(app).text()

    build(None, tmp_path, script)


def test_an_account_that_is_not_chosen_takes_no_part(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await to(app, ChooseScreen)
        await pilot.press("down", "space", "enter")
        await to(app, ScheduleScreen)
        await pilot.pause()
        await planned(app)
        made = Simulation.create(screen(app).draft.config(), save=False)
        assert [account.name for account in made.state.plan.accounts] == ["test-account-1", "test-account-3", "test-account-4"]
        await pilot.press("a")
        await to(app, ChooseScreen)
        await pilot.press("a", "enter")
        await to(app, ScheduleScreen)
        assert len([chosen for *_, chosen in screen(app).draft.choices_of_accounts() if chosen]) == 4

    build(None, tmp_path, script)


def test_two_of_thousands_are_chosen_at_once(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await to(app, ChooseScreen)
        await pilot.press("x", "space", "down", "space", "enter")
        await to(app, ScheduleScreen)
        assert [name for _, name, chosen in screen(app).draft.choices_of_accounts() if chosen] == [
            "test-account-1",
            "test-account-2",
        ]

    build(simulation(tmp_path, accounts={"generate": {"count": 1000}}), tmp_path, script)


def test_a_choice_that_is_left_changes_nothing(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("m")
        await to(app, ChooseScreen)
        await pilot.press("x", "escape")
        await to(app, ScheduleScreen)
        assert not screen(app).draft.is_changed

    build(None, tmp_path, script)


def test_accounts_are_found_by_name_among_thousands(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("a")
        await to(app, ChooseScreen)
        await pilot.press("slash", *"t-1321", "enter")
        await pilot.pause()
        choices = app.screen.query_one(CheckList)
        assert "test-account-1321" in choices.text()
        assert choices.count == 1
        await pilot.press("space")
        assert choices.changes() == {next(iter(choices.changes())): False}
        assert "1,999 of 2,000" in shown(app)

    build(simulation(tmp_path, accounts={"generate": {"count": 2000}}), tmp_path, script)


# Amounts of their own


def test_a_slot_gets_amounts_of_its_own(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        slots(app).focus()
        await pilot.pause()
        await pilot.press("enter")
        await to(app, OwnAmountsScreen)
        await fill(app, pilot, "#wants", "0.02")
        await to(app, ScheduleScreen)
        await pilot.pause()
        await planned(app)
        made = Simulation.create(screen(app).draft.config(), save=False)
        assert made.slots[0].action.ask_amount == Decimal("0.02")
        assert slots(app).text().split("\n")[1].endswith("own")
        assert "1 slot" in form(app).text()

    build(None, tmp_path, script)


def test_amounts_that_cannot_be_are_refused_in_words(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        screen(app).give_amounts(0)
        await to(app, OwnAmountsScreen)
        await fill(app, pilot, "#gives", "much")
        assert "✗" in str(app.screen.query_one("#refused", Static).render())
        assert not screen(app).draft.overrides

    build(None, tmp_path, script)


def test_a_slot_goes_back_to_what_is_drawn(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert screen(app).draft.override(2, "", "0.01") is None or screen(app).draft.override(2, "0.01", "") is None
        screen(app).changed()
        await planned(app)
        screen(app).give_amounts(2)
        await to(app, OwnAmountsScreen)
        await pilot.press("f8")
        await to(app, ScheduleScreen)
        assert not screen(app).draft.overrides

    build(None, tmp_path, script)


def test_slots_with_amounts_of_their_own_are_listed(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        screen(app).draft.override(0, "", "0.02")
        screen(app).changed()
        await planned(app)
        form(app).edit("#overrides")
        await pilot.pause()
        await pilot.press("enter")
        await to(app, OverridesScreen)
        assert "0.02" in shown(app)
        await pilot.press("d")
        await pilot.pause()
        assert not screen(app).draft.overrides
        await pilot.press("escape")
        await to(app, ScheduleScreen)

    build(None, tmp_path, script)


@pytest.mark.parametrize(
    ("path", "text"), [("scheduler.trades_per_account", "2"), ("scheduler.bid_price_offset", "2")], ids=["no-slot", "no-cross"]
)
def test_amounts_that_the_schedule_cannot_have_are_said_at_their_line(tmp_path: Path, path: str, text: str) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert screen(app).draft.override(12, "1200", "0.02") is None
        screen(app).draft.set("scheduler.ask_price_offset", "1.5" if text == "2" and "offset" in path else "1")
        screen(app).draft.set(path, text)
        screen(app).changed()
        await until(lambda: "1 problem" in shown(app))
        lines = form(app).text().split("\n")
        place = next(place for place, line in enumerate(lines) if "own amounts" in line)
        assert "✗" in lines[place + 1]

    build(None, tmp_path, script, (140, 60))
