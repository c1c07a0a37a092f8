"""Slots: the live table of the run, a filter on it, one slot in full, and the budgets that the run draws on."""

import asyncio
import time
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static
from textual.worker import Worker

from orderbook_tui.core.slot import SlotState
from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.tui.figures import name
from orderbook_tui.tui.matching_slots import MatchingSlots, failed_from
from orderbook_tui.tui.screens.base import RunScreen
from orderbook_tui.tui.slot_filter import FilterError, Names, SlotFilter, term, toggled
from orderbook_tui.tui.widgets.budget_totals import BudgetTotals
from orderbook_tui.tui.widgets.slot_details import SlotDetails
from orderbook_tui.tui.widgets.slot_filter import FilterField, SlotFilterBar
from orderbook_tui.tui.widgets.slot_line import settled_verdict
from orderbook_tui.tui.widgets.slot_table import SlotTable

_EVERY: Final = 5
"""Pulses from one look at budgets and details to the next."""
_EVERY_WHILE_SEARCHING: Final = 10
SLICE_S: Final = 0.005
"""How long the slots are searched at a stretch. A block of them more may be looked at: about 2 ms."""
_SLICE_BESIDE_A_RUN_S: Final = 0.002
_REST_BESIDE_A_RUN_S: Final = 0.006
_NOTHING_OPEN = """\
No run is open.

Press 1 to build one and start it, 5 to take one up from its
checkpoint, or leave with q and open a config file, such as

    orderbook-tui configs/simulator.json
"""


