"""A loss of power takes what was not promised, and nothing else; and it would be found if it did."""

import random

import pytest

from tests.power.disk import Disk
from tests.power.losses import lose_power
from tests.power.recording import Op


def test_what_was_promised_is_there_after_a_loss_of_power() -> None:
    states, wrong = lose_power("killed", list(range(60)))
    assert (states, wrong) == (60, [])


@pytest.mark.parametrize(
    ("plant", "words"), [("no-sync", "events were promised"), ("no-folder-sync", "the checkpoint is gone")]
)
def test_a_sync_that_is_left_out_is_found(plant: str, words: str) -> None:
    _, wrong = lose_power(plant, list(range(20)))
    assert any(words in why for _, why in wrong)


def test_a_disk_keeps_what_was_synced_and_any_part_of_the_rest() -> None:
    disk = Disk()
    disk.play(Op("open", "file", 1))
    disk.play(Op("sync_folder", ""))
    disk.play(Op("write", handle=1, data=b"a" * 1024))
    disk.play(Op("sync", handle=1))
    disk.play(Op("write", handle=1, at=256, data=b"b" * 512))
    found = {disk.after_a_loss(random.Random(seed))["file"] for seed in range(300)}
    assert {b"a" * 1024, b"a" * 256 + b"b" * 512 + b"a" * 256, b"a" * 256 + b"b" * 256 + b"a" * 512} <= found
    assert all(content[:256] + content[768:] == b"a" * 512 for content in found)


def test_a_name_is_there_for_sure_once_its_folder_was_synced() -> None:
    disk = Disk()
    disk.play(Op("open", "new", 1))
    disk.play(Op("sync", handle=1))
    disk.play(Op("rename", "new", to="file"))
    before = {tuple(disk.after_a_loss(random.Random(seed))) for seed in range(100)}
    disk.play(Op("sync_folder", ""))
    after = {tuple(disk.after_a_loss(random.Random(seed))) for seed in range(100)}
    assert (before, after) == ({(), ("new",), ("file",)}, {("file",)})
