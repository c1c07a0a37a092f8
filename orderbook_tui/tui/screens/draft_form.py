"""A draft as its form shows it: its fields, the lines that open a dialog, and each problem at the field it is about."""

from collections.abc import Mapping, Sequence
from typing import Final

from orderbook_tui.engine.drafting import ConfigDraft, FormField
from orderbook_tui.tui.figures import name
from orderbook_tui.tui.widgets.form_rows import OPENER

ACCOUNTS, MARKETS, OVERRIDES, ADD_BUDGET = (f"{OPENER}{what}" for what in ("accounts", "markets", "overrides", "add_budget"))
_MOST_NAMED: Final = 6
_MOST_PLACED: Final = 200


def lines_of(draft: ConfigDraft) -> list[FormField]:
    """Return the lines of the form in their order."""
    sections: dict[str, list[FormField]] = {
        section: [] for section in ("", "accounts", "markets", "scheduler", "processor", "budget")
    }
    for field in draft.fields():
        sections.setdefault(field.section, []).append(field)
    sections["accounts"].append(_accounts(draft, sections["accounts"]))
    sections["markets"].append(_markets(draft))
    sections["scheduler"].append(_overrides(draft))
    sections["budget"].append(
        _opener(ADD_BUDGET, "budget", "add a budget", "b", "One more line: an account, an asset, an amount.")
    )
    return [field for fields in sections.values() for field in fields]


def by_field(draft: ConfigDraft, fields: Sequence[FormField], problems: Mapping[str, str]) -> dict[str, list[str]]:
    """Return problems by the path of the field they are about; what is about none, with its own path in front."""
    known = {field.path for field in fields}
    found: dict[str, list[str]] = {}
    for place, (path, words) in enumerate(problems.items()):
        field = path if path in known else draft.place_of(path) if place < _MOST_PLACED else ""
        field = field or next((opener for start, opener in _ABOUT.items() if path.startswith(start)), "")
        said = words if field == path or not path else f"{path}: {words}"
        found.setdefault(field, []).append(said)
    return found


_ABOUT: Final = {"scheduler.overrides": OVERRIDES, "markets": MARKETS, "accounts": ACCOUNTS}
"""The lines that problems below these paths stand at."""


def _opener(path: str, section: str, label: str, text: str, words: str) -> FormField:
    return FormField(path, label, section, "text", text, text, words)


def _accounts(draft: ConfigDraft, fields: Sequence[FormField]) -> FormField:
    # Those that are made by their number all take part.
    text = "all" if fields else _chosen(*draft.accounts_in_short(_MOST_NAMED + 1))
    return _opener(ACCOUNTS, "accounts", "who takes part", text, "Choose the accounts that trade.")


def _markets(draft: ConfigDraft) -> FormField:
    choices = draft.choices_of_markets()
    taken = [symbol for symbol, chosen in choices if chosen]
    return _opener(
        MARKETS, "markets", "which are traded", _chosen(len(taken), len(choices), taken), "Choose the markets that get slots."
    )


def _chosen(taken: int, there: int, first: Sequence[str]) -> str:
    """Say how many of those there are were taken, and name the first."""
    named = ", ".join(name(called, 40) for called in first[:_MOST_NAMED])
    more = ", …" if taken > _MOST_NAMED else ""
    return f"{taken:,} of {there:,}: {named}{more}" if taken else f"none of {there:,}"


def _overrides(draft: ConfigDraft) -> FormField:
    count = len(draft.overrides)
    text = f"{count:,} slot{'s' if count != 1 else ''}" if count else "none"
    words = "The slots whose amounts are given, not drawn. Enter on a slot of the preview gives it its own."
    return _opener(OVERRIDES, "scheduler", "own amounts", text, words)
