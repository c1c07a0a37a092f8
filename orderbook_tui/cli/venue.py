"""The commands about a config's venue: `venue check` and `venue markets`."""

from pathlib import Path

import click

from orderbook_tui.cli import options
from orderbook_tui.cli.consent import code_check
from orderbook_tui.cli.output import in_json
from orderbook_tui.core.words import harmless
from orderbook_tui.exit_status import ExitStatus


@click.group()
def venue() -> None:
    """Try the venue of a config."""


@venue.command("check")
@click.argument("config")
@click.option("--account", metavar="NAME", help="Whose requests to make. [default: the first that trades]")
@click.option("--market", metavar="SYMBOL", help="Which market to ask about. [default: the first that trades]")
@click.option("--place", is_flag=True, help="Place the smallest order far from the market too, and cancel it at once.")
@options.text_or_json
def check(config: str, account: str | None, market: str | None, place: bool, form: str) -> int:
    """Talk to the exchange of CONFIG once: show requests and replies, and what each rule makes of them. Nothing is traded.

    Exit status: 0 all was understood; 1 not all; 2 bad input.
    """
    import asyncio

    from orderbook_tui.config import load_config
    from orderbook_tui.engine.venue_check import as_facts, check_venue, in_words, is_understood

    said = asyncio.run(check_venue(load_config(config), Path(config).parent, account=account, market=market, place=place))
    if form == "json":
        print(in_json(as_facts(said)))
    else:
        print("\n".join(harmless(line, len(line) * 10) for line in in_words(said)))
    return ExitStatus.OK if is_understood(said) else ExitStatus.INCOMPLETE


@venue.command("markets")
@click.argument("config")
@click.option(
    "--market", "markets", multiple=True, metavar="SYMBOL", help="Which, as BTC/USDT; repeatable. [default: the config's]"
)
@options.allow_code
def markets_of(config: str, markets: tuple[str, ...], allow_code: bool) -> int:
    """Print the sections `assets` and `markets` of a config, made from the precision and limits of CONFIG's ccxt exchange."""
    import asyncio

    from orderbook_tui.config import load_config
    from orderbook_tui.engine.trust import Origin
    from orderbook_tui.engine.venue_markets import venue_markets

    check_code = code_check(Origin.config(Path(config)), allow_code=allow_code)
    print(in_json(asyncio.run(venue_markets(load_config(config), markets, check_code)), indent=2))
    return 0
