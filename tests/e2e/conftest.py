"""A folder with a config for every test, and what the program says about the runs saved in it."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.terminal import PATIENCE_S, SIZES, command

CONFIGS: Final = Path(__file__).parents[2] / "configs"


class Folder:
    """A working folder with `simulator.json`: the project's own, but as fast as it goes and with hardly a wait."""

    def __init__(self, path: Path) -> None:
        self.path = path
        config = json.loads((CONFIGS / "simulator.json").read_text())
        config["processor"] |= {"slots_per_second": None, "retry_base_delay_ms": 1}
        (path / "simulator.json").write_text(json.dumps(config))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the program here, without a terminal."""
        return subprocess.run(
            [*command(), *arguments],
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def summary(self) -> dict[str, Any]:
        """Return what `show latest` says."""
        shown = self.run("show", "latest", "--format", "json")
        assert shown.returncode == 0, shown.stderr
        summary: dict[str, Any] = json.loads(shown.stdout)
        return summary

    def slots(self) -> list[dict[str, Any]]:
        """Return what `export latest` says of each slot."""
        exported = self.run("export", "latest", "--what", "slots", "--format", "jsonl")
        assert exported.returncode == 0, exported.stderr
        return [json.loads(line) for line in exported.stdout.splitlines()]

    def listed(self) -> list[dict[str, Any]]:
        """Return what `list` says of the saved runs."""
        rows: list[dict[str, Any]] = json.loads(self.run("list", "--format", "json").stdout)
        return rows


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture(scope="module")
def skipping_hash(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The state hash of a run that nothing interrupts, in which a policy skips what keeps failing."""
    folder = Folder(tmp_path_factory.mktemp("reference"))
    ended = folder.run("run", "simulator.json", "--on-failure", "skip", "--format", "json")
    assert ended.returncode == 1, ended.stderr
    return str(json.loads(ended.stdout)["state_hash"])


@pytest.fixture(params=SIZES, ids=[f"{columns}x{lines}" for columns, lines in SIZES])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """The sizes of terminal at which everything has to work."""
    columns, lines = request.param
    return columns, lines
