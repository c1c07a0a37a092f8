"""One slot on one line: its columns, which of them fit, and how each is written.

Columns give way by rank when the width gives out, and grow with what they have to hold while there is room.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from orderbook_tui.core.slot import ActionSlot, SlotState, Verdict
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import clock, fit, fit_middle, message, name, number, percent, price, quantity
from orderbook_tui.tui.theme import Inks


class Column(NamedTuple):
    """One column. Those of the lowest rank stay when the width gives out; `most` bounds what it grows to."""

    title: str
    rank: int
    least: int
    most: int
    right: bool = False


COLUMNS: Final = {
    "slot": Column("slot", 0, 4, 9, right=True),
    "account": Column("account", 0, 7, 24),
    "market": Column("market", 0, 6, 16),
    "side": Column("side", 0, 4, 4),
    "quantity": Column("quantity", 1, 8, 22, right=True),
    "price": Column("price", 2, 6, 20, right=True),
    "notional": Column("amount", 5, 8, 24, right=True),
    "state": Column("state", 0, 10, 10),
    "tries": Column("try", 3, 3, 6, right=True),
    "filled": Column("filled", 6, 6, 6, right=True),
    "verdict": Column("verdict", 4, 10, 10),
    "time": Column("time", 7, 12, 12),
}

_FAIR_ACCOUNT: Final = 16
_NARROWEST_ACCOUNT: Final = 12
_WIDEST_GAP: Final = 3

Version = tuple[SlotState, int, int, int, bool]


def version(slot: ActionSlot) -> Version:
    """Return what changes whenever the line of a slot has to."""
    return slot.state, slot.attempt_count, slot.filled, len(slot.decisions), slot.open > 0


class SlotLines:
    """How the lines of one simulation's slots are written in a given width."""

    def __init__(self, simulation: Simulation | None = None) -> None:
        self._simulation = simulation
        self._room = 0
        self._gap = 1
        self._widths: dict[str, int] = {}
        self._grown: dict[str, int] = {}
        """The widest text that each column has had to hold."""
        if simulation is not None:
            symbols = (cell_len(name(market.symbol)) for market in simulation.state.plan.markets)
            self._grown = {"slot": len(f"{max(len(simulation.slots) - 1, 0)}"), "market": max(symbols, default=0)}

    @property
    def columns(self) -> list[str]:
        """The columns that the width allows."""
        return list(self._widths)

    def measure(self, width: int) -> bool:
        """Choose the columns that fit, and how wide each is; return whether that has changed anything."""
        self._room = width
        wanted = {key: min(max(column.least, self._grown.get(key, 0)), column.most) for key, column in COLUMNS.items()}
        least = {**wanted, "account": min(wanted["account"], _FAIR_ACCOUNT)}
        chosen = _chosen(least, width - 1)
        if "verdict" not in chosen:
            least["account"] = min(wanted["account"], _NARROWEST_ACCOUNT)
            chosen = _chosen(least, width - 1)
        spare = width - sum(least[key] + 1 for key in chosen)
        widths = {key: least[key] for key in COLUMNS if key in chosen}
        widths["account"] = min(wanted["account"], widths["account"] + max(spare, 0))
        spare = width - sum(one + 1 for one in widths.values())
        gap = 1 + min(max(spare, 0) // len(widths), _WIDEST_GAP - 1)
        if (widths, gap) == (self._widths, self._gap):
            return False
        self._widths, self._gap = widths, gap
        return True

    def header(self, ink: Inks) -> Strip:
        """Return the line above all."""
        titles = (fit(COLUMNS[key].title, width, right=COLUMNS[key].right) for key, width in self._widths.items())
        return Strip([Segment(fit(" " + (" " * self._gap).join(titles), self._room), ink.muted)], self._room)

    def line(self, slot: ActionSlot, mark: str, ink: Inks) -> tuple[Strip, bool]:
        """Return a slot's line, and whether something in it wants more room than its column has.

        Neighbours in one ink are one segment: what a line costs is its segments.
        """
        plain = ink.muted if slot.state is SlotState.PENDING else ink.plain
        segments, run, run_ink, cells = [Segment(mark, ink.accent)], "", plain, 1
        gap, grown = " " * self._gap, False
        for key, width in self._widths.items():
            column, text = COLUMNS[key], self._text(key, slot)
            if len(text) > width and (wanted := cell_len(text)) > max(width, self._grown.get(key, 0)):
                self._grown[key] = wanted
                grown = True
            if text and (style := _ink_of(key, slot, ink) or plain) is not run_ink:
                segments.append(Segment(run, run_ink))
                run, run_ink = "", style
            run += (fit_middle(text, width) if key == "account" else fit(text, width, right=column.right)) + gap
            cells += width + len(gap)
        spare = self._room - cells
        segments.append(Segment(run + " " * spare if spare >= 0 else run[:spare], run_ink))
        return Strip(segments, self._room), grown

    def column_at(self, x: int) -> str | None:
        """Return the column that a cell of the line belongs to."""
        start = 1
        for key, width in self._widths.items():
            if start <= x < start + width:
                return key
            start += width + self._gap
        return None

    def row(self, slot: ActionSlot) -> str:
        """Return all that the columns say of a slot and its last error, with tabs between: a line for a spreadsheet."""
        error = slot.last_error
        return "\t".join((*(self._text(key, slot) for key in COLUMNS), message(error.message) if error is not None else ""))

    def _text(self, key: str, slot: ActionSlot) -> str:
        if key == "account":
            assert self._simulation is not None
            return name(self._simulation.account_name(slot.account_id))
        return _TEXTS[key](slot)


_TEXTS: Final[dict[str, Callable[[ActionSlot], str]]] = {
    "slot": lambda slot: f"{slot.sequence}",
    "market": lambda slot: name(slot.action.market.symbol),
    "side": lambda slot: slot.action.side.word,
    "quantity": lambda slot: quantity(slot.action.market, slot.action.quantity),
    "price": lambda slot: price(slot.action.market, slot.action.price),
    "notional": lambda slot: number(slot.action.notional, 2),
    "state": lambda slot: slot.state.value,
    "tries": lambda slot: f"{len(slot.attempts)}" if slot.attempts else "",
    "filled": lambda slot: percent(slot.filled, slot.action.quantity) if slot.attempts else "",
    "verdict": lambda slot: verdict.value if (verdict := settled_verdict(slot)) is not None else "",
    "time": lambda slot: clock(slot.attempts[-1].ended or slot.attempts[-1].started) if slot.attempts else "",
}


def _chosen(least: dict[str, int], room: int) -> set[str]:
    """Return the columns that fit into `room`, the most important first."""
    chosen: set[str] = set()
    for key in sorted(COLUMNS, key=lambda key: COLUMNS[key].rank):
        if COLUMNS[key].rank and sum(least[other] + 1 for other in (*chosen, key)) > room + 1:
            break
        chosen.add(key)
    return chosen


def _ink_of(key: str, slot: ActionSlot, ink: Inks) -> Style | None:
    """Return the ink of what stands out in a line; None for the rest."""
    if key == "state":
        return state_ink(slot.state, ink)
    if key == "verdict" and (verdict := settled_verdict(slot)) is not None:
        return verdict_ink(verdict, ink)
    if key == "tries" and len(slot.attempts) > 1:
        return ink.warn
    return ink.muted if key == "time" else None


def state_ink(state: SlotState, ink: Inks) -> Style:
    """Return the ink that a slot's state is written with."""
    match state:
        case SlotState.COMPLETED:
            return ink.good
        case SlotState.FAILED:
            return ink.bad
        case SlotState.SKIPPED:
            return ink.warn
        case SlotState.IN_PROGRESS:
            return ink.busy
    return ink.muted


def settled_verdict(slot: ActionSlot) -> Verdict | None:
    """Return a slot's verdict; None while its order is open, since its counterparty may be still to come.

    A filter asks a million slots: the ways of nearly all of them are short.
    """
    state = slot.state
    if slot.open or state is _PENDING or state is _IN_PROGRESS:
        return None
    fill = slot.first_fill
    if fill is None:
        return _UNMATCHED
    if not slot.more_fills:
        partner = slot.sequence ^ 1
        if fill.maker == partner or fill.taker == partner:
            return _MATCHED if slot.filled >= slot.action.quantity else _PARTLY
    return slot.verdict


def verdict_ink(verdict: Verdict, ink: Inks) -> Style:
    """Return the ink that a verdict is written with."""
    match verdict:
        case Verdict.MATCHED:
            return ink.good
        case Verdict.PARTLY:
            return ink.warn
    return ink.bad


_PENDING, _IN_PROGRESS = SlotState.PENDING, SlotState.IN_PROGRESS
_MATCHED, _PARTLY, _UNMATCHED = Verdict.MATCHED, Verdict.PARTLY, Verdict.UNMATCHED
