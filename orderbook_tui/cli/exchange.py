"""The command `exchange`: the embedded exchange, served to this machine."""

import gc
from pathlib import Path
from typing import Any

import click

from orderbook_tui.last_words import tell_logs


@click.command()
@click.argument("config")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address of this machine to listen on.")
@click.option("--http-port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 is any free one.")
@click.option("--fix-port", type=click.IntRange(0, 65535), default=9880, show_default=True, help="0 is any free one.")
@click.option("--no-fix", is_flag=True, help="Serve REST and WebSocket only.")
@click.option("--fix-comp-id", "fix_comp_ids", multiple=True, metavar="ID", help="Who may log on over FIX, beside TRADER.")
@click.option("--state", metavar="FILE", help="Where all that was acknowledged is kept. [default: nowhere]")
@click.option("--keys", metavar="FILE", help="The accounts' keys and secrets, as JSON. [default: key-NAME]")
def exchange(
    config: str, no_fix: bool, fix_port: int, fix_comp_ids: tuple[str, ...], state: str | None, keys: str | None, **where: Any
) -> int:
    """Serve the embedded exchange to this machine: the accounts, markets and rules of CONFIG over REST, WebSocket and FIX."""
    from orderbook_tui.serving.command import Options, run_exchange

    tell_logs()
    gc.enable()
    return run_exchange(
        Options(
            Path(config),
            fix_port=None if no_fix else fix_port,
            fix_comp_ids=fix_comp_ids,
            state=Path(state) if state else None,
            keys=Path(keys) if keys else None,
            **where,
        )
    )
