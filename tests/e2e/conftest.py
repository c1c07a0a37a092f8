"""A folder with a config for every test, and what the program says about the runs saved in it."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.terminal import SIZES
from tests.nursery import Ended, Nursery, Running, Step

CONFIGS: Final = Path(__file__).parents[2] / "configs"


class Folder:
    """A working folder with `simulator.json`: the project's own, but as fast as it goes and with hardly a wait."""

    def __init__(self, path: Path, nursery: Nursery) -> None:
        self.path, self._nursery = path, nursery
        self.configure("simulator.json", 12)

    def configure(self, name: str, *outages: int, venue: dict[str, Any] | None = None) -> None:
        """Write a config in which each of these slots fails until it is retried by hand, or until the run is resumed.

        `venue` takes the place of the configured one.
        """
        config = json.loads((CONFIGS / "simulator.json").read_text())
        config["processor"] |= {"slots_per_second": None, "retry_base_delay_ms": 1}
        config["venue"]["faults"]["outages"] = [{"from_slot": slot, "slots": 1, "attempts": 4} for slot in outages]
        config["venue"] = venue or config["venue"]
        (self.path / name).write_text(json.dumps(config))

    def run(self, *arguments: str, before: Sequence[Step] = ()) -> Ended:
        """Run the program here, without a terminal."""
        return self._nursery.run(*arguments, folder=self.path, before=before)

    def start(self, *arguments: str, before: Sequence[Step] = ()) -> Running:
        """Start the program here, without a terminal, and do not wait for it."""
        return self._nursery.start(*arguments, folder=self.path, before=before)

    def summary(self) -> dict[str, Any]:
        """Return what `show latest` says."""
        shown = self.run("show", "latest", "--format", "json")
        assert shown.status == 0, shown.stderr
        return shown.result()

    def slots(self) -> list[dict[str, Any]]:
        """Return what `export latest` says of each slot."""
        exported = self.run("export", "latest", "--what", "slots", "--format", "jsonl")
        assert exported.status == 0, exported.stderr
        return [json.loads(line) for line in exported.stdout.splitlines()]

    def listed(self) -> list[dict[str, Any]]:
        """Return what `list` says of the saved runs."""
        rows: list[dict[str, Any]] = json.loads(self.run("list", "--format", "json").stdout)
        return rows


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="session")
def another_folder(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Folder]:
    """Makes a folder for a run to compare with."""
    return lambda: Folder(tmp_path_factory.mktemp("another"), nursery)


@pytest.fixture
def folder(tmp_path: Path, nursery: Nursery) -> Folder:
    return Folder(tmp_path, nursery)


@pytest.fixture(scope="session")
def skipping_hash(another_folder: Callable[[], Folder]) -> str:
    """The state hash of a run that nothing interrupts, in which a policy skips what keeps failing."""
    ended = another_folder().run("run", "simulator.json", "--on-failure", "skip", "--format", "json")
    assert ended.status == 1, ended.stderr
    return str(ended.result()["state_hash"])


@pytest.fixture(params=SIZES, ids=[f"{columns}x{lines}" for columns, lines in SIZES])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """The sizes of terminal at which everything has to work."""
    columns, lines = request.param
    return columns, lines
