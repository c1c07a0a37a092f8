"""The book screen: ladder, trades and prices are those of the exchange and the journal, and its keys lead through them."""

import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from orderbook_tui.core.book import Order, OrderBook, Side, TimeInForce
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.market import Market
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.figures import clock, price, quantity
from orderbook_tui.tui.screens.book import BookScreen
from orderbook_tui.tui.screens.details import DetailsScreen
from orderbook_tui.tui.screens.markets import MarketsScreen
from orderbook_tui.tui.widgets import ladder as ladder_module
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.ladder import OWN_ONLY, Ladder
from orderbook_tui.tui.widgets.ladder_line import DIRECTED
from orderbook_tui.tui.widgets.market_bar import MarketBar
from orderbook_tui.tui.widgets.order_life import OrderLife
from orderbook_tui.tui.widgets.price_line import PriceLine
from orderbook_tui.tui.widgets.trade_list import TradeList
from tests.deep_book import a_deep_run, a_run_of
from tests.tui.screen import SMALL, drive, frame, shown, simulation, table, until, until_asked, until_status
from tests.tui.test_hostile_text import _UNSAFE, HOSTILE, named

BID, ASK = Side.BID, Side.ASK
TALL = (140, 40)
Steps = Callable[[OrderbookApp, Pilot[int]], Awaitable[None]]


async def step(app: OrderbookApp, slots: int = 1) -> None:
    """Run so many slots, and have the screen look."""
    run = app.simulation
    assert run is not None
    for _ in range(slots):
        ended = run.stats.ended_slots
        app.step()
        await until(lambda ended=ended: run.stats.ended_slots > ended or run.status is RunStatus.WAITING)  # type: ignore[misc]
        if run.status is RunStatus.WAITING:
            await until_asked(app)
            app.simulate_key("c")
            await until(lambda ended=ended: run.stats.ended_slots > ended)  # type: ignore[misc]
    await until(lambda: isinstance(app.screen, BookScreen))
    assert isinstance(app.screen, BookScreen)
    app.screen.pulse()


