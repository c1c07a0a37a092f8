"""Runs held against the open orders of a counterparty that speaks FIX: told in a list, or asked one by one."""

import asyncio
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock, patch

import anyio
import pytest

pytest.importorskip("fixcore", reason="the extra fix is not installed")

from fixcore.session.session_id import SessionID

from orderbook_tui.config import parse_config
from orderbook_tui.config.fix import FixVenueSpec
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.reconciliation import Reconciliation
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.summary import exit_status
from orderbook_tui.errors import ConfigError, OrderError, OutcomeUnknown, VenueUnavailable
from orderbook_tui.exit_status import ExitStatus
from orderbook_tui.report import reconciled_in_words
from orderbook_tui.venues.base import OpenOrder
from orderbook_tui.venues.fix import listing
from orderbook_tui.venues.fix.listing import Listed
from orderbook_tui.venues.fix.venue import FixVenue
from tests.engine.runs import CONTINUE, a_config, a_simulation
from tests.venues.fix_acceptor import Exchange, Order, serving
from tests.venues.test_fix import SLOTS, completed, venue

NONE_SEEN = "its open orders were asked one by one: orders that the run does not know cannot be seen"
NO_BALANCES = "the venue does not tell what accounts hold: open orders alone were compared"
LISTS: dict[str, Any] = {"version": "FIX.4.4", "mass_status": True}
ASKED: dict[str, Any] = {"version": "FIX.4.4"}
ASKED_42: dict[str, Any] = {"version": "FIX.4.2"}
in_every_way = pytest.mark.parametrize("way", [LISTS, ASKED, ASKED_42], ids=["a list", "one by one", "one by one in 4.2"])


@pytest.fixture(autouse=True)
def _soon() -> Iterator[None]:
    """Wait for what may be on its way for a moment only."""
    with (
        patch("orderbook_tui.engine.reconciling.SETTLING_S", (0.01,)),
        patch("orderbook_tui.engine.reconciling._TRIES_S", (0.001,)),
    ):
        yield


