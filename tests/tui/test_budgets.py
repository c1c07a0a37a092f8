"""The budgets screen: what it shows is what the simulation has, at every moment."""

import itertools
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from orderbook_tui.core.budget import AccountBudget
from orderbook_tui.core.journal import Attempt, Cancel, RecoveryAction
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.figures import name, number
from orderbook_tui.tui.screens.help import HelpScreen
from orderbook_tui.tui.screens.ledger import LedgerScreen
from orderbook_tui.tui.widgets.budget_table import BudgetTable
from orderbook_tui.tui.widgets.budget_totals import BudgetTotals
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.ledger_table import LedgerTable
from orderbook_tui.tui.widgets.usage_plot import UsagePlot
from tests.tui.screen import SMALL, drive, frame, outage, shown, simulation, until
from tests.tui.test_hostile_text import _UNSAFE, HOSTILE, named

LARGE = (140, 40)
FEES: dict[str, Any] = {"venue": {"fees": {"maker": "0.001", "taker": "0.002"}}}


def the_table(app: OrderbookApp) -> BudgetTable:
    return app.get_screen("budgets").query_one(BudgetTable)


def lines(app: OrderbookApp) -> list[str]:
    """The lines of the table, without its header."""
    return [line for line in the_table(app).text().split("\n")[1:] if line.strip("▌ ")]


def caption(app: OrderbookApp) -> str:
    return str(app.screen.query_one("#caption", Static).render())


async def opened(app: OrderbookApp, pilot: Pilot[int]) -> Simulation:
    """Go to the budgets of a run that is not started."""
    await pilot.press("3")
    await until(lambda: app.screen.query(BudgetTable) and lines(app))
    assert app.simulation is not None
    return app.simulation


async def step(app: OrderbookApp, pilot: Pilot[int], slots: int = 1) -> None:
    """Run so many slots, one by one."""
    run = app.simulation
    assert run is not None
    for _ in range(slots):
        ended = run.stats.ended_slots
        app.step()
        await until(lambda ended=ended: run.stats.ended_slots == ended + 1 and run.status is not RunStatus.RUNNING)  # type: ignore[misc]
    app.screen.pulse()  # type: ignore[attr-defined]
    await frame(pilot)


def says(text: str, amount: Decimal) -> bool:
    """Whether a text is all of a number, or as much of it as there is room for, with a sign that it is not all."""
    return text == number(amount, 2) or (text.endswith("…") and number(amount).startswith(text[:-1]))


def spend(budget: AccountBudget, percent: int) -> None:
    amount = budget.initial * percent // 100 - budget.spent
    budget.lock(amount)
    budget.spend(amount)


