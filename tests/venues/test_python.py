"""The user's own venue, through a whole run."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.exchange import FeeSchedule
from orderbook_tui.core.journal import Execution, RecoveryAction
from orderbook_tui.core.slot import Verdict
from orderbook_tui.engine.checkpoint_journal import Intent
from orderbook_tui.engine.decisions import Decider
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import AmountError, ConfigError, FailureKind
from orderbook_tui.venues.python import SettlementHandle
from tests.builders import a_slot, ask, bid, small_market
from tests.engine.runs import SKIP, Scripted, a_simulation, run
from tests.venues import callables

HERE = "tests.venues.callables"
TWO: dict[str, Any] = {"accounts": {"generate": {"count": 2}}, "scheduler": {"trades_per_account": 2}}


@pytest.fixture(autouse=True)
def _nothing_called_yet() -> Iterator[None]:
    callables.forget()
    yield
    callables.forget()


def through(name: str, decider: Decider = SKIP, folder: Path | None = None, **sections: Any) -> Simulation:
    """A run of four slots through that callable."""
    sections = {**TWO, "venue": {"kind": "python", "target": f"{HERE}:{name}", "fees": {"taker": "0.001"}}, **sections}
    simulation = a_simulation(folder, **sections)
    run(simulation, decider)
    return simulation


def orders(simulation: Simulation) -> list[int | str | None]:
    return [slot.order_id for slot in simulation.slots]


def verdicts(simulation: Simulation) -> set[Verdict | None]:
    return {slot.verdict for slot in simulation.slots}


def test_a_plain_callable_places_the_orders() -> None:
    assert orders(through("plain")) == ["plain-0", "plain-1", "plain-2", "plain-3"]


def test_a_plain_callable_runs_in_a_thread() -> None:
    through("plain")

    assert callables.THREADS == [False] * 4


def test_an_async_callable_runs_in_the_event_loop() -> None:
    through("quick")

    assert callables.THREADS == [True] * 4


def test_an_order_id_may_be_a_number() -> None:
    assert orders(through("quick")) == [100, 101, 102, 103]


def test_an_object_may_be_called() -> None:
    assert orders(through("desk"))[0] == "desk-0"


def test_a_method_of_an_object_may_be_called() -> None:
    assert orders(through("desk.order"))[0] == "method-0"


def test_a_flag_is_no_number_of_an_order() -> None:
    assert orders(through("answers_a_flag"))[0] == "True"


def test_the_callable_sees_a_client_order_id_of_each_slot() -> None:
    through("plain")

    assert len({client_id for _, _, client_id in callables.CALLS}) == 4


# Fills


@pytest.mark.parametrize("name", ["whole", "whole_in_a_thread"])
def test_orders_that_were_filled_are_matched(name: str) -> None:
    assert verdicts(through(name)) == {Verdict.MATCHED}


def test_orders_that_were_filled_in_part_are_partly_matched() -> None:
    assert verdicts(through("half")) == {Verdict.PARTLY}


def test_orders_without_fills_are_unmatched() -> None:
    assert verdicts(through("plain")) == {Verdict.UNMATCHED}


def test_the_counterparty_may_be_named() -> None:
    assert verdicts(through("by_name")) == {Verdict.MATCHED}


def test_a_fill_by_a_stranger_is_by_another() -> None:
    assert verdicts(through("by_a_stranger")) == {Verdict.BY_ANOTHER}


@pytest.mark.parametrize("name", ["late", "late_in_a_thread"])
def test_fills_that_come_from_a_thread_later_on_are_settled(name: str) -> None:
    assert verdicts(through(name)) == {Verdict.MATCHED}


def test_a_fill_is_of_the_moment_of_its_report() -> None:
    slot = through("takes_a_while").slots[0]
    assert slot.last_attempt is not None

    assert slot.last_attempt.started + 10_000_000 < slot.fills[0].at <= callables.STAMPS[0]


@pytest.mark.parametrize("name", ["whole", "half", "plain", "by_a_stranger", "with_a_fee", "late", "answers_nothing", "wrong"])
def test_every_invariant_holds(name: str) -> None:
    assert [rule for rule, holds in through(name).invariants().items() if not holds] == []


def test_fees_are_charged() -> None:
    usd = through("with_a_fee").budgets.get_summary().assets["USD"]

    assert usd.total_spent - usd.total_received == Decimal("0.04")


def test_wrong_fills_are_refused_with_words() -> None:
    through("wrong", scheduler={"trades_per_account": 1})

    assert [line.split(":")[0] for line in callables.CAUGHT] == ["AmountError"] * 18


def test_a_refused_fill_leaves_the_order_unfilled() -> None:
    assert verdicts(through("wrong")) == {Verdict.UNMATCHED}


def test_fills_survive_another_life(tmp_path: Path) -> None:
    simulation = through("half", folder=tmp_path)
    simulation.close()

    assert Simulation.look(simulation.id, tmp_path).state_hash() == simulation.state_hash()


# Failures


@pytest.mark.parametrize("name", ["refuses_connections", "breaks"])
def test_what_was_not_placed_is_tried_again(name: str) -> None:
    through(name)

    assert [attempt for slot, attempt, _ in callables.CALLS if slot == 0] == [1, 2]


@pytest.mark.parametrize("name", ["times_out", "loses_the_connection", "answers_nothing"])
def test_what_may_have_been_placed_is_asked_about(name: str) -> None:
    decider = Scripted(*[RecoveryAction.SKIP] * 4)
    through(name, decider)

    assert (decider.asked, len(callables.CALLS)) == ([0, 1, 2, 3], 4)


def test_a_retry_goes_by_the_same_client_order_id() -> None:
    through("times_out", Scripted(*[RecoveryAction.RETRY] * 4))
    first, second = (client_id for slot, _, client_id in callables.CALLS if slot == 0)

    assert first == second


def test_what_was_not_placed_locks_nothing() -> None:
    assert through("answers_nothing").budgets.get_summary().total_locked == 0


def test_the_message_names_the_exception() -> None:
    failure = through("breaks").slots[0].attempts[0].failure

    assert failure is not None
    assert failure.message == "LookupError: no such thing"


@pytest.mark.parametrize("name", ["refused_after_a_fill", "breaks_after_a_fill"])
def test_a_failure_after_a_fill_leaves_the_outcome_unknown(name: str) -> None:
    failure = through(name).slots[0].last_error

    assert failure is not None
    assert failure.kind is FailureKind.UNKNOWN
    assert failure.message.endswith("after a fill was reported: the order exists")


def test_a_fill_of_an_order_that_was_not_accepted_is_refused() -> None:
    through("refused_before_a_fill")
    settlement = callables.HANDLES[3]

    with pytest.raises(AmountError, match=r"^the order of slot 3 was not accepted: Rejected: closed$"):
        settlement.fill(settlement.slot.action.market.quantity(settlement.slot.action.quantity))


def test_a_fill_of_an_order_that_nobody_waited_for_is_refused() -> None:
    async def leave() -> None:
        simulation = a_simulation(**TWO, venue={"target": f"{HERE}:hangs"})
        with anyio.move_on_after(0.1):
            await simulation.run(SKIP)

    anyio.run(leave)
    settlement = callables.HANDLES[0]

    with pytest.raises(AmountError, match="not accepted: nobody waited for the callable's answer"):
        settlement.fill(settlement.slot.action.market.quantity(settlement.slot.action.quantity))


# What cannot be imported


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("tests.venues.nowhere:place", "ModuleNotFoundError"),
        (f"{HERE}:missing", "AttributeError"),
        (f"{HERE}:NOT_CALLABLE", "is no callable"),
    ],
)
def test_what_cannot_be_called_is_a_problem_of_the_target(target: str, why: str) -> None:
    with pytest.raises(ConfigError, match=rf"^venue\.target: .*{why}"):
        a_simulation(venue={"kind": "python", "target": target})


@pytest.mark.parametrize(
    "body", ["raise RuntimeError('at import')", "import nowhere_at_all", "def broken(:", "raise SystemExit(9)"]
)
def test_a_module_that_fails_is_a_problem_of_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    name = f"users_{abs(hash(body))}"
    (tmp_path / f"{name}.py").write_text(body)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match=r"^venue\.target: .* cannot be imported"):
        a_simulation(venue={"kind": "python", "target": f"{name}:place"})


def test_a_module_in_the_working_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_desk.py").write_text("def place(slot):\n    return 'mine'\n")
    monkeypatch.chdir(tmp_path)
    simulation = a_simulation(**TWO, venue={"target": "my_desk:place"})
    run(simulation)

    assert orders(simulation) == ["mine"] * 4


# Killed inside the callable


def test_an_order_that_may_exist_is_never_placed_blindly(tmp_path: Path) -> None:
    simulation = a_simulation(tmp_path, **TWO, venue={"target": f"{HERE}:plain"})
    simulation._open_checkpoint()
    writer = simulation._saving.writer
    assert writer is not None
    writer.intend([], [Intent(0, 1, simulation.slots[0].client_order_id, 1)])  # and here the process died
    writer.close()
    again, decider = Simulation.resume(simulation.id, tmp_path), Scripted(RecoveryAction.SKIP)
    run(again, decider)
    again.close()

    assert (decider.asked, [slot for slot, _, _ in callables.CALLS]) == ([0], [1, 2, 3])


@pytest.mark.parametrize("name", ["nothing", "three"])
def test_a_callable_that_takes_no_slot_is_refused_before_anything_runs(name: str) -> None:
    with pytest.raises(ConfigError, match=r"venue\.target: .*takes neither a slot"):
        a_simulation(**TWO, venue={"target": f"{HERE}:{name}"})


def test_an_answer_that_is_no_order_id_is_in_doubt() -> None:
    decider = Scripted(*[RecoveryAction.SKIP] * 4)
    run(a_simulation(**TWO, venue={"target": f"{HERE}:odd"}), decider)

    assert decider.asked == [0, 1, 2, 3]


@pytest.mark.parametrize(("side", "price"), [(bid, "0"), (ask, "1e30")], ids=["nothing", "past 64 bits"])
def test_a_fill_at_a_price_that_no_budget_can_count_is_refused(side: Callable[..., OrderAction], price: str) -> None:
    settled: list[Execution] = []
    slot = a_slot(side(small_market(), 10, 100))
    settlement = SettlementHandle(slot, 10, FeeSchedule(), {}, settled.append)
    settlement._accept()

    with pytest.raises(AmountError, match=r"both are more than 0|more than an amount"):
        settlement.fill(1, price=Decimal(price))
    assert settled == []
