"""The slots of a draft whose amounts are given, not drawn; what does not fit its slot is refused in words."""

from decimal import Decimal
from typing import Final
from weakref import ref

from orderbook_tui.config.form import ABSENT, number
from orderbook_tui.config.schedule import drawn_pair
from orderbook_tui.config.writing import Number, Tree
from orderbook_tui.core.overrides import Override, override_pair
from orderbook_tui.engine.describing import described_before
from orderbook_tui.engine.draft_tree import DraftTree
from orderbook_tui.engine.previewing import Preview
from orderbook_tui.errors import ConfigError, ScheduleError

_OVERRIDES: Final = ("scheduler", "overrides")


class DraftOverrides:
    """The overrides of a draft."""

    def __init__(self, draft: DraftTree) -> None:
        self._draft = draft
        self._preview: ref[Preview] | None = None

    def look_at(self, preview: Preview) -> None:
        """Take the pairs that overrides are for from a preview, as long as somebody looks at it."""
        self._preview = ref(preview)

    def given(self) -> dict[int, Override]:
        """Return the overrides by their slots."""
        specs = self._draft.reading().config.scheduler.overrides
        return {spec.slot: Override(spec.slot, spec.bid_amount, spec.ask_amount) for spec in specs}

    def put(self, slot: int, bid_amount: str | Decimal | None, ask_amount: str | Decimal | None) -> str | None:
        """Give a slot amounts of its own; return why they do not fit, in words."""
        row: Tree = {"slot": Number(slot)}
        for key, amount in (("bid_amount", bid_amount), ("ask_amount", ask_amount)):
            text = str(amount).strip() if amount is not None else ""
            if text:
                row[key] = number(text) or text
        before, rows = self._draft.at(*_OVERRIDES), self._others(slot)
        problems = set(self._draft.reading().problems)
        self._draft.put(_OVERRIDES, [*rows, row])
        refused = next((problem.message for problem in self._draft.reading().problems if problem not in problems), None)
        if refused is None and not problems:
            refused = self._unfit(slot)
        if refused is not None:
            self._draft.put(_OVERRIDES, before)
        return refused

    def clear(self, slot: int) -> None:
        """Let a slot have the amounts that are drawn for it."""
        self._draft.put(_OVERRIDES, self._others(slot) or ABSENT)
        if self._draft.at(*_OVERRIDES) is ABSENT and self._draft.saved_at(*_OVERRIDES) == []:
            self._draft.put(_OVERRIDES, [])

    def _others(self, slot: int) -> list[object]:
        rows = self._draft.at(*_OVERRIDES)
        others = rows if isinstance(rows, list) else []
        return [row for row in others if not (isinstance(row, dict) and _is_number(row.get("slot"), slot))]

    def _unfit(self, slot: int) -> str | None:
        """Return what the schedule has against the overrides of a slot's pair, in words."""
        config = self._draft.reading().config
        overrides = tuple(override for override in self.given().values() if override.slot >> 1 == slot >> 1)
        preview = self._preview() if self._preview is not None else None
        pair = preview.drawn_pair(slot >> 1) if preview is not None and preview.is_of(config) else None
        try:
            if pair is None:
                pair = drawn_pair(config, described_before(config, self._draft.folder).universe, slot >> 1)
            override_pair(pair, overrides)
        except (ScheduleError, ConfigError) as error:
            return str(error)
        return None


def _is_number(value: object, wanted: int) -> bool:
    found = number(value) if isinstance(value, Number) else None
    return found is not None and Decimal(found) == wanted
