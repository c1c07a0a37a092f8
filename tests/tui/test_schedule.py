"""The Schedule screen: a form that says what the loader would, and what its draft leads to."""

from decimal import Decimal
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Static

from orderbook_tui.config import parse_config
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.errors import ConfigError
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.confirm import ConfirmScreen
from orderbook_tui.tui.screens.schedule import ScheduleScreen
from orderbook_tui.tui.screens.slots import SlotsScreen
from orderbook_tui.tui.widgets.draft_line import DraftLine
from orderbook_tui.tui.widgets.form_rows import label
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.schedule_totals import ScheduleTotals
from tests.tui.drafting import POOR, build, editor, form, needs, planned, screen, slots, type_into
from tests.tui.screen import SMALL, said, shown, simulation, until, until_status


def loader_says(**sections: object) -> str:
    with pytest.raises(ConfigError) as raised:
        parse_config(sections)
    return raised.value.problems[0].message


def type_ahead(app: OrderbookApp, *keys: str) -> None:
    """Press keys all at once."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


def test_a_field_gets_the_message_that_a_file_would_right_below_it(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await type_into(app, pilot, "scheduler.max_amount", "50")
        lines = form(app).text().split("\n")
        place = next(place for place, line in enumerate(lines) if "max amount" in line)
        message = " ".join(line.strip(" ✗") for line in lines[place + 1 : place + 3])
        assert message.startswith(loader_says(scheduler={"max_amount": 50, "min_amount": 100})[:40])
        assert "1 problem" in screen(app).query_one(DraftLine).text()

    build(None, tmp_path, script)


def test_a_problem_that_is_mended_is_gone(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await type_into(app, pilot, "scheduler.min_amount", "x")
        assert "✗" in form(app).text()
        await pilot.press("backspace", "9")
        await pilot.pause()
        assert "✗" not in form(app).text()
        assert "no problems" in screen(app).query_one(DraftLine).text()

    build(None, tmp_path, script)


def test_what_cannot_be_done_with_problems_is_grey(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await type_into(app, pilot, "seed", "-")
        assert [screen(app).check_action(action, ()) for action in ("start", "fit", "save")] == [None] * 3
        await pilot.press("f9")
        assert app.simulation is None

    build(None, tmp_path, script)


def test_the_draft_is_the_config_of_the_run_that_is_open(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert app.simulation is not None
        assert screen(app).draft.config() == app.simulation.config
        assert "differs" not in shown(app)

    build(simulation(tmp_path, seed=7), tmp_path, script)


def test_the_preview_is_what_the_simulation_would_be(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        draft, preview = screen(app).draft, screen(app).outcome.preview
        made = Simulation.create(draft.config(), folder=draft.folder, save=False)
        assert preview is not None
        assert [slot.action for slot in preview.slots] == [slot.action for slot in made.slots]
        assert f"{len(made.slots)} slots in {len(made.slots) // 2} pairs" in screen(app).query_one(ScheduleTotals).text()
        worth = sum(volume.notional for volume in preview.volumes)
        assert worth == sum(slot.action.notional for slot in made.slots[::2])
        assert preview.preflight == made.preflight()

    build(simulation(tmp_path, **POOR), tmp_path, script)


def test_the_histogram_counts_every_pair(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        preview = screen(app).outcome.preview
        assert preview is not None
        assert preview.histogram is not None
        assert sum(preview.histogram.counts) == preview.total_pairs
        assert "█" in screen(app).query_one(ScheduleTotals).text()

    build(None, tmp_path, script)


def test_a_change_is_previewed_once_it_rests(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await type_into(app, pilot, "scheduler.trades_per_account", "20")
        assert "before the last change" in screen(app).query_one(ScheduleTotals).text()
        await planned(app)
        assert "80 slots in 40 pairs" in screen(app).query_one(ScheduleTotals).text()

    build(None, tmp_path, script)


def test_a_budget_that_is_not_enough_says_so_in_words_and_comes_first(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        first = next(line for line in needs(app).text().split("\n")[1:])
        assert "✗ slot" in first
        assert "would not pass" in str(screen(app).query_one("#passes", Static).render())

    build(simulation(tmp_path, **POOR), tmp_path, script)


def test_slots_that_would_not_pass_are_counted_on_top_until_the_draft_changes(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        head, passes = screen(app).query_one(DraftLine), screen(app).query_one("#passes", Static)
        await until(lambda: f"{screen(app).outcome.refused_slots} slots would not pass" in head.text())
        await type_into(app, pilot, "seed", "x")
        assert "would not pass" not in head.text()
        assert str(passes.render()).startswith("before the last change: ")

    build(simulation(tmp_path, **POOR), tmp_path, script)


def test_fitting_makes_every_slot_pass(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("f6")
        await until(lambda: screen(app).draft.is_changed, "the fit")
        await until(lambda: not screen(app).busy)
        await pilot.pause()
        await planned(app)
        preview = screen(app).outcome.preview
        assert preview is not None
        assert preview.preflight is not None
        assert not preview.preflight.refused
        assert "✗" not in needs(app).text()
        assert "Amounts and budgets" in said(app)

    build(simulation(tmp_path, **POOR), tmp_path, script)


def test_what_is_started_is_open_and_ready_and_space_runs_it(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await type_into(app, pilot, "scheduler.trades_per_account", "4")
        await pilot.press("f9")
        await until(lambda: isinstance(app.screen, SlotsScreen) and app.simulation, "the run")
        assert app.simulation is not None
        assert app.simulation.status is RunStatus.READY
        assert len(app.simulation.slots) == 16
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)

    build(None, tmp_path, script)


def test_a_run_that_is_going_on_is_replaced_only_after_asking(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        before = app.simulation
        await pilot.press("n")
        await until_status(app, RunStatus.PAUSED)
        await pilot.press("f9")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("escape")
        await pilot.pause()
        assert app.simulation is before

    build(simulation(tmp_path), tmp_path, script)


def test_a_draft_outlives_a_look_at_another_screen(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await type_into(app, pilot, "seed", "77")
        await pilot.press("f2")
        await pilot.pause()
        await pilot.press("f1")
        await pilot.pause()
        assert screen(app).draft.config().seed == 77

    build(simulation(tmp_path), tmp_path, script)


def test_an_edited_draft_is_kept_when_another_run_is_opened(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await type_into(app, pilot, "seed", "77")
        app.open_simulation(simulation(tmp_path, seed=3))
        await until(lambda: isinstance(app.screen, SlotsScreen))
        await pilot.press("1")
        await pilot.pause()
        assert screen(app).draft.config().seed == 77
        assert "differs from the open run" in screen(app).query_one(DraftLine).text()

    build(simulation(tmp_path), tmp_path, script)


def test_an_untouched_draft_follows_the_run_that_is_opened(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        app.open_simulation(simulation(tmp_path, seed=3))
        await until(lambda: isinstance(app.screen, SlotsScreen))
        assert screen(app).draft.config().seed == 3

    build(simulation(tmp_path), tmp_path, script)


def test_nothing_is_focused_on_opening_and_letters_are_keys(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert app.focused is None
        await pilot.press("2")
        await pilot.pause()
        assert isinstance(app.screen, SlotsScreen)

    build(simulation(tmp_path), tmp_path, script)


def test_in_a_field_letters_are_text(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("e")
        await pilot.pause()
        await pilot.press("q", "2", "space", "n")
        await pilot.pause()
        assert screen(app).draft.config().name == "q2 n"
        assert isinstance(app.screen, ScheduleScreen)

    build(simulation(tmp_path), tmp_path, script)


def test_what_is_typed_after_tab_goes_to_the_next_field(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("e")
        await pilot.pause()
        for key in ("a", "b", "tab", "4", "2", "tab", "x"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        await until(lambda: screen(app).draft.config().state_dir == "x")
        assert (screen(app).draft.config().name, screen(app).draft.config().seed) == ("ab", 42)

    build(None, tmp_path, script)


def test_tab_reaches_every_field_and_shows_it(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("e")
        await pilot.pause()
        texts, reached = {field.path: field.text for field in screen(app).draft.fields()}, []
        while app.focused is not None and form(app) in app.focused.ancestors and form(app).path not in reached:
            reached.append(form(app).path)
            await until(lambda: "▌" in form(app).text(), "the field under the cursor")
            if app.focused is editor(app):
                assert editor(app).visible
                assert editor(app).value == texts[form(app).path]
            await pilot.press("tab")
        assert set(texts) <= set(reached)

    build(None, tmp_path, script, SMALL)


def test_what_is_wrong_with_the_last_field_in_view_is_shown_as_one_types(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        last = form(app).text().rstrip().split("\n")[-1]
        path = next(f.path for f in screen(app).draft.fields() if f.section == "scheduler" and label(f) in last)
        await type_into(app, pilot, path, "x7")
        assert "✗ expected a number" in form(app).text()

    build(None, tmp_path, script, SMALL)


def test_keys_that_come_at_once_act_in_their_order_in_a_field(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        form(app).edit("seed")
        await pilot.pause()
        type_ahead(app, "9", "8", "ctrl+u", "3", "4", "5", "backspace", "home", "1")
        await until(lambda: editor(app).value == "134")

    build(None, tmp_path, script)


@pytest.mark.parametrize("focused", [False, True], ids=["nothing-focused", "on-the-form"])
def test_what_is_typed_right_after_e_goes_into_the_field(tmp_path: Path, focused: bool) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        if focused:
            form(app).focus_lines()
            await pilot.pause()
        type_ahead(app, "e", "m", "a", "2")
        await until(lambda: editor(app).value == "ma2")
        assert isinstance(app.screen, ScheduleScreen)

    build(None, tmp_path, script)


def test_going_to_another_screen_ends_the_editing_of_a_field(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        form(app).edit("seed")
        await pilot.pause()
        await pilot.press("f2")
        await until(lambda: isinstance(app.screen, SlotsScreen))
        await pilot.press("1")
        await until(lambda: isinstance(app.screen, ScheduleScreen))
        await pilot.press("2")
        await until(lambda: isinstance(app.screen, SlotsScreen))
        assert screen(app).draft.config().seed == 1

    build(simulation(tmp_path), tmp_path, script)


def test_escape_leaves_a_field_then_the_form(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("e")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert not editor(app).display
        assert form(app).path == "name"
        await pilot.press("escape")
        await pilot.pause()
        assert app.focused is None

    build(None, tmp_path, script)


def test_space_and_arrows_choose(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        form(app).edit("scheduler.amount_in")
        await pilot.pause()
        await pilot.press("space")
        await pilot.pause()
        assert screen(app).draft.config().scheduler.amount_in == "base"
        await pilot.press("left")
        await pilot.pause()
        assert screen(app).draft.config().scheduler.amount_in == "quote"

    build(None, tmp_path, script)


def test_a_field_goes_back_to_its_default(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await type_into(app, pilot, "seed", "5")
        await pilot.press("escape", "r")
        await pilot.pause()
        assert screen(app).draft.config().seed == 1

    build(None, tmp_path, script)


def test_budgets_are_added_and_removed(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        before = len(screen(app).draft.config().budget.budgets)
        await pilot.press("b")
        await pilot.pause()
        await pilot.press("tab", *"USD", "tab", *"123")
        await pilot.pause()
        budgets = screen(app).draft.config().budget.budgets
        assert len(budgets) == before + 1
        assert (budgets[-1].asset_id, budgets[-1].amount) == ("USD", Decimal(123))
        await pilot.press("escape", "d")
        await pilot.pause()
        assert len(screen(app).draft.config().budget.budgets) == before

    build(None, tmp_path, script)


def test_a_click_edits_a_field_and_turns_a_choice(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        lines = form(app).text().split("\n")
        seed = next(place for place, line in enumerate(lines) if "seed" in line)
        await pilot.click("FormLines", offset=(30, seed))
        await pilot.pause()
        assert editor(app).has_focus
        await pilot.press("9")
        await pilot.pause()
        assert screen(app).draft.config().seed == 9
        choice = next(place for place, line in enumerate(lines) if "alternate sides" in line)
        await pilot.click("FormLines", offset=(30, choice))
        await pilot.pause()
        assert screen(app).draft.config().scheduler.alternate_sides is False

    build(None, tmp_path, script)


def test_at_80x24_one_part_is_shown_at_a_time_and_f7_goes_on(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert "min amount" in shown(app)
        await pilot.press("f7")
        await pilot.pause()
        assert slots(app).has_focus
        assert "test-account-1" in shown(app)
        assert "min amount" not in shown(app)
        await pilot.press("f7")
        await pilot.pause()
        assert needs(app).has_focus
        assert "fits?" in shown(app)
        await pilot.press("f7")
        await pilot.pause()
        assert "min amount" in shown(app)

    build(None, tmp_path, script, SMALL)


def test_a_part_is_gone_to_by_clicking_its_name(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        place = screen(app).query_one(DraftLine).text().index("Needs")
        await pilot.click(DraftLine, offset=(place, 0))
        await pilot.pause()
        assert "fits?" in shown(app)

    build(None, tmp_path, script, SMALL)


def test_the_key_bar_has_the_keys_of_the_builder(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        keys = screen(app).query_one(KeyBar).text()
        assert all(label in keys for label in ("Start this", "Fit", "Save", "Load"))

    build(simulation(tmp_path), tmp_path, script)


def test_an_editor_keeps_its_field_where_the_terminal_loses_and_regains_the_focus(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        form(app).edit("seed")
        await pilot.pause()
        app.app_focus = False
        await pilot.pause()
        app.app_focus = True
        await pilot.pause()
        await pilot.press("6")
        await pilot.pause()
        assert "6" in str(screen(app).draft.config().seed)

    build(None, tmp_path, script)


def test_space_runs_the_open_run_also_from_here(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)

    build(simulation(tmp_path), tmp_path, script)


def test_what_is_typed_and_chosen_is_the_same_in_every_theme(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        def colours() -> set[object]:
            strips = app.screen._compositor.render_strips()
            return {segment.style.bgcolor for strip in strips for segment in strip if segment.style}

        before, text = colours(), shown(app)
        app.theme = "orderbook-light"
        await pilot.pause(0.2)
        assert shown(app) == text
        assert not colours() & before

    build(None, tmp_path, script)
