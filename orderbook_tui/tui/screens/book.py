"""Book: what rests in a market, what has traded there, and the life of any order among these."""

from time import perf_counter
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from orderbook_tui.core.market import Market
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.market_view import Books, Tape
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.figures import name
from orderbook_tui.tui.screens.base import RunScreen
from orderbook_tui.tui.widgets.ladder import Ladder
from orderbook_tui.tui.widgets.ladder_rows import Marks
from orderbook_tui.tui.widgets.market_bar import MarketBar
from orderbook_tui.tui.widgets.order_life import OrderLife
from orderbook_tui.tui.widgets.price_line import PriceLine
from orderbook_tui.tui.widgets.slot_table import SlotTable
from orderbook_tui.tui.widgets.trade_list import TradeList

_EVERY: Final = 5
"""Pulses from one look at the book to the next, while it runs."""
_REST: Final = 15
"""After a look, so many times what it took goes by before the next: a book of a million orders does not hold up the run."""
_NOTHING_OPEN: Final = """\
No run is open, so there is no book.

Press 5 to take one up from its checkpoint, or 1 to plan one.
"""


class BookScreen(RunScreen):
    """The book of one market of the run, and its trades."""

    NAME = "Book"
    CSS_PATH = "book.tcss"
    AUTO_FOCUS = "Ladder"
    HELP_TEXT = (
        "The ladder shows what rests in a market: asks above, bids below, the best prices next to the spread. All orders are "
        "the run's own: the last column names their slots. ● marks the order of the slot under the cursor of the Slots screen, "
        "○ the orders of its account. Enter opens a price into its orders, the first in the queue on top, and an order into "
        "its details. Beside it are the trades, the last one first, with what the taker did, and the line of their prices with "
        "the reference and the band. A venue outside tells neither its book nor who took: own orders and fills are shown. The "
        "cursor keeps to the spread until it is moved."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "right_square_bracket",
            "turn_market(1)",
            "Next market",
            show=False,
            key_display="]",
            id="book.next_market",
            tooltip="the next market",
        ),
        Binding(
            "left_square_bracket",
            "turn_market(-1)",
            "Market before",
            show=False,
            key_display="[",
            id="book.previous_market",
            tooltip="the market before",
        ),
        Binding("m", "choose_market", "Markets", id="book.choose_market", tooltip="choose a market from a list"),
        Binding("p", "turn_panel", "Prices", id="book.turn_panel", tooltip="trades or price line, where only one has room"),
        Binding(
            "a",
            "mark_account",
            "Mark",
            show=False,
            id="book.mark_account",
            tooltip="mark the orders of this one's account; again: no longer",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._shown: Simulation | None = None
        self._market: Market | None = None
        self._books: Books | None = None
        self._tape: Tape | None = None
        self._account: str | None = None
        self._of_trades = False
        self._pulses = 0
        self._due = 0.0

    def body(self) -> ComposeResult:
        yield MarketBar(id="market")
        yield Static(_NOTHING_OPEN, id="nothing", markup=False)
        with Horizontal(id="halves"):
            with Vertical(id="left"):
                yield Ladder(id="ladder")
                yield OrderLife(id="life")
            with Vertical(id="right"):
                yield TradeList(id="trades")
                yield PriceLine(id="prices")

    def on_mount(self) -> None:
        for called, title in (("ladder", "Ladder"), ("life", "Order"), ("trades", "Trades"), ("prices", "Prices")):
            self.query_one(f"#{called}").border_title = title
        self.show_simulation()

    def on_screen_resume(self) -> None:
        if self._shown is not None and self._shown is self.simulation:
            self.query_one(Ladder).look()
        self.pulse()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.refresh_bindings)

    @property
    def market(self) -> Market | None:
        """The market that is shown."""
        return self._market

    # Showing

    def show_simulation(self) -> None:
        """Show the app's simulation, which may be another one than before."""
        simulation = self._shown = self.simulation
        self._account, self._due = None, 0.0
        self.set_class(simulation is None, "-nothing-open")
        if simulation is None:
            self._books = self._tape = self._market = None
        else:
            self._books, self._tape = Books(simulation), Tape(simulation)
            self._market = self._first_market(simulation)
        self._show_market()

    def _show_market(self) -> None:
        simulation, market = self._shown, self._market
        self._read_on()
        self._mark()
        self.query_one(MarketBar).show(simulation, market)
        self.query_one(Ladder).show(simulation, market, self._books)
        self.query_one(TradeList).show(simulation, market, self._tape)
        self.query_one(PriceLine).show(market, self._tape)
        self.pulse()
        self.refresh_bindings()

    def pulse(self) -> None:
        super().pulse()
        if self._shown is not self.simulation:
            self.show_simulation()
            return
        simulation = self._shown
        if simulation is None:
            return
        self._read_on()
        self._pulses += 1
        # What nobody can read 20 times a second is not drawn so often.
        running = simulation.status is RunStatus.RUNNING
        if running and (self._pulses % _EVERY or perf_counter() < self._due):
            return
        began = perf_counter()
        self._mark()
        self.query_one(Ladder).look()
        self.query_one(TradeList).look()
        self.query_one(PriceLine).look()
        self._tell()
        now = perf_counter()
        self._due = now + _REST * (now - began)

    def _read_on(self) -> None:
        if self._tape is not None and self._books is not None:
            self._books.read_on()
            if self._tape.read_on():
                self.query_one(TradeList).begin_anew()

    def _first_market(self, simulation: Simulation) -> Market | None:
        """Return the market where the run is: that of its current slot."""
        slots, markets = simulation.slots, simulation.state.plan.markets
        if slots:
            return slots[min(simulation.state.current_slot_index, len(slots) - 1)].action.market
        return markets[0] if markets else None

    # Whose orders

    def _mark(self) -> None:
        """Mark the orders of the account that was chosen, or of the slot under the cursor of the Slots screen."""
        simulation, slot = self._shown, self._slot_of_the_table()
        if simulation is None:
            return
        if self._account is not None:
            marks, text = Marks(None, self._account), f"○ orders of {self._called(simulation, self._account)}"
        elif slot is not None:
            marks = Marks(slot.sequence, slot.account_id)
            text = f"● slot {slot.sequence}, ○ other orders of {self._called(simulation, slot.account_id)}"
        else:
            marks, text = Marks(), ""
        self.query_one(Ladder).mark(marks)
        self.query_one(MarketBar).mark(text)

    def _called(self, simulation: Simulation, account: str) -> str:
        return name(simulation.account_name(account), 24)

    def _slot_of_the_table(self) -> ActionSlot | None:
        """Return the slot under the cursor of the Slots screen, if that has been opened."""
        app = self.app
        screen = app.get_screen("slots") if app.is_screen_installed("slots") else None
        if screen is None or not screen.is_mounted:
            return None
        slot = next((table.slot for table in screen.query(SlotTable)), None)
        slots = self._shown.slots if self._shown is not None else []
        return slot if slot is not None and slot.sequence < len(slots) and slots[slot.sequence] is slot else None

    @property
    def _chosen(self) -> ActionSlot | None:
        """The slot whose life is told: that of the ladder or of the trades, whichever had the focus last."""
        return self.query_one(TradeList).slot if self._of_trades else self.query_one(Ladder).slot

    def _tell(self) -> None:
        life = self.query_one(OrderLife)
        if life.size.height:
            life.look(self._shown, self._chosen or self._slot_of_the_table())

    # What one may do

    def on_ladder_moved(self) -> None:
        self._tell()
        self.refresh_bindings()

    def on_trade_list_moved(self) -> None:
        self._tell()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Ladder | TradeList):
            self._of_trades = isinstance(event.widget, TradeList)
            self._tell()

    def on_ladder_opened(self, event: Ladder.Opened) -> None:
        self._open(event.slot)

    def on_trade_list_opened(self, event: TradeList.Opened) -> None:
        self._open(event.slot)

    def _open(self, slot: ActionSlot) -> None:
        from orderbook_tui.tui.screens.details import DetailsScreen

        self.app.push_screen(DetailsScreen(slot))

    def on_market_bar_turned(self, event: MarketBar.Turned) -> None:
        if event.by:
            self.action_turn_market(event.by)
        else:
            self.action_choose_market()

    @property
    def _several(self) -> bool:
        return self._shown is not None and len(self._shown.state.plan.markets) > 1

    @property
    def _one_panel(self) -> bool:
        """Whether there is room for either trades or price line."""
        return not (self.has_class("-wide") and self.has_class("-tall"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("turn_market", "choose_market"):
            return self._several
        if action == "turn_panel":
            return self._shown is not None and self._one_panel
        if action == "mark_account":
            return self._account is not None or (self._shown is not None and self._chosen is not None)
        return super().check_action(action, parameters)

    def key_label(self, action: str) -> str | None:
        if action == "turn_panel":
            return "Trades" if self.has_class("-prices") else "Prices"
        if action == "open" and (self.query_one(TradeList).has_focus or not self.query_one(Ladder).is_on_a_price):
            return "Details"
        return super().key_label(action)

    def action_turn_market(self, by: int) -> None:
        if self._shown is not None and self._market is not None:
            markets = self._shown.state.plan.markets
            symbols = [market.symbol for market in markets]
            self._market = markets[(symbols.index(self._market.symbol) + by) % len(markets)]
            self._show_market()

    def action_choose_market(self) -> None:
        from orderbook_tui.tui.screens.markets import MarketsScreen

        if self._shown is None or self._market is None or self._books is None:
            return

        def chosen(symbol: str | None) -> None:
            markets = {market.symbol: market for market in self._shown.state.plan.markets} if self._shown is not None else {}
            if symbol in markets:
                self._market = markets[symbol]
                self._show_market()

        self.app.push_screen(MarketsScreen(self._shown, self._books, self._market), chosen)

    def action_turn_panel(self) -> None:
        self.toggle_class("-prices")
        if self.has_class("-prices") and self.query_one(TradeList).has_focus:
            self.query_one(Ladder).focus()
        self.refresh_bindings()

    @property
    def _unmarks(self) -> bool:
        chosen = self._chosen
        return self._account is not None and (chosen is None or chosen.account_id == self._account)

    def action_mark_account(self) -> None:
        chosen = self._chosen
        self._account = None if self._unmarks or chosen is None else chosen.account_id
        self._mark()
        self.query_one(Ladder).look()
        self.refresh_bindings()
