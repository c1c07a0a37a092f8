"""The FIX face: conversations of a real client with the real process, in FIX 4.2 and 4.4."""

import asyncio
from pathlib import Path

import pytest

from orderbook_tui.serving.fix_acceptor import FixAcceptor
from orderbook_tui.serving.keys import Entry, KeyRing
from tests.serving.exchange import TWO_TRADERS, fix_in_this_loop, in_this_loop, served
from tests.serving.fix_client import FixClient, Remembered, fix_client

in_both_versions = pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4"])


@in_both_versions
def test_a_whole_conversation(version: str) -> None:
    trade = "F" if version == "FIX.4.4" else "1"
    last_trade = "F" if version == "FIX.4.4" else "2"

    async def talk() -> None:
        async with fix_in_this_loop() as port, fix_client(port, version) as client:
            await client.order("a1", "alice", "1", "1", "100")
            new = await client.next()
            assert (new.msg_type, new[150], new[39], new[11], new[1], new[151]) == ("8", "0", "0", "a1", "alice", "1")
            assert new.get(20) == ("0" if version == "FIX.4.2" else "")

            await client.order("b1", "bob", "2", "0.4", "90", t59="3")
            new, maker, taker = [await client.next() for _ in range(3)]
            assert (new[11], new[150]) == ("b1", "0")
            assert [maker[tag] for tag in (11, 150, 39, 31, 32, 14, 151, 6, 12, 13, 375)] == [
                "a1", trade, "1", "100", "0.4", "0.4", "0.6", "100", "0.04", "3", "bob",
            ]  # fmt: skip
            assert [taker[tag] for tag in (11, 150, 39, 31, 32, 12, 375)] == [
                "b1", last_trade, "2", "100", "0.4", "0.08", "alice",
            ]  # fmt: skip
            assert maker[17] != taker[17]

            await client.tell("H", {11: "a1", 1: "alice", 55: "BTC-USD", 54: "1"})
            status = await client.next()
            assert [status[tag] for tag in (39, 14, 151, 12)] == ["1", "0.4", "0.6", "0.04"]
            assert status.get(20) == ("3" if version == "FIX.4.2" else "")
            assert status[150] == ("0" if version == "FIX.4.2" else "I")

            await client.tell("H", {11: "none", 1: "alice", 55: "BTC-USD", 54: "1"})
            unknown = await client.next()
            assert [unknown[tag] for tag in (11, 37, 39, 103)] == ["none", "NONE", "8", "5"]

            await client.tell("F", {41: "a1", 11: "c1", 1: "alice", 55: "BTC-USD", 54: "1"})
            cancelled = await client.next()
            assert [cancelled[tag] for tag in (150, 39, 11, 41, 151, 14)] == [
                "4",
                "4",
                "c1",
                "a1",
                "0",
                "0.4",
            ]

            await client.tell("F", {41: "a1", 11: "c2", 1: "alice", 55: "BTC-USD", 54: "1"})
            late = await client.next()
            assert [late[tag] for tag in (39, 434, 102)] == ["4", "1", "0"]
            assert late.msg_type == "9"

    asyncio.run(talk())


@in_both_versions
def test_what_is_refused_says_why(version: str) -> None:
    async def talk() -> None:
        async with fix_in_this_loop() as port, fix_client(port, version) as client:
            known = "known"
            await client.order(known, "alice", "1", "1", "100")
            await client.next()
            for name, fields, reason, code in (
                (known, ("alice", "1", "1", "100"), "6", "duplicate_client_order_id"),
                ("a2", ("alice", "1", "1", "10000000"), "3", "insufficient_funds"),
                ("a3", ("nobody", "1", "1", "100"), "0", "unknown_account"),
                ("a4", ("alice", "1", "1", "100.001"), "0", "invalid_price"),
            ):
                await client.order(name, *fields)
                refused = await client.next()
                assert [refused[tag] for tag in (11, 150, 39, 103)] == [name, "8", "8", reason]
                assert refused[58].startswith(code + ": ")
            await client.order("b1", "bob", "2", "1", "100", t18="6")
            assert (await client.next())[58].startswith("would_take")
            await client.order("b1", "bob", "2", "1", "100", t20001="carol")
            assert (await client.next())[58].startswith("unknown_counterparty")

            await client.order("b2", "bob", "2", "1", "abc")
            rejected = await client.next()
            assert (rejected.msg_type, rejected[371], rejected[372], rejected[373]) == ("3", "44", "D", "6")
            assert rejected[45].isdigit()
            await client.tell("D", {11: "b3", 1: "bob", 55: "BTC-USD", 38: "1", 44: "1", 40: "2"})
            rejected = await client.next()
            assert (rejected.msg_type, rejected[371], rejected[373]) == ("3", "54", "1")
            await client.tell("V", {262: "1"})
            assert ((business := await client.next()).msg_type, business[380]) == ("j", "3")
            await client.tell("F", {41: "none", 11: "c2", 55: "BTC-USD", 54: "1"})
            assert [(late := await client.next()).msg_type, late[102], late[37]] == ["9", "1", "NONE"]
            await client.tell("F", {41: known, 11: "c3", 55: "BTC-USD", 54: "1"})
            assert (await client.next())[39] == "4"

    asyncio.run(talk())


