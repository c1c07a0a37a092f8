"""An earlier life of a run: what its checkpoint says, replayed, and with it what goes on writing that checkpoint."""

from typing import Final, NamedTuple

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.core.replay import Replayed
from orderbook_tui.engine.persistence import Checkpoint, CheckpointWriter, StatePersistence
from orderbook_tui.engine.progress import Progress, Told, naming, part, untold

_READ: Final = 0.6
"""The share of taking a run up that goes into reading its checkpoint."""
_REPLAYED: Final = 0.96
"""The share that is done when it is replayed; connecting is the rest."""


class EarlierLife(NamedTuple):
    """A run as its checkpoint left it."""

    checkpoint: Checkpoint
    config: SimulatorConfig
    replayed: Replayed
    writer: CheckpointWriter | None
    """Writes on where the checkpoint ends; None where it is only read."""

    def let_go(self) -> None:
        """Let others have the checkpoint: nothing came of taking it up."""
        if self.writer is not None:
            self.writer.close()


def look_at(persistence: StatePersistence, simulation_id: str) -> EarlierLife:
    """Read a run, and change nothing.

    Raises:
        CheckpointError: there is no such checkpoint, or it is damaged.
    """
    return _replayed(persistence.read(simulation_id))


def take_up(persistence: StatePersistence, simulation_id: str, progress: Progress | None = None) -> EarlierLife:
    """Read a run, and take hold of its checkpoint; of one that is done, there is nothing to write on.

    Raises:
        CheckpointError: there is no such checkpoint, it is damaged, or another process runs it.
        ConfigError: what it was made from can no longer be carried out.
    """
    reading = part(naming(progress, "reading"), 0.0, _READ)
    replaying = part(naming(progress, "replaying"), _READ, _REPLAYED)
    reading(0.0)
    if persistence.is_finished(simulation_id):
        persistence.tidy(simulation_id)
        return _replayed(persistence.read(simulation_id, told=reading), told=replaying)
    checkpoint, writer = persistence.resume(simulation_id, group=1, told=reading)
    try:
        return _replayed(checkpoint, writer, replaying)
    except BaseException:
        writer.close()
        raise


def _replayed(checkpoint: Checkpoint, writer: CheckpointWriter | None = None, told: Told = untold) -> EarlierLife:
    config, replayed = checkpoint.settings(), checkpoint.replay(told)
    for sequence, (attempt, generation) in checkpoint.generations.items():
        replayed.state.slots[sequence].recall_generation(attempt, generation)
    return EarlierLife(checkpoint, config, replayed, writer)
