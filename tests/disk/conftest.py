"""Runs that meet trouble, and one that does not."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.conftest import Folder, another_folder, folder, nursery
from tests.nursery import ROOT, Ended

__all__ = ["another_folder", "folder", "nursery"]

CONFIG: Final = "smooth.json"


@pytest.fixture(scope="session")
def smooth_hash(another_folder: Callable[[], Folder]) -> str:
    """The state hash of the run where nothing goes wrong."""
    undisturbed = another_folder()
    undisturbed.configure(CONFIG)
    ended = undisturbed.run("run", CONFIG, "--format", "json")
    assert ended.status == 0, ended.stderr
    return str(ended.result()["state_hash"])


def environment() -> dict[str, str]:
    """Return the environment in which the program finds these tests."""
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT)}


def run_program(program: Sequence[str], *arguments: str | Path, folder: Path) -> Ended:
    """Run the program to its end."""
    command = [*program, *map(str, arguments)]
    ended = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def shown(program: Sequence[str], state_dir: Path, folder: Path) -> dict[str, Any]:
    """Return what `show latest` says of the run that is saved there."""
    ended = run_program(program, "show", "latest", "--state-dir", state_dir, "--format", "json", folder=folder)
    assert ended.status == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found