@in_both_versions
def test_an_exchange_that_dies_loses_and_doubles_nothing(version: str, tmp_path: Path) -> None:
    async def talk() -> None:
        async with fix_client(exchange.fix_port, version) as client:
            for number in range(60):
                await client.order(f"a{number}", "alice", "1", "0.01", "100")
            dying = asyncio.create_task(asyncio.to_thread(exchange.restart))
            for number in range(60, 120):
                try:
                    await client.order(f"a{number}", "alice", "1", "0.01", "100")
                except ConnectionError:
                    pass  # it has its number, and is sent again when asked for
                except RuntimeError:
                    await dying
                    await client.logged_on()
                    await client.order(f"a{number}", "alice", "1", "0.01", "100")
            await dying
            reports = [await client.next() for _ in range(120)]
            assert [report[11] for report in reports] == [f"a{number}" for number in range(120)]
            assert {report[39] for report in reports} == {"0"}
            await client.order("b0", "bob", "2", "1.2", "100")
            fills = [await client.next() for _ in range(241)]
            assert fills[-1][39] == "2"
            assert len({report[17] for report in client.got}) == len(client.got)

    with served(TWO_TRADERS, tmp_path, state=True, fix=True) as exchange:
        asyncio.run(talk())
    assert {line[:15] for line in exchange.stderr.read_text().splitlines()} == {"A test exchange"}


def test_fills_of_a_client_that_was_away_are_told_at_its_next_logon(tmp_path: Path) -> None:
    async def talk() -> None:
        version, state, store = "FIX.4.4", tmp_path / "state", Remembered()
        async with fix_in_this_loop(state=state, clients=("OTHER",)) as port:
            async with fix_client(port, version, store=store) as client:
                await client.order("a1", "alice", "1", "1", "100")
                await client.next()
            async with fix_client(port, version, "OTHER") as other:
                await other.order("b1", "bob", "2", "1", "100")
                assert [(await other.next())[39] for _ in range(2)] == ["0", "2"]
        async with fix_in_this_loop(state=state) as port, fix_client(port, version, store=store) as client:
            report = await client.next()
            assert (report[11], report[39], report[32]) == ("a1", "2", "1")
            await client.tell("H", {11: "a1", 1: "alice", 55: "BTC-USD", 54: "1"})
            assert (await client.next())[39] == "2"

    asyncio.run(talk())


def test_what_was_sent_and_never_arrived_is_sent_again_as_a_possible_duplicate() -> None:
    async def talk() -> None:
        async with fix_in_this_loop() as port:
            store = Remembered()
            async with fix_client(port, "FIX.4.4", store=store) as client:
                await client.order("a1", "alice", "1", "1", "100")
                report = await client.next()
            # As if the report had been lost on the way.
            store.create(client.session.session_id).set_next_target_msg_seq_num(int(report[34]))
            async with fix_client(port, "FIX.4.4", store=store) as client:
                again = await client.next()
                assert (again[43], again[17], again[34]) == ("Y", report[17], report[34])

    asyncio.run(talk())


def test_when_each_side_has_lost_something_neither_waits_for_the_other() -> None:
    async def talk() -> None:
        async with fix_in_this_loop() as port:
            store = Remembered()
            async with fix_client(port, "FIX.4.4", store=store) as client:
                await client.order("a1", "alice", "1", "1", "100")
                report = await client.next()
            numbers = store.create(client.session.session_id)
            numbers.set_next_target_msg_seq_num(int(report[34]))
            numbers.set_next_sender_msg_seq_num(numbers.next_sender_msg_seq_num() + 3)
            async with fix_client(port, "FIX.4.4", store=store) as client:
                await client.order("a2", "alice", "1", "1", "100")
                assert [(each[11], each.get(43)) for each in (await client.next(), await client.next())] == [
                    ("a1", "Y"),
                    ("a2", ""),
                ]

    asyncio.run(talk())


def test_an_order_that_the_client_sends_again_is_not_placed_again() -> None:
    async def talk() -> None:
        async with fix_in_this_loop() as port, fix_client(port, "FIX.4.4") as client:
            await client.order("a1", "alice", "1", "1", "100")
            await client.next()
            await client.order("a1", "alice", "1", "1", "100", t97="Y")
            status = await client.next()
            assert (status[150], status[39], status[151]) == ("I", "0", "1")
            await client.order("b1", "bob", "2", "2", "100")
            assert [(await client.next())[39] for _ in range(3)] == ["0", "2", "1"]

    asyncio.run(talk())


def test_a_dead_id_is_refused_over_fix_too() -> None:
    async def talk() -> None:
        async with in_this_loop() as (exchange, _):
            acceptor = FixAcceptor(exchange, KeyRing(exchange), print, host="127.0.0.1", port=0)
            async with fix_client(await acceptor.start(), "FIX.4.2") as client:
                exchange.fence(exchange.accounts["alice"], "a1")
                await client.order("a1", "alice", "1", "1", "100")
                assert (await client.next())[58].startswith("dead_client_order_id")
            await acceptor.stop()

    asyncio.run(talk())


