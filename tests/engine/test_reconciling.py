"""Reconciling: a run is held against its venue, and what they do not agree about is found, with the slots that explain it."""

from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from orderbook_tui.config import parse_config
from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.book import Side
from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.core.journal import Cancel
from orderbook_tui.core.slot import SlotState
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.reconciliation import Difference, Reconciliation
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.stopping import StopConditions
from orderbook_tui.engine.summary import exit_status, summary
from orderbook_tui.exit_status import ExitStatus
from orderbook_tui.report import reconciled_in_words, summary_in_words
from tests.engine.outside import OutsideExchange, connected_to
from tests.engine.runs import CONTINUE, SKIP, a_config, a_simulation, run

FEES = {"venue": {"fees": {"maker": "0.001", "taker": "0.002"}}}
LONE = {
    "scheduler": {"trades_per_account": 2},
    "processor": {"cancel_open_orders_at_end": False, "retry_base_delay_ms": 0, "max_retries": 0},
}
Script = Callable[[Simulation, OutsideExchange], Awaitable[None]]


@pytest.fixture(autouse=True)
def _soon() -> Iterator[None]:
    """Wait for what may be on its way for a moment only."""
    with (
        patch("orderbook_tui.engine.reconciling.SETTLING_S", (0.01, 0.02)),
        patch("orderbook_tui.engine.reconciling._TRIES_S", (0.001,)),
        patch("orderbook_tui.engine.reconciling._LOOK_S", 0.002),
        patch("orderbook_tui.engine.elsewhere._WAITS_S", (0.001, 0.001)),
        patch("orderbook_tui.engine.elsewhere.PATIENCE_S", 0.02),
    ):
        yield


def an_exchange(sections: dict[str, Any] | None = None, /, **traits: Any) -> OutsideExchange:
    """The exchange of a run with these sections."""
    return OutsideExchange(a_simulation(**(sections or {})).state.plan, **traits)


def a_run(venue: OutsideExchange, folder: Path | None = None, /, **sections: Any) -> Simulation:
    with connected_to(venue):
        simulation = Simulation.create(parse_config(a_config(**sections)), state_dir=folder, save=folder is not None)
        simulation._connect()
        return simulation


def named(simulation: Simulation, slot: int) -> str:
    return simulation.slots[slot].client_order_id


def ran(venue: OutsideExchange, script: Script | None = None, /, *, decider: Any = SKIP, **sections: Any) -> Simulation:
    """A run that is done; `script` is played once half of its slots have ended, with the run paused."""
    simulation = a_run(venue, **sections)
    if script is None:
        run(simulation, decider)
    else:
        anyio.run(_paused_in_the_middle, simulation, venue, script, decider)
    return simulation


async def _paused_in_the_middle(simulation: Simulation, venue: OutsideExchange, script: Script, decider: Any) -> None:
    middle = len(simulation.slots) // 2
    async with anyio.create_task_group() as group:
        group.start_soon(simulation.run, decider)
        simulation.stop_conditions = StopConditions(slot=middle)
        await until(lambda: simulation.status is RunStatus.PAUSED)
        await script(simulation, venue)
        simulation.go()


def after_one_slot(simulation: Simulation, script: Callable[[Simulation], Awaitable[None]]) -> None:
    """Run the first slot, play the script with the run paused, and stop."""

    async def play() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, SKIP)
            simulation.step()
            await until(lambda: simulation.stats.ended_slots == 1)
            await script(simulation)
            simulation.stop()

    anyio.run(play)


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110 - a condition of any kind
            await anyio.sleep(0.002)


async def reconciled(simulation: Simulation) -> Reconciliation:
    """What comes of comparing now."""
    before = simulation.reconciliation
    simulation.reconcile()
    await until(lambda: simulation.reconciliation is not before and not simulation.is_reconciling)
    assert simulation.reconciliation is not None
    return simulation.reconciliation


def lonely(action: OrderAction) -> OrderAction:
    """The same order at a price that nobody takes."""
    return replace(action, price=1 if action.side is Side.BID else 5 * action.price)


def outcome(simulation: Simulation) -> Reconciliation:
    assert simulation.reconciliation is not None
    assert not simulation.reconciliation.failed
    return simulation.reconciliation


def differences(simulation: Simulation) -> dict[tuple[str, str, str], Difference]:
    found: dict[tuple[str, str, str], Difference] = {
        (each.what, each.account, each.asset): each for each in outcome(simulation).differences
    }
    assert len(found) == len(outcome(simulation).differences)
    return found


