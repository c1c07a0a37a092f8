"""One slot in full: its order, its partner, every attempt, decision and fill."""

from rich.style import Style
from rich.text import Text

from orderbook_tui.core.journal import Attempt, Execution
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import clock, message, name, number, price, quantity, short_span
from orderbook_tui.tui.theme import Inks, inks
from orderbook_tui.tui.widgets.slot_line import settled_verdict, state_ink, verdict_ink
from orderbook_tui.tui.widgets.text_lines import TextLines

_MOST = 200
"""Attempts or fills that are listed, the last ones."""


class SlotDetails(TextLines):
    """Shows the slot that it is given, and redraws it when something has happened to it."""

    DEFAULT_CSS = """
    SlotDetails {
        padding: 0 1;
    }
    """

    def __init__(self, *, id: str | None = None, focusable: bool = True) -> None:  # noqa: A002
        super().__init__(id=id, focusable=focusable)
        self._version: tuple[object, ...] = ()
        self._is_stale = False

    def look(self, simulation: Simulation | None, slot: ActionSlot | None) -> None:
        """Show `slot` as it is now, if that is something new."""
        if simulation is None or slot is None:
            version: tuple[object, ...] = ()
        else:
            partner = simulation.slots[slot.partner].state if slot.partner < len(simulation.slots) else None
            ended = slot.attempts[-1].ended if slot.attempts else 0
            version = (id(slot), slot.state, len(slot.attempts), ended, slot.filled, slot.open, len(slot.decisions), partner)
        if version == self._version and not self._is_stale:
            return
        moved = version[:1] != self._version[:1]
        self._version, self._is_stale = version, False
        self.show(slot_in_full(simulation, slot, inks(self.app)) if simulation is not None and slot is not None else [])
        if moved:
            self.scroll_home(animate=False)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._is_stale = True  # the inks may be others


def slot_in_full(simulation: Simulation, slot: ActionSlot, ink: Inks) -> list[Text]:
    """Return everything there is to say about a slot, a paragraph a line."""
    lines = order_in_full(simulation, slot, ink)
    state = Text()
    state.append(slot.state.value, state_ink(slot.state, ink))
    if (verdict := settled_verdict(slot)) is not None:
        state.append("  ", ink.plain).append(verdict.value, verdict_ink(verdict, ink))
    market = slot.action.market
    filled = f"filled {quantity(market, slot.filled)} of {quantity(market, slot.action.quantity)}"
    state.append(f"  {filled}", ink.plain)
    if slot.open:
        state.append(f", {quantity(market, slot.open)} still open", ink.plain)
    lines.insert(1, state)
    if slot.attempts:
        lines += heading(f"attempts ({len(slot.attempts)})", ink)
        lines += attempt_lines(slot, ink)
    if slot.decisions:
        lines += heading("decisions", ink)
        lines += [
            Text(f"after attempt {made.attempt}: {made.action.value}, by {name(made.by)} at {clock(made.at)}", ink.plain)
            for made in slot.decisions
        ]
    if slot.fills:
        lines += heading(f"fills ({len(slot.fills)})", ink)
        lines += [fill_line(simulation, slot, fill, ink) for fill in slot.fills[-_MOST:]]
    return lines


def order_in_full(simulation: Simulation, slot: ActionSlot, ink: Inks) -> list[Text]:
    """Return what a slot is to do: order, account, partner, ids."""
    action, market = slot.action, slot.action.market
    base, quote = name(market.base.symbol), name(market.quote.symbol)
    order = Text()
    order.append(f"slot {slot.sequence}", ink.strong).append("  ", ink.plain)
    order.append(
        f"{action.side.word} {quantity(market, action.quantity)} {base} at {price(market, action.price)} {quote}", ink.plain
    )
    order.append(f"  {name(market.symbol)}", ink.muted)
    lines = [
        order,
        labelled("account", name(simulation.account_name(slot.account_id)), ink),
        labelled("gives", f"{number(action.bid_amount, 2)} {name(action.bid_asset)}", ink)
        + labelled(", wants", f"{number(action.ask_amount, 2)} {name(action.ask_asset)}", ink)
        + Text(f", {action.time_in_force.value}", ink.muted),
    ]
    if slot.partner < len(simulation.slots):
        partner = simulation.slots[slot.partner]
        only = ", nobody else" if action.matching_strategy.account is not None else ""
        whose = name(simulation.account_name(partner.account_id))
        lines.append(labelled("partner", f"slot {partner.sequence} of {whose} ({partner.state.value}){only}", ink))
    if slot.order_id is not None:
        lines.append(labelled("order", f"{name(str(slot.order_id))}, ours {name(slot.client_order_id)}", ink))
    return lines


def attempt_lines(slot: ActionSlot, ink: Inks) -> list[Text]:
    """Return what became of each attempt, with the waits between them, and what the slot waits for now."""
    lines, before = [], 0
    for attempt in slot.attempts[-_MOST:]:
        if before:
            lines.append(Text(f"   waited {short_span(attempt.started - before)}", ink.muted))
        lines.append(attempt_line(attempt, ink))
        before = attempt.ended
    if slot.must_ask:
        lines.append(Text("   waits for a decision", ink.accent))
    elif slot.state is SlotState.IN_PROGRESS and before:
        lines.append(Text("   waits for the next attempt", ink.muted))
    elif slot.state is SlotState.FAILED:
        lines.append(Text("   left Failed: it can be retried, or skipped", ink.muted))
    return lines


def attempt_line(attempt: Attempt, ink: Inks) -> Text:
    """Return what became of one attempt."""
    line = Text()
    line.append(f"{attempt.number:>2} ", ink.strong).append(clock(attempt.started), ink.muted)
    if attempt.ended:
        line.append(f" {short_span(attempt.ended - attempt.started):>6} ", ink.muted)
    else:
        line.append(" under way ", ink.busy)
    if (failure := attempt.failure) is not None:
        line.append(f"{failure.kind.value} ", ink.bad).append(message(failure.message), ink.plain)
    elif attempt.order_id is not None:
        line.append("accepted", ink.good).append(f" as order {name(str(attempt.order_id))}", ink.plain)
    return line


def fill_line(simulation: Simulation, slot: ActionSlot, fill: Execution, ink: Inks) -> Text:
    """Return one fill, as seen from the slot."""
    market = slot.action.market
    ours = fill.maker == slot.sequence
    other = fill.taker if ours else fill.maker
    if 0 <= other < len(simulation.slots):
        whom = f"{name(simulation.account_name(simulation.slots[other].account_id))} (slot {other})"
    else:
        whom = name(fill.outside or "somebody unknown")
    fee = number(market.quote.amount(fill.maker_fee if ours else fill.taker_fee))
    line = Text()
    line.append(f"{clock(fill.at)} ", ink.muted)
    line.append(f"{quantity(market, fill.quantity)} at {price(market, fill.price)} with {whom}", ink.plain)
    line.append(f", {'maker' if ours else 'taker'}, fee {fee} {name(market.quote.symbol)}", ink.muted)
    return line


def labelled(label: str, text: str, ink: Inks, style: Style | None = None) -> Text:
    """Return a line that says what its text is."""
    return Text().append(f"{label} ", ink.muted).append(text, style or ink.plain)


def heading(text: str, ink: Inks) -> list[Text]:
    """Return an empty line and a title."""
    return [Text(""), Text(text, ink.muted)]
