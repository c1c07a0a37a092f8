"""Several pairs at once: it ends as it does one by one, and the controls mean the same."""

import asyncio
import shutil
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.engine.checkpoint_writer import CheckpointWriter
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import Decider, Question, StandingAnswers
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.stopping import StopConditions
from tests.engine.runs import CONTINUE, SKIP, a_simulation, faults, finished, run, stopping_after
from tests.late import LateVenue, far_away
from tests.machines import effort
from tests.venues import callables

DOWN = faults(outages=[{"from_slot": 0, "slots": 100, "attempts": 9}])


def at_once(most: int, **sections: Any) -> dict[str, Any]:
    """The sections of a run of several pairs at once: six accounts with eight slots each, unless they say otherwise."""
    sections.setdefault("accounts", {"generate": {"count": 6}})
    sections.setdefault("scheduler", {"trades_per_account": 8})
    sections["processor"] = {"concurrency": most} | sections.get("processor", {})
    return sections


@st.composite
def directed(draw: Callable[..., Any]) -> dict[str, Any]:
    """The sections of a directed run, with all that may go wrong."""
    accounts = draw(st.integers(2, 9))
    trades = draw(st.integers(1, 4)) * 2
    couples = {f"test-account-{n + 1}": f"test-account-{n + 2}" for n in range(0, accounts - 1, 2)}
    alone = accounts % 2 == 1  # one that has no counterparty left
    outages = [{"from_slot": draw(st.integers(0, 20)), "slots": draw(st.integers(1, 20)), "attempts": draw(st.integers(1, 4))}]
    return {
        "seed": draw(st.integers(1, 10**6)),
        "accounts": {"generate": {"count": accounts}},
        "scheduler": {
            "trades_per_account": trades,
            "matching_strategy": "sequential_next" if alone or draw(st.booleans()) else {"match_with": couples},
            "market_distribution": draw(st.sampled_from(["round_robin", "random", "same_market"])),
            "alternate_sides": draw(st.booleans()),
            "bid_price_offset": draw(st.sampled_from(["1", "1.02"])),
            "time_in_force": {
                "maker": draw(st.sampled_from(["gtc", "gtc", "ioc", "post_only"])),
                "taker": draw(st.sampled_from(["gtc", "gtc", "fok", "post_only"])),
            },
        },
        "budget": {"budgets": [{"amount": draw(st.sampled_from([10**9, 10**9, 8_000, 3_000]))}]},
        "venue": {
            "kind": "embedded",
            "fees": {"maker": draw(st.sampled_from([0, "0.001"])), "taker": draw(st.sampled_from([0, "0.002"]))},
            "faults": {
                "transient_rate": draw(st.sampled_from([0, 0.1, 0.5])),
                "rejection_rate": draw(st.sampled_from([0, 0.1])),
                "outages": outages if draw(st.booleans()) else [],
            },
        },
    }


class Wavering:
    """Has each slot tried once more, and then gives it up in one way or the other."""

    by = "person"

    async def decide(self, question: Question) -> RecoveryAction:
        slot = question.slot
        if not slot.decisions:
            return RecoveryAction.RETRY
        return RecoveryAction.SKIP if slot.sequence % 3 else RecoveryAction.CONTINUE


def one_by_one(sections: dict[str, Any], decider: Decider) -> Simulation:
    return finished(None, decider, **sections)


@effort(40, 50)
@given(directed(), st.integers(2, 8), st.integers(0), st.sampled_from([SKIP, CONTINUE, Wavering()]))
def test_a_directed_run_ends_in_the_state_in_which_it_ends_one_by_one(
    sections: dict[str, Any], most: int, seed: int, decider: Decider
) -> None:
    whole = one_by_one(sections, decider)
    with far_away(seed) as venues:
        simulation = finished(None, decider, **at_once(most, **sections))

    assert simulation.state_hash() == whole.state_hash()
    assert simulation.stats == simulation.state.recount() == whole.stats
    assert all(simulation.invariants().values())
    assert venues[0].most_under_way <= most


@effort(25, 50)
@given(directed(), st.integers(2, 8), st.integers(0), st.integers(1, 40))
def test_a_run_that_is_stopped_and_resumed_ends_in_the_same_state(
    sections: dict[str, Any], most: int, seed: int, events: int
) -> None:
    whole = one_by_one(sections, CONTINUE)
    with TemporaryDirectory() as folder, far_away(seed):
        simulation = a_simulation(Path(folder), **at_once(most, **sections))
        with stopping_after(simulation, events):
            run(simulation, CONTINUE)
        simulation.close()
        again = Simulation.resume(simulation.id, folder)
        assert again.status is RunStatus.DONE or run(again, CONTINUE) is Ending.DONE
        again.close()

    assert again.state_hash() == whole.state_hash()


