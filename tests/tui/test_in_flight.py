"""What is under way, where several pairs are run at once: the strip counts it, the table shows it."""

from pathlib import Path

from textual.pilot import Pilot

from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.widgets.status_strip import StatusStrip
from tests.tui.screen import drive, simulation, table, until


def test_the_strip_counts_and_the_table_shows_what_is_in_flight(tmp_path: Path) -> None:
    run = simulation(
        tmp_path, save=False, processor={"concurrency": 2}, venue={"kind": "embedded", "faults": {"latency_ms": [400, 400]}}
    )

    async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await until(lambda: "2 in flight" in app.screen.query_one(StatusStrip).text())
        await until(lambda: sum(" InProgress " in line for line in table(app).lines()) == 2)
        run.stop()
        await until(lambda: not run.in_flight)

    drive(run, tmp_path, script)
