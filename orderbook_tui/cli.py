"""The command line: argv to the app, a headless run, or a small tool.

Results go to stdout, errors to stderr. What an option does not need is not imported: `--help` is quick, and only the app
imports the screens.
"""

import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

from orderbook_tui import __version__
from orderbook_tui.core.words import harmless
from orderbook_tui.errors import CheckpointError, ConfigError, OrderbookTuiError, Problem, StorageError
from orderbook_tui.exit_status import ExitStatus
from orderbook_tui.last_words import tell_logs, tell_whole, telling_warnings
from orderbook_tui.streams import drop, open_missing

if TYPE_CHECKING:
    from orderbook_tui.engine.simulation import Simulation
    from orderbook_tui.engine.trust import Code, CodeCheck, Origin

DEFAULT_STATE_DIR = "./simulator_state"


class _Pace(click.FloatRange):
    """A pace. A NaN compares with nothing, and so would pass as in range."""

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> Any:
        pace = super().convert(value, param, context)
        return self.fail(f"{value} is not a pace.", param, context) if pace != pace else pace


class _ToPeople:
    """A terminal that rows are written to: it gets them harmless. A file or a pipe gets them as they are."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, row: str) -> None:
        """Write a row, its own newlines escaped."""
        self._terminal.write(harmless(row.removesuffix("\n")) + "\n")


class _Commands(click.Group):
    """A group whose first word may also be a config file: `orderbook-tui CONFIG` opens the app on it."""

    def resolve_command(self, context: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            return "open", self.commands["open"], args
        return super().resolve_command(context, args)


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
        _complain(str(error))
        status = ExitStatus.STORAGE
    except ConfigError as error:
        _complain(*map(str, error.problems))
        status = ExitStatus.BAD_INPUT
    except OrderbookTuiError as error:
        _complain(str(error))
        status = ExitStatus.BAD_INPUT
    except OSError as error:
        _complain(f"the result cannot be written: {error.strerror}")
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
    _complain(f"Error: {error.format_message()}")


def _complain(*lines: str) -> None:
    for line in lines:
        print(harmless(line), file=sys.stderr)


def _running_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of everything that runs a simulation."""
    for option in (
        click.option("--account", "accounts", multiple=True, metavar="NAME", help="Only pairs with this account; repeatable."),
        click.option("--market", "markets", multiple=True, metavar="SYMBOL", help="Only pairs on this market; repeatable."),
        _state_dir,
        click.option(
            "--slots-per-second", type=_Pace(0.00001, 10_000_000), metavar="N", help="The pace, in place of the config's."
        ),
        click.option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="The seed, in place of the config's."),
        _allow_code,
        _leave_sandbox,
    ):
        command = option(command)
    return command


def _headless_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option(
        "--on-failure",
        type=click.Choice(["ask", "skip", "continue", "quit"]),
        help="What to do when the retries of a slot are spent, in place of the config's.",
    )(command)
    return _format(_running_options(command))


_state_dir = click.option(
    "--state-dir", metavar="DIR", help=f"The folder of the checkpoints. [default: the config's, {DEFAULT_STATE_DIR}]"
)
_allow_code = click.option(
    "--allow-code", is_flag=True, help="Import the code that a Python venue names without asking, also a stranger's."
)
_leave_sandbox = click.option(
    "--leave-sandbox", is_flag=True, help="Place real orders, with real money, without asking: where a ccxt venue says so."
)
_format = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print the result."
)


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
    return 0 if context.invoked_subcommand else _open_app(None, Path(state_dir or DEFAULT_STATE_DIR))


@cli.command("open", hidden=True)
@click.argument("config")
@_running_options
def open_(config: str, **options: Any) -> int:
    """Open the app on CONFIG."""
    leave_sandbox = options.pop("leave_sandbox")
    simulation = _created(config, **options)
    if leave_sandbox:
        simulation.leave_sandbox()
    return _open_app(simulation, Path(options["state_dir"] or simulation.config.state_dir), Path(config))


