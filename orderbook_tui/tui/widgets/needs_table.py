"""What a schedule asks of each budget, and which slot is the first that would not pass."""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Final

from rich.segment import Segment

from orderbook_tui.core.preflight import Need, Preflight
from orderbook_tui.tui.figures import fit, fit_middle, name, number
from orderbook_tui.tui.theme import Inks
from orderbook_tui.tui.widgets.cursor_list import CursorList

_TITLES: Final = ("account", "asset", "needed", "budget", "left", "fits?")
_FITS: Final = "fits"
_LAST: Final = 9
_MEASURED: Final = 500
"""Lines that the widths are taken from."""


class NeedsTable(CursorList):
    """One line an account and asset; those that are not enough come first, and say so."""

    BINDINGS: ClassVar = []

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._needs: list[Need] = []
        self._stale = False
        self._waiting = ""
        self._widths: list[int] = []
        self._wanted = [8, 5, 8, 8, 8, _LAST]

    @property
    def count(self) -> int:
        return len(self._needs)

    @property
    def need(self) -> Need | None:
        """The line under the cursor."""
        return self._needs[self.cursor] if self.cursor < len(self._needs) else None

    def show(self, preflight: Preflight | None, waiting: str = "") -> None:
        """Show what a preflight found; where there is none, what is waited for."""
        needs = preflight.needs if preflight is not None else []
        self._needs = sorted(needs, key=lambda need: need.refused is None)
        self._stale, self._waiting = False, waiting
        self._wanted = [8, 5, 8, 8, 8, _LAST]
        for need in self._needs[:_MEASURED]:
            self._wanted = list(map(max, self._wanted, map(len, _words(need))))
        self._share()
        self.rows_changed()

    def grow_stale(self) -> None:
        """Say that the draft is another one by now."""
        if not self._stale:
            self._stale = True
            self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "choose"

    def on_resize(self) -> None:
        self._share()
        super().on_resize()

    def header(self) -> str:
        return self._line(_TITLES)

    def nothing(self) -> str:
        return self._waiting

    def row(self, place: int, ink: Inks) -> Sequence[Segment]:
        need = self._needs[place]
        words = _words(need)
        text = self._line(words)
        if self._stale:
            return [Segment(text, ink.muted)]
        head, last = text[: -self._widths[-1]], text[-self._widths[-1] :]
        return [Segment(head, ink.plain), Segment(last, ink.good if need.refused is None else ink.bad)]

    def _line(self, texts: Sequence[str]) -> str:
        return " ".join(
            fit_middle(text, width) if column == 0 else fit(text, width, right=1 < column < len(texts) - 1)
            for column, (text, width) in enumerate(zip(texts, self._widths, strict=False))
        )

    def _share(self) -> None:
        widths = list(self._wanted)
        over = sum(widths) + len(widths) - self.size.width + 1
        for column, least in ((0, 14), (0, 8), (1, 5), (2, 9), (3, 9), (4, 9)):
            less = min(max(over, 0), max(widths[column] - least, 0))
            widths[column] -= less
            over -= less
        self._widths = widths


def _words(need: Need) -> tuple[str, ...]:
    last = _FITS if need.refused is None else f"✗ slot {need.refused:,}"
    figures = (_figure(amount) for amount in (need.needed, need.budget, need.left))
    return name(need.account), name(need.asset), *figures, last


def _figure(amount: Decimal) -> str:
    return number(amount, 2)
