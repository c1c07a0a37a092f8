"""`orderbook-tui exchange`: everything that serves, started, announced and ended in order.

config -> ServedExchange -> REST and WebSocket, FIX -> one line on stdout -> until a signal
"""

import asyncio
import ipaddress
import os
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orderbook_tui.config import load_config
from orderbook_tui.core.words import harmless
from orderbook_tui.errors import ConfigError, Problem
from orderbook_tui.serving.keys import KeyRing, read_keys
from orderbook_tui.serving.served import ServedExchange
from orderbook_tui.signals import heeded

try:
    from aiohttp import web

    from orderbook_tui.serving.rest import Rest
except ImportError as missing:
    raise ConfigError([Problem("", "serving the exchange needs more: pip install 'orderbook-tui[http]'")]) from missing


@dataclass(frozen=True)
class Options:
    """What the command was told."""

    config: Path
    host: str = "127.0.0.1"
    http_port: int = 8080
    fix_port: int | None = 9880
    """None: FIX is not served."""
    fix_comp_ids: tuple[str, ...] = ()
    state: Path | None = None
    keys: Path | None = None


def run_exchange(options: Options) -> int:
    """Serve the exchange until SIGINT, SIGTERM or SIGHUP; return the exit status.

    Raises:
        ConfigError: the config, the keys or the addresses cannot be used.
        CheckpointError: the state file cannot be used, or not be written any more.
    """
    _check_loopback(options.host)
    exchange = ServedExchange.of(load_config(options.config), options.config.parent, options.state)
    with closing(exchange):
        keys = KeyRing(exchange, None if options.keys is None else read_keys(options.keys))
        asyncio.run(_serve(exchange, keys, options))
    return 0


async def _serve(exchange: ServedExchange, keys: KeyRing, options: Options) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_overlook_broken_connections)
    ended: asyncio.Future[None] = loop.create_future()

    def end(error: Exception | None = None) -> None:
        if not ended.done():
            ended.set_result(None) if error is None else ended.set_exception(error)

    for number in heeded():
        loop.add_signal_handler(number, end)
    async with AsyncExitStack() as served:
        http_port = await _serve_http(Rest(exchange, keys, end), options, served)
        address = f"[{options.host}]" if ":" in options.host else options.host
        ready = f"exchange ready: http://{address}:{http_port}"
        if options.fix_port is not None:
            ready += f" fix://{address}:{await _serve_fix(exchange, keys, end, options, options.fix_port, served)}"
        _say_keys(exchange, options)
        print(ready, flush=True)
        await ended


def _overlook_broken_connections(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A client that goes away in the middle of something is nothing that anybody has to be told about."""
    if not isinstance(context.get("exception"), ConnectionError):
        loop.default_exception_handler(context)


async def _serve_http(rest: Rest, options: Options, served: AsyncExitStack) -> int:
    """Serve REST and the stream; return the port."""
    runner = web.AppRunner(rest.application(), access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    served.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, options.host, options.http_port, reuse_address=True)
    try:
        await site.start()
    except OSError as error:
        raise _not_ours("--http-port", options.http_port, error) from None
    return int(runner.addresses[0][1])


async def _serve_fix(
    exchange: ServedExchange,
    keys: KeyRing,
    end: Callable[[Exception], None],
    options: Options,
    port: int,
    served: AsyncExitStack,
) -> int:
    """Serve FIX; return the port."""
    try:
        from orderbook_tui.serving.fix_acceptor import FixAcceptor
    except ImportError as missing:
        words = "serving FIX needs more: pip install 'orderbook-tui[fix]', or do without: --no-fix"
        raise ConfigError([Problem("", words)]) from missing
    acceptor = FixAcceptor(exchange, keys, end, host=options.host, port=port, clients=options.fix_comp_ids)
    served.push_async_callback(acceptor.stop)
    try:
        return await acceptor.start()
    except OSError as error:
        raise _not_ours("--fix-port", port, error) from None


def _not_ours(option: str, port: int, error: OSError) -> ConfigError:
    # asyncio puts a sentence of its own where the system's words were.
    words = os.strerror(error.errno).lower() if error.errno else str(error)
    return ConfigError([Problem(option, f"port {port} cannot be listened on: {words}")])


def _say_keys(exchange: ServedExchange, options: Options) -> None:
    if options.keys is None and exchange.accounts:
        name = next(iter(exchange.accounts.values())).name
        words = f"A test exchange: the key of an account is key-NAME, such as key-{name}; the operator's is key-operator"
        print(harmless(words), file=sys.stderr, flush=True)


def _check_loopback(host: str) -> None:
    """Refuse to be reached from other machines.

    Raises:
        ConfigError: `host` is no address of this machine alone.
    """
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        words = f"{host} can be reached from elsewhere: the exchange is for this machine alone, 127.0.0.1, ::1 or localhost"
        raise ConfigError([Problem("--host", words)])
