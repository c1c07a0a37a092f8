"""Another process writes, and is killed: nothing that it said was saved is lost, and nobody is locked out."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orderbook_tui.core.journal import Attempt
from orderbook_tui.engine.guard import Guard, boot_id, holder_of
from orderbook_tui.engine.persistence import CheckpointStatus, StatePersistence
from orderbook_tui.errors import CheckpointInUse, StorageError
from tests.engine.checkpoints import a_fresh_run, a_played_run, file_of, saved

_WRITE = """
import sys
from orderbook_tui.core.journal import Attempt
from orderbook_tui.engine.persistence import StatePersistence
from tests.engine.checkpoints import a_fresh_run
state = a_fresh_run(trades=5000)
state.id = "run"
writer = StatePersistence(sys.argv[1]).create(state, group=int(sys.argv[2]))
print(0, flush=True)
for slot in range(int(sys.argv[3])):
    state.journal.append(Attempt(slot, 1, 1, 2, slot))
    writer.slot_ended(state.journal)
    print(writer.written, flush=True)
sys.stdin.read()
"""


@contextmanager
def a_writer(folder: Path, *, group: int = 1, slots: int = 20_000) -> Iterator["subprocess.Popen[str]"]:
    """A process that writes a run, and says how much of it is saved."""
    command = [sys.executable, "-c", _WRITE, str(folder), str(group), str(slots)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "0\n"
            yield process
        finally:
            process.kill()
            process.stdout.read()


def killed(process: "subprocess.Popen[str]", *, after: float) -> int:
    """Kill the process; return how much it had said was saved."""
    assert process.stdout is not None
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    said = process.stdout.read().splitlines(keepends=True)
    process.wait()
    return max((int(line) for line in said if line.endswith("\n")), default=0)


@pytest.mark.parametrize("after", [0.0, 0.02, 0.1])
def test_nothing_that_was_reported_saved_is_lost_to_a_kill(tmp_path: Path, after: float) -> None:
    with a_writer(tmp_path) as process:
        reported = killed(process, after=after)
    listed = StatePersistence(tmp_path).list_simulations()[0]
    checkpoint, writer = StatePersistence(tmp_path).resume("run", group=1)
    with writer:
        assert len(checkpoint.journal) >= reported
        assert checkpoint.journal == [Attempt(slot, 1, 1, 2, slot) for slot in range(len(checkpoint.journal))]
        assert checkpoint.notes == ()
        assert (listed.status, listed.completed) == (CheckpointStatus.INTERRUPTED, len(checkpoint.journal))
        writer.slot_ended([*checkpoint.journal, Attempt(19_999, 1, 1, 2, "later")])
    assert len(StatePersistence(tmp_path).read("run").journal) == len(checkpoint.journal) + 1


_OPEN_AND_CLOSE = """
import sys
from orderbook_tui.core.journal import Attempt
from orderbook_tui.engine.persistence import StatePersistence
print(0, flush=True)
while True:
    checkpoint, writer = StatePersistence(sys.argv[1]).resume("run", group=1)
    journal = checkpoint.journal
    slot = len(journal)
    journal.append(Attempt(slot, 1, 1, 2, slot))
    writer.slot_ended(journal)
    print(len(journal), flush=True)
    if slot % 2:
        writer.finish(journal)
    writer.close()
