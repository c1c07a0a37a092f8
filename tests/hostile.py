"""Text that would steer a terminal if it were printed as it is, and a look at what was printed."""

import json
import re
from pathlib import Path
from typing import Final

MARK: Final = "6661"
"""What ours can be told by from the sequences that the program writes itself."""

STEERING: Final = {
    "title": f"\x1b]{MARK};owned\x07",
    "clipboard": f"\x1b]52;{MARK};b3duZWQ=\x1b\\",
    "colour": f"\x1b[{MARK}m",
    "C1": f"\x9b{MARK}m\x9d{MARK};x\x9c",
    "device": f"\x1bP{MARK}q\x1b\\",
    "reset": f"\x1bc{MARK}",
    "bidi": "\u202e\u2066\u200f",
    "nothing": "\u200b\u2060\ufeff\u3164\U000e0041",
    "line": f"\r{MARK}\x08\x7f\x0b",
}
ALL: Final = "".join(STEERING.values())

_RAW: Final = re.compile(
    f"\x1b[\\]\\[Pc][^\x1b\x07]{{0,4}}{MARK}|[\x80-\x9f]|[\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2060\ufeff\u3164\U000e0041]"
    f"|\r{MARK}|\x0b"
)


def steers(written: bytes | str) -> str | None:
    """Return the first thing in what a program wrote that is ours and would have been obeyed; None where there is none."""
    text = written.decode("utf-8", errors="surrogateescape") if isinstance(written, bytes) else written
    raw = _RAW.search(text)
    return None if raw is None else repr(text[max(raw.start() - 80, 0) : raw.end() + 40])


CODE = """
import logging, os, sys, warnings
from orderbook_tui.errors import Rejected
HOSTILE = {hostile!r}
logging.basicConfig(level=logging.INFO)
warnings.warn(HOSTILE)
def place(slot):
    {prints}
    if slot.sequence % 3 == 0:
        raise Rejected(HOSTILE)
    if slot.sequence % 3 == 1:
        raise RuntimeError(HOSTILE)
    return HOSTILE + str(slot.sequence)
"""
PRINTS = (
    "print(HOSTILE); print(HOSTILE, file=sys.stderr); logging.error(HOSTILE); os.write(1, HOSTILE.encode()); "
    "os.system(\"printf '\\\\033]6661;x\\\\007' >&2\")"
)


def hostile_config(folder: Path, *, prints: bool = False, waiting: bool = False) -> Path:
    """A config in which everything that has a name is called so, and whose venue says the same."""
    (folder / "loud.py").write_text(CODE.format(hostile=ALL, prints=PRINTS if prints else "pass"))
    config = {
        "name": ALL,
        "accounts": {"list": [{"name": f"{ALL}{number}"} for number in range(2)]},
        "markets": [{"symbol": f"M{ALL}", "base": f"B{ALL}", "quote": f"Q{ALL}", "reference_price": "100"}],
        "scheduler": {"trades_per_account": 1 if waiting else 3},
        "processor": {"retry_base_delay_ms": 0, "max_retries": 0, "on_failure": "ask" if waiting else "continue"},
        "budget": {"budgets": [{"amount": 100_000}]},
        "venue": {"kind": "python", "target": "loud:place"},
    }
    path = folder / f"c{STEERING['colour']}.json"
    path.write_text(json.dumps(config))
    path.chmod(0o644)
    return path
