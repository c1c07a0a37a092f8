"""The parts of the FIX venue: names of orders, sequence numbers, and what reports say."""

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

pytest.importorskip("fixcore", reason="the extra fix is not installed")

from fixcore.session.session_id import SessionID

from orderbook_tui.config import parse_config
from orderbook_tui.config.fix import FixVenueSpec
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import ConfigError, VenueUnavailable
from orderbook_tui.venues.fix.correlation import ClientIds
from orderbook_tui.venues.fix.messages import Reader, Says
from orderbook_tui.venues.fix.numbers import RESERVED, STEPS_BACK, NumberStore, path_in
from orderbook_tui.venues.fix.session import Line
from orderbook_tui.venues.fix.venue import FixVenue
from tests.engine.runs import a_config, a_simulation
from tests.venues.test_fix import venue


def some_slots(run: str) -> list[ActionSlot]:
    slots = a_simulation().slots
    for slot in slots:
        slot.run = run
    return slots


@pytest.mark.parametrize("longest", [20, 32, 100])
@pytest.mark.parametrize("run", ["", "a-run-of-mine-20260101T000000Z-12345678"])
def test_a_client_order_id_leads_back_to_its_slot_and_is_no_longer_than_allowed(run: str, longest: int) -> None:
    slots = some_slots(run)
    ids = ClientIds(slots, longest)
    slots[7].generation = 35
    name = ids.of(slots[7])
    assert len(name) <= longest
    assert ids.slot(name) == (slots[7], 35)
    assert len({ids.of(slot) for slot in slots}) == len(slots)


def test_a_shortened_client_order_id_is_the_same_in_every_life() -> None:
    first, second = ClientIds(some_slots("a-run-20260101"), 20), ClientIds(some_slots("a-run-20260101"), 20)
    slot = some_slots("a-run-20260101")[3]
    assert first.of(slot) == second.of(slot)


@pytest.mark.parametrize("name", ["", "x", "another-1-0", "a-run-x-0", "a-run-1", "a-run-99999-0", "a-run--1-0"])
def test_a_client_order_id_of_others_leads_nowhere(name: str) -> None:
    slots = some_slots("a-run")
    ids = ClientIds(slots, 100)
    assert ids.slot(name) is None


def test_numbers_that_were_closed_go_on_and_those_received_last_are_asked_for_again(tmp_path: Path) -> None:
    store = NumberStore(tmp_path / "n")
    assert store.is_new
    for _ in range(3_000):
        store.incr_next_sender_msg_seq_num()
        store.incr_next_target_msg_seq_num()
    store.close()
    again = NumberStore(tmp_path / "n")
    assert (again.next_sender_msg_seq_num(), again.next_target_msg_seq_num()) == (3_001, 3_001 - STEPS_BACK)
    again.close()


def test_a_number_that_a_killed_process_may_have_used_is_never_used_again(tmp_path: Path) -> None:
    store = NumberStore(tmp_path / "n")
    for _ in range(1_500):
        store.incr_next_sender_msg_seq_num()
    again = NumberStore(tmp_path / "n")
    assert 1_501 <= again.next_sender_msg_seq_num() <= 1_501 + RESERVED
    again.close()
    store.close()


def test_no_message_is_kept(tmp_path: Path) -> None:
    store = NumberStore(tmp_path / "n")
    store.set(1, b"8=FIX.4.4\x01554=secret\x01")
    assert store.get(1, 10) == []
    store.close()
    assert b"secret" not in (tmp_path / "n").read_bytes()


def test_names_with_slashes_are_one_file(tmp_path: Path) -> None:
    assert path_in(tmp_path, "FIX.4.4", "../a/b", "C").parent == tmp_path
    assert len(path_in(tmp_path, "FIX.4.4", "x" * 1000, "C").name) < 255


