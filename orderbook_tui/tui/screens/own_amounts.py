"""Amounts of its own for a slot, in place of those that are drawn; and the list of the slots that have such."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from orderbook_tui.core.book import Side
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.drafting import ConfigDraft, Override
from orderbook_tui.tui.figures import message, name, number, price, quantity
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.theme import Inks, inks
from orderbook_tui.tui.widgets.cursor_list import CursorList
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.plain_input import PlainInput
from orderbook_tui.tui.widgets.status_strip import StatusStrip


class OwnAmountsScreen(DialogScreen[bool]):
    """Asks what the account of a slot gives and wants; answers whether the draft has changed."""

    CSS_PATH = "draft_dialogs.tcss"
    AUTO_FOCUS = "#gives"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "apply", "Give it these", id="own_amounts.apply", tooltip="give the slot these amounts"),
        Binding("f8", "clear", "As drawn", id="own_amounts.clear", tooltip="let the slot have the amounts that are drawn"),
        Binding("escape", "close", "Back", id="own_amounts.close", tooltip="leave things as they were"),
    ]

    def __init__(self, draft: ConfigDraft, slot: ActionSlot, names: Mapping[str, str]) -> None:
        super().__init__()
        self._draft, self._slot, self._names = draft, slot, names

    def compose(self) -> ComposeResult:
        action = self._slot.action
        own = self._draft.overrides.get(self._slot.sequence, Override(self._slot.sequence))
        yield StatusStrip()
        with Vertical(id="box"):
            yield Static("", id="order", markup=False)
            yield Static(f"gives, in {name(action.bid_asset, 20)}   (bid_amount)", markup=False, classes="-label")
            yield PlainInput(_text(own.bid_amount), placeholder=f"now {number(action.bid_amount)}", id="gives")
            yield Static(f"wants, in {name(action.ask_asset, 20)}   (ask_amount)", markup=False, classes="-label")
            yield PlainInput(_text(own.ask_amount), placeholder=f"now {number(action.ask_amount)}", id="wants")
            yield Static("", id="refused", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#box").border_title = f"Slot {self._slot.sequence:,}"
        self.query_one("#order", Static).update(_order(self._slot, self._names, inks(self.app)))
        self.pulse()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "clear" or self._slot.sequence in self._draft.overrides or None

    def key_label(self, action: str) -> str | None:
        return "Give it these" if action == "submit" else None

    def on_input_submitted(self) -> None:
        self.action_apply()

    def on_input_changed(self) -> None:
        self.query_one("#refused", Static).update("")

    def action_apply(self) -> None:
        gives, wants = (self.query_one(f"#{field}", PlainInput).value.strip() for field in ("gives", "wants"))
        if not gives and not wants:
            self.action_clear()
            return
        refused = self._draft.override(self._slot.sequence, gives, wants)
        if refused is None:
            self.dismiss(result=True)
        else:
            self.query_one("#refused", Static).update(Text(f"✗ {message(refused)}"))

    def action_clear(self) -> None:
        had = self._slot.sequence in self._draft.overrides
        if had:
            self._draft.clear_override(self._slot.sequence)
        self.dismiss(had)

    def action_close(self) -> None:
        self.dismiss(result=False)


def _text(amount: object) -> str:
    return "" if amount is None else f"{amount:f}"


def _order(slot: ActionSlot, names: Mapping[str, str], ink: Inks) -> Text:
    """Return what a slot does, and what follows from other amounts."""
    action, market = slot.action, slot.action.market
    does = "buys" if action.side is Side.BID else "sells"
    what = f"{quantity(market, action.quantity)} {name(market.base.symbol, 20)}"
    text = Text().append(name(names.get(slot.account_id, slot.account_id), 60), ink.strong)
    text.append(f" {does} {what} at {price(market, action.price)} on {name(market.symbol, 40)}\n\n", ink.plain)
    text.append(
        "One amount keeps the price, both give another price. A field left empty follows from the other. "
        f"Slot {slot.partner:,}, which it must cross, takes the same quantity.",
        ink.muted,
    )
    return text


class OverrideList(CursorList):
    """The slots that have amounts of their own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Change", id="overrides.change", tooltip="change the amounts of the slot under the cursor"),
        Binding("d,delete", "clear", "As drawn", id="overrides.clear", tooltip="let it have the amounts that are drawn"),
    ]

    def __init__(self, draft: ConfigDraft, changed: Callable[[], None], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._draft, self._changed = draft, changed
        self.overrides = sorted(draft.overrides.values())

    @property
    def count(self) -> int:
        return len(self.overrides)

    def header(self) -> str:
        return f"{'slot':>10}  {'gives':>24}  {'wants':>24}"

    def row(self, place: int, ink: Inks) -> Sequence[Segment]:
        slot, gives, wants = self.overrides[place]
        amounts = ("as follows" if amount is None else number(amount) for amount in (gives, wants))
        return [Segment("  ".join([f"{slot:>10,}", *(f"{amount:>24}" for amount in amounts)]), ink.plain)]

    def nothing(self) -> str:
        return "No slot has amounts of its own."

    def action_clear(self) -> None:
        if self.cursor < self.count:
            self._draft.clear_override(self.overrides[self.cursor].slot)
            self.overrides = sorted(self._draft.overrides.values())
            self.rows_changed()
            self._changed()


class OverridesScreen(DialogScreen[int | None]):
    """Lists the slots that have amounts of their own; answers with the one that is to be changed."""

    CSS_PATH = "draft_dialogs.tcss"
    AUTO_FOCUS = "OverrideList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Back", id="overrides.close", tooltip="back to the form"),
    ]

    def __init__(self, draft: ConfigDraft, changed: Callable[[], None]) -> None:
        super().__init__()
        self._draft, self._changed = draft, changed

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        with Vertical(id="box", classes="-tall"):
            yield OverrideList(self._draft, self._changed, id="overrides")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#box").border_title = "Slots with amounts of their own"
        self.pulse()

    def on_cursor_list_chosen(self, event: CursorList.Chosen) -> None:
        self.dismiss(self.query_one(OverrideList).overrides[event.place].slot)

    def action_close(self) -> None:
        self.dismiss(None)
