"""Losses of power: a story is recorded, the power is lost at a random moment of it, and what is then there is looked at.

Told(story)         the record, and the run that it is of
told.loss(number)   the files after one loss, and what must be in them
told.wrong(loss)    what is wrong with them, in words
"""

import bisect
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import msgspec

from orderbook_tui.core.journal import Attempt
from orderbook_tui.engine.checkpoint_reader import Checkpoint
from orderbook_tui.engine.guard import boot_id, left_behind, lock_of
from orderbook_tui.engine.persistence import GROUP, CheckpointStatus, StatePersistence
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import CheckpointError
from tests.engine.runs import ByAttempts
from tests.power.disk import Disk
from tests.power.lives import BALANCES, PLANTS, STATE_DIR, STORIES
from tests.power.recording import Op

ROOT: Final = Path(__file__).parents[2]
WINDOW_SLOTS: Final = 1_000
WINDOW_S: Final = 0.25
"""What may be missing of the slots that have ended."""
_MEMORY: Final = Path("/dev/shm")
_RUN_ON_EVERY: Final = 20
"""Of how many losses one run is taken up and run to its end."""


@dataclass(frozen=True)
class Loss:
    """The power was lost after `cut` operations; the files are those found then."""

    story: str
    number: int
    seed: int
    cut: int
    files: dict[str, bytes]
    made: bool
    """Whether the checkpoint had been said to be there."""
    events: int
    """How many events had been promised, one way or the other."""
    noted: bool
    """Whether opening balances had been said to be there."""
    placing: tuple[tuple[int, str], ...]
    """Slot and client order id of every order that had begun to be placed."""

    @property
    def command(self) -> str:
        """What repeats it."""
        seed = f" --seed {self.seed}" if self.seed else ""
        return f"python -m tests.power --story {self.story} --state {self.number}{seed}"


