"""Decisions: what happens to a slot when its retries are spent, and who says so."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Protocol

import anyio
import msgspec

from orderbook_tui.core.journal import Failure, RecoveryAction
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.words import harmless


class Question(msgspec.Struct, frozen=True):
    """What has to be decided: `slot` failed with `failure`. Amounts are in the asset that the order gives."""

    slot: ActionSlot
    failure: Failure
    account: str
    asset: str
    needed: Decimal | None = None
    available: Decimal | None = None
    """None where what is needed is locked already, for an order that may exist."""
    risk: str = ""
    """Where the order may exist: what Retry would risk, in words."""

    def in_words(self) -> str:
        """Say in one line what failed, and why."""
        slot, action = self.slot, self.slot.action
        order = f"{action.side.word} {action.market.quantity(action.quantity):f} {action.market.symbol}"
        tries = f"{slot.attempt_count} attempt{'s' if slot.attempt_count != 1 else ''}"
        risk = f"; {self.risk}" if self.risk else ""
        return f"slot {slot.sequence} of {self.account}, {order}, failed after {tries}: {self.failure.message}{risk}"


class Decider(Protocol):
    """Answers questions. `by` is recorded with each answer."""

    by: str

    async def decide(self, question: Question) -> RecoveryAction:
        """Return what to do; the slot stays InProgress, and nothing else moves, until then."""
        ...


class PolicyDecider:
    """Gives every question the same answer."""

    def __init__(self, action: RecoveryAction) -> None:
        self.by = "policy"
        self._action = action

    async def decide(self, question: Question) -> RecoveryAction:
        return self._action


class TerminalDecider:
    """Asks the person at the terminal, one letter an answer. The end of input means Quit."""

    def __init__(self, read: Callable[[str], Awaitable[str]] | None = None) -> None:
        self.by = "person"
        self._read = read or _read_line

    async def decide(self, question: Question) -> RecoveryAction:
        lead = f"\n{harmless(question.in_words())}\n"
        while True:
            try:
                answer = await self._read(lead + _CHOICES)
            except EOFError:
                return RecoveryAction.QUIT
            for action in RecoveryAction:
                if answer and action.value.startswith(answer.strip().lower() or "?"):
                    return action
            lead = ""


class StandingAnswers:
    """Asks `decider`, but for the kinds of error that a standing answer was given for.

    Skip and Continue answer every question of their kind. Retry does so once a slot: one that fails again is asked about.
    """

    def __init__(self, decider: Decider) -> None:
        self.by = decider.by
        """Who gave the last answer."""
        self._decider = decider
        self._answers: dict[str, RecoveryAction] = {}
        self._retried: set[int] = set()

    @property
    def remembered(self) -> Mapping[str, RecoveryAction]:
        """The standing answer for each code of a failure."""
        return MappingProxyType(self._answers)

    def remember(self, code: str, action: RecoveryAction) -> None:
        """Give this answer to every failure of that code from here on.

        Raises:
            ValueError: `action` is Quit, which is given once.
        """
        if action is RecoveryAction.QUIT:
            raise ValueError("to quit is no standing answer")
        self._answers[code] = action

    def forget(self, code: str) -> None:
        """Ask about failures of that code again."""
        self._answers.pop(code, None)

    def at_once(self, question: Question) -> RecoveryAction | None:
        """Return the standing answer; None where there is none."""
        code, slot = question.failure.code, question.slot.sequence
        answer = self._answers.get(code)
        if answer is None or (answer is RecoveryAction.RETRY and slot in self._retried):
            return None
        self.by = f"{self._decider.by}, for all {code} errors"
        if answer is RecoveryAction.RETRY:
            self._retried.add(slot)
        return answer

    async def decide(self, question: Question) -> RecoveryAction:
        """Return the standing answer, or the decider's."""
        answer = self.at_once(question)
        if answer is None:
            answer = await self._decider.decide(question)
            self.by = self._decider.by
            if answer is RecoveryAction.RETRY and question.failure.code in self._answers:
                # The standing answer was given with this one.
                self._retried.add(question.slot.sequence)
        return answer


_CHOICES = "[r]etry  [s]kip  [c]ontinue  [q]uit ? "


def decider_for(policy: str) -> Decider:
    """Return who decides under a policy (`processor.on_failure`): for `ask` whoever is at the terminal."""
    return terminal_or_quit() if policy == "ask" else PolicyDecider(RecoveryAction(policy))


def terminal_or_quit() -> Decider:
    """Return a decider that asks at the terminal, or quits where there is none to ask at."""
    return TerminalDecider() if sys.stdin.isatty() and sys.stderr.isatty() else PolicyDecider(RecoveryAction.QUIT)


async def _read_line(text: str) -> str:
    # The question goes to stderr, so that stdout stays free for results.
    sys.stderr.write(text)
    sys.stderr.flush()
    # Waiting here, not in a thread: a thread that reads would keep an interrupted program from ending.
    await anyio.wait_readable(sys.stdin)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
