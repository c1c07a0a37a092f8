"""The runs whose writes are recorded, each in a process of its own: `python -m tests.power.lives STORY LIFE FOLDER RECORD`.

A story is a run in one life or several; a life that is killed leaves its files as they are to the next. The clock that the
barriers go by is ours, so that a record is the same every time.
"""

import os
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import anyio
import apsw
import msgspec

from orderbook_tui.config import parse_config
from orderbook_tui.core.journal import Balance, RecoveryAction
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine import checkpoint_connection, checkpoint_writer
from orderbook_tui.engine.bookkeeper import Bookkeeper
from orderbook_tui.engine.checkpoint_writer import CheckpointWriter
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import Decider, Question
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import Simulation
from tests.engine.runs import ByAttempts, a_config, faults, stopping_after
from tests.power.recording import Recorder

STATE_DIR: Final = "deep/state"
"""Where the checkpoint goes: in folders that are made with it."""


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A run to be recorded."""

    trades: int = 10
    slots_per_barrier: float = 12
    """How fast our clock goes."""
    wal_pages: int = 32_000
    each_slot: bool = True
    lives: tuple[str, ...] = ("stop", "end")
    """How each life ends: it is stopped, killed, at the end of the run, or at the end of revisiting what failed."""
    stop_after: int = 17
    venue: str = ""
    earlier: str = ""
    """The file of an earlier format that it begins with, among those in `tests/engine/files`."""
    plant: str = ""
    """What is made wrong: a barrier that does not wait, or a folder that is not synced."""


_FILES: Final = Path(__file__).parents[1] / "engine" / "files"
_FAULTS: Final = faults(
    transient_rate=0.15,
    rejection_rate=0.1,
    outages=[{"from_slot": 5, "slots": 1, "attempts": 2}, {"from_slot": 24, "slots": 1, "attempts": 9}],
)
STORIES: Final = {
    "embedded": Story(),
    "revisited": Story(lives=("revisit",)),
    "killed": Story(lives=("kill", "kill", "end")),
    "folding": Story(trades=40, wal_pages=24, lives=("kill", "end"), stop_after=90),
    "grouped": Story(trades=100, each_slot=False, wal_pages=60, slots_per_barrier=80, lives=("kill", "end"), stop_after=220),
    "long": Story(trades=400, slots_per_barrier=1e9, lives=("kill",), stop_after=1300),
    "upgraded": Story(lives=("stop", "end"), earlier="version-1-interrupted", stop_after=9),
    "upgraded-2": Story(lives=("stop", "end"), earlier="version-2-interrupted", stop_after=9),
    "elsewhere": Story(lives=("kill", "end"), venue="tests.power.lives:venue"),
}
BALANCES: Final = tuple(Balance(f"account-{number}", "USD", 1_000 + number, number) for number in range(40))
"""What is noted before a run at a venue outside of the process begins."""
PLANTS: Final = {
    "no-sync": Story(lives=("end",), plant="no-sync"),
    "no-folder-sync": Story(lives=("end",), plant="no-folder-sync"),
}
"""Stories that are wrong, to see that it is found."""

_recorder: Recorder | None = None
"""The record of this process, where it is recorded."""


def _mark(what: str, count: int, *, name: str = "", moment: float = 0.0) -> None:
    if _recorder is not None:
        _recorder.mark(what, count, name=name, moment=moment)


class Venue:
    """A venue outside of the process, as far as the disk is concerned: it notes when it is asked to place."""

    def __call__(self, slot: ActionSlot) -> str:
        _mark("placing", slot.sequence, name=slot.client_order_id)
        return f"elsewhere-{slot.sequence}"


venue = Venue()


class _Noted:
    """A decider before whose questions everything is on the disk."""

    by = "person"

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def decide(self, question: Question) -> Coroutine[Any, Any, RecoveryAction]:
        _mark("kept", len(self._simulation.state.journal))
        return ByAttempts().decide(question)


class _Clock:
    """In place of `time` for the barriers: it goes on with every slot that ends."""

    def __init__(self, step: float) -> None:
        self.now, self._step = 1_000.0, step

    def tick(self) -> None:
        self.now += self._step

    def monotonic(self) -> float:
        return self.now

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def _config(story: Story) -> Any:
    venue = {"target": story.venue, "kind": "python"} if story.venue else _FAULTS
    processor = {"save_after_each_slot": story.each_slot}
    return parse_config(a_config(scheduler={"trades_per_account": story.trades}, processor=processor, venue=venue))


def _notes_promises(clock: _Clock) -> Callable[[Any, ActionSlot], None]:
    """Return `Bookkeeper.slot_ended` that notes what it promises."""
    ended = Bookkeeper.slot_ended

    def noting(keeper: Bookkeeper, slot: ActionSlot) -> None:
        clock.tick()
        ended(keeper, slot)
        journal = len(keeper._state.journal)
        _mark("ended", journal, moment=clock.now)
        if slot.decisions:
            _mark("kept", journal)

    return noting


def _makes(create: Callable[..., CheckpointWriter]) -> Callable[..., CheckpointWriter]:
    """Return `StatePersistence.create` that notes that a checkpoint is there."""

    def making(*arguments: Any, **options: Any) -> CheckpointWriter:
        writer = create(*arguments, **options)
        _mark("made", 0)
        return writer

    return making


def live(story: Story, life: int, folder: Path, die: Callable[[], None]) -> None:
    """Live one life of a story; `die` ends it where it is killed."""
    if life == 0 and story.earlier:
        _put(_FILES / f"{story.earlier}.sqlite", folder / STATE_DIR)
    simulation = (
        Simulation.create(_config(story), state_dir=folder / STATE_DIR)
        if life == 0 and not story.earlier
        else Simulation.resume(next((folder / STATE_DIR).glob("*.sqlite")).stem, folder / STATE_DIR)
    )
    if story.venue and life == 0:
        _note_balances(simulation)
    how = story.lives[life]
    decider = _Noted(simulation)
    if how in ("kill", "stop"):
        with stopping_after(simulation, story.stop_after):
            if how == "kill":
                simulation.control.stop = die  # type: ignore[method-assign]
            _run(simulation.run, decider)
    else:
        if _run(simulation.run, decider) is Ending.DONE and how == "revisit":
            _mark("kept", len(simulation.state.journal))
            _run(simulation.revisit, decider)
    _mark("kept", len(simulation.state.journal))
    simulation.close()


def _note_balances(simulation: Simulation) -> None:
    """Note what accounts hold elsewhere, as before the first order."""
    simulation._saving.open()
    assert simulation._saving.writer is not None
    simulation._saving.writer.note_balances(BALANCES)
    _mark("noted", len(BALANCES))


def _put(file: Path, folder: Path) -> None:
    """Put a copy of a file into a folder: it is there whole, on the disk, or not at all."""
    folder.mkdir(parents=True)
    making = folder / f"{file.name}-new"
    descriptor = os.open(making, os.O_CREAT | os.O_WRONLY, 0o600)
    os.pwrite(descriptor, file.read_bytes(), 0)
    os.fsync(descriptor)
    os.close(descriptor)
    making.rename(folder / file.name)
    for each in (folder, *list(folder.parents)[: STATE_DIR.count("/") + 1]):
        descriptor = os.open(each, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    _mark("made", 0)
    _mark("kept", len(StatePersistence(folder).read(file.stem).journal))


def _run(what: Callable[..., Awaitable[Ending]], decider: Decider) -> Ending:
    return anyio.run(what, decider)


def _plant(what: str) -> None:
    """Make something wrong in the program, as a change of it could."""
    if what == "no-sync":
        apsw.connection_hooks.append(_without_sync)
    elif what == "no-folder-sync":
        sync = os.fsync

        def fsync(fd: Any) -> None:
            if not os.path.isdir(f"/proc/self/fd/{fd}"):  # noqa: PTH112
                sync(fd)

        os.fsync = fsync


def _without_sync(connection: apsw.Connection) -> None:
    """Have a connection never wait for the disk, whatever it is told."""
    connection.pragma("synchronous", "OFF")

    def deaf(action: int, name: str | None, value: str | None, *_: str | None) -> int:
        wanted = action == apsw.SQLITE_PRAGMA and name == "synchronous" and value is not None
        return apsw.SQLITE_IGNORE if wanted else apsw.SQLITE_OK

    connection.authorizer = deaf


def main() -> None:
    """Live the life that the command line names."""
    global _recorder  # noqa: PLW0603 - the venue is made by the program, from its name, and has to find it
    name, life, folder, record = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
    story = (STORIES | PLANTS)[name]
    clock = _Clock(checkpoint_writer.BARRIER_S / story.slots_per_barrier)
    _recorder = recorder = Recorder(folder)
    sys.modules["tests.power.lives"] = sys.modules["__main__"]
    recorder.install()
    _plant(story.plant)

    def die() -> None:
        recorder.saved(record)
        os._exit(9)

    with (
        patch.object(checkpoint_connection, "WAL_PAGES", story.wal_pages),
        patch.object(checkpoint_writer, "time", clock),
        patch.object(Bookkeeper, "slot_ended", _notes_promises(clock)),
        patch.object(StatePersistence, "create", _makes(StatePersistence.create)),
    ):
        live(story, life, folder, die)
    recorder.saved(record)


if __name__ == "__main__":
    main()
