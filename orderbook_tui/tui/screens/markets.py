"""The markets of a run, to choose one: with the arrows, or by typing a part of its name."""

from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from orderbook_tui.core.market import Market
from orderbook_tui.engine.market_view import Books
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import fit, fit_middle, name, price
from orderbook_tui.tui.screens.base import DialogScreen
from orderbook_tui.tui.theme import inks
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.status_strip import StatusStrip

_MOST: Final = 200
"""Markets that are listed at a time; typing narrows them down."""


class MarketsScreen(DialogScreen[str | None]):
    """Asks for a market; answers its symbol."""

    CSS_PATH = "markets.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False, priority=True, id="markets.up", tooltip="one market up"),
        Binding("down", "move(1)", "Down", show=False, priority=True, id="markets.down", tooltip="one market down"),
        Binding("enter", "choose", "Choose", priority=True, id="markets.choose", tooltip="show this market"),
        Binding("escape", "close", "Back", id="markets.close", tooltip="back to the book"),
    ]

    def __init__(self, simulation: Simulation, books: Books, current: Market) -> None:
        super().__init__()
        self._simulation, self._books, self._current = simulation, books, current
        self._found: list[Market] = []

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        with Vertical(id="box"):
            yield Input(placeholder="a part of its name", compact=True, id="part")
            yield Static(f"{'market':20}  {'reference':>16}  {'open':>16}", markup=False, id="titles")
            yield OptionList(markup=False, compact=True, id="found")
            yield Static("", markup=False, id="more")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#box").border_title = "Markets"
        self._list("")
        self.pulse()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._list(event.value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._found[event.option_index].symbol)

    def action_move(self, by: int) -> None:
        found = self.query_one(OptionList)
        if by > 0:
            found.action_cursor_down()
        else:
            found.action_cursor_up()

    def action_choose(self) -> None:
        place = self.query_one(OptionList).highlighted
        if place is not None:
            self.dismiss(self._found[place].symbol)

    def action_close(self) -> None:
        self.dismiss(None)

    def _list(self, part: str) -> None:
        """List the markets whose names have this part."""
        sought = part.strip().casefold()
        every = [market for market in self._simulation.state.plan.markets if sought in market.symbol.casefold()]
        self._found = every[:_MOST]
        found, more = self.query_one(OptionList), self.query_one("#more", Static)
        found.clear_options()
        found.add_options([Option(self._line(market)) for market in self._found])
        symbols = [market.symbol for market in self._found]
        if symbols:
            found.highlighted = symbols.index(self._current.symbol) if self._current.symbol in symbols else 0
        hidden = len(every) - len(self._found)
        more.update(
            "No market is called so." if not every else f"and {hidden:,} more: type a part of the name" if hidden else ""
        )

    def _line(self, market: Market) -> Text:
        ink = inks(self.app)
        resting = len(self._books.book(market))
        orders = f"{resting:,} order{'s' if resting != 1 else ''}" if resting else "none"
        line = Text(fit_middle(name(market.symbol), 20), ink.plain, no_wrap=True)
        line.append(f"  {fit(price(market, round(market.reference_price / market.tick_size)), 16, right=True)}", ink.muted)
        return line.append(f"  {fit(orders, 16, right=True)}", ink.plain if resting else ink.muted)
