"""The lines of the list of checkpoints: what each says, what may be done with it, and in which order they stand."""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import msgspec
from rich.cells import cell_len

from orderbook_tui.engine.catalog import CheckpointStatus, SimulationInfo
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.figures import fit_middle

_WORDS: Final = {
    CheckpointStatus.FINISHED: "done",
    CheckpointStatus.INTERRUPTED: "to resume",
    CheckpointStatus.RUNNING: "in use",
    CheckpointStatus.DAMAGED: "damaged",
    CheckpointStatus.TOO_NEW: "too new",
    CheckpointStatus.FOREIGN: "foreign",
    CheckpointStatus.UNREADABLE: "unreadable",
}
_HERE: Final = {
    RunStatus.READY: "ready here",
    RunStatus.RUNNING: "running here",
    RunStatus.PAUSED: "paused here",
    RunStatus.WAITING: "waiting here",
    RunStatus.STOPPED: "stopped here",
    RunStatus.DONE: "done here",
}


class Line(NamedTuple):
    """A checkpoint, and what its run does, where that is the one that is open in this app."""

    info: SimulationInfo
    here: RunStatus | None = None

    @property
    def state(self) -> str:
        return _WORDS[self.info.status] if self.here is None else _HERE[self.here]

    @property
    def called(self) -> str:
        """What people call it; its id, where nobody knows better."""
        return self.info.name or self.info.id

    @property
    def ended(self) -> int:
        """How many slots have ended."""
        return self.info.completed + self.info.failed + self.info.skipped

    @property
    def is_readable(self) -> bool:
        """Whether what is in it can be taken elsewhere."""
        return self.info.status in (CheckpointStatus.FINISHED, CheckpointStatus.INTERRUPTED, CheckpointStatus.RUNNING)

    @property
    def opens(self) -> bool:
        """Whether its run can be shown here."""
        return self.here is not None or self.info.status in (CheckpointStatus.FINISHED, CheckpointStatus.INTERRUPTED)

    @property
    def goes(self) -> bool:
        """Whether it may be deleted."""
        return self.here is None and self.info.status not in (CheckpointStatus.FOREIGN, CheckpointStatus.RUNNING)


def line_of(info: SimulationInfo, simulation: Simulation | None) -> Line:
    """Return a checkpoint's line: its figures are those of `simulation`, where that is its run, and else those of the file."""
    if simulation is None or simulation.id != info.id:
        return Line(info)
    stats = simulation.stats
    live = msgspec.structs.replace(
        info,
        seed=simulation.config.seed,
        total_slots=stats.total_slots,
        completed=stats.completed_slots,
        failed=stats.failed_slots,
        skipped=stats.skipped_slots,
        reason="",
    )
    return Line(live, simulation.status)


class Order(NamedTuple):
    """An order of the lines: by which column, and whether it begins at the other end."""

    by: str = "saved"
    reverse: bool = False

    def next(self) -> "Order":
        """Return the order that follows."""
        names = list(ORDERS)
        return Order(names[(names.index(self.by) + 1) % len(names)])

    def arranged(self, lines: Iterable[Line]) -> list[Line]:
        """Return the lines in this order; those that are equal stand as they were saved, the last first."""
        saved = sorted(lines, key=ORDERS["saved"])
        if self.by != "saved":
            saved.sort(key=ORDERS[self.by])
        return saved[::-1] if self.reverse else saved


ORDERS: Final[dict[str, Callable[[Line], Any]]] = {
    "saved": lambda line: (-line.info.saved_at, line.info.id),
    "name": lambda line: line.called.casefold(),
    "progress": lambda line: -line.ended / line.info.total_slots if line.info.total_slots else 1.0,
    "failed": lambda line: -line.info.failed,
    "size": lambda line: -line.info.size,
}
"""By what lines can be ordered, and what tells where each stands: the newest, the farthest, the largest first."""


def matching(lines: Iterable[Line], text: str) -> list[Line]:
    """Return the lines that have every word of `text` in their name, id or state."""
    words = text.casefold().split()
    return [line for line in lines if all(word in _searched(line) for word in words)]


def _searched(line: Line) -> str:
    return f"{line.info.name}\n{line.info.id}\n{line.state}".casefold()


def many(count: int, what: str) -> str:
    """Return a number of things in words."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def shortened(text: str, most: int) -> str:
    """Return `text`, without its middle where it takes more than `most` cells."""
    return fit_middle(text, min(cell_len(text), most))
