"""What a draft is changed by in dialogs: which markets and accounts, amounts of single slots; and saving and loading it."""

from orderbook_tui.engine.drafting import ConfigDraft
from orderbook_tui.engine.trust import Origin
from orderbook_tui.tui.figures import message
from orderbook_tui.tui.screens.base import RunScreen
from orderbook_tui.tui.widgets.draft_outcome import DraftOutcome


class DraftDialogs(RunScreen):
    """A screen that has a draft. Each of its actions opens a dialog, and takes what was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.draft = ConfigDraft.new()
        self.origin = Origin.draft(None)
        """Where the draft was taken from: to save it in a file of one's own does not make what it says one's own."""
        self.problems: dict[str, list[str]] = {}
        """What is wrong with the draft, by field."""

    def take(self, draft: ConfigDraft) -> None:
        """Edit another draft."""
        self.draft, self.origin = draft, Origin.draft(draft.path)
        self.changed()

    def changed(self) -> None:
        """Show the draft as it is now."""
        raise NotImplementedError

    def show_part(self, part: str) -> None:
        """Go to a part of the screen."""
        raise NotImplementedError

    @property
    def outcome(self) -> DraftOutcome:
        """What the draft leads to."""
        return self.query_one(DraftOutcome)

    def action_choose_markets(self) -> None:
        from orderbook_tui.tui.screens.choose import ChooseScreen

        choices = [(symbol, symbol, chosen) for symbol, chosen in self.draft.choices_of_markets()]
        self.app.push_screen(ChooseScreen("Markets that are traded", choices), self._choose_markets)

    def _choose_markets(self, changes: dict[str, bool] | None) -> None:
        for symbol, chosen in (changes or {}).items():
            self.draft.choose_market(symbol, chosen)
        if changes:
            self.changed()

    def action_choose_accounts(self) -> None:
        from orderbook_tui.tui.screens.choose import ChooseScreen

        choices = self.draft.choices_of_accounts()
        self.app.push_screen(ChooseScreen("Accounts that take part", choices), self._choose_accounts)

    def _choose_accounts(self, changes: dict[str, bool] | None) -> None:
        if changes:
            self.draft.choose_accounts(changes)
            self.changed()

    def action_choose_slot(self) -> None:
        """List the slots that have amounts of their own."""
        from orderbook_tui.tui.screens.own_amounts import OverridesScreen

        def chosen(slot: int | None) -> None:
            if slot is not None:
                self.give_amounts(slot)

        if self.draft.overrides:
            self.app.push_screen(OverridesScreen(self.draft, self.changed), chosen)
        else:
            self.show_part("slots")

    def give_amounts(self, slot: int) -> None:
        """Ask for the amounts of one slot."""
        from orderbook_tui.tui.screens.own_amounts import OwnAmountsScreen

        preview = self.outcome.preview
        if self.outcome.is_stale or self.problems:
            return
        made = preview.slots if preview is not None else []
        if preview is not None and slot < len(made):
            self.app.push_screen(
                OwnAmountsScreen(self.draft, made[slot], preview.names), lambda given: self.changed() if given else None
            )
        else:
            self.run_app.complain(f"slot {slot:,} is not planned: there are {len(made):,}")

    def action_save(self) -> None:
        from orderbook_tui.tui.screens.save_config import SaveConfigScreen

        def saved(done: bool | None) -> None:
            if done and self.draft.path is not None:
                self.changed()
                self.notify(message(str(self.draft.path)), title="Saved", markup=False)

        self.app.push_screen(SaveConfigScreen(self.draft), saved)

    def action_load(self) -> None:
        from orderbook_tui.tui.screens.open_config import OpenConfigScreen

        def loaded(draft: ConfigDraft | None) -> None:
            if draft is not None:
                self.take(draft)

        where = self.draft.path.parent if self.draft.path is not None else self.draft.folder
        self.app.push_screen(OpenConfigScreen(where, unsaved=self.draft.is_changed), loaded)
