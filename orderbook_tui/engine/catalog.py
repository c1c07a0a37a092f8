"""The checkpoints of a folder, as the screens see them: listed, forked, exported and deleted, without a word about files."""

from pathlib import Path

from orderbook_tui.engine.export import ExportFormat, export_file
from orderbook_tui.engine.fork import fork_checkpoint
from orderbook_tui.engine.persistence import CheckpointStatus, SimulationInfo, StatePersistence
from orderbook_tui.engine.simulation import Simulation

__all__ = [
    "CheckpointStatus",
    "ExportFormat",
    "SimulationInfo",
    "delete_checkpoint",
    "export_checkpoint",
    "export_file",
    "fork_checkpoint",
    "list_checkpoints",
]


def list_checkpoints(state_dir: Path | str) -> list[SimulationInfo]:
    """Return every checkpoint in `state_dir`, the one saved last first; one that cannot be read says why.

    Raises:
        StorageError: the folder cannot be read.
    """
    return StatePersistence(state_dir).list_simulations()


def delete_checkpoint(state_dir: Path | str, simulation_id: str) -> None:
    """Remove a checkpoint.

    Raises:
        CheckpointError: it is gone, in use, or something else than a checkpoint; the message says which.
    """
    StatePersistence(state_dir).delete(simulation_id)


def export_checkpoint(
    state_dir: Path | str, simulation_id: str, what: str, form: ExportFormat, path: Path | str, *, replace: bool = False
) -> int:
    """Write rows of a checkpoint to a file, as `export_file` does for a simulation that is open; return how many there were.

    Raises:
        CheckpointError: there is no such checkpoint, or it is damaged.
        StorageError: the file cannot be written, or is there already and is not to be replaced.
    """
    return export_file(Simulation.look(simulation_id, state_dir), what, form, path, replace=replace)
