"""What all screens have in common."""

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import BindingType
from textual.screen import ModalScreen, Screen

from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.widgets.status_strip import StatusStrip

if TYPE_CHECKING:
    from orderbook_tui.tui.app import OrderbookApp

Answer = TypeVar("Answer")


class RunScreen(Screen[None]):
    """A screen with the run's strip on top. `pulse` is called up to 20 times a second while it is shown."""

    NAME: ClassVar[str] = ""
    HELP_TEXT: ClassVar[str] = ""
    """What the screen is for, in a few sentences; the keys are added from its bindings."""
    FOCUSED_KEYS_FIRST: ClassVar[bool] = False
    """Whether the key bar begins with the keys of the focused widget, and not with those of the screen."""
    BINDINGS: ClassVar[list[BindingType]] = []

    @property
    def run_app(self) -> "OrderbookApp":
        return _run_app(self)

    @property
    def simulation(self) -> Simulation | None:
        return self.run_app.simulation

    def pulse(self) -> None:
        """Show what is new."""
        self.query_one(StatusStrip).look(self.simulation)

    def key_label(self, action: str) -> str | None:
        """Return what a key does just now, where that changes."""
        return None


class DialogScreen(ModalScreen[Answer]):
    """A dialog. Its background is opaque: a dimmed one would repaint the table beneath with every frame."""

    @property
    def run_app(self) -> "OrderbookApp":
        return _run_app(self)

    def pulse(self) -> None:
        """Show what is new."""
        for strip in self.query(StatusStrip):
            strip.look(self.run_app.simulation)


def _run_app(screen: Screen[Answer]) -> "OrderbookApp":
    from orderbook_tui.tui.app import OrderbookApp

    app = screen.app
    assert isinstance(app, OrderbookApp)
    return app
