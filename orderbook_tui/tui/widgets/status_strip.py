"""The line on top of every screen: which run, how far it is, how fast, what went wrong."""

import time
from collections import deque

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.figures import fit, fit_middle, name, pace, span
from orderbook_tui.tui.theme import Inks, inks, on_paper

_WINDOW = 5.0
"""Seconds that the pace is taken over."""
_EVERY = 0.25
_STOPPED = 2.0
"""Nobody looks that rarely at a run that goes on: the process was stopped meanwhile, or the machine asleep."""

Part = tuple[str, Style]


class Pace:
    """How many slots end a second, over the last few seconds of running: pauses do not count."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque(maxlen=int(_WINDOW / _EVERY) + 1)

    def note(self, simulation: Simulation) -> None:
        """Look at how far the run is; to be called while it runs."""
        now, stats = time.monotonic(), simulation.stats
        if self._samples and now - self._samples[-1][0] >= _STOPPED:
            self.forget()
        if not self._samples or now - self._samples[-1][0] >= _EVERY:
            self._samples.append((now, stats.ended_slots))

    def forget(self) -> None:
        """Begin anew: the run was held."""
        self._samples.clear()

    @property
    def per_second(self) -> float | None:
        """The pace; None until there is one."""
        if len(self._samples) < 3:
            return None
        (first, before), (last, after) = self._samples[0], self._samples[-1]
        return (after - before) / (last - first)


class StatusStrip(Widget):
    """Shows a run in one line, as much of it as the width allows."""

    DEFAULT_CSS = """
    StatusStrip {
        height: 1;
        dock: top;
        background: $panel;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._simulation: Simulation | None = None
        self._pace = Pace()
        self._shown: list[Part] = []

    def look(self, simulation: Simulation | None) -> None:
        """Show `simulation` as it is now, if that is something new."""
        if simulation is not self._simulation:
            self._simulation = simulation
            self._pace.forget()
        if simulation is not None and simulation.status is RunStatus.RUNNING:
            self._pace.note(simulation)
        else:
            self._pace.forget()
        parts = self._parts(self.size.width)
        if parts != self._shown:
            self._shown = parts
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return on_paper(self, Strip([Segment(text, style) for text, style in self._shown]))

    def text(self) -> str:
        """Return what is shown, without its colours."""
        return "".join(text for text, _ in self._shown)

    def _parts(self, width: int) -> list[Part]:
        ink, simulation = inks(self.app), self._simulation
        if simulation is None:
            return [(" orderbook-tui ", ink.strong), (" no run is open", ink.muted)]
        stats = simulation.stats
        done, total = stats.ended_slots, stats.total_slots
        called = name(simulation.name)
        counted = f"{done:,}/{total:,}"
        share = f"{100 * done // total if total else 100:>3}%"
        bar = 20 if width >= 100 else 8
        left: list[Part] = [
            (" " + fit_middle(called, min(len(called), width // 5)).rstrip(" ") + " ", ink.strong),
            (f" {state_in_words(simulation)} ", state_ink(simulation.status, ink)),
            (" ", ink.plain),
            *bar_parts(done, total, bar, ink),
            (f" {counted} {share}", ink.plain),
        ]
        right: list[Part] = []
        if simulation.status is RunStatus.RUNNING and (per_second := self._pace.per_second) is not None:
            right.append((pace(per_second), ink.plain))
            if per_second:
                right.append((f"{span(stats.pending_slots / per_second)} left", ink.plain))
            if (limit := simulation.control.slots_per_second) is not None and width >= 100:
                right.append((f"max {limit:g}/s", ink.muted))
        if (in_flight := len(simulation.in_flight)) > 1:
            right.append((f"{in_flight:,} in flight", ink.plain))
        if simulation.elapsed and simulation.status in (RunStatus.DONE, RunStatus.STOPPED):
            right.append((f"ran {span(simulation.elapsed)}", ink.plain))
        if (armed := simulation.stop_conditions.in_words()) and width >= 100:
            right.append((f"pauses {armed}", ink.muted))
        if simulation.status is RunStatus.STOPPED and simulation.is_unsaved:
            right.append(("NOT SAVED", ink.bad))
        right.append((f"{stats.failed_slots:,} failed", ink.bad if stats.failed_slots else ink.muted))
        if stats.skipped_slots:
            right.append((f"{stats.skipped_slots:,} skipped", ink.warn))
        spaced = [part for text in right for part in (("  ", ink.plain), text)] + [(" ", ink.plain)]
        free = width - sum(map(_width, left)) - sum(map(_width, spaced))
        if free < 0:
            left[3:-1] = []
            free = width - sum(map(_width, left)) - sum(map(_width, spaced))
        return [*left, (fit("", max(free, 0)), ink.plain), *spaced]


def state_in_words(simulation: Simulation) -> str:
    """Return what a run does; one that is held while a question waits says both."""
    held = simulation.status is RunStatus.WAITING and simulation.control.paused
    return f"{RunStatus.PAUSED.value}, {simulation.status.value}" if held else simulation.status.value


def state_ink(status: RunStatus, ink: Inks) -> Style:
    """Return the ink that a state is written with."""
    match status:
        case RunStatus.RUNNING:
            return ink.busy
        case RunStatus.WAITING:
            return ink.accent + Style(reverse=True)
        case RunStatus.DONE:
            return ink.good + Style(bold=True)
        case RunStatus.PAUSED | RunStatus.STOPPED:
            return ink.warn + Style(bold=True)
    return ink.strong


def bar_parts(done: int, total: int, width: int, ink: Inks) -> list[Part]:
    """Return a bar of `width` cells, full only when all is done."""
    full = width * done // total if total else width
    return [("━" * full, ink.good), ("━" * (width - full), ink.faint)]


def _width(part: Part) -> int:
    return cell_len(part[0])
