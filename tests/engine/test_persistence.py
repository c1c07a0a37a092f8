"""StatePersistence: what is saved comes back, whoever else is about, and nothing else is touched."""

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.journal import Attempt, Cancel, Decision, Event, Execution, Failure, RecoveryAction
from orderbook_tui.core.market import Account
from orderbook_tui.core.replay import replay
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import Plan, SimulationState, state_hash
from orderbook_tui.engine.checkpoint_journal import JournalCheck
from orderbook_tui.engine.persistence import CheckpointStatus, Intent, StatePersistence
from orderbook_tui.errors import CheckpointError, CheckpointInUse, CheckpointNotFound, FailureKind, StorageError
from tests.builders import TRANSIENT, bid, small_market
from tests.engine.checkpoints import a_fresh_run, a_plan, a_played_run, contents, file_of, saved


def one_slot_run(account: str = "a", *, name: str = "", journal: tuple[Event, ...] = ()) -> SimulationState:
    """A run of one slot, whose orders are settled elsewhere."""
    action: OrderAction = bid(small_market(), 10, 100)
    plan = Plan(
        name=name, accounts=(Account(account),), markets=(action.market,), assets=(action.market.base, action.market.quote)
    )
    state = SimulationState([ActionSlot(0, account, action)], plan=plan)
    state.journal.extend(journal)
    return state


def save_once(folder: Path, state: SimulationState) -> str:
    with StatePersistence(folder) as persistence:
        return persistence.save(state)


@pytest.mark.parametrize("group", [1, 256])
def test_a_run_comes_back_with_the_same_state_hash(tmp_path: Path, group: int) -> None:
    played = a_played_run()
    loaded = StatePersistence(tmp_path).read(saved(tmp_path, played, group=group)).replay()
    assert state_hash(loaded.state, loaded.budgets) == state_hash(played.state, played.budgets)


def test_what_a_venue_calls_its_executions_is_no_part_of_the_state_hash() -> None:
    played = a_played_run()
    called = [
        msgspec.structs.replace(event, id=f"e-{n}") if isinstance(event, Execution) else event
        for n, event in enumerate(played.state.journal)
    ]
    state, budgets, _ = replay(*a_plan(), called)
    assert state.journal != played.state.journal
    assert state_hash(state, budgets) == state_hash(played.state, played.budgets)


def test_plan_journal_and_statistics_come_back_equal(tmp_path: Path) -> None:
    played = a_played_run()
    loaded = StatePersistence(tmp_path).load(saved(tmp_path, played))
    assert (loaded.plan, loaded.journal, loaded.stats) == (played.state.plan, played.state.journal, played.state.stats)


def test_slots_that_are_read_share_their_markets_and_accounts(tmp_path: Path) -> None:
    slots = StatePersistence(tmp_path).read(saved(tmp_path, a_played_run())).slots
    assert len({id(slot.action.market) for slot in slots}) == 2
    assert len({id(slot.account_id) for slot in slots}) == 4
    assert len({id(slot.action.matching_strategy) for slot in slots}) == 4


def test_a_run_that_was_cut_anywhere_goes_on_to_the_same_hash(tmp_path: Path) -> None:
    whole = a_played_run()
    journal = whole.state.journal
    for cut in range(0, len(journal), 7):
        folder = tmp_path / str(cut)
        state = a_fresh_run()
        with StatePersistence(folder).create(state, group=1) as writer:
            writer.slot_ended(journal[:cut])
        checkpoint, writer = StatePersistence(folder).resume(state.id, group=256)
        with writer:
            assert checkpoint.journal == journal[:cut]
            writer.finish(journal, whole.budgets)
        loaded = StatePersistence(folder).read(state.id).replay()
        assert state_hash(loaded.state, loaded.budgets) == state_hash(whole.state, whole.budgets)


def test_save_gives_an_id_and_later_appends(tmp_path: Path) -> None:
    state = one_slot_run(name="Two venues / ünïcode")
    with StatePersistence(tmp_path) as persistence:
        first = persistence.save(state)
        slot = state.slots[0]
        slot.begin(5)
        slot.fail_attempt(TRANSIENT, 6)
        assert persistence.save(state) == first == state.id
        slot.begin(7)
        slot.complete("x", 8)
        persistence.save(state)
        loaded = persistence.load(first)
    assert first.startswith("Two-venues-n-code-")
    assert [attempt.order_id for attempt in loaded.slots[0].attempts] == [None, "x"]
    assert loaded.saved_at == state.saved_at > 0
    assert persistence.list_simulations()[0].finished


