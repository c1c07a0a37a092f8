"""Long work beside the screen: a few milliseconds of it, then whatever else there is to do, and on."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

_SLICE: Final = 0.006
_BREATH: Final = 0.002
"""Between two slices keys are handled, lines are drawn, and a run that is going on goes on."""
_LOOK: Final = 0.1


class Steps(Protocol):
    """Work that can be done bit by bit."""

    def advance(self, seconds: float) -> bool:
        """Work for about so long; return whether all is done."""
        ...


async def in_slices(steps: Steps, look: Callable[[], None], *, busy: Callable[[], bool] = lambda: False) -> None:
    """Do all of the work; `look` is called now and then. While others are `busy`, it takes a fifth of the time."""
    looked = time.monotonic()
    while not steps.advance(_SLICE):
        if (now := time.monotonic()) - looked >= _LOOK:
            looked = now
            look()
        await asyncio.sleep(4 * _SLICE if busy() else _BREATH)
    look()
