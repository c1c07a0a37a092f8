"""What is known of one checkpoint, in a few lines."""

import time
from collections.abc import Iterable
from typing import Final

from rich.text import Text
from textual.widget import Widget

from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.tui.checkpoint_lines import Line, many, shortened
from orderbook_tui.tui.figures import ago, message, name, size
from orderbook_tui.tui.theme import Inks, inks
from orderbook_tui.tui.widgets.checkpoint_table import state_ink
from orderbook_tui.tui.widgets.text_lines import TextLines

_NEXT: Final = {
    RunStatus.READY: "It is open here, ready to start.",
    RunStatus.RUNNING: "It is open here, and running.",
    RunStatus.PAUSED: "It is open here, and paused.",
    RunStatus.WAITING: "It is open here, and waits for your answer.",
    RunStatus.STOPPED: "It is open here, and stopped.",
    RunStatus.DONE: "It is open here, and done.",
}


class CheckpointDetails(TextLines):
    """Shows four lines on a checkpoint; those of one that cannot be opened say why."""

    HEIGHT: Final = 4

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, focusable=False, one_line_each=True)

    def show_line(self, line: Line | None) -> None:
        """Show a checkpoint, or nothing."""
        shown = _described(self, line, inks(self.app)) if line is not None and self.size.width else []
        if shown != self._paragraphs:
            self.show(shown)


def _described(widget: Widget, line: Line, ink: Inks) -> list[Text]:
    info, width = line.info, widget.size.width
    called = shortened(name(line.called), max(width // 2, 10))
    # What has no span has no colour when it is drawn.
    title = Text().append(called, ink.strong).append(f"  {line.state}", state_ink(line, ink))
    if line.info.name:
        title.append("  ").append(shortened(name(info.id), max(width - title.cell_len, 5)), ink.muted)
    if not line.opens and not line.is_readable:
        reason = Text().append(message(info.reason), ink.bad)
        return [title, *_cut(reason.wrap(widget.app.console, width), CheckpointDetails.HEIGHT - 1)]
    made_of = f"{many(info.accounts, 'account')}, {many(info.markets, 'market')}, " if info.accounts else ""
    seed = f", seed {info.seed}" if info.seed is not None else ""
    left = info.total_slots - line.ended
    lines = [
        title,
        Text().append(f"{made_of}{many(info.total_slots, 'slot')}{seed}", ink.plain),
        Text()
        .append(f"{info.completed:,} completed, ", ink.plain)
        .append(f"{info.failed:,} failed", ink.bad if info.failed else ink.plain)
        .append(f", {info.skipped:,} skipped, {left:,} to go", ink.plain),
        Text().append(f"begun {_moment(info.created_at)}, saved {ago(info.saved_at)}, {size(info.size)}. ", ink.muted),
    ]
    if line.here is not None:
        lines[3].append(_NEXT[line.here], ink.plain)
    elif info.reason:
        # What a checkpoint that can be opened has to say outweighs how many slots of it were skipped.
        lines[3] = Text().append(message(info.reason), ink.warn)
    return lines


def _cut(lines: Iterable[Text], most: int) -> list[Text]:
    kept = list(lines)
    if len(kept) > most:
        kept = kept[:most]
        kept[-1].truncate(max(kept[-1].cell_len - 1, 0))
        kept[-1].append("…")
    return kept


def _moment(nanoseconds: int) -> str:
    return (
        time.strftime("%Y-%m-%d %H:%M", time.localtime(nanoseconds // 1_000_000_000)) if nanoseconds else "at an unknown time"
    )