def test_a_loaded_run_is_saved_under_its_id_by_another_persistence(tmp_path: Path) -> None:
    run_id = save_once(tmp_path, one_slot_run())
    state = StatePersistence(tmp_path).load(run_id)
    state.slots[0].begin(1)
    state.slots[0].complete(7, 2)
    assert save_once(tmp_path, state) == run_id
    assert StatePersistence(tmp_path).load(run_id).slots[0].state is SlotState.COMPLETED


def test_a_state_that_the_file_has_overtaken_is_not_saved_over_it(tmp_path: Path) -> None:
    run_id = save_once(tmp_path, one_slot_run())
    older, newer = StatePersistence(tmp_path).load(run_id), StatePersistence(tmp_path).load(run_id)
    newer.slots[0].begin(1)
    newer.slots[0].complete(7, 2)
    save_once(tmp_path, newer)
    with pytest.raises(CheckpointError, match="has gone on since it was loaded"):
        save_once(tmp_path, older)


@pytest.mark.parametrize(
    "order_id", [7, "7", "", "a\0b", "\ud800", 2**63, -(2**63), 2**200, -(2**99), "x" * 100_000, "s", "i7"]
)
def test_an_order_id_keeps_value_and_type(tmp_path: Path, order_id: int | str) -> None:
    run_id = save_once(tmp_path, one_slot_run(journal=(Attempt(0, 1, 1, 2, order_id),)))
    (attempt,) = StatePersistence(tmp_path).load(run_id).slots[0].attempts
    assert (type(attempt.order_id), attempt.order_id) == (type(order_id), order_id)


@pytest.mark.parametrize(
    "name", ["", " ", "a\0b", "\ud800\udfff", "'; DROP TABLE plan; --", "../../x", "ü" * 100_000, "\x1b[2J"]
)
def test_any_text_may_name_an_account_and_a_run(tmp_path: Path, name: str) -> None:
    state = one_slot_run(name or "x", name=name)
    loaded = StatePersistence(tmp_path).load(save_once(tmp_path, state))
    assert loaded.plan == state.plan
    assert [path.parent for path in tmp_path.rglob("*")] == [tmp_path] * len(contents(tmp_path))


def test_one_value_that_needs_another_dress_does_not_disturb_its_group(tmp_path: Path) -> None:
    played = a_played_run()
    journal = played.state.journal
    state = a_fresh_run()
    with StatePersistence(tmp_path).create(state, group=256) as writer:
        writer.flush(journal, barrier=True)
    assert any(isinstance(event, Attempt) and event.failure and "\ud800" in event.failure.message for event in journal)
    assert StatePersistence(tmp_path).read(state.id).journal == journal


TEXTS = st.text(st.characters(), max_size=8)
TIMES = st.integers(-(2**63), 2**63 - 1)


@st.composite
def journals(draw: st.DrawFn) -> list[Event]:
    """Journals over a fresh run of four slots, whose orders are settled elsewhere, as a run could leave them."""
    journal: list[Event] = []
    tries, skipped = [0] * 4, set[int]()
    for slot in draw(st.lists(st.integers(0, 3), max_size=30)):
        choice = draw(st.integers(0, 3))
        if choice == 0:
            price, at, names = draw(st.integers(1, 2**63 - 1)), draw(TIMES), draw(st.tuples(*[st.none() | TEXTS] * 2))
            journal.append(Execution(slot, draw(st.sampled_from([-1, slot ^ 1])), price, 1, 0, 0, at, *names))
        elif choice == 1:
            journal.append(Cancel(slot, draw(st.integers(0, 2**63 - 1)), draw(TIMES)))
        elif slot not in skipped:
            tries[slot] += 1
            failure = draw(st.none() | st.builds(Failure, TEXTS, st.sampled_from(FailureKind), TEXTS))
            order_id = draw(st.integers() | TEXTS) if failure is None else None
            journal.append(Attempt(slot, tries[slot], draw(TIMES), draw(TIMES), order_id, failure))
            if failure is not None and choice == 3:
                action = draw(st.sampled_from(RecoveryAction))
                journal.append(Decision(slot, tries[slot], action, draw(TEXTS), draw(TIMES)))
                if action is RecoveryAction.SKIP:
                    skipped.add(slot)
    return journal


