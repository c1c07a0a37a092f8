"""Runs that meet trouble, and one that does not."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.disk.troubles import Disk
from tests.e2e.conftest import Folder, another_folder, folder, nursery
from tests.nursery import Ended

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


def run_program(disk: Disk, *arguments: str, folder: Folder) -> Ended:
    """Run the program to its end, on a disk with which nothing is the matter but what can be seen from anywhere."""
    return folder.run(*arguments, "--state-dir", str(disk.state_dir), before=disk.before if disk.is_mounted else ())


def shown(disk: Disk, folder: Folder) -> dict[str, Any]:
    """Return what `show latest` says of the run that is saved there."""
    ended = run_program(disk, "show", "latest", "--format", "json", folder=folder)
    assert ended.status == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found
