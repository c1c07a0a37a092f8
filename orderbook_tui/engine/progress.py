"""How far a long piece of work has come: its parts each tell their own share, from 0.0 to 1.0, of a span of the whole."""

from collections.abc import Callable

Told = Callable[[float], None]
"""Called now and then with the share done, which never falls; cheap, and perhaps on another thread than the screen's."""
Progress = Callable[[str, float], None]
"""The same, with what is being done in a word."""


def untold(share: float, /) -> None:
    """Tell nobody."""


def part(told: Told, start: float, end: float) -> Told:
    """Return what a part tells its own share to, where it is the work from `start` to `end` of what `told` hears of."""
    if told is untold:
        return untold
    return lambda share: told(start + (end - start) * share)


def naming(progress: Progress | None, what: str) -> Told:
    """Return what tells `progress` shares with the word for what is being done."""
    if progress is None:
        return untold
    return lambda share: progress(what, share)
