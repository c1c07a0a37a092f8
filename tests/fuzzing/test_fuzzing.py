"""A little fuzzing of every target, and that it finds what is there to be found."""

import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.fuzzing.targets import TARGETS
from tests.fuzzing.targets.base import Target
from tests.fuzzing.targets.checkpoint import _value
from tests.fuzzing.targets.config import sound_config
from tests.fuzzing.worker import made, tried

FEW = {"config": 120, "accounts": 120, "schedule": 15, "checkpoint": 12, "venue": 8, "settings": 60, "filter": 80,
       "command": 25, "text": 60, "export": 15}  # fmt: skip
SEED = 20


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("name", TARGETS)
def test_any_input_gives_a_result_or_one_of_our_errors(name: str) -> None:
    target = TARGETS[name]
    for number in range(FEW[name]):
        finding = tried(target, made(target, SEED, number), number)
        assert finding is None, f"python -m tests.fuzzing --target {name} --seed {SEED} --input {number}: {finding.words}"


@pytest.mark.parametrize("name", TARGETS)
def test_an_input_follows_from_its_seed_and_number(name: str) -> None:
    if name != "checkpoint":  # its runs were made at some time
        assert made(TARGETS[name], 3, 4) == made(TARGETS[name], 3, 4)


@pytest.mark.parametrize("there", [2**63 - 1, -(2**63)])
def test_a_checkpoint_is_only_given_numbers_that_sqlite_can_hold(there: int) -> None:
    values = [_value(Random(number), [(there,)]) for number in range(300)]
    assert all(-(2**63) <= value < 2**63 for value in values if type(value) is int)


def test_nearly_all_configurations_that_are_meant_to_be_sound_are() -> None:
    assert json.loads(sound_config(1))["markets"]


def _failing(content: bytes, folder: Path) -> None:
    raise KeyError("not one of ours")


def _endless(content: bytes, folder: Path) -> None:
    while True:
        pass


def test_an_error_that_is_none_of_ours_is_a_crash() -> None:
    finding = tried(Target("failing", lambda random: b"x", _failing), b"x")
    assert finding is not None
    assert (finding.kind, finding.content) == ("crash", b"x")


def test_an_input_without_an_end_is_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzzing.worker.LIMIT_CPU_S", 0.1)
    began = time.monotonic()
    finding = tried(Target("endless", lambda random: b"", _endless), b"")
    assert finding is not None
    assert finding.kind == "hang"
    assert time.monotonic() - began < 30


def test_the_command_says_in_its_last_line_how_much_was_tried() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzzing", "--cpu-minutes", "0.003", "--jobs", "1", "--target", "text"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    said = json.loads(ended.stdout.splitlines()[-1])
    assert (said["crashes"], said["hangs"]) == (0, 0)
    assert said["inputs"]["text"] > 0
