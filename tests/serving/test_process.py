"""The command: one line when it is ready, words when it cannot start, and nothing lost when it is killed."""

import asyncio
import json
import random
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import pytest
from aiohttp import ClientError, ClientSession

from orderbook_tui.config import parse_config
from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.errors import CheckpointDamaged, CheckpointInUse, ConfigError
from orderbook_tui.serving.command import Options, run_exchange
from orderbook_tui.serving.served import ServedExchange
from tests.serving.exchange import TWO_TRADERS, ServedProcess, served


async def everything(client: ClientSession) -> dict[str, Any]:
    """All that an exchange would tell its accounts."""
    found: dict[str, Any] = {}
    for account in ("alice", "bob"):
        for path in ("/orders", "/balances"):
            async with client.get(path, headers={"X-API-Key": f"key-{account}"}) as answer:
                found[account + path] = await answer.json()
    async with client.ws_connect("/stream?key=key-operator") as stream:
        await stream.send_json({"op": "subscribe", "since": 0})
        last = (await stream.receive_json())["last_seq"]
        told: list[Any] = []
        fills = sum(len(order["fills"]) for account in ("alice", "bob") for order in found[f"{account}/orders"]["orders"])
        while len(told) < fills:
            told.append(await stream.receive_json())
        found["stream"], found["last_seq"] = told, last
    return found


async def place_until_it_dies(exchange: ServedProcess) -> dict[str, Any]:
    """Place orders from two sides, have the exchange killed in the middle, and return what it acknowledged."""
    acknowledged: dict[str, Any] = {}
    chance = random.Random(7)

    async def trader(client: ClientSession, account: str, side: str) -> None:
        with suppress(ClientError):
            for number in range(10_000):
                name = f"{account}-{number}"
                body = {
                    "client_order_id": name,
                    "market": "BTC-USD",
                    "side": side,
                    "price": str(chance.randint(99, 101)),
                    "quantity": "0.01",
                }
                headers = {"X-API-Key": f"key-{account}"}
                if number % 10 == 9:
                    async with client.post(f"/orders/{name}/fence", headers=headers) as answer:
                        acknowledged[name] = await answer.json()
                    continue
                async with client.post("/orders", json=body, headers=headers) as answer:
                    acknowledged[name] = (await answer.json())["order"]
                if len(acknowledged) >= 300:
                    exchange.kill()

    async with ClientSession(exchange.http_url) as client:
        await asyncio.gather(trader(client, "alice", "buy"), trader(client, "bob", "sell"))
    return acknowledged


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    async def look() -> dict[str, Any]:
        async with ClientSession(exchange.http_url) as client:
            return await everything(client)

    async def place_dead() -> int:
        async with ClientSession(exchange.http_url) as client:
            body = {"client_order_id": "alice-9", "market": "BTC-USD", "side": "buy", "price": "1", "quantity": "1"}
            async with client.post("/orders", json=body, headers={"X-API-Key": "key-alice"}) as answer:
                return answer.status

    with served(TWO_TRADERS, tmp_path, state=True) as exchange:
        acknowledged = asyncio.run(place_until_it_dies(exchange))
        exchange.start()
        before = asyncio.run(look())
        there = {order["client_order_id"]: order for who in ("alice", "bob") for order in before[f"{who}/orders"]["orders"]}
        for name, order in acknowledged.items():
            if "error" in order:
                assert name not in there
            else:
                assert {key: there[name][key] for key in ("order_id", "price", "quantity", "at")} == {
                    key: order[key] for key in ("order_id", "price", "quantity", "at")
                }
                assert there[name]["fills"][: len(order["fills"])] == order["fills"]
        assert asyncio.run(place_dead()) == 410
        exchange.restart()
        assert asyncio.run(look()) == before
        assert exchange.end() == 0


def test_ctrl_c_ends_it_with_status_0_whoever_is_connected(tmp_path: Path) -> None:
    async def end_while_streaming(exchange: ServedProcess) -> int:
        async with ClientSession(exchange.http_url) as client, client.ws_connect("/stream?key=key-alice"):
            return exchange.end(signal.SIGINT)

    with served(TWO_TRADERS, tmp_path) as exchange:
        assert asyncio.run(end_while_streaming(exchange)) == 0
        assert "Traceback" not in exchange.stderr.read_text()


def test_a_client_that_goes_away_in_the_middle_of_its_request_is_no_fault_of_the_exchange(tmp_path: Path) -> None:
    with served(TWO_TRADERS, tmp_path) as exchange:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", exchange.http_port)) as connection:
                connection.sendall(b"POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nabc")
        assert exchange.end() == 0
        assert "Traceback" not in exchange.stderr.read_text()


def test_a_port_in_use_is_said_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "orderbook_tui", "exchange", str(a_config(tmp_path)), "--no-fix", "--http-port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"--http-port: port {port} cannot be listened on: address already in use\n"


def a_config(folder: Path, config: object = TWO_TRADERS) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return path


def test_a_fix_port_in_use_is_said_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match=r"--fix-port: .* in use"):
        run_exchange(Options(a_config(tmp_path), http_port=0, fix_port=taken.getsockname()[1]))


def test_an_address_that_others_can_reach_is_refused(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "example.com", "::"):
        with pytest.raises(ConfigError, match="this machine alone"):
            run_exchange(Options(a_config(tmp_path), host=host))


def test_the_state_of_an_exchange_that_runs_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    exchange = ServedExchange.of(parse_config(TWO_TRADERS), tmp_path, state)
    with closing(exchange), pytest.raises(CheckpointInUse, match="in use by another exchange"):
        run_exchange(Options(a_config(tmp_path), state=state))


def test_the_state_of_an_exchange_with_another_config_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    ServedExchange.of(parse_config(TWO_TRADERS), tmp_path, state).close()
    other = TWO_TRADERS | {"budget": {"budgets": [{"amount": 1}]}}
    with pytest.raises(CheckpointDamaged, match="other accounts, balances, markets, or rules"):
        run_exchange(Options(a_config(tmp_path, other), state=state))


def test_a_state_file_that_is_none_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, and long enough to be looked at " * 20)
    before = path.read_bytes()
    with pytest.raises(CheckpointDamaged, match=r"notes\.txt"):
        run_exchange(Options(a_config(tmp_path), state=path))
    assert path.read_bytes() == before


def test_a_state_that_does_not_lead_to_where_it_was_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    exchange = ServedExchange.of(parse_config(TWO_TRADERS), tmp_path, state)
    alice = exchange.accounts["alice"]
    exchange.place(exchange.new_order(alice, "a", "BTC-USD", Side.BID, Decimal(1), Decimal(1), TimeInForce.GTC))
    exchange.close()
    with closing(apsw.Connection(str(state))) as db:
        db.execute("UPDATE commands SET events = 7")
    with pytest.raises(CheckpointDamaged, match="does not lead to where it was"):
        ServedExchange.of(parse_config(TWO_TRADERS), tmp_path, state)
