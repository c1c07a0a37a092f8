"""The kinds of run that are killed."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from orderbook_tui.headless import run_headless
from tests.deep_book import a_deep_run
from tests.engine.runs import a_config

_FAULTS: Final = {
    "kind": "embedded",
    "fees": {"maker": "0.0002", "taker": "0.0005"},
    "faults": {"transient_rate": 0.05, "rejection_rate": 0.02},
}
_DEEP: Final = {
    "matching_strategy": "any",
    "alternate_sides": False,
    "bid_price_offset": "1.02",
    "ask_price_offset": "0.98",
}


@dataclass(frozen=True)
class Kind:
    """A kind of run: how its config differs, and what may be expected of it."""

    name: str
    trades: int
    """Of each of four accounts."""
    sections: dict[str, Any] = field(default_factory=dict)
    book: str = ""
    """What the name of its book at the slow venue ends with, where it has one."""
    outside: bool = False
    """Whether it trades at the slow venue."""
    same_hash: bool = True
    """Whether it ends as one that was not killed."""
    first_life: Callable[[int], None] | None = None
    """What begins it, given its seed, where no config can say what is to be run."""

    def config(self, seed: int) -> dict[str, Any]:
        """Return the config of one run of the kind."""
        sections = {**self.sections, "seed": seed}
        scheduler = {"trades_per_account": self.trades, **self.sections.get("scheduler", {})}
        return a_config(**(sections | {"scheduler": scheduler}))

    def begin(self, seed: int) -> Callable[[], None] | None:
        """Return what begins it, where it is not the command line with a config."""
        return None if self.first_life is None else partial(self.first_life, seed)


def _deep(seed: int) -> None:
    """Run orders of which most rest, so that the book is deep."""
    sys.exit(run_headless(a_deep_run(120, seed, folder=Path("simulator_state")), as_json=True))


def _at_the_venue(name: str, target: str, **more: Any) -> Kind:
    venue = {"kind": "python", "target": f"tests.kills.desk:{target}"}
    return Kind(name, 12, {"venue": venue, "processor": {"max_retries": 3}}, outside=True, **more)


KINDS: Final = (
    Kind("directed", 30, {"venue": {"kind": "embedded"}}),
    Kind("any account", 30, {"venue": _FAULTS, "scheduler": _DEEP}),
    Kind("deep", 30, first_life=_deep),
    Kind("faults", 30, {"venue": _FAULTS, "processor": {"retry_base_delay_ms": 5, "max_retries": 2}}),
    Kind("paced", 30, {"venue": _FAULTS, "processor": {"slots_per_second": 2_000}}),
    Kind("late answers", 12, {"venue": _FAULTS | {"faults": {"latency_ms": [1, 3], "transient_rate": 0.05}}}),
    Kind("each on the disk", 12, {"venue": _FAULTS, "processor": {"durability": "slot"}}),
    Kind("grouped", 150, {"venue": _FAULTS, "processor": {"save_after_each_slot": False, "durability": "process"}}),
    _at_the_venue("looked up", "looked_up"),
    _at_the_venue("deduplicating", "deduplicating", book="once"),
    _at_the_venue("neither", "neither", same_hash=False),
)
