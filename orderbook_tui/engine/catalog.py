"""The checkpoints of a folder, as the screens see them: listed and deleted, without a word about files."""

from pathlib import Path

from orderbook_tui.engine.persistence import CheckpointStatus, SimulationInfo, StatePersistence

__all__ = ["CheckpointStatus", "SimulationInfo", "delete_checkpoint", "list_checkpoints"]


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
