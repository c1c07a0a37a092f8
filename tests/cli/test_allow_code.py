"""Code that need not be the user's own is not run before it was allowed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Program

CODE = """
import pathlib
pathlib.Path("imported").touch()
def place(slot, settlement):
    settlement.fill(slot.action.market.quantity(slot.action.quantity))
    return slot.sequence + 1
"""


@pytest.fixture(autouse=True)
def settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing has been allowed yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "settings"))
    return folder / "settings" / "orderbook-tui" / "allowed-code.json"


@pytest.fixture
def mine(folder: Path, config: Callable[..., Path], request: pytest.FixtureRequest) -> Path:
    """A config of the user's own, with a venue under a name that no other test has imported."""
    module = "desk_of_" + request.node.name.partition("[")[0]
    (folder / f"{module}.py").write_text(CODE)
    path = config(scheduler={"trades_per_account": 2}, venue={"kind": "python", "target": f"{module}:place"})
    path.chmod(0o644)
    return path


@pytest.fixture
def theirs(mine: Path) -> Path:
    """The same, as anybody may have written it."""
    mine.chmod(0o666)
    return mine


def imported(folder: Path) -> bool:
    """Whether the venue's module was run since this was last asked."""
    marker = folder / "imported"
    found = marker.exists()
    marker.unlink(missing_ok=True)
    return found


def test_a_config_of_ones_own_runs_its_code(program: Program, mine: Path) -> None:
    assert program("run", mine).status == 0


@pytest.mark.parametrize("command", ["run", "validate", "open"])
def test_a_config_that_anybody_may_have_written_runs_nothing(
    program: Program, theirs: Path, folder: Path, command: str
) -> None:
    ended = program(command, theirs)

    assert ended.status == 2
    assert "--allow-code" in ended.stderr
    assert not imported(folder)


def test_the_option_allows_it_once_and_for_all(program: Program, theirs: Path) -> None:
    assert program("run", theirs, "--allow-code").status == 0
    assert program("run", theirs).status == 0


def test_a_run_that_was_started_here_goes_on_without_a_word(program: Program, mine: Path) -> None:
    program("run", mine, "--market", "BTC-USD")
    ended = program("resume")

    assert (ended.status, "code" in ended.stderr) == (0, False)


def test_a_saved_run_of_somebody_else_runs_nothing(program: Program, mine: Path, folder: Path, settings: Path) -> None:
    program("run", mine, "--market", "BTC-USD")
    settings.unlink()
    imported(folder)
    ended = program("resume")

    assert ended.status == 2
    assert f"It would run {folder}" in ended.stderr
    assert not imported(folder)


@pytest.mark.parametrize("command", [["list"], ["show"], ["export"], ["fork"]], ids=lambda command: command[0])
def test_to_look_at_a_saved_run_imports_nothing(
    program: Program, mine: Path, folder: Path, settings: Path, command: list[str]
) -> None:
    saved = program("run", mine, "--format", "json").result()["simulation_id"]
    settings.unlink()
    imported(folder)
    ended = program(*command, *([saved] if command != ["list"] else []))

    assert ended.status == 0
    assert not imported(folder)
