"""The table of all slots, of which only the lines in view exist.

    line 0        the header, which stays
    line 1, 2 ..  slots[scroll], slots[scroll + 1] ..    drawn from the live list when they are seen or have changed

What a line shows depends on a slot's `_version`; `look` compares the versions of the lines in view with those that were
drawn, and has redrawn what differs. So a frame costs what is on the screen, whatever the number of slots.
"""

from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orderbook_tui.core.slot import ActionSlot, SlotState, Verdict
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import clock, fit, fit_middle, name, number, percent, price, quantity
from orderbook_tui.tui.theme import Inks, inks_on


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
    "notional": Column("notional", 6, 8, 24, right=True),
    "state": Column("state", 0, 10, 10),
    "tries": Column("try", 3, 3, 6, right=True),
    "filled": Column("filled", 5, 6, 6, right=True),
    "verdict": Column("verdict", 4, 10, 10),
    "time": Column("time", 7, 12, 12),
}

_FAIR_ACCOUNT: Final = 16
_NARROWEST_ACCOUNT: Final = 12
_Version = tuple[SlotState, int, int, int]
_NONE: Final = (SlotState.PENDING, -1, -1, -1)


def _version(slot: ActionSlot) -> _Version:
    """Return what changes whenever a line of the table has to."""
    return slot.state, slot.attempt_count, slot.filled, len(slot.decisions)


