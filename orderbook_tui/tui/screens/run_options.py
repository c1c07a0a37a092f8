"""How the run goes: its rate, the slot that it is to run to, and what else makes it pause."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.stopping import StopConditions
from orderbook_tui.errors import OrderbookTuiError
from orderbook_tui.tui.figures import message
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.status_strip import StatusStrip
from orderbook_tui.tui.widgets.tick_box import TickBox

_CONDITIONS: Final = {
    "on_failure": "an attempt fails",
    "on_depleted": "a budget is depleted",
    "on_verdict": "a slot ends with another verdict than matched",
}


class _Condition(TickBox):
    """Something to tick; Enter sets the whole dialog, as in its other fields."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "set", "Set", id="options.set_here", tooltip="set it so"),
    ]

    async def action_set(self) -> None:
        await self.screen.run_action("settle(False)")


class RunOptionsScreen(DialogScreen[bool]):
    """Sets rate and stop conditions of a run. Answers whether the run is to go on now."""

    CSS_PATH = "run_options.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "settle(False)", "Set", priority=True, id="options.set", tooltip="set it so"),
        Binding(
            "f9", "settle(True)", "Set and run", priority=True, id="options.run", tooltip="set it so, and let the run go on"
        ),
        Binding("escape", "leave", "Back", id="options.leave", tooltip="change nothing"),
    ]

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self._simulation = simulation

    def compose(self) -> ComposeResult:
        rate, conditions = self._simulation.control.slots_per_second, self._simulation.stop_conditions
        slot = conditions.slot
        yield StatusStrip()
        with Vertical(id="box"):
            yield Static("Slots a second at most (empty: as fast as it goes)", markup=False)
            yield Input("" if rate is None else f"{rate:g}", type="number", compact=True, id="rate")
            yield Static(f"Run to slot, and pause before it (1 .. {self._simulation.stats.total_slots - 1})", markup=False)
            yield Input("" if slot is None else f"{slot}", type="integer", compact=True, id="slot")
            yield Static("Pause when", markup=False)
            for called, what in _CONDITIONS.items():
                yield _Condition(what, getattr(conditions, called), compact=True, id=called)
            yield Static("", markup=False, id="wrong")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#box").border_title = "How the run goes"
        self.query_one("#rate", Input).focus()
        self.pulse()

    def on_input_submitted(self) -> None:
        self.action_settle(run_now=False)

    def action_previous(self) -> None:
        self.focus_previous()

    def action_next(self) -> None:
        self.focus_next()

    def action_leave(self) -> None:
        self.dismiss(result=False)

    def action_settle(self, run_now: bool) -> None:
        try:
            self._settle()
        except (OrderbookTuiError, ValueError) as error:
            self.query_one("#wrong", Static).update(message(str(error)))
        else:
            self.dismiss(run_now)

    def _settle(self) -> None:
        rate, slot = (self.query_one(f"#{called}", Input).value.strip() for called in ("rate", "slot"))
        # Both are read before either is set: what is refused changes nothing.
        limit = float(rate) if rate else None
        if limit is not None and not 0.00001 <= limit <= 10_000_000:
            raise ValueError(f"{rate} is not a rate: 0.00001 .. 10000000 slots a second")
        self._simulation.stop_conditions = StopConditions(
            slot=int(slot) if slot else None,
            **{called: self.query_one(f"#{called}", TickBox).value for called in _CONDITIONS},
        )
        self._simulation.control.slots_per_second = limit
