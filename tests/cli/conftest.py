"""A folder of its own for every test of the command line."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from orderbook_tui import cli
from tests.engine.runs import a_config, faults
from tests.nursery import Ended, Nursery

OUTAGE = faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 2}])
Program = Callable[..., Ended]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    """Runs the program in this process, from argv to exit status."""

    def run(*arguments: str | Path) -> Ended:
        monkeypatch.setattr("sys.argv", ["orderbook-tui", *map(str, arguments)])
        result = CliRunner().invoke(_main, [])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def config(folder: Path) -> Callable[..., Path]:
    """Writes a configuration to a file."""

    def write(file: str = "config.json", /, **sections: Any) -> Path:
        path = folder / file
        path.write_text(json.dumps(a_config(**sections)))
        return path

    return write


class _Main:
    """What click's runner asks of a command, around the program as the shell calls it."""

    name = "orderbook-tui"

    def main(self, **_: Any) -> None:
        cli.main()


_main: Any = _Main()