def _question(**more: str) -> dict[int, str]:
    return {584: "L1", 585: "7"} | {int(tag[1:]): text for tag, text in more.items()}


def test_the_open_orders_of_an_account_are_listed_however_they_came() -> None:
    async def talk() -> None:
        async with in_this_loop() as (exchange, http):
            acceptor = FixAcceptor(exchange, KeyRing(exchange), print, host="127.0.0.1", port=0, clients=("OTHER",))
            port = await acceptor.start()
            async with fix_client(port, "FIX.4.4", "OTHER") as other:
                await other.order("a1", "alice", "1", "1", "100")
                await other.next()
            order = {"client_order_id": "a2", "market": "BTC-USD", "side": "buy", "price": "90", "quantity": "2"}
            async with http.post("/orders", json=order, headers={"X-API-Key": "key-alice"}) as reply:
                assert reply.status == 201
            async with fix_client(port, "FIX.4.4") as client:
                await client.order("a3", "alice", "1", "3", "80")
                await client.order("b1", "bob", "1", "1", "80")
                await client.order("b2", "bob", "2", "0.4", "100")
                for _ in range(4):
                    await client.next()
                await client.tell("AF", _question(t1="alice"))
                told = [await client.next() for _ in range(3)]
                assert [[each[tag] for tag in (1, 11, 39, 151)] for each in told] == [
                    ["alice", "a1", "1", "0.6"],
                    ["alice", "a2", "0", "2"],
                    ["alice", "a3", "0", "3"],
                ]
                assert [[each[tag] for tag in (150, 584, 911, 912)] for each in told] == [
                    ["I", "L1", "3", "N"],
                    ["I", "L1", "3", "N"],
                    ["I", "L1", "3", "Y"],
                ]
            await acceptor.stop()

    asyncio.run(talk())


def test_a_list_of_no_account_is_that_of_the_session() -> None:
    async def talk() -> None:
        async with fix_in_this_loop(clients=("OTHER",)) as port:
            async with fix_client(port, "FIX.4.4", "OTHER") as other:
                await other.order("a1", "alice", "1", "1", "100")
                await other.next()
            async with fix_client(port, "FIX.4.4") as client:
                for name, account in (("a2", "alice"), ("b1", "bob")):
                    await client.order(name, account, "1", "1", "90")
                    await client.next()
                await client.tell("AF", _question())
                assert [(await client.next())[11] for _ in range(2)] == ["a2", "b1"]

    asyncio.run(talk())


def test_a_list_of_nothing_is_one_report_that_says_so() -> None:
    async def talk() -> None:
        async with fix_in_this_loop() as port, fix_client(port, "FIX.4.4") as client:
            await client.tell("AF", _question(t1="alice"))
            report = await client.next()
            assert [report[tag] for tag in (584, 911, 912, 150)] == ["L1", "0", "Y", "I"]
            assert [report[tag] for tag in (39, 37, 103, 151)] == ["8", "NONE", "5", "0"]
            assert 11 not in report

    asyncio.run(talk())


def test_a_list_that_cannot_be_made_is_refused_with_the_reason() -> None:
    async def talk() -> None:
        async with fix_in_this_loop() as port, fix_client(port, "FIX.4.4") as client:
            await client.tell("AF", _question(t1="nobody"))
            refused = await client.next()
            assert [refused[tag] for tag in (584, 39, 103)] == ["L1", "8", "15"]
            assert 911 not in refused
            assert refused[58].startswith("unknown_account: ")
            for question, tag in ((_question(t585="1"), "585"), ({585: "7"}, "584")):
                await client.tell("AF", question)
                rejected = await client.next()
                assert (rejected.msg_type, rejected[371], rejected[372]) == ("3", tag, "AF")

    asyncio.run(talk())


def test_fix_42_has_no_lists() -> None:
    async def talk() -> None:
        async with fix_in_this_loop() as port, fix_client(port, "FIX.4.2") as client:
            await client.tell("AF", _question(t1="alice"))
            assert ((refused := await client.next()).msg_type, refused[380], refused[372]) == ("j", "3", "AF")

    asyncio.run(talk())


def test_with_a_file_of_keys_only_the_operator_s_key_opens_a_session() -> None:
    async def talk() -> None:
        async with fix_in_this_loop(keys={"*": Entry("secret"), "alice": Entry("hers")}) as port:
            async with fix_client(port, "FIX.4.4", password="secret") as client:
                await client.order("a1", "alice", "1", "1", "100")
                assert (await client.next())[39] == "0"
            store = Remembered()
            for password in ("", "hers"):
                client = FixClient(port, "FIX.4.2", password=password, store=store)
                async with client.initiator:
                    await client.logged_on()
                    await client.logged_off()

    asyncio.run(talk())