def test_each_line_says_what_its_budget_is(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await opened(app, pilot)
        await step(app, pilot, 5)
        for budget, line in zip(run.budgets, lines(app), strict=False):
            words = line.strip("▌ ").split()
            assert words[:2] == [budget.account.name, budget.asset.symbol]
            amounts = (budget.available, budget.locked, budget.spent, budget.initial, budget.received)
            assert words[-5:] == [number(budget.asset.amount(units), 2) for units in amounts]
        assert any(budget.locked for budget in run.budgets)

    drive(simulation(tmp_path), tmp_path, script, LARGE)


@pytest.mark.parametrize("sections", [{}, FEES, {"venue": outage(3, attempts=1)}], ids=["plain", "fees", "outage"])
def test_totals_are_the_simulations_after_every_slot_of_a_run(tmp_path: Path, sections: dict[str, Any]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await opened(app, pilot)
        totals = app.screen.query_one(BudgetTotals)
        for _ in run.slots:
            await step(app, pilot)
            assert totals.is_exact
            for symbol, expected in run.budgets.get_summary().assets.items():
                line = next(line for line in totals.text().split("\n") if line.startswith(f" {symbol} "))
                amounts = (expected.total_available, expected.total_locked, expected.total_spent)
                assert all(map(says, line.split()[-3:], amounts))
                asset, counted = run.budgets.assets[symbol], totals.totals[symbol]
                assert tuple(map(asset.amount, counted.pots[1:4])) == amounts
                assert f"{int(expected.utilization_percent() * 10) / 10:.1f}%" in line
        assert run.stats.pending_slots == 0

    drive(simulation(tmp_path, **sections), tmp_path, script, LARGE)


def test_totals_of_more_budgets_than_can_be_counted_at_once_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderbook_tui.engine.budget_count.AT_ONCE", 2)
    monkeypatch.setattr("orderbook_tui.engine.budget_count._SLICE", 2)

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await opened(app, pilot)
        totals = app.screen.query_one(BudgetTotals)
        await until(lambda: totals.is_exact)
        assert "about" not in totals.text()
        monkeypatch.setattr(run._run, "status", RunStatus.RUNNING)
        totals.look()
        assert "used, about" in totals.text()
        assert "depleted" not in caption(app) or not totals.is_exact
        monkeypatch.setattr(run._run, "status", RunStatus.READY)
        await until(lambda: totals.is_exact)
        assert "about" not in totals.text()

    drive(simulation(tmp_path), tmp_path, script, LARGE)


@pytest.mark.parametrize("size", [LARGE, SMALL], ids=["large", "small"])
def test_what_runs_out_is_marked_in_words(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await opened(app, pilot)
        high, depleted, *_ = run.budgets
        spend(high, 90)
        spend(depleted, 100)
        run.state.journal_missing()
        app.screen.pulse()  # type: ignore[attr-defined]
        await pilot.pause()
        first, second, third = lines(app)[:3]
        assert "90.0%" in first
        assert "over 80 %" in first
        assert "100.0%" in second
        assert "depleted" in second
        assert "over" not in third
        assert "depleted" not in third

    drive(simulation(tmp_path), tmp_path, script, size)


def test_s_sorts_by_account_by_use_and_by_asset(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await opened(app, pilot)
        most = list(run.budgets)[4]
        spend(most, 50)
        by_account = lines(app)
        assert "by account" in caption(app)
        await pilot.press("s")
        assert "most used first" in caption(app)
        assert the_table(app).budget is most
        assert the_table(app).cursor == 0
        await pilot.press("s")
        assert "by asset" in caption(app)
        assert [budget.asset.symbol for budget in the_table(app).budgets] == sorted(
            (budget.asset.symbol for budget in run.budgets), key=list(run.budgets.assets).index
        )
        await pilot.press("s")
        assert len(lines(app)) == len(by_account)
        assert list(the_table(app).budgets) == list(run.budgets)

    drive(simulation(tmp_path), tmp_path, script, LARGE)


def test_a_click_on_a_title_sorts_by_it(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await opened(app, pilot)
        header = the_table(app).text().split("\n")[0]
        await pilot.click(BudgetTable, offset=(header.index("asset"), 0))
        assert "by asset" in caption(app)
        await pilot.click(BudgetTable, offset=(header.index("spent"), 0))
        assert "most used first" in caption(app)

    drive(simulation(tmp_path), tmp_path, script, LARGE)


def test_while_the_run_goes_on_the_most_used_stay_first(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await opened(app, pilot)
        await pilot.press("s")
        kept = the_table(app).budget
        await step(app, pilot, 6)
        screen: Any = app.screen
        screen._listed_at -= 10
        screen.pulse()

        def free() -> list[int]:
            return [10**6 * budget.available // budget.initial for budget in the_table(app).budgets]

        await until(lambda: free() == sorted(free()))
        assert free()[0] < 10**6
        assert the_table(app).budget is kept
        assert run.status is RunStatus.PAUSED

    drive(simulation(tmp_path), tmp_path, script, LARGE)


def test_the_filter_shows_what_is_typed_and_escape_shows_all(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await opened(app, pilot)
        everything = len(list(run.budgets))
        await pilot.press("slash", *"UsD ", *"-2")
        assert [line.strip("▌ ").split()[:2] for line in lines(app)] == [["test-account-2", "USD"]]
        assert f"1 of {everything} budgets" in caption(app)
        assert run.status is RunStatus.READY
        assert "esc Show all" in app.screen.query_one(KeyBar).text()
        await pilot.press("enter")
        assert the_table(app).has_focus
        assert len(lines(app)) == 1
        await pilot.press("escape")
        assert the_table(app).count == everything
        assert not app.screen.query_one("#filter", Input).display
        assert "Show all" not in app.screen.query_one(KeyBar).text()

    drive(simulation(tmp_path), tmp_path, script, SMALL)


def test_a_filter_that_finds_nothing_says_so(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await opened(app, pilot)
        await pilot.press("slash", *"nobody")
        assert "no account or asset has nobody in its name: escape shows all" in shown(app)
        await pilot.press("enter", "enter", "escape")
        assert the_table(app).count > 0

    drive(simulation(tmp_path), tmp_path, script, SMALL)


def test_the_head_line_counts_what_is_over_80_percent_and_what_is_depleted(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await opened(app, pilot)
        assert "0 over 80 %, 0 depleted" in caption(app)
        for budget, percent in zip(run.budgets, (90, 100, 81), strict=False):
            spend(budget, percent)
        await step(app, pilot)
        assert f"{len(list(run.budgets))} budgets, 2 over 80 %, 1 depleted" in caption(app)

    drive(simulation(tmp_path), tmp_path, script, SMALL)


def test_a_long_head_line_leaves_the_order_out_before_the_keys(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await opened(app, pilot)
        app.screen.query_one(BudgetTotals).totals["USD"].high = 1_000_000_000
        await pilot.press("s")
        assert "1,000,000,000 over 80 %, 0 depleted" in caption(app)
        assert "first" not in caption(app)
        assert caption(app).endswith("v Numbers   p Plot")
        assert len(caption(app)) <= SMALL[0] - 2

    drive(simulation(tmp_path), tmp_path, script, SMALL)


def test_the_filter_says_that_it_takes_over_and_depleted_and_does(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await opened(app, pilot)
        high, _, gone, *_ = run.budgets
        spend(high, 90)
        spend(gone, 100)
        await pilot.press("slash")
        await pilot.pause()
        await until(lambda: "account or asset, over, depleted" in shown(app))
        await pilot.press(*"over")
        assert list(the_table(app).budgets) == [high]
        app.screen.query_one("#filter", Input).value = "depleted"
        await pilot.pause()
        assert list(the_table(app).budgets) == [gone]
        app.screen.query_one("#filter", Input).value = "over depleted"
        await pilot.pause()
        assert "no budget is found by over depleted now: escape shows all" in shown(app)

    drive(simulation(tmp_path), tmp_path, script, SMALL)


def test_what_comes_to_be_depleted_is_found_as_the_run_goes_on(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await opened(app, pilot)
        await pilot.press("slash", *"depleted", "enter")
        assert the_table(app).count == 0
        screen: Any = app.screen
        gone = list(run.budgets)[-1]
        spend(gone, 100)
        run.state.journal_missing()
        run.state.journal.append(Cancel(0, 0, 0))
        screen._listed_at -= 10
        screen.pulse()
        assert list(the_table(app).budgets) == [gone]

    drive(simulation(tmp_path, save=False), tmp_path, script, SMALL)


def test_where_there_is_room_for_one_v_shows_bars_or_numbers(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await opened(app, pilot)
        rows = the_table(app)
        assert "bar" in rows.columns
        assert "locked" not in rows.columns
        assert "v Numbers" in caption(app)
        await pilot.press("v")
        assert "bar" not in rows.columns
        assert {"used", "state", "available", "locked", "spent"} <= set(rows.columns)
        assert "v Bars" in caption(app)
        await pilot.resize_terminal(*LARGE)
        await frame(pilot)
        assert {"bar", "locked", "initial", "received"} <= set(rows.columns)
        assert "v " not in caption(app)

    drive(simulation(tmp_path), tmp_path, script, SMALL)


def test_where_there_is_room_for_one_p_shows_totals_or_plot(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await opened(app, pilot)
        await step(app, pilot, 4)
        totals, plot = app.screen.query_one(BudgetTotals), app.screen.query_one(UsagePlot)
        assert (totals.display, plot.display) == (True, False)
        await pilot.press("p")
        await pilot.pause()
        assert (totals.display, plot.display) == (False, True)
        assert "4 of 8 slots" in shown(app)
        await pilot.resize_terminal(*LARGE)
        await frame(pilot)
        assert (totals.display, plot.display) == (True, True)

    drive(simulation(tmp_path), tmp_path, script, SMALL)


def test_the_plot_says_what_is_used_now_and_how_far_the_run_is(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await opened(app, pilot)
        plot = app.screen.query_one(UsagePlot)
        assert "nothing has been used yet" in plot.text()
        await step(app, pilot, 8)
        text = plot.text()
        assert "0%│" in text
        assert "8 of 8 slots" in text
        assert any("⠀" < character <= "⣿" for character in text)
        for symbol, totals in run.budgets.get_summary().assets.items():
            share = 1000 * (totals.total_spent + totals.total_locked) // totals.total_initial / 10
            assert any(symbol in line and f"{share:.1f}%" in line for line in text.split("\n"))

    drive(simulation(tmp_path), tmp_path, script, LARGE)


def test_a_run_that_was_taken_up_shows_its_whole_course(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await opened(app, pilot)
        plot = app.screen.query_one(UsagePlot)
        assert plot.history is not None
        assert [point.ended for point in plot.history.points][:8] == list(range(8))
        assert "8 of 8 slots" in plot.text()

    run = simulation(tmp_path)
    anyio.run(run.run, PolicyDecider(RecoveryAction.SKIP))
    run.close()
    drive(Simulation.resume(run.id, tmp_path), tmp_path, script, LARGE)


@pytest.mark.parametrize("size", [LARGE, SMALL], ids=["large", "small"])
def test_enter_opens_the_ledger_of_a_budget_which_follows_the_run(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        run = await opened(app, pilot)
        budget = next(budget for budget in run.budgets if budget.account.id == run.slots[0].account_id)
        await pilot.press("enter")
        await until(lambda: app.screen.query(LedgerTable))
        assert "nothing has moved yet" in shown(app)
        await step(app, pilot, 8)
        rows = [line.split() for line in app.screen.query_one(LedgerTable).text().split("\n")[1:] if line.strip()]
        history = [s for s in run.budgets.get_history() if (s.account_id, s.asset) == (budget.account.id, budget.asset.symbol)]
        assert len(rows) == len(history) > 0
        for row, snapshot in zip(rows, history, strict=True):
            assert str(snapshot.slot) in row
            assert snapshot.kind.value in row
            assert number(snapshot.amount, 2) in row
            assert number(snapshot.available, 2) in row
        assert app.screen.query_one(LedgerTable).cursor == len(history) - 1
        assert f"{len(history)} movements" in shown(app)
        await pilot.press("escape")
        assert app.screen is app.get_screen("budgets")

    drive(simulation(tmp_path), tmp_path, script, size)


@pytest.mark.parametrize("size", [SMALL, (60, 20)], ids=["small", "tiny"])
def test_slot_numbers_are_never_cut_in_the_ledger(tmp_path: Path, size: tuple[int, int]) -> None:
    budget = {"budgets": [{"asset_id": "USD", "amount": "9999999999.123"}, {"amount": "99999.12345678"}]}
    run = simulation(tmp_path, save=False, scheduler={"trades_per_account": 3_000, "min_amount": 100}, budget=budget)
    last = run.slots[-1]
    for slot in (last, run.slots[-2]):
        run.state.journal.append(Attempt(slot.sequence, 1, 0))
    of = run.budgets.accounts[last.account_id][last.action.bid_asset]

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await opened(app, pilot)
        app.push_screen(LedgerScreen(run, of))
        await until(lambda: app.screen.query(LedgerTable) and app.screen.query_one(LedgerTable).count)
        await pilot.pause()
        lines = app.screen.query_one(LedgerTable).text().split("\n")
        assert lines[1].strip("▌ ").split()[0 if size[0] < 80 else 1] == str(last.sequence)
        assert len(str(last.sequence)) == 5
        assert all(column in lines[0] for column in ("kind", "amount"))

    drive(run, tmp_path, script, size)


def test_the_ledger_has_help_of_its_own(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await opened(app, pilot)
        await pilot.press("enter")
        await until(lambda: app.screen.query(LedgerTable))
        assert "? Help" in app.screen.query_one(KeyBar).text()
        await pilot.press("question_mark")
        await until(lambda: isinstance(app.screen, HelpScreen))
        await pilot.pause()
        assert "Help: Ledger" in shown(app)
        assert "one movement of this budget" in shown(app)
        await pilot.press("escape")
        assert isinstance(app.screen, LedgerScreen)

    drive(simulation(tmp_path), tmp_path, script, SMALL)


def test_a_second_click_on_a_line_opens_its_ledger_and_enter_leaves_it(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await opened(app, pilot)
        await pilot.click(BudgetTable, offset=(5, 3))
        assert the_table(app).cursor == 2
        assert app.screen is app.get_screen("budgets")
        await pilot.click(BudgetTable, offset=(5, 3))
        await until(lambda: isinstance(app.screen, LedgerScreen))
        await pilot.press("enter")
        assert app.screen is app.get_screen("budgets")

    drive(simulation(tmp_path), tmp_path, script, LARGE)


def test_without_a_run_it_says_what_to_do(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("3", "s", "slash", "v", "p", "escape", "enter")
        await pilot.pause()
        assert "No run is open" in shown(app)
        assert "Sort" not in app.screen.query_one(KeyBar).text()

    drive(None, tmp_path, script, SMALL)


def test_the_keys_have_room_at_80_columns(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await opened(app, pilot)
        keys = app.screen.query_one(KeyBar).text()
        for words in ("space Start", "n Step", "s Sort", "/ Filter", "Ledger", "? Help", "q Quit"):
            assert words in keys

    drive(simulation(tmp_path), tmp_path, script, SMALL)


def test_another_theme_is_worn_at_once(tmp_path: Path) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await opened(app, pilot)
        await step(app, pilot, 4)

        def papers() -> set[Any]:
            strips = app.screen._compositor.render_strips()
            return {segment.style.bgcolor for strip in strips[3:] for segment in strip if segment.style}

        before = papers()
        app.theme = "orderbook-light"
        await frame(pilot)
        assert not before & papers()

    drive(simulation(tmp_path), tmp_path, script, LARGE)


@pytest.mark.parametrize(("kind", "size"), zip(HOSTILE, itertools.cycle([LARGE, SMALL])), ids=[*HOSTILE])
def test_names_are_shown_harmlessly(tmp_path: Path, kind: str, size: tuple[int, int]) -> None:
    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        def harmless() -> None:
            text = shown(app)
            assert not _UNSAFE.search(text), repr(_UNSAFE.search(text))
            assert all(strip.cell_length == size[0] for strip in app.screen._compositor.render_strips())

        await opened(app, pilot)
        harmless()
        assert name(HOSTILE[kind])[:3] in shown(app)
        await pilot.press("v", "p", "s")
        await pilot.pause()
        harmless()
        await pilot.press("enter")
        await until(lambda: app.screen.query(LedgerTable))
        harmless()
        await pilot.press("escape", "slash")
        app.screen.query_one("#filter", Input).value = HOSTILE[kind]
        await pilot.pause()
        harmless()

    sections = named(HOSTILE[kind])
    del sections["venue"]
    drive(simulation(tmp_path, **sections), tmp_path, script, size)


def test_a_million_budgets_open_at_once_and_sort_without_freezing(tmp_path: Path) -> None:
    run = simulation(tmp_path, save=False)
    held = next(iter(run.budgets.accounts.values()))
    count = 1_000_000 // len(held)
    run.budgets.accounts.update({f"many{place}": held for place in range(count)})

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        started = time.perf_counter()
        await pilot.press("3")
        await until(lambda: app.screen.query(BudgetTable) and lines(app))
        assert time.perf_counter() - started < 3  # with room for a machine that is busy with other things
        everything = the_table(app).count
        assert everything > 999_000
        await pilot.press("end")
        assert the_table(app).cursor == everything - 1
        assert len(the_table(app)._drawn) < 100
        listing: Any = app.screen
        app.simulate_key("s")
        await until(lambda: listing._listing is not None, "a list that is made in pieces")
        await listing._listing.wait()
        assert the_table(app).count == everything
        assert the_table(app).cursor == 0

    drive(run, tmp_path, script, LARGE)
