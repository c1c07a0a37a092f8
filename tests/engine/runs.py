"""Runs from configurations in one line, and deciders that say what a test tells them to."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import anyio

from orderbook_tui.config import parse_config
from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.bookkeeper import Bookkeeper
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import Decider, PolicyDecider, Question
from orderbook_tui.engine.elsewhere import Closing
from orderbook_tui.engine.simulation import RunStatus, Simulation

RICH = {"budget": {"budgets": [{"amount": 10**9}]}}
SKIP, CONTINUE = PolicyDecider(RecoveryAction.SKIP), PolicyDecider(RecoveryAction.CONTINUE)
QUIT, RETRY = PolicyDecider(RecoveryAction.QUIT), PolicyDecider(RecoveryAction.RETRY)


class Scripted:
    """Gives the answers of a script, one after another, and remembers the questions. It fails where the script ends."""

    by = "person"

    def __init__(self, *answers: RecoveryAction) -> None:
        self.left = list(answers)
        self.asked: list[int] = []

    async def decide(self, question: Question) -> RecoveryAction:
        self.asked.append(question.slot.sequence)
        return self.left.pop(0)


class ByAttempts:
    """Answers by how often the slot was tried, so that an interrupted run gets the answers of one that was not."""

    by = "person"

    async def decide(self, question: Question) -> RecoveryAction:
        slot = question.slot
        ladder = (RecoveryAction.RETRY, RecoveryAction.CONTINUE, RecoveryAction.SKIP)
        return RecoveryAction.RETRY if slot.attempt_count < 3 else ladder[slot.sequence % 3]


class Never:
    """Puts every question off for ever."""

    by = "nobody"

    async def decide(self, question: Question) -> RecoveryAction:
        await anyio.sleep_forever()
        raise AssertionError


def a_config(**sections: Any) -> dict[str, Any]:
    """A configuration with enough of everything, and no waits; `sections` go into its own, key by key."""
    config: dict[str, Any] = {**RICH, "processor": {"retry_base_delay_ms": 0, "max_retries": 1, "on_failure": "skip"}}
    for name, section in sections.items():
        config[name] = config[name] | section if isinstance(section, dict) and name in config else section
    return config


def faults(**rates: Any) -> dict[str, Any]:
    """The embedded venue with these faults."""
    return {"kind": "embedded", "faults": rates}


def a_simulation(folder: Path | None = None, **sections: Any) -> Simulation:
    """A run that is ready, kept in `folder`, or nowhere."""
    return Simulation.create(parse_config(a_config(**sections)), state_dir=folder, save=folder is not None)


def run(simulation: Simulation, decider: Decider | None = SKIP) -> Ending:
    """Run it to where it ends."""
    return anyio.run(simulation.run, decider)


def finished(folder: Path | None = None, decider: Decider | None = SKIP, **sections: Any) -> Simulation:
    """A run that has been run."""
    simulation = a_simulation(folder, **sections)
    run(simulation, decider)
    simulation.close()
    return simulation


def taken_up(folder: Path, simulation: Simulation) -> Simulation:
    """The same run in another life: let go of, and resumed from its checkpoint."""
    simulation.close()
    return Simulation.resume(simulation.id, folder)


@contextmanager
def stopping_after(simulation: Simulation, events: int) -> Iterator[None]:
    """Have the run stopped once so many more slots have ended or attempts failed."""
    counted = 0

    def counting(then: Callable[..., Closing]) -> Callable[..., Closing]:
        def count(keeper: Bookkeeper, what: object) -> Closing:
            nonlocal counted
            closing = then(keeper, what)
            counted += 1
            if counted == events:
                simulation.stop()
            return closing

        return count

    with (
        patch.object(Bookkeeper, "slot_ended", counting(Bookkeeper.slot_ended)),
        patch.object(Bookkeeper, "attempt_failed", counting(Bookkeeper.attempt_failed)),
    ):
        yield


def statuses(simulation: Simulation) -> list[RunStatus]:
    """A list that every status is added to, as a subscriber sees it."""
    seen: list[RunStatus] = []
    simulation.subscribe(lambda run: seen.append(run.status))
    return seen


def states(slots: Iterable[ActionSlot]) -> list[str]:
    """The state of each slot."""
    return [slot.state.value for slot in slots]
