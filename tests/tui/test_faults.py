"""A fault of the program ends the app with all there is to know of it, and steers no terminal."""

import asyncio
from pathlib import Path

import pytest

from orderbook_tui.tui.app import OrderbookApp
from tests.hostile import ALL, MARK, steers
from tests.tui.screen import piloted


def test_an_error_that_nobody_caught_is_told_harmlessly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise RuntimeError(ALL)

    async def play() -> None:
        async with piloted(OrderbookApp(None, tmp_path)) as pilot:
            pilot.app.call_later(fail)
            await pilot.pause()

    with pytest.raises(RuntimeError):
        asyncio.run(play())
    told = capsys.readouterr().err

    assert MARK in told
    assert "RuntimeError" in told
    assert steers(told) is None