def an_open_run(exchange: Exchange, *, version: str, **more: Any) -> Simulation:
    """A run all of whose orders stay open, at an exchange where nothing trades."""
    exchange.is_book = False
    config = a_config(
        accounts={"generate": {"count": 2}},
        scheduler={"trades_per_account": SLOTS // 2, "matching_strategy": "any"},
        processor={"cancel_open_orders_at_end": False},
        venue=venue(exchange.port, version, **more),
    )
    return Simulation.create(parse_config(config), save=False)


def stranger(exchange: Exchange, name: str = "theirs", account: str = "test-account-1", **fields: str) -> Order:
    """Have somebody else place an order there."""
    sid = SessionID(exchange.version, "EXCHANGE", "TRADER")
    told = {11: name, 1: account, 55: "BTC-USD", 54: "1", 38: "2", 44: "50"}
    order = Order(sid, told | {int(tag[1:]): value for tag, value in fields.items()}, 1000 + len(exchange.orders))
    exchange.orders[name] = order
    return order


def outcome(simulation: Simulation) -> Reconciliation:
    assert simulation.reconciliation is not None
    assert not simulation.reconciliation.failed
    return simulation.reconciliation


def why_failed(simulation: Simulation) -> str:
    assert simulation.reconciliation is not None
    return simulation.reconciliation.failed


def status(simulation: Simulation) -> ExitStatus:
    return exit_status(simulation, Ending.DONE)


def asked(exchange: Exchange, kind: str) -> list[dict[int, str]]:
    return [fields for each, fields in exchange.got if each == kind]


@in_every_way
def test_open_orders_that_both_sides_have_are_no_difference(way: dict[str, Any]) -> None:
    async def main() -> None:
        async with serving(way["version"]) as exchange:
            simulation = an_open_run(exchange, **way)
            await completed(simulation)
            found = outcome(simulation)
            assert (found.orders, found.balances, found.differences) == (SLOTS, 0, ())
            assert found.notes == ((NO_BALANCES,) if way is LISTS else (NO_BALANCES, NONE_SEEN))
            assert status(simulation) is ExitStatus.OK
            assert {kind for kind, _ in exchange.got} == {"D", "AF" if way is LISTS else "H"}

    anyio.run(main)


@in_every_way
def test_an_order_that_was_cancelled_behind_the_run_s_back_is_a_difference_with_its_slot(way: dict[str, Any]) -> None:
    async def main() -> None:
        async with serving(way["version"], {3: "gone afterwards"}) as exchange:
            simulation = an_open_run(exchange, **way)
            await completed(simulation)
            (found,) = outcome(simulation).differences
            assert found.slots == (3,)
            assert not found.found
            assert "it is not open at the venue" in found.words
            assert status(simulation) is ExitStatus.INCOMPLETE

    anyio.run(main)


@in_every_way
def test_another_quantity_left_is_a_difference(way: dict[str, Any]) -> None:
    async def main() -> None:
        async with serving(way["version"]) as exchange:
            simulation = an_open_run(exchange, **way)
            missing = simulation.slots[2].action.market.quantity(1)
            place = exchange.report

            def less(order: Order, kind: str, extra: dict[int, str] | None = None) -> None:
                place(order, kind, extra)
                if order.name == simulation.slots[2].client_order_id and order.left == order.quantity:
                    order.left -= missing

            exchange.report = less  # type: ignore[method-assign]
            await completed(simulation)
            (found,) = outcome(simulation).differences
            assert (found.slots, found.difference) == ((2,), -missing)

    anyio.run(main)


def test_an_order_of_a_stranger_on_the_account_is_a_difference_that_no_slot_explains() -> None:
    async def main() -> None:
        async with serving() as exchange:
            simulation = an_open_run(exchange, **LISTS)
            stranger(exchange)
            await completed(simulation)
            (found,) = outcome(simulation).differences
            words = "order theirs of test-account-1 on BTC-USD, 2 BTC, is open at the venue, and is none of this run's"
            assert (found.words, found.slots) == (words, ())
            assert status(simulation) is ExitStatus.INCOMPLETE
            assert words in "\n".join(reconciled_in_words(simulation.reconciliation))

    anyio.run(main)


def test_of_a_market_that_the_run_does_not_know_a_stranger_s_order_is_one_too() -> None:
    async def main() -> None:
        async with serving() as exchange:
            simulation = an_open_run(exchange, **LISTS)
            stranger(exchange, t55="PORK-BELLIES")
            await completed(simulation)
            (found,) = outcome(simulation).differences
            assert "on PORK-BELLIES, is open at the venue" in found.words

    anyio.run(main)


def test_a_stranger_s_order_need_not_fit_the_lots_of_the_run() -> None:
    async def main() -> None:
        async with serving() as exchange:
            simulation = an_open_run(exchange, **LISTS)
            stranger(exchange, t38="0.000000001")
            await completed(simulation)
            (found,) = outcome(simulation).differences
            assert found.client_order_id == "theirs"

    anyio.run(main)


def test_one_by_one_a_stranger_cannot_be_seen_and_that_is_said() -> None:
    async def main() -> None:
        async with serving("FIX.4.2") as exchange:
            simulation = an_open_run(exchange, **ASKED_42)
            stranger(exchange)
            await completed(simulation)
            assert not outcome(simulation).differences
            assert f"  {NONE_SEEN}" in list(reconciled_in_words(simulation.reconciliation))

    anyio.run(main)


def test_orders_of_accounts_that_are_none_of_the_run_s_are_left_alone() -> None:
    async def main() -> None:
        async with serving() as exchange:
            exchange.lists = {"all accounts"}
            simulation = an_open_run(exchange, **LISTS)
            stranger(exchange, account="somebody")
            await completed(simulation)
            assert (outcome(simulation).orders, outcome(simulation).foreign, outcome(simulation).differences) == (SLOTS, 0, ())

    anyio.run(main)


def test_a_list_that_has_closed_orders_too_is_read_for_those_that_are_open() -> None:
    async def main() -> None:
        async with serving() as exchange:
            exchange.lists = {"of the day"}
            simulation = an_open_run(exchange, **LISTS)
            stranger(exchange, "filled").status = "2"
            stranger(exchange, "cancelled").status = "4"
            stranger(exchange, "rejected").status = "8"
            await completed(simulation)
            assert (outcome(simulation).foreign, outcome(simulation).differences) == (0, ())

    anyio.run(main)


@pytest.mark.parametrize("lists", [set[str](), {"no end"}, {"no numbers"}], ids=["both", "911 alone", "912 alone"])
def test_the_end_of_a_list_is_known_by_its_number_or_its_last_report(lists: set[str]) -> None:
    async def main() -> None:
        async with serving() as exchange:
            exchange.lists, exchange.twice = lists, True
            simulation = an_open_run(exchange, **LISTS)
            await completed(simulation)
            assert (outcome(simulation).orders, outcome(simulation).differences) == (SLOTS, ())

    anyio.run(main)


@pytest.mark.parametrize("lists", [set[str](), {"no numbers"}], ids=["911=0", "103=5"])
def test_that_nothing_is_open_is_an_answer(lists: set[str]) -> None:
    async def main() -> None:
        async with serving() as exchange:
            exchange.lists = lists
            simulation = an_open_run(exchange, **LISTS)
            exchange.tricks = dict.fromkeys(range(SLOTS), "gone afterwards")
            await completed(simulation)
            assert len(outcome(simulation).differences) == SLOTS

    anyio.run(main)


def test_where_no_account_is_said_a_session_is_asked_once() -> None:
    async def main() -> None:
        async with serving() as exchange:
            exchange.lists = {"no accounts"}
            simulation = an_open_run(exchange, **LISTS, send_account=False)
            await completed(simulation)
            assert (outcome(simulation).orders, outcome(simulation).differences) == (SLOTS, ())
            (question,) = asked(exchange, "AF")
            assert question.keys() == {584, 585}

    anyio.run(main)


def test_each_account_is_asked_about_once_by_what_the_exchange_calls_it() -> None:
    async def main() -> None:
        async with serving() as exchange:
            accounts = {"test-account-1": "ACC1", "test-account-2": "ACC2"}
            simulation = an_open_run(exchange, **LISTS, accounts=accounts, symbols={"BTC-USD": "XBT"})
            await completed(simulation)
            assert (outcome(simulation).orders, outcome(simulation).differences) == (SLOTS, ())
            assert sorted((each[1], each[585]) for each in asked(exchange, "AF")) == [("ACC1", "7"), ("ACC2", "7")]
            assert len({each[584] for each in asked(exchange, "AF")}) == 2

    anyio.run(main)


def test_a_shortened_client_order_id_is_told_from_a_stranger_s() -> None:
    async def main() -> None:
        async with serving() as exchange:
            simulation = an_open_run(exchange, **LISTS, longest_client_order_id=20)
            await completed(simulation)
            assert (outcome(simulation).orders, outcome(simulation).foreign) == (SLOTS, 0)
            assert not outcome(simulation).differences

    anyio.run(main)


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        ("refused", "the list of open orders is refused: no such account"),
        ("session reject", "OrderMassStatusRequest is refused: unsupported message type"),
        ("business reject", "OrderMassStatusRequest is refused: no messages of that kind"),
    ],
)
def test_a_list_that_is_refused_is_not_taken_for_an_empty_one(lists: str, words: str) -> None:
    async def main() -> None:
        async with serving() as exchange:
            exchange.lists = {lists}
            simulation = an_open_run(exchange, **LISTS)
            await completed(simulation)
            assert why_failed(simulation) == words
            assert status(simulation) is ExitStatus.INCOMPLETE

    anyio.run(main)


