"""verify: what is sound, what is not and why, for people and for programs, with the exit status that says which."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Program
from tests.engine.test_checkpoint_damage import spoil

Config = Callable[..., Path]


def checkpoint(folder: Path) -> Path:
    """The one saved run of the folder."""
    (file,) = (folder / "simulator_state").glob("*.sqlite")
    return file


def test_a_sound_run_is_said_to_be_with_what_was_looked_at(program: Program, config: Config) -> None:
    program("run", config())
    ended = program("verify")
    first, *checks = ended.stdout.splitlines()

    assert (ended.status, ended.stderr, first.endswith(": sound")) == (0, "", True)
    assert [line.split()[:2] for line in checks] == [
        ["ok", name] for name in ("pages", "plan", "journal", "progress", "budgets", "invariants", "views", "saved")
    ]


def test_a_damaged_run_is_named_with_what_is_wrong_and_stays_as_it_is(program: Program, config: Config, folder: Path) -> None:
    program("run", config())
    spoil(checkpoint(folder), "UPDATE attempts SET ended = ended + 1 WHERE n = 3")
    before = checkpoint(folder).read_bytes()
    ended = program("verify")

    assert ended.status == 2
    assert "WRONG  journal" in ended.stdout
    assert "event 3, or one before it, is not what was written" in ended.stderr
    assert checkpoint(folder).read_bytes() == before


def test_programs_are_told_in_json(program: Program, config: Config) -> None:
    program("run", config())
    facts = json.loads(program("verify", "--format", "json").stdout)

    assert (facts["sound"], {check["holds"] for check in facts["checks"]}) == (True, {True})


def test_every_run_is_verified_also_after_one_that_cannot_be_read(program: Program, config: Config, folder: Path) -> None:
    program("run", config(name="first"))
    program("run", config(name="second"))
    (folder / "simulator_state" / "third.sqlite").write_bytes(b"x" * 5_000)
    ended = program("verify", "--all")

    assert ended.status == 2
    assert ended.stdout.count(": sound") == 2
    assert "third" in ended.stderr


def test_an_id_that_nobody_has_is_bad_input(program: Program) -> None:
    ended = program("verify", "nobody")

    assert (ended.status, "there is no simulation nobody" in ended.stderr) == (2, True)
