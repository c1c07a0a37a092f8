"""Runs against a counterparty that speaks FIX, and does not always behave."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from orderbook_tui.config import parse_config
from orderbook_tui.core.slot import SlotState, Verdict
from orderbook_tui.engine.decisions import Decider
from orderbook_tui.engine.persistence import StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from tests.engine.runs import CONTINUE, RETRY, a_config

pytest.importorskip("fixcore", reason="the extra fix is not installed")

from tests.venues.fix_acceptor import Exchange, serving

SLOTS = 10


def venue(port: int, version: str = "FIX.4.4", **more: Any) -> dict[str, Any]:
    return {
        "kind": "fix",
        "port": port,
        "begin_string": version,
        "sessions": [{"sender_comp_id": "TRADER", "target_comp_id": "EXCHANGE"}],
        "order_timeout_ms": 300,
        "logon_timeout_ms": 3_000,
        "reconnect_ms": 50,
        **more,
    }


def a_run(port: int, folder: Path | None = None, version: str = "FIX.4.4", **more: Any) -> Simulation:
    config = a_config(
        accounts={"generate": {"count": 2}},
        scheduler={"trades_per_account": SLOTS // 2},
        processor={"max_retries": 3},
        venue=venue(port, version, **more),
    )
    return Simulation.create(parse_config(config), state_dir=folder, save=folder is not None)


async def completed(simulation: Simulation, decider: Decider = CONTINUE) -> None:
    await simulation.run(decider)
    assert simulation.status is RunStatus.DONE
    assert all(simulation.invariants().values()), simulation.invariants()


def matched(simulation: Simulation) -> int:
    return sum(slot.verdict is Verdict.MATCHED for slot in simulation.slots)


def strays(simulation: Simulation) -> list[str]:
    assert simulation._run.connection is not None
    assert simulation._run.connection.elsewhere is not None
    return [stray.words for stray in simulation._run.connection.elsewhere.strays]


def none_twice(exchange: Exchange) -> bool:
    return max(exchange.placed.values()) == 1


@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4"])
def test_every_pair_matches_and_nothing_is_left_locked(version: str) -> None:
    async def main() -> None:
        async with serving(version) as exchange:
            simulation = a_run(exchange.port, version=version)
            await completed(simulation)
            assert matched(simulation) == SLOTS
            assert not strays(simulation)
            assert all(not budget.locked for budget in simulation.budgets)

    anyio.run(main)


TRICKS = [
    "never came",
    "cut before it came",
    "cut after it came",
    "accepted in silence",
    "fill before ack",
    "pending first",
    "not now",
]


@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4"])
@pytest.mark.parametrize("trick", TRICKS)
def test_an_order_that_goes_wrong_on_the_way_is_placed_once_and_filled(trick: str, version: str) -> None:
    async def main() -> None:
        async with serving(version, {0: trick, 3: trick, 6: trick}) as exchange:
            simulation = a_run(exchange.port, version=version)
            await completed(simulation)
            assert matched(simulation) == SLOTS
            assert none_twice(exchange)
            assert not strays(simulation)

    anyio.run(main)


@pytest.mark.parametrize("trick", ["rejected", "session reject", "business reject"])
def test_a_refusal_is_for_good_and_in_the_exchange_s_words(trick: str) -> None:
    async def main() -> None:
        async with serving(tricks={0: trick}) as exchange:
            simulation = a_run(exchange.port)
            await completed(simulation)
            slot = simulation.slots[0]
            assert slot.state is SlotState.FAILED
            assert slot.attempt_count == 1
            assert slot.last_error is not None
            words = {"rejected": "no such luck", "session reject": "required tag missing"}.get(trick, "no orders of that kind")
            assert words in slot.last_error.message

    anyio.run(main)


def test_reports_told_twice_settle_once() -> None:
    async def main() -> None:
        async with serving() as exchange:
            exchange.twice = True
            simulation = a_run(exchange.port)
            await completed(simulation)
            assert matched(simulation) == SLOTS
            assert not strays(simulation)

    anyio.run(main)


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - nobody tells when it does
        await asyncio.sleep(0.001)


def numbers_in(folder: Path) -> Path:
    return next(folder.glob("*.fix/*.numbers"))


def endings_in(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir())


async def half_of(simulation: Simulation) -> None:
    """Run half of it, and stop."""
    run = asyncio.create_task(simulation.run(CONTINUE))
    await until(lambda: simulation.stats.completed_slots >= SLOTS // 2)
    simulation.stop()
    await run


def test_a_run_goes_on_with_its_numbers(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving() as exchange:
            simulation = a_run(exchange.port, tmp_path)
            await half_of(simulation)
            simulation.close()
            again = Simulation.resume(simulation.id, tmp_path)
            await completed(again)
            again.close()
            assert matched(again) == SLOTS
            assert [logon.get(141) for logon in exchange.logons] == ["Y", None]
            assert int(exchange.logons[1][34]) > SLOTS // 2
            assert none_twice(exchange)

    anyio.run(main)


def test_a_fill_that_was_missed_is_sent_again_and_settled_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving() as exchange:
            simulation = a_run(exchange.port, tmp_path)
            await half_of(simulation)
            simulation.close()
            told = dict(exchange.orders)
            exchange.twice = True
            for order in told.values():  # once more, to nobody
                exchange.filled(order, order, order.quantity, order.price)
            again = Simulation.resume(simulation.id, tmp_path)
            await completed(again)
            again.close()
            assert again.stats.total_matches == SLOTS  # one for each side

    anyio.run(main)


def test_a_process_that_was_killed_asks_what_became_of_its_order(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(tricks={4: "late"}) as exchange:
            simulation = a_run(exchange.port, tmp_path, order_timeout_ms=60_000)
            run = asyncio.create_task(simulation.run(CONTINUE))
            await until(lambda: bool(exchange.hold))
            run.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await run
            simulation.close()
            exchange.release()
            again = Simulation.resume(simulation.id, tmp_path)
            await completed(again, RETRY)
            again.close()
            assert matched(again) == SLOTS
            assert none_twice(exchange)

    anyio.run(main)


def test_where_both_sides_miss_something_neither_waits_for_the_other(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving() as exchange:
            simulation = a_run(exchange.port, tmp_path)
            await half_of(simulation)
            simulation.close()
            # As a process leaves it that was killed: the next numbers reserved, and little known of what came.
            numbers_in(tmp_path).write_bytes(b"%020d %020d\n" % (500, 2))
            again = Simulation.resume(simulation.id, tmp_path)
            await completed(again)
            again.close()
            assert exchange.admin.count("2") == 1
            assert matched(again) == SLOTS
            assert not strays(again)
            assert none_twice(exchange)

    anyio.run(main)


def test_a_connection_that_has_become_silent_is_given_up_for_another() -> None:
    async def main() -> None:
        async with serving() as exchange:
            exchange.silent = {"D", "H"}
            simulation = a_run(exchange.port, order_timeout_ms=100)
            run = asyncio.create_task(simulation.run(CONTINUE))
            await until(lambda: len(exchange.logons) >= 2)
            exchange.silent = set()
            await run
            assert matched(simulation) == SLOTS
            assert none_twice(exchange)

    anyio.run(main)


def test_a_session_that_another_program_has_begun_anew_is_refused_with_what_to_do(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving() as exchange:
            simulation = a_run(exchange.port, tmp_path, logon_timeout_ms=500)
            await half_of(simulation)
            simulation.close()
            await completed(a_run(exchange.port))  # under the same names
            again = Simulation.resume(simulation.id, tmp_path)
            numbers_in(tmp_path).write_bytes(b"%020d %020d\n" % (5_000, 5_000))
            await again.run(CONTINUE)
            failure = again.slots[-1].last_error
            assert failure is not None
            assert "it has begun anew" in failure.message
            assert f"remove {numbers_in(tmp_path)} and resume" in failure.message
            again.close()
            assert none_twice(exchange)

    anyio.run(main)


def test_without_its_numbers_a_run_begins_with_new_ones_and_goes_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving() as exchange:
            simulation = a_run(exchange.port, tmp_path)
            await half_of(simulation)
            simulation.close()
            numbers_in(tmp_path).unlink()
            again = Simulation.resume(simulation.id, tmp_path)
            await completed(again)
            again.close()
            assert matched(again) == SLOTS
            assert none_twice(exchange)

    anyio.run(main)


def test_the_numbers_go_with_the_checkpoint(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving() as exchange:
            simulation = a_run(exchange.port, tmp_path)
            await completed(simulation)
            simulation.close()
            assert endings_in(tmp_path) == [".fix", ".sqlite"]
            persistence = StatePersistence(tmp_path)
            assert len(persistence.list_simulations()) == 1
            persistence.delete(simulation.id)
            assert not endings_in(tmp_path)

    anyio.run(main)


def test_a_password_reaches_the_exchange_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FIX_PASSWORD", "very-secret-indeed")
    monkeypatch.setenv("FIX_NAME", "SECRETDESK")

    async def main() -> None:
        async with serving(tricks={0: "rejected"}, names=("SECRETDESK",)) as exchange:
            names = {"sender_comp_id": "${env:FIX_NAME}", "target_comp_id": "EXCHANGE"}
            secret = {"username": "me", "password": "${env:FIX_PASSWORD}"}
            simulation = a_run(exchange.port, tmp_path, sessions=[names | secret])
            await completed(simulation)
            simulation.close()
            assert exchange.logons[0][554] == "very-secret-indeed"

    anyio.run(main)
    for path in tmp_path.rglob("*"):
        assert "SECRETDESK" not in path.name
        assert path.is_dir() or b"very-secret" not in path.read_bytes()
    assert capfd.readouterr() == ("", "")


def test_nothing_is_said_on_the_terminal_of_an_exchange_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        simulation = a_run(1, logon_timeout_ms=50, reconnect_ms=10)
        await simulation.run(CONTINUE)
        failure = simulation.slots[0].last_error
        assert failure is not None
        assert failure.code == "unavailable"
        assert failure.message == "not logged on as TRADER to EXCHANGE at 127.0.0.1:1: connection refused"

    anyio.run(main)
    assert capfd.readouterr() == ("", "")


def test_each_account_s_orders_go_in_the_session_that_carries_it() -> None:
    async def main() -> None:
        async with serving(names=("ONE", "TWO")) as exchange:
            sessions = [
                {"sender_comp_id": "ONE", "target_comp_id": "EXCHANGE", "accounts": ["test-account-1"]},
                {"sender_comp_id": "TWO", "target_comp_id": "EXCHANGE"},
            ]
            simulation = a_run(
                exchange.port, sessions=sessions, accounts={"test-account-2": "ACC2"}, symbols={"BTC-USD": "XBT"}
            )
            await completed(simulation)
            assert matched(simulation) == SLOTS
            carried = {(order.sid.target_comp_id, order.fields[1]) for order in exchange.orders.values()}
            assert carried == {("ONE", "test-account-1"), ("TWO", "ACC2")}
            assert {order.fields[55] for order in exchange.orders.values()} == {"XBT", "ETH-USD"}

    anyio.run(main)


def test_an_order_that_found_nobody_is_cancelled_with_its_pair() -> None:
    async def main() -> None:
        async with serving(tricks={1: "rejected"}) as exchange:
            simulation = a_run(exchange.port)
            await completed(simulation)
            assert [slot.verdict for slot in simulation.slots[:2]] == [Verdict.UNMATCHED, Verdict.UNMATCHED]
            assert not simulation.slots[0].open
            assert exchange.orders[exchange.got[0][1][11]].status == "4"

    anyio.run(main)


def test_a_cancel_that_nobody_answers_is_asked_about_and_sent_again() -> None:
    async def main() -> None:
        async with serving(tricks={1: "rejected"}) as exchange:
            exchange.silent = {"F"}
            simulation = a_run(exchange.port, order_timeout_ms=100)
            run = asyncio.create_task(simulation.run(CONTINUE))
            await until(lambda: "H" in {kind for kind, _ in exchange.got})
            exchange.silent = set()
            await run
            assert [kind for kind, _ in exchange.got[2:5]] == ["F", "H", "F"]
            assert simulation.slots[0].verdict is Verdict.UNMATCHED
            assert not simulation.slots[0].open
            assert not strays(simulation)

    anyio.run(main)


def test_an_order_that_the_exchange_takes_back_is_unlocked() -> None:
    async def main() -> None:
        async with serving(tricks={1: "never came"}) as exchange:
            exchange.silent = {"H"}
            simulation = a_run(exchange.port, order_timeout_ms=100)
            run = asyncio.create_task(simulation.run(CONTINUE))
            await until(lambda: simulation.slots[0].open > 0)
            order = exchange.orders[exchange.got[0][1][11]]
            order.status, order.left = "4", order.left * 0
            exchange.report(order, "4")
            await until(lambda: simulation.slots[0].open == 0)
            assert simulation.slots[0].filled == 0
            exchange.silent = set()
            await run
            assert all(simulation.invariants().values())

    anyio.run(main)


def test_without_status_requests_a_lost_order_is_for_a_person() -> None:
    async def main() -> None:
        async with serving(tricks={0: "never came"}) as exchange:
            simulation = a_run(exchange.port, status_requests=False, order_timeout_ms=100)
            await simulation.run(CONTINUE)
            failure = simulation.slots[0].last_error
            assert failure is not None
            assert failure.code == "unknown"
            assert failure.message == "no answer to the order within 100 ms"

    anyio.run(main)


@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4"])
def test_every_logon_may_begin_with_new_numbers(version: str) -> None:
    async def main() -> None:
        async with serving(version, {2: "cut after it came", 5: "cut before it came"}) as exchange:
            simulation = a_run(exchange.port, version=version, reset_on_logon=True)
            await completed(simulation)
            assert {logon.get(141) for logon in exchange.logons} == {"Y"}
            assert matched(simulation) == SLOTS
            assert none_twice(exchange)

    anyio.run(main)


def test_a_commission_is_part_of_what_an_execution_costs() -> None:
    async def main() -> None:
        async with serving() as exchange:
            exchange.fee = "0.01"
            simulation = a_run(exchange.port, fees={"maker": "0.001", "taker": "0.001"})
            await completed(simulation)
            assert matched(simulation) == SLOTS
            fees = sum(fill.maker_fee + fill.taker_fee for slot in simulation.slots for fill in slot.fills)
            quote = simulation.slots[0].action.market.quote
            assert str(quote.amount(fees)) == "0.1"

    anyio.run(main)
