"""Links that somebody planted in the folder of the checkpoints are not followed, and names never lead out of it."""

import contextlib
import os
import stat
from pathlib import Path

import pytest

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.catalog import export_checkpoint, fork_checkpoint
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.export import ExportFormat
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import CheckpointError, ConfigError, OrderbookTuiError
from tests.engine.checkpoints import a_fresh_run, a_played_run, saved
from tests.engine.runs import a_simulation, run

PRECIOUS = b"as it was"
BESIDE = ("", "-wal", "-shm", "-journal", "-new")
NAMES = ("../out", "..", "/etc/x", "a/b", "a\\b", "C:x", "\0", "a\n", "-x", "", ".hidden", "a" * 300, "\u202e", "con.sqlite")


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file outside the folder, which nobody may touch."""
    path = tmp_path / "precious"
    path.write_bytes(PRECIOUS)
    path.chmod(0o644)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    return path


def is_untouched(precious: Path) -> bool:
    return precious.read_bytes() == PRECIOUS and stat.S_IMODE(precious.stat().st_mode) == 0o644


@pytest.mark.parametrize("suffix", [*(f".sqlite{beside}" for beside in BESIDE), ".lock"])
@pytest.mark.parametrize("leads", ["to a file", "to nothing"])
def test_a_link_where_a_new_checkpoint_goes_is_not_written_through(
    folder: Path, precious: Path, suffix: str, leads: str
) -> None:
    target = precious if leads == "to a file" else precious.with_name("nothing")
    (folder / f"planned{suffix}").symlink_to(target)
    state = a_fresh_run()
    state.id = "planned"
    try:
        StatePersistence(folder).create(state, group=1).close()
    except CheckpointError:
        pass
    else:
        assert not (folder / "planned.sqlite").is_symlink()

    assert is_untouched(precious)
    assert not precious.with_name("nothing").exists()


@pytest.mark.parametrize("suffix", [".sqlite-wal", ".sqlite-shm", ".sqlite-journal", ".lock"])
def test_a_link_beside_a_saved_run_is_not_followed(folder: Path, precious: Path, suffix: str) -> None:
    run_id = saved(folder, a_played_run(until=10), finish=False)
    beside = folder / f"{run_id}{suffix}"
    beside.unlink(missing_ok=True)
    beside.symlink_to(precious)
    persistence = StatePersistence(folder)
    for action in (persistence.read, persistence.load):
        with contextlib.suppress(CheckpointError):
            action(run_id)
    with contextlib.suppress(CheckpointError):
        _, writer = persistence.resume(run_id, group=1)
        writer.close()

    assert is_untouched(precious)


def test_a_link_in_place_of_a_checkpoint_is_none(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    run_id = saved(elsewhere, a_played_run())
    (folder / f"{run_id}.sqlite").symlink_to(elsewhere / f"{run_id}.sqlite")

    with pytest.raises(CheckpointError, match="link"):
        StatePersistence(folder).read(run_id)
    with pytest.raises(CheckpointError, match="link"):
        StatePersistence(folder).delete(run_id)
    assert (elsewhere / f"{run_id}.sqlite").exists()


def test_to_delete_a_run_removes_a_link_beside_it_and_not_what_it_leads_to(folder: Path, precious: Path) -> None:
    run_id = saved(folder, a_played_run())
    (folder / f"{run_id}.sqlite-wal").symlink_to(precious)
    StatePersistence(folder).delete(run_id)

    assert is_untouched(precious)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_id_is_never_a_path(folder: Path, name: str) -> None:
    persistence = StatePersistence(folder)
    state = a_fresh_run()
    state.id = name or "/"
    actions = (
        lambda: persistence.read(name),
        lambda: persistence.delete(name),
        lambda: persistence.resume(name, group=1),
        lambda: persistence.create(state, group=1),
        lambda: Simulation.look(name, folder),
        lambda: fork_checkpoint(folder, name),
        lambda: export_checkpoint(folder, name, "slots", ExportFormat.CSV, folder / "out.csv"),
    )
    for action in actions:
        with pytest.raises(CheckpointError):
            action()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in NAMES if name])
def test_a_name_of_a_run_leads_nowhere(folder: Path, name: str) -> None:
    before = set(folder.parent.iterdir())
    try:
        simulation = a_simulation(folder, name=name)
    except (ConfigError, OrderbookTuiError):
        return  # such as a NUL
    run(simulation, PolicyDecider(RecoveryAction.SKIP))
    simulation.close()

    assert {path.suffix for path in folder.iterdir()} == {".sqlite"}
    assert set(folder.parent.iterdir()) == before


def test_files_of_a_run_are_private_while_it_goes_on_and_after(folder: Path) -> None:
    before = os.umask(0)
    try:
        simulation = a_simulation(folder)
        modes: set[int] = set()
        simulation.subscribe(lambda _: modes.update(stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()))
        run(simulation)
        simulation.close()
        made = fork_checkpoint(folder, simulation.id)
        modes |= {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    finally:
        os.umask(before)

    assert made
    assert modes == {0o600}
