"""Names of runs, names of files, reasons and ids from outside are shown harmlessly by the list and its dialogs."""

import itertools
import shutil
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orderbook_tui.engine.catalog import CheckpointStatus, SimulationInfo
from orderbook_tui.engine.listing import CheckpointListing
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.checkpoints import CheckpointsScreen
from orderbook_tui.tui.widgets.plain_input import PlainInput
from tests.tui.screen import SMALL, WIDE, drive, said, shown, until
from tests.tui.test_checkpoints import interrupted, rows, to_the_list
from tests.tui.test_hostile_text import _UNSAFE, HOSTILE

KINDS = list(zip(HOSTILE, itertools.cycle([WIDE, SMALL])))
BY_SIZE = {size: [kind for kind, its in KINDS if its == size] for size in (WIDE, SMALL)}
"""Every other kind at each size, all of them in one app."""


def check(app: OrderbookApp, size: tuple[int, int]) -> str:
    """Return what is shown, which steers nothing and fills every line to its end."""
    text = shown(app)
    assert not _UNSAFE.search(text), repr(_UNSAFE.search(text))
    assert all(strip.cell_length == size[0] for strip in app.screen._compositor.render_strips())
    return text


def here(app: OrderbookApp) -> SimulationInfo:
    """The checkpoint that the cursor is on."""
    chosen = rows(app).chosen
    assert chosen is not None
    return chosen.info


@pytest.mark.parametrize(("kind", "size"), KINDS, ids=[*HOSTILE])
def test_a_name_is_harmless_in_the_list_and_in_every_dialog(tmp_path: Path, kind: str, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        check(app, size)
        for key in ("f", "x", "d"):
            await pilot.press(key)
            await pilot.pause()
            assert not isinstance(app.screen, CheckpointsScreen)
            check(app, size)
            await pilot.press("escape")
        await pilot.press("f", "end", "enter")
        await to_the_list(app, pilot, 2)
        check(app, size)
        assert not _UNSAFE.search(said(app).replace("\n", ""))

    interrupted(tmp_path, HOSTILE[kind])
    drive(None, tmp_path, script, size)


@pytest.mark.parametrize(("size", "kinds"), BY_SIZE.items(), ids=["wide", "small"])
def test_a_reason_is_harmless_and_says_where_it_was_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], kinds: list[str]
) -> None:
    infos = []
    for text, (n, status) in itertools.product([HOSTILE[kind] for kind in kinds], enumerate(CheckpointStatus)):
        known = {"id": text, "path": Path("x"), "reason": f"{text} is damaged"}
        infos.append(SimulationInfo(status=status, name=text if n else "", **known))  # type: ignore[arg-type]
    monkeypatch.setattr(CheckpointListing, "look", lambda self: infos)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, len(infos))
        seen = set()
        for place in range(len(infos)):
            rows(app).move_to(place)
            await pilot.pause()
            shown_now = check(app, size)
            chosen = here(app)
            if chosen.id == HOSTILE["long"]:
                assert "…" in shown_now.splitlines()[-2]
            seen.add((chosen.id, chosen.status))
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, CheckpointsScreen))
            app.clear_notifications()
        assert len(seen) == len(infos)

    drive(None, tmp_path, script, size)


def test_the_name_of_a_file_is_harmless(tmp_path: Path) -> None:
    files = ["[bold]x[red].sqlite", "a\x1b[2Jb\u202e.sqlite", "one\ntwo.sqlite", "日本語👩‍👧.sqlite"]
    run = interrupted(tmp_path)
    for file in files:
        shutil.copy(tmp_path / f"{run.id}.sqlite", tmp_path / file)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1 + len(files))
        assert check(app, SMALL).count("foreign") >= len(files)
        foreign = 0
        for place in range(1 + len(files)):
            rows(app).move_to(place)
            await pilot.pause()
            check(app, SMALL)
            if here(app).status is CheckpointStatus.FOREIGN:
                foreign += 1
                for key in ("enter", "f", "x", "d"):
                    await pilot.press(key)
                    assert isinstance(app.screen, CheckpointsScreen)
        assert foreign == len(files)

    drive(None, tmp_path, script, SMALL)


@pytest.mark.parametrize(("size", "kinds"), BY_SIZE.items(), ids=["wide", "small"])
def test_what_is_put_into_the_filter_is_harmless(tmp_path: Path, size: tuple[int, int], kinds: list[str]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        for kind in kinds:
            await pilot.press("slash")
            app.screen.query_one(PlainInput).value = HOSTILE[kind]
            await until(lambda: rows(app).count == 0)
            await pilot.pause()
            check(app, size)
            app.screen.query_one(PlainInput).value = ""
            await until(lambda: rows(app).count == 1)

    interrupted(tmp_path)
    drive(None, tmp_path, script, size)


def test_the_name_of_the_folder_is_harmless(tmp_path: Path) -> None:
    folder = tmp_path / "[bold]\x1b[2J\u202efolder"

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await to_the_list(app, pilot, 1)
        check(app, WIDE)

    interrupted(folder)
    drive(None, folder, script)
