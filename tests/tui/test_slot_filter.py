"""The filter's language, what it matches, and that what is shown keeps in step with the run."""

import contextlib
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderbook_tui.core.journal import Cancel, Decision, Execution, RecoveryAction
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.core.state import Plan, SimulationState
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui import matching_slots
from orderbook_tui.tui.figures import message, name
from orderbook_tui.tui.matching_slots import MatchingSlots, failed_from
from orderbook_tui.tui.slot_filter import FilterError, Names, SlotFilter, Term, read, suggestion, term, toggled
from orderbook_tui.tui.widgets.slot_line import settled_verdict
from tests.builders import PERMANENT, TRANSIENT, a_plan, schedule
from tests.tui.screen import simulation
from tests.tui.test_hostile_text import HOSTILE

ACCOUNTS = ("a", "b", "c", "d")


def a_state(plan_slots: list[ActionSlot] | None = None) -> SimulationState:
    """A run of four accounts on two markets, of which nothing has happened yet."""
    slots = schedule(4, 6, 2) if plan_slots is None else plan_slots
    return SimulationState(slots, plan=a_plan(slots))


def names_of(plan: Plan) -> Names:
    class Planned:
        class state:  # noqa: N801 - as a simulation has it
            pass

    Planned.state.plan = plan  # type: ignore[attr-defined]
    return Names(Planned)  # type: ignore[arg-type]


def matched(state: SimulationState, text: str) -> list[int]:
    return [slot.sequence for slot in SlotFilter(text, names_of(state.plan)).among(state.slots)]


def fail(
    state: SimulationState, sequence: int, *, failures: int = 1, action: RecoveryAction | None = RecoveryAction.CONTINUE
) -> None:
    """Have a slot's attempts fail, and something decided about it."""
    slot = state.slots[sequence]
    for _ in range(failures):
        slot.begin(1)
        slot.fail_attempt(TRANSIENT if failures > 1 else PERMANENT, 2)
        state.journal.extend(slot.attempts[-1:])
    if action is not None:
        decision = Decision(sequence, slot.attempt_count, action, "person", 3)
        slot.decide(decision)
        state.journal.append(decision)


def trade(state: SimulationState, pair: int) -> None:
    """Have both slots of a pair trade with each other."""
    first, second = state.slots[2 * pair : 2 * pair + 2]
    for slot in (first, second):
        slot.begin(1)
        slot.complete(1000 + slot.sequence, 2)
        state.journal.extend(slot.attempts[-1:])
        slot.open = slot.action.quantity
    execution = Execution(first.sequence, second.sequence, first.action.price, first.action.quantity, 0, 0, 3)
    first.fill(execution)
    second.fill(execution)
    state.journal.append(execution)


@pytest.fixture
def state() -> SimulationState:
    """Pair 0 has traded, slot 2 has failed after three attempts, slot 3 is skipped."""
    state = a_state()
    trade(state, 0)
    fail(state, 2, failures=3)
    fail(state, 3, action=RecoveryAction.SKIP)
    return state


def by(state: SimulationState, condition: Any) -> list[int]:
    return [slot.sequence for slot in state.slots if condition(slot)]


def test_nothing_typed_matches_all(state: SimulationState) -> None:
    assert not SlotFilter("  ", names_of(state.plan))
    assert matched(state, "  ") == list(range(len(state.slots)))


@pytest.mark.parametrize(
    ("text", "sequences"),
    [
        ("state:failed", [2]),
        ("state:FAILED", [2]),
        ("state:fa", [2]),
        ("state:failed,skipped", [2, 3]),
        ("verdict:matched", [0, 1]),
        ("verdict:unm", [2, 3]),
        ("is:retried", [2]),
        ("is:decided", [2, 3]),
        ("is:retried,decided -state:skipped", [2]),
        ("error:away", [2]),
        ("error:venue", [2, 3]),
        ("order:1001", [1]),
        ("order:100", [0, 1]),
        ("said no", [3]),
        ("1001", [1]),
        ("unmatched away", [2]),
        ('"the venue is away"', [2]),
        ("-state:pending -verdict:matched", [2, 3]),
    ],
)
def test_a_filter_matches_what_it_says(state: SimulationState, text: str, sequences: list[int]) -> None:
    assert matched(state, text) == sequences


