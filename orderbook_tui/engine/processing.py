"""Processing the slots of a course: one after another, or several pairs at once."""

from collections.abc import Callable, Iterable

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.bookkeeper import Bookkeeper
from orderbook_tui.engine.control import RunControl
from orderbook_tui.engine.course import Course
from orderbook_tui.engine.decisions import Decider, decider_for
from orderbook_tui.engine.lineup import Lineup
from orderbook_tui.engine.parallel import ParallelProcessor
from orderbook_tui.engine.processor import Executor, ProcessorResults, SlotProcessor
from orderbook_tui.engine.retry import Backoff
from orderbook_tui.errors import OrderError

Chosen = Callable[[ActionSlot], bool]
"""Whether a slot is one of those to be run."""


def processor_of(
    config: SimulatorConfig, control: RunControl, bookkeeper: Bookkeeper, decider: Decider | None = None
) -> SlotProcessor:
    """Return what runs slots as the config says; without a `decider`, it says too who is asked."""
    spec = config.processor
    return SlotProcessor(
        backoff=Backoff(spec.retry_base_delay_ms, spec.max_delay_ms, spec.jitter, config.seed),
        decider=decider or decider_for(spec.on_failure.value),
        control=control,
        observer=bookkeeper,
        failures=OrderError,
    )


def to_run(course: Course, chosen: Chosen | None) -> Iterable[ActionSlot]:
    """Return the slots of a course that are to be run: all, where `chosen` is None."""
    return filter(chosen, course) if chosen is not None else course


async def run_slots(
    processor: SlotProcessor, control: RunControl, course: Course | Lineup, chosen: Chosen | None, place: Executor, at_once: int
) -> ProcessorResults:
    """Run the slots of a course with `place`: as they are lined up, `at_once` at a time, or else one after another."""
    if isinstance(course, Lineup):
        return await ParallelProcessor(processor, control, course, at_once).process(place)
    return await processor.process_slots(to_run(course, chosen), place)
