"""A histogram in text: columns of blocks, as many lines high as there is room for."""

from collections.abc import Sequence
from typing import Final

_EIGHTHS: Final = " ▁▂▃▄▅▆▇█"


def columns(counts: Sequence[int], height: int, width: int = 1) -> list[str]:
    """Return the lines of a histogram, the highest first; what occurs at all is seen."""
    most = max(counts, default=0)
    eighths = [max(8 * height * count // most, 1) if count else 0 for count in counts]
    return [
        "".join(_EIGHTHS[min(max(level - 8 * line, 0), 8)] * width for level in eighths) for line in range(height - 1, -1, -1)
    ]