def test_account_market_and_side_are_those_of_the_slot(state: SimulationState) -> None:
    assert matched(state, "account:b") == by(state, lambda slot: slot.account_id == "b")
    assert matched(state, "market:c1-usd") == by(state, lambda slot: slot.action.market.symbol == "C1-USD")
    assert matched(state, "side:bid") == by(state, lambda slot: slot.action.side.word == "Bid")
    assert matched(state, "account:b side:ask market:C0") == by(
        state, lambda slot: (slot.account_id, slot.action.side.word, slot.action.market.symbol) == ("b", "Ask", "C0-USD")
    )


def test_words_are_looked_for_in_account_market_and_side(state: SimulationState) -> None:
    assert matched(state, "C1-") == by(state, lambda slot: slot.action.market.symbol == "C1-USD")
    assert matched(state, "bid c0") == by(
        state, lambda slot: slot.action.side.word == "Bid" and slot.action.market.symbol == "C0-USD"
    )


def test_a_whole_name_is_that_account_alone_and_a_part_is_all_that_contain_it(tmp_path: Path) -> None:
    run = simulation(tmp_path, save=False, accounts={"generate": {"count": 12}})
    known = Names(run)

    def accounts(text: str) -> set[str]:
        return {run.account_name(slot.account_id) for slot in SlotFilter(text, known).among(run.slots)}

    assert accounts("account:test-account-1") == {"test-account-1"}
    assert accounts("account:account-1") == {f"test-account-{number}" for number in (1, 10, 11, 12)}


def test_an_open_order_has_no_verdict_yet(state: SimulationState) -> None:
    state.slots[0].open = 1
    assert 0 not in matched(state, "verdict:matched")
    assert matched(state, "is:open") == [0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("state:faild", "no state is called faild: pending, inprogress, completed, failed, skipped"),
        ("side:buy", "no side is called buy: bid, ask"),
        ("verdict:good", "no verdict is called good: matched, partly, by_another, unmatched"),
        ("account:zed", "no account's name contains zed"),
        ("market:DOGE", "no market's name contains doge: C0-USD, C1-USD"),
        ("is:late", "no slot is late: retried (more than one attempt was made)"),
        (
            "colour:red",
            "no field is called colour: state, account, market, side, verdict, is, error, order; in quotes it is text",
        ),
    ],
)
def test_what_means_nothing_is_refused_with_what_would_be_right(state: SimulationState, text: str, words: str) -> None:
    with pytest.raises(FilterError) as refused:
        matched(state, text)
    assert str(refused.value).startswith(words)


def test_a_term_that_is_still_being_typed_matches_all() -> None:
    for text in ("state:", "-", "account:", '"', 'account:"', "-state:"):
        assert read(text) == []


def test_quotes_hold_a_name_together() -> None:
    assert read('account:"a ""b"" c" x "y z') == [
        Term("account", 'a "b" c'),
        Term("", "x"),
        Term("", "y z"),
    ]


@given(st.text(min_size=1, max_size=30).map(name).filter(str.strip))
def test_a_term_made_of_a_name_reads_as_that_name(called: str) -> None:
    assert read(f"x {term('account', called)} y")[1:2] == [Term("account", name(called).casefold())]


def test_a_term_is_toggled_and_takes_the_place_of_its_field() -> None:
    assert toggled("", "state:failed") == "state:failed"
    assert toggled("btc state:failed", "state:failed") == "btc"
    assert toggled("state:failed btc", 'account:"a b"') == 'state:failed btc account:"a b"'
    assert toggled('account:"a b" btc', "account:c") == "btc account:c"


