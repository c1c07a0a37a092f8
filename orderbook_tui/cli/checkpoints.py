"""The commands about saved runs: `list`, `show`, `verify`, `delete`, `fork` and `export`."""

import sys

import click

from orderbook_tui.cli import options
from orderbook_tui.cli.options import DEFAULT_STATE_DIR
from orderbook_tui.cli.output import ToPeople, complain, in_json, telling, to_write
from orderbook_tui.cli.simulations import looked_at, named
from orderbook_tui.core.words import harmless
from orderbook_tui.errors import CheckpointError
from orderbook_tui.exit_status import ExitStatus


@click.command("list")
@options.state_dir
@options.text_or_json
def list_(state_dir: str | None, form: str) -> int:
    """List the saved runs, the one saved last first."""
    from orderbook_tui.engine.persistence import StatePersistence
    from orderbook_tui.report import runs, runs_in_words

    infos = StatePersistence(state_dir or DEFAULT_STATE_DIR).list_simulations()
    print(in_json(runs(infos)) if form == "json" else runs_in_words(infos, state_dir or DEFAULT_STATE_DIR))
    return 0


@click.command()
@options.saved_run
@options.state_dir
@options.text_or_json
def show(simulation_id: str, state_dir: str | None, form: str) -> int:
    """Print the summary of a saved run, as it stands."""
    from orderbook_tui.engine.control import Ending
    from orderbook_tui.report import print_summary

    print_summary(looked_at(simulation_id, state_dir), Ending.DONE, as_json=form == "json")
    return 0


@click.command()
@options.saved_run
@click.option("--all", "every", is_flag=True, help="Verify every saved run.")
@options.state_dir
@options.text_or_json
def verify(simulation_id: str, every: bool, state_dir: str | None, form: str) -> int:
    """Check all of a saved run, from its pages to what must be true of a run, and change nothing.

    Exit status: 0 it is sound; 2 it is not, or cannot be read.
    """
    from orderbook_tui.engine.persistence import StatePersistence
    from orderbook_tui.engine.verifying import verify as check
    from orderbook_tui.report import verified, verified_in_words

    folder = state_dir or DEFAULT_STATE_DIR
    listed = [info.id for info in StatePersistence(folder).list_simulations()] if every else [named(simulation_id, state_dir)]
    found, complaints = [], []
    for each in listed:
        try:
            with telling(f"verifying {each}") as told:
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
        print(in_json(facts if every else facts[0]))
    complain(*complaints)
    return ExitStatus.BAD_INPUT if complaints else ExitStatus.OK


@click.command()
@click.argument("simulation_id", metavar="ID")
@options.state_dir
def delete(simulation_id: str, state_dir: str | None) -> int:
    """Delete a saved run."""
    from orderbook_tui.engine.persistence import StatePersistence

    StatePersistence(state_dir or DEFAULT_STATE_DIR).delete(simulation_id)
    print(f"deleted {harmless(simulation_id)}")
    return 0


@click.command()
@click.argument("simulation_id", metavar="ID")
@click.option("--name", metavar="TEXT", help="What to call the new run. [default: as the other]")
@options.state_dir
def fork(simulation_id: str, name: str | None, state_dir: str | None) -> int:
    """Make a new saved run that starts from where a saved run is, and print its id. The other stays as it is."""
    from orderbook_tui.engine.fork import fork_checkpoint

    print(fork_checkpoint(state_dir or DEFAULT_STATE_DIR, simulation_id, name))
    return 0


@click.command()
@options.saved_run
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
@options.state_dir
def export(simulation_id: str, what: str, form: str, output: str | None, state_dir: str | None) -> int:
    """Write a saved run's slots, fills, budget history or attempts as CSV or JSON lines."""
    from orderbook_tui.engine.export import ExportFormat
    from orderbook_tui.engine.export import export as write

    simulation = looked_at(simulation_id, state_dir)
    if output is None:
        write(simulation, what, ExportFormat(form), ToPeople(sys.stdout) if sys.stdout.isatty() else sys.stdout)
        return 0
    with to_write(output) as out:
        count = write(simulation, what, ExportFormat(form), out)
    print(f"{count} rows written to {harmless(output)}", file=sys.stderr)
    return 0