@cli.command()
@click.argument("config")
@_headless_options
def run(config: str, form: str, on_failure: str | None, leave_sandbox: bool, **options: Any) -> int:
    """Run CONFIG without a screen and print what came of it.

    Exit status: 0 all slots completed and every directed one matched; 1 finished, but not so; 2 bad input; 3 quit by
    decision; 4 the checkpoint could not be written; 130 interrupted, with the checkpoint saved.
    """
    from orderbook_tui.headless import run_headless

    simulation = _created(config, **options)
    _confirm_real_money(simulation, leave_sandbox=leave_sandbox)
    _warn_about(options["state_dir"] or simulation.config.state_dir)
    tell_logs()
    gc.enable()
    return run_headless(simulation, on_failure=on_failure, as_json=form == "json")


@cli.command()
@click.argument("simulation_id", default="latest", metavar="[ID|latest]")
@_headless_options
def resume(
    simulation_id: str,
    form: str,
    on_failure: str | None,
    state_dir: str | None,
    allow_code: bool,
    leave_sandbox: bool,
    **options: Any,
) -> int:
    """Take a saved run up where it was, and run the rest. A run that is done prints its summary."""
    from orderbook_tui.engine.simulation import Simulation
    from orderbook_tui.engine.trust import Origin
    from orderbook_tui.headless import run_headless

    simulation_id = _named(simulation_id, state_dir)
    check_code = _code_check(Origin.checkpoint(simulation_id), allow_code=allow_code)
    simulation = Simulation.resume(simulation_id, state_dir or DEFAULT_STATE_DIR, check_code=check_code)
    try:
        if options["seed"] not in (None, simulation.config.seed):
            raise ConfigError(
                [Problem("--seed", f"the schedule was made from seed {simulation.config.seed} and stays as it is")]
            )
        _adjust(simulation, options["slots_per_second"], options["markets"], options["accounts"])
        _confirm_real_money(simulation, leave_sandbox=leave_sandbox)
    except ConfigError:
        simulation.close()
        raise
    _warn_about(state_dir or DEFAULT_STATE_DIR)
    tell_logs()
    gc.enable()
    return run_headless(simulation, on_failure=on_failure, as_json=form == "json")


@cli.command("list")
@_state_dir
@_format
def list_(state_dir: str | None, form: str) -> int:
    """List the saved runs, the one saved last first."""
    from orderbook_tui.engine.persistence import StatePersistence
    from orderbook_tui.report import runs, runs_in_words

    infos = StatePersistence(state_dir or DEFAULT_STATE_DIR).list_simulations()
    print(json.dumps(runs(infos)) if form == "json" else runs_in_words(infos, state_dir or DEFAULT_STATE_DIR))
    return 0


@cli.command()
@click.argument("simulation_id", default="latest", metavar="[ID|latest]")
@_state_dir
@_format
def show(simulation_id: str, state_dir: str | None, form: str) -> int:
    """Print the summary of a saved run, as it stands."""
    from orderbook_tui.engine.control import Ending
    from orderbook_tui.report import print_summary

    print_summary(_looked_at(simulation_id, state_dir), Ending.DONE, as_json=form == "json")
    return 0


