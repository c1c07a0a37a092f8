"""Whose a file is."""

import os
import stat

import pytest

from orderbook_tui.engine.ownership import stranger, writer_besides

FILE, FOLDER = stat.S_IFREG, stat.S_IFDIR
ME, SOMEBODY = os.geteuid(), 54_321


def about(mode: int, uid: int = ME, gid: int = SOMEBODY) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize("mode", [FILE | 0o600, FILE | 0o755, FOLDER | 0o755])
def test_a_file_of_ones_own_is_nobody_elses(mode: int) -> None:
    assert stranger(about(mode)) == ""


def test_what_belongs_to_the_administrator_is_no_strangers() -> None:
    assert stranger(about(FILE | 0o644, uid=0)) == ""


def test_a_file_of_another_user_is_a_strangers() -> None:
    assert stranger(about(FILE | 0o600, uid=SOMEBODY)) == f"it belongs to user {SOMEBODY}"


def test_a_file_that_everybody_may_write_is_anybodys() -> None:
    assert stranger(about(FILE | 0o646)) == "everybody on this machine may write to it"


def test_a_file_that_a_group_of_others_may_write_is_theirs_too() -> None:
    assert stranger(about(FILE | 0o664)) == f"the group {SOMEBODY} may write to it"


def test_nobody_may_take_a_file_away_from_a_sticky_folder() -> None:
    assert stranger(about(FOLDER | 0o1777)) == ""


def test_everybody_may_add_to_a_sticky_folder() -> None:
    assert writer_besides(about(FOLDER | 0o1777)) == "everybody on this machine may write to it"
