"""The pace of a run: how long it has been running, and how many slots have ended in that time. Pauses do not count."""

import time


class Pace:
    """A stopwatch for time and slots; it stands still until `note` says that the run is running."""

    def __init__(self) -> None:
        self._seconds, self._slots = 0.0, 0
        self._since: float | None = None
        self._ended_then = 0

    def note(self, *, running: bool, ended: int) -> None:
        """Note that the run is running, or is not, now that so many slots have ended."""
        now = time.monotonic()
        if self._since is not None:
            self._seconds += now - self._since
            self._slots += ended - self._ended_then
        self._since = now if running else None
        self._ended_then = ended

    @property
    def seconds(self) -> float:
        """The time until now."""
        return self._seconds + (time.monotonic() - self._since if self._since is not None else 0.0)

    def slots_per_second(self, ended: int) -> float:
        """Return the pace until now, when so many slots have ended."""
        slots = self._slots + (ended - self._ended_then if self._since is not None else 0)
        seconds = self.seconds
        return slots / seconds if seconds else 0.0
