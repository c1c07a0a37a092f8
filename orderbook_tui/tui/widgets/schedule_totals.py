"""The whole of a schedule: how many slots and pairs, what each market trades, how large the trades are."""

from rich.style import Style
from rich.text import Text

from orderbook_tui.engine.drafting import Preview
from orderbook_tui.tui.figures import fit, fit_middle, name, number
from orderbook_tui.tui.theme import Inks, inks
from orderbook_tui.tui.widgets.histogram import columns
from orderbook_tui.tui.widgets.text_lines import TextLines

_HEIGHT = 3
_BAR = 2


class ScheduleTotals(TextLines):
    """Shows the totals of a preview, as far as it is."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, one_line_each=True)
        self._shown: tuple[object, ...] = ()
        self._looked_at: tuple[Preview | None, int, bool] = (None, 0, False)

    def look(self, preview: Preview | None, problems: int, *, stale: bool) -> None:
        """Show a preview as it is now. A draft that has problems has none."""
        self._looked_at = preview, problems, stale
        counted = (preview is not None, preview and (len(preview.slots), preview.done, int(100 * preview.progress)))
        shown = (id(preview), counted, problems, stale, self.app.theme)
        if shown == self._shown:
            return
        self._shown = shown
        ink = inks(self.app)
        self.show(_lines(preview, stale, ink) if preview is not None else [_waiting(problems, ink)])

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted:
            preview, problems, stale = self._looked_at
            self.look(preview, problems, stale=stale)


def _waiting(problems: int, ink: Inks) -> Text:
    if problems:
        return Text().append(f"The preview comes when the form's problems ({problems}) are mended.", ink.muted)
    return Text().append("Planning …", ink.muted)


def _lines(preview: Preview, stale: bool, ink: Inks) -> list[Text]:
    state = "before the last change" if stale else "all planned" if preview.done else f"planning {int(100 * preview.progress)}%"
    plain = ink.muted if stale else ink.plain
    lines = [
        Text()
        .append(f"{preview.total_slots:,} slots in {preview.total_pairs:,} pairs", ink.muted if stale else ink.strong)
        .append(f"   {state}", ink.muted)
    ]
    rows = [
        (name(volume.market), f"{volume.pairs:,}", f"{number(volume.quantity)} {name(volume.base)}",
         f"{number(volume.notional, 2)} {name(volume.quote)}")
        for volume in preview.volumes
    ]  # fmt: skip
    titles = ("market", "pairs", "volume", "worth")
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    widths[0] = min(widths[0], 20)
    widths[2], widths[3] = min(widths[2], 30), min(widths[3], 30)
    for row, style in ((titles, ink.muted), *((row, plain) for row in rows)):
        figures = "  ".join(fit(text, width, right=True) for text, width in zip(row[1:], widths[1:], strict=True))
        lines.append(Text().append(f"{fit_middle(row[0], widths[0])}  {figures}", style))
    return lines + _sizes(preview, plain, ink)


def _sizes(preview: Preview, plain: Style, ink: Inks) -> list[Text]:
    """Return the histogram of the sizes of pairs, with what it counts beside it."""
    histogram = preview.histogram
    if histogram is None:
        return []
    bars = columns(histogram.counts, _HEIGHT, _BAR)
    words = [
        "sizes of pairs",
        f"{number(histogram.edges[0], 2)} .. {number(histogram.edges[-1], 2)}",
        f"up to {max(histogram.counts):,} a bar",
    ]
    return [Text().append(bar, plain).append(f"  {said}", ink.muted) for bar, said in zip(bars, words, strict=True)]
