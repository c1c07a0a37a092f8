"""A checkpoint, read in every way in which the program reads one."""

import io
from pathlib import Path

import anyio

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.export import TABLES, ExportFormat, export
from orderbook_tui.engine.fork import fork_checkpoint
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.summary import summary
from orderbook_tui.engine.verifying import verify
from orderbook_tui.errors import OrderbookTuiError
from orderbook_tui.report import runs, runs_in_words, summary_in_words
from tests.fuzzing.targets.base import check_words

_PATIENCE_S = 1.0
"""How long a run that was taken up may go on: its config may say to wait for a day."""


def read_every_way(folder: Path, id: str, *, must_be_sound: bool = False) -> bool:  # noqa: A002
    """List, look at, export, fork, take up and delete a checkpoint; return whether it was sound."""
    infos = StatePersistence(folder).list_simulations()
    runs(infos)
    runs_in_words(infos, str(folder))
    holds = _verified(folder, id)
    assert holds or not must_be_sound, "it does not verify"
    try:
        looked = Simulation.look(id, folder)
    except OrderbookTuiError as error:
        if holds:
            raise
        check_words(error)
        return False
    _tell(looked)
    for step in (_fork, _take_up):
        try:
            step(folder, id)
        except OrderbookTuiError as error:
            check_words(error)
    try:
        StatePersistence(folder).delete(id)
    except OrderbookTuiError as error:
        check_words(error)
    return True


def _verified(folder: Path, id: str) -> bool:  # noqa: A002
    try:
        found = verify(folder, id)
    except OrderbookTuiError as error:
        check_words(error)
        return False
    return not found.wrong


def _tell(simulation: Simulation) -> None:
    summary_in_words(simulation, summary(simulation, Ending.DONE))
    for what in TABLES:
        for form in ExportFormat:
            export(simulation, what, form, io.StringIO())
    simulation.state_hash()
    list(simulation.budgets.get_history())


def _fork(folder: Path, id: str) -> None:  # noqa: A002
    Simulation.look(fork_checkpoint(folder, id, "again"), folder)


def _take_up(folder: Path, id: str) -> None:  # noqa: A002
    simulation = Simulation.resume(id, folder)

    async def go_on() -> None:
        with anyio.move_on_after(_PATIENCE_S):
            await simulation.run(PolicyDecider(RecoveryAction.SKIP))

    try:
        anyio.run(go_on)
    finally:
        simulation.close()
