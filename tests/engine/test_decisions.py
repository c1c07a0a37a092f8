"""Deciders: policies, and the question at the terminal."""

import sys
from collections.abc import Iterator

import anyio
import pytest

from orderbook_tui.core.journal import Failure, RecoveryAction
from orderbook_tui.engine.decisions import PolicyDecider, Question, TerminalDecider, terminal_or_quit
from orderbook_tui.errors import FailureKind
from tests.builders import PERMANENT, a_slot

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
