"""The simulation that a command is about: made from a config, or a saved run, by its id or as the latest."""

from pathlib import Path
from typing import TYPE_CHECKING

from orderbook_tui.cli.consent import code_check
from orderbook_tui.cli.options import DEFAULT_STATE_DIR
from orderbook_tui.errors import CheckpointError

if TYPE_CHECKING:
    from orderbook_tui.engine.simulation import Simulation


def created(
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
    """Make the simulation of a config, as the options would have it."""
    from orderbook_tui.config import load_config
    from orderbook_tui.engine.simulation import Simulation
    from orderbook_tui.engine.trust import Origin

    loaded = load_config(config)
    if seed is not None:
        loaded = loaded.model_copy(update={"seed": seed})
    check_code = code_check(Origin.config(Path(config)), allow_code=allow_code)
    simulation = Simulation.create(loaded, folder=Path(config).parent, state_dir=state_dir, save=save, check_code=check_code)
    adjust(simulation, slots_per_second, markets, accounts)
    return simulation


def adjust(
    simulation: "Simulation", slots_per_second: float | None, markets: tuple[str, ...], accounts: tuple[str, ...]
) -> None:
    """Apply the options that say how much of a simulation runs, and how fast."""
    if slots_per_second is not None:
        simulation.control.slots_per_second = slots_per_second
    simulation.select(markets, accounts)


def looked_at(simulation_id: str, state_dir: str | None) -> "Simulation":
    """Open a saved run to be read only."""
    from orderbook_tui.engine.simulation import Simulation

    return Simulation.look(named(simulation_id, state_dir), state_dir or DEFAULT_STATE_DIR)


def named(simulation_id: str, state_dir: str | None) -> str:
    """Return the id that is meant: `latest` is the run that was saved last.

    Raises:
        CheckpointError: there is no saved run.
    """
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
