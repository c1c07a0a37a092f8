"""The rate of a run, as a person changes it: in round numbers, each about twice the one before."""

from itertools import product
from typing import Final

RATES: Final = tuple(step * 10.0**power for power, step in product(range(-1, 5), (1, 2, 5)))
"""0.1, 0.2, 0.5, 1, 2, 5 .. 50,000 slots a second; beyond the last the run is as fast as it goes."""

_UNKNOWN: Final = 1_000.0


def next_rate(limit: float | None, pace: float, *, faster: bool) -> float | None:
    """Return the next faster or slower rate after `limit`; None is as fast as it goes, from where `pace` leads down.

    A pace of 0 is none yet: a run that has not begun.
    """
    if faster:
        return next((rate for rate in RATES if limit is not None and rate > limit * 1.001), None)
    now = limit if limit is not None else pace or _UNKNOWN
    return next((rate for rate in reversed(RATES) if rate < now * 0.999), RATES[0])


def rate_in_words(limit: float | None) -> str:
    """Return what a rate means."""
    if limit is None:
        return "as fast as it goes"
    return f"{limit:,g} slot{'' if limit == 1 else 's'} a second at most"
