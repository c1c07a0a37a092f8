"""Figures and names as they are shown: harmless, of a known width, and never rounded in silence.

A name that does not fit loses its middle (its end tells it from the others); a number that does not fit loses decimals,
and both say so with an ellipsis.
"""

import time
import unicodedata
from decimal import Decimal
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, set_cell_size

from orderbook_tui.core.market import Market
from orderbook_tui.core.words import harmless

LONGEST_NAME: Final = 200
LONGEST_MESSAGE: Final = 2_000
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


@lru_cache(maxsize=8192)
def name(text: str, limit: int = LONGEST_NAME) -> str:
    """Return text from outside as it may be shown on one line."""
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return text
    # Marks that sit on the character before them are counted differently by every terminal.
    kept = "".join(character for character in text[: 4 * limit] if not unicodedata.category(character).startswith("M"))
    return harmless(kept + text[4 * limit : 4 * limit + 1], limit)


def message(text: str) -> str:
    """Return a longer text from outside, such as an error, as it may be shown."""
    return name(text, LONGEST_MESSAGE)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return `text` in exactly `width` cells, cut at its end or padded."""
    if text.isascii():
        if len(text) > width:
            return text[: width - 1] + "…" if width else ""
        return text.rjust(width) if right else text.ljust(width)
    cells = cell_len(text)
    if cells > width:
        return set_cell_size(text, width - 1) + "…" if width else ""
    space = " " * (width - cells)
    return space + text if right else text + space


@lru_cache(maxsize=8192)
def fit_middle(text: str, width: int) -> str:
    """Return `text` in exactly `width` cells, cut in its middle or padded."""
    if cell_len(text) <= width or width < 5:
        return fit(text, width)
    end = (width - 1) // 2
    tail = text[-end:]
    while cell_len(tail) > end:
        tail = tail[1:]
    return set_cell_size(text, width - 1 - cell_len(tail)) + "…" + tail


def number(value: Decimal, decimals: int = 0) -> str:
    """Return all of a number, with thousands marked and no zeros at its end beyond `decimals`."""
    text = f"{value:,f}"
    whole, _, rest = text.partition(".")
    rest = rest.rstrip("0").ljust(decimals, "0")
    return f"{whole}.{rest}" if rest else whole


def price(market: Market, ticks: int) -> str:
    """Return a price with all the decimals of its market, so that prices stand under each other."""
    return number(market.price(ticks), _decimals(market.tick_size))


def quantity(market: Market, lots: int) -> str:
    """Return a quantity with all the decimals of its market."""
    return number(market.quantity(lots), _decimals(market.lot_size))


@lru_cache(maxsize=256)
def _decimals(step: Decimal) -> int:
    return min(max(-int(step.normalize().as_tuple().exponent), 0), 18)


def number_in(value: Decimal, width: int) -> str:
    """Return a number in at most `width` cells if it can be: decimals give way, with an ellipsis in their place."""
    text = number(value)
    if len(text) <= width:
        return text
    whole, _, _ = text.partition(".")
    if len(whole) + 1 > width:
        bare = whole.replace(",", "")
        return bare if len(bare) <= width else f"{value:.2e}"
    return text[: width - 1].rstrip(".,") + "…"


def percent(part: int | Decimal, whole: int | Decimal) -> str:
    """Return a share as a whole number of percent, rounded down: 100 % is all of it."""
    return f"{int(100 * part / whole) if type(part) is not int else 100 * part // whole}%" if whole else "-"


def clock(nanoseconds: int) -> str:
    """Return a moment as the time of day here, with milliseconds."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    there = time.localtime(seconds)
    return f"{there.tm_hour:02}:{there.tm_min:02}:{there.tm_sec:02}.{rest // 1_000_000:03}"


def span(seconds: float) -> str:
    """Return a length of time in one or two units."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def short_span(nanoseconds: int) -> str:
    """Return how long an attempt took."""
    milliseconds = nanoseconds / 1e6
    if milliseconds < 1:
        return f"{max(nanoseconds, 0) / 1e3:.0f} µs"
    return f"{milliseconds:.0f} ms" if milliseconds < 10_000 else span(milliseconds / 1000)


def pace(per_second: float) -> str:
    """Return how many slots a second."""
    return f"{per_second:,.0f}/s" if per_second >= 100 else f"{per_second:.1f}/s"


def size(count: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    if count < 1000:
        return f"{count} B"
    step = min((len(str(count)) - 1) // 3, 4)
    amount = count / 1000**step
    return f"{amount:.1f} {_UNITS[step]}" if step and amount < 100 else f"{amount:.0f} {_UNITS[step]}"


def ago(nanoseconds: int) -> str:
    """Return how long ago a moment was."""
    seconds = (time.time_ns() - nanoseconds) / 1e9
    return "just now" if seconds < 5 else f"{span(seconds).split(' ')[0]} {span(seconds).split(' ')[1]} ago"