def opened(script: Steps, run: Simulation, folder: Path, size: tuple[int, int] = TALL) -> OrderbookApp:
    """Play the script on the book screen."""

    async def play(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("4")
        await until(lambda: isinstance(app.screen, BookScreen) and app.screen.query(Ladder))
        await pilot.pause()
        await script(app, pilot)

    return drive(run, folder, play, size)


def ladder(app: OrderbookApp) -> Ladder:
    return app.screen.query_one(Ladder)


def rows(app: OrderbookApp) -> list[str]:
    """The ladder's lines in view that say something, without the header."""
    return [line for line in ladder(app).lines()[1:] if line]


def trades(app: OrderbookApp) -> TradeList:
    return app.screen.query_one(TradeList)


def market(app: OrderbookApp) -> Market:
    assert isinstance(app.screen, BookScreen)
    assert app.screen.market is not None
    return app.screen.market


def keys(app: OrderbookApp) -> str:
    return app.screen.query_one(KeyBar).text()


def life(app: OrderbookApp) -> str:
    return app.screen.query_one(OrderLife).text()


def executions(run: Simulation, market: Market) -> list[Execution]:
    found = [event for event in run.state.journal if isinstance(event, Execution)]
    return [event for event in found if run.slots[event.taker].action.market_id == market.symbol][::-1]


def expected_rows(run: Simulation, market: Market) -> list[list[str]]:
    """What the ladder should say of each level, from the book itself: cumulative, quantity, orders, price, first slot."""
    assert run.exchange is not None
    book = run.exchange.books[market.symbol]
    sides = []
    for side in Side:
        cumulative, said = 0, []
        for level in book.depth(side):
            cumulative += level.quantity
            first = next(order.client_id for order in book.resting(side) if order.price == level.price)
            said.append(
                [
                    quantity(market, cumulative),
                    quantity(market, level.quantity),
                    str(level.orders),
                    price(market, level.price),
                    str(first),
                ]
            )
        sides.append(said)
    return sides[ASK][::-1] + sides[BID]


# Nothing is invented


@pytest.mark.parametrize("size", [TALL, SMALL], ids=["wide", "small"])
def test_ladder_and_trades_are_those_of_exchange_and_journal_at_every_step(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        most = 0
        for _ in range(len(run.slots) - 1):
            await step(app)
            of = market(app)
            said = [line.strip("▌ ●○").split() for line in rows(app) if "━" in line]
            expected = expected_rows(run, of)
            assert [
                [*words[:4], next(word for word in words[4:] if "━" not in word and "╍" not in word).strip(",")]
                for words in said
            ] == _in_view(expected, app)
            most = max(most, len(expected))
            _compare_trades(app, run, of)
        assert most > 5
        assert executions(run, market(app))

    opened(script, a_deep_run(40, seed=5, lives=TimeInForce.POST_ONLY), tmp_path, size)


def _in_view(expected: list[list[str]], app: OrderbookApp) -> list[list[str]]:
    """The levels that have room around the spread, the cursor being there."""
    lines = ladder(app).lines()[1:]
    middle = next((place for place, line in enumerate(lines) if "──" in line), None)
    if middle is None:
        return expected
    asks = sum(1 for level in ladder(app).levels if level.side is ASK)
    return expected[max(asks - middle, 0) : asks + len(lines) - middle - 1]


def _compare_trades(app: OrderbookApp, run: Simulation, of: Market) -> None:
    expected = executions(run, of)
    assert trades(app).count == len(expected)
    for trade, line in zip(expected, trades(app).lines()[1:], strict=False):
        words = line.split()
        took = "bought" if run.slots[trade.taker].action.side is BID else "sold"
        assert words[:4] == [clock(trade.at), took, quantity(of, trade.quantity), price(of, trade.price)]
        assert words[4] == str(trade.taker)
        assert str(trade.maker) in words


def test_a_scheduled_run_is_shown_as_it_is(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        assert run.exchange is not None
        resting = 0
        for _ in range(len(run.slots) - 1):
            await step(app)
            of = market(app)
            assert [
                (level.side, level.price, level.quantity, level.orders) for level in ladder(app).levels if level.side is ASK
            ][::-1] == [(ASK, *level) for level in run.exchange.books[of.symbol].depth(ASK)]
            assert [(level.price, level.quantity, level.orders) for level in ladder(app).levels if level.side is BID] == (
                run.exchange.books[of.symbol].depth(BID)
            )
            resting += len(run.exchange.books[of.symbol])
            _compare_trades(app, run, of)
        assert resting

    scheduler = {
        "matching_strategy": "any",
        "trades_per_account": 6,
        "bid_price_offset": "1.01",
        "ask_price_offset": "0.99",
        "time_in_force": {"maker": "post_only"},
    }
    venue = {"faults": {"outages": [{"from_slot": 5, "slots": 2, "attempts": 1}]}}
    run = simulation(tmp_path, scheduler=scheduler, venue=venue)
    opened(script, run, tmp_path)


def test_the_price_line_draws_the_last_trades(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        line = app.screen.query_one(PriceLine)
        while market(app).symbol != "BTC-USD":
            await pilot.press("right_square_bracket")
        for _ in range(len(run.slots) - 1):
            await step(app)
            of = market(app)
            prices = [trade.price for trade in executions(run, of)][::-1]
            assert line.prices == prices
            if prices:
                assert price(of, prices[-1]) in line.text()
        assert len(line.prices) > 3

    opened(script, a_deep_run(40, seed=5), tmp_path)


# The price line


def _two_trades(**sections: Any) -> Simulation:
    return a_run_of(
        (0, "BTC-USD", ASK, "0.5", "59900"),
        (1, "BTC-USD", BID, "0.5", "59900"),
        (2, "BTC-USD", ASK, "0.5", "60050"),
        (3, "BTC-USD", BID, "0.5", "60050"),
        (0, "ETH-USD", ASK, "0.5", "3000"),
        (1, "ETH-USD", BID, "0.5", "3000"),
        **sections,
    )


def test_the_band_is_drawn_as_numbers_and_lines(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 4)
        lines = app.screen.query_one(PriceLine).text().split("\n")
        for number, what in (
            ("60,600.00", "upper limit"),
            ("59,400.00", "lower limit"),
            ("60,000.00", "reference"),
            ("60,050.00", "last trade"),
            ("59,900.00", "lowest"),
        ):
            assert any(number in line and what in line for line in lines), number
        assert "the last 2 trades; band 1 % around the reference" in lines[-1]

    opened(script, _two_trades(), tmp_path)


def test_a_market_without_a_band_says_so(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("right_square_bracket")
        text = app.screen.query_one(PriceLine).text()
        assert "no trade in ETH-USD yet; no band: any price" in text
        assert "limit" not in text
        assert "3,000.00" in text
        assert "band none" in app.screen.query_one(MarketBar).text()

    opened(script, _two_trades(), tmp_path)


def test_small_screens_show_trades_or_prices(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 4)
        await pilot.pause()
        assert "p Prices" in keys(app)
        assert "lower limit" not in shown(app)
        await pilot.press("p")
        await pilot.pause()
        assert "p Trades" in keys(app)
        assert "lower limit" in shown(app)
        await pilot.press("p")
        await pilot.pause()
        assert "maker's order" in shown(app)

    opened(script, _two_trades(), tmp_path, SMALL)


def test_wide_screens_show_both_and_have_no_key_for_it(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 4)
        await pilot.pause()
        assert "Prices  " not in keys(app)
        for words in ("maker's order", "lower limit", "scheduled as slot"):
            assert words in shown(app)

    opened(script, _two_trades(), tmp_path)


# An empty book says what that means


def test_before_the_start_nothing_has_been_placed(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        text = "\n".join(rows(app))
        assert "Nothing has been placed yet." in text
        assert "next to be placed here" in text
        assert "slot 0" in text
        assert "No trade in BTC-USD yet." in trades(app).lines()[0]

    opened(script, _two_trades(), tmp_path)


def test_pairs_that_cross_leave_nothing_behind(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 2)
        text = "\n".join(rows(app))
        assert "No order rests in BTC-USD." in text
        assert "Pairs that cross leave nothing behind." in text

    opened(script, _two_trades(), tmp_path)


def test_a_run_that_is_done_has_an_empty_book(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)
        assert "No order rests in BTC-USD: the run is done." in "\n".join(rows(app))
        assert "space" not in keys(app)

    opened(script, _two_trades(), tmp_path)


def test_without_a_run_it_says_what_to_do(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("4")
        await frame(pilot)
        assert "No run is open, so there is no book." in shown(app)
        for key in ("right_square_bracket", "m", "p", "a", "enter", "down", "tab"):
            await pilot.press(key)
        assert isinstance(app.screen, BookScreen)
        assert "Markets" not in keys(app)

    drive(None, tmp_path, script, SMALL)


def test_a_side_that_is_empty_is_said(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app)
        assert any("no bids rest here" in line for line in rows(app))

    opened(script, _two_trades(), tmp_path)


# What the venue's orders are


def test_directed_orders_that_are_crossed_are_explained(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 2)
        assert any(DIRECTED in line for line in rows(app)), rows(app)
        assert len(ladder(app).levels) == 2
        await pilot.press("up", "enter")
        assert any("only with test-account-4" in line for line in rows(app))

    run = a_run_of(
        (0, "BTC-USD", ASK, "0.2", "60000"),
        (1, "BTC-USD", BID, "0.3", "60050"),
        (2, "ETH-USD", ASK, "0.2", "3000"),
        (3, "ETH-USD", BID, "0.2", "3000"),
        only={0: 3},
    )
    opened(script, run, tmp_path, SMALL)


def test_a_venue_outside_is_shown_by_own_open_orders_and_that_is_said(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = app.simulation
        assert run is not None
        await step(app, 3)
        await until(lambda: ladder(app).levels)
        assert OWN_ONLY in ladder(app).lines()[0]
        open_slots = [slot for slot in run.slots if slot.open and slot.action.market_id == "BTC-USD"]
        assert sorted((level.price, level.quantity) for level in ladder(app).levels) == sorted(
            (slot.action.price, slot.open) for slot in open_slots
        )

    run = a_run_of(
        (0, "BTC-USD", ASK, "0.2", "60000"),
        (1, "BTC-USD", BID, "0.1", "59990"),
        (2, "BTC-USD", BID, "0.3", "59980"),
        (3, "BTC-USD", ASK, "0.3", "60050"),
        venue={"kind": "python", "target": "tests.tui.test_book:takes_any"},
    )
    opened(script, run, tmp_path)


def test_trades_of_a_venue_outside_are_seen_from_the_own_order(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app)
        await until(lambda: trades(app).count == 2)
        header, last, first = trades(app).lines()[:3]
        assert header.split() == ["time", "ours", "quantity", "price", "our", "order", "with"]
        assert last.split()[1:] == ["bought", "0.100000", "60,000.00", "0", "test-account-1", "a", "stranger"]
        assert first.split()[1:] == ["bought", "0.200000", "60,000.00", "0", "test-account-1", "test-account-2"]

    run = a_run_of(
        (0, "BTC-USD", BID, "0.5", "60000"),
        (1, "BTC-USD", ASK, "0.5", "60000"),
        venue={"kind": "python", "target": "tests.tui.test_book:fills_twice"},
    )
    opened(script, run, tmp_path, SMALL)


async def fills_twice(slot: object, settlement: object) -> str:
    """Place an order, and fill it by one of the run's accounts and by another."""
    settlement.fill("0.2", counterparty="test-account-2")  # type: ignore[attr-defined]
    settlement.fill("0.1", counterparty="a stranger")  # type: ignore[attr-defined]
    return f"order {slot.sequence}"  # type: ignore[attr-defined]


def takes_any(slot: object) -> str:
    """Place an order."""
    return f"order {slot.sequence}"  # type: ignore[attr-defined]


def test_the_built_in_exchange_has_nothing_to_explain(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert OWN_ONLY not in shown(app)

    opened(script, a_deep_run(10), tmp_path)


# Moving, opening


def _a_queue() -> Simulation:
    """Three bids at one price, one below, one ask; then an ask that takes the first bid and a part of the second."""
    return a_run_of(
        (0, "BTC-USD", BID, "0.1", "59990"),
        (1, "BTC-USD", BID, "0.4", "59990"),
        (2, "BTC-USD", BID, "0.3", "59990"),
        (0, "BTC-USD", BID, "0.9", "59980"),
        (3, "BTC-USD", ASK, "0.5", "60000"),
        (3, "BTC-USD", ASK, "0.2", "59990"),
        (2, "BTC-USD", BID, "0.1", "59970"),
        (0, "BTC-USD", BID, "0.1", "59960"),
    )


def test_a_price_opens_into_its_orders_by_priority(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 5)
        await pilot.press("down")
        assert "Orders" in keys(app)
        await pilot.press("enter")
        lines = rows(app)
        first = next(place for place, line in enumerate(lines) if "59,990.00" in line)
        for number, (slot, left) in enumerate([(0, "0.100000"), (1, "0.400000"), (2, "0.300000")], start=1):
            assert [left, f"{number}.", "slot", str(slot), f"test-account-{slot + 1}"] == lines[first + number].strip(
                "● ○"
            ).split()[:5]
        await pilot.press("enter")
        assert not any(" slot " in line for line in rows(app))

    opened(script, _a_queue(), tmp_path)


def test_an_order_opens_into_all_about_it(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 5)
        await pilot.press("down", "enter", "down", "down")
        assert "Details" in keys(app)
        assert "slot 1  Bid 0.400000 BTC at 59,990.00 USD" in life(app)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailsScreen)
        assert "Slot 1" in shown(app)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, BookScreen)

    opened(script, _a_queue(), tmp_path)


def test_an_order_that_was_chosen_is_told_to_its_end(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 5)
        await pilot.press("down", "enter", "down")
        assert "scheduled as slot 0 of 8, pair 0" in life(app)
        assert "0.100000 still open" in life(app)
        await step(app)
        assert "slot 0  Bid" in life(app)
        assert "filled 0.100000 of 0.100000" in life(app)
        assert "0.100000 at 59,990.00 with test-account-4 (slot 5), maker" in life(app)

    opened(script, _a_queue(), tmp_path)


def test_what_is_left_and_cancelled_is_told(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 6)
        await pilot.press("down", "enter", "down")
        assert "slot 1  Bid" in life(app)
        assert "0.300000 still open" in life(app)
        await pilot.press("space")
        await until_status(app, RunStatus.DONE)
        app.screen.query_one(Ladder).look()
        await until(lambda: "0.300000 left, cancelled at " in life(app))

    opened(script, _a_queue(), tmp_path)


def test_the_cursor_stays_on_its_price_while_others_come(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 4)
        await pilot.press("end")
        assert any(line.startswith("▌") and "59,980.00" in line for line in rows(app))
        await step(app, 3)
        assert any(line.startswith("▌") and "59,980.00" in line for line in rows(app))
        await pilot.press("b")
        assert any(line.startswith("▌") and "spread" in line for line in rows(app))

    opened(script, _a_queue(), tmp_path)


def test_the_spread_stands_in_the_middle(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 59)
        for size in (TALL, SMALL, (120, 30)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            lines = ladder(app).lines()
            assert lines.index(next(line for line in lines if "spread" in line)) == 1 + (len(lines) - 1) // 2

    opened(script, a_deep_run(60), tmp_path)


def test_the_mouse_moves_and_opens(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 6)
        lines = ladder(app).lines()
        ask, bid = (next(y for y, line in enumerate(lines) if words in line) for words in ("60,000.00", "59,990.00"))
        await pilot.click(Ladder, offset=(5, ask + 1))
        await pilot.pause()
        assert "slot 4  Ask" in life(app)
        await pilot.click(Ladder, offset=(5, bid + 1), times=2)
        assert any(" slot 1 " in line for line in rows(app))
        await pilot.click(TradeList, offset=(5, 2), times=2)
        await pilot.pause()
        assert isinstance(app.screen, DetailsScreen)
        assert "Slot 5" in shown(app)

    opened(script, _a_queue(), tmp_path)


def test_trades_open_into_the_order_that_took(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 6)
        await pilot.press("tab")
        while not trades(app).has_focus:
            await pilot.press("tab")
        await pilot.press("end", "enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailsScreen)
        assert "Slot 5" in shown(app)

    opened(script, _a_queue(), tmp_path)


def test_the_cursor_stays_on_its_trade_while_others_come(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 30)
        trades(app).focus()
        await pilot.press("end")
        trade = trades(app).trade
        before = trades(app).count
        assert trade is not None
        await step(app, 25)
        assert trades(app).count > before
        assert trades(app).trade is trade

    opened(script, a_deep_run(60), tmp_path, SMALL)


# Whose orders


def test_the_slot_of_the_slots_screen_and_its_account_are_marked(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 5)
        table(app).move_to(3)
        app.screen.pulse()  # type: ignore[attr-defined]
        marked = {line.split("━")[0].split()[-1]: line.strip("▌ ")[0] for line in rows(app) if "━" in line}
        assert marked == {"59,980.00": "●", "59,990.00": "○", "60,000.00": "0"}
        assert "● slot 3, ○ other orders of test-account-1" in app.screen.query_one(MarketBar).text()

    opened(script, _a_queue(), tmp_path)


def test_the_account_of_a_chosen_order_is_marked_and_unmarked(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 5)
        await pilot.press("up", "a")
        assert "○ orders of test-account-4" in app.screen.query_one(MarketBar).text()
        assert any("○" in line and "60,000.00" in line for line in rows(app))
        assert sum("○" in line for line in rows(app)) == 1
        await pilot.press("a")
        assert "other orders of" in app.screen.query_one(MarketBar).text()

    opened(script, _a_queue(), tmp_path)


def test_a_level_names_as_many_slots_as_have_room(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 15)
        line = next(line for line in rows(app) if "59,990.00" in line)
        assert "0, 1" in line
        assert " more" in line
        count = line.rsplit("  ", 1)[1].split(" and ")
        assert len(count[0].split(", ")) + int(count[1].split()[0]) == 15

    run = a_run_of(*[(number % 4, "BTC-USD", BID, "0.1", "59990") for number in range(16)])
    opened(script, run, tmp_path, SMALL)


# Markets


def test_the_brackets_turn_through_all_markets_and_around(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        seen = []
        for _ in range(4):
            seen.append(market(app).symbol)
            await pilot.press("right_square_bracket")
        assert seen == ["BTC-USD", "ETH-USD", "SOL-USD", "BTC-USD"]
        await pilot.press("left_square_bracket", "left_square_bracket")
        assert market(app).symbol == "SOL-USD"
        assert "No order for it is coming soon." in "\n".join(rows(app))
        assert "market 3 of 3" in app.screen.query_one(MarketBar).text()

    opened(script, _two_trades(), tmp_path)


def test_the_header_says_what_the_market_is(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        text = app.screen.query_one(MarketBar).text()
        for words in (
            "BTC-USD",
            "status active",
            "tick 0.01 USD",
            "lot 0.000001 BTC",
            "reference 60,000.00 USD",
            "band 59,400.00 .. 60,600.00",
            "fees maker 0.05 %, taker 0.1 %",
        ):
            assert words in text

    fees = {"kind": "embedded", "fees": {"maker": "0.0005", "taker": "0.001"}}
    opened(script, _two_trades(venue=fees), tmp_path, SMALL)


def test_a_market_is_chosen_by_typing_a_part_of_its_name(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("m")
        await pilot.pause()
        assert isinstance(app.screen, MarketsScreen)
        assert app.screen.query_one(OptionList).option_count == 3
        await pilot.press(*"ol")
        await pilot.pause()
        assert app.screen.query_one(OptionList).option_count == 1
        await pilot.press("enter")
        await pilot.pause()
        assert market(app).symbol == "SOL-USD"

    opened(script, _two_trades(), tmp_path, SMALL)


def test_a_market_is_chosen_with_the_arrows(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("m")
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert market(app).symbol == "ETH-USD"
        await pilot.press("m")
        await pilot.pause()
        await pilot.press(*"none such", "enter", "escape")
        await pilot.pause()
        assert market(app).symbol == "ETH-USD"

    opened(script, _two_trades(), tmp_path)


def test_the_arrows_beside_the_name_are_for_the_mouse(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.click(MarketBar, offset=(11, 0))
        assert market(app).symbol == "ETH-USD"
        await pilot.click(MarketBar, offset=(1, 0))
        assert market(app).symbol == "BTC-USD"
        await pilot.click(MarketBar, offset=(5, 0))
        await pilot.pause()
        assert isinstance(app.screen, MarketsScreen)

    opened(script, _two_trades(), tmp_path)


def test_a_run_with_one_market_has_no_keys_for_others(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        assert "Markets" not in keys(app)
        await pilot.press("right_square_bracket", "m")
        assert isinstance(app.screen, BookScreen)
        assert market(app).symbol == "ONE-USD"

    markets = [{"symbol": "ONE-USD", "base": "ONE", "quote": "USD", "reference_price": "100"}]
    opened(script, simulation(tmp_path, markets=markets), tmp_path)


# Large books, colours, keys, hostile text


def test_a_huge_book_is_read_no_further_than_it_is_shown(tmp_path: Path) -> None:
    run = a_run_of((0, "BTC-USD", BID, "0.1", "59990"), (1, "BTC-USD", ASK, "0.1", "60000"))
    assert run.exchange is not None
    book = run.exchange.books["BTC-USD"]
    for number in range(20_000):
        book.rest(Order(10**9 + number, run.slots[0].account_id, BID, 1 + number, 1, None, 0))
    asked = 0
    orders_at = OrderBook.orders_at

    def counting(book: OrderBook, side: Side, at: int, most: int | None = None) -> list[Order]:
        nonlocal asked
        asked += 1
        return orders_at(book, side, at, most)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(OrderBook, "orders_at", counting)
            await step(app)
        assert 100 < asked < 500
        await pilot.press("end")
        assert "and more prices below these" in rows(app)[-1]

    opened(script, run, tmp_path)


def test_nothing_is_read_again_where_nothing_has_happened(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 9)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ladder_module, "read_rows", lambda *_: pytest.fail("it was read"))
            for _ in range(10):
                app.screen.pulse()  # type: ignore[attr-defined]

    opened(script, a_deep_run(10), tmp_path)


def test_another_theme_redraws_every_line(tmp_path: Path) -> None:
    def colours(app: OrderbookApp) -> set[str]:
        found = set()
        for widget in (ladder(app), trades(app), app.screen.query_one(PriceLine), app.screen.query_one(MarketBar)):
            for y in range(widget.size.height):
                for segment in widget.render_line(y):
                    if segment.style is not None and segment.style.color is not None and segment.text.strip():
                        found.add(segment.style.color.name)
        return found

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await step(app, 30)
        dark = colours(app)
        app.theme = "orderbook-light"
        await pilot.pause()
        assert not dark & colours(app)
        assert len(dark) > 4

    opened(script, a_deep_run(40), tmp_path)


@pytest.mark.parametrize("focused", [Ladder, TradeList], ids=lambda owner: owner.__name__)
def test_no_key_means_two_things(focused: type[Any]) -> None:
    owners: tuple[type[Any], ...] = (OrderbookApp, BookScreen.__mro__[1], BookScreen, focused)
    counted = Counter(key for owner in owners for binding in owner.BINDINGS for key in binding.key.split(","))
    assert [key for key, count in counted.items() if count > 1] == []


def test_help_is_about_the_book(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("question_mark")
        await pilot.pause()
        text = shown(app)
        for words in ("Help: Book", "asks above, bids below", "choose a market from a list", "back to the best prices"):
            assert words in text

    opened(script, _two_trades(), tmp_path)


@pytest.mark.parametrize(("kind", "size"), zip(HOSTILE, itertools.cycle([TALL, SMALL])), ids=[*HOSTILE])
def test_names_are_shown_harmlessly(tmp_path: Path, kind: str, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        def harmless() -> None:
            text = shown(app)
            assert not _UNSAFE.search(text), repr(_UNSAFE.search(text))
            assert all(strip.cell_length == size[0] for strip in app.screen._compositor.render_strips())

        harmless()
        await step(app)
        await pilot.pause()
        harmless()
        await pilot.press("down", "enter", "down", "up", "up", "enter")
        await pilot.pause()
        harmless()
        await step(app)
        await pilot.press("p")
        await pilot.pause()
        harmless()
        await pilot.press("p", "tab", "tab", "right_square_bracket", "m")
        await pilot.pause()
        harmless()

    sections = named(HOSTILE[kind]) | {"venue": {"kind": "embedded"}}
    sections["markets"] += [{"symbol": "plain", "base": "A", "quote": "B", "reference_price": "100"}]
    opened(script, simulation(tmp_path, **sections), tmp_path, size)
