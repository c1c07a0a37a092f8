"""One run, killed again and again until it ends, and judged after each kill and in the end."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from orderbook_tui.core.journal import Attempt, Event
from orderbook_tui.engine.guard import left_behind, lock_of
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.verifying import verify
from orderbook_tui.errors import FailureKind
from tests.kills.gauge import Gauge
from tests.kills.kinds import Kind
from tests.kills.life import Instant, Life, Undisturbed, Wrong
from tests.kills.venue import PROMPT, SlowVenue
from tests.nursery import Ended

STATE: Final = "simulator_state"
_GOOD_ENDS: Final = (0, 1)
_VERIFIED: Final = 0.1
"""The share of kills after which all of the checkpoint is verified; the others look at the journal."""


class Scheme(NamedTuple):
    """What the trials follow from, each with its number."""

    seed: int
    kinds: Sequence[Kind]
    kills_a_run: int
    """The most; each run draws how many."""

    def kind_of(self, number: int) -> Kind:
        """Return the kind of a trial: each comes once before any comes again."""
        turn, place = divmod(number, len(self.kinds))
        return Random(f"{self.seed}/kinds/{turn}").sample(self.kinds, len(self.kinds))[place]


class Trial:
    """One trial: which run, and when it is killed, follow from scheme and number, as far as timing allows."""

    def __init__(self, scheme: Scheme, number: int, folder: Path, gauge: Gauge, venue: SlowVenue) -> None:
        self._chance = Random(f"{scheme.seed}/{number}")
        self.kind = scheme.kind_of(number)
        self._kills = self._chance.randint(scheme.kills_a_run // 2, scheme.kills_a_run)
        self.folder = folder
        self.counts = Counter[str]()
        self._gauge, self._venue = gauge, venue
        self._run_seed = self._chance.randrange(1, 10**6)
        self._journal: list[Event] = []

    def run(self) -> None:
        """Kill the run and take it up again until it ends.

        Raises:
            Wrong: something was lost, done twice, or is not as it would have been.
        """
        expected, like = self._undisturbed()
        life = self._born("killed", "slow")
        for _ in range(self._kills):
            instant = Instant.drawn(self._chance, like, resumed=_checkpoint(life.folder) is not None)
            ended = self._go_on(life, instant)
            if not ended.killed:
                break
            self.counts["kills"] += 1
            self.counts[self._gauge.phase.name.lower()] += 1
            self._examine(life)
        else:
            ended = self._go_on(life, None)
        result = _result(ended)
        self._examine(life)
        self._judge(life, result, expected)

    def _undisturbed(self) -> tuple[dict[str, Any], Undisturbed]:
        """Return what came of the same run that nobody killed, and what it was like."""
        life = self._born("undisturbed", PROMPT)
        result = _result(self._go_on(life, None))
        entered = {phase: self._gauge.entered(phase) for phase in type(self._gauge.phase)}
        if self.kind.outside:
            self._venue.tell(_book(life.folder))
        return result, Undisturbed(life.seconds, entered)

    def _born(self, name: str, pace: str) -> Life:
        folder = self.folder / name
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(self.kind.config(self._run_seed)))
        if self.kind.outside:
            (folder / "venue.sock").symlink_to(self._venue.path)
            (folder / "book").write_text(f"{pace} {folder} {self.kind.book}")
        return Life(self._gauge, folder)

    def _go_on(self, life: Life, instant: Instant | None) -> Ended:
        begun = _checkpoint(life.folder) is not None
        self.counts["lives"] += 1
        options = ["--format", "json", *(["--allow-code"] if self.kind.outside else [])]
        if begun:
            return life.live(None, ["resume", "latest", *options], instant)
        return life.live(self.kind.begin(self._run_seed), ["run", "config.json", *options], instant)

    def _examine(self, life: Life) -> None:
        """See that the checkpoint holds what was reported saved, and what it held before."""
        path = _checkpoint(life.folder)
        reported, kept = self._gauge.reported, len(self._journal)
        if path is None:
            if reported or kept:
                raise Wrong("lost", f"there is no checkpoint, and {max(reported, kept)} events were reported saved")
            return
        guard = left_behind(lock_of(path))
        folder = path.parent
        # What the next life finds is as the kill left it, or as a reader left that: either must do.
        if self._chance.random() < 0.5:
            folder = life.folder / "copy"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(path.parent, folder)
        try:
            read = StatePersistence(folder).read(path.stem)
        except Exception as error:
            raise Wrong("unopenable", f"{type(error).__name__}: {error}") from error
        if len(read.journal) < reported:
            raise Wrong("lost", f"{reported} events were reported saved, {len(read.journal)} are there")
        if guard is not None and read.records < guard.records:
            raise Wrong("lost", f"{guard.records} records were reported saved, {read.records} are there")
        if read.journal[:kept] != self._journal:
            raise Wrong("lost", f"the first {kept} events are others than before")
        if read.notes:
            raise Wrong("lost", "; ".join(read.notes))
        self._journal = read.journal
        if self._chance.random() < _VERIFIED:
            _verify(folder, path.stem)

    def _judge(self, life: Life, result: dict[str, Any], expected: dict[str, Any]) -> None:
        """Hold the run that was killed against the one that was not, and against what the venue knows."""
        if not all(result["invariants"].values()):
            raise Wrong("other_hash", f"broken: {[name for name, holds in result['invariants'].items() if not holds]}")
        if self.kind.outside:
            self._hold_against_the_venue(life)
        if self.kind.same_hash and result["state_hash"] != expected["state_hash"]:
            raise Wrong("other_hash", f"the hash is {result['state_hash']}, without kills {expected['state_hash']}")
        left = sorted(path.name for path in (life.folder / STATE).iterdir())
        if len(left) != 1:
            raise Wrong("left_over", f"the run is done, and left {left}")
        _verify(life.folder / STATE, left[0].removesuffix(".sqlite"))

    def _hold_against_the_venue(self, life: Life) -> None:
        orders, late = self._venue.tell(_book(life.folder))
        self.counts.update({f"venue {what}": count for what, count in late.items()})
        twice = [slot for slot, count in Counter(slot for _, slot, _ in orders).items() if count > 1]
        if twice:
            raise Wrong("placed_twice", f"slots {twice}: {[order for order in orders if order[1] in twice]}")
        accepted = {event.slot: event.order_id for event in self._journal if type(event) is Attempt and event.order_id}
        unknown = {
            event.slot
            for event in self._journal
            if type(event) is Attempt and event.failure is not None and event.failure.kind is FailureKind.UNKNOWN
        }
        at_the_venue = {slot: number for _, slot, number in orders}
        for slot in at_the_venue.keys() | accepted.keys():
            here, there = accepted.get(slot), at_the_venue.get(slot)
            if here != there and (self.kind.same_hash or slot not in unknown):
                raise Wrong("other_orders", f"slot {slot} has order {here} here, {there} at the venue")


def _book(folder: Path) -> str:
    return (folder / "book").read_text()


def _checkpoint(folder: Path) -> Path | None:
    return next((folder / STATE).glob("*.sqlite"), None)


def _verify(folder: Path, run: str) -> None:
    """Check all that there is in a checkpoint."""
    wrong = verify(folder, run).wrong
    if wrong:
        raise Wrong("unopenable", f"not sound: {'; '.join(f'{check.name}: {check.words}' for check in wrong)}")


def _result(ended: Ended) -> dict[str, Any]:
    """Return the result of a run that has ended by itself."""
    if ended.status not in _GOOD_ENDS or not ended.stdout:
        raise Wrong("wrong_end", f"the program ended with {ended.status}: {ended.stderr[-4000:]}")
    return ended.result()
