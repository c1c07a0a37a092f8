"""A configuration that is being edited: what a file would say, key by key, and what is wrong with it so far.

    file or open run --> ConfigDraft --set, choose, override, fit--> preview --> file

The draft is the JSON tree itself, so only what somebody has said is in it, and every number as it was typed. What it is
good for is asked of the config loader, with the very text that would be saved.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.config.form import (
    ABSENT,
    BUDGETS,
    MATCH_WITH,
    STRATEGY,
    FormField,
    budget_rows,
    field_at,
    fields_of,
    typed,
)
from orderbook_tui.config.loading import config_in
from orderbook_tui.config.reading import read_bytes
from orderbook_tui.config.showing import Place, place_text
from orderbook_tui.config.universe import assets_of
from orderbook_tui.config.writing import Number, Tree, text_of, tree_of
from orderbook_tui.core.overrides import Override
from orderbook_tui.engine.draft_choices import AccountChoices, choices_of_markets, choose_market
from orderbook_tui.engine.draft_files import moved, tree_of_config, write_file
from orderbook_tui.engine.draft_overrides import DraftOverrides
from orderbook_tui.engine.draft_tree import DraftTree
from orderbook_tui.engine.fitting import Fitting
from orderbook_tui.engine.previewing import Preview
from orderbook_tui.errors import ConfigError, Problem

__all__ = ["ConfigDraft", "Fitting", "FormField", "Override", "Preview"]

_MOST_SUGGESTIONS: Final = 200


class ConfigDraft:
    """A configuration that is being edited."""

    def __init__(self, tree: Tree, folder: Path, path: Path | None = None, *, saved: Tree | None = None) -> None:
        self._draft = DraftTree(tree, folder, path, saved)
        self._accounts = AccountChoices(self._draft)
        self._overrides = DraftOverrides(self._draft)
        self._typed: dict[str, str] = {}
        """What was typed, where the tree says the same in another way."""
        self._couples: object = {}
        """What `match_with` said before another strategy was chosen."""

    @classmethod
    def load(cls, path: Path | str) -> "ConfigDraft":
        """Return the draft of a file.

        Raises:
            ConfigError: as `config.load_config`.
        """
        path = Path(path)
        content = read_bytes(path)
        config_in(content, path)
        return cls(tree_of(content.decode("utf-8-sig")), path.parent, path)

    @classmethod
    def of(cls, config: SimulatorConfig, folder: Path | str, path: Path | str | None = None) -> "ConfigDraft":
        """Return the draft of a configuration at hand; what it says by default is left out.

        Where it is just what the file at `path` says, it is the draft of that file; otherwise it is one that was changed.
        """
        tree, folder = tree_of_config(config), Path(folder)
        if path is None:
            return cls(tree, folder)
        try:
            of_file = cls.load(path)
        except ConfigError:
            return cls(tree, folder, Path(path), saved={})
        return of_file if of_file.config() == config else cls(tree, folder, Path(path), saved=of_file._draft.tree)

    @classmethod
    def new(cls) -> "ConfigDraft":
        """Return an empty draft: everything is at its default."""
        return cls({}, Path())

    # What it says

    @property
    def path(self) -> Path | None:
        """The file that it came from, or was saved in last."""
        return self._draft.path

    @property
    def folder(self) -> Path:
        """Where its relative paths start."""
        return self._draft.folder

    @property
    def is_changed(self) -> bool:
        """Whether it says something else than what was loaded or saved last."""
        return self._draft.is_changed

    def text(self) -> str:
        """Return the text of the file that it would be saved as."""
        return self._draft.text()

    def fields(self) -> list[FormField]:
        """Return everything that is edited key by key."""
        assets = tuple(assets_of(self._draft.reading().config))
        tree, typed = self._draft.tree, self._typed
        fields = (self._named(field, tree) for field in fields_of(tree, self._account_names(), assets))
        return [field._replace(text=typed[field.path]) if field.path in typed else field for field in fields]

    def _named(self, field: FormField, tree: Tree) -> FormField:
        """Return a field of a tree as it is; a file that says no name is called as it is called."""
        if field.path != "name" or self.path is None:
            return field
        return field._replace(default=self.path.stem, text=field.text if "name" in tree else self.path.stem)

    def config(self) -> SimulatorConfig:
        """Return the configuration.

        Raises:
            ConfigError: it cannot be used as it stands; all problems at once.
        """
        reading = self._draft.reading()
        if reading.problems:
            raise ConfigError(reading.problems)
        return reading.config

    def problems(self) -> dict[str, str]:
        """Return what is wrong with it, in the loader's words, by path; problems of the whole stand at the empty path."""
        found: dict[str, str] = {}
        for path, message in self._draft.reading().problems:
            found[path] = f"{found[path]}; {message}" if path in found else message
        return found

    def place_of(self, path: str) -> str:
        """Return the path of the field that a problem's path is about, empty where that is no field."""
        parts = _place(path)
        around = (place_text(parts[:length]) for length in range(len(parts), 0, -1))
        return next((place for place in around if field_at(self._draft.tree, place) is not None), "")

    # Changing it

    def set(self, path: str, text: str) -> None:
        """Put in what was typed into a field. What is no such value is kept as it is, and is a problem."""
        field = field_at(self._draft.tree, path)
        if field is None:
            return
        place = _place(path)
        saved = field_at(self._draft.saved, path)
        before = self._named(saved, self._draft.saved).text if saved is not None else None
        if place == STRATEGY:
            self._choose_strategy(text)
        elif place == MATCH_WITH:
            if text.strip() or self._draft.at(*MATCH_WITH) is not ABSENT:
                self._draft.put(STRATEGY, {MATCH_WITH[-1]: typed(field, text)})
        elif text == before:
            self._draft.put(place, self._draft.saved_at(*place))
        else:
            value = typed(field, text)
            self._draft.put(place, ABSENT if value is None and self._draft.at(*place) is ABSENT else value)
        self._typed[path] = text

    def reset(self, path: str) -> None:
        """Take a field back to its default."""
        place = _place(path)
        self._draft.put(STRATEGY if place == MATCH_WITH else place, ABSENT)
        self._typed.pop(path, None)

    def add_budget(self) -> None:
        """Add a budget: 10000 of everything for everyone, until it says otherwise."""
        self._put_budgets([*self._budgets(), {"account_id": None, "asset_id": None, "amount": Number("10000")}])

    def remove_budget(self, index: int) -> None:
        """Take a budget out."""
        rows = self._budgets()
        self._put_budgets(rows[:index] + rows[index + 1 :])

    def _budgets(self) -> list[object]:
        return list(budget_rows(self._draft.tree))

    def _put_budgets(self, rows: list[object]) -> None:
        self._draft.put(BUDGETS, rows)
        if rows == budget_rows(self._draft.saved):
            self._draft.put(BUDGETS, self._draft.saved_at(*BUDGETS))
        self._typed = {path: text for path, text in self._typed.items() if _place(path)[:2] != BUDGETS}

    def _choose_strategy(self, text: str) -> None:
        chosen = text.strip()
        before = self._draft.at(*MATCH_WITH)
        if before is not ABSENT:
            self._couples = before
        if chosen == "match_with":
            self._draft.put(STRATEGY, {MATCH_WITH[-1]: self._couples})
        else:
            saved = self._draft.saved_at(*STRATEGY)
            default = saved is ABSENT and chosen == "sequential_next"
            self._draft.put(STRATEGY, ABSENT if default else chosen)
        self._typed.pop(place_text(MATCH_WITH), None)

    # Markets and accounts

    def choices_of_markets(self) -> list[tuple[str, bool]]:
        """Return each market, and whether it gets slots."""
        return choices_of_markets(self._draft)

    def choose_market(self, symbol: str, chosen: bool) -> None:
        """Have a market take part or not; one that does not is written down as inactive."""
        choose_market(self._draft, symbol, chosen=chosen)

    def choices_of_accounts(self) -> list[tuple[str, str, bool]]:
        """Return id and name of each account, and whether it takes part."""
        return self._accounts.choices()

    def accounts_in_short(self, most: int) -> tuple[int, int, list[str]]:
        """Return how many take part, how many there are, and the names of the first that take part, at most so many."""
        return self._accounts.in_short(most)

    def choose_account(self, account_id: str, chosen: bool) -> None:
        """Have an account take part or not; where some do not, those that do are written down one by one."""
        self._accounts.choose({account_id: chosen})

    def choose_accounts(self, chosen: Mapping[str, bool]) -> None:
        """Have many accounts, by their ids, take part or not."""
        self._accounts.choose(chosen)

    def _account_names(self) -> tuple[str, ...]:
        spec = self._draft.reading().config.accounts
        made = spec.generate if self._draft.at("database", "accounts") is ABSENT else None
        if made is not None and made.count > _MOST_SUGGESTIONS:
            return ()
        return tuple(account.name for account in self._accounts.accounts()[:_MOST_SUGGESTIONS])

    # Single slots

    @property
    def overrides(self) -> dict[int, Override]:
        """The slots whose amounts are given."""
        return self._overrides.given()

    def override(self, slot: int, bid_amount: str | Decimal | None, ask_amount: str | Decimal | None) -> str | None:
        """Give a slot amounts of its own, in place of those it has had before; empty text and None leave one out.

        Returns why they do not fit, in words; the draft is then as it was.
        """
        return self._overrides.put(slot, bid_amount, ask_amount)

    def clear_override(self, slot: int) -> None:
        """Let a slot have the amounts that are drawn for it."""
        self._overrides.clear(slot)

    # Keeping it

    def save(self, path: Path | str | None = None, *, replace: bool = False) -> None:
        """Write it to a file, which it then is the draft of: whole or not at all, and over another file only with `replace`.

        Raises:
            ConfigError: it has problems, there is a file already, or it cannot be written; in words.
        """
        target = self.path if path is None else Path(path)
        if target is None:
            raise ConfigError([Problem("", "no file is named to save this in")])
        self.config()
        tree = moved(self._draft.tree, self.folder, target.parent)
        if "name" not in tree and self.path is not None and self.path.stem != target.stem:
            tree = {**tree, "name": self.path.stem}
        write_file(target, text_of(tree), replace=replace)
        self._accounts.moved(target.parent)
        self._draft.saved_as(target, tree)
        self._typed = {}

    # What it leads to

    def preview(self) -> Preview:
        """Return the schedule that this makes, to be worked out bit by bit.

        Raises:
            ConfigError: there are problems.
        """
        preview = Preview(self.config(), self.folder)
        self._overrides.look_at(preview)
        return preview

    def fitting(self) -> Fitting:
        """Return the search for amounts that the budgets allow, to be worked out bit by bit; it ends by setting them here.

        Raises:
            ConfigError: there are problems.
        """
        before = self.text()

        def put(amounts: Mapping[str, str]) -> bool:
            if self.text() != before:
                return False
            for path, text in amounts.items():
                self.set(path, text)
            return True

        return Fitting(self.config(), self.folder, put)

    def fit(self) -> str:
        """Scale `min_amount` and `max_amount` down to the most for which no budget refuses a slot; return what was done.

        Where no amounts do, it says so, and the draft is as it was.

        Raises:
            ConfigError: there are problems.
        """
        fitting = self.fitting()
        while not fitting.advance(1.0):
            pass
        return fitting.words


def _place(path: str) -> Place:
    """Return the place that a plain path names."""
    return tuple(int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path))