class SlotsScreen(RunScreen):
    """The slots of the run, one a line."""

    NAME = "Slots"
    CSS_PATH = "slots.tcss"
    AUTO_FOCUS = "SlotTable"
    HELP_TEXT = (
        "Every line is one scheduled order. Slots 2k and 2k+1 are a pair that must cross; the verdict says whether a slot was "
        "filled by whom it should be. While the table follows the run, the cursor keeps to the slot where the run is; moving "
        "it ends that, f begins it again. A slot whose retries are spent opens a dialog and waits for you; one that was left "
        "Failed can be retried or skipped here afterwards.\n\n"
        "A filter is made of words and of terms such as state:failed, state:failed,skipped, account:test-account-3, "
        'market:"BTC-USD", side:bid, verdict:unmatched, is:retried, is:open, is:decided, error:budget or order:17. What stands '
        "beside each other must all be so; a minus before it, as in -verdict:matched, takes what is not so. The arrow to the "
        "right takes what is suggested. The keys w, a, m and v, and the right button of the mouse on a cell, filter by what is "
        "under the cursor, and undo that. Slots come and go as the run changes them."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "retry", "Retry", id="slots.retry", tooltip="run the failed slot under the cursor once more"),
        Binding("s", "skip", "Skip", id="slots.skip", tooltip="give the failed slot under the cursor up"),
        Binding("slash", "filter", "Filter", key_display="/", id="slots.filter", tooltip="show only the slots that match"),
        Binding("escape", "clear_filter", "All slots", id="slots.clear_filter", tooltip="show all slots again"),
        Binding("e", "next_failed", "Next failed", id="slots.next_failed", tooltip="go to the next failed slot"),
        Binding("E", "previous_failed", "Previous failed", show=False, id="slots.previous_failed", tooltip="the one before"),
        Binding("R", "retry_all", "Retry all", show=False, id="slots.retry_all", tooltip="run all failed slots once more"),
        Binding("f", "follow", "Follow", id="slots.follow", tooltip="keep the cursor on the slot where the run is"),
        Binding("g", "go_to", "Go to", show=False, id="slots.go_to", tooltip="go to a slot by its number"),
        Binding("w", "filter_by('state')", "State", show=False, id="slots.by_state", tooltip="slots in the same state"),
        Binding("a", "filter_by('account')", "Account", show=False, id="slots.by_account", tooltip="slots of the same account"),
        Binding("m", "filter_by('market')", "Market", show=False, id="slots.by_market", tooltip="slots on the same market"),
        Binding("v", "filter_by('verdict')", "Verdict", show=False, id="slots.by_verdict", tooltip="slots that came out so"),
        Binding("y", "copy", "Copy", show=False, id="slots.copy", tooltip="copy the line under the cursor to the clipboard"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._pulses = 0
        self._names: Names | None = None
        self._matching: MatchingSlots | None = None
        self._error = ""
        self._search_worker: Worker[None] | None = None
        self._could: tuple[object, ...] = ()

    def body(self) -> ComposeResult:
        yield SlotFilterBar(id="filter")
        yield SlotTable(id="slots")
        yield Static(_NOTHING_OPEN, id="nothing", markup=False)
        with Horizontal(id="panels"):
            yield SlotDetails(id="details")
            yield BudgetTotals(id="budgets")

    def on_mount(self) -> None:
        self.query_one("#details").border_title = "Slot"
        self.query_one("#budgets").border_title = "Budgets"
        self.show_simulation()

    def on_screen_resume(self) -> None:
        self.pulse()

    @property
    def _table(self) -> SlotTable:
        return self.query_one(SlotTable)

    @property
    def _bar(self) -> SlotFilterBar:
        return self.query_one(SlotFilterBar)

    def show_simulation(self) -> None:
        """Show the app's simulation, which may be another one than before."""
        simulation = self.simulation
        self.set_class(simulation is None, "-nothing-open")
        self._names = self._matching = None
        self._error = ""
        self._bar.clear(len(simulation.slots) if simulation is not None else 0)
        self._table.show(simulation)
        self.query_one(BudgetTotals).show(simulation)
        self.pulse()

    def pulse(self) -> None:
        super().pulse()
        self._pulses += 1
        if self._matching is not None and not self._is_searching:
            self._matching.look()
            if not self._matching.work(_SLICE_BESIDE_A_RUN_S):
                self._search(self._matching)
        if not self._is_searching or self._pulses % _EVERY_WHILE_SEARCHING == 0:
            # While results come in by the thousand, drawing them would take longer than finding them.
            self._table.look()
            self._count()
        # What nobody can read 20 times a second is not drawn so often. A slot that was gone to is there at once.
        if self._pulses % _EVERY == 0 or not self._is_running:
            self.query_one(BudgetTotals).look()
        self._detail()  # always of the slot under the cursor, as that is now
        self._note_what_can_be_done()

    @property
    def _is_searching(self) -> bool:
        return self._search_worker is not None and not self._search_worker.is_finished

    @property
    def _is_running(self) -> bool:
        return self.simulation is not None and self.simulation.status is RunStatus.RUNNING

    def _detail(self) -> None:
        details = self.query_one(SlotDetails)
        if details.size.height and not self._is_searching:
            details.look(self.simulation, self._table.slot)

    def on_slot_table_moved(self) -> None:
        if not self._table.following:
            self._detail()
            self._note_what_can_be_done()

    def on_slot_table_opened(self, event: SlotTable.Opened) -> None:
        from orderbook_tui.tui.screens.details import DetailsScreen

        self.app.push_screen(DetailsScreen(event.slot))

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        simulation = self.simulation
        match action:
            case "follow":
                return simulation is not None and simulation.status is not RunStatus.DONE
            case "go_to":
                return simulation is not None
            case "filter":
                return simulation is not None and not isinstance(self.focused, FilterField)
            case "clear_filter":
                return bool(self._bar.text)
            case "filter_by" | "copy":
                return self._table.slot is not None
            case "next_failed" | "previous_failed":
                return simulation is not None and simulation.stats.failed_slots > 0
            case "retry_all":
                return self._may_revisit and simulation is not None and simulation.stats.failed_slots > 0
            case "retry" | "skip":
                slot = self._table.slot
                return self._may_revisit and slot is not None and slot.state is SlotState.FAILED
        return super().check_action(action, parameters)

    @property
    def _may_revisit(self) -> bool:
        return self.simulation is not None and self.simulation.status not in (RunStatus.RUNNING, RunStatus.WAITING)

    def _note_what_can_be_done(self) -> None:
        """Have the keys shown that act on the slot under the cursor, if those have changed."""
        slot, table, simulation = self._table.slot, self._table, self.simulation
        any_failed = simulation is not None and simulation.stats.failed_slots > 0
        could = slot is not None and slot.state is SlotState.FAILED, any_failed, bool(self._bar.text), table.following
        if could != self._could:
            self._could = could
            self.refresh_bindings()

    def key_label(self, action: str) -> str | None:
        if action == "follow":
            return "Unfollow" if self._table.following else "Follow"
        return super().key_label(action)

    def action_follow(self) -> None:
        self._table.following = not self._table.following
        self.refresh_bindings()

    def action_go_to(self) -> None:
        from orderbook_tui.tui.screens.go_to import GoToScreen

        simulation = self.simulation
        if simulation is not None:
            self.app.push_screen(GoToScreen(len(simulation.slots)), self._go_to)

    def _go_to(self, sequence: int | None) -> None:
        if sequence is None:
            return
        self._table.go_to(sequence)
        slot = self._table.slot
        if slot is None:
            self.notify(f"Slot {sequence} does not match the filter, nor does any other.", timeout=4, markup=False)
        elif slot.sequence != sequence:
            nearest = "next" if slot.sequence > sequence else "last"
            text = f"Slot {sequence} does not match the filter: this is the {nearest} one that does."
            self.notify(text, timeout=4, markup=False)

    def action_retry(self) -> None:
        if (slot := self._table.slot) is not None:
            self.run_app.revisit([slot.sequence])

    def action_skip(self) -> None:
        if (slot := self._table.slot) is not None:
            self.run_app.skip_failed([slot.sequence])

    def action_retry_all(self) -> None:
        self.run_app.revisit(None)

    def action_copy(self) -> None:
        slot, row = self._table.slot, self._table.row_text()
        if slot is not None and row is not None:
            self.app.copy_to_clipboard(row)
            self.notify(f"The line of slot {slot.sequence} is copied, with tabs between its columns.", timeout=3, markup=False)

    # Failed slots

    def action_next_failed(self) -> None:
        self.run_worker(self._to_failed(backwards=False), group="seek", exclusive=True)

    def action_previous_failed(self) -> None:
        self.run_worker(self._to_failed(backwards=True), group="seek", exclusive=True)

    async def _to_failed(self, *, backwards: bool) -> None:
        """Go to the next Failed slot among those that are shown, round the end if need be."""
        simulation, slot = self.simulation, self._table.slot
        if simulation is None:
            return
        start = slot.sequence if slot is not None else 0
        chosen = self._matching.chosen if self._matching is not None else None
        until = time.perf_counter() + SLICE_S
        for found in failed_from(simulation.slots, start, chosen, backwards=backwards):
            if found is not None:
                self._table.go_to(found.sequence)
                if found is slot:
                    self.notify("There is no other failed slot.", timeout=3, markup=False)
                elif (found.sequence > start) is backwards:
                    end = "last" if backwards else "first"
                    self.notify(f"Round the end: this is the {end} failed slot.", timeout=3, markup=False)
                return
            if time.perf_counter() > until:
                await asyncio.sleep(0)
                until = time.perf_counter() + SLICE_S
        among = " among those that are shown" if chosen is not None else ""
        self.notify(f"No slot has failed{among}.", timeout=3, markup=False)

    # The filter

    def action_filter(self) -> None:
        self._bar.suggest(self._known_names())
        self._bar.open()

    def action_clear_filter(self) -> None:
        self._bar.text = ""

    def action_filter_by(self, field: str) -> None:
        slot, simulation = self._table.slot, self.simulation
        if slot is None or simulation is None:
            return
        verdict = settled_verdict(slot)
        values = {
            "state": slot.state.value.casefold(),
            "account": name(simulation.account_name(slot.account_id)),
            "market": name(slot.action.market.symbol),
            "side": slot.action.side.word.casefold(),
            "verdict": verdict.value if verdict is not None else "",
        }
        if value := values.get(field):
            self._bar.text = toggled(self._bar.text, term(field, value))
        elif field == "verdict":
            self.notify(f"Slot {slot.sequence} has no verdict yet.", timeout=3, markup=False)

    def on_slot_table_picked(self, event: SlotTable.Picked) -> None:
        self.action_filter_by(event.column)

    def on_filter_field_left(self) -> None:
        if self.focused is None:
            self._table.focus()

    def on_slot_filter_bar_changed(self, event: SlotFilterBar.Changed) -> None:
        simulation = self.simulation
        if simulation is None:
            return
        try:
            chosen = SlotFilter(event.text, self._known_names())
        except FilterError as error:
            self._error = str(error)
        else:
            self._error = ""
            here = self._table.slot
            around = here.sequence if here else 0
            self._matching = MatchingSlots(simulation.state, chosen, around, lambda: simulation.in_flight) if chosen else None
            if self._matching is not None:
                self._search(self._matching)
            self._table.narrow(self._matching)
        self._count()
        self._note_what_can_be_done()

    def _known_names(self) -> Names:
        assert self.simulation is not None
        if self._names is None:
            self._names = Names(self.simulation)
        return self._names

    def _search(self, matching: MatchingSlots) -> None:
        self._search_worker = self.run_worker(self._searched(matching), group="filter", exclusive=True)

    async def _searched(self, matching: MatchingSlots) -> None:
        """Find all that match, in slices. Beside a run at full speed those are short, with rests between them."""
        first = True
        while matching is self._matching:
            done = matching.work(_SLICE_BESIDE_A_RUN_S if self._is_running else SLICE_S)
            if done or first:
                self._table.look()
                self._count()
            if done:
                break
            first = False
            await asyncio.sleep(_REST_BESIDE_A_RUN_S if self._is_running else 0)

    def _count(self) -> None:
        """Say how many slots match."""
        matching, simulation = self._matching, self.simulation
        count = ""
        if matching is not None and simulation is not None:
            more = "" if matching.complete else " ..."
            count = f"{len(matching):,} of {len(simulation.slots):,}{more}"
        self._bar.say(count, self._error)