@effort(25, 50)
@given(directed(), st.integers(2, 8), st.integers(0), st.integers(1, 30))
def test_a_run_that_was_killed_in_the_middle_ends_in_the_same_state(
    sections: dict[str, Any], most: int, seed: int, orders: int
) -> None:
    whole = one_by_one(sections, CONTINUE)
    with TemporaryDirectory() as folder, far_away(seed) as venues:
        simulation = a_simulation(Path(folder, "runs"), **at_once(most, **sections))

        def kill(slot: ActionSlot) -> None:
            if sum(what == "sent" for what, _ in venues[0].placed) == orders:
                simulation.pause()  # so that the budgets are written down, where that is right
                shutil.copytree(Path(folder, "runs"), Path(folder, "killed"))
                simulation.go()

        venues[0].looks.append(kill)
        run(simulation, CONTINUE)
        simulation.close()
        if not Path(folder, "killed").exists():
            return
        again = Simulation.resume(simulation.id, Path(folder, "killed"))
        run(again, CONTINUE)
        again.close()

    assert again.state_hash() == whole.state_hash()


@effort(25, 50)
@given(directed(), st.integers(2, 8), st.integers(0))
def test_what_failed_is_revisited_as_it_is_one_by_one(sections: dict[str, Any], most: int, seed: int) -> None:
    whole = one_by_one(sections, CONTINUE)
    anyio.run(whole.revisit, CONTINUE)
    with far_away(seed):
        simulation = finished(None, CONTINUE, **at_once(most, **sections))
        anyio.run(simulation.revisit, CONTINUE)

    assert simulation.state_hash() == whole.state_hash()
    assert simulation.stats == simulation.state.recount()


@effort(25, 50)
@given(directed(), st.integers(2, 8), st.integers(0))
def test_without_directions_the_invariants_hold(sections: dict[str, Any], most: int, seed: int) -> None:
    sections["scheduler"]["matching_strategy"] = "any"
    with far_away(seed):
        simulation = finished(None, CONTINUE, **at_once(most, **sections))

    assert all(simulation.invariants().values())
    assert simulation.stats.pending_slots == 0


@effort(25, 50)
@given(directed(), st.integers(2, 8), st.integers(0))
def test_a_pair_and_an_account_keep_their_order(sections: dict[str, Any], most: int, seed: int) -> None:
    with far_away(seed) as venues:
        simulation = finished(None, CONTINUE, **at_once(most, **sections))

    by_account: dict[str, list[int]] = defaultdict(list)
    for what, sequence in venues[0].placed:
        by_account[simulation.slots[sequence].account_id].append(sequence)
        assert what == "sent" or by_account[simulation.slots[sequence].account_id][-2:] == [sequence, sequence]
    assert all(own == sorted(own) for own in by_account.values())
    sent = [sequence for what, sequence in venues[0].placed if what == "sent"]
    answered = {sequence: place for place, (what, sequence) in enumerate(venues[0].placed) if what == "answered"}
    begun = {sequence: place for place, (what, sequence) in reversed(list(enumerate(venues[0].placed))) if what == "sent"}
    assert all(answered[sequence - 1] < begun[sequence] for sequence in sent if sequence & 1 and sequence - 1 in answered)


def test_several_orders_are_under_way_at_once() -> None:
    with far_away() as venues:
        finished(**at_once(3))

    assert venues[0].most_under_way == 3


def test_a_run_of_ten_thousand_slots_with_32_at_once_overdraws_nothing() -> None:
    sections = {"accounts": {"generate": {"count": 100}}, "scheduler": {"trades_per_account": 100}}
    with far_away(turns=3) as venues:
        simulation = finished(None, SKIP, **at_once(32, budget={"budgets": [{"amount": 20_000}]}, **sections))

    assert venues[0].overdrafts == 0
    assert simulation.stats.skipped_slots > 0
    assert simulation.stats.completed_slots > 0


# At the controls


def driven(simulation: Simulation, script: Callable[[], Awaitable[None]], decider: Decider = SKIP) -> None:
    """Run it, with somebody at the controls; it is stopped where the script ends."""

    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, decider)
            with anyio.fail_after(20):
                await script()
            simulation.stop()

    anyio.run(both)


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def a_while() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