class Told:
    """A story that has been lived, and recorded."""

    def __init__(self, story: str, seed: int = 0) -> None:
        self.story, self._seed = story, seed
        with tempfile.TemporaryDirectory(prefix="power-", dir=_place()) as place:
            folder, record = Path(place) / "disk", Path(place) / "record"
            folder.mkdir()
            self.ops: list[Op] = []
            for life, ending in enumerate((STORIES | PLANTS)[story].lives):
                first = len(self.ops)
                command = [sys.executable, "-m", "tests.power.lives", story, str(life), str(folder), str(record)]
                ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
                assert ended.returncode == (9 if ending == "kill" else 0), ended.stderr
                ops = msgspec.msgpack.decode(record.read_bytes(), type=list[Op])
                # Each life counts its handles afresh.
                self.ops += [msgspec.structs.replace(op, handle=op.handle + first * 10_000) if op.handle else op for op in ops]
            self._check_record(folder)
            (path,) = (folder / STATE_DIR).glob("*.sqlite")
            self.id = path.stem
            self.whole = StatePersistence(path.parent).read(self.id)
            told = (STORIES | PLANTS)[story]
            # What happens elsewhere, and what somebody asks for after the end, is not done again by itself.
            self._hash = _ended(self.id, path.parent) if told.lives[-1] in ("end", "kill") and not told.venue else ""
        self._promises = self._promised()

    def losses(self, numbers: list[int]) -> list[Loss]:
        """Return the losses of these numbers, in the order in which they come along the record."""
        draws = {number: random.Random(f"{self._seed} {number}") for number in numbers}
        cuts = sorted((draw.randrange(len(self.ops) + 1), number) for number, draw in draws.items())
        disk, played, losses = Disk(), 0, []
        for cut, number in cuts:
            for op in self.ops[played:cut]:
                disk.play(op)
            played = cut
            losses.append(Loss(self.story, number, self._seed, cut, disk.after_a_loss(draws[number]), *self._promises_at(cut)))
        return losses

    def wrong(self, loss: Loss, keep: Path | None = None) -> str:
        """Return what is wrong with what a loss has left; empty where nothing is. `keep` gets a copy of the files."""
        with tempfile.TemporaryDirectory(prefix="power-", dir=_place()) as place:
            folder = Path(place) / STATE_DIR
            here = boot_id().encode()
            for name, content in loss.files.items():
                path = Path(place) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                # The machine has started anew since.
                path.write_bytes(content.replace(here, here[::-1]) if name.endswith(".lock") else content)
            if keep is not None:
                shutil.copytree(place, keep, dirs_exist_ok=True)
            try:
                return self._look(folder, loss)
            except CheckpointError as error:
                return f"{type(error).__name__}: {error}"

    def _look(self, folder: Path, loss: Loss) -> str:
        persistence = StatePersistence(folder)
        listed = persistence.list_simulations()
        if not listed:
            return "the checkpoint is gone" if loss.made else ""
        if [(info.id, info.reason if info.status is CheckpointStatus.DAMAGED else "") for info in listed] != [(self.id, "")]:
            return f"listed are {listed}"
        left = left_behind(lock_of(folder / f"{self.id}.sqlite"))
        read = persistence.read(self.id)
        why = self._missing(read, loss)
        if why:
            return why
        if left is not None and left.records > read.records and not (read.notes and listed[0].reason):
            return f"nobody is told that {left.records} records were reported saved, and {read.records} are there"
        if loss.number % _RUN_ON_EVERY == 0 and self._hash:
            found = _ended(self.id, folder)
            return "" if found == self._hash else f"run to its end, its hash is {found}, not {self._hash}"
        resumed, writer = persistence.resume(self.id, group=1)
        writer.close()
        again = persistence.read(self.id)
        if (resumed.journal, resumed.intents) != (read.journal, read.intents):
            return "what is resumed is not what was read"
        if (again.journal, again.intents) != (read.journal, read.intents):
            return "what is left after resuming is not what was read"
        return ""

    def _missing(self, read: Checkpoint, loss: Loss) -> str:
        there = len(read.journal)
        if read.plan != self.whole.plan or len(read.slots) != len(self.whole.slots):
            return "the plan is another"
        if read.journal != self.whole.journal[:there]:
            return "the journal is no beginning of what happened"
        if there < loss.events:
            return f"{loss.events} events were promised, {there} are there"
        if read.opening_balances not in ((BALANCES,) if loss.noted else ((), BALANCES)):
            return f"{len(read.opening_balances)} opening balances are there"
        known = {(intent.slot, intent.client_order_id) for intent in read.intents}
        attempted = {event.slot for event in read.journal if isinstance(event, Attempt)}
        lost = [order for order in loss.placing if order not in known and order[0] not in attempted]
        return f"nothing is known of orders that were being placed: {lost}" if lost else ""

    def _check_record(self, folder: Path) -> None:
        """Make sure that nothing was written past the recorder."""
        disk = Disk()
        for op in self.ops:
            disk.play(op)
        real = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        live = disk.live()
        for name in real.keys() | live.keys():
            assert name.endswith("-shm") or real.get(name) == live.get(name), f"{name} is not what was recorded"

    def _promised(self) -> list[tuple[int, int]]:
        """Return (operation, events): from where on so many events have to be there."""
        slack = 0 if (STORIES | PLANTS)[self.story].each_slot else GROUP
        promises, ended, kept = [(0, 0)], list[tuple[int, float]](), 0
        for number, op in enumerate(self.ops, start=1):
            if op.kind != "mark":
                continue
            if op.path == "kept":
                kept = max(kept, op.at)
            elif op.path == "ended":
                if ended and op.moment < ended[-1][1]:
                    ended.clear()  # another life, whose clock begins anew
                ended.append((op.at, op.moment))
                old = bisect.bisect_right(ended, op.moment - WINDOW_S, key=lambda entry: entry[1])
                old = max(old, len(ended) - WINDOW_SLOTS - slack)
                kept = max(kept, ended[old - 1][0] if old > 0 else 0)
            promises.append((number, kept))
        return promises

    def _promises_at(self, cut: int) -> tuple[bool, int, bool, tuple[tuple[int, str], ...]]:
        marks = [op for op in self.ops[:cut] if op.kind == "mark"]
        place = bisect.bisect_right(self._promises, cut, key=lambda promise: promise[0]) - 1
        placing = tuple((op.at, op.to) for op in marks if op.path == "placing")
        made, noted = (any(op.path == what for op in marks) for what in ("made", "noted"))
        return made, self._promises[place][1], noted, placing


def lose_power(story: str, numbers: list[int], seed: int = 0) -> tuple[int, list[tuple[str, str]]]:
    """Lose the power so often in one story; return how often, and (command, what is wrong) of each that is wrong."""
    told = Told(story, seed)
    wrong = [(loss, told.wrong(loss)) for loss in told.losses(numbers)]
    return len(wrong), [(loss.command, why) for loss, why in wrong if why]


def _ended(run_id: str, folder: Path) -> str:
    """Take a run up, run it to its end, and return its state hash."""
    simulation = Simulation.resume(run_id, folder)
    try:
        anyio.run(simulation.run, ByAttempts())
        return simulation.state_hash()
    finally:
        simulation.close()


def _place() -> Path | None:
    return _MEMORY if _MEMORY.is_dir() else None
