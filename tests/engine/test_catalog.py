"""The checkpoints of a folder, as the screens see them."""

import io
from pathlib import Path

import pytest

from orderbook_tui.engine.catalog import ExportFormat, delete_checkpoint, export_checkpoint, export_file, list_checkpoints
from orderbook_tui.engine.export import export
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import CheckpointNotFound, StorageError
from tests.engine.runs import a_simulation, finished, run, stopping_after


@pytest.fixture
def done(tmp_path: Path) -> Simulation:
    """A run that is done, in a folder."""
    return finished(tmp_path / "runs")


def rows(simulation: Simulation, what: str, form: ExportFormat) -> str:
    out = io.StringIO()
    export(simulation, what, form, out)
    return out.getvalue()


@pytest.mark.parametrize("form", ExportFormat)
def test_a_checkpoint_is_exported_as_its_run_is(tmp_path: Path, done: Simulation, form: ExportFormat) -> None:
    count = export_checkpoint(tmp_path / "runs", done.id, "fills", form, tmp_path / "fills")

    assert (count, (tmp_path / "fills").read_text()) == (20, rows(done, "fills", form))


def test_a_run_that_is_open_is_exported_as_it_stands(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path / "runs")
    with stopping_after(simulation, 10):
        run(simulation)
    count = export_file(simulation, "attempts", ExportFormat.CSV, tmp_path / "attempts.csv")
    simulation.close()

    assert (count, (tmp_path / "attempts.csv").read_text().count("\n")) == (10, 11)


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path, done: Simulation) -> None:
    (tmp_path / "slots.csv").write_text("mine")

    with pytest.raises(StorageError, match=r"slots\.csv is there already"):
        export_checkpoint(tmp_path / "runs", done.id, "slots", ExportFormat.CSV, tmp_path / "slots.csv")
    assert (tmp_path / "slots.csv").read_text() == "mine"


def test_a_file_that_is_there_is_overwritten_where_that_is_wanted(tmp_path: Path, done: Simulation) -> None:
    (tmp_path / "slots.csv").write_text("mine")
    export_checkpoint(tmp_path / "runs", done.id, "slots", ExportFormat.CSV, tmp_path / "slots.csv", replace=True)

    assert (tmp_path / "slots.csv").read_text() == rows(done, "slots", ExportFormat.CSV)


def test_a_folder_that_is_not_there_is_said_in_words(tmp_path: Path, done: Simulation) -> None:
    with pytest.raises(StorageError, match=r"no/such\.csv cannot be written: No such file or directory"):
        export_checkpoint(tmp_path / "runs", done.id, "slots", ExportFormat.CSV, tmp_path / "no/such.csv")


def test_what_is_not_there_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(CheckpointNotFound):
        export_checkpoint(tmp_path, "nothing", "slots", ExportFormat.CSV, tmp_path / "slots.csv")
    assert list(tmp_path.iterdir()) == []


def test_what_was_deleted_is_listed_no_more(tmp_path: Path, done: Simulation) -> None:
    delete_checkpoint(tmp_path / "runs", done.id)

    assert list_checkpoints(tmp_path / "runs") == []