@pytest.mark.parametrize(
    ("version", "body", "says"),
    [
        ("FIX.4.2", {20: "0", 150: "0", 39: "0"}, Says.THERE),
        ("FIX.4.2", {20: "0", 150: "1", 39: "1"}, Says.FILL),
        ("FIX.4.2", {20: "3", 150: "2", 39: "2"}, Says.CLOSED),
        ("FIX.4.2", {20: "3", 150: "1", 39: "1"}, Says.THERE),
        ("FIX.4.2", {20: "1", 150: "1", 39: "0"}, Says.UNDONE),
        ("FIX.4.2", {20: "2", 150: "2", 39: "2"}, Says.UNDONE),
        ("FIX.4.4", {150: "F", 39: "2"}, Says.FILL),
        ("FIX.4.4", {150: "H", 39: "0"}, Says.UNDONE),
        ("FIX.4.4", {150: "I", 39: "8"}, Says.REFUSED),
        ("FIX.4.4", {150: "I", 39: "4"}, Says.CLOSED),
        ("FIX.4.4", {150: "C", 39: "C"}, Says.CLOSED),
        ("FIX.4.4", {150: "3", 39: "3"}, Says.THERE),
        ("FIX.4.4", {150: "A", 39: "A"}, Says.RECEIVED),
        ("FIX.4.4", {150: "6", 39: "6"}, Says.RECEIVED),
    ],
)
def test_what_a_report_says(version: str, body: dict[int, str], says: Says) -> None:
    simulation = a_simulation()
    spec = parse_config(a_config(venue=venue(1, version))).venue
    assert spec.kind == "fix"
    assert Reader(spec, simulation.state.plan.accounts).says(body) is says


ONE = {"sender_comp_id": "ONE", "target_comp_id": "X"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sessions": []}, "venue.sessions"),
        ({"sessions": [ONE, ONE]}, '"ONE" to "X" stands there twice'),
        ({"sessions": [ONE, ONE | {"sender_comp_id": "TWO"}]}, "all but one name the accounts"),
        ({"fields": {"38": "1"}}, "tag 38 is filled in by the program itself"),
        ({"fields": {"x": "1"}}, 'expected the number of a tag, got "x"'),
        ({"symbols": {"BTC-USD": "B\x01C"}}, "only printable ASCII goes"),
        ({"begin_string": "FIX.5.0"}, "venue.begin_string"),
        ({"longest_client_order_id": 19}, "venue.longest_client_order_id"),
    ],
)
def test_a_venue_that_cannot_be_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_config(a_config(venue=venue(1, **more)))
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("sessions", "words"),
    [
        ([ONE | {"accounts": ["nobody"]}], "there is no account nobody"),
        ([ONE | {"accounts": ["test-account-1"]}], "none carries the orders of test-account-2"),
        ([ONE | {"password": "${env:NOT_THERE_AT_ALL}"}], "the environment has no NOT_THERE_AT_ALL"),
    ],
)
def test_sessions_that_do_not_fit_the_run_are_refused(sessions: list[object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Simulation.create(parse_config(a_config(venue=venue(1, sessions=sessions))), save=False)


def test_a_session_that_has_begun_to_log_out_is_waited_for_and_not_for_ever() -> None:
    async def wait() -> None:
        line = Line(FixVenueSpec.model_validate(venue(1)), SessionID("FIX.4.4", "ONE", "X"), ("ONE", "X"), {}, Mock())
        # It was logged on, and is not any more: nobody has been told of the end yet.
        line.on_logon(line.identity)
        with pytest.raises(VenueUnavailable):
            await line.ready(0.01)

    asyncio.run(wait())


@pytest.mark.parametrize(("kind", "closes"), [("I", False), ("4", True)], ids=["an answer", "news"])
def test_an_answer_that_nobody_waits_for_any_more_closes_no_order(kind: str, closes: bool) -> None:
    simulation = a_simulation()
    exchange = FixVenue(FixVenueSpec.model_validate(venue(1)), simulation.state, lambda: None)
    exchange._listener = listener = Mock()
    slot = simulation.slots[0]
    slot.open = slot.action.quantity
    exchange._reported({11: exchange._ids.of(slot), 150: kind, 39: "4", 14: "0"})
    assert listener.closed.called == closes
