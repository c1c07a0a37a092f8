"""The tally: how many slots of a run have ended how, counted along its journal."""

from collections.abc import Iterable
from typing import Final

from orderbook_tui.core.journal import Attempt, Decision, Event, Execution, RecoveryAction


class Tally:
    """How many slots have ended how, counted along the journal."""

    def __init__(self, slots: int) -> None:
        self._ended = bytearray(slots)
        self._counts = [slots, 0, 0, 0]

    def advance(self, events: Iterable[Event]) -> None:
        """Count what `events` changed."""
        ended, counts = self._ended, self._counts
        for event in events:
            if type(event) is Execution:
                continue
            if type(event) is Attempt:
                new = 1 if event.failure is None else 0
            elif type(event) is Decision:
                new = _BECOMES[event.action]
            else:
                continue
            old = ended[event.slot]
            if new != old:
                counts[old] -= 1
                counts[new] += 1
                ended[event.slot] = new

    @property
    def counts(self) -> tuple[int, int, int]:
        """Completed, failed and skipped slots."""
        return self._counts[1], self._counts[2], self._counts[3]


_BECOMES: Final = {RecoveryAction.CONTINUE: 2, RecoveryAction.SKIP: 3, RecoveryAction.QUIT: 0, RecoveryAction.RETRY: 0}
