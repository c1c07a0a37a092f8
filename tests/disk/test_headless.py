"""A run without a screen whose disk fails: it ends with status 4 and says why; what it had saved is there, and goes on."""

import time

import pytest

from orderbook_tui.exit_status import ExitStatus
from tests.disk.conftest import CONFIG, run_program
from tests.disk.troubles import TROUBLES, Disk, a_read_only_file_system
from tests.e2e.conftest import Folder
from tests.nursery import Running

PATIENCE_S = 30


def events_saved(disk: Disk) -> int:
    """Return how many events the run has reported saved until now."""
    for guard in disk.seen.glob("*.lock"):
        return int(guard.read_bytes()[:20] or 0)
    return 0


def in_the_middle(disk: Disk, folder: Folder) -> Running:
    """Start a run, and return it once it has saved something."""
    arguments = ("run", CONFIG, "--state-dir", str(disk.state_dir), "--slots-per-second", "20")
    process = folder.start(*arguments, before=disk.before)
    give_up = time.monotonic() + PATIENCE_S
    while events_saved(disk) < 8:
        assert process.is_running(), process.end()
        assert time.monotonic() < give_up
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("name", TROUBLES)
def test_a_run_whose_disk_fails_says_why_and_goes_on_once_it_is_mended(folder: Folder, name: str, smooth_hash: str) -> None:
    folder.configure(CONFIG)
    with TROUBLES[name](folder.path) as disk:
        process = in_the_middle(disk, folder)
        saved = events_saved(disk)
        disk.begin(process.pid)
        ended = process.end()
        assert (ended.status, disk.reason in ended.stderr) == (ExitStatus.STORAGE, True), ended.stderr
        assert "Traceback" not in ended.stderr
        disk.mend()
        if disk.keeps:
            assert saved <= saved_in(disk, folder)
            resumed = run_program(disk, "resume", "latest", "--format", "json", folder=folder)
            assert resumed.status == 0, resumed.stderr
            assert resumed.result()["state_hash"] == smooth_hash


def saved_in(disk: Disk, folder: Folder) -> int:
    """Return how many events of the run are in its checkpoint."""
    counts = []
    for what in ("attempts", "fills"):
        arguments = ("export", "latest", "--what", what, "--format", "jsonl")
        counts.append(run_program(disk, *arguments, folder=folder).stdout.count("\n"))
    return sum(counts)


def test_a_run_is_not_begun_where_nothing_can_be_written(folder: Folder) -> None:
    folder.configure(CONFIG)
    with a_read_only_file_system(folder.path) as disk:
        disk.begin(0)
        refused = run_program(disk, "run", CONFIG, folder=folder)
        assert (refused.status, disk.reason in refused.stderr) == (ExitStatus.STORAGE, True), refused.stderr
        assert list(disk.seen.iterdir()) == []
        disk.mend()
        assert run_program(disk, "run", CONFIG, folder=folder).status == 0


def test_a_second_writer_is_told_who_writes_and_since_when(folder: Folder) -> None:
    folder.configure(CONFIG)
    disk = Disk(folder.path / "state", folder.path / "state")
    process = in_the_middle(disk, folder)
    refused = folder.run("resume", "latest", "--state-dir", str(disk.state_dir))
    assert process.end().status == 0
    assert refused.status != 0
    assert f"in use by process {process.pid}, since 20" in refused.stderr