def test_a_run_at_a_venue_that_agrees_has_no_differences() -> None:
    simulation = ran(an_exchange(FEES), **FEES)

    found = outcome(simulation)
    assert (found.differences, found.notes, found.balances) == ((), (), 12)
    assert exit_status(simulation, Ending.DONE) is ExitStatus.OK


def test_the_venue_is_asked_before_the_first_order_and_at_the_end() -> None:
    venue = an_exchange()
    ran(venue)

    assert venue.asked == ["balances", "open_orders", "balances"]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    accounts=st.integers(2, 5),
    strategy=st.sampled_from(["sequential_next", "any"]),
    fees=st.sampled_from([("0", "0"), ("0.001", "0.002"), ("0.0033", "0.0007")]),
    reserves=st.sampled_from(["highest", "nothing"]),
    pushes=st.booleans(),
    says_locks=st.booleans(),
    leave_open=st.booleans(),
    maker=st.sampled_from(["gtc", "ioc"]),
    pause_at=st.integers(0, 15),
    concurrency=st.sampled_from([1, 4]),
)
def test_a_faithful_venue_never_gives_a_difference(
    seed: int,
    accounts: int,
    strategy: str,
    fees: tuple[str, str],
    reserves: str,
    pushes: bool,
    says_locks: bool,
    leave_open: bool,
    maker: str,
    pause_at: int,
    concurrency: int,
) -> None:
    sections = {
        "seed": seed,
        "accounts": {"generate": {"count": accounts}},
        "scheduler": {
            "trades_per_account": 4,
            "matching_strategy": strategy,
            "time_in_force": {"maker": maker, "taker": "gtc"},
            "ask_price_offset": "0.01",
            "bid_price_offset": "0.02",
        },
        "processor": {"cancel_open_orders_at_end": not leave_open, "concurrency": concurrency},
        "venue": {"fees": {"maker": fees[0], "taker": fees[1]}},
    }
    venue = an_exchange(sections, reserves=reserves, pushes=pushes, says_locks=says_locks)
    simulation = a_run(venue, **sections)
    paused: list[Reconciliation] = []

    async def play() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, SKIP)
            if pause_at < len(simulation.slots):
                simulation.stop_conditions = StopConditions(slot=pause_at)
                await until(lambda: simulation.status in (RunStatus.PAUSED, RunStatus.DONE))
                paused.append(await reconciled(simulation))
                simulation.go()

    anyio.run(play)
    for found in (*paused, outcome(simulation)):
        assert found.differences == ()
        assert found.failed == ""
    assert simulation.status is RunStatus.DONE


def test_money_that_was_moved_is_found_to_the_unit() -> None:
    venue = an_exchange(FEES)

    async def script(simulation: Simulation, venue: OutsideExchange) -> None:
        venue.move(simulation.slots[0].account_id, "USD", -1)

    simulation = ran(venue, script, **FEES)
    (found,) = outcome(simulation).differences
    asset = simulation.budgets.assets["USD"]
    assert (found.what, found.account, found.asset) == ("total", simulation.slots[0].account_id, "USD")
    assert (found.difference, found.units) == (-asset.amount(1), -1)
    assert found.expected - found.found == asset.amount(1)
    assert exit_status(simulation, Ending.DONE) is ExitStatus.INCOMPLETE


def test_a_fee_that_was_not_told_names_the_fills_that_may_have_cost_it() -> None:
    venue = an_exchange()

    async def script(simulation: Simulation, venue: OutsideExchange) -> None:
        slot = simulation.slots[1]
        venue.move(slot.account_id, "USD", -simulation.state.slots[1].fills[0].price)

    simulation = ran(venue, script)
    (found,) = outcome(simulation).differences
    of_account = {slot.sequence for slot in simulation.slots if slot.account_id == found.account}
    assert 1 in found.slots
    assert set(found.slots) <= of_account
    assert found.why[found.slots.index(1)] == "a fill of it may have cost a fee that was not told"


def test_a_fill_that_was_never_told_is_a_difference_of_both_assets_that_names_its_slot() -> None:
    venue = an_exchange(LONE)
    simulation = a_run(venue, **LONE)
    venue.lies[named(simulation, 0)] = "untold"
    run(simulation)
    slot = simulation.slots[0]

    found = differences(simulation)
    assert {(what, account) for what, account, _ in found} == {("total", slot.account_id)}
    for each in found.values():
        assert (each.slots[0], each.why[0]) == (0, "what was cancelled of its order comes to just that")
    assert found["total", slot.account_id, slot.action.ask_asset].difference > 0
    assert found["total", slot.account_id, slot.action.bid_asset].difference < 0
    assert exit_status(simulation, Ending.DONE) is ExitStatus.INCOMPLETE