@cli.command()
@click.argument("simulation_id", default="latest", metavar="[ID|latest]")
@click.option("--all", "every", is_flag=True, help="Verify every saved run.")
@_state_dir
@_format
def verify(simulation_id: str, every: bool, state_dir: str | None, form: str) -> int:
    """Check all of a saved run, from its pages to what must be true of a run, and change nothing.

    Exit status: 0 it is sound; 2 it is not, or cannot be read.
    """
    from orderbook_tui.engine.persistence import StatePersistence
    from orderbook_tui.engine.verifying import verify as check
    from orderbook_tui.report import verified, verified_in_words

    folder = state_dir or DEFAULT_STATE_DIR
    listed = [info.id for info in StatePersistence(folder).list_simulations()] if every else [_named(simulation_id, state_dir)]
    found, complaints = [], []
    for each in listed:
        try:
            with _telling(f"verifying {each}") as told:
                found.append(check(folder, each, told))
        except CheckpointError as error:
            if not every:
                raise
            complaints.append(str(error))
            continue
        complaints += [f"{each}: {wrong.words}" for wrong in found[-1].wrong]
        if form == "text":
            print(verified_in_words(found[-1]))
    if form == "json":
        facts = [verified(each) for each in found]
        print(json.dumps(facts if every else facts[0]))
    _complain(*complaints)
    return ExitStatus.BAD_INPUT if complaints else ExitStatus.OK


@cli.command()
@click.argument("simulation_id", metavar="ID")
@_state_dir
def delete(simulation_id: str, state_dir: str | None) -> int:
    """Delete a saved run."""
    from orderbook_tui.engine.persistence import StatePersistence

    StatePersistence(state_dir or DEFAULT_STATE_DIR).delete(simulation_id)
    print(f"deleted {harmless(simulation_id)}")
    return 0


@cli.command()
@click.argument("simulation_id", metavar="ID")
@click.option("--name", metavar="TEXT", help="What to call the new run. [default: as the other]")
@_state_dir
def fork(simulation_id: str, name: str | None, state_dir: str | None) -> int:
    """Make a new saved run that starts from where a saved run is, and print its id. The other stays as it is."""
    from orderbook_tui.engine.fork import fork_checkpoint

    print(fork_checkpoint(state_dir or DEFAULT_STATE_DIR, simulation_id, name))
    return 0


@cli.command()
@click.argument("simulation_id", default="latest", metavar="[ID|latest]")
@click.option(
    "--what",
    type=click.Choice(["slots", "fills", "history", "attempts"]),
    default="slots",
    show_default=True,
    help="Which rows.",
)
@click.option(
    "--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True, help="How to write them."
)
@click.option("--output", metavar="FILE", help="Where to write them. [default: stdout]")
@_state_dir
def export(simulation_id: str, what: str, form: str, output: str | None, state_dir: str | None) -> int:
    """Write a saved run's slots, fills, budget history or attempts as CSV or JSON lines."""
    from orderbook_tui.engine.export import ExportFormat
    from orderbook_tui.engine.export import export as write

    simulation = _looked_at(simulation_id, state_dir)
    if output is None:
        write(simulation, what, ExportFormat(form), _ToPeople(sys.stdout) if sys.stdout.isatty() else sys.stdout)
        return 0
    with _to_write(output) as out:
        count = write(simulation, what, ExportFormat(form), out)
    print(f"{count} rows written to {harmless(output)}", file=sys.stderr)
    return 0


@cli.group()
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
    text = json.dumps([{"id": account.id, "name": account.name} for account in made(prefix, count)], indent=1)
    if output is None:
        print(text)
        return 0
    with _to_write(output) as out:
        out.write(text + "\n")
    return 0


@cli.command()
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


@cli.group()
def db() -> None:
    """Look at what a config reads from a database."""


@db.command("check")
@click.argument("config")
@_format
def db_check(config: str, form: str) -> int:
    """Say what a run of CONFIG would load from its database: accounts, markets, budgets, and what is left out.

    Exit status: 0 it can be used; 2 it cannot, with every problem said.
    """
    from orderbook_tui.config import load_config
    from orderbook_tui.engine.database_check import check_database, lines

    facts = check_database(load_config(config), Path(config).parent)
    print(json.dumps(facts) if form == "json" else "\n".join(lines(facts)))
    return 0


@cli.group()
def venue() -> None:
    """Try the venue of a config."""


