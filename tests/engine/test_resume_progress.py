"""Resuming tells how far it is: in words and shares that never fall, from the start to the end."""

from pathlib import Path

import pytest

from orderbook_tui.core.replay import replay
from orderbook_tui.engine import checkpoint_chain, checkpoint_journal
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.progress import naming, part, untold
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.errors import CheckpointDamaged
from tests.engine.checkpoints import a_plan, a_played_run, file_of, saved
from tests.engine.test_checkpoint_damage import spoil

Heard = list[tuple[str, float]]


@pytest.fixture(params=[True, False], ids=["finished", "unfinished"])
def heard(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Heard:
    """What resuming told of a small run, which is read by the piece of seven rows."""
    monkeypatch.setattr(checkpoint_journal, "PIECE", 7)
    monkeypatch.setattr(checkpoint_chain, "PIECE", 7)
    told: Heard = []
    played = a_played_run(until=None if request.param else 33)
    run_id = saved(tmp_path, played, finish=request.param)
    simulation = Simulation.resume(run_id, tmp_path, progress=lambda what, share: told.append((what, share)))
    assert simulation.status is (RunStatus.DONE if request.param else RunStatus.READY)
    simulation.close()
    return told


def test_the_share_never_falls(heard: Heard) -> None:
    shares = [share for _, share in heard]
    assert shares == sorted(shares)


def test_it_begins_with_nothing_and_ends_with_the_whole(heard: Heard) -> None:
    assert (heard[0], heard[-1]) == (("reading", 0.0), ("replaying", 1.0))


def test_first_it_reads_and_then_it_replays(heard: Heard) -> None:
    assert [what for what, _ in dict.fromkeys((what, "") for what, _ in heard)] == ["reading", "replaying"]


def test_it_tells_of_each_piece(heard: Heard) -> None:
    assert len({share for what, share in heard if what == "reading"}) > 40 / 7 + 60 / 7


def test_a_run_of_which_nothing_has_happened_tells_start_and_end(tmp_path: Path) -> None:
    plan, slots = a_plan()
    state = replay(plan, slots).state
    StatePersistence(tmp_path).create(state, group=1).close()
    told: Heard = []
    Simulation.resume(state.id, tmp_path, progress=lambda what, share: told.append((what, share))).close()
    assert (told[0], told[-1]) == (("reading", 0.0), ("replaying", 1.0))


def test_a_damaged_checkpoint_never_gets_to_the_end(tmp_path: Path) -> None:
    run_id = saved(tmp_path, a_played_run())
    spoil(file_of(tmp_path, run_id), "UPDATE budget_snapshot SET spent = spent + 1")
    told: Heard = []
    with pytest.raises(CheckpointDamaged):
        Simulation.resume(run_id, tmp_path, progress=lambda what, share: told.append((what, share)))
    assert 0.0 < told[-1][1] < 1.0


def test_what_progress_raises_ends_the_work_and_lets_go_of_the_checkpoint(tmp_path: Path) -> None:
    run_id = saved(tmp_path, a_played_run(until=33), finish=False)

    def enough(what: str, share: float) -> None:
        if what == "replaying":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Simulation.resume(run_id, tmp_path, progress=enough)
    Simulation.resume(run_id, tmp_path).close()


def test_a_replay_tells_its_share_from_start_to_end() -> None:
    played = a_played_run()
    plan, slots = a_plan()
    told: list[float] = []
    replay(plan, slots, played.state.journal, told=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_part_tells_its_share_of_the_whole() -> None:
    told: list[float] = []
    half = part(told.append, 0.5, 1.0)
    half(0.5)
    part(half, 0.5, 1.0)(1.0)
    assert told == [0.75, 1.0]


def test_nobody_is_told_where_nobody_asked() -> None:
    assert part(naming(None, "reading"), 0.0, 0.5) is untold