def test_an_order_that_was_cancelled_behind_our_back_is_found() -> None:
    venue = an_exchange(LONE)

    async def script(simulation: Simulation) -> None:
        slot = simulation.slots[0]
        venue.close_behind(slot.client_order_id)
        found = {each.what: each for each in (await reconciled(simulation)).differences}
        assert found.keys() == {"order", "locked"}
        assert found["order"].expected == slot.action.market.quantity(slot.open)
        assert {each.slots[0] for each in found.values()} == {0}

    after_one_slot(a_run(venue, **LONE), script)


def test_an_order_of_somebody_else_on_the_account_is_counted_and_what_it_locks_is_a_difference() -> None:
    venue = an_exchange()

    async def script(simulation: Simulation, venue: OutsideExchange) -> None:
        slot = simulation.slots[0]
        venue.place_behind(slot.account_id, lonely(slot.action))

    simulation = ran(venue, script)
    found = outcome(simulation)
    assert (found.foreign, [each.what for each in found.differences]) == (1, ["locked"])
    assert "  open orders there that are none of this run's: 1" in list(reconciled_in_words(found))


def test_an_order_with_an_id_of_ours_that_we_did_not_place_is_listed_with_its_slot() -> None:
    venue = an_exchange()

    async def script(simulation: Simulation, venue: OutsideExchange) -> None:
        slot = simulation.slots[0]
        venue.place_behind(slot.account_id, lonely(slot.action), f"{simulation.slots[0].run}-0-7")

    simulation = ran(venue, script)
    found = differences(simulation)
    order = found["order", simulation.slots[0].account_id, simulation.slots[0].action.market.base.symbol]
    assert order.slots == (0,)
    assert order.client_order_id == f"{simulation.slots[0].run}-0-7"
    assert outcome(simulation).foreign == 0


def test_an_order_that_is_open_twice_is_a_difference() -> None:
    venue = an_exchange(LONE)

    async def script(simulation: Simulation) -> None:
        slot = simulation.slots[0]
        venue.place_behind(slot.account_id, lonely(slot.action), slot.client_order_id)
        found = await reconciled(simulation)
        words = [each.words for each in found.differences if each.what == "order"]
        assert len(words) == 1
        assert "twice" in words[0]

    after_one_slot(a_run(venue, **LONE), script)


def test_an_order_in_doubt_that_is_open_there_is_said_to_be() -> None:
    venue = an_exchange(LONE, look_up=False)
    simulation = a_run(venue, **LONE)
    venue.lies[named(simulation, 1)] = "silent"
    venue.lies[named(simulation, 0)] = "lost"
    run(simulation, CONTINUE)
    slots = simulation.slots

    found = differences(simulation)
    order = found["order", slots[1].account_id, slots[1].action.market.base.symbol]
    assert (order.slots, order.why) == ((1,), ("it was not known whether its order was placed: it was",))
    lost = found["locked", slots[0].account_id, slots[0].action.bid_asset]
    assert (lost.slots[0], lost.why[0]) == (0, "it is not known whether its order was placed")
    assert len(found) == 2


def test_an_order_in_doubt_that_was_filled_is_the_first_to_explain_what_is_missing() -> None:
    venue = an_exchange(LONE, look_up=False)
    simulation = a_run(venue, **LONE)
    venue.lies[named(simulation, 1)] = "silent"
    run(simulation, CONTINUE)

    totals = [each for each in outcome(simulation).differences if each.what == "total"]
    assert totals
    assert {each.slots[0] for each in totals} == {1}


def test_an_order_given_up_in_doubt_is_the_first_to_explain_what_is_missing() -> None:
    venue = an_exchange(LONE, look_up=False)
    simulation = a_run(venue, **LONE)
    venue.lies[named(simulation, 1)] = "silent"
    run(simulation, SKIP)

    assert simulation.slots[1].state is SlotState.SKIPPED
    totals = [each for each in outcome(simulation).differences if each.what == "total"]
    assert {(each.account, each.slots[0]) for each in totals} == {(simulation.slots[1].account_id, 1)}


