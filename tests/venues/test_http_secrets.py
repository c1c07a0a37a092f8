"""A secret from the environment, which the exchange repeats in all that it says, is nowhere to be found after a run."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web
from click.testing import CliRunner
from textual.pilot import Pilot

from orderbook_tui import cli
from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.tui.app import OrderbookApp
from tests.engine.runs import a_config
from tests.tui.screen import drive, shown, simulation, until_asked, until_status
from tests.venues.http_exchange import exchange_in_a_thread

SECRET = 'Tr0ub4dor&3/"+secret=='
FORMS = (SECRET, quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode(), json.dumps(SECRET)[1:-1], SECRET[:12])


async def _echoes(request: web.Request) -> web.StreamResponse:
    """Answer with the key in everything: refusals, ids, counterparties."""
    key = request.headers["X-API-Key"]
    if request.path == "/orders" and json.loads(await request.text())["n"] % 2:
        return web.json_response(
            {"error": {"message": f"the key {key} is not for this, nor is {quote(key, safe='')}"}}, status=422
        )
    fill = {"id": f"e-{key}", "price": "1", "quantity": "1", "counterparty": key}
    return web.json_response({"order_id": f"o-{key}", "fills": [fill], "signature": request.headers["X-Signature"]}, status=201)


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.setenv("SECRET_OF_TEST", SECRET)
    with exchange_in_a_thread() as exchange:
        exchange.answer("*", _echoes)
        yield {
            "kind": "http",
            "base_url": exchange.url,
            "headers": {"X-API-Key": "${env:SECRET_OF_TEST}"},
            "signing": {"secret": "${env:SECRET_OF_TEST}"},
            "place": {"path": "/orders", "body": {"n": "{sequence:int}", "id": "{client_order_id}"}},
            "balances": {"path": "/balances"},
        }


def test_a_secret_that_the_exchange_repeats_is_in_no_file_and_no_output(
    venue: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, folder = tmp_path / "config.json", tmp_path / "state"
    config.write_text(json.dumps(a_config(venue=venue, scheduler={"trades_per_account": 2})))
    said = ""
    for arguments in (
        ["run", str(config), "--state-dir", str(folder), "--on-failure", "skip"],
        ["venue", "check", str(config)],
        ["venue", "check", str(config), "--place", "--format", "json"],
        ["list", "--state-dir", str(folder)],
        ["show", "--state-dir", str(folder), "--format", "json"],
        ["resume", "--state-dir", str(folder)],
        *(["export", "--state-dir", str(folder), "--what", what] for what in ("slots", "fills", "history", "attempts")),
        ["export", "--state-dir", str(folder), "--what", "attempts", "--format", "jsonl"],
        ["validate", str(config)],
    ):
        ended = CliRunner().invoke(cli.cli, arguments, standalone_mode=False)
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        said += ended.stdout + ended.stderr
    files = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert "${env:SECRET_OF_TEST}" in said
    assert b"is not for this" in files
    assert [form for form in FORMS if form in said or form.encode() in files] == []


def test_a_secret_that_the_exchange_repeats_is_on_no_screen(venue: dict[str, Any], tmp_path: Path) -> None:
    seen: list[str] = []

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until_status(app, RunStatus.WAITING)
        await until_asked(app)
        seen.append(shown(app))
        await pilot.press("c")
        for key in ("2", "enter", "escape", "3", "4", "5"):
            await pilot.press(key)
            seen.append(shown(app))

    drive(simulation(tmp_path, venue=venue), tmp_path, script)
    assert "is not for this" in "".join(seen)
    assert [form for form in FORMS if any(form in screen for screen in seen)] == []
