"""The dialog that opens when a slot's retries are spent: everything one needs to decide, and the four choices."""

import asyncio
import math
from time import monotonic
from typing import ClassVar, Final

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.decisions import Question
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import FailureKind
from orderbook_tui.tui.consequences import consequences
from orderbook_tui.tui.figures import message, name, number
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.theme import Inks, inks
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.slot_details import attempt_line, labelled, order_in_full
from orderbook_tui.tui.widgets.status_strip import StatusStrip
from orderbook_tui.tui.widgets.text_lines import TextLines

_KINDS: Final = {
    FailureKind.TRANSIENT: "transient: the same order may pass later",
    FailureKind.PERMANENT: "permanent: the order cannot pass as it stands",
    FailureKind.UNKNOWN: "unknown: the order may exist at the venue",
}

_AROUND: Final = 11
"""Lines of the strip, the key bar, the dialog's border, the choices with their rule and the line below, and the rule of the
attempts."""
_STRAY_S: Final = 0.4
"""A key that comes so soon after another one was meant for what was there before."""
_STANDING: Final = (RecoveryAction.SKIP, RecoveryAction.CONTINUE, RecoveryAction.RETRY)
"""What may be done for all errors of a kind; a retry, once for each slot."""


class RetryScreen(DialogScreen[None]):
    """Sets `answer`, once, to what was chosen. Whoever waits for that takes the screen away."""

    CSS_PATH = "retry.tcss"
    NAME = "A slot keeps failing"
    AUTO_FOCUS = "OptionList"
    HELP_TEXT = (
        "The retries of this slot are spent, and the run waits until you say what becomes of it. A transient error may pass "
        "by itself; a permanent one comes again as long as order, budget or market are what they are; with an unknown one "
        "the order may exist at the venue, and what it needs stays locked: a venue that can be asked is asked before anything "
        "is placed again, and with one that cannot the dialog says what Retry risks. The slots of a pair must cross: "
        "what your answer does to the partner stands beside each choice. With the same for all, such errors are answered "
        "without asking until the run ends; a Retry that is to hold for all is tried once on each slot."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "answer('retry')", "Retry", id="decide.retry", tooltip="one more attempt now"),
        Binding("s", "answer('skip')", "Skip", id="decide.skip", tooltip="give this slot up, and go on"),
        Binding("c", "answer('continue')", "Continue", id="decide.continue", tooltip="leave it Failed, and go on"),
        Binding("q", "answer('quit')", "Quit", id="decide.quit", tooltip="save and leave"),
        Binding("a", "same", "Same for all", id="decide.same", tooltip="do the same for this kind of error from now on"),
        Binding("question_mark", "help", "Help", key_display="?", id="decide.help", tooltip="what the choices mean"),
        Binding("escape", "put_off", "Later", id="decide.put_off", tooltip="back to the run, paused; nothing is decided"),
    ]

    same: reactive[bool] = reactive(default=False)
    """Whether the answer is to hold for this kind of error for the rest of the run."""

    def __init__(
        self,
        simulation: Simulation,
        question: Question,
        answer: "asyncio.Future[RecoveryAction]",
        *,
        stray_key_at: float = -math.inf,
    ) -> None:
        super().__init__()
        self.question = question
        self._simulation, self._answer = simulation, answer
        now = monotonic()
        self._deaf_until = now + _STRAY_S if now - stray_key_at < _STRAY_S else 0.0

    def compose(self) -> ComposeResult:
        ink = inks(self.app)
        yield StatusStrip()
        with Vertical(id="dialog"):
            yield TextLines(self._facts(ink), id="facts")
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
                        Text(no_wrap=True, overflow="ellipsis")
                        .append(f" {action.value[0]} ", ink.accent)
                        .append(f"{action.value.title():<9} ", ink.strong)
                        .append(what, ink.plain),
                        id=action.value,
                    )
                    for action, what in consequences(self._simulation, self.question).items()
                ),
                id="choices",
            )
            yield Static("", id="same", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = f"Slot {self.question.slot.sequence} keeps failing: what now?"
        self._share_out()  # before the first frame, so that nothing moves under the mouse
        self.query_one("#attempts", TextLines).scroll_end(animate=False)
        self.pulse()

    def on_resize(self) -> None:
        self._share_out()

    def _share_out(self) -> None:
        """Give facts and attempts the lines that there are."""
        # The choices are never cut; the facts come before the list of attempts.
        room = self.app.size.height - _AROUND
        facts, attempts = self.query_one("#facts", TextLines), self.query_one("#attempts", TextLines)
        facts.styles.max_height = max(room - 3, 3)
        wanted = facts.get_content_height(self.app.size, self.app.size, min(self.app.size.width, 104) - 5)
        attempts.styles.max_height = max(room - min(wanted, room - 3), 2)

    def on_key(self) -> None:
        if monotonic() < self._deaf_until:
            self._deaf_until = monotonic() + _STRAY_S

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Whoever was typing when the dialog came has not answered it: its keys act once there has been a moment of rest.
        return None if action in ("answer", "same") and monotonic() < self._deaf_until else True

    def pulse(self) -> None:
        super().pulse()
        if 0 < self._deaf_until <= monotonic():
            self._deaf_until = 0.0
            self.refresh_bindings()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if monotonic() >= self._deaf_until:
            self.action_answer(str(event.option_id))

    def action_answer(self, choice: str) -> None:
        if self._answer.done():
            return
        action = RecoveryAction(choice)
        if self.same and action in _STANDING:
            self.run_app.decider.remember(self.question.failure.code, action)
        self._answer.set_result(action)

    def action_same(self) -> None:
        self.same = not self.same

    def watch_same(self, same: bool) -> None:
        box, code = "x" if same else " ", name(self.question.failure.code, 30)
        self.query_one("#same", Static).update(f" a [{box}] and the same for every {code} error for the rest of this run")

    def on_click(self, event: events.Click) -> None:
        if event.widget is not None and event.widget.id == "same":
            self.action_same()

    def action_put_off(self) -> None:
        self.run_app.asker.put_off()

    def _facts(self, ink: Inks) -> list[Text]:
        question = self.question
        failure = question.failure
        lines = order_in_full(self._simulation, question.slot, ink)
        lines += [Text(""), Text(_KINDS[failure.kind], ink.muted)]
        if question.needed is not None and question.available is not None:
            asset = name(question.asset)
            short = question.available < question.needed
            budget = labelled("budget needed", f"{number(question.needed, 2)} {asset}", ink)
            budget += labelled(", available", f"{number(question.available, 2)} {asset}", ink, ink.bad if short else ink.good)
            budget.append(": not enough" if short else ": enough", ink.bad if short else ink.muted)
            if failure.code == "budget" and not short:
                budget.append("; what is short is the partner's", ink.bad)
            lines.append(budget)
        elif question.needed is not None:
            lines.append(labelled("locked for it", f"{number(question.needed, 2)} {name(question.asset)}", ink))
        if question.risk:
            lines.append(Text(question.risk, ink.bad))
        # Last, since it may be long: what is above stays in view, and the rest of it can be scrolled to.
        lines.append(Text().append(f"{name(failure.code)} ", ink.bad).append(message(failure.message), ink.plain))
        return lines