def test_what_a_venue_tells_only_when_asked_is_heard_before_it_is_called_a_difference() -> None:
    venue = an_exchange(LONE, pushes=False)

    async def script(simulation: Simulation) -> None:
        venue.close_behind(named(simulation, 0))
        found = await reconciled(simulation)
        assert found.differences == ()
        assert isinstance(simulation.state.journal[-1], Cancel)
        assert not simulation.slots[0].open

    after_one_slot(a_run(venue, **LONE), script)


def test_a_fill_that_is_on_its_way_is_waited_for() -> None:
    venue = an_exchange(delay=0.004)
    simulation = ran(venue, scheduler={"trades_per_account": 2})

    assert outcome(simulation).differences == ()


def test_a_venue_that_does_not_answer_at_the_end_makes_the_run_one_that_nobody_checked() -> None:
    venue = an_exchange()

    async def script(simulation: Simulation, venue: OutsideExchange) -> None:
        venue.lies["open_orders"] = "unreachable"

    simulation = ran(venue, script)
    facts = summary(simulation, Ending.DONE)
    assert (facts["reconciliation"], facts["not_reconciled"], facts["exit_status"]) == (None, "the line is dead", 1)
    assert "NOT RECONCILED with the venue: the line is dead" in summary_in_words(simulation, facts)


def test_a_venue_that_does_not_answer_does_not_cancel_whoever_asked() -> None:
    venue = an_exchange()
    venue.lies |= {"balances": "unreachable", "open_orders": "unreachable"}
    simulation = a_run(venue)
    ended: list[Ending] = []

    async def play() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            ended.append(await simulation.run(SKIP))
            group.cancel_scope.cancel()

    anyio.run(play)
    assert ended == [Ending.DONE]


def test_a_venue_that_never_answers_is_not_waited_for_for_ever() -> None:
    venue = an_exchange()
    venue.lies["open_orders"] = "silent"
    with patch("orderbook_tui.engine.reconciling.PATIENCE_S", 0.05):
        simulation = ran(venue)

    assert simulation.not_reconciled.startswith("the venue did not answer within 0")


def test_without_the_opening_balances_there_is_nothing_to_compare_balances_with_and_that_is_said() -> None:
    venue = an_exchange()
    venue.lies["balances"] = "unreachable"
    simulation = ran(venue)

    found = outcome(simulation)
    assert (found.differences, found.balances) == ((), 0)
    assert any("before the first order" in note for note in found.notes)
    assert any("before the first order" in note for note in simulation.notes)
    assert exit_status(simulation, Ending.DONE) is ExitStatus.OK


def test_balances_that_were_not_compared_are_said_not_to_have_been_and_why() -> None:
    venue = an_exchange()
    venue.lies["balances"] = "unreachable"
    first, why, *_ = reconciled_in_words(outcome(ran(venue)))

    assert first == "Balances were NOT compared with the venue; 0 open orders were: no differences"
    assert why.startswith("  balances were not compared: ")
    assert why.endswith("the line is dead")


def test_balances_that_cannot_be_read_at_the_end_make_the_run_one_that_nobody_checked() -> None:
    venue = an_exchange()

    async def script(simulation: Simulation, venue: OutsideExchange) -> None:
        venue.lies["balances"] = "unreachable"

    simulation = ran(venue, script)
    assert simulation.not_reconciled == "the line is dead"
    assert exit_status(simulation, Ending.DONE) is ExitStatus.INCOMPLETE


@pytest.mark.parametrize(
    ("traits", "note"),
    [
        ({"open_orders": False}, "the venue does not tell which orders are open: balances alone were compared"),
        ({"balances": False}, "the venue does not tell what accounts hold: open orders alone were compared"),
    ],
)
def test_what_a_venue_does_not_tell_is_said_not_to_have_been_compared(traits: dict[str, bool], note: str) -> None:
    simulation = ran(an_exchange(**traits))

    assert outcome(simulation).notes == (note,)


def test_a_venue_that_tells_nothing_is_not_reconciled_and_that_is_no_fault_of_the_run() -> None:
    simulation = ran(an_exchange(open_orders=False, balances=False))
    facts = summary(simulation, Ending.DONE)

    assert facts["reconciliation"] is None
    assert facts["not_reconciled"] == "the venue tells neither which orders are open nor what accounts hold"
    assert facts["exit_status"] == 0
    assert "econciled" not in summary_in_words(simulation, facts)


def test_the_embedded_exchange_is_not_compared_with_itself() -> None:
    simulation = a_simulation()
    run(simulation)

    facts = summary(simulation, Ending.DONE)
    assert facts["reconciliation"] is None
    assert "in this process" in facts["not_reconciled"]


