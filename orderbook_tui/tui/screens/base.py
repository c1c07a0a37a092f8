"""What all screens have in common."""

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.place_tabs import PlaceTabs
from orderbook_tui.tui.widgets.status_strip import StatusStrip

if TYPE_CHECKING:
    from orderbook_tui.tui.app import OrderbookApp

Answer = TypeVar("Answer")

RUN_KEYS = ("start_or_pause", "step", "faster", "slower", "run_options")
"""The actions that steer the run, the same on every screen."""


class RunScreen(Screen[None]):
    """A screen with the run's strip on top and the keys at the bottom; `body` is what lies between them.

    `pulse` is called up to 20 times a second while it is shown.
    """

    NAME: ClassVar[str] = ""
    HELP_TEXT: ClassVar[str] = ""
    """What the screen is for, in a few sentences; the keys are added from its bindings."""
    FOCUSED_KEYS_FIRST: ClassVar[bool] = False
    """Whether the key bar begins with the keys of the focused widget, and not with those of the screen."""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - as its base class declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "start_or_pause", "Start", id="run.start_or_pause", tooltip="start the run, pause it, let it go on"),
        Binding("n", "step", "Step", id="run.step", tooltip="run one slot, then pause"),
        Binding("plus", "faster", "Faster", show=False, key_display="+", id="run.faster", tooltip="double the rate of the run"),
        Binding("minus", "slower", "Slower", show=False, key_display="-", id="run.slower", tooltip="halve the rate of the run"),
        Binding(
            "o", "run_options", "Run to", id="run.options", tooltip="rate, run to a slot, and what else makes the run pause"
        ),
    ]

    def compose(self) -> ComposeResult:
        # Textual sets these with the first resize, which comes after the first frame.
        for breakpoints, size in (
            (self.HORIZONTAL_BREAKPOINTS, self.app.size.width),
            (self.VERTICAL_BREAKPOINTS, self.app.size.height),
        ):
            holds = max((place for place in breakpoints if place[0] <= size), default=(0, ""))[1]
            for _, called in breakpoints:
                self.set_class(called == holds, called)
        yield StatusStrip()
        yield PlaceTabs()
        yield from self.body()
        yield KeyBar()

    def body(self) -> ComposeResult:
        """Yield what the screen shows."""
        yield from ()

    @property
    def run_app(self) -> "OrderbookApp":
        return _run_app(self)

    @property
    def simulation(self) -> Simulation | None:
        return self.run_app.simulation

    def pulse(self) -> None:
        """Show what is new."""
        self.query_one(StatusStrip).look(self.simulation)

    def show_simulation(self) -> None:
        """Show the app's simulation, which may be another one than before."""
        self.pulse()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action not in RUN_KEYS:
            return True
        simulation = self.simulation
        if simulation is None or simulation.status is RunStatus.DONE:
            return False
        return action != "step" or simulation.status is not RunStatus.WAITING

    def key_label(self, action: str) -> str | None:
        """Return what a key does just now, where that changes."""
        simulation = self.simulation
        if action != "start_or_pause" or simulation is None:
            return None
        match simulation.status:
            case RunStatus.RUNNING:
                return "Pause"
            case RunStatus.PAUSED | RunStatus.STOPPED:
                return "Go on"
            case RunStatus.WAITING:
                return "Decide"
        return "Start"

    def action_start_or_pause(self) -> None:
        self.run_app.start_or_pause()

    def action_step(self) -> None:
        self.run_app.step()

    def action_faster(self) -> None:
        self.run_app.change_rate(faster=True)

    def action_slower(self) -> None:
        self.run_app.change_rate(faster=False)

    def action_run_options(self) -> None:
        self.run_app.ask_run_options()


class DialogScreen(ModalScreen[Answer]):
    """A dialog. Its background is opaque: a dimmed one would repaint the table beneath with every frame."""

    NAME: ClassVar[str] = ""
    HELP_TEXT: ClassVar[str] = ""
    """What there is to know about it; the keys are added from its bindings."""

    @property
    def run_app(self) -> "OrderbookApp":
        return _run_app(self)

    def pulse(self) -> None:
        """Show what is new."""
        for strip in self.query(StatusStrip):
            strip.look(self.run_app.simulation)

    def action_help(self) -> None:
        self.run_app.action_help()


def _run_app(screen: Screen[Answer]) -> "OrderbookApp":
    from orderbook_tui.tui.app import OrderbookApp

    app = screen.app
    assert isinstance(app, OrderbookApp)
    return app
