"""The commands about a config: `schema` and `validate`."""

import click

from orderbook_tui.cli import options
from orderbook_tui.cli.output import in_json
from orderbook_tui.cli.simulations import created


@click.command()
def schema() -> int:
    """Print the JSON Schema of a config."""
    from orderbook_tui.config import json_schema

    print(in_json(json_schema(), indent=2))
    return 0


@click.command()
@click.argument("config")
@options.seed
@options.allow_code
@options.text_or_json
def validate(config: str, seed: int | None, allow_code: bool, form: str) -> int:
    """Say what a run of CONFIG would be: accounts, markets, slots, and which slots would not pass. Nothing is placed."""
    from orderbook_tui.report import forecast, forecast_in_words

    facts = forecast(created(config, seed=seed, allow_code=allow_code, save=False))
    print(in_json(facts) if form == "json" else forecast_in_words(facts))
    return 0
