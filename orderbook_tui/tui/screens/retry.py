"""The dialog that opens when a slot's retries are spent: everything one needs to decide, and the four choices."""

import asyncio
from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.decisions import Question
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import FailureKind
from orderbook_tui.tui.figures import message, name, number
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.theme import Inks, inks
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.slot_details import attempt_line, labelled, order_in_full
from orderbook_tui.tui.widgets.status_strip import StatusStrip
from orderbook_tui.tui.widgets.text_lines import TextLines

_CHOICES: Final = {
    RecoveryAction.RETRY: "one more attempt now; if it fails, you are asked again",
    RecoveryAction.SKIP: "give this slot up; the run goes on with the next",
    RecoveryAction.CONTINUE: "the slot stays Failed and may be revisited; the run goes on",
    RecoveryAction.QUIT: "save and leave; on resume this slot is tried again",
}
_KINDS: Final = {
    FailureKind.TRANSIENT: "transient: the same order may pass later",
    FailureKind.PERMANENT: "permanent: the order cannot pass as it stands",
    FailureKind.UNKNOWN: "unknown: the order may exist at the venue",
}

_AROUND: Final = 10
"""Lines of the strip, the key bar, the dialog's border, the choices with their rule, and the rule of the attempts."""


class RetryScreen(DialogScreen[None]):
    """Sets `answer`, once, to what was chosen. Whoever waits for that takes the screen away."""

    CSS_PATH = "retry.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "answer('retry')", "Retry", id="decide.retry", tooltip=_CHOICES[RecoveryAction.RETRY]),
        Binding("s", "answer('skip')", "Skip", id="decide.skip", tooltip=_CHOICES[RecoveryAction.SKIP]),
        Binding("c", "answer('continue')", "Continue", id="decide.continue", tooltip=_CHOICES[RecoveryAction.CONTINUE]),
        Binding("q", "answer('quit')", "Quit", id="decide.quit", tooltip=_CHOICES[RecoveryAction.QUIT]),
        Binding("escape", "stay", "Stay", show=False, id="decide.stay", tooltip="nothing is decided by leaving"),
    ]

    def __init__(self, simulation: Simulation, question: Question, answer: "asyncio.Future[RecoveryAction]") -> None:
        super().__init__()
        self.question = question
        self._simulation, self._answer = simulation, answer

    def compose(self) -> ComposeResult:
        ink = inks(self.app)
        yield StatusStrip()
        with Vertical(id="dialog"):
            yield TextLines(self._facts(ink), id="facts", focusable=False)
            attempts = TextLines(
                [attempt_line(attempt, ink) for attempt in self.question.slot.attempts[-200:]],
                id="attempts",
                one_line_each=True,
            )
            attempts.border_title = f"Attempts ({self.question.slot.attempt_count})"
            yield attempts
            yield OptionList(
                *(
                    Option(
                        Text()
                        .append(f" {action.value[0]} ", ink.accent)
                        .append(f"{action.value.title():<9} ", ink.strong)
                        .append(what, ink.plain),
                        id=action.value,
                    )
                    for action, what in _CHOICES.items()
                ),
                id="choices",
            )
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = f"Slot {self.question.slot.sequence} keeps failing: what now?"
        self.query_one("#attempts", TextLines).scroll_end(animate=False)
        self.pulse()

    def on_resize(self) -> None:
        # The choices are never cut; the facts come before the list of attempts.
        room = self.size.height - _AROUND
        facts, attempts = self.query_one("#facts", TextLines), self.query_one("#attempts", TextLines)
        facts.styles.max_height = max(room - 3, 3)
        wanted = facts.get_content_height(self.size, self.size, min(self.size.width, 104) - 5)
        attempts.styles.max_height = max(room - min(wanted, room - 3), 2)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.action_answer(str(event.option_id))

    def action_answer(self, choice: str) -> None:
        if not self._answer.done():
            self._answer.set_result(RecoveryAction(choice))

    def action_stay(self) -> None:
        self.app.notify("The run waits for your choice: r, s, c or q.", markup=False, timeout=3)

    def _facts(self, ink: Inks) -> list[Text]:
        question = self.question
        failure = question.failure
        lines = order_in_full(self._simulation, question.slot, ink)
        error = Text()
        error.append(f"{name(failure.code)} ", ink.bad).append(message(failure.message), ink.plain)
        lines += [Text(""), error, Text(_KINDS[failure.kind], ink.muted)]
        if question.needed is not None and question.available is not None:
            asset = name(question.asset)
            short = question.available < question.needed
            budget = labelled("budget needed", f"{number(question.needed, 2)} {asset}", ink)
            budget += labelled(", available", f"{number(question.available, 2)} {asset}", ink, ink.bad if short else ink.good)
            budget.append(": not enough" if short else ": enough", ink.bad if short else ink.muted)
            lines.append(budget)
        return lines
