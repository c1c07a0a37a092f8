"""The commands about a config's database: `db check`."""

from pathlib import Path

import click

from orderbook_tui.cli import options
from orderbook_tui.cli.output import in_json


@click.group()
def db() -> None:
    """Look at what a config reads from a database."""


@db.command("check")
@click.argument("config")
@options.text_or_json
def check(config: str, form: str) -> int:
    """Say what a run of CONFIG would load from its database: accounts, markets, budgets, and what is left out.

    Exit status: 0 it can be used; 2 it cannot, with every problem said.
    """
    from orderbook_tui.config import load_config
    from orderbook_tui.engine.database_check import check_database, lines

    facts = check_database(load_config(config), Path(config).parent)
    print(in_json(facts) if form == "json" else "\n".join(lines(facts)))
    return 0