@settings(max_examples=60, deadline=None)
@given(journals(), st.sampled_from([1, 2, 256]), st.integers(1, 9))
def test_any_journal_comes_back_event_by_event(tmp_path_factory: Any, journal: list[Event], group: int, step: int) -> None:
    folder = tmp_path_factory.mktemp("journal")
    action = bid(small_market(), 10, 100)
    plan = Plan(accounts=(Account("a"),), markets=(action.market,))
    state = SimulationState([ActionSlot(n, "a", action) for n in range(4)], plan=plan)
    with StatePersistence(folder).create(state, group=group) as writer:
        for end in range(0, len(journal), step):
            writer.slot_ended(journal[:end])
        writer.flush(journal, barrier=False)
        running = StatePersistence(folder).read(state.id)
    checkpoint = StatePersistence(folder).read(state.id)
    assert running.journal == checkpoint.journal == journal
    assert JournalCheck(state.slots, settled=False).first_misfit(journal, 0) is None


def test_the_list_counts_what_a_recount_counts(tmp_path: Path) -> None:
    played = a_played_run(until=33)
    saved(tmp_path, played, group=1, finish=False)
    (info,) = StatePersistence(tmp_path).list_simulations()
    stats = played.state.stats
    assert (info.completed, info.failed, info.skipped) == (stats.completed_slots, stats.failed_slots, stats.skipped_slots)
    assert (info.total_slots, info.status, info.name) == (40, CheckpointStatus.INTERRUPTED, "A run: two markets")


def test_the_checkpoint_saved_last_is_listed_first(tmp_path: Path) -> None:
    ids = [save_once(tmp_path, one_slot_run(name=name)) for name in "abc"]
    state = StatePersistence(tmp_path).load(ids[0])
    save_once(tmp_path, state)
    assert [info.id for info in StatePersistence(tmp_path).list_simulations()] == [ids[0], ids[2], ids[1]]


def test_a_folder_that_is_not_there_has_no_checkpoints_and_is_not_made(tmp_path: Path) -> None:
    assert StatePersistence(tmp_path / "none").list_simulations() == []
    assert not (tmp_path / "none").exists()


def test_a_folder_that_is_a_file_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be made"):
        save_once(tmp_path / "file" / "in", one_slot_run())
    with pytest.raises(StorageError, match="cannot be listed"):
        StatePersistence(tmp_path / "file").list_simulations()


@pytest.mark.parametrize("run_id", ["", ".", "..", "../x", "a/b", "-a", "_a", "a.b", "a b", "a\n", "a\0", "x" * 65, "é"])
def test_what_is_no_id_is_not_looked_for(tmp_path: Path, run_id: str) -> None:
    persistence = StatePersistence(tmp_path)
    for ask in (persistence.read, persistence.load, persistence.delete):
        with pytest.raises(CheckpointNotFound, match="is no id"):
            ask(run_id)


def test_an_id_that_nobody_has_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(CheckpointNotFound, match="no simulation abc"):
        StatePersistence(tmp_path / "none").resume("abc", group=1)


def test_an_id_that_is_taken_is_not_made_again(tmp_path: Path) -> None:
    state = one_slot_run()
    state.id = "mine"
    save_once(tmp_path, state)
    before = contents(tmp_path)
    with pytest.raises(CheckpointError, match="is there already"):
        StatePersistence(tmp_path).create(state, group=1)
    assert contents(tmp_path) == before


def test_deleting_leaves_nothing(tmp_path: Path) -> None:
    with StatePersistence(tmp_path) as persistence:
        persistence.delete(persistence.save(one_slot_run()))
    assert list(tmp_path.iterdir()) == []


def test_folder_and_files_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    state = a_fresh_run()
    with StatePersistence(folder).create(state, group=1) as writer:
        writer.flush([Attempt(0, 1, 1, 2, 3)], barrier=True)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.suffix: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
            ".sqlite": 0o600,
            ".sqlite-wal": 0o600,
            ".lock": 0o600,
        }


def test_a_writer_that_is_closed_leaves_one_file_and_says_that_it_is_closed(tmp_path: Path) -> None:
    state = a_fresh_run()
    writer = StatePersistence(tmp_path).create(state, group=1)
    writer.slot_ended([Attempt(0, 1, 1, 2, 3)])
    writer.close()
    writer.close()
    assert list(contents(tmp_path)) == [f"{state.id}.sqlite"]
    with pytest.raises(StorageError, match="closed"):
        writer.flush([Attempt(0, 1, 1, 2, 3), Attempt(1, 1, 1, 2, 3)], barrier=True)


