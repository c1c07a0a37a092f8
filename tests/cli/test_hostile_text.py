"""Names, errors, arguments and paths from outside are printed by no command as they are."""

import warnings
from pathlib import Path

import pytest

from orderbook_tui import report
from tests.cli.conftest import Program
from tests.hostile import ALL, MARK, hostile_config, steers
from tests.nursery import Ended


@pytest.fixture
def said(program: Program) -> Program:
    """Runs the program, and checks that what it says steers nothing."""

    def run(*arguments: str | Path) -> Ended:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            ended = program(*arguments)
        assert steers(ended.stdout + ended.stderr) is None
        return ended

    return run


def test_what_steers_is_seen() -> None:
    assert steers(ALL)
    assert steers(ALL.encode())


def test_no_command_lets_a_name_or_an_error_through(said: Program, folder: Path) -> None:
    config = hostile_config(folder)
    valid = said("validate", config)
    assert MARK in valid.stdout
    assert MARK in valid.stderr  # the venue warns when it is imported
    said("run", config, "--on-failure", "skip")
    for command in (["list"], ["show"], ["resume"], ["show", "--format", "json"], ["export", "--format", "jsonl"]):
        assert MARK in said(*command).stdout
    said("fork", "latest", "--name", ALL)


@pytest.mark.parametrize(
    "arguments",
    [
        [ALL],
        ["run", f"--no{ALL}", "x"],
        ["run", "x", "--format", ALL],
        ["run", "x", "--seed", ALL],
        ["show", ALL],
        ["delete", ALL],
        ["accounts", ALL],
        ["list", "--state-dir", ALL],
        ["show", "--state-dir", ALL],
        ["accounts", "generate", "--count", "1", "--output", f"{ALL}/x"],
        ["accounts", "generate", "--count", "1", "--prefix", ALL],
    ],
    ids=lambda arguments: " ".join(argument for argument in arguments if MARK not in argument),
)
def test_no_argument_comes_back_as_it_is(said: Program, arguments: list[str]) -> None:
    ended = said(*arguments)

    assert ended.stdout + ended.stderr


def test_a_fault_of_the_program_quotes_harmlessly(said: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise RuntimeError(ALL)

    monkeypatch.setattr(report, "runs_in_words", fail)
    ended = said("list")

    assert ended.status == 1
    assert "Traceback" in ended.stderr
    assert MARK in ended.stderr