@venue.command("check")
@click.argument("config")
@click.option("--account", metavar="NAME", help="Whose requests to make. [default: the first that trades]")
@click.option("--market", metavar="SYMBOL", help="Which market to ask about. [default: the first that trades]")
@click.option("--place", is_flag=True, help="Place the smallest order far from the market too, and cancel it at once.")
@_format
def check_venue(config: str, account: str | None, market: str | None, place: bool, form: str) -> int:
    """Talk to the exchange of CONFIG once: show requests and replies, and what each rule makes of them. Nothing is traded.

    Exit status: 0 all was understood; 1 not all; 2 bad input.
    """
    import asyncio

    from orderbook_tui.config import load_config
    from orderbook_tui.engine.venue_check import as_facts, check_venue, in_words, is_understood

    said = asyncio.run(check_venue(load_config(config), Path(config).parent, account=account, market=market, place=place))
    if form == "json":
        print(json.dumps(as_facts(said)))
    else:
        print("\n".join(harmless(line, len(line) * 10) for line in in_words(said)))
    return ExitStatus.OK if is_understood(said) else ExitStatus.INCOMPLETE


@venue.command("markets")
@click.argument("config")
@click.option(
    "--market", "markets", multiple=True, metavar="SYMBOL", help="Which, as BTC/USDT; repeatable. [default: the config's]"
)
@_allow_code
def venue_markets(config: str, markets: tuple[str, ...], allow_code: bool) -> int:
    """Print the sections `assets` and `markets` of a config, made from the precision and limits of CONFIG's ccxt exchange."""
    import asyncio

    from orderbook_tui.config import load_config
    from orderbook_tui.engine.trust import Origin
    from orderbook_tui.engine.venue_markets import venue_markets as asked

    check_code = _code_check(Origin.config(Path(config)), allow_code=allow_code)
    print(json.dumps(asyncio.run(asked(load_config(config), markets, check_code)), indent=2))
    return 0


@cli.command()
def schema() -> int:
    """Print the JSON Schema of a config."""
    from orderbook_tui.config import json_schema

    print(json.dumps(json_schema(), indent=2))
    return 0


@cli.command()
@click.argument("config")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="The seed, in place of the config's.")
@_allow_code
@_format
def validate(config: str, seed: int | None, allow_code: bool, form: str) -> int:
    """Say what a run of CONFIG would be: accounts, markets, slots, and which slots would not pass. Nothing is placed."""
    from orderbook_tui.report import forecast, forecast_in_words

    facts = forecast(_created(config, seed=seed, allow_code=allow_code, save=False))
    print(json.dumps(facts) if form == "json" else forecast_in_words(facts))
    return 0


def _created(
    config: str,
    *,
    seed: int | None = None,
    slots_per_second: float | None = None,
    state_dir: str | None = None,
    markets: tuple[str, ...] = (),
    accounts: tuple[str, ...] = (),
    allow_code: bool = False,
    save: bool = True,
) -> "Simulation":
    from orderbook_tui.config import load_config
    from orderbook_tui.engine.simulation import Simulation
    from orderbook_tui.engine.trust import Origin

    loaded = load_config(config)
    if seed is not None:
        loaded = loaded.model_copy(update={"seed": seed})
    check_code = _code_check(Origin.config(Path(config)), allow_code=allow_code)
    simulation = Simulation.create(loaded, folder=Path(config).parent, state_dir=state_dir, save=save, check_code=check_code)
    _adjust(simulation, slots_per_second, markets, accounts)
    return simulation


def _code_check(origin: "Origin", *, allow_code: bool) -> "CodeCheck":
    """Return what is asked before code is imported that is not the user's own: the option, or whoever is at the terminal."""
    from orderbook_tui.engine.trust import CodeTrust, memory_path

    return CodeTrust(memory_path()).check(origin, _allowed_by_option if allow_code else _allowed_at_terminal)


def _allowed_by_option(code: "Code", origin: "Origin") -> bool:
    return True