def test_a_finished_run_may_go_on_and_is_then_not_finished(tmp_path: Path) -> None:
    played = a_played_run()
    run_id, journal = saved(tmp_path, played), played.state.journal
    failed = next(slot for slot in played.state.slots if slot.state is SlotState.FAILED)
    _, writer = StatePersistence(tmp_path).resume(run_id, group=1)
    with writer:
        assert StatePersistence(tmp_path).read(run_id).finished
        writer.slot_ended([*journal, Attempt(failed.sequence, failed.attempt_count + 1, 1, 2, None, TRANSIENT)])
        assert not StatePersistence(tmp_path).read(run_id).finished
    assert not StatePersistence(tmp_path).list_simulations()[0].finished


def test_resuming_a_finished_run_and_letting_go_changes_nothing(tmp_path: Path) -> None:
    run_id = saved(tmp_path, a_played_run())
    before = contents(tmp_path)
    StatePersistence(tmp_path).resume(run_id, group=1)[1].close()
    assert contents(tmp_path) == before


def test_an_intent_without_a_result_is_told_and_one_with_it_is_not(tmp_path: Path) -> None:
    state = a_fresh_run()
    with StatePersistence(tmp_path).create(state, group=1) as writer:
        for slot in (0, 1, 1):
            writer.intend([], [Intent(slot, 1, f"run-{slot}-0\ud800", slot + 5)])
        writer.slot_ended([Attempt(0, 1, 1, 2, 3)])
    assert StatePersistence(tmp_path).read(state.id).intents == (Intent(1, 1, "run-1-0\ud800", 6),)


def test_a_plan_that_does_not_fit_together_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    stranger = SimulationState([ActionSlot(0, "nobody", bid(small_market(), 1, 1))], plan=one_slot_run().plan)
    huge = SimulationState([ActionSlot(0, "a", bid(small_market(), 2**64, 1))])
    for state in (stranger, huge):
        with pytest.raises(CheckpointError, match="cannot be"):
            save_once(tmp_path, state)
        assert list(tmp_path.iterdir()) == []
        assert state.id == ""


def test_a_budget_may_be_as_large_as_64_bits(tmp_path: Path) -> None:
    state = one_slot_run()
    budgets = {("a", "USD"): 2**63 - 1}
    state.plan = Plan(accounts=state.plan.accounts, markets=state.plan.markets, assets=state.plan.assets, budgets=budgets)
    assert StatePersistence(tmp_path).load(save_once(tmp_path, state)).plan.budgets == budgets


def test_a_second_writer_of_the_same_process_is_refused(tmp_path: Path) -> None:
    state = a_fresh_run()
    with StatePersistence(tmp_path).create(state, group=1):
        with pytest.raises(CheckpointInUse, match=f"this process {os.getpid()}"):
            StatePersistence(tmp_path).resume(state.id, group=1)
        with pytest.raises(CheckpointInUse):
            StatePersistence(tmp_path).delete(state.id)
        assert StatePersistence(tmp_path).list_simulations()[0].status is CheckpointStatus.RUNNING


def test_a_finished_run_opens_in_a_read_only_folder(tmp_path: Path) -> None:
    run_id = saved(tmp_path, a_played_run())
    file_of(tmp_path, run_id).chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("permissions do not bind this user")
        assert StatePersistence(tmp_path).read(run_id).finished
        assert StatePersistence(tmp_path).list_simulations()[0].finished
        with pytest.raises(StorageError, match="cannot be locked"):
            StatePersistence(tmp_path).resume(run_id, group=1)
    finally:
        tmp_path.chmod(0o700)


def test_an_interrupted_run_opens_in_a_read_only_folder(tmp_path: Path) -> None:
    state = a_fresh_run()
    with StatePersistence(tmp_path / "run").create(state, group=1) as writer:
        writer.slot_ended([Attempt(0, 1, 1, 2, 3)])
        # What a killed run leaves: the file, and beside it a journal that was not folded in.
        shutil.copytree(tmp_path / "run", tmp_path / "killed", ignore=shutil.ignore_patterns("*.lock"))
    killed = tmp_path / "killed"
    killed.chmod(0o500)
    try:
        if os.access(killed, os.W_OK):
            pytest.skip("permissions do not bind this user")
        assert len(StatePersistence(killed).read(state.id).journal) == 1
        assert StatePersistence(killed).list_simulations()[0].completed == 1
    finally:
        killed.chmod(0o700)