@in_every_way
def test_an_exchange_that_never_answers_cannot_be_reconciled_and_the_run_ends(way: dict[str, Any]) -> None:
    async def main() -> None:
        async with serving(way["version"]) as exchange:
            exchange.silent = {"AF", "H"}
            simulation = an_open_run(exchange, **way, order_timeout_ms=100)
            await completed(simulation)
            assert why_failed(simulation) == "no answer to the question within 100 ms"
            assert status(simulation) is ExitStatus.INCOMPLETE
            assert f"NOT RECONCILED with the venue: {why_failed(simulation)}" in list(
                reconciled_in_words(simulation.reconciliation)
            )

    with patch("orderbook_tui.venues.fix.session.Line.renew", return_value=False):
        anyio.run(main)


def test_a_list_that_does_not_say_where_it_ends_is_no_list() -> None:
    async def main() -> None:
        async with serving() as exchange:
            exchange.lists = {"no end", "no numbers"}
            simulation = an_open_run(exchange, **LISTS, order_timeout_ms=100)
            await completed(simulation)
            assert why_failed(simulation) == "no answer to the question within 100 ms"

    anyio.run(main)


def test_a_list_that_is_cut_off_is_asked_for_again() -> None:
    async def main() -> None:
        async with serving() as exchange:
            exchange.lists = {"cut"}
            simulation = an_open_run(exchange, **LISTS)
            await completed(simulation)
            assert (outcome(simulation).orders, outcome(simulation).differences) == (SLOTS, ())
            assert len(exchange.logons) == 2

    anyio.run(main)


