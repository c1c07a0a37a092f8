"""Chance that depends on nothing but its arguments: the same on any machine, in any order, after any crash."""

from hashlib import blake2b


def chance(seed: int, purpose: str, *numbers: int) -> float:
    """Return a number in 0 <= x < 1 drawn from the seed, what it is for, and the numbers (a slot, an attempt)."""
    text = f"{seed}:{purpose}:{':'.join(map(str, numbers))}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest()) / 2**64
