"""When to draw. The engine and the screen share one event loop: whatever a frame takes, the run does not get."""

from collections.abc import Callable
from time import perf_counter
from typing import Final

FRAMES: Final = 20
"""How often a second the screens look at the state, at most."""
REST: Final = 3
"""At full speed the screen rests so many times what its last frame took: it takes a quarter of the time at most."""
LONGEST_REST_S: Final = 1.0


class Frames:
    """Says whether a frame is due, from what the last one took."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._began = self._rested = 0.0
        self._ended = 0

    def is_due(self, ended: int, page: int) -> bool:
        """Whether to draw now that `ended` slots have; where nobody could read along, only after a rest."""
        now = self._clock()
        gone_by, frames = ended - self._ended, max((now - self._began) * FRAMES, 1.0)
        return now >= self._rested or gone_by <= page * frames

    def begin(self, ended: int) -> None:
        """A frame begins."""
        self._began, self._ended = self._clock(), ended

    def end(self) -> None:
        """The frame is drawn. Slots that ran meanwhile count as its cost: the rest is rather too long than too short."""
        now = self._clock()
        self._rested = now + min(REST * (now - self._began), LONGEST_REST_S)
