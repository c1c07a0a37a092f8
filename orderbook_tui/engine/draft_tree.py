"""The tree of a draft: what is in it, what it was when it was last saved, and what the config loader makes of it."""

from pathlib import Path

from orderbook_tui.config.facts import KnownAccounts
from orderbook_tui.config.form import ABSENT, BUDGETS, budget_rows, value_at
from orderbook_tui.config.loading import Reading, read_config
from orderbook_tui.config.showing import Place
from orderbook_tui.config.writing import Tree, section_text, text_of


class DraftTree:
    """A JSON tree that changes. Each change makes a new one, so whatever was not changed is the same object still."""

    def __init__(self, tree: Tree, folder: Path, path: Path | None = None, saved: Tree | None = None) -> None:
        self.folder, self.path = folder, path
        self.tree = tree
        self.saved = tree if saved is None else saved
        self._texts: dict[str, tuple[object, str]] = {}
        self._known: tuple[object, object, KnownAccounts] | None = None
        """The accounts that were read last, with the section of the tree and the state of the file they came from."""
        self._text: str | None = None
        self._reading: Reading | None = None
        self._saved_text = text_of(self.saved)

    @property
    def is_changed(self) -> bool:
        """Whether it says something else than what was loaded or saved last."""
        return self.text() != self._saved_text

    def text(self) -> str:
        """Return the text of the file that it would be saved as."""
        if self._text is None:
            self._text = text_of(self.tree, section=self._section_text)
        return self._text

    def reading(self) -> Reading:
        """Return what the loader makes of it. Accounts that were sound, and are the same since, are not read again."""
        if self._reading is None:
            tree, known = dict(self.tree), None
            if self.path is not None and self.path.stem:
                tree.setdefault("name", self.path.stem)
            accounts, file = tree.get("accounts"), self._state_of_file()
            if self._known is not None and self._known[0] is accounts and self._known[1] == file:
                known = self._known[2]
                del tree["accounts"]
            self._reading = read_config(text_of(tree, section=self._section_text), self.folder, known=known)
            found = self._reading.accounts
            self._known = (accounts, file, found) if found is not None and accounts is not None else None
        return self._reading

    def _state_of_file(self) -> object:
        """Return what changes when the file of accounts does; None where there is none."""
        file = self.at("accounts", "file")
        if not isinstance(file, str):
            return None
        try:
            state = (self.folder / file).stat()
        except (OSError, ValueError):
            return None
        return state.st_mtime_ns, state.st_size, state.st_ino

    def at(self, *place: str | int) -> object:
        """Return what stands at a place, or `ABSENT`."""
        return value_at(self.tree, place)

    def saved_at(self, *place: str | int) -> object:
        """Return what stood there when it was saved last, or `ABSENT`."""
        return value_at(self.saved, place)

    def put(self, place: Place, value: object) -> None:
        """Set or (with `ABSENT`) remove what stands at a place; sections that become empty go with it."""
        if place[:2] == BUDGETS and len(place) > 2 and self.at(*BUDGETS) is ABSENT:
            self.tree = _with(self.tree, BUDGETS, budget_rows(self.tree))
        self.tree = _with(self.tree, place, value)
        for length in range(len(place) - 1, 0, -1):
            around = place[:length]
            # A row of a list stays, be it empty: who wants it gone takes it out.
            if isinstance(around[-1], str) and self.at(*around) == {} and self.saved_at(*around) is ABSENT:
                self.tree = _with(self.tree, around, ABSENT)
        self._text = self._reading = None

    def saved_as(self, path: Path, tree: Tree) -> None:
        """Take it that `tree` has just been saved, and go on from there."""
        self.path, self.folder = path, path.parent
        self.tree = self.saved = tree
        self._text = self._reading = None
        self._saved_text = self.text()

    def _section_text(self, key: str, value: object) -> str:
        """Return the text of a section, which is worked out again only if it has changed."""
        known = self._texts.get(key)
        if known is None or known[0] is not value:
            known = self._texts[key] = value, section_text(key, value)
        return known[1]


def _with(tree: object, place: Place, value: object) -> Tree:
    """Return a tree in which `value` stands at a place, or (with `ABSENT`) nothing."""
    part, *rest = place
    if isinstance(tree, list):
        assert isinstance(part, int)
        return [*tree[:part], _with(tree[part], tuple(rest), value), *tree[part + 1 :]]  # type: ignore[return-value]
    found: Tree = dict(tree) if isinstance(tree, dict) else {}
    if rest:
        found[str(part)] = _with(found.get(str(part), {}), tuple(rest), value)
    elif value is ABSENT:
        found.pop(str(part), None)
    else:
        found[str(part)] = value
    return found
