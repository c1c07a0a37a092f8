"""The commands that run a simulation: `open` in the app, `run` and `resume` without a screen."""

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orderbook_tui.cli import options
from orderbook_tui.cli.consent import code_check, confirm_real_money
from orderbook_tui.cli.options import DEFAULT_STATE_DIR
from orderbook_tui.cli.output import complain
from orderbook_tui.cli.simulations import adjust, created, named
from orderbook_tui.errors import ConfigError, Problem
from orderbook_tui.last_words import tell_logs

if TYPE_CHECKING:
    from orderbook_tui.engine.simulation import Simulation


@click.command("open", hidden=True)
@click.argument("config")
@options.running
def open_(config: str, leave_sandbox: bool, **chosen: Any) -> int:
    """Open the app on CONFIG."""
    simulation = created(config, **chosen)
    if leave_sandbox:
        simulation.leave_sandbox()
    return open_app(simulation, Path(chosen["state_dir"] or simulation.config.state_dir), Path(config))


@click.command()
@click.argument("config")
@options.headless
def run(config: str, form: str, on_failure: str | None, leave_sandbox: bool, **chosen: Any) -> int:
    """Run CONFIG without a screen and print what came of it.

    Exit status: 0 all slots completed and every directed one matched; 1 finished, but not so; 2 bad input; 3 quit by
    decision; 4 the checkpoint could not be written; 130 interrupted, with the checkpoint saved.
    """
    from orderbook_tui.headless import run_headless

    simulation = created(config, **chosen)
    confirm_real_money(simulation, leave_sandbox=leave_sandbox)
    _warn_about(chosen["state_dir"] or simulation.config.state_dir)
    tell_logs()
    gc.enable()
    return run_headless(simulation, on_failure=on_failure, as_json=form == "json")


@click.command()
@options.saved_run
@options.headless
def resume(
    simulation_id: str,
    form: str,
    on_failure: str | None,
    state_dir: str | None,
    allow_code: bool,
    leave_sandbox: bool,
    **chosen: Any,
) -> int:
    """Take a saved run up where it was, and run the rest. A run that is done prints its summary."""
    from orderbook_tui.engine.simulation import Simulation
    from orderbook_tui.engine.trust import Origin
    from orderbook_tui.headless import run_headless

    simulation_id = named(simulation_id, state_dir)
    check_code = code_check(Origin.checkpoint(simulation_id), allow_code=allow_code)
    simulation = Simulation.resume(simulation_id, state_dir or DEFAULT_STATE_DIR, check_code=check_code)
    try:
        if chosen["seed"] not in (None, simulation.config.seed):
            raise ConfigError(
                [Problem("--seed", f"the schedule was made from seed {simulation.config.seed} and stays as it is")]
            )
        adjust(simulation, chosen["slots_per_second"], chosen["markets"], chosen["accounts"])
        confirm_real_money(simulation, leave_sandbox=leave_sandbox)
    except ConfigError:
        simulation.close()
        raise
    _warn_about(state_dir or DEFAULT_STATE_DIR)
    tell_logs()
    gc.enable()
    return run_headless(simulation, on_failure=on_failure, as_json=form == "json")


def open_app(simulation: "Simulation | None", state_dir: Path, config_path: Path | None = None) -> int:
    """Open the app on a simulation, or on the saved runs, and return the exit status.

    Raises:
        ConfigError: there is no terminal to open it in.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError([Problem("", "the app needs a terminal: without one, use orderbook-tui run CONFIG (see --help)")])
    from orderbook_tui.tui.app import run_app

    gc.enable()
    return run_app(simulation, state_dir, config_path=config_path)


def _warn_about(folder: str) -> None:
    """Say on stderr, before anything is saved, what the summary says among the notes."""
    from orderbook_tui.engine.state_folder import warnings

    complain(*(f"Note: {warning}" for warning in warnings(Path(os.path.realpath(folder)))))