class SlotTable(ScrollView, can_focus=True):
    """Shows the slots of a simulation, a cursor, and (in follow mode) always the slot where the run is."""

    DEFAULT_CSS = """
    SlotTable {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $background;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="slots.up", tooltip="one slot up"),
        Binding("down,j", "move(1)", "Down", show=False, id="slots.down", tooltip="one slot down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="slots.page_up", tooltip="one page up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="slots.page_down", tooltip="one page down"),
        Binding("home", "first", "First", show=False, id="slots.first", tooltip="the first slot"),
        Binding("end,G", "last", "Last", show=False, id="slots.last", tooltip="the last slot"),
        Binding("enter", "open", "Details", id="slots.details", tooltip="all about the slot under the cursor"),
    ]

    class Moved(Message):
        """The cursor is on another slot."""

    class Opened(Message):
        """A slot was chosen, to be shown in full."""

        def __init__(self, slot: ActionSlot) -> None:
            super().__init__()
            self.slot = slot

    following: reactive[bool] = reactive(default=True)
    """Whether the cursor keeps to the slot where the run is."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._simulation: Simulation | None = None
        self._slots: list[ActionSlot] = []
        self._cursor = 0
        self._widths: dict[str, int] = {}
        self._gap = 1
        self._grown: dict[str, int] = {}
        self._drawn: dict[int, _Version] = {}
        self._strips: dict[int, tuple[_Version, Strip]] = {}
        self._inks: tuple[Inks, Inks] | None = None

    # What is shown

    @property
    def cursor(self) -> int:
        return self._cursor

    @property
    def slot(self) -> ActionSlot | None:
        """The slot under the cursor."""
        return self._slots[self._cursor] if self._cursor < len(self._slots) else None

    @property
    def columns(self) -> list[str]:
        """The columns that the width allows."""
        return list(self._widths)

    def show(self, simulation: Simulation | None) -> None:
        """Show the slots of `simulation`, from where its run is."""
        self._simulation = simulation
        self._slots = simulation.slots if simulation is not None else []
        self._cursor = 0
        self._drawn.clear()
        self._strips.clear()
        symbols = [market.symbol for market in simulation.state.plan.markets] if simulation is not None else []
        self._grown = {
            "slot": len(f"{max(len(self._slots) - 1, 0)}"),
            "market": max((cell_len(name(symbol)) for symbol in symbols), default=0),
        }
        self.following = True
        self._measure()
        self.virtual_size = Size(self.size.width, len(self._slots) + 1)
        self._follow()
        self.refresh()

    def look(self) -> None:
        """Have the lines redrawn that no longer show what is."""
        if self.following:
            self._follow()
        slots, drawn, first = self._slots, self._drawn, self.scroll_offset.y
        changed = [
            place
            for place in range(first, min(first + self.size.height - 1, len(slots)))
            if drawn.get(place, _NONE) != _version(slots[place])
        ]
        if len(changed) > 8:
            self.refresh()
        else:
            for place in changed:
                self._refresh_place(place)

    def lines(self) -> list[str]:
        """Return what is in view, without its colours."""
        return ["".join(segment.text for segment in self.render_line(y)).rstrip() for y in range(self.size.height)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "open" or self.slot is not None

    # Moving

    def move_to(self, place: int) -> None:
        """Put the cursor on a slot, and stop following."""
        self.following = False
        self._put(place)

    def action_move(self, by: int) -> None:
        self.move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        self.move_to(self._cursor + by * max(self.size.height - 2, 1))

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(len(self._slots) - 1)

    def action_open(self) -> None:
        if (slot := self.slot) is not None:
            self.post_message(self.Opened(slot))

    def on_click(self, event: events.Click) -> None:
        place = event.y - 1 + self.scroll_offset.y
        if event.y > 0 and place < len(self._slots):
            if place == self._cursor and event.chain > 1:
                self.action_open()
            self.move_to(place)

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(event.size.width, len(self._slots) + 1)
        self._measure()
        self._put(self._cursor)

    def watch_following(self, following: bool) -> None:
        if following and self.is_mounted:
            self._follow()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._drawn.clear()

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.following = False
        super()._on_mouse_scroll_up(event)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.following = False
        super()._on_mouse_scroll_down(event)

    def _follow(self) -> None:
        if self._simulation is not None:
            self._put(self._simulation.state.current_slot_index, center=True)

    def _put(self, place: int, *, center: bool = False) -> None:
        place = max(0, min(place, len(self._slots) - 1))
        before, self._cursor = self._cursor, place
        height, first = self.size.height - 1, self.scroll_offset.y
        if height > 0 and not first <= place < first + height:
            # Following, a page of room is left ahead, so that the lines move once a page and not with every slot.
            lead = 2 if center and place > first else 0 if place < first else height - 1
            self.scroll_to(
                y=min(max(place - lead, 0), max(len(self._slots) - height, 0)), animate=False, force=True, immediate=True
            )
        if place != before:
            self._refresh_place(before)
            self._refresh_place(place)
            self.post_message(self.Moved())

    def _refresh_place(self, place: int) -> None:
        y = place - self.scroll_offset.y + 1
        if 0 < y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self._inks is None:
            self._inks = inks_on(self)
        ink, marked = self._inks
        place = y - 1 + self.scroll_offset.y
        if y == 0:
            return Strip([Segment(fit(self._header(), width), ink.muted)], width)
        if place >= len(self._slots):
            return Strip([Segment(" " * width, ink.plain)], width)
        slot = self._slots[place]
        version = self._drawn[place] = _version(slot)
        if place == self._cursor:
            return self._line(slot, "▌", marked)
        known = self._strips.get(place)
        if known is None or known[0] != version:
            if len(self._strips) > 400:
                self._strips.clear()
            known = self._strips[place] = version, self._line(slot, " ", ink)
        return known[1]

    def _header(self) -> str:
        titles = (fit(COLUMNS[key].title, width, right=COLUMNS[key].right) for key, width in self._widths.items())
        return " " + (" " * self._gap).join(titles)

    def _line(self, slot: ActionSlot, mark: str, ink: Inks) -> Strip:
        """Return a slot's line. Neighbours in one ink are one segment: what a line costs is its segments."""
        plain = ink.muted if slot.state is SlotState.PENDING else ink.plain
        segments, run, run_ink, cells = [Segment(mark, ink.accent)], "", plain, 1
        gap, grown = " " * self._gap, False
        for key, width in self._widths.items():
            column, text = COLUMNS[key], self._TEXTS[key](self, slot)
            if len(text) > width and (wanted := cell_len(text)) > max(width, self._grown.get(key, 0)):
                self._grown[key] = wanted
                grown = True
            if text and (style := _ink_of(key, slot, ink) or plain) is not run_ink:
                segments.append(Segment(run, run_ink))
                run, run_ink = "", style
            run += (fit_middle(text, width) if key == "account" else fit(text, width, right=column.right)) + gap
            cells += width + len(gap)
        room = self.size.width - cells
        segments.append(Segment(run + " " * room if room >= 0 else run[:room], run_ink))
        if grown:
            self.call_later(self._measure)
        return Strip(segments, cells + room)

    def _measure(self) -> None:
        """Choose the columns that fit, and how wide each is."""
        room = self.size.width - 1
        wanted = {key: min(max(column.least, self._grown.get(key, 0)), column.most) for key, column in COLUMNS.items()}
        least = {**wanted, "account": min(wanted["account"], _FAIR_ACCOUNT)}
        chosen = _chosen(least, room)
        if "verdict" not in chosen:
            least["account"] = min(wanted["account"], _NARROWEST_ACCOUNT)
            chosen = _chosen(least, room)
        spare = room + 1 - sum(least[key] + 1 for key in chosen)
        widths = {key: least[key] for key in COLUMNS if key in chosen}
        widths["account"] = min(wanted["account"], widths["account"] + max(spare, 0))
        spare = room + 1 - sum(width + 1 for width in widths.values())
        gap = 1 + min(max(spare, 0) // len(widths), 2)
        if (widths, gap) != (self._widths, self._gap):
            self._widths, self._gap = widths, gap
            self._strips.clear()
            self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._inks = None
        self._strips.clear()

    def _account(self, slot: ActionSlot) -> str:
        assert self._simulation is not None
        return name(self._simulation.account_name(slot.account_id))

    _TEXTS: ClassVar[dict[str, Callable[["SlotTable", ActionSlot], str]]] = {
        "slot": lambda _, slot: f"{slot.sequence}",
        "account": _account,
        "market": lambda _, slot: name(slot.action.market.symbol),
        "side": lambda _, slot: slot.action.side.word,
        "quantity": lambda _, slot: quantity(slot.action.market, slot.action.quantity),
        "price": lambda _, slot: price(slot.action.market, slot.action.price),
        "notional": lambda _, slot: number(slot.action.notional, 2),
        "state": lambda _, slot: slot.state.value,
        "tries": lambda _, slot: f"{len(slot.attempts)}" if slot.attempts else "",
        "filled": lambda _, slot: percent(slot.filled, slot.action.quantity) if slot.attempts else "",
        "verdict": lambda _, slot: verdict.value if (verdict := settled_verdict(slot)) is not None else "",
        "time": lambda _, slot: clock(slot.attempts[-1].ended or slot.attempts[-1].started) if slot.attempts else "",
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
    """Return a slot's verdict; None while its order is open, since its counterparty may be still to come."""
    return None if slot.open else slot.verdict


def verdict_ink(verdict: Verdict, ink: Inks) -> Style:
    """Return the ink that a verdict is written with."""
    match verdict:
        case Verdict.MATCHED:
            return ink.good
        case Verdict.PARTLY:
            return ink.warn
    return ink.bad