def test_a_pause_lets_what_is_under_way_end_and_starts_nothing() -> None:
    with far_away() as venues:
        simulation = a_simulation(**at_once(3))

        async def script() -> None:
            await until(lambda: len(venues[0].under_way) == 3)
            simulation.pause()
            begun = {sequence for what, sequence in venues[0].placed if what == "sent"}
            await a_while()
            assert {sequence for what, sequence in venues[0].placed if what == "sent"} == begun
            assert simulation.stats.ended_slots == len(begun)

        driven(simulation, script)


def test_a_step_lets_one_slot_finish() -> None:
    with far_away():
        simulation = a_simulation(**at_once(3))
        simulation.pause()

        async def script() -> None:
            await a_while()
            for ended in range(1, 6):
                simulation.step()
                await a_while()
                assert simulation.stats.ended_slots == ended
                assert simulation.in_flight == []

        driven(simulation, script)


def test_a_step_lets_the_first_slot_finish_that_is_under_way() -> None:
    with far_away():
        simulation = a_simulation(**at_once(3, venue=faults(outages=[{"from_slot": 0, "slots": 6, "attempts": 1}])))

        async def script() -> None:
            await until(lambda: simulation.slots[4].attempt_count == 1)
            simulation.pause()
            await a_while()
            simulation.step()
            await a_while()
            assert [slot.state for slot in simulation.slots[0:5:2]] == [
                SlotState.COMPLETED,
                SlotState.IN_PROGRESS,
                SlotState.IN_PROGRESS,
            ]

        driven(simulation, script)


def test_a_pace_is_for_all_together() -> None:
    with far_away():
        simulation = a_simulation(**at_once(8, processor={"slots_per_second": 200}))
        started = time.monotonic()
        run(simulation)

    assert time.monotonic() - started >= 47 / 200 - 0.01


def test_a_run_to_a_slot_has_run_all_before_it_and_none_from_there() -> None:
    with far_away():
        simulation = a_simulation(**at_once(4))
        simulation.stop_conditions = StopConditions(slot=17)

        async def script() -> None:
            await until(lambda: simulation.status is RunStatus.PAUSED)
            assert simulation.stopped_by == "slot 17 is next"
            assert [slot.sequence for slot in simulation.slots if slot.is_ended] == list(range(17))
            simulation.go()
            await until(lambda: simulation.stats.pending_slots == 0)

        driven(simulation, script)


def test_a_miss_pauses_for_the_pair_that_missed_also_in_a_revisit() -> None:
    venue = faults(outages=[{"from_slot": 0, "slots": 8, "attempts": 2}])
    with far_away():
        simulation = finished(None, CONTINUE, **at_once(4, venue=venue, accounts={"generate": {"count": 8}}))
        simulation.stop_conditions = StopConditions(on_verdict=True)
        anyio.run(simulation.revisit, CONTINUE)

    assert simulation.stop_conditions == StopConditions(on_verdict=True)


class Slowly:
    """Answers after a while, and counts how many questions wait at a time, and what is sent meanwhile."""

    by = "person"

    def __init__(self, venue: LateVenue, answer: RecoveryAction) -> None:
        self._venue, self._answer = venue, answer
        self.asked: list[int] = []
        self.waiting = self.most_waiting = self.sent_meanwhile = 0

    async def decide(self, question: Question) -> RecoveryAction:
        self.asked.append(question.slot.sequence)
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        before = len([what for what, _ in self._venue.placed if what == "sent"])
        await a_while()
        self.sent_meanwhile += len([what for what, _ in self._venue.placed if what == "sent"]) - before
        self.waiting -= 1
        return self._answer


def test_one_question_is_put_at_a_time_and_nothing_starts_meanwhile() -> None:
    with far_away() as venues:
        simulation = a_simulation(**at_once(4, venue=faults(transient_rate=0.5)))
        decider = Slowly(venues[0], RecoveryAction.CONTINUE)
        run(simulation, decider)

    assert len(decider.asked) > 3
    assert (decider.most_waiting, decider.sent_meanwhile) == (1, 0)


def test_an_answer_for_all_of_a_kind_is_one_for_those_that_wait_already() -> None:
    with far_away() as venues:
        simulation = a_simulation(**at_once(4, venue=DOWN))
        person = Slowly(venues[0], RecoveryAction.SKIP)
        standing = StandingAnswers(person)

        async def script() -> None:
            await until(lambda: simulation.question is not None)
            standing.remember("unavailable", RecoveryAction.SKIP)
            assert simulation.question is not None
            standing.remember(simulation.question.failure.code, RecoveryAction.SKIP)
            await until(lambda: simulation.stats.pending_slots == 0)

        driven(simulation, script, standing)

    assert len(person.asked) == 1