def test_without_either_nothing_is_asked_or_compared() -> None:
    async def main() -> None:
        async with serving() as exchange:
            simulation = an_open_run(exchange, **ASKED, status_requests=False)
            await completed(simulation)
            assert simulation.reconciliation is None
            assert "tells neither which orders are open nor" in simulation.not_reconciled

    anyio.run(main)


def test_an_order_that_the_exchange_is_not_sure_about_cannot_be_compared() -> None:
    simulation = a_simulation()
    exchange = FixVenue(FixVenueSpec.model_validate(venue(1)), simulation.state, lambda: None)
    reader = exchange._open_ones._reader
    with pytest.raises(OutcomeUnknown, match="what is left of order"):
        reader.known(simulation.slots[0], {150: "I", 39: "0", 151: "0.00000000001", 37: "X"})


def test_few_questions_are_under_way_at_a_time() -> None:
    under_way, most, done = 0, 0, list[int]()

    async def ask(item: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        done.append(item)

    asyncio.run(listing._a_few_at_once(range(1_000), ask))
    assert sorted(done) == list(range(1_000))
    assert most == listing._AT_ONCE


def test_after_one_that_failed_no_more_is_asked() -> None:
    done = list[int]()

    async def ask(item: int) -> None:
        done.append(item)
        await asyncio.sleep(0)
        if item == 3:
            raise VenueUnavailable("gone")

    with pytest.raises(VenueUnavailable):
        asyncio.run(listing._a_few_at_once(range(1_000), ask))
    assert len(done) < 100


def taken(*bodies: dict[int, str]) -> Any:
    """What comes of a list of these reports; None where it is not at its end."""

    async def take() -> Any:
        waiting = Listed("L1", Mock(), Mock())
        for body in bodies:
            waiting.take(body)
        return waiting.answer.result() if waiting.answer.done() else None

    return asyncio.run(take())


ONE, TWO = {37: "1", 11: "a", 150: "I", 39: "0"}, {37: "2", 11: "b", 150: "I", 39: "0"}
NOTHING = {37: "NONE", 150: "I", 39: "8"}


@pytest.mark.parametrize(
    ("bodies", "count"),
    [
        ([ONE], None),
        ([ONE, TWO], None),
        ([ONE | {912: "Y"}], 1),
        ([ONE | {911: "2"}], None),
        ([ONE | {911: "2"}] * 2, None),
        ([ONE | {911: "2"}, TWO | {911: "2"}], 2),
        ([ONE | {911: "many"}], None),
        ([ONE | {911: "²"}], None),
        ([ONE | {911: "9" * 5_000}], None),
        ([NOTHING | {911: "0"}], 0),
        ([NOTHING], 0),
        ([NOTHING | {103: "5"}], 0),
        ([ONE | {911: "2"}, {37: "3", 11: "c", 150: "I", 39: "8", 103: "1", 911: "2"}], 2),
    ],
)
def test_a_list_is_there_when_its_last_report_is(bodies: list[dict[int, str]], count: int | None) -> None:
    told = taken(*bodies)
    assert (None if told is None else len(told)) == count


@pytest.mark.parametrize("body", [NOTHING | {103: "0"}, NOTHING | {103: "15"}, NOTHING | {150: "8"}])
def test_a_refusal_for_another_reason_says_nothing_about_orders(body: dict[int, str]) -> None:
    with pytest.raises(OrderError, match="the list of open orders is refused"):
        taken(body)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ("ours", 3)),
        ({1: "test-account-2"}, ("another's", 3)),
        ({1: "an alias"}, ("ours", 3)),
        ({11: "C1", 41: "{name}"}, ("ours", 3)),
        ({151: "?"}, ("ours", -1)),
        ({151: "0"}, None),
        ({39: "4"}, None),
    ],
)
def test_whose_an_order_of_a_list_is_and_how_much_is_left(change: dict[int, str], expected: tuple[str, int] | None) -> None:
    simulation = a_simulation(accounts={"generate": {"count": 2}})
    exchange = FixVenue(FixVenueSpec.model_validate(venue(1, mass_status=True)), simulation.state, lambda: None)
    slot = simulation.slots[0]
    ids = {each.name: each.id for each in simulation.state.plan.accounts}
    left = slot.action.market.quantity(3)
    body = {37: "X", 11: "{name}", 150: "I", 39: "0", 151: f"{left:f}", 55: slot.action.market.symbol} | change
    body = {tag: text.format(name=slot.client_order_id) for tag, text in body.items()}
    order: OpenOrder | None = exchange._lists._reader.listed(body, set(ids.values()), slot.account_id)
    told = None
    if order is not None:
        assert order.client_order_id == slot.client_order_id
        told = ("ours" if order.account == slot.account_id else "another's", order.left)
    assert told == expected


