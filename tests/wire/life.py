"""One life of the run: begun, or taken up where an earlier one was killed. Prints its summary as a line of JSON.

python -m tests.wire.life CONFIG STATE_DIR [--plant BUG]
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Final

import anyio

from orderbook_tui.config import load_config
from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.decisions import Question
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.summary import summary
from tests.wire.planted import PLANTED

_MOST_RETRIES: Final = 300
_THINKING_S: Final = 0.03


class Stubborn:
    """Somebody who says Retry for a long while, and then Continue."""

    by = "the stubborn"

    def __init__(self) -> None:
        self.asked: Counter[int] = Counter()
        self.last = ""

    async def decide(self, question: Question) -> RecoveryAction:
        await anyio.sleep(_THINKING_S)
        self.last = question.in_words()
        self.asked[question.slot.sequence] += 1
        return RecoveryAction.RETRY if self.asked[question.slot.sequence] <= _MOST_RETRIES else RecoveryAction.CONTINUE


def main() -> None:
    """Live."""
    parser = argparse.ArgumentParser(prog="python -m tests.wire.life", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("state_dir", type=Path)
    parser.add_argument("--plant", choices=sorted(PLANTED))
    wanted = parser.parse_args()
    if wanted.plant:
        PLANTED[wanted.plant]()
    simulation = _simulation(wanted.config, wanted.state_dir)
    decider = Stubborn()
    try:
        if simulation.status is not RunStatus.DONE:
            ending = anyio.run(simulation.run, decider)
            print(json.dumps(summary(simulation, ending) | _beside(simulation, decider)))
    finally:
        simulation.close()


def _simulation(config: Path, state_dir: Path) -> Simulation:
    if state_dir.exists():
        with StatePersistence(state_dir) as kept:
            saved = kept.list_simulations()
        if saved:
            return Simulation.resume(saved[0].id, state_dir)
    return Simulation.create(load_config(config), folder=config.parent, state_dir=state_dir)


def _beside(simulation: Simulation, decider: Stubborn) -> dict[str, object]:
    elsewhere = simulation._run.connection.elsewhere if simulation._run.connection is not None else None
    return {
        "questions": decider.asked.total(),
        "last_question": decider.last,
        "attempts": sum(slot.attempt_count for slot in simulation.slots),
        "generations": sum(slot.generation for slot in simulation.slots),
        "told_wrongly": [stray.words for stray in elsewhere.strays] if elsewhere is not None else [],
    }


if __name__ == "__main__":
    main()