def test_opening_balances_survive_the_process(tmp_path: Path) -> None:
    venue = an_exchange()
    simulation = a_run(venue, tmp_path)

    async def play() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, SKIP)
            simulation.step()
            await until(lambda: simulation.stats.ended_slots == 1)
            simulation.stop()

    anyio.run(play)
    simulation.close()
    asked = len(venue.asked)
    venue.move(simulation.slots[0].account_id, "USD", -5)
    with connected_to(venue):
        again = Simulation.resume(simulation.id, tmp_path)
        run(again)
    again.close()

    assert venue.asked[asked] == "open_orders"
    (found,) = outcome(again).differences
    assert found.units == -5


def test_nothing_of_it_is_saved(tmp_path: Path) -> None:
    simulation = a_run(an_exchange(), tmp_path)
    run(simulation)
    simulation.close()

    looked_at = Simulation.look(simulation.id, tmp_path)
    assert looked_at.reconciliation is None
    assert "not saved" in summary(looked_at, Ending.DONE)["not_reconciled"] or looked_at.config.venue.kind == "embedded"


def test_a_paused_run_is_compared_again_when_something_has_happened() -> None:
    venue = an_exchange(LONE)

    async def script(simulation: Simulation) -> None:
        first = await reconciled(simulation)
        simulation.step()
        await until(lambda: simulation.stats.ended_slots == 2)
        await until(lambda: simulation.reconciliation is not first)

    after_one_slot(a_run(venue, **LONE), script)


def test_a_run_that_goes_on_does_not_wait_for_the_venue() -> None:
    venue = an_exchange()

    async def script(simulation: Simulation, venue: OutsideExchange) -> None:
        venue.lies["open_orders"] = "silent"
        simulation.reconcile()
        await until(lambda: simulation.is_reconciling)
        venue.lies.clear()

    simulation = ran(venue, script)
    assert simulation.status is RunStatus.DONE
    assert not simulation.is_reconciling
    assert outcome(simulation).at_end


def test_nothing_is_asked_while_an_order_is_under_way() -> None:
    venue = an_exchange(delay=0.05)
    simulation = a_run(venue)

    async def play() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run, SKIP)
            await until(lambda: simulation.stats.ended_slots == 1)
            await anyio.sleep(0.01)
            simulation.pause()
            asked = len(venue.asked)
            await anyio.sleep(0.01)
            assert len(venue.asked) == asked
            await until(lambda: simulation.reconciliation)
            assert outcome(simulation).differences == ()
            simulation.stop()
            simulation.go()

    anyio.run(play)


def test_every_difference_is_in_the_summary_as_text_and_as_json() -> None:
    venue = an_exchange()

    async def script(simulation: Simulation, venue: OutsideExchange) -> None:
        venue.move(simulation.slots[0].account_id, "USD", -150)

    simulation = ran(venue, script)
    facts = summary(simulation, Ending.DONE)
    (found,) = facts["reconciliation"]["differences"]
    asset = simulation.budgets.assets["USD"]
    assert found["account"] == simulation.account_name(simulation.slots[0].account_id)
    assert Decimal(found["difference"]) == -asset.amount(150)
    assert found["words"] in summary_in_words(simulation, facts)
    assert "1 DIFFERENCE " in summary_in_words(simulation, facts)
    assert facts["exit_status"] == 1


def test_a_lock_that_no_order_explains_is_a_difference_even_where_fees_are_reserved_otherwise() -> None:
    sections = {**LONE, **FEES}
    venue = an_exchange(sections, reserves="nothing")

    async def script(simulation: Simulation) -> None:
        key = simulation.slots[0].account_id, simulation.slots[0].action.bid_asset
        assert (await reconciled(simulation)).differences == ()
        venue.held[key][0] += 1
        venue.held[key][1] -= 1
        (found,) = (await reconciled(simulation)).differences
        assert found.what == "locked"

    after_one_slot(a_run(venue, **sections), script)


def test_a_ledger_that_forgets_a_receipt_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    receive, seen = AccountBudget.receive, list[int]()

    def forgetful(budget: AccountBudget, amount: int) -> None:
        seen.append(amount)
        if len(seen) != 2:
            receive(budget, amount)

    monkeypatch.setattr(AccountBudget, "receive", forgetful)
    (found,) = outcome(ran(an_exchange())).differences

    assert (found.units, found.what) == (seen[1], "total")
