"""The slots that a draft would make, as far as they are made: one a line, any number of them."""

from collections.abc import Collection, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding, BindingType

from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.drafting import Preview
from orderbook_tui.tui.figures import fit, fit_middle, name, number, price, quantity
from orderbook_tui.tui.theme import Inks
from orderbook_tui.tui.widgets.cursor_list import CursorList

_TITLES: Final = ("slot", "account", "market", "side", "quantity", "price", "notional", "")
_LEFT: Final = (1, 2, 3, 7)
"""Columns that are words."""
_LEAST: Final = (4, 8, 6, 4, 8, 5, 8, 0)
_MEASURED: Final = 200
"""Slots that the widths are taken from."""
_OWN: Final = "own"


class PreviewTable(CursorList):
    """Shows the slots of a preview; Enter on one gives it amounts of its own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "choose", "Own amounts", id="preview.own", tooltip="give the slot under the cursor amounts of its own"
        ),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._preview: Preview | None = None
        self._own: Collection[int] = ()
        self._stale = False
        self._wanted: list[int] = []
        self._widths: list[int] = []
        self._measured = -1
        self._known = 0

    @property
    def count(self) -> int:
        return len(self._preview.slots) if self._preview is not None else 0

    @property
    def slot(self) -> ActionSlot | None:
        """The slot under the cursor."""
        return self._preview.slots[self.cursor] if self._preview is not None and self.cursor < self.count else None

    def show(self, preview: Preview | None, own: Collection[int]) -> None:
        """Show the slots of a preview, marking those that have amounts of their own."""
        self._preview, self._own, self._stale, self._measured = preview, own, False, -1
        self.look()

    def look(self) -> None:
        """Show the slots that have been made since."""
        measured = min(self.count, _MEASURED)
        if measured != self._measured and self._preview is not None:
            self._measured = measured
            columns = list(zip(*(self._texts(slot) for slot in self._preview.slots[:measured]), strict=True))
            self._wanted = [
                max([len(title), least, *map(cell_len, column)])
                for title, least, column in zip(_TITLES, _LEAST, columns or [()] * len(_TITLES), strict=True)
            ]
            self._wanted[0] = max(self._wanted[0], len(f"{self._preview.total_slots - 1}"))
            self._share()
            self.refresh()
        if self.count != self._known:
            self._known = self.count
            self.rows_changed()

    def grow_stale(self) -> None:
        """Say that the draft is another one by now."""
        if not self._stale:
            self._stale = True
            self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return (self.count > 0 and (not self._stale or None)) if action == "choose" else True

    def on_resize(self) -> None:
        self._share()
        super().on_resize()

    def header(self) -> str:
        return self._line(_TITLES)

    def nothing(self) -> str:
        return "The slots come as soon as the form has no problems."

    def row(self, place: int, ink: Inks) -> Sequence[Segment]:
        assert self._preview is not None
        slot = self._preview.slots[place]
        text = self._line(self._texts(slot))
        if self._stale:
            return [Segment(text, ink.muted)]
        if slot.sequence in self._own:
            return [Segment(text, ink.strong)]
        return [Segment(text, ink.plain)]

    def _line(self, texts: Sequence[str]) -> str:
        return " ".join(
            fit_middle(text, width) if column == 1 else fit(text, width, right=column not in _LEFT)
            for column, (text, width) in enumerate(zip(texts, self._widths, strict=False))
            if width
        )

    def _texts(self, slot: ActionSlot) -> tuple[str, ...]:
        assert self._preview is not None
        action = slot.action
        return (
            f"{slot.sequence}",
            name(self._preview.names.get(slot.account_id, slot.account_id)),
            name(action.market.symbol),
            action.side.word,
            quantity(action.market, action.quantity),
            price(action.market, action.price),
            number(action.notional, 2),
            _OWN if slot.sequence in self._own else "",
        )

    def _share(self) -> None:
        """Give the columns what they want; where that is too much, names get less, then figures."""
        if not self._wanted:
            return
        widths = list(self._wanted)
        over = sum(widths) + len(widths) - self.size.width + 1
        for column, least in ((1, 14), (2, 8), (1, 8), (4, 8), (6, 8), (5, 8), (2, 4)):
            less = min(max(over, 0), max(widths[column] - least, 0))
            widths[column] -= less
            over -= less
        self._widths = widths
