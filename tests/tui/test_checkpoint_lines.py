"""The lines of the list of checkpoints: what may be done with each, their order, and what a filter finds."""

from pathlib import Path

import pytest

from orderbook_tui.engine.catalog import CheckpointStatus, SimulationInfo
from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.tui.checkpoint_lines import ORDERS, Line, Order, line_of, matching, shortened
from tests.tui.screen import simulation


def line(id: str, status: CheckpointStatus = CheckpointStatus.INTERRUPTED, **known: object) -> Line:  # noqa: A002
    return Line(SimulationInfo(id=id, path=Path(id), status=status, **known))  # type: ignore[arg-type]


def test_only_what_is_sound_and_nobody_elses_opens() -> None:
    assert [status for status in CheckpointStatus if line("a", status).opens] == [
        CheckpointStatus.FINISHED,
        CheckpointStatus.INTERRUPTED,
    ]


def test_what_is_sound_can_be_taken_elsewhere_even_while_it_runs() -> None:
    assert [status for status in CheckpointStatus if line("a", status).is_readable] == [
        CheckpointStatus.FINISHED,
        CheckpointStatus.INTERRUPTED,
        CheckpointStatus.RUNNING,
    ]


def test_what_is_in_use_or_is_no_checkpoint_is_not_deleted() -> None:
    assert [status for status in CheckpointStatus if not line("a", status).goes] == [
        CheckpointStatus.RUNNING,
        CheckpointStatus.FOREIGN,
    ]


def test_the_run_that_is_open_here_is_shown_and_not_deleted() -> None:
    here = Line(line("a", CheckpointStatus.RUNNING).info, RunStatus.PAUSED)
    assert (here.opens, here.goes, here.state) == (True, False, "paused here")


def test_every_state_of_a_run_that_is_open_here_has_a_word() -> None:
    assert len({Line(line("a").info, status).state for status in RunStatus}) == len(RunStatus)


def test_the_figures_of_a_run_that_is_open_are_those_of_the_run(tmp_path: Path) -> None:
    run = simulation(tmp_path)
    run.state.id = "a"
    run.stats.completed_slots = 5
    live = line_of(line("a", completed=1, total_slots=8, reason="in use").info, run)
    assert (live.ended, live.info.total_slots, live.info.reason, live.here) == (5, 8, "", RunStatus.READY)


def test_a_run_that_has_no_checkpoint_yet_is_nobodys(tmp_path: Path) -> None:
    assert line_of(line("a").info, simulation(tmp_path)).here is None


@pytest.mark.parametrize(
    ("by", "first"), [("saved", "new"), ("name", "old"), ("progress", "far"), ("failed", "bad"), ("size", "big")]
)
def test_an_order_begins_with_the_newest_the_farthest_the_largest(by: str, first: str) -> None:
    lines = [
        line("new", saved_at=9, name="x"),
        line("old", saved_at=1, name="A"),
        line("far", saved_at=2, name="x", total_slots=4, completed=4),
        line("bad", saved_at=3, name="x", total_slots=4, failed=3),
        line("big", saved_at=4, name="x", size=1000),
    ]
    assert Order(by).arranged(lines)[0].info.id == first
    assert Order(by, reverse=True).arranged(lines)[-1].info.id == first


def test_equal_lines_stand_as_they_were_saved() -> None:
    lines = [line("b", saved_at=1), line("a", saved_at=3), line("c", saved_at=2)]
    assert [each.info.id for each in Order("failed").arranged(lines)] == ["a", "c", "b"]


def test_the_orders_follow_each_other_round_and_round() -> None:
    order, seen = Order(), []
    for _ in ORDERS:
        seen.append(order.by)
        order = order.next()
    assert (seen, order) == (["saved", "name", "progress", "failed", "size"], Order())


def test_a_filter_wants_every_word_somewhere() -> None:
    lines = [line("one-1", name="Night run"), line("two-2", CheckpointStatus.DAMAGED, name="night")]
    assert [each.info.id for each in matching(lines, "NIGHT damaged")] == ["two-2"]
    assert [each.info.id for each in matching(lines, "one resume")] == ["one-1"]
    assert matching(lines, "night day") == []
    assert matching(lines, "") == lines


def test_a_text_is_shortened_by_cells_and_not_by_characters() -> None:
    assert shortened("日本語", 10) == "日本語"
    assert shortened("日本語日本語日本語", 9) == "日本…本語"
