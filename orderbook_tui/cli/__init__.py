"""The command line: argv to the app, a headless run, or a small tool.

Here is how the program begins and ends; a module for each group of commands is beside it. Results go to stdout, errors to
stderr. What an option does not need is not imported: `--help` is quick, and only the app imports the screens.
"""

import gc
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

import click

from orderbook_tui import __version__
from orderbook_tui.cli import accounts, checkpoints, configs, database, exchange, running, venue
from orderbook_tui.cli.options import DEFAULT_STATE_DIR
from orderbook_tui.cli.output import complain
from orderbook_tui.errors import ConfigError, OrderbookTuiError, StorageError
from orderbook_tui.exit_status import ExitStatus
from orderbook_tui.last_words import tell_whole, telling_warnings
from orderbook_tui.streams import drop, open_missing


class _Commands(click.Group):
    """A group whose first word may also be a config file: `orderbook-tui CONFIG` opens the app on it."""

    def resolve_command(self, context: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            return "open", self.commands["open"], args
        return super().resolve_command(context, args)


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option(
    "--state-dir", metavar="DIR", help=f"The folder of the saved runs to open the app on. [default: {DEFAULT_STATE_DIR}]"
)
@click.pass_context
def cli(context: click.Context, state_dir: str | None) -> int:
    """Scripted order flow against an order book: many accounts, exact budgets, resumable runs.

    \b
    orderbook-tui CONFIG          open the app on a config, such as configs/simulator.json
    orderbook-tui                 open the app on the saved runs
    orderbook-tui run CONFIG      run without a screen
    """
    return 0 if context.invoked_subcommand else running.open_app(None, Path(state_dir or DEFAULT_STATE_DIR))


for _command in (
    running.open_,
    running.run,
    running.resume,
    checkpoints.list_,
    checkpoints.show,
    checkpoints.verify,
    checkpoints.delete,
    checkpoints.fork,
    checkpoints.export,
    accounts.accounts,
    exchange.exchange,
    database.db,
    venue.venue,
    configs.schema,
    configs.validate,
):
    cli.add_command(_command)


def main() -> NoReturn:
    """Run the program. Whatever is wrong with what the user gave is said in words, with exit status 2."""
    # We use no pydantic plugin; looking for some means reading the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Imports and plans make many objects that stay: looking through them for garbage was 5 % of the time to the first frame.
    gc.disable()
    open_missing()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # What a terminal or a file cannot hold is written as an escape: names and errors come from outside.
            stream.reconfigure(errors="backslashreplace")
    try:
        with telling_warnings():
            status = cli.main(prog_name="orderbook-tui", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        _say_wrong_use(error)
        status = error.exit_code
    except click.exceptions.Abort:
        status = ExitStatus.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough; what is left in the buffer goes nowhere, and nobody is told.
        drop(sys.stdout)
        status = 1
    except StorageError as error:
        complain(str(error))
        status = ExitStatus.STORAGE
    except ConfigError as error:
        complain(*map(str, error.problems))
        status = ExitStatus.BAD_INPUT
    except OrderbookTuiError as error:
        complain(str(error))
        status = ExitStatus.BAD_INPUT
    except OSError as error:
        complain(f"the result cannot be written: {error.strerror}")
        drop(sys.stdout)
        status = ExitStatus.STORAGE
    except Exception as error:
        tell_whole(error)
        status = ExitStatus.INCOMPLETE
    finally:
        gc.enable()
    sys.exit(status if isinstance(status, int) else 0)


def _say_wrong_use(error: click.ClickException) -> None:
    """Say what click has refused, as it would, but for what it quotes of the arguments."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        usage, command = error.ctx.get_usage(), error.ctx.command_path
        print(f"{usage}\nTry '{command} --help' for help.\n", file=sys.stderr)
    complain(f"Error: {error.format_message()}")
