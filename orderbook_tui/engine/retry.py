"""Exponential backoff: how long to wait before trying a slot again."""

import msgspec

from orderbook_tui.core.chance import chance


class Backoff(msgspec.Struct, frozen=True):
    """The wait before retry n is base x 2**(n-1), give or take `jitter` of it, at most `max_delay_ms`."""

    base_delay_ms: int = 500
    max_delay_ms: int = 30_000
    jitter: float = 0.1
    seed: int = 1

    def seconds(self, retry: int, slot: int = 0) -> float:
        """Return the wait before retry number `retry` (from 1) of `slot`, in seconds; the jitter follows from the seed."""
        # Past 2**40 any base has reached any bound, and a float would soon overflow.
        doubled = self.base_delay_ms * 2 ** min(retry - 1, 40)
        sway = 1 + self.jitter * (2 * chance(self.seed, "wait", slot, retry) - 1)
        return float(min(doubled * sway, self.max_delay_ms)) / 1000
