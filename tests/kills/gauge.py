"""What a process is doing and what it has reported saved, in memory that outlives it.

The process writes into memory that it shares with whoever kills it: where it was, and how much it had acknowledged, is
known exactly at the instant of its death.
"""

import mmap
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from inspect import isawaitable
from typing import Any, Final


class Phase(IntEnum):
    """What the program is at."""

    STARTING = 0
    """Reading the config, planning, wiring."""
    OPENING = 1
    """Listing, locking, creating or opening the checkpoint."""
    RECOVERY = 2
    """Reading what a checkpoint holds, checking it, and playing it back."""
    BETWEEN = 3
    """Running, and at none of the others: settling, pacing, waiting to try again."""
    PLACING = 4
    LOOKING_UP = 5
    """Asking the venue what became of an order of an earlier life."""
    COMMITTING = 6
    CLOSING = 7
    """Folding the file, and letting go of it."""


_REPORTED, _PHASE, _AWAITED, _ENTERED, _CELLS = 0, 1, 2, 3, 3 + len(Phase)
_NONE: Final = len(Phase)


class Gauge:
    """Shared with the processes forked after it was made; one process at a time writes."""

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")
        self._bell, self._rung_at = -1, 0
        self.clear()

    def clear(self) -> None:
        """Begin another life."""
        for cell in range(_CELLS):
            self._cells[cell] = 0
        self._cells[_AWAITED] = _NONE

    def ring(self, bell: int, phase: Phase, count: int) -> None:
        """Have a byte written to `bell` when `phase` begins for the `count`th time."""
        self._bell, self._rung_at = bell, count
        self._cells[_AWAITED] = phase

    @property
    def reported(self) -> int:
        """How many events were reported saved."""
        return self._cells[_REPORTED]

    @property
    def phase(self) -> Phase:
        return Phase(self._cells[_PHASE])

    def entered(self, phase: Phase) -> int:
        """How often `phase` has begun in this life."""
        return self._cells[_ENTERED + phase]

    def report(self, events: int) -> None:
        """Note that so many events are reported saved."""
        self._cells[_REPORTED] = max(events, self._cells[_REPORTED])

    def _enter(self, phase: Phase) -> None:
        cells = self._cells
        cells[_ENTERED + phase] += 1
        if phase == cells[_AWAITED] and cells[_ENTERED + phase] == self._rung_at:
            os.write(self._bell, b"!")
            os.sched_yield()  # or a phase of microseconds would be over before whoever kills has woken

    @contextmanager
    def _at(self, phase: Phase) -> Iterator[None]:
        """Be in `phase`, and then again in what it is part of."""
        before = self._cells[_PHASE]
        self._cells[_PHASE] = phase
        try:
            yield
        finally:
            self._cells[_PHASE] = before

    def wire(self) -> None:
        """Have the program tell, from here on, in this process."""
        for owner, name, phase in _places():
            found = vars(owner)[name]
            if isinstance(found, classmethod):
                setattr(owner, name, classmethod(self._around(found.__func__, phase)))
            else:
                setattr(owner, name, self._around(found, phase))
        self._wire_reports()

    def _wire_reports(self) -> None:
        from orderbook_tui.engine.checkpoint_writer import CheckpointWriter

        for name in _SAVING:
            setattr(CheckpointWriter, name, self._reporting(vars(CheckpointWriter)[name]))

    def _reporting(self, saving: Callable[..., Any]) -> Callable[..., Any]:
        def save(writer: Any, *arguments: Any, **named: Any) -> Any:
            answer = saving(writer, *arguments, **named)
            self.report(writer.written)
            return answer

        return save

    def _around(self, function: Callable[..., Any], phase: Phase) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self._enter(phase)
            with self._at(phase):
                answer = function(*arguments, **named)
            return self._awaited(answer, phase) if isawaitable(answer) else answer

        return call

    async def _awaited(self, answer: Awaitable[Any], phase: Phase) -> Any:
        with self._at(phase):
            return await answer


_SAVING: Final = ("slot_ended", "flush", "intend", "snapshot", "finish")
"""What, when it returns, has said that all that the writer counts as written is saved."""


def _places() -> list[tuple[Any, str, Phase]]:
    """Return which function is which phase. What is called within another is counted as its own."""
    from orderbook_tui.engine import connection, persistence
    from orderbook_tui.engine.checkpoint_reader import Checkpoint
    from orderbook_tui.engine.checkpoint_writer import CheckpointWriter
    from orderbook_tui.engine.executor import SlotExecutor
    from orderbook_tui.engine.persistence import StatePersistence
    from orderbook_tui.engine.simulation import Simulation
    from orderbook_tui.venues.python import PythonVenue

    return [
        (StatePersistence, "list_simulations", Phase.OPENING),
        (StatePersistence, "is_finished", Phase.OPENING),
        (StatePersistence, "create", Phase.OPENING),
        (StatePersistence, "resume", Phase.OPENING),
        (persistence, "read_checkpoint", Phase.RECOVERY),
        (Checkpoint, "replay", Phase.RECOVERY),
        (connection, "open_venue", Phase.RECOVERY),
        (SlotExecutor, "place", Phase.PLACING),
        (PythonVenue, "look_up", Phase.LOOKING_UP),
        (CheckpointWriter, "_commit", Phase.COMMITTING),
        (CheckpointWriter, "_commit_durably", Phase.COMMITTING),
        (CheckpointWriter, "_fold", Phase.CLOSING),
        (CheckpointWriter, "close", Phase.CLOSING),
        (Simulation, "resume", Phase.RECOVERY),
        (Simulation, "close", Phase.CLOSING),
        (Simulation, "run", Phase.BETWEEN),
    ]
