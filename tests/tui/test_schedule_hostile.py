"""Text from outside is harmless on the Schedule screen and in its dialogs: in names, in files, typed and pasted."""

import itertools
import re
from functools import partial
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.choose import ChooseScreen
from orderbook_tui.tui.screens.open_config import OpenConfigScreen
from orderbook_tui.tui.screens.own_amounts import OwnAmountsScreen
from orderbook_tui.tui.screens.save_config import SaveConfigScreen
from orderbook_tui.tui.screens.schedule import ScheduleScreen
from orderbook_tui.tui.widgets.file_list import FileList
from orderbook_tui.tui.widgets.plain_input import PlainInput
from orderbook_tui.tui.widgets.text_lines import TextLines
from tests.tui.drafting import build, editor, form, planned, screen
from tests.tui.screen import SMALL, shown, simulation, until
from tests.tui.test_hostile_text import HOSTILE, named

UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
SIZES = itertools.cycle([(140, 40), SMALL])


def look(app: OrderbookApp) -> str:
    """Return what is shown, having made sure that it is harmless and as wide as the screen."""
    text = shown(app)
    assert not UNSAFE.search(text), repr(UNSAFE.search(text))
    assert {strip.cell_length for strip in app.screen._compositor.render_strips()} == {app.size.width}
    return text


@pytest.mark.parametrize(("kind", "size"), zip(HOSTILE, SIZES, strict=False), ids=[*HOSTILE])
def test_names_are_shown_harmlessly(tmp_path: Path, kind: str, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        look(app)
        for _ in range(3):
            await pilot.press("f7")
            await pilot.pause()
            look(app)
        for key in ("m", "a"):
            await pilot.press("escape", "escape", key)
            await until(lambda: isinstance(app.screen, ChooseScreen))
            await pilot.pause()
            look(app)
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, ScheduleScreen))
        await planned(app)
        screen(app).give_amounts(0)
        await until(lambda: isinstance(app.screen, OwnAmountsScreen))
        await pilot.pause()
        look(app)
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, ScheduleScreen))
        form(app).edit("name")
        await pilot.pause()
        look(app)

    build(simulation(tmp_path, **named(HOSTILE[kind])), tmp_path, script, size)


@pytest.mark.parametrize("size", [(140, 40), SMALL], ids=["wide", "small"])
def test_what_is_pasted_is_shown_harmlessly_and_kept_as_it_is(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        def typed(text: str) -> bool:
            return editor(app).value == text

        for text, path in itertools.product(HOSTILE.values(), ("name", "scheduler.min_amount", "scheduler.market_weights")):
            first = text.splitlines()[0]
            form(app).edit(path)
            editor(app).post_message(events.Paste(text))
            await until(partial(typed, first))
            await pilot.pause()
            look(app)
            assert next(field.text for field in screen(app).draft.fields() if field.path == path) == first
        await pilot.press("escape")
        await pilot.pause()
        look(app)

    build(None, tmp_path, script, size)


@pytest.mark.parametrize("size", [(140, 40), SMALL], ids=["wide", "small"])
def test_file_names_and_paths_are_shown_harmlessly(tmp_path: Path, size: tuple[int, int]) -> None:
    called = [text.replace("/", "-")[:60].encode()[:200].decode(errors="ignore") for text in HOSTILE.values()]
    for text in called:
        (tmp_path / f"{text}.json").write_text("{" + text)
        (tmp_path / text).mkdir()

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+o")
        await until(lambda: isinstance(app.screen, OpenConfigScreen))
        app.screen.query_one(PlainInput).focus()
        app.screen.query_one(PlainInput).value = str(tmp_path)
        await pilot.press("enter")
        files, problems = app.screen.query_one(FileList), app.screen.query_one("#problems", TextLines)
        await until(lambda: f"{called[0]}.json" in [entry.called for entry in files.entries])
        for text in called:
            files.move_to([entry.called for entry in files.entries].index(f"{text}.json"))
            await pilot.pause()
            look(app)
            before = problems.text()
            await pilot.press("enter")
            await until(partial(_differs, problems, before))
            await pilot.pause()
            look(app)
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, ScheduleScreen))
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, SaveConfigScreen))
        for text in called:
            app.screen.query_one(PlainInput).value = str(tmp_path / text / text / "x")
            await pilot.press("enter")
            await pilot.pause()
            look(app)

    build(None, tmp_path, script, size)


def _differs(problems: TextLines, before: str) -> bool:
    return problems.display and problems.text() != before
