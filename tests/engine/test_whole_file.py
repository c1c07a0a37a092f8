"""A file that is there whole, or not at all."""

import os
from pathlib import Path

import pytest

from orderbook_tui.engine.whole_file import whole_file


def break_off(path: Path, *, replace: bool) -> None:
    """Write half of it."""
    with whole_file(path, replace=replace) as out:
        out.write("half")
        raise KeyError


def test_what_was_written_is_there(tmp_path: Path) -> None:
    with whole_file(tmp_path / "rows.csv", replace=False) as out:
        out.write("a\r\n\ud800")

    assert (tmp_path / "rows.csv").read_bytes() == b"a\r\n\\ud800"


def test_nothing_is_there_before_all_is_written(tmp_path: Path) -> None:
    with whole_file(tmp_path / "rows.csv", replace=False) as out:
        out.write("half")
        assert not (tmp_path / "rows.csv").exists()


@pytest.mark.parametrize("replace", [True, False])
def test_what_breaks_off_leaves_nothing(tmp_path: Path, replace: bool) -> None:
    with pytest.raises(KeyError):
        break_off(tmp_path / "rows.csv", replace=replace)

    assert list(tmp_path.iterdir()) == []


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("before")
    with pytest.raises(KeyError):
        break_off(path, replace=True)

    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("before", 1)


def test_a_file_is_replaced_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("before")
    path.chmod(0o600)
    with whole_file(path, replace=True) as out:
        out.write("after")

    assert (path.read_text(), path.stat().st_mode & 0o777) == ("after", 0o600)


def test_a_file_is_not_replaced_where_that_is_not_wanted(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("before")

    with pytest.raises(FileExistsError), whole_file(path, replace=False):
        pass
    assert path.read_text() == "before"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_comes_meanwhile_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    path = tmp_path / "rows.csv"
    if not links:
        monkeypatch.setattr(os, "link", _no_links)

    with pytest.raises(FileExistsError), whole_file(path, replace=False):
        path.write_text("theirs")
    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("theirs", 1)


def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", _no_links)
    with whole_file(tmp_path / "rows.csv", replace=False) as out:
        out.write("rows")

    assert [path.read_text() for path in tmp_path.iterdir()] == ["rows"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    path, link = tmp_path / "rows.csv", tmp_path / "link.csv"
    path.write_text("before")
    link.symlink_to(path)
    with whole_file(link, replace=True) as out:
        out.write("after")

    assert (link.is_symlink(), path.read_text()) == (True, "after")


def test_a_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with whole_file(path, replace=True) as out:
        out.write("rows")

    assert os.read(reader, 100) == b"rows"
    os.close(reader)


def _no_links(*_: object) -> None:
    raise PermissionError
