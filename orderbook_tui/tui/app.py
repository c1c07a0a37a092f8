"""The application: one simulation, the screens that show it, and the task in which it runs.

keys --> start_or_pause, step, leave --> Simulation --(runs in one worker, on this loop)--> slots, budgets
20 times a second: pulse --> the screen that is shown reads what has changed
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from orderbook_tui.core.words import harmless
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.errors import OrderbookTuiError, StorageError
from orderbook_tui.exit_status import ExitStatus
from orderbook_tui.tui.decider import ScreenDecider
from orderbook_tui.tui.figures import message, name
from orderbook_tui.tui.frames import FRAMES, Frames
from orderbook_tui.tui.screens.base import DialogScreen, RunScreen
from orderbook_tui.tui.theme import DARK

_GOING_ON = (RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.WAITING)


def _slots_screen() -> Screen[Any]:
    from orderbook_tui.tui.screens.slots import SlotsScreen

    return SlotsScreen()


def _checkpoints_screen() -> Screen[Any]:
    from orderbook_tui.tui.screens.checkpoints import CheckpointsScreen

    return CheckpointsScreen()


class OrderbookApp(App[int]):
    """Shows one simulation at a time; without one it opens on the checkpoints."""

    TITLE = "orderbook-tui"
    CSS_PATH = "app.tcss"
    SCREENS: ClassVar[dict[str, Callable[[], Screen[Any]]]] = {"slots": _slots_screen, "checkpoints": _checkpoints_screen}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("2,f2", "show('slots')", "Slots", id="show.slots", tooltip="the slots of the run"),
        Binding("5,f5", "show('checkpoints')", "Checkpoints", id="show.checkpoints", tooltip="the runs that were saved"),
        Binding(
            "question_mark", "help", "Help", key_display="?", id="app.help", tooltip="what this screen is for, and its keys"
        ),
        Binding("q", "leave", "Quit", id="app.leave", tooltip="save and leave"),
        Binding("ctrl+q", "leave", "Quit", show=False, priority=True, id="app.leave_too", tooltip="save and leave"),
        Binding("ctrl+c", "interrupt", "Quit", show=False, priority=True, id="app.interrupt", tooltip="save and leave"),
    ]

    def __init__(self, simulation: Simulation | None, state_dir: Path) -> None:
        super().__init__()
        self.simulation = simulation
        self.state_dir = state_dir
        self.decider = ScreenDecider(self)
        self._run_worker: Worker[None] | None = None
        self._outcome: Ending | Exception | None = None
        """What the last run here ended with."""
        self._open_worker: Worker[None] | None = None
        self._leaving = False
        self._interrupted = False
        self._frames = Frames()
        self._said: tuple[object, ...] = ()
        self.register_theme(DARK)
        self.theme = DARK.name

    def on_mount(self) -> None:
        if not self.is_headless and sys.platform != "win32":
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._terminate)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hang_up)
        self.push_screen("slots" if self.simulation is not None else "checkpoints")
        self._save_terminal_title()
        self.set_interval(1 / FRAMES, self._pulse)
        self._pulse()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        yield SystemCommand("Slots", "The slots of the run", lambda: self.show_screen("slots"))
        yield SystemCommand("Checkpoints", "The runs that were saved", lambda: self.show_screen("checkpoints"))
        if isinstance(screen, RunScreen):
            yield SystemCommand("Help", "What this screen is for, and its keys", self.action_help)
        yield SystemCommand("Quit", "Save and leave", self.action_leave)

    # Running

    @property
    def is_going_on(self) -> bool:
        """Whether a run has begun that has not ended: it runs, is paused, or waits for an answer."""
        return self.simulation is not None and self.simulation.status in _GOING_ON

    def start_or_pause(self) -> None:
        """Start the run, pause it, or let it go on."""
        simulation = self.simulation
        if simulation is None:
            return
        match simulation.status:
            case RunStatus.READY | RunStatus.STOPPED:
                simulation.go()
                self._start(simulation)
            case RunStatus.RUNNING:
                with self._complaining():
                    simulation.pause()
            case RunStatus.PAUSED:
                simulation.go()
        self._pulse()

    def step(self) -> None:
        """Run one slot, then pause."""
        simulation = self.simulation
        if simulation is None or simulation.status in (RunStatus.DONE, RunStatus.WAITING):
            return
        with self._complaining():
            simulation.step()
            if not self.is_going_on:
                self._start(simulation)
        self._pulse()

    def _start(self, simulation: Simulation) -> None:
        if self._run_worker is None or self._run_worker.is_finished:
            self._run_worker = self.run_worker(self._run(simulation), group="run", exit_on_error=False)

    async def _run(self, simulation: Simulation) -> None:
        self._outcome = None
        try:
            self._outcome = await simulation.run(self.decider)
        except asyncio.CancelledError:
            self._outcome = Ending.STOPPED
            raise
        except OrderbookTuiError as error:
            self._outcome = error
            self.complain(str(error), title="The run has stopped")
        except Exception as error:
            self._outcome = error
            # What a venue's own code raises must not take the terminal down; the run has stopped, and says why.
            self.complain(f"{type(error).__name__}: {error}", title="The run has stopped")
        else:
            if self._outcome is Ending.QUIT:
                self.run_worker(self._leave(), group="leave")
            elif self._outcome is Ending.DONE and not self._leaving:
                self._tell_the_end(simulation)

    def _tell_the_end(self, simulation: Simulation) -> None:
        stats = simulation.stats
        what = f"{stats.completed_slots:,} completed, {stats.failed_slots:,} failed, {stats.skipped_slots:,} skipped"
        self.notify(
            f"{what}, {stats.total_matches:,} trades", title=f"{name(simulation.name, 40)} is done", markup=False, timeout=15
        )

    async def end_run(self) -> None:
        """Stop what is going on, wait until it is saved, and let go of the checkpoint."""
        simulation, worker = self.simulation, self._run_worker
        if simulation is None:
            return
        if worker is not None and not worker.is_finished:
            simulation.stop()
            with contextlib.suppress(WorkerFailed, WorkerCancelled):
                await worker.wait()
        simulation.close()

    # Leaving

    def action_leave(self) -> None:
        """Save and leave, after asking where a run would be stopped by it; asked to leave twice, do not wait for the venue."""
        from orderbook_tui.tui.screens.confirm import ConfirmScreen

        if self._leaving:
            if self._run_worker is not None:
                self._run_worker.cancel()
            return
        if isinstance(self.screen, ConfirmScreen):
            if self._interrupted:
                self.screen.dismiss(result=True)  # asked to leave twice is a yes
            return
        if self.simulation is None or self.simulation.status is not RunStatus.RUNNING:
            self.run_worker(self._leave(), group="leave")
            return

        def answered(yes: bool | None) -> None:
            self._interrupted = self._interrupted and bool(yes)
            if yes:
                self.run_worker(self._leave(), group="leave")

        explanation = "The run stops after the slot that is under way. It is saved, and can be taken up again."
        self.push_screen(ConfirmScreen("The run is going on. Stop it and leave?", explanation), answered)

    def action_interrupt(self) -> None:
        """Leave as a signal would have it: the exit status says that the run was interrupted."""
        self._interrupted = True
        self.action_leave()

    def _terminate(self) -> None:
        """Leave without asking: a signal says so."""
        self._interrupted = True
        self.run_worker(self._leave(), group="leave")

    def _hang_up(self) -> None:
        """The terminal has gone: save, and end here, since drawing the way out would wait for it for ever."""
        if self.simulation is not None:
            with contextlib.suppress(OrderbookTuiError):
                self.simulation.close()
        os._exit(ExitStatus.INTERRUPTED)

    async def _leave(self) -> None:
        if self._leaving:
            return
        self._leaving = True
        try:
            if self._open_worker is not None and not self._open_worker.is_finished:
                # What is being read cannot be stopped; it closes what it gets.
                with contextlib.suppress(WorkerFailed, WorkerCancelled):
                    await self._open_worker.wait()
            await self.end_run()
        except OrderbookTuiError as error:
            self._outcome = error
            self.exit(self.exit_status(), message=Text(message(str(error))))
        else:
            self.exit(self.exit_status())

    def exit_status(self) -> int:
        """Return what the process should answer for what happened here."""
        from orderbook_tui.engine.summary import exit_status

        match self._outcome:
            case None:
                return ExitStatus.OK
            case StorageError():
                return ExitStatus.STORAGE
            case OrderbookTuiError():
                return ExitStatus.BAD_INPUT
            case Exception():
                return ExitStatus.INCOMPLETE
            case Ending.STOPPED if not self._interrupted:
                return ExitStatus.QUIT
            case ending:
                return exit_status(self.simulation, ending) if self.simulation is not None else ExitStatus.OK

    # Screens

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "show" or not self._shows(str(parameters[0]))

    def _shows(self, screen: str) -> bool:
        return self.is_screen_installed(screen) and self.get_screen(screen) is self.screen

    def action_show(self, screen: str) -> None:
        self.show_screen(screen)

    def show_screen(self, screen: str) -> None:
        """Switch to a screen; a dialog is answered first."""
        if not isinstance(self.screen, DialogScreen) and not self._shows(screen):
            self.switch_screen(screen)

    def action_help(self) -> None:
        from orderbook_tui.tui.screens.help import HelpScreen

        if isinstance(self.screen, RunScreen):
            self.push_screen(HelpScreen(self.screen))

    def take_off(self, screen: Screen[Any]) -> None:
        """Remove a dialog, and whatever lies on it, if it is still there."""
        if self.is_running and screen in self.screen_stack:
            screen.pop_until_active()
            screen.dismiss()

    def open_checkpoint(self, simulation_id: str) -> None:
        """Take up a run where its checkpoint left it, after letting go of the one that is open."""
        from orderbook_tui.tui.screens.confirm import ConfirmScreen

        def go_ahead() -> None:
            if self._open_worker is None or self._open_worker.is_finished:
                self._open_worker = self.run_worker(self._open_checkpoint(simulation_id), group="open")

        if self._open_worker is not None and not self._open_worker.is_finished:
            # Reading cannot be stopped: a second one would leave the first with a checkpoint that nobody closes.
            return
        if self.is_going_on:
            explanation = "It is saved, and can be taken up again from this list."
            self.push_screen(
                ConfirmScreen("Stop the run that is going on?", explanation), lambda yes: go_ahead() if yes else None
            )
        else:
            go_ahead()

    async def _open_checkpoint(self, simulation_id: str) -> None:
        with self._complaining():
            await self.end_run()
            if self._leaving:
                return
            self.simulation, self._outcome = None, None
            self.simulation = await self._resumed(simulation_id)
            for note in self.simulation.notes if self.simulation is not None else ():
                self.notify(message(note), markup=False, timeout=15)
        from orderbook_tui.tui.screens.slots import SlotsScreen

        slots = self.get_screen("slots", SlotsScreen)
        if slots.is_mounted:
            slots.show_simulation()
        if self.simulation is not None:
            self.show_screen("slots")

    async def _resumed(self, simulation_id: str) -> Simulation | None:
        """Read a checkpoint; None if the app began to leave meanwhile."""
        simulation = await asyncio.to_thread(Simulation.resume, simulation_id, self.state_dir)
        if self._leaving:
            simulation.close()
            return None
        return simulation

    # Saying things

    def complain(self, text: str, *, title: str = "") -> None:
        """Show an error in words."""
        self.notify(message(text), title=title, severity="error", markup=False, timeout=20)

    @contextlib.contextmanager
    def _complaining(self) -> Iterator[None]:
        try:
            yield
        except OrderbookTuiError as error:
            self.complain(str(error))

    def _pulse(self) -> None:
        screen, simulation = self.screen, self.simulation
        ended = simulation.stats.ended_slots if simulation is not None else 0
        running = simulation is not None and simulation.status is RunStatus.RUNNING
        if running and not self._frames.is_due(ended, self.size.height):
            return
        self._frames.begin(ended)
        self.call_after_refresh(self._frames.end)
        if isinstance(screen, RunScreen | DialogScreen) and screen.is_mounted:
            screen.pulse()
        status = simulation.status if simulation is not None else None
        stats = simulation.stats if simulation is not None else None
        share = 100 * stats.ended_slots // stats.total_slots if stats and stats.total_slots else 0
        said = (screen, status, simulation and id(simulation))
        if said != self._said[:3]:
            screen.refresh_bindings()
        if (*said, share) != self._said:
            self._said = (*said, share)
            self._title_terminal(
                f"{name(simulation.name, 60)}: {simulation.status.value} {share}%" if simulation else "orderbook-tui"
            )

    # The terminal's title

    def _save_terminal_title(self) -> None:
        self._write("\x1b[22;2t")

    def _title_terminal(self, title: str) -> None:
        self._write(f"\x1b]2;{harmless(title, 120)}\x1b\\")

    def _write(self, sequence: str) -> None:
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)


def run_app(simulation: Simulation | None, state_dir: Path) -> int:
    """Open the application and return the exit status of the process."""
    app = OrderbookApp(simulation, state_dir)
    try:
        status = app.run()
    finally:
        if sys.__stderr__ is not None and sys.__stderr__.isatty():
            sys.__stderr__.write("\x1b]2;\x1b\\\x1b[23;2t")
            sys.__stderr__.flush()
        if app.simulation is not None:
            with contextlib.suppress(OrderbookTuiError):
                app.simulation.close()
    return status if status is not None else app.return_code or 0
