"""Checkpoints of one folder under anything that is done to them, against plain lists of what they should hold."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orderbook_tui.core.budget import BudgetStore
from orderbook_tui.core.journal import Balance, Event
from orderbook_tui.core.replay import replay
from orderbook_tui.core.state import state_hash
from orderbook_tui.engine.fork import fork_checkpoint
from orderbook_tui.engine.persistence import CheckpointStatus, CheckpointWriter, StatePersistence
from orderbook_tui.errors import CheckpointError, CheckpointInUse, CheckpointNotFound
from tests.engine.checkpoints import a_fresh_run, a_plan, a_played_run
from tests.machines import effort

MOST = 3
groups = st.sampled_from([1, 3, 256])


class Kept:
    """What one checkpoint should hold: so many events of the journal, `saved` of them surely."""

    def __init__(self, id: str) -> None:  # noqa: A002
        self.id = id
        self.events = self.saved = 0
        self.finished = False
        self.balances: tuple[Balance, ...] = ()
        self.writer: CheckpointWriter | None = None


class Folder(RuleBasedStateMachine):
    """A folder of checkpoints and its model. All its runs are the same one, each as far as it has come."""

    @initialize()
    def make(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="checkpoints-"))
        self.folder = self.root / "0"
        self.lives = 0
        self.kept: list[Kept] = []

    def teardown(self) -> None:
        if hasattr(self, "root"):
            self._let_go()
            shutil.rmtree(self.root)

    @precondition(lambda self: len(self.kept) < MOST)
    @rule(group=groups)
    def create(self, group: int) -> None:
        state = a_fresh_run()
        writer = StatePersistence(self.folder).create(state, group=group)
        kept = self._new(state.id)
        kept.writer = writer

    @rule(data=st.data(), count=st.integers(1, 20))
    def append(self, data: st.DataObject, count: int) -> None:
        kept = self._written(data)
        if kept is None or kept.writer is None:
            return
        for _ in range(count):
            if kept.events < len(_journal()):
                kept.events += 1
                kept.writer.slot_ended(_journal()[: kept.events])
        self._note(kept)

    @rule(data=st.data(), barrier=st.booleans())
    def flush(self, data: st.DataObject, barrier: bool) -> None:
        kept = self._written(data)
        if kept is not None and kept.writer is not None:
            kept.writer.flush(_journal()[: kept.events], barrier=barrier)
            self._note(kept, all_of_it=True)

    @rule(data=st.data(), finishes=st.booleans())
    def note_budgets(self, data: st.DataObject, finishes: bool) -> None:
        kept = self._written(data)
        if kept is not None and kept.writer is not None:
            note = kept.writer.finish if finishes else kept.writer.snapshot
            note(_journal()[: kept.events], _budgets(kept.events))
            self._note(kept, all_of_it=True)
            kept.finished = kept.finished or finishes

    @rule(data=st.data(), count=st.integers(1, 12))
    def note_balances(self, data: st.DataObject, count: int) -> None:
        kept = self._written(data)
        if kept is None or kept.writer is None:
            return
        balances = tuple(Balance(f"account-{number}", "USD", number, 0) for number in range(count))
        if kept.balances and kept.balances != balances:
            with pytest.raises(CheckpointError, match="noted once"):
                kept.writer.note_balances(balances, _journal()[: kept.events])
        else:
            kept.writer.note_balances(balances, _journal()[: kept.events])
            kept.balances = balances
            self._note(kept, all_of_it=True)

    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        kept = self._written(data)
        if kept is not None and kept.writer is not None:
            kept.writer.close()
            kept.writer, kept.events = None, kept.saved

    @rule()
    def kill(self) -> None:
        """All that another life finds is what is in the files now."""
        if not self.folder.exists():
            return
        self.lives += 1
        after = self.root / str(self.lives)
        shutil.copytree(self.folder, after)
        self._let_go()
        shutil.rmtree(self.folder)
        self.folder = after

    @rule(data=st.data(), group=groups)
    def resume(self, data: st.DataObject, group: int) -> None:
        kept = self._any(data)
        if kept is None:
            return
        if kept.writer is not None:
            with pytest.raises(CheckpointInUse, match="in use"):
                StatePersistence(self.folder).resume(kept.id, group=group)
            return
        checkpoint, kept.writer = StatePersistence(self.folder).resume(kept.id, group=group)
        assert checkpoint.journal == _journal()[: kept.saved]
        assert checkpoint.finished == kept.finished

    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        kept = self._any(data)
        if kept is not None:
            self._check(kept)

    @precondition(lambda self: len(self.kept) < MOST)
    @rule(data=st.data())
    def fork(self, data: st.DataObject) -> None:
        kept = self._any(data)
        if kept is None:
            return
        forked = self._new(fork_checkpoint(self.folder, kept.id))
        forked.events = forked.saved = kept.saved
        forked.finished, forked.balances = kept.finished, kept.balances
        self._check(forked)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        kept = self._any(data)
        if kept is None:
            with pytest.raises(CheckpointNotFound):
                StatePersistence(self.folder).delete("nobody")
        elif kept.writer is not None:
            with pytest.raises(CheckpointInUse):
                StatePersistence(self.folder).delete(kept.id)
        else:
            StatePersistence(self.folder).delete(kept.id)
            self.kept.remove(kept)
            assert not list(self.folder.glob(f"{kept.id}*"))

    @rule()
    def take_an_id_twice(self) -> None:
        for kept in self.kept:
            state = a_fresh_run()
            state.id = kept.id
            with pytest.raises(CheckpointError):
                StatePersistence(self.folder).create(state, group=1)

    @invariant()
    def the_list_tells_of_each(self) -> None:
        if not hasattr(self, "kept"):
            return
        infos = {info.id: info for info in StatePersistence(self.folder).list_simulations()}
        assert infos.keys() == {kept.id for kept in self.kept}
        for kept in self.kept:
            info = infos[kept.id]
            if kept.finished:
                assert info.status is CheckpointStatus.FINISHED
            else:
                assert info.status is (CheckpointStatus.RUNNING if kept.writer else CheckpointStatus.INTERRUPTED)
            assert (info.total_slots, info.accounts, info.markets) == (40, 4, 2)

    def _new(self, id: str) -> Kept:  # noqa: A002
        assert all(kept.id != id for kept in self.kept)
        self.kept.append(Kept(id))
        return self.kept[-1]

    def _check(self, kept: Kept) -> None:
        checkpoint = StatePersistence(self.folder).read(kept.id)
        assert checkpoint.journal == _journal()[: kept.saved]
        assert checkpoint.finished == kept.finished
        assert checkpoint.opening_balances == kept.balances
        replayed = checkpoint.replay()
        assert state_hash(replayed.state, replayed.budgets) == _hash(kept.saved)

    def _note(self, kept: Kept, *, all_of_it: bool = False) -> None:
        """Take note of what the writer says is saved."""
        assert kept.writer is not None
        kept.finished = kept.finished and kept.writer.written == kept.saved
        kept.saved = kept.writer.written
        assert kept.saved <= kept.events
        assert kept.saved == kept.events or not (all_of_it or kept.writer.group == 1)

    def _any(self, data: st.DataObject) -> Kept | None:
        return data.draw(st.sampled_from(self.kept)) if self.kept else None

    def _written(self, data: st.DataObject) -> Kept | None:
        """One that has a writer now."""
        written = [kept for kept in self.kept if kept.writer is not None]
        return data.draw(st.sampled_from(written)) if written else None

    def _let_go(self) -> None:
        for kept in self.kept:
            if kept.writer is not None:
                kept.writer.close()
            kept.writer, kept.events = None, kept.saved


@cache
def _journal() -> list[Event]:
    return a_played_run().state.journal


@cache
def _budgets(events: int) -> BudgetStore:
    return replay(*a_plan(), _journal()[:events]).budgets


@cache
def _hash(events: int) -> str:
    state, budgets, _ = replay(*a_plan(), _journal()[:events])
    return state_hash(state, budgets)


TestFolder = Folder.TestCase
TestFolder.settings = effort(15, 25)
