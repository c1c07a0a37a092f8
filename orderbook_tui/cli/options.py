"""Options and arguments that several commands have, with the same words wherever they appear."""

from collections.abc import Callable
from typing import Any

import click

DEFAULT_STATE_DIR = "./simulator_state"


class _Pace(click.FloatRange):
    """A pace. A NaN compares with nothing, and so would pass as in range."""

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> Any:
        pace = super().convert(value, param, context)
        return self.fail(f"{value} is not a pace.", param, context) if pace != pace else pace


state_dir = click.option(
    "--state-dir", metavar="DIR", help=f"The folder of the checkpoints. [default: the config's, {DEFAULT_STATE_DIR}]"
)
seed = click.option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="The seed, in place of the config's.")
allow_code = click.option(
    "--allow-code", is_flag=True, help="Import the code that a Python venue names without asking, also a stranger's."
)
leave_sandbox = click.option(
    "--leave-sandbox", is_flag=True, help="Place real orders, with real money, without asking: where a ccxt venue says so."
)
text_or_json = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print the result."
)
saved_run = click.argument("simulation_id", default="latest", metavar="[ID|latest]")


def running(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of everything that runs a simulation."""
    for option in (
        click.option("--account", "accounts", multiple=True, metavar="NAME", help="Only pairs with this account; repeatable."),
        click.option("--market", "markets", multiple=True, metavar="SYMBOL", help="Only pairs on this market; repeatable."),
        state_dir,
        click.option(
            "--slots-per-second", type=_Pace(0.00001, 10_000_000), metavar="N", help="The pace, in place of the config's."
        ),
        seed,
        allow_code,
        leave_sandbox,
    ):
        command = option(command)
    return command


def headless(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of everything that runs a simulation without a screen."""
    command = click.option(
        "--on-failure",
        type=click.Choice(["ask", "skip", "continue", "quit"]),
        help="What to do when the retries of a slot are spent, in place of the config's.",
    )(command)
    return text_or_json(running(command))
