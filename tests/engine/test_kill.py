"""Killed at any moment, by SIGKILL, and resumed: the run ends as one that was not."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.runs import a_config, faults, finished
from tests.nursery import Ended, Nursery

FAULTY = {
    "kind": "embedded",
    "fees": {"maker": "0.0002", "taker": "0.0005"},
    "faults": {"transient_rate": 0.05, "rejection_rate": 0.02},
}
BOOKS: dict[str, Any] = {
    "matching_strategy": "any",
    "alternate_sides": False,
    "bid_price_offset": "1.02",
    "ask_price_offset": "0.98",
}
KILLS = 15
"""Of each kind of run. Together they are more than the fifty that are asked for."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


class Killed:
    """One run in `folder`, killed as often as one likes."""

    def __init__(self, nursery: Nursery, folder: Path, **sections: Any) -> None:
        self.nursery, self.folder, self.sections = nursery, folder, sections
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(a_config(**sections)))

    def go_on(self, kill_after: float | None = None, *, running: bool = True) -> Ended:
        """Start it, or take it up where there is something to be taken up; `running`: count from when it has its checkpoint."""
        begun = any((self.folder / "simulator_state").glob("*.sqlite"))
        what = ["resume", "latest"] if begun else ["run", "config.json"]
        return self.nursery.run(
            *what, "--format", "json", folder=self.folder, kill_after=kill_after, counted_from="*/*.lock" if running else "*"
        )

    def hash_at_the_end(self) -> str:
        ended = self.go_on()
        assert ended.status in (0, 1), ended.stderr
        result = ended.result()
        assert all(result["invariants"].values())
        return str(result["state_hash"])

    def hash_without_kills(self) -> str:
        return finished(None, **self.sections).state_hash()


RUNS: dict[str, dict[str, Any]] = {
    "directed, each slot saved": {"venue": FAULTY, "processor": {"slots_per_second": 2_000}},
    "directed, at full speed": {"venue": FAULTY},
    "resting orders, each slot saved": {"venue": FAULTY, "scheduler": BOOKS, "processor": {"slots_per_second": 2_000}},
    "grouped": {"venue": FAULTY, "processor": {"slots_per_second": 2_000, "save_after_each_slot": False}},
}


@pytest.mark.parametrize("name", RUNS)
def test_however_often_a_run_is_killed_it_ends_as_one_that_was_not(nursery: Nursery, tmp_path: Path, name: str) -> None:
    chance, kills, trial = random.Random(name), 0, 0
    while kills < KILLS:
        trial += 1
        sections = RUNS[name] | {"seed": trial, "scheduler": {"trades_per_account": 700, **RUNS[name].get("scheduler", {})}}
        one = Killed(nursery, tmp_path / str(trial), **sections)
        ended = one.go_on(chance.uniform(0, 0.15), running=chance.random() < 0.8)
        while ended.killed and kills < KILLS:
            kills += 1
            ended = one.go_on(chance.uniform(0, 0.15), running=chance.random() < 0.8)

        assert one.hash_at_the_end() == one.hash_without_kills()


@pytest.mark.parametrize("when", [0.05, 0.2, 0.5])
def test_a_run_killed_while_it_waits_to_try_again_ends_as_one_that_was_not(
    nursery: Nursery, tmp_path: Path, when: float
) -> None:
    outage = faults(outages=[{"from_slot": 5, "slots": 1, "attempts": 2}])
    one = Killed(nursery, tmp_path, venue=outage, processor={"retry_base_delay_ms": 300, "max_retries": 3})

    assert one.go_on(kill_after=when).killed
    assert one.hash_at_the_end() == one.hash_without_kills()


@pytest.mark.parametrize("when", [0.05, 0.2])
def test_a_run_killed_while_an_order_is_on_its_way_ends_as_one_that_was_not(
    nursery: Nursery, tmp_path: Path, when: float
) -> None:
    one = Killed(nursery, tmp_path, venue=faults(latency_ms=[40, 60]), scheduler={"trades_per_account": 3})

    assert one.go_on(kill_after=when).killed
    assert one.hash_at_the_end() == one.hash_without_kills()


DESK = """
import time

def place(slot):
    with open("calls.txt", "a") as calls:
        calls.write(f"{slot.sequence} {slot.client_order_id}\\n")
    time.sleep(0.02)
    return slot.client_order_id
"""


def test_an_order_that_a_kill_cut_off_is_never_placed_again_unasked(nursery: Nursery, tmp_path: Path) -> None:
    (tmp_path / "desk.py").write_text(DESK)
    one = Killed(nursery, tmp_path, venue={"kind": "python", "target": "desk:place"})
    for when in (0.05, 0.1, 0.15, 0.2):
        one.go_on(kill_after=when)
    one.go_on()
    calls = (tmp_path / "calls.txt").read_text().split("\n")[:-1]

    assert len(calls) == len(set(calls))
    assert [int(call.split()[0]) for call in calls] == sorted(int(call.split()[0]) for call in calls)


def test_an_order_that_a_kill_cut_off_is_asked_about(nursery: Nursery, tmp_path: Path) -> None:
    (tmp_path / "desk.py").write_text(DESK.replace("0.02", "60"))
    one = Killed(nursery, tmp_path, venue={"kind": "python", "target": "desk:place"}, processor={"on_failure": "quit"})
    assert one.go_on(kill_after=0.6).killed
    ended = one.go_on()

    assert (ended.status, (tmp_path / "calls.txt").read_text().count("\n")) == (3, 1)
