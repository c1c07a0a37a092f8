"""Killed at any moment, by SIGKILL, and resumed: the run ends as one that was not."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.runs import a_config
from tests.nursery import ROOT, Nursery

KILLS = 30
"""A few of each kind of run. `python -m tests.kills` makes as many as one has time for."""


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


def test_however_often_a_run_is_killed_it_ends_as_one_that_was_not() -> None:
    command = [sys.executable, "-m", "tests.kills", "--kills", str(KILLS), "--seed", "1"]
    ended = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)

    assert ended.returncode == 0, ended.stderr
    summary = json.loads(ended.stdout)
    assert summary["kills"] >= KILLS
    assert sum(summary[phase] > 0 for phase in ("opening", "recovery", "placing", "committing")) >= 3


DESK = """
import os
import time
from pathlib import Path

def place(slot):
    # The kill comes as soon as the file is there: it must be there with its line, or not at all.
    before = Path("calls.txt").read_text() if Path("calls.txt").exists() else ""
    Path("calls.new").write_text(f"{before}{slot.sequence}\\n")
    os.replace("calls.new", "calls.txt")
    time.sleep(60)
"""


def test_an_order_that_a_kill_cut_off_is_asked_about(nursery: Nursery, tmp_path: Path) -> None:
    (tmp_path / "desk.py").write_text(DESK)
    config = a_config(venue={"kind": "python", "target": "desk:place"}, processor={"on_failure": "quit"})
    (tmp_path / "config.json").write_text(json.dumps(config))
    killed = nursery.run("run", "config.json", folder=tmp_path, kill_after=0, counted_from="calls.txt")
    asked = nursery.run("resume", "latest", "--allow-code", folder=tmp_path)

    assert (killed.killed, asked.status, (tmp_path / "calls.txt").read_text()) == (True, 3, "0\n")