def _allowed_at_terminal(code: "Code", origin: "Origin") -> bool:
    from orderbook_tui.engine.trust import question

    for line in question(code, origin):
        print(harmless(line), file=sys.stderr)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        print("There is no terminal to ask at: --allow-code allows it, once and for all", file=sys.stderr)
        return False
    print("Run it, now and later? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _confirm_real_money(simulation: "Simulation", *, leave_sandbox: bool) -> None:
    """Have it confirmed that orders are real, where they would be: by the option, or by whoever is at the terminal.

    Raises:
        ConfigError: nobody confirms it.
    """
    from orderbook_tui.engine.simulation import REAL_MONEY

    if not simulation.is_for_real or simulation.status.value == "DONE":
        return
    if not leave_sandbox:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise ConfigError([Problem("venue.sandbox", f"{REAL_MONEY}; without a terminal, --leave-sandbox does")])
        print("This run trades outside the sandbox: its orders are real, with real money.", file=sys.stderr)
        print("Place real orders? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise ConfigError([Problem("venue.sandbox", REAL_MONEY)])
    simulation.leave_sandbox()


def _warn_about(folder: str) -> None:
    """Say on stderr, before anything is saved, what the summary says among the notes."""
    from orderbook_tui.engine.state_folder import warnings

    _complain(*(f"Note: {warning}" for warning in warnings(Path(os.path.realpath(folder)))))


def _adjust(
    simulation: "Simulation", slots_per_second: float | None, markets: tuple[str, ...], accounts: tuple[str, ...]
) -> None:
    if slots_per_second is not None:
        simulation.control.slots_per_second = slots_per_second
    simulation.select(markets, accounts)


def _looked_at(simulation_id: str, state_dir: str | None) -> "Simulation":
    from orderbook_tui.engine.simulation import Simulation

    return Simulation.look(_named(simulation_id, state_dir), state_dir or DEFAULT_STATE_DIR)


def _named(simulation_id: str, state_dir: str | None) -> str:
    """Return the id that is meant: `latest` is the run that was saved last."""
    from orderbook_tui.engine.persistence import CheckpointStatus, StatePersistence

    if simulation_id != "latest":
        return simulation_id
    folder = state_dir or DEFAULT_STATE_DIR
    listed = StatePersistence(folder).list_simulations()
    unusable = (CheckpointStatus.FOREIGN, CheckpointStatus.DAMAGED, CheckpointStatus.TOO_NEW, CheckpointStatus.UNREADABLE)
    saved = [info for info in listed if info.status not in unusable]
    if not saved:
        raise CheckpointError(f"there is no saved run in {folder}: start one with orderbook-tui run CONFIG")
    return saved[0].id


def _open_app(simulation: "Simulation | None", state_dir: Path, config_path: Path | None = None) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError([Problem("", "the app needs a terminal: without one, use orderbook-tui run CONFIG (see --help)")])
    from orderbook_tui.tui.app import run_app

    gc.enable()
    return run_app(simulation, state_dir, config_path=config_path)


@contextmanager
def _telling(what: str) -> Iterator[Callable[[float], None]]:
    """Have a terminal told how far something is that takes long; the line is gone when it is done."""
    begun, shown = monotonic(), False

    def told(share: float) -> None:
        nonlocal shown
        if sys.stderr.isatty() and monotonic() - begun > 0.5:
            shown = True
            print(f"\r{harmless(what)}: {share:4.0%}", end="", file=sys.stderr, flush=True)

    try:
        yield told
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextmanager
def _to_write(path: str) -> Iterator[TextIO]:
    """Open a file for a result; that it cannot be opened is a problem of the option."""
    from orderbook_tui.engine.whole_file import whole_file

    with ExitStack() as open_files:
        try:
            out = open_files.enter_context(whole_file(path, replace=True))
        except OSError as error:
            raise ConfigError([Problem("--output", f"{path} cannot be written: {error.strerror}")]) from None
        yield out
