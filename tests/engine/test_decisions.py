"""Deciders: policies, and the question at the terminal."""

import sys
from collections.abc import Iterator

import anyio
import pytest

from orderbook_tui.core.journal import Failure, RecoveryAction
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.decisions import PolicyDecider, Question, StandingAnswers, TerminalDecider, terminal_or_quit
from orderbook_tui.errors import FailureKind
from tests.builders import PERMANENT, a_slot
from tests.engine.runs import Scripted, faults, finished

QUESTION = Question(a_slot(), PERMANENT, "alice", "USD")


def answered(*lines: str) -> tuple[RecoveryAction, list[str]]:
    """What a person who types these lines decides, and what they were asked."""
    asked: list[str] = []
    typed: Iterator[str] = iter(lines)

    async def read(text: str) -> str:
        asked.append(text)
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    return anyio.run(TerminalDecider(read).decide, QUESTION), asked


@pytest.mark.parametrize("action", list(RecoveryAction))
def test_a_policy_gives_every_question_its_answer(action: RecoveryAction) -> None:
    assert anyio.run(PolicyDecider(action).decide, QUESTION) is action


@pytest.mark.parametrize(
    ("typed", "action"),
    [("r", RecoveryAction.RETRY), ("s", RecoveryAction.SKIP), ("c", RecoveryAction.CONTINUE), ("q", RecoveryAction.QUIT)],
)
def test_a_letter_is_an_answer(typed: str, action: RecoveryAction) -> None:
    assert answered(f"{typed}\n")[0] is action


@pytest.mark.parametrize("typed", ["RETRY\n", " r \n", "ret\n"])
def test_case_and_blanks_do_not_matter(typed: str) -> None:
    assert answered(typed)[0] is RecoveryAction.RETRY


@pytest.mark.parametrize("typed", ["\n", "x\n", "retryy\n", "?\n"])
def test_what_is_no_answer_is_asked_again(typed: str) -> None:
    action, asked = answered(typed, "s\n")

    assert (action, len(asked)) == (RecoveryAction.SKIP, 2)


def test_the_end_of_input_means_quit() -> None:
    assert answered()[0] is RecoveryAction.QUIT


def test_the_question_says_what_failed_and_why() -> None:
    text = answered("s\n")[1][0]

    assert "slot 0 of alice, Bid 10 BTC-USD, failed after 0 attempts: the venue said no" in text


def test_what_a_venue_said_does_not_reach_the_terminal_raw() -> None:
    hostile = Failure("x", FailureKind.PERMANENT, "\x1b]0;owned\x07\u202e")
    asked: list[str] = []

    async def read(text: str) -> str:
        asked.append(text)
        return "s"

    anyio.run(TerminalDecider(read).decide, Question(a_slot(), hostile, "\x1b[31m", "USD"))
    assert not {"\x1b", "\x07", "\u202e"} & set(asked[0])


def test_without_a_terminal_ask_means_quit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)

    assert anyio.run(terminal_or_quit().decide, QUESTION) is RecoveryAction.QUIT


# Standing answers

BUDGET = Failure("budget", FailureKind.PERMANENT, "not enough")


def about(slot: int, failure: Failure = BUDGET) -> Question:
    """A question about that slot."""
    return Question(ActionSlot(slot, "a", a_slot().action), failure, "alice", "USD")


def answers(decider: StandingAnswers, *questions: Question) -> list[tuple[RecoveryAction, str]]:
    """What is answered, and by whom."""

    async def ask_all() -> list[tuple[RecoveryAction, str]]:
        return [(await decider.decide(question), decider.by) for question in questions]

    return anyio.run(ask_all)


@pytest.mark.parametrize("action", [RecoveryAction.SKIP, RecoveryAction.CONTINUE])
def test_a_standing_answer_is_given_without_asking(action: RecoveryAction) -> None:
    decider = StandingAnswers(Scripted())
    decider.remember("budget", action)

    assert answers(decider, about(1), about(1), about(2)) == [(action, "person, for all budget errors")] * 3


def test_another_kind_of_error_is_asked_about() -> None:
    decider = StandingAnswers(Scripted(RecoveryAction.CONTINUE))
    decider.remember("budget", RecoveryAction.SKIP)

    assert answers(decider, about(1), about(2, PERMANENT)) == [
        (RecoveryAction.SKIP, "person, for all budget errors"),
        (RecoveryAction.CONTINUE, "person"),
    ]


def test_a_standing_retry_is_made_once_a_slot() -> None:
    asked = Scripted(RecoveryAction.SKIP)
    decider = StandingAnswers(asked)
    decider.remember("budget", RecoveryAction.RETRY)
    given = answers(decider, about(1), about(2), about(1))

    assert [action.value for action, _ in given] == ["retry", "retry", "skip"]
    assert asked.asked == [1]


def test_a_retry_that_was_made_standing_counts_for_its_slot() -> None:
    class RetriesFromNowOn(Scripted):
        async def decide(self, question: Question) -> RecoveryAction:
            decider.remember(question.failure.code, RecoveryAction.RETRY)
            return await super().decide(question)

    asked = RetriesFromNowOn(RecoveryAction.RETRY, RecoveryAction.SKIP)
    decider = StandingAnswers(asked)
    given = answers(decider, about(1), about(1), about(2))

    assert [by for _, by in given] == ["person", "person", "person, for all budget errors"]


def test_what_was_forgotten_is_asked_about() -> None:
    decider = StandingAnswers(Scripted(RecoveryAction.CONTINUE))
    decider.remember("budget", RecoveryAction.SKIP)
    decider.forget("budget")

    assert answers(decider, about(1)) == [(RecoveryAction.CONTINUE, "person")]


def test_standing_answers_can_be_looked_up() -> None:
    decider = StandingAnswers(Scripted())
    decider.remember("budget", RecoveryAction.SKIP)
    decider.remember("rejected", RecoveryAction.RETRY)
    decider.forget("unknown")

    assert decider.remembered == {"budget": RecoveryAction.SKIP, "rejected": RecoveryAction.RETRY}


def test_to_quit_is_no_standing_answer() -> None:
    with pytest.raises(ValueError, match="no standing answer"):
        StandingAnswers(Scripted()).remember("budget", RecoveryAction.QUIT)


def test_a_run_records_who_gave_each_answer() -> None:
    class SkipsFromNowOn(Scripted):
        async def decide(self, question: Question) -> RecoveryAction:
            decider.remember(question.failure.code, RecoveryAction.SKIP)
            return await super().decide(question)

    decider = StandingAnswers(SkipsFromNowOn(RecoveryAction.SKIP))
    simulation = finished(None, decider, venue=faults(outages=[{"from_slot": 3, "slots": 2, "attempts": 9}]))

    assert [slot.decisions[0].by for slot in simulation.slots[3:5]] == ["person", "person, for all unavailable errors"]
