"""Forks: a new simulation that starts from where another one is, which stays as it is.

Plan and journal are copied, into a folder of its own first, so that the new checkpoint is there whole or not at all.
"""

import json
import os
import tempfile
from pathlib import Path

import msgspec

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.core.replay import Replayed
from orderbook_tui.core.slot import SlotState
from orderbook_tui.core.state import Plan, SimulationState
from orderbook_tui.engine.checkpoint_file import SUFFIX, explained
from orderbook_tui.engine.checkpoint_plan import sync
from orderbook_tui.engine.persistence import GROUP, Checkpoint, StatePersistence
from orderbook_tui.errors import CheckpointError, ConfigError, FailureKind, Problem


def fork_checkpoint(state_dir: Path | str, simulation_id: str, name: str | None = None) -> str:
    """Make a new simulation of what a checkpoint holds, also while its run goes on, and return its id.

    With `name` it is called that. The orders that it places are its own: they go under its own id.

    Raises:
        ConfigError: a run cannot be called `name`.
        CheckpointError: there is no such checkpoint, it is damaged, or its run has orders at a venue outside this program
            that may still trade: two runs cannot both own them.
        StorageError: it cannot be read, or the new one not be written.
    """
    persistence = StatePersistence(state_dir)
    checkpoint = persistence.read(simulation_id)
    plan = checkpoint.plan if name is None else _renamed(checkpoint.plan, name)
    # The slots as they were planned; replaying changes the checkpoint's own.
    slots = [msgspec.structs.replace(slot, run="") for slot in checkpoint.slots]
    replayed = checkpoint.replay()
    _check_free(checkpoint, replayed)
    state = SimulationState(slots, plan=plan)
    state.journal = replayed.state.journal
    folder = persistence.folder
    with explained(folder), tempfile.TemporaryDirectory(prefix=".fork-", dir=folder) as making:
        with StatePersistence(making).create(state, group=GROUP) as writer:
            writer.note_balances(checkpoint.opening_balances, state.journal)
            note = writer.finish if checkpoint.finished else writer.snapshot
            note(state.journal, replayed.budgets)
        made, path = Path(making) / f"{state.id}{SUFFIX}", folder / f"{state.id}{SUFFIX}"
        if os.path.lexists(path):
            raise CheckpointError(f"{path} is there already: try again")
        made.rename(path)
        sync(folder, os.O_RDONLY)
    return state.id


def _renamed(plan: Plan, name: str) -> Plan:
    try:
        SimulatorConfig(name=name)
    except ValueError:
        raise ConfigError([Problem("name", "it takes some text, of 100,000 characters at most")]) from None
    config = json.loads(plan.config or "{}") | {"name": name}
    return msgspec.structs.replace(plan, name=name, config=json.dumps(config))


def _check_free(checkpoint: Checkpoint, replayed: Replayed) -> None:
    """Refuse a run whose orders at a venue outside this program may still trade, or may exist unknown to it."""
    config = checkpoint.settings()
    if config.venue.kind == "embedded":
        return
    why = "two runs cannot both own that order"
    for intent in checkpoint.intents:
        raise CheckpointError(f"{checkpoint.id} cannot be forked: slot {intent.slot} was being placed at its venue, and {why}")
    for slot in replayed.state.slots:
        if slot.open:
            raise CheckpointError(f"{checkpoint.id} cannot be forked: slot {slot.sequence} is open at its venue, and {why}")
        doubtful = slot.last_error is not None and slot.last_error.kind is FailureKind.UNKNOWN
        if doubtful and slot.state is not SlotState.SKIPPED:
            raise CheckpointError(
                f"{checkpoint.id} cannot be forked: slot {slot.sequence} may have an order at its venue, and {why}"
            )