"""


def test_a_kill_while_a_run_is_taken_up_or_let_go_loses_nothing(tmp_path: Path) -> None:
    state = a_fresh_run(trades=500)
    state.id = "run"
    StatePersistence(tmp_path).create(state, group=1).close()
    for kill in range(2):
        command = [sys.executable, "-c", _OPEN_AND_CLOSE, str(tmp_path)]
        root = Path(__file__).parents[2]
        with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            reported = killed(process, after=0.05 + kill * 0.07)
        checkpoint = StatePersistence(tmp_path).read("run")
        assert len(checkpoint.journal) >= reported
        assert checkpoint.notes == ()
    StatePersistence(tmp_path).resume("run", group=1)[1].close()
    assert [path.name for path in tmp_path.iterdir()] == ["run.sqlite"]


def test_a_second_writer_is_told_who_has_it_and_since_when(tmp_path: Path) -> None:
    with a_writer(tmp_path, slots=0) as process:
        told = rf"process {process.pid}, since \d{{4}}-\d\d-\d\dT.*Z"
        with pytest.raises(CheckpointInUse, match=told):
            StatePersistence(tmp_path).resume("run", group=1)
        with pytest.raises(CheckpointInUse, match=told):
            StatePersistence(tmp_path).delete("run")


def test_a_run_of_another_process_is_listed_with_its_progress(tmp_path: Path) -> None:
    with a_writer(tmp_path, slots=2_000) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "2000\n":
            pass
        (info,) = StatePersistence(tmp_path).list_simulations()
    assert (info.status, info.total_slots, info.name) == (CheckpointStatus.RUNNING, 20_000, "A run: two markets")
    assert f"process {process.pid}" in info.reason
    assert 1_000 <= info.completed <= 2_000


@pytest.mark.parametrize("group", [1, 256])
def test_a_run_of_another_process_is_read_as_it_was_at_one_moment(tmp_path: Path, group: int) -> None:
    before = set(tmp_path.parent.iterdir())
    lengths = []
    with a_writer(tmp_path, group=group) as process:
        for _ in range(5):
            journal = StatePersistence(tmp_path).read("run").journal
            assert journal == [Attempt(slot, 1, 1, 2, slot) for slot in range(len(journal))]
            lengths.append(len(journal))
        reported = killed(process, after=0)
    assert lengths == sorted(lengths)
    assert lengths[-1] <= len(StatePersistence(tmp_path).read("run").journal) >= reported
    assert set(tmp_path.parent.iterdir()) == before


def test_reading_a_killed_run_changes_neither_file_nor_journal(tmp_path: Path) -> None:
    with a_writer(tmp_path) as process:
        killed(process, after=0.05)
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    StatePersistence(tmp_path).load("run")
    StatePersistence(tmp_path).list_simulations()
    assert {name: (tmp_path / name).read_bytes() for name in kept} == kept


def test_a_file_that_another_program_has_open_is_in_use_until_it_lets_go(tmp_path: Path) -> None:
    run_id = saved(tmp_path, a_played_run())
    hold = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE'); print(1, flush=True); input()"
    command = [sys.executable, "-c", hold, str(file_of(tmp_path, run_id))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(CheckpointInUse, match="open in another program"):
            StatePersistence(tmp_path).resume(run_id, group=1)
        (info,) = StatePersistence(tmp_path).list_simulations()
        assert (info.status, "another program" in info.reason) == (CheckpointStatus.RUNNING, True)
        process.communicate("\n")
    StatePersistence(tmp_path).resume(run_id, group=1)[1].close()


def test_the_lock_of_a_dead_process_is_no_obstacle(tmp_path: Path) -> None:
    run_id = saved(tmp_path, a_played_run(), finish=False)
    file_of(tmp_path, run_id).with_suffix(".lock").write_text("whatever a dead process left\n" * 100)
    StatePersistence(tmp_path).resume(run_id, group=1)[1].close()
    StatePersistence(tmp_path).delete(run_id)
    assert list(tmp_path.iterdir()) == []


def a_guard_that_says(path: Path, *, events: int, boot: str) -> None:
    said = {"pid": 4711, "since": "2026-01-01T00:00:00Z", "boot": boot}
    path.write_text(f"{events:020} {0:020} {0:020} {0:020}\n{json.dumps(said)}\n")


@pytest.mark.skipif(not boot_id(), reason="the system does not name its boots")
@pytest.mark.parametrize(("same_boot", "words"), [(True, "replaced by an older copy"), (False, "the machine went down")])
def test_events_that_are_gone_are_told_and_do_not_lock_the_user_out(tmp_path: Path, *, same_boot: bool, words: str) -> None:
    played = a_played_run()
    run_id = saved(tmp_path, played, finish=False)
    there = len(played.state.journal)
    lock = file_of(tmp_path, run_id).with_suffix(".lock")
    a_guard_that_says(lock, events=there + 3, boot=boot_id() if same_boot else "another")
    (info,) = StatePersistence(tmp_path).list_simulations()
    read = StatePersistence(tmp_path).read(run_id)
    resumed, writer = StatePersistence(tmp_path).resume(run_id, group=1)
    writer.close()
    for note in (info.reason, *read.notes, *resumed.notes):
        assert f"3 of {there + 3} records that process 4711 reported saved" in note
        assert words in note
    assert not lock.exists()


def test_a_guard_that_cannot_be_locked_leaves_the_file_of_who_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    path = tmp_path / "x.lock"
    guard = Guard.take(path)
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", refuse)
        with pytest.raises(StorageError, match="cannot be locked: No locks available"):
            Guard.take(path)
    assert path.exists()
    guard.release()


@pytest.mark.parametrize("left", [False, True])
def test_a_guard_that_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, left: bool
) -> None:
    def refuse(descriptor: int, text: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "x.lock"
    if left:
        a_guard_that_says(path, events=7, boot="another")
    monkeypatch.setattr(os, "pwrite", refuse)
    with pytest.raises(StorageError, match="cannot be written: No space left"):
        Guard.take(path)
    assert path.exists() is left


def test_a_guard_lets_only_one_in_and_goes_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    guard = Guard.take(path)
    with pytest.raises(CheckpointInUse):
        Guard.take(path)
    holder = holder_of(path)
    assert holder is not None
    assert holder.pid == os.getpid()
    guard.release()
    assert holder_of(path) is None
    assert not path.exists()
