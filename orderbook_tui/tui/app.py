"""The application: one simulation, and the screens that show it.

keys --> start_or_pause, step, leave --> Simulation --(runs in one worker, on this loop)--> slots, budgets
20 times a second: pulse --> the screen that is shown reads what has changed
"""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from rich.segment import Segment, Segments
from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from orderbook_tui.core.words import harmless
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import StandingAnswers
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.trust import CodeTrust, memory_path
from orderbook_tui.errors import OrderbookTuiError, StorageError
from orderbook_tui.tui.code_question import CodeQuestion
from orderbook_tui.tui.decider import ScreenDecider
from orderbook_tui.tui.figures import message
from orderbook_tui.tui.frames import FRAMES, Frames
from orderbook_tui.tui.leaving import Leaving
from orderbook_tui.tui.notices import Notices
from orderbook_tui.tui.own_terminal import own_terminal
from orderbook_tui.tui.pace import next_rate, rate_in_words
from orderbook_tui.tui.places import PLACES
from orderbook_tui.tui.replacing import Replacing
from orderbook_tui.tui.run_task import RunTask
from orderbook_tui.tui.screens.base import DialogScreen, RunScreen
from orderbook_tui.tui.settings import read_settings, remember_theme
from orderbook_tui.tui.terminal_title import TerminalTitle
from orderbook_tui.tui.theme import DARK, THEMES

if TYPE_CHECKING:
    from textual.driver import Driver

    from orderbook_tui.tui.suspending import Suspending

_ANSWERS = ("r", "s", "c", "q", "a")
"""Keys that mean something else where no dialog is."""
_UNTIL_MENDED_S = 7 * 24 * 3600.0
"""For how long it is shown why a run cannot be saved: as long as nobody has tried again."""
_GOING_ON = (RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.WAITING)


