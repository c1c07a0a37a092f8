"""One life of the program: forked from a warm parent, watched, and killed at an instant, or left to its end."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from random import Random
from select import select
from typing import Final, NamedTuple, NoReturn

from tests.kills.ending import end_with
from tests.kills.gauge import Gauge, Phase
from tests.nursery import Ended, become_the_program

LONGEST_S: Final = 60.0
"""No life takes that long but one that hangs."""
_TARGETS: Final = {
    None: 10,
    Phase.OPENING: 15,
    Phase.RECOVERY: 28,
    Phase.BETWEEN: 2,
    Phase.PLACING: 18,
    Phase.LOOKING_UP: 6,
    Phase.COMMITTING: 24,
    Phase.CLOSING: 6,
}
_A_COMMIT_S: Final = 0.0001
_A_STEP_S: Final = 0.0015
"""About as long as each step of opening and of recovery takes."""
_LIVES_TO_THE_END: Final = 20
"""About how many lives a run takes that are killed where it places or commits."""


class Wrong(Exception):
    """What must not be: `what` is its word in the summary."""

    def __init__(self, what: str, words: str) -> None:
        super().__init__(words)
        self.what = what


class Undisturbed(NamedTuple):
    """What a life was like that nobody killed."""

    seconds: float
    entered: dict[Phase, int]


class Instant(NamedTuple):
    """When to kill: `delay` seconds after `phase` has begun so many `times`, or after the start."""

    phase: Phase | None
    times: int
    delay: float

    @classmethod
    def drawn(cls, chance: Random, like: Undisturbed, *, resumed: bool) -> "Instant":
        """Draw one, for a run that is like that when it is not killed."""
        phase = chance.choices(list(_TARGETS), list(_TARGETS.values()))[0]
        if phase is None:
            return cls(None, 0, chance.uniform(0, like.seconds))
        if phase in (Phase.OPENING, Phase.RECOVERY, Phase.LOOKING_UP, Phase.CLOSING):
            delay = chance.choice([0.0, chance.expovariate(1 / _A_STEP_S)])
            return cls(phase, chance.randint(1, 4 if resumed else 1), delay)
        times = max(like.entered[phase], 1)
        long = _A_COMMIT_S if phase is Phase.COMMITTING else like.seconds / times
        delay = chance.choice([0.0, chance.expovariate(1 / long)])
        return cls(phase, 1 + int(chance.expovariate(_LIVES_TO_THE_END / times)), delay)


class Life:
    """The program in a process of its own, in `folder`."""

    def __init__(self, gauge: Gauge, folder: Path) -> None:
        self.gauge, self.folder = gauge, folder
        self.seconds = 0.0

    def live(self, begin: Callable[[], None] | None, arguments: list[str], instant: Instant | None) -> Ended:
        """Run the program, by `begin` or else with `arguments`, until it ends or `instant` has come."""
        self.gauge.clear()
        began = time.monotonic()
        bell, rope = os.pipe()
        with (
            os.fdopen(bell, "rb", buffering=0) as bell_rings,
            (self.folder / "said.txt").open("w+") as out,
            (self.folder / "complained.txt").open("w+") as err,
        ):
            parent = os.getpid()
            child = os.fork()
            if child == 0:
                self._become_it(parent, begin, arguments, instant, rope, out.fileno(), err.fileno())
            os.close(rope)
            try:
                _wait(bell_rings, instant)
            finally:
                os.kill(child, signal.SIGKILL)  # not waited for yet, so the number is still its own
                _, status = os.waitpid(child, 0)
            self.seconds = time.monotonic() - began
            out.seek(0)
            err.seek(0)
            return Ended(os.waitstatus_to_exitcode(status), out.read(), err.read())

    def _become_it(
        self,
        parent: int,
        begin: Callable[[], None] | None,
        arguments: list[str],
        instant: Instant | None,
        rope: int,
        out: int,
        err: int,
    ) -> NoReturn:
        """Be the program, wired to the gauge. Whatever happens, nothing of the parent's code is run after it."""
        try:
            end_with(parent)
            # What the program remembers of whose code it may run is not to be the user's.
            os.environ["XDG_CONFIG_HOME"] = str(self.folder)
            self.gauge.wire()
            if instant is not None and instant.phase is not None:
                self.gauge.ring(rope, instant.phase, instant.times)
            become_the_program(arguments, self.folder, out, err, begin)
        except BaseException:
            os.dup2(err, 2)
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(1)


def _wait(bell: FileIO, instant: Instant | None) -> None:
    """Return when `instant` has come, or the life that holds the other end of `bell` has ended.

    Raises:
        Wrong: neither comes.
    """
    by_the_clock = instant is not None and instant.phase is None
    if not by_the_clock:
        if not select([bell], [], [], LONGEST_S)[0]:
            raise Wrong("wrong_end", f"the program has not come to where it was to be killed, nor to its end: {instant}")
        if not bell.read(1):
            return
    if instant is not None:
        select([bell], [], [], instant.delay)