def test_fields_states_accounts_and_markets_are_suggested(state: SimulationState) -> None:
    known = names_of(state.plan)
    assert suggestion("sta", known) == "state:"
    assert suggestion("btc state:fa", known) == "btc state:failed"
    assert suggestion("state:failed,sk", known) == "state:failed,skipped"
    assert suggestion("market:c1", known) == "market:c1-USD"
    assert suggestion('market:"c1', known) == 'market:"c1-USD"'
    assert suggestion("is:r", known) == "is:retried"
    for text in ("", "state:failed ", "state:", "zzz", "state:failed"):
        assert suggestion(text, known) is None


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_are_found_by_what_is_shown_of_them(tmp_path: Path, kind: str) -> None:
    text = HOSTILE[kind]
    run = simulation(tmp_path, save=False, accounts={"list": [{"name": f"{number}{text}"} for number in range(4)]})
    slot = run.slots[0]
    shown = name(run.account_name(slot.account_id))
    found = SlotFilter(term("account", shown), Names(run)).among(run.slots)
    assert found == [each for each in run.slots if each.account_id == slot.account_id]


@given(st.text(max_size=40))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    state = a_state()
    with contextlib.suppress(FilterError):
        matched(state, text)
    suggestion(text, names_of(state.plan))


# In step with the run

TEXTS = (
    "state:pending",
    "state:inprogress",
    "state:failed",
    "-state:completed",
    "verdict:matched",
    "verdict:unmatched -state:skipped",
    "is:open",
    "is:retried",
    "away",
    "bid completed",
    "order:1",
    "account:a",
)


def plainly(state: SimulationState, text: str) -> list[int]:
    """What the filter should match, worked out slot by slot from what is shown."""

    def has(slot: ActionSlot, one: str) -> bool:
        verdict = settled_verdict(slot)
        assert verdict is (None if slot.open else slot.verdict)
        errors = [message(each.failure.message).casefold() for each in slot.attempts if each.failure is not None]
        order = str(slot.order_id) if slot.order_id is not None else ""
        field, _, value = one.rpartition(":")
        match field:
            case "state":
                return slot.state.value.casefold().startswith(value)
            case "verdict":
                return verdict is not None and verdict.value.startswith(value)
            case "account":
                return slot.account_id == value
            case "order":
                return value in order
            case "is":
                return bool(slot.open) if value == "open" else len(slot.attempts) > 1
        fields = (slot.account_id, slot.action.market.symbol, slot.action.side.word, slot.state.value, verdict or "", order)
        return any(value in each.casefold() for each in (*fields, *errors))

    return [
        slot.sequence
        for slot in state.slots
        if all(not has(slot, one[1:]) if one.startswith("-") else has(slot, one) for one in text.split())
    ]


@st.composite
def happenings(draw: st.DrawFn) -> list[tuple[str, int]]:
    """What happens in a run, to which slot; what is not possible at the time is left out when it is played."""
    kinds = st.sampled_from(["begin", "fail", "accept", "trade", "cancel", "continue", "skip", "quit", "again"])
    return draw(st.lists(st.tuples(kinds, st.integers(0, 23)), max_size=60))


def happen(state: SimulationState, what: str, sequence: int) -> None:
    """Do one thing, as the engine does it: the slot moves, and the journal says so when it is over."""
    slot, partner = state.slots[sequence], state.slots[sequence ^ 1]
    under_way = slot.last_attempt is not None and not slot.last_attempt.ended
    others = [each for each in state.slots if each.state is SlotState.IN_PROGRESS and each is not slot]
    match what:
        case "begin" if slot.state is SlotState.PENDING and not others and sequence == state.current_slot_index:
            slot.begin(1)
        case "fail" if under_way:
            slot.fail_attempt(TRANSIENT, 2)
            state.journal.extend(slot.attempts[-1:])
        case "accept" if under_way:
            slot.complete(1000 + sequence, 2)
            slot.open = slot.action.quantity
            state.journal.extend(slot.attempts[-1:])
        case "trade" if slot.open and partner.open:
            execution = Execution(partner.sequence, sequence, 1, min(slot.open, partner.open), 0, 0, 3)
            slot.fill(execution)
            partner.fill(execution)
            state.journal.append(execution)
        case "cancel" if slot.open:
            state.journal.append(Cancel(sequence, slot.open, 4))
            slot.open = 0
        case "continue" | "skip" | "quit" if slot.state is SlotState.IN_PROGRESS and not under_way:
            decision = Decision(sequence, slot.attempt_count, RecoveryAction(what), "person", 5)
            slot.decide(decision)
            state.journal.append(decision)
        case "again" if slot.state is SlotState.FAILED and not others:
            slot.begin(6)