class OrderbookApp(App[int]):
    """Shows one simulation at a time; without one it opens on the checkpoints.

    `config_path` is the file that the simulation was made from, `settings_path` where a person's settings are; without
    one nothing is read or remembered. `trust` says which code may be imported without asking.
    """

    TITLE = "orderbook-tui"
    CSS_PATH = "app.tcss"
    SCREENS: ClassVar[dict[str, Callable[[], Screen[Any]]]] = {called: place.make for called, place in PLACES.items()}
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                f"{place.digit},f{place.digit}",
                f"show('{called}')",
                place.title,
                show=False,
                id=f"show.{called}",
                tooltip=place.what,
            )
            for called, place in PLACES.items()
        ),
        Binding(
            "question_mark", "help", "Help", key_display="?", id="app.help", tooltip="what this screen is for, and its keys"
        ),
        Binding("t", "next_theme", "Theme", show=False, id="app.theme", tooltip="the next theme: dark, light, high contrast"),
        Binding("q", "leave", "Quit", id="app.leave", tooltip="save and leave"),
        Binding("ctrl+q", "leave", "Quit", show=False, priority=True, id="app.leave_too", tooltip="save and leave"),
        Binding("ctrl+c", "interrupt", "Quit", show=False, priority=True, id="app.interrupt", tooltip="save and leave"),
        Binding(
            "ctrl+z",
            "suspend_process",
            "To the shell",
            show=False,
            priority=True,
            id="app.suspend",
            tooltip="stop everything and give the terminal to the shell, until fg",
        ),
    ]

    def __init__(
        self,
        simulation: Simulation | None,
        state_dir: Path,
        *,
        config_path: Path | None = None,
        settings_path: Path | None = None,
        trust: CodeTrust | None = None,
    ) -> None:
        super().__init__(driver_class=_driver_class())
        self.simulation = simulation
        self.state_dir = state_dir
        self.config_path = config_path
        self.settings_path = settings_path
        self.asker = ScreenDecider(self)
        self.decider = StandingAnswers(self.asker)
        self.run_task = RunTask(self, self._run_ended)
        self.code = CodeQuestion(self, trust or CodeTrust(None))
        self.answer_key_at = 0.0
        """When a key that answers questions was last pressed where there was none."""
        self.damage: dict[str, str] = {}
        """Checkpoints that turned out to be damaged when they were opened, and how."""
        self.leaving = Leaving(self)
        self.replacing = Replacing(self)
        self._suspending: Suspending | None = None
        """None where the process cannot be stopped and continued."""
        self._frames = Frames()
        self._notices = Notices(self)
        self._title = TerminalTitle(self)
        self._said: tuple[object, ...] = ()
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = DARK.name
        for called in set(self.available_themes) - set(THEMES):
            self.unregister_theme(called)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not isinstance(self.screen, DialogScreen) and event.key in _ANSWERS:
            self.answer_key_at = monotonic()
        await super().on_event(event)

    def on_mount(self) -> None:
        self.leaving.heed_signals()
        self._heed_stops()
        self._settle()
        self.push_screen("slots" if self.simulation is not None else "checkpoints")
        self._tell_notes()
        self._title.begin()
        self.set_interval(1 / FRAMES, self._pulse)
        self._pulse()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        for called, place in PLACES.items():
            yield SystemCommand(place.title, place.what, partial(self.show_screen, called))
        for called in THEMES:
            yield SystemCommand(
                f"Theme: {called.removeprefix('orderbook-')}", "Wear it, now and later", partial(self.wear, called)
            )
        bound = {binding.id: binding for _, binding, enabled, _ in screen.active_bindings.values() if enabled and binding.id}
        for called, binding in bound.items():
            if binding.tooltip and not called.startswith("show."):
                what = binding.tooltip[0].upper() + binding.tooltip[1:]
                yield SystemCommand(what, f"key {self.get_key_display(binding)}", partial(self.simulate_key, binding.key))

    # Settings

    def _settle(self) -> None:
        """Take on what the person's settings say; complain about what they cannot say."""
        if self.settings_path is None:
            return
        with self.complaining():
            settings = read_settings(self.settings_path)
            if settings.theme in THEMES:
                self.theme = settings.theme
            elif settings.theme:
                self.complain(f"no theme is called {settings.theme}: {', '.join(THEMES)}", title="settings.json")
            if settings.keys:
                from orderbook_tui.tui.keymap import checked

                keys, complaints = checked(settings.keys)
                self.set_keymap(keys)
                for complaint in complaints:
                    self.complain(complaint, title="settings.json")

    def action_next_theme(self) -> None:
        called = list(THEMES)
        self.wear(called[(called.index(self.theme) + 1) % len(called)])

    def wear(self, theme: str) -> None:
        """Change the theme, and remember it."""
        self.theme = theme
        if self.settings_path is not None:
            with self.complaining():
                remember_theme(self.settings_path, theme)

    def _watch_theme(self, theme: str) -> None:
        super()._watch_theme(theme)
        # Lines that widgets have drawn keep their colours until they are drawn anew.
        for screen in self._installed_screens.values():
            if isinstance(screen, Screen) and screen.is_mounted:
                for widget in screen.query("*"):
                    widget.refresh()

    # Running

    @property
    def is_going_on(self) -> bool:
        """Whether a run has begun that has not ended: it runs, is paused, or waits for an answer."""
        return self.simulation is not None and self.simulation.status in _GOING_ON

    def start_or_pause(self) -> None:
        """Start the run, pause it, or let it go on; where an answer was put off, ask again."""
        simulation = self.simulation
        if simulation is None:
            return
        match simulation.status:
            case RunStatus.READY | RunStatus.STOPPED:
                if isinstance(self.run_task.outcome, StorageError):
                    self.clear_notifications()  # it is said again where it still holds
                simulation.go()
                self.run_task.run(simulation, self.decider)
            case RunStatus.RUNNING:
                with self.complaining():
                    simulation.pause()
            case RunStatus.PAUSED:
                simulation.go()
            case RunStatus.WAITING:
                self.asker.ask_again()
        self._pulse()

    def step(self) -> None:
        """Run one slot, then pause."""
        simulation = self.simulation
        if simulation is None or simulation.status in (RunStatus.DONE, RunStatus.WAITING):
            return
        with self.complaining():
            simulation.step()
            if not self.is_going_on:
                self.run_task.run(simulation, self.decider)
        self._pulse()

    def change_rate(self, *, faster: bool) -> None:
        """Double or halve the rate of the run, in round numbers."""
        simulation = self.simulation
        if simulation is not None and simulation.status is not RunStatus.DONE:
            control = simulation.control
            control.slots_per_second = next_rate(control.slots_per_second, simulation.slots_per_second, faster=faster)
            self.notify(rate_in_words(control.slots_per_second), title="Rate", markup=False, timeout=2)

    def ask_run_options(self) -> None:
        """Ask for a rate, and for what makes the run pause."""
        from orderbook_tui.tui.screens.run_options import RunOptionsScreen

        simulation = self.simulation
        if simulation is not None and simulation.status is not RunStatus.DONE:

            def answered(run_now: bool | None) -> None:
                if run_now and simulation.status is not RunStatus.RUNNING:
                    self.start_or_pause()

            self.push_screen(RunOptionsScreen(simulation), answered)

    def revisit(self, slots: list[int] | None) -> None:
        """Run Failed slots once more (None: all of them). A run that is paused is stopped for it, and may go on after."""
        self.run_worker(self._revisit(slots), group="revisit", exclusive=True)

    async def _revisit(self, slots: list[int] | None) -> None:
        simulation = self.simulation
        if simulation is None or simulation.status in (RunStatus.RUNNING, RunStatus.WAITING):
            return
        with self.complaining():
            await self.code.asked(partial(self._check_code, simulation))
            await self.run_task.end(simulation)
            simulation.go()
            self.run_task.revisit(simulation, self.decider, slots)

    def skip_failed(self, slots: list[int] | None) -> None:
        """Give Failed slots up (None: all of them)."""
        simulation = self.simulation
        if simulation is not None:
            with self.complaining():
                simulation.skip_failed(slots)
        self._pulse()

    @staticmethod
    async def _check_code(simulation: Simulation) -> None:
        simulation.check_code()

    def _run_ended(self, simulation: Simulation, outcome: Ending | Exception) -> None:
        if isinstance(outcome, StorageError):
            self.clear_notifications()  # such as the same reason, from before it was tried again
            text = f"{outcome}. Nothing more is placed. Once it is mended, space goes on, and saves what is not saved yet."
            self.complain(text, title="The run has stopped: it cannot be saved", timeout=_UNTIL_MENDED_S)
        elif isinstance(outcome, OrderbookTuiError):
            self.complain(str(outcome), title="The run has stopped")
        elif isinstance(outcome, Exception):
            self.complain(f"{type(outcome).__name__}: {outcome}", title="The run has stopped")
        elif outcome is Ending.QUIT:
            self.leaving.go()
        elif outcome is Ending.DONE and not self.leaving.has_begun:
            self.clear_notifications()  # such as the last end, before slots were revisited
            self._notices.tell_the_end(simulation)

    async def end_run(self) -> None:
        """Stop what is going on, wait until it is saved, and let go of the checkpoint."""
        if self.simulation is not None:
            await self.run_task.end(self.simulation)
            self.simulation.close()

    # Leaving

    def action_leave(self) -> None:
        self.leaving.ask()

    def action_interrupt(self) -> None:
        self.leaving.interrupt()

    def exit_status(self) -> int:
        """Return what the process should answer for what happened here."""
        return self.run_task.exit_status(self.simulation, interrupted=self.leaving.interrupted)

    # Stopping for a while

    def _heed_stops(self) -> None:
        if not self.is_headless and sys.platform != "win32":
            from orderbook_tui.tui.suspending import Suspending

            self._suspending = Suspending(self)
            self._suspending.heed_signals()
            self.app_suspend_signal.subscribe(self, lambda _: self._title.give_back(), immediate=True)
            self.app_resume_signal.subscribe(self, lambda _: self._title.begin(), immediate=True)

    def action_suspend_process(self) -> None:
        if self._suspending is not None:
            self._suspending.suspend()

    # Screens

    def _shows(self, screen: str) -> bool:
        return self._installed_screens.get(screen) is self.screen

    def action_show(self, screen: str) -> None:
        self.show_screen(screen)

    def show_screen(self, screen: str) -> None:
        """Switch to a screen; a dialog is answered first."""
        if not isinstance(self.screen, DialogScreen) and not self._shows(screen):
            self.switch_screen(screen)

    def action_help(self) -> None:
        from orderbook_tui.tui.screens.help import HelpScreen

        screen = self.screen
        if isinstance(screen, RunScreen | DialogScreen) and screen.HELP_TEXT:
            self.push_screen(HelpScreen(screen))

    def take_off(self, screen: Screen[Any]) -> None:
        """Remove a dialog, and whatever lies on it, if it is still there."""
        if self.is_running and screen in self.screen_stack:
            screen.pop_until_active()
            screen.dismiss()

    # Other simulations

    def open_checkpoint(self, simulation_id: str) -> None:
        """Take up a run where its checkpoint left it, after letting go of the one that is open."""
        self.replacing.by_checkpoint(simulation_id)

    def open_simulation(self, simulation: Simulation, config_path: Path | None = None) -> None:
        """Show a simulation that has been planned, in place of the one that is open."""
        self.replacing.by(simulation, config_path)

    def show_simulation(self, simulation: Simulation | None) -> None:
        """Have all screens show this simulation. Its answers, and what became of it, begin anew."""
        self.simulation, self.run_task.outcome = simulation, None
        self.decider = StandingAnswers(self.asker)
        self._tell_notes()
        for screen in self._installed_screens.values():
            if isinstance(screen, RunScreen) and screen.is_mounted:
                screen.show_simulation()

    # Saying things

    def _tell_notes(self) -> None:
        """Say what whoever runs the simulation should know."""
        for note in self.simulation.notes if self.simulation is not None else ():
            self.notify(message(note), markup=False, timeout=15)

    def complain(self, text: str, *, title: str = "", timeout: float = 20) -> None:
        """Show an error in words, for so many seconds."""
        self.notify(message(text), title=title, severity="error", markup=False, timeout=timeout)

    @contextlib.contextmanager
    def complaining(self) -> Iterator[None]:
        """Show what goes wrong in here, in words."""
        try:
            yield
        except OrderbookTuiError as error:
            self.complain(str(error))

    def _fatal_error(self) -> None:
        """Leave with what is known of a fault of ours, which may quote text from outside."""
        super()._fatal_error()
        self._exit_renderables = [
            Segments([_harmless(segment) for segment in self.console.render(told)]) for told in self._exit_renderables
        ]

    def _pulse(self) -> None:
        if self._exit or not (self.is_running and self.screen_stack):
            return  # the screens are being taken down
        screen, simulation = self.screen, self.simulation
        ended = simulation.stats.ended_slots if simulation is not None else 0
        running = simulation is not None and simulation.status is RunStatus.RUNNING
        if running and not self._frames.is_due(ended, self.size.height):
            return
        self._frames.begin(ended)
        self.call_after_refresh(self._frames.end)
        if isinstance(screen, RunScreen | DialogScreen) and screen.is_mounted:
            screen.pulse()
        self._notices.look(simulation)
        self._title.look(simulation)
        said = (screen, simulation and simulation.status, simulation and id(simulation), self.asker.is_put_off)
        if said != self._said:
            self._said = said
            screen.refresh_bindings()


def _driver_class() -> "type[Driver] | None":
    """Return what drives the terminal; None: what Textual takes."""
    if sys.platform == "win32":
        return None
    from orderbook_tui.tui.driver import TerminalDriver

    return TerminalDriver


def _harmless(segment: Segment) -> Segment:
    lines = segment.text.split("\n")
    return segment if segment.control else Segment("\n".join(map(harmless, lines)), segment.style)


def run_app(simulation: Simulation | None, state_dir: Path, *, config_path: Path | None = None) -> int:
    """Open the application and return the exit status of the process."""
    from orderbook_tui.tui.settings import settings_path

    trust = CodeTrust(memory_path())
    app = OrderbookApp(simulation, state_dir, config_path=config_path, settings_path=settings_path(), trust=trust)
    try:
        with own_terminal():
            try:
                status = app.run()
            finally:
                TerminalTitle.restore()
    finally:
        if app.simulation is not None:
            with contextlib.suppress(OrderbookTuiError):
                app.simulation.close()
    return status if status is not None else app.return_code or 0
