"""What goes wrong: drawn from a seed for each message, by what it is about and by how many such there were before."""

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Final

NONE: Final = "none"


class Faults:
    """Draws faults, and counts them. `scale` makes all of them rarer or more frequent."""

    def __init__(self, seed: int, scale: float = 1.0) -> None:
        self.seed, self.scale = seed, scale
        self.counts: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()

    def draw(self, about: str, likely: Mapping[str, float], share: float = 1.0) -> tuple[str, Random]:
        """Return the fault that befalls a message, and what to draw its details from.

        `likely` says how many of a thousand messages each fault befalls, `share` how much of that holds here.
        """
        number = self._seen[about]
        self._seen[about] += 1
        chance = Random(f"{self.seed} {about} {number}")
        point = chance.random() * 1000
        for fault, often in likely.items():
            point -= often * self.scale * share
            if point < 0:
                self.counts[fault] += 1
                return fault, chance
        return NONE, chance