@settings(max_examples=60)
@given(happenings(), st.sampled_from(TEXTS), st.data())
def test_the_filter_keeps_equal_to_a_plain_look_at_every_slot(
    happened: list[tuple[str, int]], text: str, data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching_slots, "_SHIFT", 2)
        patch.setattr(matching_slots, "BLOCK", 4)
        patch.setattr(matching_slots, "_MOST_EVENTS", 6)
        state = a_state()
        matching = MatchingSlots(state, SlotFilter(text, names_of(state.plan)))
        for what, sequence in happened:
            happen(state, what, sequence)
            state.update_stats()
            if data.draw(st.booleans()):
                matching.look()
                assert matching.work(10)
                expected = plainly(state, text)
                assert [matching[place].sequence for place in range(len(matching))] == expected
                assert [matching.place_of(each) for each in expected] == list(range(len(expected)))


def test_a_million_slots_are_looked_at_a_slice_at_a_time() -> None:
    slots = schedule(4, 5000, 2)
    state = a_state(slots)
    matching = MatchingSlots(state, SlotFilter("state:pending", names_of(state.plan)), around=10_000)
    assert not matching.work(0)
    assert 0 < len(matching) <= matching_slots.BLOCK
    assert not matching.complete
    assert matching[0].sequence >> 12 == 10_000 >> 12  # what is near comes first
    while not matching.work(0):
        pass
    assert len(matching) == len(slots)


def test_only_the_blocks_of_slots_that_changed_are_looked_at_again() -> None:
    asked: list[int] = []

    state = a_state(schedule(4, 5000, 2))
    chosen = SlotFilter("state:failed", names_of(state.plan))
    plain = chosen.among

    def counted(slots: Iterable[ActionSlot]) -> list[ActionSlot]:
        block = list(slots)
        asked.append(block[0].sequence)
        return plain(block)

    chosen.among = counted  # type: ignore[method-assign]
    matching = MatchingSlots(state, chosen)
    assert matching.work(10)
    asked.clear()
    fail(state, 9000)
    matching.look()
    assert matching.work(10)
    assert asked == [8192]
    matching.look()
    assert matching.complete
    assert [matching[0].sequence] == [9000]


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_failed_slots_are_found_one_after_another_and_round_the_end(backwards: bool) -> None:
    state = a_state()
    failed = [3, 4, 17]
    for sequence in failed:
        fail(state, sequence)
    here, found = 4, []
    for _ in range(4):
        slot = next(filter(None, failed_from(state.slots, here, None, backwards=backwards)))
        here = slot.sequence
        found.append(here)
    assert found == ([3, 17, 4, 3] if backwards else [17, 3, 4, 17])


def test_where_no_slot_has_failed_none_is_found() -> None:
    state = a_state()
    assert not any(failed_from(state.slots, 5, None, backwards=False))
    assert not any(failed_from(state.slots, 5, None, backwards=True))


def test_failed_slots_are_found_among_those_that_match(state: SimulationState) -> None:
    fail(state, 20)
    chosen = SlotFilter("is:retried", names_of(state.plan))
    found = list(itertools.islice(filter(None, failed_from(state.slots, 10, chosen, backwards=False)), 1))
    assert [slot.sequence for slot in found] == [2]


def test_a_filter_is_of_the_simulations_names(tmp_path: Path) -> None:
    run: Simulation = simulation(tmp_path, save=False)
    assert set(Names(run).shown_accounts.values()) == {f"test-account-{number}" for number in range(1, 5)}
