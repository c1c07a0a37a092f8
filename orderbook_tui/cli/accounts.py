"""The commands about accounts: `accounts generate`."""

import sys

import click

from orderbook_tui.cli.output import in_json, to_write
from orderbook_tui.core.words import harmless


@click.group()
def accounts() -> None:
    """Make accounts."""


@accounts.command()
@click.option("--prefix", default="test-account", show_default=True, help="What their names begin with.")
@click.option("--count", type=click.IntRange(1, 1_000_000), default=4, show_default=True, help="How many.")
@click.option("--output", metavar="FILE", help="Where to write them. [default: stdout]")
@click.option("--database", metavar="URL", help="Write them into a database instead; ${env:NAME} stands for a variable.")
@click.option("--table", metavar="TABLE", help="Into which table of it, made if it is not there.")
def generate(prefix: str, count: int, output: str | None, database: str | None, table: str | None) -> int:
    """Write accounts as JSON, to use as `accounts.file` of a config. Prefix and number determine the ids.

    With --database and --table, write them there, to use as `database.accounts`: all of them or none.
    """
    from orderbook_tui.config import generate as made

    if (database is None) != (table is None) or (database is not None and output is not None):
        raise click.UsageError("--database and --table go together, and not with --output.")
    if database is not None and table is not None:
        from orderbook_tui.engine.database_writing import write_accounts

        write_accounts(database, table, made(prefix, count))
        print(f"{count} accounts written to {harmless(table)}", file=sys.stderr)
        return 0
    text = in_json([{"id": account.id, "name": account.name} for account in made(prefix, count)], indent=1)
    if output is None:
        print(text)
        return 0
    with to_write(output) as out:
        out.write(text + "\n")
    return 0
