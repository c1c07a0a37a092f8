"""Slots: the live table of the run, the budgets it draws on, and the keys that run it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.tui.screens.base import RunScreen
from orderbook_tui.tui.widgets.budget_totals import BudgetTotals
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.slot_details import SlotDetails
from orderbook_tui.tui.widgets.slot_table import SlotTable
from orderbook_tui.tui.widgets.status_strip import StatusStrip

_EVERY = 5
"""Pulses from one look at budgets and details to the next."""
_NOTHING_OPEN = """\
No run is open.

Press 5 to take one up from its checkpoint, or leave with q
and start one:

    orderbook-tui configs/simulator.json
"""


class SlotsScreen(RunScreen):
    """The slots of the run, one a line."""

    NAME = "Slots"
    CSS_PATH = "slots.tcss"
    AUTO_FOCUS = "SlotTable"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - as its base class declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    HELP_TEXT = (
        "Every line is one scheduled order. Slots 2k and 2k+1 are a pair that must cross; the verdict says whether a slot was "
        "filled by whom it should be. While the table follows the run, the cursor keeps to the slot where the run is; moving "
        "it ends that, f begins it again. A slot whose retries are spent opens a dialog and waits for you."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "start_or_pause", "Start", id="run.start_or_pause", tooltip="start the run, pause it, let it go on"),
        Binding("n", "step", "Step", id="run.step", tooltip="run one slot, then pause"),
        Binding("f", "follow", "Follow", id="slots.follow", tooltip="keep the cursor on the slot where the run is"),
        Binding("g", "go_to", "Go to", show=False, id="slots.go_to", tooltip="go to a slot by its number"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._pulses = 0

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        yield SlotTable(id="slots")
        yield Static(_NOTHING_OPEN, id="nothing", markup=False)
        with Horizontal(id="panels"):
            yield SlotDetails(id="details")
            yield BudgetTotals(id="budgets")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#details").border_title = "Slot"
        self.query_one("#budgets").border_title = "Budgets"
        self.show_simulation()

    def on_screen_resume(self) -> None:
        self.pulse()

    def show_simulation(self) -> None:
        """Show the app's simulation, which may be another one than before."""
        simulation = self.simulation
        self.set_class(simulation is None, "-nothing-open")
        self.query_one(SlotTable).show(simulation)
        self.query_one(BudgetTotals).show(simulation)
        self.pulse()

    def pulse(self) -> None:
        super().pulse()
        table = self.query_one(SlotTable)
        table.look()
        self._pulses += 1
        # What nobody can read 20 times a second is not drawn so often. A slot that was gone to is there at once.
        if self._pulses % _EVERY == 0 or not (simulation := self.simulation) or simulation.status is not RunStatus.RUNNING:
            self.query_one(BudgetTotals).look()
            self._detail()

    def on_slot_table_moved(self) -> None:
        if not self.query_one(SlotTable).following:
            self._detail()

    def _detail(self) -> None:
        details = self.query_one(SlotDetails)
        if details.size.height:
            details.look(self.simulation, self.query_one(SlotTable).slot)

    def on_slot_table_opened(self, event: SlotTable.Opened) -> None:
        from orderbook_tui.tui.screens.details import DetailsScreen

        self.app.push_screen(DetailsScreen(event.slot))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        simulation = self.simulation
        match action:
            case "start_or_pause" | "step":
                return simulation is not None and simulation.status not in (RunStatus.DONE, RunStatus.WAITING)
            case "follow" | "go_to":
                return simulation is not None
        return True

    def key_label(self, action: str) -> str | None:
        simulation = self.simulation
        if action == "follow":
            return "Unfollow" if self.query_one(SlotTable).following else "Follow"
        if action != "start_or_pause" or simulation is None:
            return None
        match simulation.status:
            case RunStatus.RUNNING:
                return "Pause"
            case RunStatus.PAUSED | RunStatus.STOPPED:
                return "Go on"
        return "Start"

    def action_start_or_pause(self) -> None:
        self.run_app.start_or_pause()

    def action_step(self) -> None:
        self.run_app.step()

    def action_follow(self) -> None:
        table = self.query_one(SlotTable)
        table.following = not table.following
        self.refresh_bindings()

    def action_go_to(self) -> None:
        from orderbook_tui.tui.screens.go_to import GoToScreen

        simulation, table = self.simulation, self.query_one(SlotTable)
        if simulation is not None:
            self.app.push_screen(
                GoToScreen(len(simulation.slots)), lambda place: None if place is None else table.move_to(place)
            )
