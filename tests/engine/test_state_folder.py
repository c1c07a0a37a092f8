"""Where checkpoints may be kept, and whether a run fits there."""

import os
import stat
from pathlib import Path

import anyio
import pytest

from orderbook_tui.config import parse_config
from orderbook_tui.engine import state_folder
from orderbook_tui.engine.persistence import GROUP, StatePersistence
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.state_folder import check_place, check_room, file_system, least_needed, warnings
from orderbook_tui.errors import StorageError
from tests.engine.checkpoints import a_fresh_run
from tests.engine.runs import RICH, SKIP, a_simulation, finished, run

PLENTY = 10**12


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's table of what is mounted where, to be written by a test."""
    table = tmp_path / "mounts"
    monkeypatch.setattr(state_folder, "_MOUNTS", table)
    return table


def free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Have every disk say that so many bytes are free."""

    def statvfs(path: object) -> os.statvfs_result:
        return os.statvfs_result((1, 1, 10**9, count, count, 0, 0, 0, 0, 255))

    monkeypatch.setattr(os, "statvfs", statvfs)


# Whose folder


def test_a_folder_of_ones_own_needs_no_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    assert warnings(tmp_path) == []


def test_a_folder_that_is_yet_to_be_made_needs_none(tmp_path: Path) -> None:
    assert warnings(tmp_path / "new") == []


def test_a_folder_that_everybody_may_write_is_warned_about(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    (said,) = warnings(tmp_path)

    assert said.startswith(f"{tmp_path} is not private (everybody on this machine may write to it)")
    assert "put in place of others" in said


def test_of_a_sticky_folder_it_is_said_that_checkpoints_can_be_added(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    (said,) = warnings(tmp_path)

    assert "put in place of others" not in said


def test_the_folder_of_somebody_else_is_warned_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid():
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    else:
        os.chown(tmp_path, 54_321, -1)

    assert "who can remove or replace what is saved there" in warnings(tmp_path)[0]


def test_a_run_and_its_next_life_carry_the_warning_among_their_notes(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    simulation = a_simulation(tmp_path)
    simulation.select(markets=["BTC-USD"])
    run(simulation)
    simulation.close()
    again = Simulation.resume(simulation.id, tmp_path)
    again.close()

    assert [len([note for note in one.notes if "not private" in note]) for one in (simulation, again)] == [1, 1]


# Which file system


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "ceph"])
def test_a_network_file_system_is_refused(tmp_path: Path, mounts: Path, kind: str) -> None:
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path} {kind} rw 0 0\n")

    with pytest.raises(StorageError, match=f"network file system .{kind}."):
        check_place(tmp_path / "state")


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "fuseblk"])
def test_a_file_system_of_this_machine_is_not(tmp_path: Path, mounts: Path, kind: str) -> None:
    mounts.write_text(f"server:/x / nfs rw 0 0\n/dev/sda {tmp_path} {kind} rw 0 0\n")
    check_place(tmp_path / "state")


def test_a_folder_beside_a_mount_is_not_on_it(tmp_path: Path, mounts: Path) -> None:
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path}/state nfs rw 0 0\n")

    assert file_system(tmp_path / "statement") == "ext4"


def test_of_two_mounts_on_one_place_the_later_one_is_seen(tmp_path: Path, mounts: Path) -> None:
    mounts.write_text(f"a {tmp_path} nfs rw 0 0\nb {tmp_path} ext4 rw 0 0\n")

    assert file_system(tmp_path) == "ext4"


def test_a_mount_with_a_space_in_its_name_is_found(tmp_path: Path, mounts: Path) -> None:
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path}/my\\040runs nfs rw 0 0\n")

    assert file_system(tmp_path / "my runs" / "state") == "nfs"


def test_a_link_is_followed_to_where_it_leads(tmp_path: Path, mounts: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to("far")
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path}/far nfs rw 0 0\n")

    assert file_system(tmp_path / "near") == "nfs"


def test_without_a_table_nothing_is_refused(tmp_path: Path, mounts: Path) -> None:
    check_place(tmp_path)


def test_a_run_is_refused_before_anything_is_placed_or_written(tmp_path: Path, mounts: Path) -> None:
    mounts.write_text(f"server:/x {tmp_path} nfs rw 0 0\n")
    simulation = a_simulation(tmp_path / "state")

    with pytest.raises(StorageError, match="--state-dir"):
        run(simulation)
    assert simulation.stats.pending_slots == len(simulation.slots)
    assert not (tmp_path / "state").exists()


def test_a_run_is_not_taken_up_there_but_can_be_looked_at(tmp_path: Path, mounts: Path) -> None:
    mounts.write_text("")
    saved = finished(tmp_path / "state").id
    mounts.write_text(f"server:/x {tmp_path} nfs rw 0 0\n")

    with pytest.raises(StorageError, match="network"):
        StatePersistence(tmp_path / "state").resume(saved, group=1)
    assert Simulation.look(saved, tmp_path / "state").stats.ended_slots == 40


# Whether it fits


def test_a_run_that_will_not_fit_is_refused_with_both_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 20_000_000)

    with pytest.raises(StorageError, match=r"1,000,000 slots need about 11\d MB, 20 MB are free in .*--state-dir"):
        check_room(tmp_path, slots=1_000_000, accounts=4, group=1)


def test_a_run_that_fits_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 200_000_000)
    check_room(tmp_path, slots=1_000_000, accounts=4, group=1)


def test_the_room_of_a_folder_that_is_yet_to_be_made_is_that_around_it(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="are free"):
        check_room(tmp_path / "a" / "b", slots=10**14, accounts=4, group=1)


def test_a_full_disk_refuses_a_run_before_anything_is_placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 10_000)
    simulation = a_simulation(tmp_path / "state")

    with pytest.raises(StorageError, match="40 slots need about"):
        run(simulation)
    assert simulation.stats.pending_slots == 40
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("each", [True, False], ids=["each slot saved", "saved in groups"])
def test_what_is_said_to_be_needed_is_what_a_run_takes(tmp_path: Path, each: bool) -> None:
    """Not less than half of it, or the check would be of no use; not more, or it would refuse what fits."""
    processor = {"retry_base_delay_ms": 0, "save_after_each_slot": each, "on_failure": "skip"}
    config = parse_config({**RICH, "scheduler": {"trades_per_account": 500}, "processor": processor})
    simulation = Simulation.create(config, state_dir=tmp_path)
    most = 0

    def measure(simulation: Simulation) -> None:
        nonlocal most
        most = max(most, sum(path.stat().st_size for path in tmp_path.iterdir()))

    simulation.subscribe(measure)  # it is told that the run has ended before the journal is folded in
    anyio.run(simulation.run, SKIP)
    simulation.close()
    said = least_needed(slots=2000, accounts=4, group=1 if each else GROUP)

    assert most / 2 <= said <= most


# Who may read it


def test_folder_and_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        persistence = StatePersistence(tmp_path / "new" / "state")
        writer = persistence.create(a_fresh_run(), group=1)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in persistence.folder.iterdir()}
        folder = stat.S_IMODE(persistence.folder.stat().st_mode)
        writer.close()
    finally:
        os.umask(before)

    assert folder == 0o700
    assert {name.rpartition(".")[2] for name in modes} >= {"sqlite", "lock"}
    assert set(modes.values()) == {0o600}
