"""How far a budget is used: fine, above 80 %, or depleted."""

from enum import IntEnum


class Level(IntEnum):
    """How far a budget is used."""

    FINE = 0
    HIGH = 1
    DEPLETED = 2

    @property
    def words(self) -> str:
        return ("", "over 80 %", "depleted")[self]


def level_of(initial: int, available: int, locked: int) -> Level:
    """Return the level of these pots. What was never given anything does not run out."""
    if 5 * available >= initial:
        return Level.FINE
    return Level.HIGH if available or locked else Level.DEPLETED
