"""Schedule: a config as a form, and what it would lead to: its slots, its totals, what it asks of each budget.

form --set--> ConfigDraft --show--> DraftOutcome: totals, slots, needs
start: draft --> Simulation --> the app opens it
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from orderbook_tui.engine.drafting import ConfigDraft, Fitting
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.errors import ConfigError, OrderbookTuiError
from orderbook_tui.tui.figures import message, name
from orderbook_tui.tui.key_order import act_now, pass_on
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.screens.draft_dialogs import DraftDialogs
from orderbook_tui.tui.screens.draft_form import ACCOUNTS, ADD_BUDGET, MARKETS, OVERRIDES, by_field, lines_of
from orderbook_tui.tui.slices import in_slices
from orderbook_tui.tui.widgets.config_form import ConfigForm
from orderbook_tui.tui.widgets.cursor_list import CursorList
from orderbook_tui.tui.widgets.draft_line import DraftLine
from orderbook_tui.tui.widgets.draft_outcome import DraftOutcome
from orderbook_tui.tui.widgets.field_editor import FieldEditor
from orderbook_tui.tui.widgets.form_lines import FormLines
from orderbook_tui.tui.widgets.form_rows import budget_index
from orderbook_tui.tui.widgets.needs_table import NeedsTable
from orderbook_tui.tui.widgets.preview_table import PreviewTable

_PARTS: Final = {"form": "Form", "slots": "Slots", "needs": "Needs"}
_SOUND_ONLY: Final = ("save", "fit", "start")
"""What is done with a draft that has no problems."""


class ScheduleScreen(DraftDialogs):
    """Builds a run: a draft of a config, edited field by field."""

    NAME = "Schedule"
    CSS_PATH = "schedule.tcss"
    FOCUSED_KEYS_FIRST = True
    HELP_TEXT = (
        "Here a run is built. The form holds a draft: the config of the run that is open, one that you load, or a new one. "
        "What is wrong with a field is said below it, in the words that a config file would get. Beside it stand the slots "
        "that the draft would make, what it trades on each market, and what it asks of each budget; a budget that is not "
        "enough names the first slot that will not fit, and one key lowers the amounts until all fit. Enter on a slot gives "
        "it amounts of its own. Nothing runs yet: what you start is shown on Slots, and space runs it there. A draft stays "
        "as you left it when you look at another screen."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e,enter", "edit", "Edit", id="schedule.edit", tooltip="edit the fields of the form"),
        Binding("f9", "start", "Start this", id="schedule.start", tooltip="make a run of this draft, and show its slots"),
        Binding("f6", "fit", "Fit", id="schedule.fit", tooltip="lower the amounts until every slot fits its budget"),
        Binding("f7", "next_part", "Next part", id="schedule.next_part", tooltip="go on to the form, the slots, the needs"),
        Binding("ctrl+s", "save", "Save", id="schedule.save", tooltip="save the draft as a config file"),
        Binding("ctrl+o", "load", "Load", id="schedule.load", tooltip="load another config file"),
        Binding("m", "choose_markets", "Markets", id="schedule.markets", tooltip="choose the markets that are traded"),
        Binding("a", "choose_accounts", "Accounts", id="schedule.accounts", tooltip="choose the accounts that take part"),
        Binding("b", "add_budget", "Add budget", id="schedule.add_budget", tooltip="add a budget to the form"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.part = "form"
        """Where one is, and what is shown where there is room for one part only."""
        self._refused: dict[str, str] = {}
        """What is wrong with the schedule that the draft makes, by path: nobody knows before it is made."""
        self.busy = ""
        """What is being done with the draft, in a word."""

    def body(self) -> ComposeResult:
        yield DraftLine(_PARTS, self.HORIZONTAL_BREAKPOINTS[1][0], id="draft")
        with Horizontal(id="parts"):
            yield ConfigForm(id="form")
            yield DraftOutcome(self._is_running, id="outcome")

    def on_mount(self) -> None:
        self.query_one(ConfigForm).border_title = "Config"
        self.add_class("-form")
        simulation = self.simulation
        self.take(self._draft_of(simulation) if simulation is not None else self.draft)
        super().pulse()

    def on_screen_resume(self) -> None:
        self.pulse()
        self._say()
        self.outcome.go_on()

    def on_screen_suspend(self) -> None:
        self.outcome.stop()
        if not isinstance(self.app.screen, DialogScreen):
            self.query_one(ConfigForm).end_editing()

    # The draft

    @property
    def problem_count(self) -> int:
        return sum(map(len, self.problems.values())) + len(self._refused)

    def show_simulation(self) -> None:
        """Show the config of the app's simulation, unless the draft has changes that are not saved."""
        super().show_simulation()
        simulation = self.simulation
        if simulation is not None and not self.draft.is_changed and not self._is_of(simulation):
            self.take(self._draft_of(simulation))
        self._say()

    def changed(self, *, typed: bool = False) -> None:
        """Show the draft as it is now, and plan it once it rests."""
        self.workers.cancel_group(self, "fit")
        self._refused = {}
        self._show_form(typed=typed)
        self.outcome.show(self.draft, self.problem_count)
        self._say()
        self.refresh_bindings()

    def _show_form(self, *, typed: bool = False) -> None:
        draft, fields = self.draft, lines_of(self.draft)
        self.problems = by_field(draft, fields, draft.problems())
        shown = {path: list(words) for path, words in self.problems.items()}
        for path, words in by_field(draft, fields, self._refused).items():
            shown.setdefault(path, []).extend(words)
        self.query_one(ConfigForm).show(fields, shown, typed=typed)

    def _draft_of(self, simulation: Simulation) -> ConfigDraft:
        path = self.run_app.config_path
        return ConfigDraft.of(simulation.config, path.parent if path is not None else Path(), path)

    def _is_of(self, simulation: Simulation) -> bool:
        return not self.problems and self.draft.config() == simulation.config

    def _say(self) -> None:
        """Say on one line how the draft stands."""
        draft, simulation = self.draft, self.simulation
        called = name(draft.path.name) if draft.path is not None else "new draft" if simulation is None else "draft"
        facts = [(self.busy, False)] if self.busy else []
        if count := self.problem_count:
            facts.append((f"{count:,} problem{'s' if count != 1 else ''}", True))
        else:
            facts.append(("no problems", False))
        if refused := self.outcome.refused_slots:
            facts.append((f"{refused:,} slot{'s' if refused != 1 else ''} would not pass", True))
        if draft.is_changed:
            facts.append(("not saved", False))
        if simulation is not None and not self._is_of(simulation):
            facts.append(("differs from the open run", False))
        self.query_one(DraftLine).show(called, facts, self.part)

    def _is_running(self) -> bool:
        return self.simulation is not None and self.simulation.status is RunStatus.RUNNING

    def on_draft_outcome_refused(self, event: DraftOutcome.Refused) -> None:
        self._refuse(event.problems)

    def on_draft_outcome_planned(self) -> None:
        self._say()

    def _refuse(self, problems: dict[str, str]) -> None:
        """Say at their fields what is wrong with the schedule."""
        self._refused = problems
        self._show_form(typed=True)
        self._say()

    # What is typed and chosen

    def on_field_editor_edited(self, event: FieldEditor.Edited) -> None:
        self.draft.set(event.path, event.text)
        self.changed(typed=True)

    def on_form_lines_picked(self, event: FormLines.Picked) -> None:
        self.draft.set(event.path, event.text)
        self.changed()

    def on_form_lines_wanted(self, event: FormLines.Wanted) -> None:
        index = budget_index(event.path)
        match event.what, event.path:
            case "reset", path:
                self.draft.reset(path)
                self.changed()
            case "remove", _ if index is not None:
                self.draft.remove_budget(index)
                self.changed()
            case "open", path:
                {
                    ACCOUNTS: self.action_choose_accounts,
                    MARKETS: self.action_choose_markets,
                    OVERRIDES: self.action_choose_slot,
                    ADD_BUDGET: self.action_add_budget,
                }[path]()

    def on_cursor_list_chosen(self, event: CursorList.Chosen) -> None:
        if isinstance(event.of, PreviewTable) and event.of.slot is not None:
            self.give_amounts(event.of.slot.sequence)

    def on_draft_line_went(self, event: DraftLine.Went) -> None:
        self.show_part(event.part)

    # Keys

    async def _on_key(self, event: events.Key) -> None:
        if self.focused is None:
            await act_now(self, event)
        else:
            pass_on(self, event)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _SOUND_ONLY:
            return None if self.problems or self.busy else True
        return super().check_action(action, parameters)

    def action_edit(self) -> None:
        self._mark_part("form")
        self.query_one(ConfigForm).edit()

    def action_next_part(self) -> None:
        parts = list(_PARTS)
        self.show_part(parts[(parts.index(self._focused_part()) + 1) % len(parts)])

    def _focused_part(self) -> str:
        if self.has_class("-narrow") or self.focused is None:
            return self.part
        for part, widget in (("form", ConfigForm), ("slots", PreviewTable), ("needs", NeedsTable)):
            if self.query_one(widget) in self.focused.ancestors_with_self:
                return part
        return self.part

    def _mark_part(self, part: str) -> None:
        for other in _PARTS:
            self.set_class(other == part, f"-{other}")
        self.part = part
        self._say()

    def show_part(self, part: str) -> None:
        self._mark_part(part)
        match part:
            case "form":
                self.query_one(ConfigForm).focus_lines()
            case "slots":
                self.query_one(PreviewTable).focus()
            case "needs":
                self.query_one(NeedsTable).focus()

    def action_add_budget(self) -> None:
        self.draft.add_budget()
        self.changed()
        added = [path for path in (field.path for field in self.draft.fields()) if budget_index(path) is not None]
        self._mark_part("form")
        self.query_one(ConfigForm).edit(added[-3])

    def action_fit(self) -> None:
        if not self.problems and not self.busy:
            self._fit()

    @work(exclusive=True, group="fit")
    async def _fit(self) -> None:
        self._do("fitting …")
        try:
            fitting = await self._fitting(self.draft)
            await in_slices(fitting, self.pulse, busy=self._is_running)
            words = fitting.words
        except OrderbookTuiError as error:
            self.run_app.complain(str(error))
        else:
            self.notify(message(words), title="Amounts and budgets", markup=False, timeout=10)
            self.call_later(self.changed)
        finally:
            self._do("")

    async def _fitting(self, draft: ConfigDraft) -> Fitting:
        """Begin a fitting; one that may have to read a database does so beside the screen."""
        return await asyncio.to_thread(draft.fitting) if draft.config().database is not None else draft.fitting()

    def action_start(self) -> None:
        if not self.problems and not self.busy:
            self._start()

    @work(exclusive=True, group="start")
    async def _start(self) -> None:
        draft = self.draft
        self._do("planning the run …")
        try:
            simulation = await self.run_app.code.asked(partial(self._planned, draft))
        except ConfigError as error:
            self._refuse(dict(error.problems))
            self.run_app.complain(str(error), title="This cannot be run")
        else:
            self.run_app.open_simulation(simulation, draft.path)
        finally:
            self._do("")

    async def _planned(self, draft: ConfigDraft) -> Simulation:
        return await asyncio.to_thread(
            Simulation.create,
            draft.config(),
            folder=draft.folder,
            state_dir=self.run_app.state_dir,
            check_code=self.run_app.code.check(self.origin),
        )

    def _do(self, what: str) -> None:
        self.busy = what
        self._say()
        self.refresh_bindings()
