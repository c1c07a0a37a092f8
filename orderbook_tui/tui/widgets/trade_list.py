"""The trades of a market, the last one first, of which only the lines in view exist."""

from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orderbook_tui.core.book import Side
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.market import Market
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.market_view import Tape, aggressor
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import clock, fit, fit_middle, name, number_in, price, quantity
from orderbook_tui.tui.theme import Inks, inks_on

_DID: Final = {Side.BID: "bought", Side.ASK: "sold"}
_TIME, _WORD, _WIDEST = 12, 6, 16


class TradeList(ScrollView, can_focus=True):
    """Shows the trades that have been read from the tape, and a cursor that stays on its trade while others come."""

    DEFAULT_CSS = """
    TradeList {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        background: $background;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="trades.up", tooltip="a later trade"),
        Binding("down,j", "move(1)", "Down", show=False, id="trades.down", tooltip="an earlier trade"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="trades.page_up", tooltip="one page of trades up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="trades.page_down", tooltip="one page of trades down"),
        Binding("home", "first", "Last trade", show=False, id="trades.first", tooltip="the last trade, and keep to it"),
        Binding("end,G", "last", "First trade", show=False, id="trades.last", tooltip="the earliest trade"),
        Binding("enter", "open", "Details", id="trades.open", tooltip="all about the order that took"),
    ]

    class Moved(Message):
        """The cursor is on another trade."""

    class Opened(Message):
        """A trade was chosen: its order is to be shown in full."""

        def __init__(self, slot: ActionSlot) -> None:
            super().__init__()
            self.slot = slot

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._simulation: Simulation | None = None
        self._market: Market | None = None
        self._tape: Tape | None = None
        self._cursor = 0
        self._count = self._since = 0
        self._complete = False
        self._wanted = [8, 6]
        self._inks: tuple[Inks, Inks] | None = None

    @property
    def count(self) -> int:
        """How many trades are listed."""
        return self._count

    @property
    def trade(self) -> Execution | None:
        """The trade under the cursor."""
        return self._trade(self._cursor) if self._cursor < self._count else None

    @property
    def slot(self) -> ActionSlot | None:
        """The slot whose order took in the trade under the cursor, or the one that is the run's own."""
        trade = self.trade
        if trade is None or self._simulation is None:
            return None
        return self._simulation.slots[trade.taker if trade.taker >= 0 else trade.maker]

    def show(self, simulation: Simulation | None, market: Market | None, tape: Tape | None) -> None:
        """Show the trades of a market."""
        self._simulation, self._market, self._tape = simulation, market, tape
        self.begin_anew()
        self.look()
        self.refresh()

    def begin_anew(self) -> None:
        """Forget where one was: the tape is another one, or has begun anew."""
        self._cursor = self._count = self._since = 0
        self._wanted = [8, 6]

    def look(self) -> None:
        """Show the trades that have been read since."""
        tape, market = self._tape, self._market
        count, since, complete = 0, 0, True
        if tape is not None and market is not None:
            count, since, complete = tape.count(market), tape.since(market), tape.is_complete
        if (count, since, complete) == (self._count, self._since, self._complete):
            return
        came = since - self._since
        self._count, self._since, self._complete = count, since, complete
        if self._cursor:
            self._cursor += came
        scrolled = self.scroll_offset.y
        self.virtual_size = Size(self.size.width, count + 1)
        if scrolled and came:
            self._scroll(scrolled + came)
        self.refresh()

    def lines(self) -> list[str]:
        """Return what is in view, without its colours."""
        return ["".join(segment.text for segment in self.render_line(y)).rstrip() for y in range(self.size.height)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "open" or self.trade is not None

    # Moving

    def action_move(self, by: int) -> None:
        self._put(self._cursor + by)

    def action_page(self, by: int) -> None:
        self._put(self._cursor + by * max(self.size.height - 2, 1))

    def action_first(self) -> None:
        self._put(0)

    def action_last(self) -> None:
        self._put(self._count - 1)

    def action_open(self) -> None:
        if (slot := self.slot) is not None:
            self.post_message(self.Opened(slot))

    def on_click(self, event: events.Click) -> None:
        where = event.get_content_offset(self)
        place = where.y - 1 + self.scroll_offset.y if where is not None else -1
        if where is not None and where.y > 0 and place < self._count:
            if place == self._cursor and event.chain > 1:
                self.action_open()
            self._put(place)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(event.size.width, self._count + 1)

    def _put(self, place: int) -> None:
        self._cursor = max(0, min(place, self._count - 1))
        height, first = self.size.height - 1, self.scroll_offset.y
        if self._cursor < first:
            self._scroll(self._cursor)
        elif height > 0 and self._cursor >= first + height:
            self._scroll(self._cursor - height + 1)
        self.refresh()
        self.post_message(self.Moved())

    def _scroll(self, y: int) -> None:
        self.scroll_to(y=y, animate=False, force=True, immediate=True)

    # Drawing

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._inks = None

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self._inks is None:
            self._inks = inks_on(self)
        ink, marked = self._inks
        place = y - 1 + self.scroll_offset.y
        if self._market is None:
            segments = []
        elif not self._count:
            segments = self._nothing(y, ink)
        elif y == 0:
            segments = self._header(ink)
        elif place >= self._count:
            segments = []
        elif place == self._cursor and self.has_focus:
            ink = marked
            segments = [Segment("▌", ink.accent), *self._line(self._trade(place), ink)]
        else:
            segments = [Segment(" ", ink.plain), *self._line(self._trade(place), ink)]
        line = Strip(segments)
        if line.cell_length < width:
            return Strip([*segments, Segment(" " * (width - line.cell_length), ink.plain)], width)
        return line.crop(0, width)

    def _trade(self, place: int) -> Execution:
        assert self._tape is not None
        assert self._market is not None
        return self._tape.trade(self._market, place)

    def _nothing(self, y: int, ink: Inks) -> list[Segment]:
        assert self._market is not None
        if y:
            return []
        if not self._complete:
            return [Segment(" looking for trades ...", ink.muted)]
        return [Segment(f" No trade in {name(self._market.symbol, 40)} yet.", ink.muted)]

    def _header(self, ink: Inks) -> list[Segment]:
        amount, ticks, who = self._columns()
        titles = f" {'time':{_TIME}} {'ours' if self._outside else 'taker':{_WORD}} {fit('quantity', amount, right=True)}"
        titles += f" {fit('price', ticks, right=True)}"
        named = ("our order", "with") if self._outside else ("taker's order", "maker's order")
        orders = " ".join(fit(title, who) for title in named)
        return [Segment(f"{titles}  {orders}", ink.muted)]

    @property
    def _outside(self) -> bool:
        """Whether the trades are those of a venue outside this process."""
        return self._simulation is not None and self._simulation.config.venue.kind != "embedded"

    def _columns(self) -> tuple[int, int, int]:
        """Return how wide quantity, price and each of the two orders are."""
        amount, ticks = self._wanted
        room = self.size.width - 1 - _TIME - 1 - _WORD - 1 - amount - 1 - ticks - 2
        return amount, ticks, max((room - 1) // 2, 0)

    def _line(self, trade: Execution, ink: Inks) -> list[Segment]:
        market, simulation = self._market, self._simulation
        assert market is not None
        assert simulation is not None
        lots, at = quantity(market, trade.quantity), price(market, trade.price)
        wanted = [min(max(known, len(text)), _WIDEST) for known, text in zip(self._wanted, (lots, at), strict=True)]
        if wanted != self._wanted:
            self._wanted = wanted
            self.call_later(self.refresh)
        amount, ticks, who = self._columns()
        if len(lots) > amount:
            lots = number_in(market.quantity(trade.quantity), amount)
        if len(at) > ticks:
            at = number_in(market.price(trade.price), ticks)
        took = aggressor(simulation, trade)
        # A venue outside tells neither who took nor the other's order.
        first, second = (trade.taker, trade.maker) if trade.taker >= 0 else (trade.maker, trade.taker)
        side = simulation.slots[first].action.side
        style = ink.muted if took is None else side_ink(side, ink)
        return [
            Segment(f"{clock(trade.at)} ", ink.muted),
            Segment(f"{_DID[side]:<{_WORD}} ", style),
            Segment(f"{fit(lots, amount, right=True)} ", ink.plain),
            Segment(f"{fit(at, ticks, right=True)}  ", style),
            Segment(f"{self._whom(first, trade, who)} {self._whom(second, trade, who)}", ink.muted),
        ]

    def _whom(self, sequence: int, trade: Execution, width: int) -> str:
        """Return an order of a trade by its slot and account, or what the venue says of an outsider."""
        assert self._simulation is not None
        if sequence < 0:
            return fit_middle(name(self._simulation.account_name(trade.outside) if trade.outside else "somebody"), width)
        slot = f"{sequence} "
        account = name(self._simulation.account_name(self._simulation.slots[sequence].account_id))
        return fit(slot + fit_middle(account, max(width - len(slot), 0)), width)


def side_ink(side: Side, ink: Inks) -> Style:
    """Return the ink of a side; words or places say the same."""
    return ink.good if side is Side.BID else Style(color=ink.bad.color, bgcolor=ink.bad.bgcolor)