def test_quit_leaves_the_others_that_wait_for_an_answer_to_be_asked_about_on_resume(tmp_path: Path) -> None:
    with far_away() as venues:
        simulation = a_simulation(tmp_path, **at_once(3, venue=DOWN))
        quitting = Slowly(venues[0], RecoveryAction.QUIT)
        assert run(simulation, quitting) is Ending.QUIT
        simulation.close()
        again = Simulation.resume(simulation.id, tmp_path)
        assert len(quitting.asked) == 1
        assert {slot.state for slot in again.slots} == {SlotState.PENDING}
        assert run(again, SKIP) is Ending.DONE
        again.close()


# What ends it


def test_a_run_that_is_cancelled_in_the_middle_goes_on_to_the_same_state(tmp_path: Path) -> None:
    whole = finished(**at_once(1))
    with far_away() as venues:
        simulation = a_simulation(tmp_path, **at_once(4))

        async def cut_short() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(simulation.run, SKIP)
                await until(lambda: len(venues[0].under_way) == 3 and simulation.stats.ended_slots > 10)
                group.cancel_scope.cancel()

        anyio.run(cut_short)
        assert all(simulation.invariants().values())
        assert SlotState.IN_PROGRESS not in {slot.state for slot in simulation.slots}
        run(simulation)
        simulation.close()

    assert simulation.state_hash() == whole.state_hash()
    assert Simulation.look(simulation.id, tmp_path).state_hash() == whole.state_hash()


def test_an_error_in_one_is_raised_when_the_others_have_ended() -> None:
    with far_away(turns=20) as venues:
        simulation = a_simulation(**at_once(4))

        def fail(slot: ActionSlot) -> None:
            if slot.sequence == 12:
                raise KeyError("a mistake")

        venues[0].looks.append(fail)
        with pytest.raises(KeyError, match="a mistake"):
            run(simulation)

    assert venues[0].under_way == set()
    assert all(simulation.invariants().values())
    venues[0].looks.clear()
    assert run(simulation) is Ending.DONE


def test_only_the_chosen_pairs_are_run() -> None:
    with far_away():
        simulation = a_simulation(**at_once(4))
        simulation.select(markets=["ETH-USD"])
        run(simulation)
        others = [slot for slot in simulation.slots if slot.action.market.symbol != "ETH-USD"]
        assert {slot.state for slot in others} == {SlotState.PENDING}
        simulation.select()
        run(simulation)

    assert simulation.stats.completed_slots == 48


# On the disk


def test_the_budgets_that_a_pause_writes_are_those_of_the_journal(tmp_path: Path) -> None:
    with far_away() as venues:
        simulation = a_simulation(tmp_path, **at_once(4))

        async def script() -> None:
            await until(lambda: len(venues[0].under_way) == 3)
            simulation.pause()
            assert simulation.in_flight == sorted(venues[0].under_way)
            assert Simulation.look(simulation.id, tmp_path).stats.pending_slots > 0

        driven(simulation, script)
        simulation.close()


def test_intents_are_written_many_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = 0
    commit = CheckpointWriter._commit_durably

    def counted(*of: Any, **more: Any) -> None:
        nonlocal waits
        waits += 1
        commit(*of, **more)

    monkeypatch.setattr(CheckpointWriter, "_commit_durably", counted)
    monkeypatch.setattr("orderbook_tui.engine.checkpoint_writer.BARRIER_S", 3600.0)
    callables.forget()
    venue = {"kind": "python", "target": "tests.engine.test_parallel:KNOWN"}
    scheduler = {"trades_per_account": 20}
    simulation = finished(tmp_path, SKIP, **at_once(8, venue=venue, scheduler=scheduler, accounts={"generate": {"count": 20}}))

    assert simulation.stats.completed_slots == 400
    assert waits <= 400 / 16 + 10


class Known:
    """A venue that fills at once, and can be asked."""

    async def __call__(self, slot: ActionSlot, settlement: Any) -> str:
        await asyncio.sleep(0)
        settlement.fill(slot.action.market.quantity(slot.action.quantity))
        return f"known-{slot.sequence}"

    async def look_up(self, slot: ActionSlot) -> None:
        return None


KNOWN = Known()
