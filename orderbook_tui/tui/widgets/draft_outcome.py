"""What a draft leads to: its totals, its slots, what it asks of each budget. It is planned once the draft rests.

show --a moment after the last change--> Preview --a slice at a time--> totals, slots, needs
"""

import asyncio
from collections.abc import Callable
from typing import Final

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from orderbook_tui.engine.drafting import ConfigDraft, Preview
from orderbook_tui.errors import ConfigError
from orderbook_tui.tui.figures import message
from orderbook_tui.tui.slices import in_slices
from orderbook_tui.tui.widgets.needs_table import NeedsTable
from orderbook_tui.tui.widgets.preview_table import PreviewTable
from orderbook_tui.tui.widgets.schedule_totals import ScheduleTotals

_REST: Final = 0.2
"""Seconds from the last change to the next preview."""
_MANY_ACCOUNTS: Final = 5_000


class DraftOutcome(Vertical):
    """Plans a draft, and shows as much of the plan as there is. While `busy` says so, it takes less of the time."""

    class Refused(Message):
        """The draft makes no such schedule: what is wrong with it, by path. Nobody knows before it is made."""

        def __init__(self, problems: dict[str, str]) -> None:
            super().__init__()
            self.problems = problems

    class Planned(Message):
        """All is planned, and whether every slot passes is known."""

    def __init__(self, busy: Callable[[], bool], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.preview: Preview | None = None
        """The last one; `is_stale` says whether the draft has changed since."""
        self.is_stale = False
        self._busy = busy
        self._draft: ConfigDraft | None = None
        self._problems = 0
        self._refused: dict[str, str] = {}
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield ScheduleTotals(id="totals")
        yield PreviewTable(id="preview")
        with Vertical(id="preflight"):
            yield Static("", id="passes", markup=False)
            yield NeedsTable(id="needs")

    def on_mount(self) -> None:
        for part, title in (("totals", "Totals"), ("preview", "Slots"), ("preflight", "Needs")):
            self.query_one(f"#{part}").border_title = title

    def show(self, draft: ConfigDraft, problems: int) -> None:
        """Plan a draft, which has changed, once it rests; one that has problems cannot be planned."""
        self.stop()
        if draft is not self._draft:
            self.preview = None
        self._draft, self._problems, self._refused = draft, problems, {}
        self.is_stale = self.preview is not None
        self._look()
        self._plan_soon()

    def stop(self) -> None:
        """Leave the plan as far as it is."""
        self.workers.cancel_group(self, "preview")

    def go_on(self) -> None:
        """Go on planning, if that is not done."""
        if self.preview is None or not self.preview.done:
            self._plan_soon()

    @property
    def refused_slots(self) -> int:
        """How many slots of the draft as it is would not pass, as far as that is known."""
        preflight = self.preview.preflight if self.preview is not None and not self.is_stale else None
        return len(preflight.refused) if preflight is not None else 0

    def _plan_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_REST, self._plan)

    @work(exclusive=True, group="preview")
    async def _plan(self) -> None:
        if self._problems or self._draft is None or not self.screen.is_current:
            return
        preview = self.preview
        if preview is None or self.is_stale:
            try:
                preview = await _begun(self._draft)
            except ConfigError as error:
                self._refuse(dict(error.problems))
                self._look()
                return
        self.preview, self.is_stale = preview, False
        self._look()
        await in_slices(preview, self._look, busy=self._busy)
        self.post_message(self.Planned())

    def _refuse(self, problems: dict[str, str]) -> None:
        if problems != self._refused:
            self._refused = problems
            self.post_message(self.Refused(problems))

    def _look(self) -> None:
        """Show as much of the preview as there is."""
        preview, stale = self.preview, self.is_stale
        table, needs = self.query_one(PreviewTable), self.query_one(NeedsTable)
        if preview is not None and preview.problems and not stale:
            self._refuse(preview.problems)
        self.query_one(ScheduleTotals).look(preview, self._problems + len(self._refused), stale=stale)
        passes = self.query_one("#passes", Static)
        preflight = preview.preflight if preview is not None else None
        said = message(preflight.in_words()) if preflight is not None else ""
        passes.update(Text(f"before the last change: {said}" if stale and said else said))
        passes.set_class(preflight is not None and bool(preflight.refused), "-refused")
        if stale:
            table.grow_stale()
            needs.grow_stale()
            return
        self.screen.refresh_bindings()
        table.show(preview, self._draft.overrides if self._draft is not None else ())
        needs.show(preflight, "Counting …" if preview is not None and not self._problems else "")


async def _begun(draft: ConfigDraft) -> Preview:
    """Begin a preview; so many accounts that the screen would stand still are made beside it."""
    config, folder = draft.config(), draft.folder
    made = config.accounts.generate
    if config.database is not None or made is None or made.count > _MANY_ACCOUNTS:
        return await asyncio.to_thread(Preview, config, folder)
    return draft.preview()
