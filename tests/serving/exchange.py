"""The real `orderbook-tui exchange` as a process of its own, to talk to, kill and start again."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from aiohttp.web import AppRunner, SockSite

from orderbook_tui.config import parse_config
from orderbook_tui.serving.fix_acceptor import FixAcceptor
from orderbook_tui.serving.keys import Entry, KeyRing
from orderbook_tui.serving.rest import Rest
from orderbook_tui.serving.served import ServedExchange

TWO_TRADERS: dict[str, Any] = {
    "accounts": {"list": [{"name": "alice"}, {"name": "bob"}]},
    "budget": {"budgets": [{"amount": 100_000}]},
    "venue": {"kind": "embedded", "fees": {"maker": 0.001, "taker": 0.002}},
}
"""alice and bob with 100000 of everything, on BTC-USD and ETH-USD, which cost 0.1 % and 0.2 %."""


class ServedProcess:
    """A running exchange. `http_port` and `fix_port` stay the same over restarts; `fix_port` is 0 without FIX."""

    def __init__(self, config: Path, folder: Path, options: Sequence[str], *, fix: bool) -> None:
        self.config = config
        self.folder = folder
        self.stderr = folder / "exchange.stderr"
        self.http_port = self.fix_port = 0
        self._options = [*options] if fix else [*options, "--no-fix"]
        self.start()

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.http_port}/stream"

    @property
    def pid(self) -> int:
        return self._process.pid

    def key(self, account: str) -> str:
        """The usual key of an account; that of `operator` is the operator's."""
        return f"key-{account}"

    def start(self) -> None:
        """Start it, on the ports that it had before."""
        ports = ["--http-port", str(self.http_port), "--fix-port", str(self.fix_port)]
        command = [sys.executable, "-m", "orderbook_tui", "exchange", str(self.config), *ports, *self._options]
        with self.stderr.open("ab") as stderr:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, stdin=subprocess.DEVNULL)
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        ready = re.fullmatch(r"exchange ready: http://127\.0\.0\.1:(\d+)(?: fix://127\.0\.0\.1:(\d+))?\n", line)
        if ready is None:
            self.end(signal.SIGKILL)
            raise AssertionError(f"the exchange did not start: {line!r} {self.stderr.read_text()}")
        self.http_port, self.fix_port = int(ready[1]), int(ready[2] or 0)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and return what it ended with."""
        if self._process.poll() is None:
            os.kill(self._process.pid, number)
        status = self._process.wait(timeout=20)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status

    def kill(self) -> None:
        """Have it die at once, with whatever it was doing."""
        self.end(signal.SIGKILL)

    def restart(self) -> None:
        """Kill it where it is not dead already, and start it again on the same ports."""
        self.kill()
        self.start()


@contextmanager
def served(
    config: Mapping[str, Any] | Path, folder: Path, *, state: bool = False, fix: bool = False, options: Sequence[str] = ()
) -> Iterator[ServedProcess]:
    """Serve a config. With `state`, all that it acknowledges survives in a file in `folder`."""
    path = config if isinstance(config, Path) else folder / "exchange.json"
    if not isinstance(config, Path):
        path.write_text(json.dumps(config))
    if state:
        options = [*options, "--state", str(folder / "exchange.sqlite")]
    exchange = ServedProcess(path, folder, options, fix=fix)
    try:
        yield exchange
    finally:
        exchange.end()


@asynccontextmanager
async def in_this_loop(
    config: Mapping[str, Any] = TWO_TRADERS, *, keys: Mapping[str, Entry] | None = None
) -> AsyncIterator[tuple[ServedExchange, ClientSession]]:
    """Serve a config over HTTP in the running event loop, with a client for it. The system buffers little of what it sends."""
    exchange = ServedExchange.of(parse_config(config), Path())
    runner = AppRunner(Rest(exchange, KeyRing(exchange, keys), _never).application(), access_log=None)
    await runner.setup()
    try:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        await SockSite(runner, listening).start()
        async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
            yield exchange, client
    finally:
        await runner.cleanup()


@asynccontextmanager
async def fix_in_this_loop(
    *, state: Path | None = None, keys: Mapping[str, Entry] | None = None, clients: tuple[str, ...] = ()
) -> AsyncIterator[int]:
    """Serve the two traders over FIX in the running event loop, and give the port."""
    with closing(ServedExchange.of(parse_config(TWO_TRADERS), Path(), state)) as exchange:
        acceptor = FixAcceptor(exchange, KeyRing(exchange, keys), _never, host="127.0.0.1", port=0, clients=clients)
        try:
            yield await acceptor.start()
        finally:
            await acceptor.stop()


def _never(error: Exception) -> None:
    raise error
