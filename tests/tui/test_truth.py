"""Nothing on the screen is invented: through a whole run, with failures and decisions, it says what the simulation says."""

from pathlib import Path

from textual.pilot import Pilot

from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.figures import fit_middle, name, number
from orderbook_tui.tui.screens.retry import RetryScreen
from orderbook_tui.tui.widgets.budget_totals import BudgetTotals
from orderbook_tui.tui.widgets.slot_line import settled_verdict
from orderbook_tui.tui.widgets.status_strip import StatusStrip
from tests.tui.screen import WIDE, drive, simulation, table, until

_ANSWERS = {2: "r", 5: "s", 9: "c"}
"""What is answered about the slots that keep failing."""
_OUTAGES = [{"from_slot": slot, "slots": 1, "attempts": 2} for slot in _ANSWERS]


def compare(app: OrderbookApp, run: Simulation) -> None:
    """Hold strip, table and totals against the simulation at this moment."""
    stats, strip = run.stats, app.screen.query_one(StatusStrip).text()
    assert run.status.value in strip
    assert f" {stats.ended_slots:,}/{stats.total_slots:,} {100 * stats.ended_slots // stats.total_slots:>3}%" in strip
    assert f"{stats.failed_slots:,} failed" in strip
    assert (f"{stats.skipped_slots:,} skipped" in strip) == (stats.skipped_slots > 0)
    lines = {int(line.removeprefix("▌").split()[0]): line for line in table(app).lines()[1:] if line.strip("▌ ")}
    assert lines.keys() == set(range(len(run.slots)))
    for slot in run.slots:
        line, verdict = lines[slot.sequence], settled_verdict(slot)
        assert fit_middle(name(run.account_name(slot.account_id)), 14).rstrip() in line
        assert f" {slot.state.value}" in line
        assert (verdict is None) or verdict.value in line
        assert not slot.attempts or f" {slot.attempt_count} " in line
    totals = run.budgets.get_summary().assets
    shown = {line.split()[0]: line for line in app.screen.query_one(BudgetTotals).text().splitlines()[1:] if line.strip()}
    for asset, pots in totals.items():
        amounts = (pots.total_available, pots.total_locked, pots.total_spent)
        for amount, text in zip(amounts, shown[asset].split()[-3:], strict=True):
            # Where there is no room for all decimals an ellipsis says so.
            assert text == number(amount, 2) or (text.endswith("…") and number(amount, 2).startswith(text[:-1])), asset


def test_strip_table_and_totals_say_what_the_simulation_says_at_every_step(tmp_path: Path) -> None:
    steps = 0

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        nonlocal steps
        while run.status is not RunStatus.DONE:
            ended, sequence = run.stats.ended_slots, run.state.current_slot_index
            app.step()
            await until(lambda ended=ended: run.question is not None or run.stats.ended_slots > ended)  # type: ignore[misc]
            if run.question is not None:
                await until(lambda: isinstance(app.screen, RetryScreen) and app.screen.is_mounted)
                assert "WAITING FOR YOU" in app.screen.query_one(StatusStrip).text()
                await pilot.press(_ANSWERS[sequence])
                if run.status is RunStatus.PAUSED and run.stats.ended_slots == ended:
                    app.step()
                await until(lambda ended=ended: run.stats.ended_slots > ended)  # type: ignore[misc]
            await until(lambda: not isinstance(app.screen, RetryScreen))
            await until(lambda: run.status in (RunStatus.PAUSED, RunStatus.DONE))
            app._pulse()
            await pilot.pause()
            compare(app, run)
            steps += 1

    run = simulation(
        tmp_path,
        scheduler={"trades_per_account": 3},
        venue={"fees": {"maker": "0.001", "taker": "0.002"}, "faults": {"outages": _OUTAGES}},
    )
    drive(run, tmp_path, script, (140, WIDE[1]))
    assert steps >= len(run.slots) - 1
    assert [run.slots[slot].state.value for slot in _ANSWERS] == ["Completed", "Skipped", "Failed"]
