"""Many damages of one kind of sound checkpoint, one after another in one folder."""

import tempfile
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Final

from tests.damage.damage import Damage, Damaged, cuts, flips
from tests.damage.sound import left_behind

_MEMORY: Final = Path("/dev/shm")
_THOROUGH_EVERY: Final = 20


def outcomes(kind: str, count: int, seed: int, *, cut: bool, only: Damage | None = None) -> list[tuple[str, str]]:
    """Return (damage, outcome) for `count` flips and, with `cut`, for every end in the last page; or for one alone."""
    with tempfile.TemporaryDirectory(prefix="damage-", dir=_MEMORY if _MEMORY.is_dir() else None) as place:
        sound = left_behind(kind, Path(place) / "sound")
        folder = Path(place) / "damaged"
        folder.mkdir()
        damaged = Damaged(sound, folder)
        drawn = chain[Damage](flips(damaged.sound, count, seed), cuts(damaged.sound) if cut else ())
        damages: Iterable[Damage] = drawn if only is None else [only]
        return [
            (str(damage), damaged.outcome(damage, thorough=number % _THOROUGH_EVERY == 0))
            for number, damage in enumerate(damages)
        ]