def test_fix_42_has_no_lists_and_a_config_that_wants_them_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"FIX 4\.2 has no OrderMassStatusRequest"):
        parse_config(a_config(venue=venue(1, "FIX.4.2", mass_status=True)))


def test_a_report_on_a_list_that_nobody_waits_for_any_more_is_no_news() -> None:
    simulation = a_simulation()
    exchange = FixVenue(FixVenueSpec.model_validate(venue(1, mass_status=True)), simulation.state, lambda: None)
    exchange._listener = listener = Mock()
    slot = simulation.slots[0]
    slot.open = slot.action.quantity
    exchange._reported({11: slot.client_order_id, 584: "L1", 150: "I", 39: "4", 14: "0", 151: "0"})
    assert not listener.closed.called


def test_at_a_pause_a_run_is_held_against_the_list() -> None:
    async def main() -> None:
        async with serving() as exchange:
            simulation = an_open_run(exchange, **LISTS)
            run = asyncio.create_task(simulation.run(CONTINUE))
            simulation.step()
            async with asyncio.timeout(10):
                while simulation.reconciliation is None:  # noqa: ASYNC110 - nobody tells when it is there
                    await asyncio.sleep(0.005)
            assert (outcome(simulation).orders, outcome(simulation).at_end) == (1, False)
            simulation.stop()
            await run

    anyio.run(main)
